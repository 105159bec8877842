"""Who hears of a session that was booked or changed, and under which number their calendars know it."""

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session as DbSession

from portal.mailing import queue as mail
from portal.models import Attendance, Session
from portal.people import delegations
from privacy.clock import london_date
from privacy.work import Work

# Made once: each change of a group session asks it.
_SEATS = select(Attendance).where(
    Attendance.session_id == bindparam("session"),
    Attendance.person_id.in_(bindparam("people", expanding=True)),
    Attendance.uid.is_not(None),
)


def recipients(
    db: DbSession, session: Session, person_ids: Iterable[UUID], *, on: date
) -> list[tuple[UUID, UUID]]:
    """Whom mail about a session goes to on a day: pairs of who is in it and who reads it, each pair once.

    Whoever has an assistant is followed by them. A mentor's assistant, were they a leader too, has no part in what
    they mentor.
    """
    everybody = list(dict.fromkeys(person_ids))
    assistants = delegations.assistants_of(db, [one for one in everybody if one != session.mentor_id], on)
    pairs = [(person_id, person_id) for person_id in everybody]
    return pairs + [(one, assistants[one]) for one in everybody if one in assistants]


def tell(work: Work, session: Session, person_ids: Iterable[UUID]) -> None:
    """Queue the calendar mail about a change of the session, or of these people's places in it.

    Each call is one change that calendars must see. A place in a group session has a number of its own, which
    rises here and touches nobody else's; the session's own is raised by the rule that changes it. The step of the
    mail is the number that calendars will see (RFC 5546 2.1.4), and for an assistant's copy also whose session it is.
    """
    pairs = recipients(work.db, session, person_ids, on=london_date(work.now))
    seats = _seats_of(work, session, {person_id for person_id, _ in pairs})
    for seat in seats.values():
        seat.sequence = 0 if seat.sequence is None else seat.sequence + 1
        seat.told_at = work.now
    letters = []
    for person_id, reader_id in pairs:
        number = seats[person_id].sequence if person_id in seats else session.sequence
        step = mail.numbered(number or 0, whose=None if reader_id == person_id else person_id)
        letters.append((reader_id, step))
    mail.queue_all(work, template="session", about=session.id, to=letters)
    if any(person_id not in seats for person_id, _ in pairs):
        session.told_at = work.now


def _seats_of(work: Work, session: Session, person_ids: Collection[UUID]) -> dict[UUID, Attendance]:
    """The places that calendars know by a name of their own: none in a one-to-one session (see `place_uid`)."""
    if session.capacity is None:
        return {}
    asked = {"session": session.id, "people": list(person_ids)}
    return {seat.person_id: seat for seat in work.db.scalars(_SEATS, asked)}
