"""London days and wall times, on the two nights of 2027 when the clocks change and at month ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from privacy.clock import (
    LONDON,
    MissingTime,
    NaiveInstant,
    add_months,
    clock_face,
    clock_from,
    end_of_day,
    is_ambiguous,
    london,
    london_date,
    minute_of_day,
    start_of_day,
    system_clock,
    wall,
    zone_if_twice,
)

SPRING = date(2027, 3, 28)
AUTUMN = date(2027, 10, 31)
HALF_PAST_ONE = 90


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # mypy can't count the parts


@pytest.mark.parametrize("day, hours", [(SPRING, 23), (AUTUMN, 25), (date(2027, 6, 1), 24)])
def test_a_london_day_has_as_many_hours_as_its_clocks_show(day: date, hours: int) -> None:
    assert end_of_day(day) - start_of_day(day) == timedelta(hours=hours)


def test_a_day_begins_and_ends_at_london_midnight() -> None:
    assert start_of_day(date(2027, 6, 30)) == utc(2027, 6, 29, 23)
    assert end_of_day(date(2027, 6, 30)) == utc(2027, 6, 30, 23)
    assert start_of_day(AUTUMN) == utc(2027, 10, 30, 23)
    assert end_of_day(AUTUMN) == utc(2027, 11, 1)


def test_half_past_eleven_at_night_in_summer_is_still_that_day() -> None:
    assert london_date(utc(2027, 6, 30, 22, 30)) == date(2027, 6, 30)
    assert london_date(utc(2027, 6, 30, 23, 30)) == date(2027, 7, 1)


def test_a_wall_time_is_an_instant_in_utc() -> None:
    assert wall(date(2027, 1, 4), 13 * 60) == utc(2027, 1, 4, 13)
    assert wall(date(2027, 7, 5), 13 * 60) == utc(2027, 7, 5, 12)
    assert wall(date(2027, 7, 5), 13 * 60).tzinfo is UTC


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_minute_1440_is_midnight_at_the_days_end(day: date) -> None:
    assert wall(day, 1440) == end_of_day(day) == wall(day + timedelta(days=1), 0)


@pytest.mark.parametrize("minute", [-1, 1441])
def test_a_minute_outside_the_day_is_refused(minute: int) -> None:
    with pytest.raises(ValueError, match="not a minute of a day"):
        wall(SPRING, minute)


@pytest.mark.parametrize("minute", [60, 75, HALF_PAST_ONE, 119])
@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_the_clocks_jump_over_is_refused(minute: int, fold: int) -> None:
    with pytest.raises(MissingTime) as refused:
        wall(SPRING, minute, fold=fold)
    assert f"There is no {clock_face(minute)} on 28 March 2027. The clocks go forward" in str(refused.value)
    assert not is_ambiguous(SPRING, minute)


def test_the_minutes_beside_the_jump_exist() -> None:
    assert wall(SPRING, 59) == utc(2027, 3, 28, 0, 59)
    assert wall(SPRING, 120) == utc(2027, 3, 28, 1)


def test_a_time_that_comes_twice_is_the_first_unless_the_second_is_meant() -> None:
    first, second = wall(AUTUMN, HALF_PAST_ONE), wall(AUTUMN, HALF_PAST_ONE, fold=1)
    assert (first, second) == (utc(2027, 10, 31, 0, 30), utc(2027, 10, 31, 1, 30))
    assert (zone_if_twice(first), zone_if_twice(second)) == ("BST", "GMT")


def test_only_the_hour_from_one_to_two_comes_twice() -> None:
    assert [minute for minute in range(1441) if is_ambiguous(AUTUMN, minute)] == list(range(60, 120))
    assert not any(is_ambiguous(SPRING, minute) for minute in range(1441))
    assert zone_if_twice(wall(AUTUMN, 120)) == ""


def test_fold_says_nothing_about_a_time_that_comes_once() -> None:
    assert wall(AUTUMN, 13 * 60, fold=1) == wall(AUTUMN, 13 * 60)


def test_london_shows_the_wall_clock() -> None:
    shown = london(utc(2027, 10, 31, 1, 30))
    assert (shown.hour, shown.fold, shown.tzinfo) == (1, 1, LONDON)
    assert minute_of_day(utc(2027, 3, 28, 1)) == 120


@pytest.mark.parametrize("read", [london, london_date, clock_from, minute_of_day])
def test_a_time_without_a_zone_is_refused(read: object) -> None:
    assert callable(read)
    with pytest.raises(NaiveInstant):
        read(datetime(2027, 3, 28, 1))  # noqa: DTZ001  # a naive value is the case


@pytest.mark.parametrize(
    "day, months, result",
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2027, 11, 30), 1, date(2027, 12, 30)),
        (date(2027, 1, 31), 3, date(2027, 4, 30)),
        (date(2027, 12, 15), 1, date(2028, 1, 15)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2027, 3, 31), -1, date(2027, 2, 28)),
        (date(2027, 1, 15), -1, date(2026, 12, 15)),
        (date(2027, 5, 31), 0, date(2027, 5, 31)),
    ],
)
def test_months_are_added_to_the_day_and_clipped_to_the_month(day: date, months: int, result: date) -> None:
    assert add_months(day, months) == result


def test_a_started_clock_runs_on_from_its_start() -> None:
    start = utc(2027, 3, 28, 0, 59)
    clock = clock_from(start.astimezone(LONDON))
    first, second = clock(), clock()
    assert start <= first <= second < start + timedelta(minutes=1)
    assert first.tzinfo is UTC


def test_the_system_clock_is_aware() -> None:
    assert system_clock().tzinfo is UTC


@pytest.mark.parametrize(
    "minute, shown",
    [
        (0, "midnight"),
        (15, "12:15am"),
        (60, "1am"),
        (90, "1:30am"),
        (720, "midday"),
        (735, "12:15pm"),
        (870, "2:30pm"),
        (1440, "midnight"),
    ],
)
def test_times_are_written_as_people_write_them(minute: int, shown: str) -> None:
    assert clock_face(minute) == shown
