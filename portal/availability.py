"""Which times can be offered: intervals in, intervals out. No database, no clock.

Every interval is half-open and in UTC; hours are written in London wall time and laid on the calendar day by
day, so that 13:00 stays 13:00 when the clocks change. The list that people choose from and the check made
when they book are the same function, `offered`.

    hours, holidays -> open_intervals -> slots that keep clear of what is taken -> offered
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

import holidays as published_holidays

from portal.intervals import (
    CELL_SECONDS,
    QUARTER,
    EndsBeforeStart,
    Interval,
    NotQuarterHours,
    Pair,
    Times,
    cells,
    epoch,
    free,
    gaps,
    interval_of,
    intervals_of,
    joined,
    padded,
    quarters,
    seconds_of,
)
from privacy.clock import MINUTES_IN_DAY, MissingTime, as_utc, end_of_day, london_date, start_of_day, wall

__all__ = [
    "EndsBeforeStart",
    "Interval",
    "NotQuarterHours",
    "Span",
    "Times",
    "WeeklyHours",
    "at_wall_time",
    "bank_holidays",
    "cells",
    "free",
    "intervals_of",
    "is_offered",
    "offered",
    "open_intervals",
    "padded",
    "slots",
]


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


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England, substitute days included. They differ from those of the other nations."""
    return frozenset(published_holidays.country_holidays("GB", subdiv="ENG", years=year))


def open_intervals(hours: WeeklyHours, *, days: Iterable[date], holidays: frozenset[date]) -> list[Interval]:
    """The hours of these days as instants, in the order of `days`.

    Spans of one day that touch or overlap become one interval. Nothing joins over midnight: each day stands
    for itself, so the times offered on a day don't depend on which other days are looked at.
    """
    return [interval_of(*opening) for opening in _openings(hours, days=days, holidays=holidays)]


def slots(
    intervals: Iterable[Interval],
    *,
    minutes: int,
    step: int = 30,
    not_before: datetime,
    not_after: datetime,
) -> Times:
    """Times of `minutes` length that fit whole into one of the intervals, which don't overlap each other.

    The first starts at an interval's first quarter hour, the next every `step` minutes after it. None starts
    before `not_before` and none ends after `not_after`. Raises NotQuarterHours.
    """
    starts = _starts(
        map(seconds_of, intervals),
        busy=[],
        length=quarters(minutes),
        step=quarters(step),
        buffer=0,
        earliest=epoch(not_before),
        latest=epoch(not_after),
    )
    return Times(starts, seconds=minutes * 60)


def offered(
    hours: WeeklyHours,
    *,
    taken: Iterable[Interval],
    minutes: int,
    buffer_minutes: int,
    notice_hours: int,
    horizon_days: int,
    holidays: frozenset[date],
    now: datetime,
    step: int = 30,
    within: Interval | None = None,
) -> Times:
    """The times that can be booked, in order. List and booking both ask this and nothing else.

    `taken` is all that occupies the people concerned, other sessions' buffers included. A time is offered
    when it lies in the hours, starts at least `notice_hours` (elapsed) from now, ends on or before the London
    day `horizon_days` after today, and `padded` with its own buffer touches nothing taken; the buffer itself
    may lie outside the hours. `within` shows only a part, such as one week, of exactly the same times. Where
    the times start depends on the hours only, so a booking made meanwhile takes times away and shifts none.
    Raises NotQuarterHours.
    """
    today = london_date(now)
    earliest = as_utc(now) + timedelta(hours=notice_hours)
    latest = end_of_day(today + timedelta(days=horizon_days))
    if within is not None:
        earliest, latest = max(earliest, as_utc(within.starts_at)), min(latest, as_utc(within.ends_at))
    if earliest >= latest:
        return Times([], seconds=minutes * 60)
    starts = _starts(
        _openings(hours, days=_days(london_date(earliest), london_date(latest)), holidays=holidays),
        busy=joined(map(seconds_of, taken)),
        length=quarters(minutes),
        step=quarters(step),
        buffer=quarters(buffer_minutes, least=0),
        earliest=epoch(earliest),
        latest=epoch(latest),
    )
    return Times(starts, seconds=minutes * 60)


def is_offered(
    hours: WeeklyHours,
    *,
    taken: Iterable[Interval],
    minutes: int,
    buffer_minutes: int,
    notice_hours: int,
    horizon_days: int,
    holidays: frozenset[date],
    now: datetime,
    starts_at: datetime,
    step: int = 30,
) -> bool:
    """Whether `offered`, asked the same, holds a time that starts at this instant."""
    asked = Interval(as_utc(starts_at), as_utc(starts_at) + timedelta(minutes=minutes))
    return asked in offered(
        hours,
        taken=taken,
        minutes=minutes,
        buffer_minutes=buffer_minutes,
        notice_hours=notice_hours,
        horizon_days=horizon_days,
        holidays=holidays,
        now=now,
        step=step,
        within=asked,
    )


def at_wall_time(day: date, minute: int, *, minutes: int, fold: int = 0) -> Interval:
    """The interval that begins when London's clocks show `minute` on `day` and lasts `minutes` real minutes.

    A time that comes twice is the first, BST, unless `fold` is 1 (`zone_if_twice` gives the letters to show).
    Raises MissingTime, which names the clock change, and NotQuarterHours.
    """
    if minute % QUARTER:
        raise NotQuarterHours(f"{minute} minutes: use quarter hours")
    starts_at = wall(day, minute, fold=fold)
    return Interval(starts_at, starts_at + timedelta(seconds=quarters(minutes)))


def _openings(hours: WeeklyHours, *, days: Iterable[date], holidays: frozenset[date]) -> Iterator[Pair]:
    # Most days of a year are alike: their spans are joined once for the week, not once for each day.
    weekly = {weekday: _in_seconds(spans) for weekday, spans in hours.weekly.items()}
    for day in days:
        exception = hours.exceptions.get(day)
        if exception is not None:
            spans = _in_seconds(exception)
        elif day in holidays:
            continue
        else:
            spans = weekly.get(day.weekday(), [])
        if spans:
            midnight, ordinary = _midnight(day)
            if ordinary:
                for starts, ends in spans:
                    yield midnight + starts, midnight + ends
            else:
                yield from joined((_reached(day, starts), _reached(day, ends)) for starts, ends in spans)


def _in_seconds(spans: tuple[Span, ...]) -> list[Pair]:
    return joined((span.starts * 60, span.ends * 60) for span in spans)


@lru_cache(maxsize=4096)
def _midnight(day: date) -> tuple[int, bool]:
    """The day's first second, and whether it is a day of 24 hours."""
    start, end = epoch(start_of_day(day)), epoch(end_of_day(day))
    return start, end - start == 24 * 3600


def _reached(day: date, second: int) -> int:
    """The first instant at which the day's clocks show this time or a later one."""
    minute = second // 60
    while True:
        try:
            return epoch(wall(day, minute))
        except MissingTime:
            minute += QUARTER


def _starts(
    openings: Iterable[Pair],
    *,
    busy: list[Pair],
    length: int,
    step: int,
    buffer: int,
    earliest: int,
    latest: int,
) -> list[int]:
    found: list[int] = []
    ends = [end for _, end in busy]
    for opens, closes in openings:
        anchor = -(-opens // CELL_SECONDS) * CELL_SECONDS
        for gap_from, gap_to in gaps(opens - buffer, closes + buffer, busy, ends):
            first = max(anchor, gap_from + buffer, earliest)
            last = min(closes, gap_to - buffer, latest) - length
            found.extend(range(first + (anchor - first) % step, last + 1, step))
    return found


def _days(first: date, last: date) -> Iterator[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
