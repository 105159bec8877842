"""Tallies: how a question was answered, with the base of every figure.

    eligible    the wave was open to them
    asked       sent it, and the question was on their way through it
    answered    of them, who gave an answer; `declined` chose an option set apart (prefer not to say), `skipped` none

Who has begun and not sent it is among the eligible and in nothing else; so is who sent it and was never asked this
question.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from surveys.questions import Question, Value
from surveys.results import Read


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One option with how many chose it, of those who answered."""

    code: str
    label: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One question, counted; `options` is empty where answers are words, numbers or dates. `late` of those who
    answered sent it after the window had closed. `versions` are the numbers of those it was answered in."""

    question: Question
    eligible: int
    asked: int
    answered: int
    declined: int
    late: int
    options: Sequence[Counted]
    versions: Sequence[int]

    @property
    def skipped(self) -> int:
        return self.asked - self.answered - self.declined


def tally(reads: Iterable[tuple[Read, bool]], *, eligible: int) -> list[Tally]:
    """Every question that was asked, in the order and words of the newest version it stands in.

    Each read comes with whether it was late; nobody is in it twice for one occasion.
    """
    newest_last = sorted(reads, key=lambda pair: pair[0].published.number)
    found: dict[str, list[tuple[Read, bool]]] = {}
    questions: dict[str, Question] = {}
    for read, late in reversed(newest_last):
        for question in read.published.questionnaire.questions:
            if question.asks and question.code in read.asked:
                questions.setdefault(question.code, question)
                found.setdefault(question.code, []).append((read, late))
    return [_tally(questions[code], found[code], eligible) for code in _in_order(newest_last, found)]


def _in_order(newest_last: Sequence[tuple[Read, bool]], asked: Iterable[str]) -> list[str]:
    order = {
        question.code: place
        for read, _ in newest_last
        for place, question in enumerate(read.published.questionnaire.questions)
    }
    return sorted(asked, key=order.__getitem__)


def _tally(question: Question, reads: Sequence[tuple[Read, bool]], eligible: int) -> Tally:
    given = [(chosen, late) for read, late in reads if (chosen := _chosen(read, question))]
    apart = {option.code for option in question.listed() if option.apart}
    told = [(chosen, late) for chosen, late in given if not apart.issuperset(chosen)]
    counts = Counter(code for chosen, _ in given for code in set(chosen))
    return Tally(
        question=question,
        eligible=eligible,
        asked=len(reads),
        answered=len(told),
        declined=len(given) - len(told),
        late=sum(late for _, late in told),
        options=[
            Counted(code=option.code, label=option.label, count=counts[option.code])
            for option in question.listed()
        ],
        versions=sorted({read.published.number for read, _ in reads}),
    )


def _chosen(read: Read, question: Question) -> list[str]:
    """The codes of what was chosen; for words, numbers and dates one entry that says only that there is some."""
    value: Value | None = read.answers.get(question.code)
    if value is None:
        return []
    if not question.listed():
        return [""]
    return [str(code) for code in value] if isinstance(value, list) else [str(value)]
