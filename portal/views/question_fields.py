"""A question as a page draws it: what is typed or stored, what is wrong with it, under names that ids can bear.

The engine separates a question from its companions by a dot (`impact_for.detail`), a page by a hyphen. What a
form carries beside answers begins with an underscore, as no question's code does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from surveys.questions import Answers, Cleaned, Posted, Question, display, worded
from surveys.responses import Stale
from surveys.sittings import Sitting

OWN = ("_", "csrf_token")


@dataclass(frozen=True, kw_only=True)
class QuestionField:
    """One question, ready for its macro. `value` is a text, a list of codes, or a date's parts by name."""

    kind: str
    name: str
    label: str
    hint: str
    error: str | None
    value: Any
    items: Sequence[Mapping[str, Any]]
    maxlength: int | None
    quote: bool | None
    clears: bool


def posted(form: MultiDict[str, str]) -> Posted:
    """What a page posted, under the engine's own names."""
    return {name.replace("-", "."): form.getlist(name) for name in form if not name.startswith(OWN)}


def without(sent: Posted, code: str | None) -> Posted:
    """The same without what was given to one question."""
    return {
        name: values
        for name, values in sent.items()
        if code is None or (name != code and not name.startswith(f"{code}."))
    }


def fields(
    questions: Sequence[Question],
    *,
    role: str,
    places: Mapping[str, str],
    answers: Answers,
    typed: Posted | None = None,
    errors: Sequence[Cleaned] = (),
) -> list[QuestionField]:
    """The questions of a page. With `typed`, what was typed is shown, as it was, instead of what is stored."""
    faults = {error.input: error.error for error in errors}
    return [
        _field(worded(question, role=role, places=places), answers=answers, typed=typed, faults=faults)
        for question in questions
    ]


@dataclass(frozen=True)
class Both:
    """One question of a page that was saved elsewhere: both answers in words. `together` is both texts, one after
    the other, for texts that differ; its control is a box of many lines."""

    name: str
    text: str
    ours: Sequence[str]
    theirs: Sequence[str]
    together: str | None


def both(questions: Sequence[Question], stale: Stale, *, role: str, places: Mapping[str, str]) -> list[Both]:
    """What was just sent beside what is stored, question by question."""
    return [
        Both(
            name=asked.code,
            text=asked.text,
            ours=display(asked, stale.ours),
            theirs=display(asked, stale.theirs),
            together=_together(asked, stale),
        )
        for asked in (worded(question, role=role, places=places) for question in questions)
        if asked.asks
    ]


def _together(asked: Question, stale: Stale) -> str | None:
    ours, theirs = stale.ours.get(asked.code), stale.theirs.get(asked.code)
    if asked.kind not in ("text", "long_text") or not ours or not theirs or ours == theirs:
        return None
    return f"{theirs}\n\n{ours}"


@dataclass(frozen=True)
class Told:
    """A page read back: each question with its answer in words, empty where there is none."""

    number: int
    title: str
    answers: Sequence[tuple[str, str]]


UNTOLD = "Answered. Prove that it is you, and you can read it."


def told(sitting: Sitting, *, places: Mapping[str, str], hidden: Collection[str] = ()) -> list[Told]:
    """The answers that count, page by page; of the hidden ones only that there is one."""
    return [
        Told(
            number,
            stop.title,
            [
                (
                    asked.text,
                    UNTOLD if asked.code in hidden else "\n".join(display(asked, sitting.answers)),
                )
                for asked in (worded(one, role=sitting.asking.role, places=places) for one in stop.questions)
                if asked.asks
            ],
        )
        for number, stop in enumerate(sitting.path.pages, start=1)
    ]


def anchors(errors: Sequence[Cleaned]) -> list[tuple[str, str]]:
    """The error summary: where each link leads, and what it says."""
    return [(error.input.replace(".", "-"), error.error or "") for error in errors]


def can_be_cleared(question: Question) -> bool:
    """Whether a button takes the answer back: only radios can't be unchosen by themselves."""
    return bool(question.listed()) and question.kind != "choices" and not question.required


def _field(
    question: Question, *, answers: Answers, typed: Posted | None, faults: Mapping[str, str | None]
) -> QuestionField:
    shown = _typed(question, typed) if typed is not None else _stored(question, answers)
    code = question.code
    parts = [f"{code}.{part}" for part in ("day", "month", "year")]
    return QuestionField(
        kind=question.kind,
        name=code,
        label=question.text,
        hint=question.hint,
        error=next((faults[name] for name in (code, *parts) if faults.get(name)), None),
        value=shown.get(code),
        items=[_item(question, option, shown, faults) for option in question.listed()],
        maxlength=getattr(question, "max_length", None) if question.kind == "long_text" else None,
        quote=shown.get(f"{code}.quote") == "yes" if f"{code}.quote" in question.companion_keys() else None,
        clears=can_be_cleared(question),
    )


def _item(
    question: Question, option: Any, shown: Mapping[str, Any], faults: Mapping[str, str | None]
) -> dict[str, Any]:
    item = {"value": option.code, "text": option.label, "apart": option.apart}
    if option.apart and question.kind == "choices":
        item["alone"] = True
    if option.detail:
        key = f"{question.code}.detail"
        item["detail"] = {
            "name": key.replace(".", "-"),
            "label": "Say what",
            "value": shown.get(key) or "",
            "error": faults.get(key),
        }
    return item


def _stored(question: Question, answers: Answers) -> dict[str, Any]:
    value = answers.get(question.code)
    shown: dict[str, Any] = {key: answers.get(key) for key in question.companion_keys()}
    if question.kind == "date" and isinstance(value, str):
        year, month, day = value.split("-")
        return {**shown, question.code: {"day": str(int(day)), "month": str(int(month)), "year": year}}
    return {**shown, question.code: value}


def _typed(question: Question, typed: Posted) -> dict[str, Any]:
    def last(key: str) -> str:
        return (list(typed.get(key, ())) or [""])[-1]

    shown: dict[str, Any] = {key: last(key) for key in question.companion_keys()}
    if question.kind == "date":
        parts = {part: last(f"{question.code}.{part}") for part in ("day", "month", "year")}
        return {**shown, question.code: parts}
    if question.kind == "choices":
        return {**shown, question.code: list(typed.get(question.code, ()))}
    return {**shown, question.code: last(question.code)}
