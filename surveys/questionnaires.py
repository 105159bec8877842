"""A questionnaire as a file, and as it is kept.

    load(text) -> Questionnaire      from a file written by a person; raises Unsound with every fault
    examine(text) -> Examined        the same, with what could be read beside the faults
    written(questionnaire) -> str    the file, to change and load again
    canonical(questionnaire) -> str  stable JSON, kept with a published version for ever
    from_canonical(text)             the way back

In a file, `options` may name one of the lists under `option_lists`, each with `options` and a common
`error`. In the canonical form every question carries its own.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from surveys import kinds as _kinds  # noqa: F401 - the kinds enter themselves where questions are read
from surveys.checks import check
from surveys.documents import Fault, Unsound, dump, lines, on_line, parse, read, write_yaml
from surveys.structure import PLACES, ROLES, WAVES, Page, Questionnaire, Section

__all__ = [
    "PLACES",
    "ROLES",
    "WAVES",
    "Examined",
    "Page",
    "Questionnaire",
    "Section",
    "canonical",
    "check",
    "content_hash",
    "examine",
    "from_canonical",
    "load",
    "load_definition",
    "written",
]
DEFINITIONS = Path(__file__).parent / "definitions"


@dataclass(frozen=True)
class Examined:
    """A file that was read: the questionnaire, as far as it could be read, and every fault in it.

    `lines` says on which line of the file each place begins.
    """

    name: str
    questionnaire: Questionnaire | None
    faults: list[Fault]
    lines: Mapping[str, int]

    def placed(self, faults: list[Fault]) -> list[Fault]:
        """Faults found elsewhere, such as against another wave, with their lines in this file."""
        return [on_line(fault, self.lines) for fault in faults]


def examine(text: str, *, name: str) -> Examined:
    """Read a file and find everything wrong with it; its `name` says whether it is JSON (.json) or YAML."""
    try:
        data = parse(text, name=name)
    except Unsound as unsound:
        return Examined(name, None, unsound.faults, {})
    known = {place.removeprefix(f"{name} > "): line for place, line in lines(data, place=name).items()}
    faults: list[Fault] = []
    if isinstance(data, dict):
        data = _with_option_lists(data, place=name, faults=faults)
    questionnaire = read(Questionnaire, data, place=name, faults=faults)
    faults = [Fault(fault.place.removeprefix(f"{name} > "), fault.message) for fault in faults]
    if questionnaire is not None:
        # What could not be read would be found wrong again one level up, for the want of it.
        unread = [f"{fault.place} >" for fault in faults]
        faults += [
            fault
            for fault in check(questionnaire)
            if not any(place.startswith(f"{fault.place} >") for place in unread)
        ]
    return Examined(name, questionnaire, [on_line(fault, known) for fault in faults], known)


def load(text: str, *, name: str) -> Questionnaire:
    """The questionnaire in a file's text; `name` (the file's) stands in the message. Raises Unsound."""
    examined = examine(text, name=name)
    if examined.questionnaire is None or examined.faults:
        raise Unsound(name, examined.faults)
    return examined.questionnaire


@cache
def load_definition(code: str) -> Questionnaire:
    """One of the questionnaires that come with the product; read once, as it changes with a release only."""
    return load((DEFINITIONS / f"{code}.yaml").read_text(encoding="utf-8"), name=f"{code}.yaml")


def canonical(questionnaire: Questionnaire) -> str:
    """The same text for the same questionnaire, whatever order its file had its keys in."""
    return json.dumps(dump(questionnaire), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_hash(questionnaire: Questionnaire) -> str:
    """SHA-256 of the canonical text, in hexadecimal: two with one hash ask the same."""
    return hashlib.sha256(canonical(questionnaire).encode()).hexdigest()


def from_canonical(text: str) -> Questionnaire:
    """What `canonical` wrote. It was checked before it was published, so only its form is checked."""
    faults: list[Fault] = []
    questionnaire = read(Questionnaire, json.loads(text), place="version", faults=faults)
    if questionnaire is None or faults:
        raise Unsound("version", faults)
    return questionnaire


def written(questionnaire: Questionnaire) -> str:
    """The questionnaire as a YAML file. Options that several questions share stand in one list."""
    data = dump(questionnaire)
    pages = [page for section in data["sections"] for page in section["pages"]]
    lists = _shared_options([question for page in pages for question in page["questions"]])
    for page in pages:
        page["questions"] = [{"code": question["code"], **question} for question in page.pop("questions")]
    head = {key: data[key] for key in ("code", "title", "waves", "audience") if key in data}
    if lists:
        head["option_lists"] = lists
    inline = ("options", "show_if", "waves", "audience")
    return write_yaml({**head, "sections": data["sections"]}, inline=inline)


def _shared_options(questions: list[dict[str, Any]]) -> dict[str, Any]:
    """Take options that stand more than once out of these questions, into lists named after the first."""
    options = [json.dumps(question.get("options")) for question in questions]
    names: dict[str, str] = {}
    lists: dict[str, Any] = {}
    for question, own in zip(questions, options, strict=True):
        if "options" in question and options.count(own) > 1:
            name = names.setdefault(own, f"{question['code']}_options")
            lists[name] = {"options": question["options"]} if name not in lists else lists[name]
            question["options"] = name
    return lists


def _with_option_lists(data: dict[str, Any], *, place: str, faults: list[Fault]) -> dict[str, Any]:
    """The same data, each name of an option list replaced by what the list holds."""
    lists = data.get("option_lists", {})
    if not isinstance(lists, dict) or not all(isinstance(body, dict) for body in lists.values()):
        faults.append(Fault(place, "option_lists must be a list of names, each with options"))
        lists = {}

    def expand(node: Any, trail: str) -> Any:
        if isinstance(node, list):
            return [expand(item, trail) for item in node]
        if not isinstance(node, dict):
            return node
        here = f"{trail} > {node['code']}" if "code" in node else trail
        named = node.get("options")
        if isinstance(named, str):
            if named not in lists:
                faults.append(Fault(here, f"options names an unknown list, {named}"))
            return {**lists.get(named, {}), **node, "options": lists.get(named, {}).get("options", [])}
        return {key: expand(value, here) for key, value in node.items()}

    return {key: expand(value, place) for key, value in data.items() if key != "option_lists"}
