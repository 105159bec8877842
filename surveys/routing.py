"""The way through a questionnaire: a pure function of definition, answers and role.

It is never stored, and computed anew on each request. Next, back, progress, checking, sending,
counting and export all ask it, so they can't disagree. A question is on the path when the role is
asked it and its page's and its own show_if hold; a condition sees nothing but answers that are on
the path themselves, so a follow-up of a follow-up goes when the first does. What lies off the path
is left in the answers untouched, and counts again when the person switches back.

A page is done when each of its questions was shown and saved (its code is a key, even with None),
those required have an answer, and it isn't named under UNFINISHED.
"""

from dataclasses import dataclass, field

from surveys.questionnaires import Questionnaire
from surveys.questions import Answers, Question, Value, counted

UNFINISHED = "_unfinished"
"""The key, among the answers, of the codes of pages that were saved while somebody was still writing there."""


@dataclass(frozen=True)
class Stop:
    """A page on the path with the questions that are shown on it; at least one of them asks."""

    section: str
    code: str
    title: str
    intro: str
    questions: tuple[Question, ...]

    def done(self, answers: Answers) -> bool:
        if self.code in unfinished(answers):
            return False
        return all(
            question.code in answers and not (question.required and answers[question.code] is None)
            for question in self.questions
            if question.asks
        )


def unfinished(answers: Answers) -> list[str]:
    """The codes of pages that were saved while somebody was still writing there."""
    pages = answers.get(UNFINISHED)
    return pages if isinstance(pages, list) else []


@dataclass(frozen=True)
class Path:
    """The pages that one person sees, in order, and those of their answers that count."""

    pages: tuple[Stop, ...]
    counting: dict[str, Value] = field(default_factory=dict)


def path(questionnaire: Questionnaire, answers: Answers, *, role: str | None) -> Path:
    """One pass from the first question to the last: conditions look back only, so it always ends."""
    counting: dict[str, Value] = {}
    stops = []
    for section in questionnaire.sections:
        for page in section.pages:
            if page.show_if and not page.show_if.holds(counting):
                continue
            shown = tuple(
                question
                for question in page.questions
                if question.asked_of(role) and (question.show_if is None or question.show_if.holds(counting))
            )
            if any(question.asks for question in shown):
                stops.append(Stop(section.title, page.code, page.title, page.intro, shown))
                for question in shown:
                    counting.update(counted(question, answers))
    return Path(tuple(stops), counting)


def first_unanswered(path: Path, answers: Answers) -> int | None:
    """The index of the first page that isn't done, or None when all are."""
    return next((index for index, stop in enumerate(path.pages) if not stop.done(answers)), None)


def may_visit(path: Path, answers: Answers, page: int) -> bool:
    """Whether all pages before this one are done: a page someone answered, or the next."""
    first = first_unanswered(path, answers)
    return 0 <= page < len(path.pages) and (first is None or page <= first)


def progress(path: Path, answers: Answers) -> tuple[int, int]:
    """Pages done, and pages on the path as it is now; an answer may lengthen or shorten it."""
    return sum(stop.done(answers) for stop in path.pages), len(path.pages)


def missing(path: Path, answers: Answers) -> tuple[tuple[int, Question], ...]:
    """What must still be answered before the questionnaire can be sent, each with the index of its page."""
    return tuple(
        (index, question)
        for index, stop in enumerate(path.pages)
        for question in stop.questions
        if question.required and answers.get(question.code) is None
    )


def on_path(questionnaire: Questionnaire, answers: Answers, *, role: str | None) -> dict[str, Value]:
    """The answers that count and are exported; what was left empty has no key."""
    return path(questionnaire, answers, role=role).counting
