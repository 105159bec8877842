"""A question: what all kinds share, and the way from what was posted to an answer, a line to read, a cell.
The kinds themselves are in surveys/kinds.py.

An answer is plain JSON: an option's code, a list of codes in the order of the options, a text, a
whole number, or a date as "2023-03-03". None stands for a question that was shown and left empty.
Beside the answer itself, under keys of their own, stand at most two companions:
`<code>.detail` is what somebody wrote at "other, say what", and `<code>.quote` is "yes" where the
text may be quoted without a name. A date is posted as `<code>.day`, `<code>.month`, `<code>.year`.

One rule counts the length of a text: its Unicode code points after CRLF and CR became LF. In the
browser that is `[...text].length` of a text box's value. Nothing is trimmed.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from surveys.conditions import Condition
from surveys.documents import Fault, read

Value: TypeAlias = str | int | list[str]
Answers: TypeAlias = Mapping[str, Value | None]
Posted: TypeAlias = Mapping[str, Sequence[str]]

DETAIL_LENGTH = 300
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
KINDS: dict[str, type["Question"]] = {}
"""Every kind by the name it has in a definition; each enters itself when it is defined."""


class Unclear(ValueError):
    """What was posted can't be taken as an answer; `input` names the one that the message belongs to."""

    def __init__(self, message: str, *, input: str) -> None:
        self.input = input
        super().__init__(message)


@dataclass(frozen=True)
class Cleaned:
    """What a person posted to one question: `stored` to save, or an `error` beside the input of that name."""

    value: Value | None = None
    error: str | None = None
    input: str = ""
    stored: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One listed answer. `detail` opens a box to say what. `apart` sets it off from the others by
    "or" (prefer not to say, none of these): it has no score and can't be ticked beside another."""

    code: str
    label: str
    score: int | float | None = None
    detail: bool = False
    apart: bool = False


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """What all kinds share. `text_for` holds the wording for a role whose job differs. `error` is
    what to say when a required answer is missing; {text} in it stands for the wording, led by a
    small letter. An empty audience is everybody. `differs` is why a measure is asked in another way than in
    another wave; it then stands under every figure that compares the two."""

    kind: ClassVar[str]
    asks: ClassVar[bool] = True
    seconds: ClassVar[int]
    """How long it takes an average leader to answer, for estimates of time."""
    missing: ClassVar[str] = "Write an answer to"

    code: str
    text: str
    text_for: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    error: str = ""
    measure: str | None = None
    required: bool = False
    show_if: Condition | None = None
    audience: frozenset[str] = frozenset()
    differs: str = ""

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            KINDS[cls.kind] = cls

    @classmethod
    def from_data(cls, data: object, *, place: str, faults: list[Fault]) -> "Question | None":
        match data:
            case {"kind": str(kind), **rest} if kind in KINDS:
                return read(KINDS[kind], rest, place=place, faults=faults)
        faults.append(Fault(place, f"kind must be one of {', '.join(KINDS)}"))
        return None

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        return {"kind": self.kind} | own

    def asked_of(self, role: str | None) -> bool:
        return not self.audience or role in self.audience

    def wording(self, role: str | None) -> str:
        return self.text_for.get(role or "", self.text)

    @property
    def named(self) -> str:
        """The question as a message names it."""
        return f"‘{self.text.rstrip(_END)}’"

    def what_is_missing(self) -> str:
        """The message when a required answer was not given."""
        if self.error:
            return self.error.replace("{text}", _lead_small(self.text.rstrip(_END)))
        return f"{self.missing} {self.named}"

    @abstractmethod
    def read(self, posted: Posted) -> Value | None:
        """The answer, or None when nothing was given. Raises Unclear."""

    def companion_keys(self) -> tuple[str, ...]:
        """The keys beside the answer itself."""
        return ()

    def read_companion(self, key: str, posted: Posted) -> str | None:
        """What was given beside the answer. Raises Unclear."""
        return None

    def counts(self, key: str, answers: Answers) -> bool:
        """Whether a companion stands beside the answer that it belongs to."""
        return answers.get(self.code) is not None

    def listed(self) -> tuple[Option, ...]:
        """The listed answers, where there are any."""
        return ()

    def situations(self, named: set[str]) -> list[Value | None]:
        """Answers, enough to try every condition that names these of its options."""
        return [None, ""]

    def faults(self) -> Iterator[str]:
        """What makes this kind of question unusable, beside what `check` finds in all kinds."""
        if self.measure:
            yield f"has a measure, but {self.kind} has no scores"

    def score(self, value: Value | None) -> int | float | None:
        return None

    def lines(self, value: Value) -> list[str]:
        """The answer in words, for reading back."""
        return [str(value)]

    def columns(self) -> tuple[str, ...]:
        """The names of the columns in an export."""
        return (self.code,)

    def cells(self, value: Value) -> tuple[str | int, ...]:
        """One value for each of `columns`."""
        assert not isinstance(value, list)
        return (value,)

    def single(self, posted: Posted, key: str) -> str:
        values = posted.get(key, ())
        if len(values) > 1:
            raise Unclear(f"Give one answer to {self.named}, not {len(values)}", input=key)
        return self.sound(values[0], key) if values else ""

    def sound(self, text: str, key: str) -> str:
        if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
            message = f"{self.named} has a character in it that can't be saved. Delete it and write it again"
            raise Unclear(message, input=key)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def written(self, posted: Posted, key: str, *, limit: int) -> str | None:
        text = self.single(posted, key)
        if len(text) > limit:
            message = f"{self.named} must be {limit:,} characters or fewer. You have written {len(text):,}"
            raise Unclear(message, input=key)
        return None if blank(text) else text


def clean(question: Question, raw: Posted) -> Cleaned:
    """What was posted, as an answer to store or as a message for the person.

    `stored` has a key for the answer and for each companion, None where nothing was given: that the
    question was shown and left empty is worth knowing.
    """
    try:
        value = question.read(raw)
        companions = {key: question.read_companion(key, raw) for key in question.companion_keys()}
    except Unclear as unclear:
        return Cleaned(error=str(unclear), input=unclear.input)
    if value is None and question.required:
        first = f"{question.code}.day" if question.kind == "date" else question.code
        return Cleaned(error=question.what_is_missing(), input=first)
    return Cleaned(value=value, stored={question.code: value, **companions} if question.asks else {})


def counted(question: Question, answers: Answers) -> Iterator[tuple[str, Value]]:
    """The answer and the companions that count beside it, by key; nothing where it was left empty."""
    value = answers.get(question.code)
    if value is not None:
        yield question.code, value
        for key in question.companion_keys():
            companion = answers.get(key)
            if companion is not None and question.counts(key, answers):
                yield key, companion


def display(question: Question, answers: Answers) -> list[str]:
    """The answer in words, a line for each choice, then what was written at "other"; none without one."""
    value = answers.get(question.code)
    if value is None:
        return []
    detail = dict(counted(question, answers)).get(f"{question.code}.detail")
    return question.lines(value) + ([str(detail)] if detail else [])


def export(question: Question, answers: Answers) -> dict[str, Value | None]:
    """One entry for each column, None where the question was left empty; several choices as 0 and 1."""
    present = dict(counted(question, answers))
    value = present.get(question.code)
    columns = question.columns()
    cells = question.cells(value) if value is not None else [None] * len(columns)
    companions = {key: present.get(key) for key in question.companion_keys()}
    return dict(zip(columns, cells, strict=True)) | companions


def worded(question: Question, *, role: str | None, places: Mapping[str, str]) -> Question:
    """The question as this person reads it: the wording of their role, placeholders filled in."""
    changes: dict[str, Any] = {
        "text": fill(question.wording(role), places),
        "text_for": {},
        "hint": fill(question.hint, places),
        "error": fill(question.error, {**places, "text": "{text}"}),
    }
    return replace(question, **changes)


def fill(text: str, places: Mapping[str, str]) -> str:
    """The text with its placeholders filled in. What is filled in is not read again."""
    return re.sub(r"\{(\w+)\}", lambda found: places[found[1]], text) if "{" in text else text


def blank(text: str) -> bool:
    """Whether nothing in the text can be seen: spaces, tabs, zero-width and other invisible characters."""
    return all(unicodedata.category(letter) in _UNSEEN or letter in _FILLERS for letter in text)


_END = "?:. "
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe0e\ufe0f"


def _lead_small(text: str) -> str:
    """The text led by a small letter, unless it begins with an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
