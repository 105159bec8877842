"""Which times can be offered: intervals in, intervals out. No database, no clock.

Every interval is half-open and in UTC; hours are written in London wall time and laid on the calendar day by
day, so that 13:00 stays 13:00 when the clocks change. The list that people choose from and the check made
when they book are the same function, `offered`.

    hours, holidays -> open_intervals -> slots that keep clear of what is taken and away -> offered
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from portal.booking.intervals import (
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
    intervals_of,
    joined,
    padded,
    quarters,
    seconds_of,
)
from portal.booking.opening import (
    Span,
    WeeklyHours,
    bank_holidays,
    days_between,
    holiday_names,
    open_intervals,
    openings,
    stretch,
)
from privacy.clock import as_utc, end_of_day, london_date, wall

__all__ = [
    "Agenda",
    "EndsBeforeStart",
    "Interval",
    "NotQuarterHours",
    "Rules",
    "Span",
    "Times",
    "WeeklyHours",
    "at_wall_time",
    "bank_holidays",
    "cells",
    "free",
    "holiday_names",
    "intervals_of",
    "is_offered",
    "offered",
    "open_intervals",
    "padded",
    "slots",
    "stretch",
]


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
        away=[],
        length=quarters(minutes),
        step=quarters(step),
        margin=0,
        earliest=epoch(not_before),
        latest=epoch(not_after),
    )
    return Times(starts, seconds=minutes * 60)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for times of one length, whoever gives them.

    `margin_minutes` lie free on both sides of a time: the buffer, or the way there. `notice_hours` elapse from now
    to the start at least; no time ends after the London day `horizon_days` after today. Times start every `step`
    minutes of an opening.
    """

    minutes: int
    margin_minutes: int = 0
    notice_hours: int = 0
    horizon_days: int = 365
    step: int = 30


@dataclass(frozen=True, slots=True)
class Agenda:
    """One mentor's time, and that of whom they would meet.

    `taken` is what occupies any of them, margins of the other sessions included: a time keeps its own margin clear
    of it. `away` is leave and what closes the council: only the time itself keeps clear. `held` counts the
    mentor's sessions by London day, at most `per_day` of them, and `per_week` from Monday to Sunday.
    """

    hours: WeeklyHours
    holidays: frozenset[date] = frozenset()
    taken: Sequence[Interval] = ()
    away: Sequence[Interval] = ()
    held: Mapping[date, int] = field(default_factory=dict)
    per_day: int | None = None
    per_week: int | None = None

    def full(self) -> Callable[[date], bool] | None:
        """Tells of a day whether it, or its week, has as many sessions as there may be; None where none has."""
        day_most, week_most, held = self.per_day, self.per_week, self.held
        weeks: dict[int, int] = {}
        for day, number in held.items():
            weeks[_week(day)] = weeks.get(_week(day), 0) + number
        full_days = {day for day, number in held.items() if day_most is not None and number >= day_most}
        full_weeks = {week for week, number in weeks.items() if week_most is not None and number >= week_most}
        if day_most == 0 or week_most == 0:
            return lambda day: True
        if not full_weeks:
            return full_days.__contains__ if full_days else None
        return lambda day: day in full_days or _week(day) in full_weeks


def offered(agenda: Agenda, rules: Rules, *, now: datetime, within: Interval | None = None) -> Times:
    """The times that can be booked, in order. List and booking both ask this and nothing else.

    A time lies whole in the hours and outside what is away, on a day and in a week that is not full; with its
    margin it touches nothing taken, and the margin itself may lie outside the hours. `within` shows only a part,
    such as one week, of exactly the same times. Where the times start depends on the hours only, so a booking
    made meanwhile takes times away and shifts none. Raises NotQuarterHours.
    """
    today = london_date(now)
    earliest = as_utc(now) + timedelta(hours=rules.notice_hours)
    latest = end_of_day(today + timedelta(days=rules.horizon_days))
    if within is not None:
        earliest, latest = max(earliest, as_utc(within.starts_at)), min(latest, as_utc(within.ends_at))
    if earliest >= latest:
        return Times([], seconds=rules.minutes * 60)
    full = agenda.full()
    days = days_between(london_date(earliest), london_date(latest))
    starts = _starts(
        openings(
            agenda.hours,
            days=days if full is None else [day for day in days if not full(day.date)],
            holidays=agenda.holidays,
        ),
        busy=joined(map(seconds_of, agenda.taken)),
        away=joined(map(seconds_of, agenda.away)),
        length=quarters(rules.minutes),
        step=quarters(rules.step),
        margin=quarters(rules.margin_minutes, least=0),
        earliest=epoch(earliest),
        latest=epoch(latest),
    )
    return Times(starts, seconds=rules.minutes * 60)


def is_offered(agenda: Agenda, rules: Rules, *, now: datetime, starts_at: datetime) -> bool:
    """Whether `offered`, asked the same, holds a time that starts at this instant."""
    asked = Interval(as_utc(starts_at), as_utc(starts_at) + timedelta(minutes=rules.minutes))
    return asked in offered(agenda, rules, now=now, within=asked)


def at_wall_time(day: date, minute: int, *, minutes: int, fold: int = 0) -> Interval:
    """The interval that begins when London's clocks show `minute` on `day` and lasts `minutes` real minutes.

    A time that comes twice is the first, BST, unless `fold` is 1 (`zone_if_twice` gives the letters to show).
    Raises MissingTime, which names the clock change, and NotQuarterHours.
    """
    if minute % QUARTER:
        raise NotQuarterHours(f"{minute} minutes: use quarter hours")
    starts_at = wall(day, minute, fold=fold)
    return Interval(starts_at, starts_at + timedelta(seconds=quarters(minutes)))


def _starts(
    opened: Iterable[Pair],
    *,
    busy: list[Pair],
    away: list[Pair],
    length: int,
    step: int,
    margin: int,
    earliest: int,
    latest: int,
) -> list[int]:
    found: list[int] = []
    busy_ends, away_ends = [end for _, end in busy], [end for _, end in away]
    for opens, closes in opened:
        anchor = -(-opens // CELL_SECONDS) * CELL_SECONDS
        for free_from, free_to in gaps(opens - margin, closes + margin, busy, busy_ends):
            for gap_from, gap_to in gaps(free_from + margin, free_to - margin, away, away_ends):
                first = max(anchor, gap_from, earliest)
                last = min(gap_to, latest) - length
                found += range(first + (anchor - first) % step, last + 1, step)
    return found


def _week(day: date) -> int:
    """Weeks from Monday to Sunday, numbered."""
    return (day.toordinal() - 1) // 7
