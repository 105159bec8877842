"""One-to-one sessions: which times there are, and booking, moving and cancelling one of them.

    lock people, session, package -> re-read -> check -> session, attendance, quarter hours, mail -> commit

The list that people choose from and the check made when they book ask the same function
(portal/booking/availability.py). What the check cannot see, because somebody else is booking at that very moment, the
primary key of the quarter hours refuses: both come out as TimeTaken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import diary, moves, standing, telling, timetable
from portal.booking.availability import Interval
from portal.booking.blackouts import NoSessionsThen
from portal.booking.choices import Choice, times
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import BaselineMissing, FormUsed, SessionClosed, SupportClosed
from portal.booking.timetable import Away, Full, Timetable
from portal.mentors.serving import NotServing, TooEarly
from portal.models import (
    Package,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import acts as packages
from portal.programme import OutsideContract, Programme
from privacy.audit import Action
from privacy.work import Work

__all__ = [
    "Away",
    "BaselineMissing",
    "Choice",
    "FormUsed",
    "Full",
    "InsideNotice",
    "NoSessionsThen",
    "NotOffered",
    "NotServing",
    "OutsideContract",
    "Refused",
    "SessionClosed",
    "SupportClosed",
    "TimeTaken",
    "TooEarly",
    "book",
    "booked_at",
    "cancel",
    "cancel_own",
    "inside_notice",
    "move",
    "require_free",
    "times",
]


class NotOffered(Refused):
    """The time lies outside the hours, too soon, too far ahead, or in the past."""

    def __init__(self) -> None:
        super().__init__("That time cannot be booked. Choose another time")


class InsideNotice(Refused):
    """It is too late for a participant to change the session alone; the message can be shown."""

    def __init__(self) -> None:
        super().__init__(
            "This session starts too soon to change it here. Ring us and we will change it for you"
        )


@dataclass(frozen=True)
class _Asked:
    """A time, how people meet, and whose time it would take; `but` is the session that is being moved."""

    time: Interval
    place: Place
    mentor_id: UUID
    people: Sequence[UUID]
    council_id: UUID | None
    but: UUID | None = None

    def needs(self, programme: Programme) -> dict[UUID, Interval]:
        return diary.needed(programme, self.time, self.place, mentor_id=self.mentor_id, people=self.people)


def book(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    session_id: UUID,
    mentor_id: UUID,
    starts_at: datetime,
    place: Place,
    where: str | None = None,
    travel: str | None = None,
    free_time: bool = False,
    minutes: int | None = None,
) -> Session:
    """Book a one-to-one session; the form carries the new session's id, and a repeat gives the first result.

    `free_time` is for those who serve the package: any quarter hour ahead that clashes with nothing, and of
    any length. Raises TimeTaken, NotOffered, NoSessionsThen, Away, Full, BaselineMissing, NotServing, TooEarly,
    SupportClosed, FormUsed and OutsideContract; NotQuarterHours for a free time that is none.
    """
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    first = standing.sent_before(work, session_id=session_id, package_id=package_id, starts_at=starts_at)
    if first is not None:
        return first
    if here.package.strand is not Strand.ONE_TO_ONE:
        raise SupportClosed
    standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=starts_at)
    standing.require_baseline(work.db, here.package, [here.leader.id])
    length = minutes if free_time and minutes else programme.session_minutes
    time = Interval(starts_at, starts_at + timedelta(minutes=length))
    asked = _Asked(time, place, mentor_id, [standing.person_of(here.leader)], here.package.council_id)
    _require_free(work, programme, asked, anywhere=free_time)
    session = standing.add_session(
        work,
        programme,
        here.package,
        session_id=session_id,
        mentor_id=mentor_id,
        kind=SessionKind.ONE_TO_ONE,
        time=time,
        place=place,
        where=where,
        travel=travel,
        booked_for=[here.leader],
        takes=asked.needs(programme),
    )
    packages.activate(work, here.package)
    telling.tell(work, session, [mentor_id, *asked.people])
    work.record(
        Action.SESSION_BOOKED,
        object=f"session:{session.id}",
        holder=asked.people[0],
        kind=session.kind,
        starts_at=starts_at,
        package=package_id,
    )
    return session


def move(
    work: Work,
    programme: Programme,
    *,
    session_id: UUID,
    starts_at: datetime,
    place: Place,
    where: str | None = None,
    travel: str | None = None,
    free_time: bool = False,
) -> Session:
    """Give a session another time, place, or both: its old time is free and the new one taken, or nothing is.

    Its length stays. The same again changes nothing. A group session takes any free time of everybody in it.
    Without `free_time`, inside the notice period, it raises InsideNotice. Raises what `book` raises, and
    SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    if session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    met = (place, where or None, travel or None)
    if (session.starts_at, session.place, session.where, session.travel) == (starts_at, *met):
        return session
    if not free_time and inside_notice(programme, session, now=work.now):
        raise InsideNotice
    people = standing.live_people(work.db, session_id)
    margins = [programme.margin_minutes(one) for one in (session.place, place)]
    moves.keep(work, session)
    if starts_at != session.starts_at or margins[0] != margins[1]:
        # A group's time is agreed with the council, not picked from the mentor's hours.
        anywhere = free_time or session.capacity is not None
        _shift(work, programme, session, people, starts_at, place, anywhere=anywhere)
    session.place, session.where, session.travel = met
    session.sequence += 1
    telling.tell(work, session, [session.mentor_id, *people])
    work.record(
        Action.SESSION_MOVED,
        object=f"session:{session.id}",
        holder=_leader_of(session, people),
        starts_at=session.starts_at,
    )
    return session


def cancel_own(work: Work, programme: Programme, *, session_id: UUID) -> Session:
    """Cancel a session as somebody who takes part in it. Raises InsideNotice, and SessionClosed."""
    session = standing.reopen(work, session_id=session_id)
    ahead = session.state is SessionState.BOOKED and session.starts_at > work.now
    if ahead and inside_notice(programme, session, now=work.now):
        raise InsideNotice
    return cancel(work, session_id=session_id)


def cancel(work: Work, *, session_id: UUID) -> Session:
    """Cancel a session that has not begun; its time is free again. The same again changes nothing.

    Its mentor and the team may do so inside the notice period; `cancelled_at` then tells that it was late. Raises
    SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    if session.state is SessionState.CANCELLED:
        return session
    if session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    session.state, session.cancelled_at = SessionState.CANCELLED, work.now
    session.sequence += 1
    diary.free(work, session_id=session.id)
    people = standing.live_people(work.db, session_id)
    telling.tell(work, session, [session.mentor_id, *people])
    work.record(Action.SESSION_CANCELLED, object=f"session:{session.id}", holder=_leader_of(session, people))
    return session


def booked_at(db: DbSession, package_id: UUID, *, mentor_id: UUID, starts_at: datetime) -> Session | None:
    """The session of a package that is booked with a mentor from that time on."""
    asked = select(Session).where(
        Session.package_id == package_id,
        Session.mentor_id == mentor_id,
        Session.starts_at == starts_at,
        Session.state == SessionState.BOOKED,
    )
    return db.scalars(asked).first()


def _leader_of(session: Session, people: Sequence[UUID]) -> UUID | None:
    """For whom a one-to-one session is; a group's is for nobody alone."""
    return people[0] if session.capacity is None and people else None


def inside_notice(programme: Programme, session: Session, *, now: datetime) -> bool:
    """Whether a session starts too soon for a participant to change it alone."""
    return session.starts_at - now < timedelta(hours=programme.notice_hours)


def _shift(
    work: Work,
    programme: Programme,
    session: Session,
    people: Sequence[UUID],
    starts_at: datetime,
    place: Place,
    *,
    anywhere: bool,
) -> None:
    package = work.db.get_one(
        Package, session.package_id, populate_existing=True, with_for_update=standing.LOCKED
    )
    time = Interval(starts_at, starts_at + (session.ends_at - session.starts_at))
    asked = _Asked(time, place, session.mentor_id, people, package.council_id, but=session.id)
    if starts_at == session.starts_at:
        # The time was right when it was booked; only the way there is new.
        _table(work, programme, asked).require_untaken(asked.needs(programme))
    else:
        here = standing.Standing(package, [])
        standing.require_open(work, programme, here, mentor_id=session.mentor_id, starts_at=starts_at)
        _require_free(work, programme, asked, anywhere=anywhere)
    diary.free(work, session_id=session.id)
    session.starts_at, session.ends_at = time
    work.db.flush()
    diary.take(work, session_id=session.id, times=asked.needs(programme))


def require_free(
    work: Work,
    programme: Programme,
    *,
    package: Package,
    time: Interval,
    place: Place,
    mentor_id: UUID,
    people: Sequence[UUID],
) -> None:
    """What `book` asks of a time that those who serve the package choose. Raises as it does."""
    asked = _Asked(time, place, mentor_id, people, package.council_id)
    _require_free(work, programme, asked, anywhere=True)


def _require_free(work: Work, programme: Programme, asked: _Asked, *, anywhere: bool) -> None:
    """Raises TimeTaken when it clashes, NotOffered when it has passed or, unless `anywhere`, is not offered; and
    for everybody what `Timetable.require_open` raises."""
    time, table = asked.time, _table(work, programme, asked)
    table.require_untaken(asked.needs(programme))
    if time.starts_at <= work.now:
        raise NotOffered
    table.require_open(asked.mentor_id, time)
    if not anywhere:
        minutes = int((time.ends_at - time.starts_at).total_seconds()) // 60
        if time not in table.offered(asked.mentor_id, minutes=minutes, place=asked.place):
            raise NotOffered


def _table(work: Work, programme: Programme, asked: _Asked) -> Timetable:
    return timetable.read(
        work.db,
        programme,
        mentor_ids=[asked.mentor_id],
        person_ids=asked.people,
        council_id=asked.council_id,
        window=asked.time,
        now=work.now,
        but=asked.but,
    )
