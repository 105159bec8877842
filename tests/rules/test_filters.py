"""How dates, times and lengths read."""

from datetime import UTC, date, datetime

import pytest

from portal import filters


@pytest.mark.parametrize(
    "instant, words",
    [
        (datetime(2023, 3, 3, 14, 30, tzinfo=UTC), "2:30pm"),
        (datetime(2023, 3, 3, 14, 0, tzinfo=UTC), "2pm"),
        (datetime(2023, 3, 3, 12, 0, tzinfo=UTC), "midday"),
        (datetime(2023, 3, 3, 0, 0, tzinfo=UTC), "midnight"),
        (datetime(2023, 3, 3, 0, 5, tzinfo=UTC), "12:05am"),
        (datetime(2023, 7, 3, 8, 0, tzinfo=UTC), "9am"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "1:30am BST"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "1:30am GMT"),
    ],
)
def test_times_are_london_times(instant: datetime, words: str) -> None:
    assert filters.time(instant) == words


@pytest.mark.parametrize(
    "number, words", [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (1200, "1,200 calls")]
)
def test_numbers_and_their_words(number: int, words: str) -> None:
    assert filters.count(number, "call", "calls") == words
    assert filters.noun(number, "call", "calls") == words.split()[1]


def test_days_read_as_people_say_them() -> None:
    assert filters.day(date(2023, 3, 3)) == "3 March 2023"
    assert filters.weekday_day(date(2023, 3, 3)) == "Friday 3 March 2023"
    late = datetime(2023, 6, 30, 23, 30, tzinfo=UTC)
    assert filters.day(late) == "1 July 2023", "the London date, not that of UTC"
    assert filters.span(late, late.replace(hour=23, minute=45)) == "Saturday 1 July 2023, 12:30am to 12:45am"


def test_a_window_is_said_by_its_last_day() -> None:
    assert filters.last_day(datetime(2023, 6, 30, 23, 0, tzinfo=UTC)) == "30 June 2023"


def test_a_day_that_was_written_down_without_a_time_has_none() -> None:
    assert filters.when(datetime(2023, 6, 30, 23, 0, tzinfo=UTC)) == "Saturday 1 July 2023"
    assert filters.when(datetime(2023, 6, 30, 23, 1, tzinfo=UTC)) == "Saturday 1 July 2023, 12:01am"


@pytest.mark.parametrize(
    "instant, words",
    [
        (datetime(2023, 3, 4, 0, 0, tzinfo=UTC), "the end of Friday 3 March 2023"),
        (datetime(2023, 6, 30, 23, 0, tzinfo=UTC), "the end of Friday 30 June 2023"),
        (datetime(2023, 6, 30, 0, 0, tzinfo=UTC), "Friday 30 June 2023, 1am"),
        (datetime(2023, 3, 3, 12, 0, tzinfo=UTC), "Friday 3 March 2023, midday"),
    ],
)
def test_a_deadline_at_midnight_is_the_end_of_its_day(instant: datetime, words: str) -> None:
    assert filters.by_when(instant) == words


@pytest.mark.parametrize(
    "value, words",
    [(0, "0 minutes"), (1, "1 minute"), (60, "1 hour"), (90, "1 hour 30 minutes"), (121, "2 hours 1 minute")],
)
def test_lengths(value: int, words: str) -> None:
    assert filters.minutes(value) == words


@pytest.mark.parametrize("value, words", [(0, "0 days"), (420, "1 day"), (2100, "5 days"), (630, "1.5 days")])
def test_days_of_a_programme(value: int, words: str) -> None:
    assert filters.days(value, 420) == words
