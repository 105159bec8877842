"""The one reminder of a session: on the London day before it, from nine in the morning, to everybody in it.

The pass of each minute queues it once per person, session and time; whether there is a reason left is asked again
when it is sent. So a cancelled session reminds nobody, and a moved one has a reminder of its new time, on the day
before that. Who booked only that day has just had the invitation, and is not reminded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.instance import Instance
from portal.mailing import invitations
from portal.mailing import queue as mail
from portal.mailing.gathering import MORNING
from portal.models import Mail, Session, SessionState
from privacy.clock import end_of_day, london_date, start_of_day, wall
from privacy.work import unit_of_work

ACTOR = "system:reminders"
TEMPLATE = "day_before"

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Near:
    """Somebody who is to be reminded of a session tomorrow; `step` names its time."""

    session_id: UUID
    reader_id: UUID
    step: str


def step_of(session: Session) -> str:
    """What tells the reminders of one session apart: the time that it has."""
    return session.starts_at.isoformat(timespec="minutes")


def run(instance: Instance, sessions: Sessions) -> int:
    """Queue what is due now; returns how many. Any number of workers may run it at any time."""
    with sessions() as db:
        # Most minutes there is nothing: the write lock is taken only when there is.
        if not find(db, now=instance.clock()):
            return 0
        with unit_of_work(db, instance.clock, ACTOR) as work:
            work.wait_turn("reminders")
            due = find(work.db, now=work.now)
            for one in due:
                mail.queue(work, template=TEMPLATE, about=one.session_id, to=one.reader_id, step=one.step)
        return len(due)


def find(db: DbSession, *, now: datetime) -> list[Near]:
    """Who is to be reminded now; a fixed number of queries."""
    today = london_date(now)
    if now < wall(today, MORNING):
        return []
    tomorrow = today + timedelta(days=1)
    coming = db.scalars(
        select(Session)
        .where(
            Session.state == SessionState.BOOKED,
            Session.starts_at >= start_of_day(tomorrow),
            Session.starts_at < end_of_day(tomorrow),
        )
        .options(selectinload(Session.attendances))
        .order_by(Session.starts_at, Session.id)
    ).all()
    rows = db.execute(
        select(Mail.about, Mail.person_id, Mail.step).where(
            Mail.template == TEMPLATE, Mail.about.in_([session.id for session in coming])
        )
    )
    queued = {tuple(row) for row in rows}
    found = [
        Near(session.id, reader_id, step_of(session))
        for session in coming
        # Assistants are not in it: their own calendar reminds them.
        for reader_id in dict.fromkeys(_booked_before(session, start_of_day(today)))
    ]
    return [one for one in found if (one.session_id, one.reader_id, one.step) not in queued]


def _booked_before(session: Session, moment: datetime) -> list[UUID]:
    """Who is in a session and knew of it before a moment."""
    known = [session.mentor_id] if session.created_at < moment else []
    seats = [seat for seat in session.attendances if seat.booked_at < moment]
    return known + [seat.person_id for seat in seats if invitations.known_to(session, seat.person_id).theirs]
