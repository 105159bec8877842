"""Asking to be rung, as the person themselves meets it: what they asked for, and taking it back."""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session as DbSession

from portal.answers.questionnaires import Asked
from portal.models import CallRequest, Participation
from privacy.audit import Action
from privacy.work import Work
from surveys.models import Wave


def waiting(db: DbSession, *, participation_id: UUID, wave: Wave, occasion: str) -> CallRequest | None:
    """The call about a questionnaire that was asked for and not made yet."""
    return db.scalars(
        select(CallRequest)
        .where(
            CallRequest.participation_id == participation_id,
            CallRequest.wave == wave.value,
            CallRequest.occasion == occasion,
            CallRequest.done_at.is_(None),
        )
        .order_by(CallRequest.asked_at.desc())
        .limit(1)
    ).first()


def any_waiting() -> ColumnElement[bool]:
    """Of a query over parts: whether a call about this one waits."""
    return exists().where(CallRequest.participation_id == Participation.id, CallRequest.done_at.is_(None))


def of(db: DbSession, asked: Asked) -> CallRequest | None:
    """The same, on a page of that questionnaire."""
    return waiting(
        db,
        participation_id=asked.participation_id,
        wave=asked.asking.wave,
        occasion=asked.asking.occasion,
    )


def take_back(work: Work, asked: Asked) -> None:
    """No call is needed any more; the same again changes nothing."""
    call = of(work.db, asked)
    if call is not None:
        call.done_at = work.now
        work.record(Action.CALL_TAKEN_BACK, object=f"call:{call.id}", holder=asked.participation_id)
