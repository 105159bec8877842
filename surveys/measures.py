"""Measures: what waves share, so that one person's answers can be compared.

A measure is carried by exactly one question of a questionnaire; its score is the score of the
chosen option. There is no composite: `role_confidence` is the overall statement, asked first in both
waves and the base of the KPI (sch 4), and every other statement is a measure of its own.
"""

from collections.abc import Iterator

from surveys.documents import Fault
from surveys.questionnaires import ROLES, Page, Questionnaire
from surveys.questions import Answers, Question
from surveys.routing import on_path

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


def paired_measures(baseline: Questionnaire, post: Questionnaire) -> list[Fault]:
    """Where a measure that both share is not asked the same way: wording for each role, with its page's
    title and intro, options, their order, their scores. A difference would pass for a change in people."""
    before = {measure: (page, question) for measure, page, question in baseline.measured()}
    after = {measure: (page, question) for measure, page, question in post.measured()}
    shared = [measure for measure in before if measure in after]
    if not shared:
        return [Fault(post.code, f"shares no measure with {baseline.code}")]
    return [
        Fault(f"{baseline.code} and {post.code} > {measure}", message)
        for measure in shared
        for message in _differences(*before[measure], *after[measure])
    ]


def _differences(page: Page, question: Question, other_page: Page, other: Question) -> Iterator[str]:
    if (page.title, page.intro) != (other_page.title, other_page.intro):
        yield "stands on pages with different titles or intros"
    if question.kind != other.kind:
        yield f"is {question.kind} in one and {other.kind} in the other"
    for role in ROLES:
        if question.asked_of(role) != other.asked_of(role):
            yield f"is asked of {role} in one only"
        elif (question.wording(role), question.hint) != (other.wording(role), other.hint):
            yield f"differs in wording for {role}"
    if question.listed() != other.listed():
        yield "differs in its options, their order, labels or scores"
