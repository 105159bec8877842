"""Half-open intervals of time, in UTC, and the quarter hours they cover. No database, no clock."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple, overload

from privacy.clock import NaiveInstant, as_utc

QUARTER = 15
CELL_SECONDS = QUARTER * 60


class NotQuarterHours(ValueError):
    """A time or a length that isn't a whole number of quarter hours."""


class EndsBeforeStart(ValueError):
    """A span or an interval that ends at or before its own start."""


class Interval(NamedTuple):
    """From one aware instant up to, and not including, another. Sorts by start."""

    starts_at: datetime
    ends_at: datetime


class Times(Sequence[Interval]):
    """Intervals of one length, in order, each made when it is looked at: a page shows few of a year's."""

    def __init__(self, starts: Sequence[int], *, seconds: int) -> None:
        self._starts = starts
        self._seconds = seconds

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Interval: ...

    @overload
    def __getitem__(self, index: slice) -> list[Interval]: ...

    def __getitem__(self, index: int | slice) -> Interval | list[Interval]:
        if isinstance(index, slice):
            return [interval_of(start, start + self._seconds) for start in self._starts[index]]
        return interval_of(self._starts[index], self._starts[index] + self._seconds)

    def __repr__(self) -> str:
        return f"Times({list(self)!r})"


def free(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What is left of each interval, in the order given, when the taken ones are cut out.

    The taken ones may come in any order and overlap. Intervals that touch stay apart.
    """
    busy = joined(map(seconds_of, taken))
    ends = [end for _, end in busy]
    return [interval_of(*gap) for each in intervals for gap in gaps(*seconds_of(each), busy, ends)]


def padded(interval: Interval, *, buffer_minutes: int) -> Interval:
    """The interval with its buffer on both sides: what a session takes of a person's time."""
    buffer = timedelta(minutes=buffer_minutes)
    return Interval(interval.starts_at - buffer, interval.ends_at + buffer)


def cells(starts_at: datetime, ends_at: datetime) -> list[int]:
    """The numbers of the quarter hours that the interval covers, rising: seconds since 1970 in UTC // 900.

    Raises NotQuarterHours or EndsBeforeStart: an interval that covers no cell would be guarded by nothing.
    """
    first, past = as_utc(starts_at).timestamp() / CELL_SECONDS, as_utc(ends_at).timestamp() / CELL_SECONDS
    if not (first.is_integer() and past.is_integer()):
        raise NotQuarterHours(f"{starts_at.isoformat()} to {ends_at.isoformat()}: use quarter hours")
    if past <= first:
        raise EndsBeforeStart(
            f"{starts_at.isoformat()} to {ends_at.isoformat()}: the end must come after the start"
        )
    return list(range(int(first), int(past)))


def intervals_of(numbers: Iterable[int]) -> list[Interval]:
    """The intervals that these cells cover, neighbours joined; the cells may come in any order."""
    pieces = ((number * CELL_SECONDS, (number + 1) * CELL_SECONDS) for number in numbers)
    return [interval_of(*piece) for piece in joined(pieces)]


# Underneath, an instant is a whole number of seconds since 1970 and an interval a pair of them: a year of
# times for a hundred people is a quarter of a million additions, and datetimes would take ten times as long.

Pair = tuple[int, int]


def gaps(start: int, end: int, busy: list[Pair], ends: list[int]) -> list[Pair]:
    """What `busy` (sorted, joined; `ends` are its ends) leaves of the interval from start to end."""
    first = bisect_right(ends, start)
    if first == len(busy) or busy[first][0] >= end:
        return [(start, end)] if start < end else []
    left: list[Pair] = []
    for number in range(first, len(busy)):
        taken_from, taken_to = busy[number]
        if taken_from >= end:
            break
        if taken_from > start:
            left.append((start, taken_from))
        start = taken_to
    if start < end:
        left.append((start, end))
    return left


def joined(pairs: Iterable[Pair]) -> list[Pair]:
    """Sorted, without empty ones, and with those that touch or overlap made one."""
    result: list[Pair] = []
    for start, end in sorted(pairs):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def quarters(minutes: int, *, least: int = QUARTER) -> int:
    """The length in seconds. Raises NotQuarterHours."""
    if minutes % QUARTER or minutes < least:
        raise NotQuarterHours(f"{minutes} minutes: use quarter hours, at least {least} minutes")
    return minutes * 60


def epoch(instant: datetime) -> int:
    """Seconds since 1970, a part of a second counted as a whole one. Raises NaiveInstant."""
    if instant.utcoffset() is None:
        raise NaiveInstant(f"{instant.isoformat()} has no time zone")
    return ceil(instant.timestamp())


def seconds_of(interval: Interval) -> Pair:
    return epoch(interval.starts_at), epoch(interval.ends_at)


def interval_of(start: int, end: int) -> Interval:
    return Interval(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
