"""The one clock, and the London calendar laid over it.

Instants are aware UTC everywhere; a *day* is a London date, and a *minute* is minutes of the London wall
clock since 00:00 (0 to 1440, where 1440 is midnight at the day's end). A London day has 23, 24 or 25 hours.
"""

import time as _time
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present instant, aware UTC."""

LONDON = ZoneInfo("Europe/London")

MINUTES_IN_DAY = 24 * 60

CLOCKS_DIFFER = timedelta(minutes=15)
"""Clocks of two machines, or of one before and after it was put right, differ by less: what was done that little
ahead of now is done."""


def day_words(day: date) -> str:
    """`3 March 2023`: the one way that a day is written for people, by pages, mails, papers and refusals alike."""
    return f"{day.day} {day:%B %Y}"


def month_words(day: date, *, year: bool = False) -> str:
    """`March`, or `March 2023`."""
    return f"{day:%B %Y}" if year else f"{day:%B}"


def weekday_words(day: date) -> str:
    """`Friday`."""
    return f"{day:%A}"


class MissingTime(ValueError):
    """A wall time that the clock jumps over on that day; the message can be shown to people as it is."""

    def __init__(self, day: date, minute: int) -> None:
        self.day = day
        self.minute = minute
        super().__init__(
            f"There is no {clock_face(minute)} on {day_words(day)}. The clocks go forward that night, "
            "from 1am to 2am. Choose a time before 1am or from 2am."
        )


class NaiveInstant(ValueError):
    """A datetime without a zone was given where an instant is needed."""


def system_clock() -> datetime:
    """The machine's present instant, aware UTC. The only place that reads it."""
    return datetime.now(UTC)


def clock_from(start: datetime, *, since: float | None = None) -> Clock:
    """A clock that shows `start` now and runs on from there, whatever is done to the machine's own clock.

    `since` is the reading of `ticks()` at which it showed `start`: processes of one machine that are given the
    same two agree to the microsecond, however long each took to begin.
    """
    beginning, zero = as_utc(start), _time.monotonic() if since is None else since

    def clock() -> datetime:
        return beginning + timedelta(seconds=_time.monotonic() - zero)

    return clock


def ticks() -> float:
    """Seconds that run on alike for all processes of this machine since it started."""
    return _time.monotonic()


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises NaiveInstant."""
    if instant.utcoffset() is None:
        raise NaiveInstant(f"{instant.isoformat()} has no time zone")
    return instant.astimezone(UTC)


def london(instant: datetime) -> datetime:
    """The instant as London's clocks show it. Raises NaiveInstant."""
    return as_utc(instant).astimezone(LONDON)


def london_date(instant: datetime) -> date:
    """The London day that the instant falls in. Raises NaiveInstant."""
    return london(instant).date()


def start_of_day(day: date) -> datetime:
    """The instant of 00:00 in London. London's clocks have never changed at midnight, so it always exists."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The first instant after that London day: what lies before it is still in time (half-open)."""
    return start_of_day(day + timedelta(days=1))


def wall(day: date, minute: int, *, fold: int = 0) -> datetime:
    """The instant at which London's clocks show `minute` on `day`.

    A time that comes twice (the night the clocks go back) means its first coming, BST, unless `fold` is 1;
    for every other time `fold` says nothing. Raises MissingTime for a time that the clocks jump over.
    """
    if not 0 <= minute <= MINUTES_IN_DAY:
        raise ValueError(f"{minute} is not a minute of a day (0 to {MINUTES_IN_DAY})")
    if minute == MINUTES_IN_DAY:
        return end_of_day(day)
    shown = time(minute // 60, minute % 60, fold=fold)
    instant = datetime.combine(day, shown, LONDON).astimezone(UTC)
    # Python turns a missing time into an instant an hour away; only the way back shows that.
    if minute_of_day(instant) != minute:
        raise MissingTime(day, minute)
    return instant


def is_ambiguous(day: date, minute: int) -> bool:
    """Whether London's clocks show this time twice on that day. A missing time is not ambiguous."""
    try:
        return wall(day, minute, fold=0) != wall(day, minute, fold=1)
    except MissingTime:
        return False


def minute_of_day(instant: datetime) -> int:
    """What London's clocks show, in minutes since 00:00."""
    shown = london(instant)
    return shown.hour * 60 + shown.minute


def time_words(instant: datetime, *, zone: bool = False) -> str:
    """`2pm`, `2:30pm`, `midday`, `midnight`: the one way that a time is written for people, in London time.

    `1:30am BST` in the hour that happens twice, and everywhere with `zone`.
    """
    return _time_words(as_utc(instant), zone)


# By instants in UTC: in London's zone two that lie an hour apart count as equal in the night the clocks go back.
@lru_cache(maxsize=4096)
def _time_words(instant: datetime, zone: bool) -> str:
    name = london(instant).tzname() if zone else zone_if_twice(instant)
    face = clock_face(minute_of_day(instant))
    return f"{face} {name}" if name else face


def zone_if_twice(instant: datetime) -> str:
    """ "BST" or "GMT" when the clocks show this instant's time twice that day, else an empty string."""
    shown = london(instant)
    return (shown.tzname() or "") if is_ambiguous(shown.date(), minute_of_day(instant)) else ""


def clock_face(minute: int) -> str:
    """The minute of a day as people write it: "2:30pm", "1am", "midnight", "midday"."""
    if minute % MINUTES_IN_DAY == 0:
        return "midnight"
    if minute == MINUTES_IN_DAY // 2:
        return "midday"
    hour, past = divmod(minute, 60)
    return f"{(hour - 1) % 12 + 1}{f':{past:02}' if past else ''}{'am' if hour < 12 else 'pm'}"


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later (negative: earlier), clipped to that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
