"""One respondent's own answers before and after, statement by statement. It is for themselves; figures are made
elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from surveys.models import ResponseState, Wave
from surveys.questions import Question, display, worded
from surveys.sittings import ONCE, Asking, Sitting, read_back


@dataclass(frozen=True, kw_only=True)
class Point:
    """One answer on a scale: its words, and where it stands between the lowest score (0) and the highest (1).

    `place` is None for an answer that has no score.
    """

    words: str
    score: int | float | None
    place: float | None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement asked in both waves, with both answers; `ends` are the words for the lowest and the highest."""

    text: str
    before: Point
    after: Point
    ends: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Both waves side by side, and when each was sent."""

    before_at: datetime
    after_at: datetime
    statements: Sequence[Statement]


def compare(db: Session, *, respondent_id: UUID, role: str, places: Mapping[str, str]) -> Compared | None:
    """The statements that both waves share, in the order of the later one; None until both were sent.

    What was withdrawn counts as not sent.
    """
    before, after = (
        _sent(db, Asking(respondent_id=respondent_id, wave=wave, occasion=ONCE, role=role))
        for wave in (Wave.BASELINE, Wave.POST)
    )
    if before is None or after is None:
        return None
    (earlier, before_at), (later, after_at) = before, after
    known = _measured(earlier)
    return Compared(
        before_at=before_at,
        after_at=after_at,
        statements=[
            Statement(
                text=worded(question, role=role, places=places).text,
                before=_point(known[measure], earlier),
                after=_point(question, later),
                ends=_ends(question),
            )
            for measure, question in _measured(later).items()
            if measure in known
        ],
    )


def _sent(db: Session, asking: Asking) -> tuple[Sitting, datetime] | None:
    sitting = read_back(db, asking)
    if sitting is None or sitting.response is None or sitting.response.state is not ResponseState.SUBMITTED:
        return None
    return sitting, sitting.response.submitted_at or sitting.response.saved_at


def _ends(question: Question) -> tuple[str, str]:
    scored = sorted(
        (option for option in question.listed() if option.score is not None), key=lambda one: one.score or 0
    )
    return scored[0].label, scored[-1].label


def _measured(sitting: Sitting) -> dict[str, Question]:
    asked = {question.code for stop in sitting.path.pages for question in stop.questions}
    return {
        measure: question
        for measure, _, question in sitting.published.questionnaire.measured()
        if question.code in asked
    }


def _point(question: Question, sitting: Sitting) -> Point:
    counting = sitting.path.counting
    score = question.score(counting.get(question.code))
    scores = [option.score for option in question.listed() if option.score is not None]
    low, high = min(scores), max(scores)
    return Point(
        words=" ".join(display(question, counting)) or "Not answered",
        score=score,
        place=(score - low) / (high - low) if score is not None and high > low else None,
    )
