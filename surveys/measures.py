"""Measures: what waves share, so that one person's answers can be compared.

A measure is carried by exactly one question of a questionnaire; its score is the score of the
chosen option. There is no composite: `role_confidence` is the overall statement, asked first in both
waves and the base of the KPI (sch 4), and every other statement is a measure of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from surveys.documents import Fault
from surveys.questions import Answers, Question
from surveys.routing import on_path
from surveys.structure import ROLES, Page, Questionnaire

ROLE_CONFIDENCE = "role_confidence"


def scores(
    questionnaire: Questionnaire, answers: Answers, *, role: str | None
) -> dict[str, int | float | None]:
    """The score on each measure; None where the question was off the path, left empty or answered
    with an option that stands apart (prefer not to say)."""
    counting = on_path(questionnaire, answers, role=role)
    return {
        measure: question.score(counting.get(question.code))
        for measure, _, question in questionnaire.measured()
    }


def score(
    questionnaire: Questionnaire, answers: Answers, *, measure: str, role: str | None
) -> int | float | None:
    """The score on one measure, as in `scores`. A measure that the questionnaire lacks raises KeyError."""
    return scores(questionnaire, answers, role=role)[measure]


@dataclass(frozen=True)
class Unlike:
    """A measure that two questionnaires ask in different ways, and the reason that one of them gives."""

    measure: str
    question: str
    ways: tuple[str, ...]
    reason: str


def unlike(one: Questionnaire, other: Questionnaire) -> list[Unlike]:
    """Where a measure that both share is not asked the same way: wording for each role, with its page's
    title and intro, options, their order, their scores. A difference may pass for a change in people, so it
    needs a reason. `question` is the code of the question in `one`."""
    theirs = {measure: (page, question) for measure, page, question in other.measured()}
    roles = [role for role in ROLES if one.asks(role) and other.asks(role)]
    found = []
    for measure, page, question in one.measured():
        if measure in theirs:
            ways = tuple(_ways(page, question, *theirs[measure], roles=roles))
            if ways:
                reason = question.differs or theirs[measure][1].differs
                found.append(Unlike(measure, question.code, ways, reason))
    return found


def unexplained(one: Questionnaire, other: Questionnaire) -> list[Fault]:
    """The differences for which neither gives a reason, each with its place in `one`."""
    return [
        Fault(
            one.trail(found.question),
            f"the measure {found.measure} {way}, unlike in {other.code}. Ask it the same way, or say why not "
            "with differs",
        )
        for found in unlike(one, other)
        if not found.reason
        for way in found.ways
    ]


def paired_measures(baseline: Questionnaire, post: Questionnaire) -> list[Fault]:
    """What stops two waves from being compared (sch 4 KPIs): no measure in common, or an unexplained
    difference. Places are those in `baseline`."""
    shared = {measure for measure, _, _ in baseline.measured()} & {m for m, _, _ in post.measured()}
    if not shared:
        return [Fault(baseline.code, f"shares no measure with {post.code}")]
    return unexplained(baseline, post)


def _ways(
    page: Page, question: Question, other_page: Page, other: Question, *, roles: list[str]
) -> Iterator[str]:
    if (page.title, page.intro) != (other_page.title, other_page.intro):
        yield "stands on pages with different titles or intros"
    if question.kind != other.kind:
        yield f"is {question.kind} in one and {other.kind} in the other"
    for role in roles:
        if question.asked_of(role) != other.asked_of(role):
            yield f"is asked of {role} in one only"
        elif (question.wording(role), question.hint) != (other.wording(role), other.hint):
            yield f"differs in wording for {role}"
    if question.listed() != other.listed():
        yield "differs in its options, their order, labels or scores"
