"""When a mentor is away, and how much they take on: beside their hours, and stronger than them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session as DbSession

from portal.booking import clashes, diary
from portal.booking.availability import Interval, stretch
from portal.booking.diary import Refused
from portal.booking.intervals import QUARTER, NotQuarterHours
from portal.filters import day
from portal.models import Blackout, BookingLimit, Leave
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import MINUTES_IN_DAY, clock_face, london_date
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work


class WrongStretch(Refused):
    """A stretch of time that ends before it begins, has passed, or is longer than anybody means."""

    def __init__(self, message: str, *, field: str = "to_on") -> None:
        super().__init__(message)
        self.field = field


DAYS_AT_MOST = 400


@dataclass(frozen=True)
class Limits:
    """The most sessions of a mentor in a day and in a week."""

    per_day: int
    per_week: int


def checked(*, from_on: date, from_minute: int, to_on: date, to_minute: int, today: date) -> Interval:
    """The stretch as instants. Raises WrongStretch and NotQuarterHours."""
    if from_minute % QUARTER or to_minute % QUARTER:
        raise NotQuarterHours(f"{from_minute} and {to_minute} minutes: use quarter hours")
    if (to_on, to_minute) <= (from_on, from_minute):
        raise WrongStretch("The end must come after the start")
    if to_on < today:
        raise WrongStretch("This time has passed")
    if (to_on - from_on).days > DAYS_AT_MOST:
        raise WrongStretch("This is longer than a year. Check the years")
    return stretch(from_on, from_minute, to_on, to_minute)


def when(row: Leave | Blackout) -> str:
    """The stretch in words: days, and times where it is not whole days."""
    first, last = day(row.from_on), day(row.to_on)
    if (row.from_minute, row.to_minute) == (0, MINUTES_IN_DAY):
        return first if row.from_on == row.to_on else f"{first} to {last}"
    if row.from_on == row.to_on:
        return f"{first}, {clock_face(row.from_minute)} to {clock_face(row.to_minute)}"
    begins = f", {clock_face(row.from_minute)}" if row.from_minute else ""
    ends = f", {clock_face(row.to_minute)}" if row.to_minute != MINUTES_IN_DAY else ""
    return f"{first}{begins} to {last}{ends}"


def add(
    work: Work,
    *,
    mentor_id: UUID,
    from_on: date,
    to_on: date,
    from_minute: int = 0,
    to_minute: int = MINUTES_IN_DAY,
    despite: bool = False,
) -> Leave:
    """Take a mentor out of the list of times from a minute of a London day to a minute of another.

    Sessions that are booked stay booked: without `despite` they raise SessionsInTheWay, so that somebody decides.
    The same again changes nothing. Also raises WrongStretch and NotQuarterHours.
    """
    within = checked(
        from_on=from_on,
        from_minute=from_minute,
        to_on=to_on,
        to_minute=to_minute,
        today=london_date(work.now),
    )
    diary.lock(work, [mentor_id])
    days = {"from_on": from_on, "from_minute": from_minute, "to_on": to_on, "to_minute": to_minute}
    same = work.db.scalars(select(Leave).filter_by(person_id=mentor_id, **days)).first()
    if same is not None:
        return same
    found = clashes.of_mentor(work.db, mentor_id, within=within, now=work.now)
    clashes.require_none(found, despite=despite)
    row = Leave(
        id=new_id(),
        person_id=mentor_id,
        made_at=work.now,
        **days,
    )
    work.db.add(row)
    work.record(
        Action.LEAVE_ADDED,
        object=f"person:{mentor_id}",
        holder=mentor_id,
        from_on=from_on,
        to_on=to_on,
        sessions=len(found),
    )
    return row


def remove(work: Work, *, mentor_id: UUID, leave_id: UUID) -> None:
    """Let the mentor's hours hold again; leave that is not theirs, or gone, changes nothing."""
    row = work.db.get(Leave, leave_id)
    if row is None or row.person_id != mentor_id:
        return
    work.db.delete(row)
    work.record(
        Action.LEAVE_REMOVED,
        object=f"person:{mentor_id}",
        holder=mentor_id,
        from_on=row.from_on,
        to_on=row.to_on,
    )


def ahead(db: DbSession, mentor_id: UUID, *, today: date) -> Sequence[Leave]:
    """The mentor's leave that is not over, in order."""
    return db.scalars(
        select(Leave)
        .where(Leave.person_id == mentor_id, Leave.to_on >= today)
        .order_by(Leave.from_on, Leave.from_minute, Leave.id)
    ).all()


_MENTORS: BindParameter[UUID] = bindparam("mentors", expanding=True)
_AWAY = select(Leave.person_id, Leave.from_on, Leave.from_minute, Leave.to_on, Leave.to_minute).where(
    Leave.person_id.in_(_MENTORS), Leave.from_on <= bindparam("last"), Leave.to_on >= bindparam("first")
)
_LIMITS = select(BookingLimit.person_id, BookingLimit.per_day, BookingLimit.per_week).where(
    BookingLimit.person_id.in_(_MENTORS)
)


def of(db: DbSession, mentor_ids: Collection[UUID], *, first: date, last: date) -> dict[UUID, list[Interval]]:
    """When these mentors are away, from a day to a day, in one query."""
    found: dict[UUID, list[Interval]] = {mentor_id: [] for mentor_id in mentor_ids}
    for row in run(db, _AWAY, {"mentors": list(mentor_ids), "first": first, "last": last}):
        found[row.person_id].append(stretch(row.from_on, row.from_minute, row.to_on, row.to_minute))
    return found


def by_day(db: DbSession, mentor_id: UUID | None, *, first: date, last: date) -> dict[date, list[str]]:
    """The leave of one mentor in words, on each day from a day to a day that has some."""
    found: dict[date, list[str]] = {}
    asked = {"mentors": [mentor_id] if mentor_id is not None else [], "first": first, "last": last}
    for row in run(db, _AWAY, asked):
        begins, ends = max(row.from_on, first), min(row.to_on, last)
        for number in range(begins.toordinal(), ends.toordinal() + 1):
            on = date.fromordinal(number)
            found.setdefault(on, []).append(_said(row, on))
    return found


def _said(row: Any, on: date) -> str:
    """The part of leave that lies on a day, such as "Leave until 1pm"."""
    begins = f" from {clock_face(row.from_minute)}" if on == row.from_on and row.from_minute else ""
    ends = f" until {clock_face(row.to_minute)}" if on == row.to_on and row.to_minute < MINUTES_IN_DAY else ""
    return f"Leave{begins}{ends}"


def set_limits(work: Work, programme: Programme, *, mentor_id: UUID, per_day: int, per_week: int) -> None:
    """Let a mentor take on fewer sessions than the programme allows; its own number takes a limit away."""
    diary.lock(work, [mentor_id])
    row = work.db.get(BookingLimit, mentor_id, populate_existing=True)
    if row is None:
        row = BookingLimit(person_id=mentor_id)
        work.db.add(row)
    row.per_day = per_day if per_day < programme.most_per_day else None
    row.per_week = per_week if per_week < programme.most_per_week else None
    work.record(
        Action.LIMITS_SET,
        object=f"person:{mentor_id}",
        holder=mentor_id,
        per_day=per_day,
        per_week=per_week,
    )


def limits(db: DbSession, programme: Programme, mentor_ids: Collection[UUID]) -> dict[UUID, Limits]:
    """The limits of these mentors, in one query; a mentor can lower the programme's and not raise them."""
    most = programme.most_per_day, programme.most_per_week
    rows = {row.person_id: row for row in run(db, _LIMITS, {"mentors": list(mentor_ids)})}
    return {
        mentor_id: Limits(*most)
        if (row := rows.get(mentor_id)) is None
        else Limits(
            most[0] if row.per_day is None else min(most[0], row.per_day),
            most[1] if row.per_week is None else min(most[1], row.per_week),
        )
        for mentor_id in mentor_ids
    }
