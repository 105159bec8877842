"""The waiting list of a group session: a freed place goes at once to the first who can take it, in order of joining.

    lock people and session -> count free places -> walk the list in order -> place, quarter hours, mail -> commit

The list is walked under the session's lock, so that any number of promotions at once give as many places as there
are. Who cannot come then is passed over with a note and keeps their turn. Inside the notice period nobody is
promoted: people would learn of it too late.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import standing
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import BaselineMissing, SupportClosed
from portal.groups import seats
from portal.mailing import queue as mail
from portal.models import (
    Attendance,
    AttendanceState,
    GroupPlan,
    Participation,
    PassedOver,
    Session,
    SessionState,
    Waiting,
    WaitingState,
)
from portal.programme import Programme
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

PROMOTED_MAIL = "place_freed"


class TooLateToWait(Refused):
    """The session starts so soon that nobody moves up any more."""

    def __init__(self) -> None:
        super().__init__("This session starts so soon that nobody moves up from the waiting list any more")


class SetIsFixed(Refused):
    """An action learning set has fixed members: nobody joins a date of it by themselves."""

    def __init__(self) -> None:
        super().__init__(
            "This action learning set has fixed members. Replace somebody for all coming dates instead"
        )


def in_time(programme: Programme, session: Session, *, now: datetime) -> bool:
    """Whether a free place still goes to the waiting list: not inside the notice period."""
    return session.starts_at - now >= timedelta(hours=programme.notice_hours)


def fixed(db: DbSession, session_id: UUID) -> bool:
    """Whether a session is a date of an action learning set, whose members are fixed."""
    asked = select(GroupPlan.set_id).where(GroupPlan.session_id == session_id)
    return db.scalars(asked).first() is not None


def of(db: DbSession, session_id: UUID) -> Sequence[Waiting]:
    """Who waits, first to come first, with their names."""
    return db.scalars(
        select(Waiting)
        .where(Waiting.session_id == session_id, Waiting.state == WaitingState.WAITING)
        .options(joinedload(Waiting.person), joinedload(Waiting.participation))
        .order_by(Waiting.number)
    ).all()


def lists(db: DbSession, session_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Who waits for each of these sessions, in order; one query."""
    found: dict[UUID, list[UUID]] = {}
    if not session_ids:
        return found
    rows = db.execute(
        select(Waiting.session_id, Waiting.person_id)
        .where(Waiting.session_id.in_(session_ids), Waiting.state == WaitingState.WAITING)
        .order_by(Waiting.session_id, Waiting.number)
    )
    for session_id, person_id in rows:
        found.setdefault(session_id, []).append(person_id)
    return found


def position(db: DbSession, entry: Waiting) -> int:
    """Somebody's place in the list, from 1."""
    before = select(func.count()).where(
        Waiting.session_id == entry.session_id,
        Waiting.state == WaitingState.WAITING,
        Waiting.number < entry.number,
    )
    return (db.scalar(before) or 0) + 1


def entry_of(db: DbSession, session_id: UUID, person_id: UUID) -> Waiting | None:
    """Somebody's entry, also one that is over."""
    asked = select(Waiting).where(Waiting.session_id == session_id, Waiting.person_id == person_id)
    return db.scalars(asked.execution_options(populate_existing=True)).one_or_none()


def join(work: Work, programme: Programme, *, session_id: UUID, person_id: UUID) -> Waiting | Attendance:
    """Put somebody on the list; where a place is free by now, they get it. The same again changes nothing.

    Raises TooLateToWait, SetIsFixed, SessionClosed, SupportClosed for somebody who may not come, and what taking a
    place raises.
    """
    session = standing.reopen(work, session_id=session_id, also=[person_id])
    seats.require_open(work, session)
    held = seats.seat_of(work.db, session_id, person_id)
    if held is not None and held.state is AttendanceState.BOOKED:
        return held
    entry = entry_of(work.db, session_id, person_id)
    if entry is not None and entry.state is WaitingState.WAITING:
        return entry
    if fixed(work.db, session_id):
        raise SetIsFixed
    member = member_of(work, session, person_id)
    fill(work, programme, session)
    if seats.free_places(work, session) > 0:
        seats.require_baselines(work.db, [member])
        return seats.give(work, session, member)
    if not in_time(programme, session, now=work.now):
        raise TooLateToWait
    return _enter(work, session, member, entry)


def _enter(work: Work, session: Session, member: Participation, entry: Waiting | None) -> Waiting:
    last = work.db.scalar(select(func.max(Waiting.number)).where(Waiting.session_id == session.id))
    if entry is None:
        entry = Waiting(id=new_id(), session_id=session.id, person_id=standing.person_of(member))
        work.db.add(entry)
    entry.participation_id, entry.number, entry.state = member.id, (last or 0) + 1, WaitingState.WAITING
    entry.joined_at, entry.by = work.now, work.actor
    entry.changed_at = entry.passed_over_at = entry.passed_over = None
    work.db.flush()
    work.record(
        Action.WAITING_JOINED, object=f"waiting:{entry.id}", holder=entry.person_id, session=session.id
    )
    return entry


def leave(work: Work, *, session_id: UUID, person_id: UUID) -> bool:
    """Take somebody off the list; False for who is not on it."""
    standing.reopen(work, session_id=session_id, also=[person_id])
    entry = entry_of(work.db, session_id, person_id)
    if entry is None or entry.state is not WaitingState.WAITING:
        return False
    settle(work, entry, WaitingState.LEFT)
    work.record(Action.WAITING_LEFT, object=f"waiting:{entry.id}", holder=person_id, session=session_id)
    return True


def settle(work: Work, entry: Waiting, state: WaitingState) -> None:
    """End somebody's waiting."""
    entry.state, entry.changed_at = state, work.now
    work.db.flush()


def member_of(work: Work, session: Session, person_id: UUID) -> Participation:
    """The part in which somebody may come. Raises SupportClosed."""
    for member in seats.members_for(work.db, session):
        if member.person_id == person_id:
            return member
    raise SupportClosed


def promote(work: Work, programme: Programme, *, session_id: UUID) -> list[UUID]:
    """Give the free places of a session to those who wait; returns whom. Again, or at once, gives no more."""
    return fill(work, programme, standing.reopen(work, session_id=session_id))


def fill(work: Work, programme: Programme, session: Session) -> list[UUID]:
    """The same, for a session that is locked."""
    if session.capacity is None or session.state is not SessionState.BOOKED:
        return []
    if not in_time(programme, session, now=work.now):
        return []
    free = seats.free_places(work, session)
    promoted: list[UUID] = []
    waiting = _waiting(work.db, session.id) if free > 0 else []
    members = {one.person_id: one for one in seats.members_for(work.db, session)} if waiting else {}
    for entry in waiting:
        if len(promoted) == free:
            break
        why = _try(work, session, entry, members.get(entry.person_id))
        if why is None:
            promoted.append(entry.person_id)
        elif entry.passed_over is not why:
            entry.passed_over, entry.passed_over_at = why, work.now
            work.record(
                Action.WAITING_PASSED_OVER,
                object=f"waiting:{entry.id}",
                holder=entry.person_id,
                session=session.id,
                why=why,
            )
    return promoted


def _waiting(db: DbSession, session_id: UUID) -> Sequence[Waiting]:
    return db.scalars(
        select(Waiting)
        .where(Waiting.session_id == session_id, Waiting.state == WaitingState.WAITING)
        .order_by(Waiting.number)
        .execution_options(populate_existing=True)
    ).all()


def _try(work: Work, session: Session, entry: Waiting, member: Participation | None) -> PassedOver | None:
    """Give somebody who waits a place; why not, where it cannot be."""
    if member is None:
        return PassedOver.NOT_A_MEMBER
    if member.person is not None and member.person.restricted_at is not None:
        return PassedOver.RESTRICTED
    try:
        seats.require_baselines(work.db, [member])
        held = seats.give(work, session, member)
    except BaselineMissing:
        return PassedOver.BASELINE
    except TimeTaken:
        return PassedOver.CLASH
    entry.passed_over = entry.passed_over_at = None
    settle(work, entry, WaitingState.PROMOTED)
    # The number of the entry tells one promotion from the next.
    mail.queue(work, template=PROMOTED_MAIL, about=session.id, to=entry.person_id, step=str(entry.number))
    work.record(
        Action.PLACE_PROMOTED, object=f"attendance:{held.id}", holder=entry.person_id, session=session.id
    )
    return None
