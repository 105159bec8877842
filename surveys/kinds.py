"""The kinds of question, each with an answer of its own shape."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

from surveys.questions import CODE, DETAIL_LENGTH, Answers, Option, Posted, Question, Unclear, Value, blank

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


SCORE_AT_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Information(Question):
    """A text to read between questions; it takes no answer."""

    kind = "information"
    asks = False
    seconds = 5

    def read(self, posted: Posted) -> Value | None:
        return None

    def columns(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class Listed(Question):
    """A question answered from listed options; answers hold codes, so labels may be corrected."""

    missing = "Choose an answer to"
    options: tuple[Option, ...]

    def option(self, code: object) -> Option | None:
        return next((option for option in self.options if option.code == code), None)

    def listed(self) -> tuple[Option, ...]:
        return self.options

    def codes(self) -> tuple[str, ...]:
        return tuple(option.code for option in self.options)

    def situations(self, named: set[str]) -> list[Value | None]:
        return [None, *named, *set(self.codes()) - named]

    def faults(self) -> Iterator[str]:
        labels = [option.label for option in self.options]
        if len(labels) < 2:
            yield "has fewer than two options"
        if len(set(self.codes())) < len(labels) or len(set(labels)) < len(labels):
            yield "has two options with the same code or label"
        for option in self.options:
            if not CODE.fullmatch(option.code):
                yield f"the option {option.code} must be small letters, digits and _, led by a letter"
            if blank(option.label) or len(option.label) > 100 or set(option.label) & set("{}"):
                yield f"the label of {option.code} must be 1 to 100 characters without braces"
            if option.score is not None and not (
                abs(option.score) <= SCORE_AT_MOST and round(option.score, 6) == option.score
            ):
                yield f"the score of {option.code} must be a plain number, {SCORE_AT_MOST:,} at most"
            if option.apart and option.score is not None:
                yield f"{option.code} stands apart, so it can't have a score"
        if sum(option.detail for option in self.options) > 1:
            yield "has more than one option with detail"

    def companion_keys(self) -> tuple[str, ...]:
        return (f"{self.code}.detail",) if self._takes_detail else ()

    @cached_property
    def _takes_detail(self) -> bool:
        return any(option.detail for option in self.options)

    def read_companion(self, key: str, posted: Posted) -> str | None:
        return self.written(posted, key, limit=DETAIL_LENGTH)

    def counts(self, key: str, answers: Answers) -> bool:
        value = answers.get(self.code)
        chosen = value if isinstance(value, list) else [value]
        return any(option.detail and option.code in chosen for option in self.options)

    def lines(self, value: Value) -> list[str]:
        chosen = value if isinstance(value, list) else [value]
        return [option.label for option in self.options if option.code in chosen]

    def _listed(self, code: str) -> str:
        if self.option(code) is None:
            raise Unclear(f"Choose one of the listed answers to {self.named}", input=self.code)
        return code


@dataclass(frozen=True, kw_only=True)
class Choice(Listed):
    kind = "choice"
    seconds = 20

    def read(self, posted: Posted) -> Value | None:
        code = self.single(posted, self.code)
        return self._listed(code) if code else None

    def score(self, value: Value | None) -> int | float | None:
        option = self.option(value)
        return option.score if option else None

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        scores = [option.score for option in self.options if not option.apart]
        if self.measure and None in scores:
            yield "has a measure, but an option without a score"


@dataclass(frozen=True, kw_only=True)
class Scale(Choice):
    """A statement rated on labelled points, each with a score."""

    kind = "scale"
    seconds = 7

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        scores = [option.score for option in self.options if not option.apart]
        if None in scores or len(set(scores)) < max(2, len(scores)):
            yield "must have two points or more, each with a score of its own"


@dataclass(frozen=True, kw_only=True)
class YesNo(Choice):
    kind = "yes_no"
    seconds = 10
    options: tuple[Option, ...] = (Option(code="yes", label="Yes"), Option(code="no", label="No"))

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if self.codes() != ("yes", "no"):
            yield "has options other than yes and no: make it a choice"


@dataclass(frozen=True, kw_only=True)
class Choices(Listed):
    kind = "choices"
    missing = "Choose at least one answer to"
    seconds = 20

    def read(self, posted: Posted) -> Value | None:
        codes = {self._listed(self.sound(code, self.code)) for code in posted.get(self.code, ()) if code}
        apart = next((option for option in self.options if option.apart and option.code in codes), None)
        if apart and len(codes) > 1:
            message = f"Choose either ‘{apart.label}’ or other answers to {self.named}"
            raise Unclear(message, input=self.code)
        return [option.code for option in self.options if option.code in codes] or None

    def situations(self, named: set[str]) -> list[Value | None]:
        apart = {option.code for option in self.options if option.apart}
        sizes = range(min(len(named), 10) + 1)
        several = (list(chosen) for size in sizes for chosen in combinations(sorted(named), size))
        return [None, *(chosen for chosen in several if len(chosen) < 2 or not apart & set(chosen))]

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if self.measure:
            yield "has a measure, but several choices have no one score"

    def columns(self) -> tuple[str, ...]:
        return tuple(f"{self.code}.{option.code}" for option in self.options)

    def cells(self, value: Value) -> tuple[str | int, ...]:
        assert isinstance(value, list)
        return tuple(int(option.code in value) for option in self.options)


@dataclass(frozen=True, kw_only=True)
class Text(Question):
    """A short text, one line: a line break in it becomes a space."""

    kind = "text"
    seconds = 20
    max_length: int = 300
    quote_consent: bool = False

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if not 1 <= self.max_length <= 10_000:
            yield "max_length must be between 1 and 10,000"

    def read(self, posted: Posted) -> Value | None:
        text = self.written(posted, self.code, limit=self.max_length)
        return text.replace("\n", " ") if text else None

    def companion_keys(self) -> tuple[str, ...]:
        return (f"{self.code}.quote",) if self.quote_consent else ()

    def read_companion(self, key: str, posted: Posted) -> str | None:
        return "yes" if self.single(posted, key) == "yes" else None


@dataclass(frozen=True, kw_only=True)
class LongText(Text):
    kind = "long_text"
    seconds = 60
    max_length: int = 4000

    def read(self, posted: Posted) -> Value | None:
        return self.written(posted, self.code, limit=self.max_length)


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A whole number; "1,200" and a true minus sign are understood."""

    kind = "number"
    missing = "Enter a number for"
    seconds = 10
    min: int = 0
    max: int = 1_000_000

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if self.min > self.max:
            yield "has a min above its max"

    def read(self, posted: Posted) -> Value | None:
        text = self.single(posted, self.code)
        if blank(text):
            return None
        digits = re.sub(r"[\s,]", "", text).replace("−", "-")
        if not re.fullmatch(r"[+-]?[0-9]{1,15}", digits):
            raise Unclear(f"{self.named} must be a whole number, like 12", input=self.code)
        if not self.min <= int(digits) <= self.max:
            raise Unclear(f"{self.named} must be between {self.min:,} and {self.max:,}", input=self.code)
        return int(digits)


@dataclass(frozen=True, kw_only=True)
class Date(Question):
    """A day, as three inputs; the month may be a number or an English name. It has no time zone."""

    kind = "date"
    missing = "Enter a date for"
    seconds = 15

    def read(self, posted: Posted) -> Value | None:
        parts = {part: self.single(posted, f"{self.code}.{part}").strip() for part in _LIMITS}
        empty = [part for part, text in parts.items() if blank(text)]
        if len(empty) == len(parts):
            return None
        if empty:
            message = f"{self.named} must have a {' and a '.join(empty)}"
            raise Unclear(message, input=f"{self.code}.{empty[0]}")
        numbers = {part: _month(text) if part == "month" else _number(text) for part, text in parts.items()}
        wrong = [part for part, (low, high) in _LIMITS.items() if not low <= numbers[part] <= high]
        try:
            if not wrong:
                return date(**numbers).isoformat()
        except ValueError:
            wrong = ["day"]
        raise Unclear(f"{self.named} must be a real date, like 3 March 2023", input=f"{self.code}.{wrong[0]}")

    def lines(self, value: Value) -> list[str]:
        day = date.fromisoformat(str(value))
        return [f"{day.day} {MONTHS[day.month - 1]} {day.year}"]


_LIMITS = {"day": (1, 31), "month": (1, 12), "year": (1900, 2100)}


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0


def _month(text: str) -> int:
    """The number of a month given as a number, a name or the first letters of one (three or more); else 0."""
    name = text.casefold().rstrip(".")
    starts = (number for number, month in enumerate(MONTHS, 1) if month.casefold().startswith(name))
    return next(starts, 0) if len(name) > 2 else _number(text)
