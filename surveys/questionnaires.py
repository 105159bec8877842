"""A questionnaire: sections of pages of questions, as data.

    load(text) -> Questionnaire      from YAML written by a person; raises Unsound with every fault
    canonical(questionnaire) -> str  stable JSON, kept with a published version for ever
    from_canonical(text)             the way back

In YAML, `options` may name one of the lists under `option_lists`, each with `options` and a common
`error`. In the canonical form every question carries its own.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from surveys import kinds as _kinds  # noqa: F401 - the kinds enter themselves where questions are read
from surveys.conditions import Condition
from surveys.documents import Fault, Unsound, dump, parse_yaml, read
from surveys.questions import CODE, Question, blank

ROLES = (
    "lead_member",
    "council_leader",
    "scrutiny_chair",
    "committee_member",
    "chief_executive",
    "corporate_leader",
)
WAVES = ("baseline", "interim", "post", "feedback")
PLACES = frozenset({"role", "council", "session"})
"""The placeholders that a text may hold, in braces; who asks knows what to fill in."""
DEFINITIONS = Path(__file__).parent / "definitions"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Questions answered and saved together. Its intro says what they have in common."""

    code: str
    title: str
    questions: tuple[Question, ...]
    intro: str = ""
    show_if: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    code: str
    title: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, kw_only=True)
class Questionnaire:
    """`waves` is empty for a self-assessment tool; an empty `audience` is every role."""

    code: str
    title: str
    sections: tuple[Section, ...]
    waves: tuple[str, ...] = ()
    audience: frozenset[str] = frozenset()

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        return tuple(page for section in self.sections for page in section.pages)

    @cached_property
    def placed(self) -> Mapping[str, tuple[Page, Question]]:
        """Each question with its page, by the question's code, in the order they are asked."""
        return {question.code: (page, question) for page in self.pages for question in page.questions}

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for page in self.pages for question in page.questions)

    def measured(self) -> Iterator[tuple[str, Page, Question]]:
        """Each measure with the one question that carries it."""
        for page, question in self.placed.values():
            if question.measure:
                yield question.measure, page, question

    def seconds(self, *, role: str | None) -> int:
        """The longest it should take an average leader: every question that the role may be asked."""
        return sum(question.seconds for question in self.questions if question.asked_of(role))


def load(text: str, *, name: str) -> Questionnaire:
    """The questionnaire in a YAML text; `name` (a file's) stands in the message. Raises Unsound."""
    data = parse_yaml(text, name=name)
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
    if questionnaire is None or faults:
        raise Unsound(name, faults)
    return questionnaire


def load_definition(code: str) -> Questionnaire:
    """One of the questionnaires that come with the product."""
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


def _with_option_lists(data: dict[str, Any], *, place: str, faults: list[Fault]) -> dict[str, Any]:
    """The same data, each name of an option list replaced by what the list holds."""
    lists = data.get("option_lists", {})
    if not isinstance(lists, dict) or not all(isinstance(body, dict) for body in lists.values()):
        faults.append(Fault(place, "option_lists must be a list of names, each with options"))
        lists = {}

    def expand(node: Any) -> Any:
        if isinstance(node, list):
            return [expand(item) for item in node]
        if not isinstance(node, dict):
            return node
        named = node.get("options")
        if isinstance(named, str) and named in lists:
            return {**lists[named], **node, "options": lists[named].get("options")}
        if isinstance(named, str):
            faults.append(Fault(str(node.get("code", place)), f"options names an unknown list, {named}"))
        return {key: expand(value) for key, value in node.items()}

    return {key: expand(value) for key, value in data.items() if key != "option_lists"}


def check(questionnaire: Questionnaire) -> list[Fault]:
    """Everything that would mislead or stop a person who answers it, in the order of the document."""
    faults = list(_whole(questionnaire))
    earlier: dict[str, Question] = {}
    for section in questionnaire.sections:
        faults += [*_code(section.code, section.code), *_text(section.code, "title", section.title, 100)]
        for page in section.pages:
            place = f"{section.code} > {page.code}"
            faults += _page(page, place, earlier)
            for question in page.questions:
                faults += _question(
                    question, f"{place} > {question.code}", page, earlier, questionnaire.audience
                )
            earlier |= {question.code: question for question in page.questions}
    return faults


def _whole(questionnaire: Questionnaire) -> Iterator[Fault]:
    place = questionnaire.code
    yield from _code(place, questionnaire.code)
    yield from _text(place, "title", questionnaire.title, 100)
    yield from _unknown(place, "wave", questionnaire.waves, WAVES)
    yield from _unknown(place, "role in audience", questionnaire.audience, ROLES)
    if not questionnaire.questions:
        yield Fault(place, "asks nothing")
    codes = {
        "question": [question.code for question in questionnaire.questions],
        "page": [page.code for page in questionnaire.pages],
        "section": [section.code for section in questionnaire.sections],
        "measure": [question.measure for question in questionnaire.questions if question.measure],
    }
    for what, used in codes.items():
        for code in dict.fromkeys(code for code in used if used.count(code) > 1):
            yield Fault(place, f"has the {what} {code} {used.count(code)} times")


def _page(page: Page, place: str, earlier: Mapping[str, Question]) -> Iterator[Fault]:
    yield from _code(place, page.code)
    yield from _text(place, "title", page.title, 150)
    if page.intro:
        yield from _text(place, "intro", page.intro, 1000)
    yield from _condition(place, page.show_if, earlier)
    if not any(question.asks for question in page.questions):
        yield Fault(place, "asks nothing: put what there is to read on a page with a question")
    scales = [question for question in page.questions if question.kind == "scale"]
    most = max(sum(question.asked_of(role) for question in scales) for role in ROLES)
    if most > 6:
        yield Fault(place, f"has {most} scale statements: six are the most that people read with care")


def _question(
    question: Question, place: str, page: Page, earlier: Mapping[str, Question], audience: frozenset[str]
) -> Iterator[Fault]:
    yield from _code(place, question.code)
    yield from _text(place, "text", question.text, 300)
    for role, text in question.text_for.items():
        yield from _text(place, f"text_for {role}", text, 300)
    if question.hint:
        yield from _text(place, "hint", question.hint, 500)
    if question.error:
        yield from _text(place, "error", question.error, 200, PLACES | {"text"})
    yield from _unknown(place, "role in text_for", question.text_for, ROLES)
    yield from _unknown(place, "role in audience", question.audience, ROLES)
    yield from (Fault(place, message) for message in question.faults())
    if question.measure is not None:
        yield from _code(place, question.measure)
    missing = list(_condition(place, question.show_if, earlier))
    yield from missing
    conditions = [condition for condition in (page.show_if, question.show_if) if condition]
    if question.audience and audience and not question.audience & audience:
        yield Fault(place, "is for roles that the questionnaire isn't for")
    elif not missing and not _can_hold(conditions, earlier, question.audience):
        yield Fault(place, "can't be reached: no answers make its show_if true")


def _condition(place: str, condition: Condition | None, earlier: Mapping[str, Question]) -> Iterator[Fault]:
    for leaf in condition.leaves() if condition else ():
        asked = earlier.get(leaf.question)
        if asked is None or not asked.asks:
            yield Fault(place, f"show_if depends on {leaf.question}, which is no question on an earlier page")
        else:
            yield from _unknown(
                place,
                f"option of {asked.code} in show_if",
                leaf.options,
                [option.code for option in asked.listed()],
            )


def _can_hold(conditions: list[Condition], earlier: Mapping[str, Question], audience: frozenset[str]) -> bool:
    """Whether some answers make all conditions true. Taken for granted where that is too long to try."""
    named: dict[str, set[str]] = {}
    for leaf in (leaf for condition in conditions for leaf in condition.leaves()):
        named.setdefault(leaf.question, set()).update(leaf.options)
    tries: list[list[Any]] = []
    for code, options in named.items():
        asked = earlier.get(code)
        if asked is None:
            return True
        nobody = asked.audience and audience and not asked.audience & audience
        tries.append([None] if nobody else asked.situations(options))
    if prod(map(len, tries)) > 10_000:
        return True
    return any(
        all(condition.holds(dict(zip(named, answers, strict=True))) for condition in conditions)
        for answers in product(*tries)
    )


def _code(place: str, code: str) -> Iterator[Fault]:
    if not CODE.fullmatch(code):
        yield Fault(
            place, f"the code {code} must be small letters, digits and _, led by a letter, 40 at most"
        )


def _text(place: str, name: str, text: str, limit: int, places: frozenset[str] = PLACES) -> Iterator[Fault]:
    if blank(text):
        yield Fault(place, f"{name} is empty")
    if len(text) > limit:
        yield Fault(place, f"{name} has {len(text)} characters: {limit} are the most")
    yield from _unknown(place, f"placeholder in {name}", re.findall(r"\{(\w+)\}", text), places)
    if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
        yield Fault(place, f"{name} has a brace that belongs to no placeholder")


def _unknown(place: str, what: str, used: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    for name in used:
        if name not in known:
            yield Fault(place, f"has an unknown {what}, {name}")
