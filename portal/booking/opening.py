"""When somebody is open: hours in London wall time, laid on the calendar day by day. No database, no clock.

13:00 stays 13:00 when the clocks change; a day may end at 24:00 and has 23, 24 or 25 hours.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from portal.booking.intervals import (
    QUARTER,
    EndsBeforeStart,
    Interval,
    NotQuarterHours,
    Pair,
    epoch,
    interval_of,
    joined,
)
from privacy import published_holidays
from privacy.clock import MINUTES_IN_DAY, MissingTime, end_of_day, start_of_day, wall


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Part of a London day in minutes of the wall clock, 0 to 1440, half-open, in quarter hours.

    Raises NotQuarterHours or EndsBeforeStart.
    """

    starts: int
    ends: int

    def __post_init__(self) -> None:
        if self.starts % QUARTER or self.ends % QUARTER:
            raise NotQuarterHours(f"{self.starts} to {self.ends} minutes: use quarter hours")
        if self.ends <= self.starts:
            raise EndsBeforeStart(f"{self.starts} to {self.ends} minutes: the end must come after the start")
        if self.starts < 0 or self.ends > MINUTES_IN_DAY:
            raise ValueError(f"{self.starts} to {self.ends} minutes: a day has 0 to {MINUTES_IN_DAY}")


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """When somebody can be booked, in London wall time.

    `weekly` maps a weekday (0 is Monday) to its spans. `exceptions` maps a single date to the spans that hold
    on that date instead of the weekly ones and of a bank holiday; no spans closes the day. Where the clocks
    change, a span begins and ends when the clock first shows its time or a later one.
    """

    weekly: Mapping[int, tuple[Span, ...]]
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)


def holiday_names(year: int) -> Mapping[date, str]:
    """The bank holidays of England by name, substitute days included. Those of the other nations differ."""
    return published_holidays.holiday_names("ENG", year)


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """The days of `holiday_names`."""
    return frozenset(holiday_names(year))


def open_intervals(hours: WeeklyHours, *, days: Iterable[date], holidays: frozenset[date]) -> list[Interval]:
    """The hours of these days as instants, in the order of `days`.

    Spans of one day that touch or overlap become one interval. Nothing joins over midnight: each day stands
    for itself, so the times offered on a day don't depend on which other days are looked at.
    """
    return [interval_of(*opening) for opening in openings(hours, days=map(day_of, days), holidays=holidays)]


def stretch(from_on: date, from_minute: int, to_on: date, to_minute: int) -> Interval:
    """From a minute of one London day to a minute of the same or a later one, as instants.

    Where the clocks change it begins and ends when they first show its minute or a later one. It can be empty:
    an hour that the clocks jump over.
    """
    return interval_of(_reached(from_on, from_minute * 60), _reached(to_on, to_minute * 60))


class Day(NamedTuple):
    """A London day, its weekday, its first second, and whether it has 24 hours."""

    date: date
    weekday: int
    midnight: int
    ordinary: bool


@lru_cache(maxsize=4096)
def day_of(day: date) -> Day:
    """The day as `openings` takes it."""
    start, end = epoch(start_of_day(day)), epoch(end_of_day(day))
    return Day(day, day.weekday(), start, end - start == 24 * 3600)


@lru_cache(maxsize=64)
def days_between(first: date, last: date) -> tuple[Day, ...]:
    """The days from one to another: the same for all mentors of a page."""
    return tuple(
        day_of(date.fromordinal(number)) for number in range(first.toordinal(), last.toordinal() + 1)
    )


def openings(hours: WeeklyHours, *, days: Iterable[Day], holidays: frozenset[date]) -> Iterator[Pair]:
    """The hours of these days in seconds since 1970; see `open_intervals`."""
    # Most days of a year are alike: their spans are joined once for the week, not once for each day.
    weekly = [_in_seconds(hours.weekly.get(weekday, ())) for weekday in range(7)]
    exceptions = hours.exceptions
    for day, weekday, midnight, ordinary in days:
        if day in exceptions:
            spans = _in_seconds(exceptions[day])
        elif day in holidays:
            continue
        else:
            spans = weekly[weekday]
        if ordinary:
            for starts, ends in spans:
                yield midnight + starts, midnight + ends
        elif spans:
            yield from joined((_reached(day, starts), _reached(day, ends)) for starts, ends in spans)


def _in_seconds(spans: tuple[Span, ...]) -> list[Pair]:
    return joined((span.starts * 60, span.ends * 60) for span in spans)


def _reached(day: date, second: int) -> int:
    """The first instant at which the day's clocks show this time or a later one."""
    minute = second // 60
    while True:
        try:
            return epoch(wall(day, minute))
        except MissingTime:
            minute += QUARTER
