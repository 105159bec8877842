"""The times that a leader can choose from: all mentors of a package, or one."""

from calendar import Calendar
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import accumulate, groupby, islice, pairwise, starmap, takewhile
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.booking import blackouts, standing, timetable
from portal.booking.availability import Interval
from portal.booking.timetable import Timetable
from portal.mentors import clearances, serving
from portal.models import Blackout, Package, PackageMentor, Place
from portal.programme import Programme, contract_period
from privacy.clock import end_of_day, london_date, start_of_day

DAYS_AT_ONCE = (7, 21)
"""How many are looked through first, and next; a page of times seldom needs more."""


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


def times(
    db: DbSession,
    programme: Programme,
    package: Package,
    *,
    now: datetime,
    limit: int | None,
    after: datetime | None = None,
    before: datetime | None = None,
    mentor_id: UUID | None = None,
    moving: UUID | None = None,
    minutes: int | None = None,
    place: Place = Place.REMOTE,
    known: Sequence[PackageMentor] | None = None,
) -> list[Choice]:
    """The first times that can be booked, in order, or all where `limit` is None: all mentors of the package, or one.

    `after` leaves out what starts before it, `before` what starts then or later. `moving` is a session whose own time
    counts as free, `minutes` its length. `place` says whether the mentor has a way to go. `known` is what
    serving.servings_of says, for whoever asked already. The number of queries is the same however many mentors and
    times there are.
    """
    members = standing.taking_part(db, package.id)
    if package.state not in standing.OPEN or not members:
        return []
    servings: dict[UUID, list[PackageMentor]] = {}
    for one in serving.servings_of(db, package.id) if known is None else known:
        if mentor_id is None or one.person_id == mentor_id:
            servings.setdefault(one.person_id, []).append(one)
    # Nobody is offered with somebody who is not cleared today (annex 1).
    held_back = clearances.gaps(db, list(servings), on=london_date(now))
    servings = {one: stretches for one, stretches in servings.items() if not held_back.get(one)}
    period = contract_period(db, programme, on=london_date(now))
    window = Interval(
        max(now, start_of_day(period.starts_on), after or now),
        min(end_of_day(period.ends_on), now + timedelta(days=programme.horizon_days + 1)),
    )
    if window.starts_at >= window.ends_at:
        return []
    table = timetable.read(
        db,
        programme,
        mentor_ids=list(servings),
        person_ids=[standing.person_of(members[0])],
        council_id=package.council_id,
        window=window,
        now=now,
        but=moving,
    )
    length = minutes or programme.session_minutes
    found = (
        _choices(_offered(table, one, minutes=length, place=place), package, stretches)
        for one, stretches in servings.items()
    )
    listed = merge(*found)
    asked = listed if before is None else takewhile(lambda one: one.starts_at < before, listed)
    return list(islice(asked, limit))


def days(found: Iterable[Choice]) -> Mapping[date, int]:
    """How many of these times lie on each London day that has any."""
    return Counter(one.day for one in found)


def months(found: Collection[date]) -> list[tuple[date, list[list[date]]]]:
    """Every month from the first of these days to the last: its first day, and whole weeks, Monday first."""
    if not found:
        return []
    first, last = min(found), max(found)
    counted = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    firsts = [date(number // 12, number % 12 + 1, 1) for number in counted]
    return [(one, Calendar().monthdatescalendar(one.year, one.month)) for one in firsts]


def closed(db: DbSession, programme: Programme, package: Package, *, now: datetime) -> Sequence[Blackout]:
    """The times without sessions that those who book are told about: from now to the horizon."""
    today = london_date(now)
    return blackouts.of(
        db, package.council_id, first=today, last=today + timedelta(days=programme.horizon_days)
    )


def _offered(table: Timetable, mentor_id: UUID, *, minutes: int, place: Place) -> Iterator[Interval]:
    """The times of the first weeks, and those of the year behind them only if somebody looks so far: a page shows few.

    No time reaches over midnight, so none is lost where the window is cut.
    """
    starts_at, ends_at = table.window
    first = london_date(starts_at)
    cuts = [start_of_day(first + timedelta(days=days)) for days in accumulate(DAYS_AT_ONCE)]
    for part in starmap(Interval, pairwise([starts_at, *(cut for cut in cuts if cut < ends_at), ends_at])):
        yield from table.offered(mentor_id, minutes=minutes, place=place, within=part)


def _choices(
    found: Iterable[Interval], package: Package, servings: Sequence[PackageMentor]
) -> Iterable[Choice]:
    """The times of one mentor on the days that a booking would not be refused."""
    mentor = servings[0].person
    name = mentor.name or mentor.ref
    for day, times_of_day in groupby(found, key=lambda time: london_date(time.starts_at)):
        if serving.refusal(package, servings, day) is None:
            yield from (Choice(time.starts_at, time.ends_at, mentor.id, name) for time in times_of_day)
