"""Days and instants that pages, forms and commands take: real ones, within the years that a clock can show.

The first and last years of a calendar overflow as soon as a time zone is laid over them.
"""

from datetime import date, datetime

from privacy.clock import as_utc

YEARS = range(2000, 2101)


def day_in(text: str) -> date:
    """The day written like 2023-03-27. Raises ValueError with a message for people."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise ValueError("The day must be a real date from 2000 to 2100, written like 2023-03-27")
    return day


def instant_in(text: str) -> datetime:
    """The instant of an ISO date and time with its zone, in UTC. Raises ValueError."""
    try:
        instant = as_utc(datetime.fromisoformat(text))
    except OverflowError as problem:
        raise ValueError("no such instant") from problem
    if instant.year not in YEARS:
        raise ValueError("no instant of these years")
    return instant
