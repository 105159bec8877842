"""One-to-one sessions: which times there are, and booking, moving and cancelling one of them.

    lock people, session, package -> re-read -> check -> session, attendance, quarter hours, mail -> commit

The list that people choose from and the check made when they book ask the same function
(portal/availability.py). What the check cannot see, because somebody else is booking at that very moment, the
primary key of the quarter hours refuses: both come out as TimeTaken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal import diary, hours, packages, serving, standing
from portal.availability import Interval, Times, WeeklyHours, bank_holidays, offered, padded
from portal.diary import Refused, TimeTaken
from portal.models import (
    AttendanceState,
    Package,
    PackageMentor,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.programme import OutsideContract, Programme, contract_period
from portal.serving import NotServing, TooEarly
from portal.standing import BaselineMissing, FormUsed, SessionClosed, SupportClosed
from privacy.audit import Action
from privacy.clock import end_of_day, london_date, start_of_day
from privacy.work import Work

__all__ = [
    "BaselineMissing",
    "Choice",
    "FormUsed",
    "NotOffered",
    "NotServing",
    "OutsideContract",
    "Refused",
    "SessionClosed",
    "SupportClosed",
    "TimeTaken",
    "TooEarly",
    "book",
    "cancel",
    "move",
    "times",
]

# Any day's buffers reach less far than this, so that what is taken just outside the window is seen too.
_AROUND = timedelta(days=1)


class NotOffered(Refused):
    """The time lies outside the hours, too soon, too far ahead, or in the past."""

    def __init__(self) -> None:
        super().__init__("That time cannot be booked. Choose another time")


class Choice(NamedTuple):
    """A time that can be booked now, with whom. `value` is what its radio posts, `day` its London day."""

    starts_at: datetime
    ends_at: datetime
    mentor_id: UUID
    mentor_name: str

    @property
    def value(self) -> str:
        return f"{self.starts_at.isoformat()} {self.mentor_id}"

    @property
    def day(self) -> date:
        return london_date(self.starts_at)


@dataclass(frozen=True)
class _Asked:
    """A time and whose it would take; `but` is the session that is being moved."""

    time: Interval
    mentor_id: UUID
    people: Sequence[UUID]
    but: UUID | None = None

    def takes(self, programme: Programme) -> dict[UUID, Interval]:
        """What of whose time: the mentor's with the buffer around it, the participants' without."""
        around = padded(self.time, buffer_minutes=programme.buffer_minutes)
        return {**dict.fromkeys(self.people, self.time), self.mentor_id: around}


def times(
    db: DbSession,
    programme: Programme,
    package: Package,
    *,
    now: datetime,
    limit: int,
    after: datetime | None = None,
    mentor_id: UUID | None = None,
    moving: UUID | None = None,
) -> list[Choice]:
    """The first times that can be booked, in order: all mentors of the package, or one.

    `after` leaves out what starts before it. `moving` is a session whose own time counts as free. The number
    of queries is the same however many mentors and times there are.
    """
    members = standing.members_of(db, package.id)
    if package.state not in standing.OPEN or not members:
        return []
    person_id = standing.person_of(members[0])
    servings: dict[UUID, list[PackageMentor]] = {}
    for one in serving.servings_of(db, package.id):
        if mentor_id is None or one.person_id == mentor_id:
            servings.setdefault(one.person_id, []).append(one)
    period = contract_period(db, programme, on=london_date(now))
    window = Interval(
        max(now, start_of_day(period.starts_on), after or now),
        min(end_of_day(period.ends_on), now + timedelta(days=programme.horizon_days + 1)),
    )
    if window.starts_at >= window.ends_at:
        return []
    week = hours.of(db, list(servings))
    busy = diary.taken(db, [*servings, person_id], within=_wider(window), but=moving)
    found = (
        _choices(
            _offered(programme, week[known], [*busy[known], *busy[person_id]], now, window),
            package,
            stretches,
        )
        for known, stretches in servings.items()
    )
    return list(islice(merge(*found), limit))


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
    free_time: bool = False,
    minutes: int | None = None,
) -> Session:
    """Book a one-to-one session; the form carries the new session's id, and a repeat gives the first result.

    `free_time` is for those who serve the package: any quarter hour ahead that clashes with nothing, and of
    any length. Raises TimeTaken, NotOffered, BaselineMissing, NotServing, TooEarly, SupportClosed,
    FormUsed and OutsideContract; NotQuarterHours for a free time that is none.
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
    asked = _Asked(time, mentor_id, [standing.person_of(here.leader)])
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
    )
    standing.add_attendance(work, session, here.leader, AttendanceState.BOOKED)
    diary.take(work, session_id=session.id, times=asked.takes(programme))
    packages.activate(work, here.package)
    standing.tell(work, session, [mentor_id, *asked.people])
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
    free_time: bool = False,
) -> Session:
    """Give a session another time, place, or both: its old time is free and the new one taken, or nothing is.

    Its length stays. The same again changes nothing. A group session takes any free time of everybody in it.
    Raises what `book` raises, and SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    if session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    if (session.starts_at, session.place, session.where or "") == (starts_at, place, where or ""):
        return session
    people = standing.live_people(work.db, session_id)
    if starts_at != session.starts_at:
        # A group's time is agreed with the council, not picked from the mentor's hours.
        anywhere = free_time or session.capacity is not None
        _shift(work, programme, session, people, starts_at, anywhere=anywhere)
    session.place, session.where = place, where
    session.sequence += 1
    standing.tell(work, session, [session.mentor_id, *people])
    work.record(Action.SESSION_MOVED, object=f"session:{session.id}", starts_at=session.starts_at)
    return session


def cancel(work: Work, *, session_id: UUID) -> Session:
    """Cancel a session that has not begun; its time is free again. The same again changes nothing.

    Raises SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    if session.state is SessionState.CANCELLED:
        return session
    if session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    session.state = SessionState.CANCELLED
    session.sequence += 1
    diary.free(work, session_id=session.id)
    standing.tell(work, session, [session.mentor_id, *standing.live_people(work.db, session_id)])
    work.record(Action.SESSION_CANCELLED, object=f"session:{session.id}")
    return session


def _shift(
    work: Work,
    programme: Programme,
    session: Session,
    people: Sequence[UUID],
    starts_at: datetime,
    *,
    anywhere: bool,
) -> None:
    package = work.db.get_one(
        Package, session.package_id, populate_existing=True, with_for_update=standing.LOCKED
    )
    here = standing.Standing(package, [])
    standing.require_open(work, programme, here, mentor_id=session.mentor_id, starts_at=starts_at)
    time = Interval(starts_at, starts_at + (session.ends_at - session.starts_at))
    asked = _Asked(time, session.mentor_id, people, but=session.id)
    _require_free(work, programme, asked, anywhere=anywhere)
    diary.free(work, session_id=session.id)
    session.starts_at, session.ends_at = time
    work.db.flush()
    diary.take(work, session_id=session.id, times=asked.takes(programme))


def _require_free(work: Work, programme: Programme, asked: _Asked, *, anywhere: bool) -> None:
    """Raises TimeTaken when it clashes, NotOffered when it has passed or, unless `anywhere`, is not offered."""
    time = asked.time
    busy = diary.taken(work.db, [asked.mentor_id, *asked.people], within=_wider(time), but=asked.but)
    if any(
        _overlap(wanted, other)
        for person_id, wanted in asked.takes(programme).items()
        for other in busy[person_id]
    ):
        raise TimeTaken
    if time.starts_at <= work.now:
        raise NotOffered
    if not anywhere:
        week = hours.of(work.db, [asked.mentor_id])[asked.mentor_id]
        taken = [interval for intervals in busy.values() for interval in intervals]
        if time not in _offered(programme, week, taken, work.now, time):
            raise NotOffered


def _offered(
    programme: Programme, week: WeeklyHours, busy: Iterable[Interval], now: datetime, within: Interval
) -> Times:
    years = {london_date(within.starts_at).year, london_date(within.ends_at).year}
    return offered(
        week,
        taken=busy,
        minutes=programme.session_minutes,
        buffer_minutes=programme.buffer_minutes,
        notice_hours=programme.notice_hours,
        horizon_days=programme.horizon_days,
        holidays=frozenset(day for year in years for day in bank_holidays(year)),
        now=now,
        within=within,
    )


def _choices(found: Times, package: Package, servings: Sequence[PackageMentor]) -> Iterable[Choice]:
    """The times of one mentor on the days that a booking would not be refused."""
    mentor = servings[0].person
    name = mentor.name or mentor.ref
    for day, times_of_day in groupby(found, key=lambda time: london_date(time.starts_at)):
        if serving.refusal(package, servings, day) is None:
            yield from (Choice(time.starts_at, time.ends_at, mentor.id, name) for time in times_of_day)


def _wider(window: Interval) -> Interval:
    return Interval(window.starts_at - _AROUND, window.ends_at + _AROUND)


def _overlap(one: Interval, other: Interval) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
