"""After sending: a response is opened again and sent again, or withdrawn.

    SUBMITTED --withdraw--> WITHDRAWN
    SUBMITTED, WITHDRAWN --reopen--> the same, open for a correction --send_again--> SUBMITTED

What was sent goes on counting while a correction is written. When the correction is sent, what was said before,
with the judgement on it, stands beside it in `response_past`, and the newest counts. Each has its own moment: who
corrects what they said says it now, also where it was said on paper at first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work
from surveys.drafts import STILL_OPEN, met_its_row, new_revision, sealed_answers
from surveys.models import SENT, Response, ResponsePast, ResponseState
from surveys.questions import Value
from surveys.sittings import Asking, Opened


class NotSent(Exception):
    """There is no response that was sent, or it is withdrawn already."""


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What was sent before a correction."""

    submitted_at: datetime
    answers: Mapping[str, Value | None]


def reopen(work: Work, asking: Asking, *, asked: bool) -> None:
    """Open a response that was sent for a correction; it begins with what was said. Opening it again changes
    nothing. `asked`: its respondent wished it. Raises NotSent."""
    response = _locked(work.db, asking)
    if response is None or response.state not in SENT:
        raise NotSent
    if response.reopened_at is None:
        response.draft = response.answers
        response.reopened_at = work.now
        response.revision = new_revision()
        work.record(
            Action.RESPONSE_REOPENED,
            object=f"response:{response.id}",
            holder=response.respondent_id,
            asked=asked,
        )


def withdraw(work: Work, asking: Asking) -> None:
    """Take back what was sent: it is in no figure from then on, and a correction of it ends.

    Raises NotSent.
    """
    response = _locked(work.db, asking)
    if response is None or response.state is not ResponseState.SUBMITTED:
        raise NotSent
    response.state, response.withdrawn_at = ResponseState.WITHDRAWN, work.now
    response.reopened_at = response.draft = None
    work.record(
        Action.RESPONSE_WITHDRAWN,
        object=f"response:{response.id}",
        holder=response.respondent_id,
        wave=asking.wave,
    )


def send_again(work: Work, asking: Asking, read: Opened, *, from_paper: bool) -> bool:
    """Send the correction that was read: it becomes the answers. False if it was changed meanwhile.

    `from_paper`: what was typed in wrong is put right, so it was said when the paper was filled in.
    """
    # Under the lock: a judgement that is given at this moment goes with the answers that it is about.
    response = _locked(work.db, asking)
    if response is None:
        return False
    past = ResponsePast(
        id=new_id(),
        response_id=read.id,
        respondent_id=asking.respondent_id,
        revision=new_revision(),
        submitted_at=response.submitted_at,
        answered_on=response.answered_on,
    )
    past.answers, past.judgement = response.answers, response.judgement
    sent = met_its_row(
        work.db.execute(
            update(Response)
            .where(Response.id == read.id, STILL_OPEN, Response.revision == read.revision)
            .values(
                answers_sealed=sealed_answers(work.db, Response.answers, read.id, asking, read.answers),
                judgement_sealed=None,
                draft_sealed=None,
                reopened_at=None,
                withdrawn_at=None,
                state=ResponseState.SUBMITTED,
                submitted_at=work.now,
                answered_on=response.answered_on if from_paper else None,
            )
            .execution_options(synchronize_session=False)
        )
    )
    if sent:
        work.db.add(past)
    return sent


def earlier(db: Session, asking: Asking) -> Sequence[Earlier]:
    """What this respondent sent before, newest first."""
    rows = db.scalars(
        select(ResponsePast)
        .join(Response, Response.id == ResponsePast.response_id)
        .where(
            Response.respondent_id == asking.respondent_id,
            Response.wave == asking.wave,
            Response.occasion == asking.occasion,
        )
        .order_by(ResponsePast.submitted_at.desc())
    )
    return [Earlier(submitted_at=row.submitted_at, answers=row.answers or {}) for row in rows]


def _locked(db: Session, asking: Asking) -> Response | None:
    return db.scalars(
        select(Response)
        .where(
            Response.respondent_id == asking.respondent_id,
            Response.wave == asking.wave,
            Response.occasion == asking.occasion,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
