"""The rota of the desk: who is on duty on which days, and who is told when a notice does not arrive."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.models import Duty, Role
from portal.people import in_office
from privacy import sent_before
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

ON_ROTA = (Role.DPO, Role.TEAM)
DAYS_AT_MOST = 31


class DutyRefused(Exception):
    """The rota cannot be changed like this; the message can be shown beside the field."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def coming(db: DbSession, *, on: date) -> Sequence[Duty]:
    """The rota from a day on, in order; one query."""
    asked = select(Duty).where(Duty.to_on >= on).order_by(Duty.from_on, Duty.to_on, Duty.id)
    return db.scalars(asked.options(joinedload(Duty.person))).all()


def on_duty(db: DbSession, *, on: date) -> set[UUID]:
    """Who is on duty on a day."""
    asked = select(Duty.person_id).where(Duty.from_on <= on, Duty.to_on >= on)
    return set(db.scalars(asked))


def told(db: DbSession, *, on: date) -> set[UUID]:
    """The people who are told that a notice does not arrive: the officer, the deputies, and who is on duty."""
    return on_duty(db, on=on).union(in_office.ids(db, {Role.DPO}, on=on))


def put(
    work: Work, *, person_id: UUID, from_on: date, to_on: date, today: date, duty_id: UUID | None = None
) -> Duty:
    """Put somebody on the rota; the same form again (`duty_id`) gives the first. Raises DutyRefused or SentBefore."""
    says = {"person_id": person_id, "from_on": from_on, "to_on": to_on}
    if (first := sent_before.found(work, Duty, duty_id, **says)) is not None:
        return first
    if to_on < from_on:
        raise DutyRefused("The last day is earlier than the first", field="to_on")
    if to_on < today:
        raise DutyRefused("These days are over", field="to_on")
    if (to_on - from_on).days >= DAYS_AT_MOST:
        raise DutyRefused(f"Enter {DAYS_AT_MOST} days at most at a time", field="to_on")
    if person_id not in in_office.ids(work.db, ON_ROTA, on=from_on):
        raise DutyRefused("Choose somebody of the desk or the programme team", field="person_id")
    row = Duty(
        id=duty_id or new_id(),
        person_id=person_id,
        from_on=from_on,
        to_on=to_on,
        entered_at=work.now,
        by=work.actor,
    )
    work.db.add(row)
    work.record(Action.DUTY_CHANGED, object=f"person:{person_id}", from_on=from_on, to_on=to_on)
    return row


def take_off(work: Work, *, duty_id: UUID) -> None:
    """Take an entry from the rota; one that is gone already changes nothing."""
    row = work.db.get(Duty, duty_id)
    if row is None:
        return
    work.record(Action.DUTY_CHANGED, object=f"person:{row.person_id}", from_on=row.from_on, to_on=None)
    work.db.delete(row)
