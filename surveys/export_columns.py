"""The columns of an export: what each question becomes, and the cell that an answer makes.

    q            the answer: an option's code, a text, a number or a date; none for several choices
    q.option     several choices: 1 ticked, 0 not ticked, one column for each option
    q.detail     what was written at "other, say what"
    q.quote      1 if the text may be quoted without a name, else 0
    q.score      the score of the chosen option

Columns of all versions, and of all questionnaires in one export, are united by code: what one of them lacks was
not asked there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from surveys.kinds import Choice, Choices
from surveys.questions import Question, Value
from surveys.versions import Published


class Missing(StrEnum):
    """Why there is no answer. The brackets keep these apart from every option's code."""

    NOT_ASKED = "[not asked]"
    NOT_ANSWERED = "[not answered]"
    PREFER_NOT = "[prefer not to say]"

    @property
    def words(self) -> str:
        """As a label."""
        return self.value.strip("[]").capitalize()

    @property
    def word(self) -> str:
        """As a machine reads it."""
        return self.value.strip("[]").replace(" ", "_")


Cell: TypeAlias = str | int | float | date | Missing | None
"""None is an empty cell: the answer has no score, or the response was withdrawn."""


class Part(StrEnum):
    """What a column holds of a question."""

    ANSWER = "answer"
    OPTION = "option"
    DETAIL = "detail"
    QUOTE = "quote"
    SCORE = "score"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `heading` is its name in the file, `option` the option's code where it stands for one."""

    question: str
    part: Part
    option: str = ""
    heading: str = ""


def columns(versions: Iterable[Published], *, taken: Collection[str]) -> tuple[Column, ...]:
    """The columns of these versions, each once, in the order in which they are asked.

    A heading that is taken, such as that of a question called `wave`, ends in what the column holds.
    """
    found: dict[Column, None] = {}
    for version in versions:
        for question in version.questionnaire.questions:
            found.update(dict.fromkeys(_of(question)))
    used = set(taken)
    named = []
    for column in found:
        heading = ".".join(filter(None, (column.question, _suffix(column))))
        while heading in used:
            heading = f"{heading}.{column.part}"
        used.add(heading)
        named.append(
            Column(question=column.question, part=column.part, option=column.option, heading=heading)
        )
    return tuple(named)


def _suffix(column: Column) -> str:
    match column.part:
        case Part.ANSWER:
            return ""
        case Part.OPTION:
            return column.option
    return column.part.value


def _of(question: Question) -> Iterator[Column]:
    """The columns of one question, without their headings; none for a text to read."""
    if not question.asks:
        return
    if isinstance(question, Choices):
        for option in question.listed():
            yield Column(question=question.code, part=Part.OPTION, option=option.code)
    else:
        yield Column(question=question.code, part=Part.ANSWER)
    for key in question.companion_keys():
        yield Column(question=question.code, part=Part(key.rpartition(".")[2]))
    if isinstance(question, Choice) and any(option.score is not None for option in question.listed()):
        yield Column(question=question.code, part=Part.SCORE)


def stands_for(column: Column, question: Question) -> bool:
    """Whether the question, as one version asks it, has this column."""
    match column.part:
        case Part.ANSWER:
            return question.asks and not isinstance(question, Choices)
        case Part.OPTION:
            return isinstance(question, Choices) and column.option in question.codes()
        case Part.SCORE:
            return isinstance(question, Choice) and any(one.score is not None for one in question.listed())
    return f"{column.question}.{column.part}" in question.companion_keys()


def cell(column: Column, question: Question | None, answers: Mapping[str, Value]) -> Cell:
    """The cell of one response; `question` is None where it was not asked."""
    if question is None or not stands_for(column, question):
        return Missing.NOT_ASKED
    value = answers.get(question.code)
    if column.part is Part.DETAIL and not question.counts(f"{question.code}.detail", answers):
        # The box opens with its option: whoever did not choose that was not asked.
        return Missing.NOT_ASKED
    if value is None:
        return Missing.NOT_ANSWERED
    if prefers_not(question, value) and column.option not in _chosen(value):
        return Missing.PREFER_NOT
    return _given(column, question, value, answers)


def _given(column: Column, question: Question, value: Value, answers: Mapping[str, Value]) -> Cell:
    match column.part:
        case Part.OPTION:
            return int(column.option in _chosen(value))
        case Part.QUOTE:
            return int(f"{question.code}.quote" in answers)
        case Part.SCORE:
            return question.score(value)
        case Part.DETAIL:
            detail = answers.get(f"{question.code}.detail")
            return Missing.NOT_ANSWERED if detail is None else str(detail)
    if question.kind == "date":
        return date.fromisoformat(str(value))
    return value if isinstance(value, int) else str(value)


def label(column: Column, question: Question | None, found: Cell) -> Cell:
    """A cell in words: an option's label, Yes or No for a box; texts, numbers and dates as they are."""
    if isinstance(found, Missing):
        return found.words
    if found is None or question is None:
        return found
    match column.part:
        case Part.OPTION | Part.QUOTE:
            return "Yes" if found else "No"
        case Part.ANSWER if question.listed():
            return question.lines(str(found))[0]
    return found


def prefers_not(question: Question, value: Value) -> bool:
    """Whether somebody chose not to say: the option that stands apart and whose code begins with prefer_not."""
    return any(
        option.apart and option.code.startswith("prefer_not") and option.code in _chosen(value)
        for option in question.listed()
    )


def _chosen(value: Value) -> list[str]:
    return value if isinstance(value, list) else [str(value)]
