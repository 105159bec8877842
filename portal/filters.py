"""How dates, times and lengths read: one way each, in London time. Pages and mails use the same."""

from datetime import date, datetime, timedelta

from privacy.clock import day_words, london, minute_of_day, month_words, time_words, weekday_words


def day(value: date | datetime) -> str:
    """`3 March 2023`."""
    local = london(value) if isinstance(value, datetime) else value
    return day_words(local)


def month_name(value: date) -> str:
    """`March`."""
    return month_words(value)


def weekday_day(value: date | datetime) -> str:
    """`Friday 3 March 2023`."""
    local = london(value) if isinstance(value, datetime) else value
    return f"{weekday_words(local)} {day_words(local)}"


def time(value: datetime) -> str:
    """`2pm`, `2:30pm`, `midday`, `midnight`; `1:30am BST` in the hour that happens twice."""
    return time_words(value)


def day_time(value: datetime) -> str:
    """`Friday 3 March 2023, 2:30pm`."""
    return f"{weekday_day(value)}, {time(value)}"


def when(value: datetime) -> str:
    """`Friday 3 March 2023, 2:30pm`; without a time where only the day was written down, which is kept as its start."""
    return day_time(value) if minute_of_day(value) else weekday_day(value)


def by_when(value: datetime) -> str:
    """When something has to be done by: `Friday 3 March 2023, 2:30pm`.

    `the end of Friday 3 March 2023` at the midnight that ends that day, which people take for the one that begins it.
    """
    if minute_of_day(value):
        return day_time(value)
    return f"the end of {weekday_day(value - timedelta(microseconds=1))}"


def span(starts_at: datetime, ends_at: datetime) -> str:
    """`Friday 3 March 2023, 2:30pm to 4pm`."""
    return f"{day_time(starts_at)} to {time(ends_at)}"


def last_day(closes_at: datetime) -> str:
    """`3 March 2023`: the last London day of a window that closes at an instant, itself excluded."""
    return day(closes_at - timedelta(microseconds=1))


def minutes(value: int) -> str:
    """`2 hours 30 minutes`."""
    hours, rest = divmod(value, 60)
    parts = []
    if hours:
        parts.append(f"{hours} hour{'s' if hours != 1 else ''}")
    if rest or not hours:
        parts.append(f"{rest} minute{'s' if rest != 1 else ''}")
    return " ".join(parts)


def days(value: int, minutes_in_day: int) -> str:
    """`3.5 days`, by the programme's length of a day."""
    text = f"{round(value / minutes_in_day, 1):g}"
    return f"{text} day{'' if text == '1' else 's'}"


def file_size(value: int) -> str:
    """`340 KB`, `2.5 MB`."""
    if value < 1024 * 1024:
        return f"{max(1, round(value / 1024))} KB"
    return f"{value / 1024 / 1024:.1f} MB"


def noun(number: int, one: str, many: str) -> str:
    """The word that stands beside a number which is shown apart from it."""
    return one if number == 1 else many


def count(number: int, one: str, many: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {noun(number, one, many)}"
