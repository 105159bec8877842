"""Times at which sessions are hardly ever held: before 7am, after 9pm, at a weekend, on a bank holiday.

They can be booked by those who serve the package, who are asked once whether they meant it. Nobody is asked about what
lies in the hours that the mentor publishes.
"""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.booking import holidays, hours
from portal.booking.availability import Interval, WeeklyHours, open_intervals
from portal.booking.diary import Refused
from portal.filters import time as clock_words
from portal.filters import weekday_day
from portal.sureness import Sure
from privacy.clock import london_date, wall

EARLIEST, LATEST = 7 * 60, 21 * 60
"""Minutes of the London day between which sessions begin and end."""
SATURDAY = 5


class UnusualTime(Refused):
    """Nobody has said that an unusual time is meant; the message says what is unusual about it."""

    def __init__(self, why: list[str]) -> None:
        super().__init__(f"{'. '.join(why)}. Say if this is right, or choose another time")


def require_meant(db: DbSession, *, mentor_id: UUID, times: list[Interval], sure: Sure) -> None:
    """Raises UnusualTime unless each time is usual, lies in the mentor's hours, or is meant (`sure`)."""
    found = [why for time in times if not _published(db, mentor_id, time) for why in about(db, time)]
    if found and not sure(str(unusual := UnusualTime(list(dict.fromkeys(found))))):
        raise unusual


def about(db: DbSession, time: Interval) -> list[str]:
    """What is unusual about a time, in sentences without a full stop."""
    on = london_date(time.starts_at)
    named = holidays.named(db, first=on, last=on)
    holiday = [f"{weekday_day(on)} is a bank holiday ({named[on]})"] if on in named else []
    return holiday + about_clock(time)


def about_clock(time: Interval) -> list[str]:
    """The same, bank holidays apart."""
    on = london_date(time.starts_at)
    found = []
    if on.weekday() >= SATURDAY:
        found.append(f"{weekday_day(on)} is at a weekend")
    if time.starts_at < wall(on, EARLIEST):
        found.append(f"It would start at {clock_words(time.starts_at)}, which is early")
    if time.ends_at > wall(on, LATEST):
        found.append(f"It would end at {clock_words(time.ends_at)}, which is late")
    return found


def is_published(week: WeeklyHours, closed: frozenset[date], time: Interval) -> bool:
    """Whether it lies in these hours, which leave the bank holidays `closed` out unless they open that day."""
    opened = open_intervals(week, days=[london_date(time.starts_at)], holidays=closed)
    return any(one.starts_at <= time.starts_at and time.ends_at <= one.ends_at for one in opened)


def _published(db: DbSession, mentor_id: UUID, time: Interval) -> bool:
    on = london_date(time.starts_at)
    return is_published(hours.of(db, [mentor_id])[mentor_id], holidays.days(db, first=on, last=on), time)
