"""Several one-to-one sessions booked in one go: all of them or none. Afterwards each is a session by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import diary, holidays, standing, timetable, unusual
from portal.booking.availability import Interval
from portal.booking.diary import Refused, TimeTaken
from portal.mentors import serving
from portal.models import Package, Place, Session
from portal.programme import OutsideContract, Programme, require_inside
from privacy.clock import MissingTime, add_months, london_date, wall
from privacy.work import Work

AT_LEAST, AT_MOST = 2, 12


class Every(StrEnum):
    """How often: each week, each second week, or each month on the same weekday of it."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"


class SomeRefused(TimeTaken):
    """Some of the times cannot be booked, so none is; `problems` says why, by start."""

    def __init__(self, problems: Mapping[datetime, str]) -> None:
        super().__init__("Some of these times cannot be booked, so none is. Change them or leave them out")
        self.problems = problems


class TooFew(Refused):
    """Nothing was left to book."""

    def __init__(self) -> None:
        super().__init__("Choose at least one of the sessions")


@dataclass(frozen=True)
class Date:
    """A day of a series as it is looked at before booking: when it would start, and what speaks against it.

    `starts_at` is None where the clocks jump over that time. `holiday` can be booked all the same, and so can what is
    `unusual` otherwise.
    """

    on: date
    starts_at: datetime | None
    problem: str | None
    holiday: str | None
    unusual: Sequence[str] = ()


def days(first: date, every: Every, *, count: int) -> list[date]:
    """The days of a series. Monthly keeps the weekday: the second Thursday stays the second Thursday, and what would
    be a fifth is the last of its month."""
    if every is not Every.MONTH:
        step = 7 if every is Every.WEEK else 14
        return [first + timedelta(days=step * number) for number in range(count)]
    return [_alike(first, add_months(first.replace(day=1), number)) for number in range(count)]


def preview(
    db: DbSession,
    programme: Programme,
    package: Package,
    *,
    mentor_id: UUID,
    on: Sequence[date],
    minute: int,
    minutes: int,
    place: Place,
    now: datetime,
) -> list[Date]:
    """Each day of a series with what speaks against it, in the same number of queries for many as for few."""
    names = holidays.named(db, first=min(on), last=max(on))
    starts = {day: _start(day, minute) for day in on}
    members = standing.members_of(db, package.id)
    people = [standing.person_of(member) for member in members[:1]]
    window = Interval(wall(min(on), 0), wall(max(on), 0) + timedelta(days=2))
    table = timetable.read(
        db,
        programme,
        mentor_ids=[mentor_id],
        person_ids=people,
        council_id=package.council_id,
        window=window,
        now=now,
    )
    agenda = table.agendas[mentor_id]
    servings = [one for one in serving.servings_of(db, package.id) if one.person_id == mentor_id]
    found = []
    for day, starts_at in starts.items():
        if isinstance(starts_at, MissingTime):
            found.append(Date(day, None, str(starts_at), names.get(day)))
            continue
        time = Interval(starts_at, starts_at + timedelta(minutes=minutes))
        problem: Exception | None = serving.refusal(package, servings, day)
        try:
            require_inside(db, programme, day, what="The session", on=london_date(now))
            table.require_untaken(diary.needed(programme, time, place, mentor_id=mentor_id, people=people))
            table.require_open(mentor_id, time)
            if starts_at <= now:
                problem = bookings.NotOffered()
        except (Refused, OutsideContract) as refused:
            problem = problem or refused
        said = str(problem) if problem else None
        published = unusual.is_published(agenda.hours, agenda.holidays, time)
        odd = [] if published else unusual.about_clock(time)
        found.append(Date(day, starts_at, said, names.get(day), odd))
    return found


def session_id(series_id: UUID, number: int) -> UUID:
    """The id of one session of a form: a form that is sent twice books each once."""
    return uuid5(series_id, str(number))


def book(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    mentor_id: UUID,
    sessions: Mapping[UUID, datetime],
    minutes: int,
    place: Place,
    where: str | None = None,
    travel: str | None = None,
) -> list[Session]:
    """Book these sessions, by id, at any free times ahead; all or none.

    Raises SomeRefused with a reason for each that cannot be, TooFew, and what `bookings.book` raises about the
    package itself.
    """
    if not sessions:
        raise TooFew
    booked, problems = [], {}
    for number, starts_at in sessions.items():
        try:
            booked.append(
                bookings.book(
                    work,
                    programme,
                    package_id=package_id,
                    session_id=number,
                    mentor_id=mentor_id,
                    starts_at=starts_at,
                    place=place,
                    where=where,
                    travel=travel,
                    free_time=True,
                    minutes=minutes,
                )
            )
        except (bookings.BaselineMissing, bookings.SupportClosed, bookings.FormUsed):
            raise
        except (Refused, OutsideContract) as problem:
            problems[starts_at] = str(problem)
    if problems:
        raise SomeRefused(problems)
    return booked


def _start(day: date, minute: int) -> datetime | MissingTime:
    try:
        return wall(day, minute)
    except MissingTime as problem:
        return problem


def _alike(first: date, month: date) -> date:
    """The day of a month that stands in it as `first` does in its own."""
    nearest = month + timedelta(days=(first.weekday() - month.weekday()) % 7)
    number = min((first.day - 1) // 7, 4)
    found = nearest + timedelta(days=7 * number)
    return found if found.month == month.month else found - timedelta(days=7)
