"""Conditions under which a question or a page is shown, each on answers to earlier questions.

Written as data: `{question: code, is: option}`, `{question: code, is_in: [option, ...]}`,
`{question: code, answered: true}`, `{all: [...]}`, `{any: [...]}`, `{not: {...}}`. On a question
with several choices, `is` asks whether the option is among the chosen. A question that was left
empty, or not asked, makes `is`, `is_in` and `answered` false.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from surveys.documents import Fault


class Condition(ABC):
    """True or false of a person's answers so far."""

    @abstractmethod
    def holds(self, answers: Mapping[str, object]) -> bool:
        """`answers` must hold nothing but on-path answers to earlier questions."""

    @abstractmethod
    def leaves(self) -> Iterator["Is | Answered"]:
        """The questions asked about, with the options named."""

    @abstractmethod
    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        """The condition as it is written; `own` holds its fields, already plain."""

    @classmethod
    def from_data(cls, data: object, *, place: str, faults: list[Fault]) -> "Condition | None":
        match data:
            case {"question": str(code), "is": str(option), **rest} if not rest:
                return Is(code, (option,))
            case {"question": str(code), "is_in": [_, *_] as options, **rest} if not rest and _texts(options):
                return Is(code, tuple(options))
            case {"question": str(code), "answered": True, **rest} if not rest:
                return Answered(code)
            case {"all": [_, *_] as parts, **rest} if not rest:
                return Every(_parts(parts, place=place, faults=faults))
            case {"any": [_, *_] as parts, **rest} if not rest:
                return Some(_parts(parts, place=place, faults=faults))
            case {"not": part, **rest} if not rest:
                inner = Condition.from_data(part, place=place, faults=faults)
                return Not(inner) if inner else None
        faults.append(
            Fault(place, "show_if must be a question with is, is_in or answered: true, or all, any or not")
        )
        return None


def _texts(items: list[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _parts(parts: list[object], *, place: str, faults: list[Fault]) -> tuple[Condition, ...]:
    read = (Condition.from_data(part, place=place, faults=faults) for part in parts)
    return tuple(part for part in read if part)


@dataclass(frozen=True)
class Is(Condition):
    question: str
    options: tuple[str, ...]

    def holds(self, answers: Mapping[str, object]) -> bool:
        value = answers.get(self.question)
        if isinstance(value, list):
            return any(option in value for option in self.options)
        return value in self.options

    def leaves(self) -> Iterator["Is | Answered"]:
        yield self

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        if len(self.options) == 1:
            return {"question": self.question, "is": self.options[0]}
        return {"question": self.question, "is_in": list(self.options)}


@dataclass(frozen=True)
class Answered(Condition):
    question: str
    options: ClassVar[tuple[str, ...]] = ()

    def holds(self, answers: Mapping[str, object]) -> bool:
        return answers.get(self.question) is not None

    def leaves(self) -> Iterator["Is | Answered"]:
        yield self

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        return own | {"answered": True}


@dataclass(frozen=True)
class _Joined(Condition):
    parts: tuple[Condition, ...]

    def leaves(self) -> Iterator[Is | Answered]:
        for part in self.parts:
            yield from part.leaves()


class Every(_Joined):
    def holds(self, answers: Mapping[str, object]) -> bool:
        return all(part.holds(answers) for part in self.parts)

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        return {"all": own["parts"]}


class Some(_Joined):
    def holds(self, answers: Mapping[str, object]) -> bool:
        return any(part.holds(answers) for part in self.parts)

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        return {"any": own["parts"]}


@dataclass(frozen=True)
class Not(Condition):
    part: Condition

    def holds(self, answers: Mapping[str, object]) -> bool:
        return not self.part.holds(answers)

    def leaves(self) -> Iterator[Is | Answered]:
        yield from self.part.leaves()

    def to_data(self, own: dict[str, Any]) -> dict[str, Any]:
        return {"not": own["part"]}
