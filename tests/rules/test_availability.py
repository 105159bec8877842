"""Times that can be offered, across both clock changes of 2027."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.booking.availability import (
    Agenda,
    EndsBeforeStart,
    Interval,
    NotQuarterHours,
    Rules,
    Span,
    WeeklyHours,
    at_wall_time,
    bank_holidays,
    cells,
    free,
    intervals_of,
    is_offered,
    offered,
    open_intervals,
    padded,
    slots,
    stretch,
)
from privacy.clock import (
    MissingTime,
    NaiveInstant,
    end_of_day,
    london,
    london_date,
    minute_of_day,
    start_of_day,
    wall,
    zone_if_twice,
)

SPRING = date(2027, 3, 28)
EASTER_MONDAY = date(2027, 3, 29)
AUTUMN = date(2027, 10, 31)
DAYS = (date(2027, 3, 27), SPRING, EASTER_MONDAY, date(2027, 10, 30), AUTUMN, date(2027, 11, 1))
AFTERNOON = (Span(13 * 60, 17 * 60),)
AFTERNOONS = WeeklyHours(
    weekly=dict.fromkeys(range(7), AFTERNOON),
    exceptions=dict.fromkeys(bank_holidays(2027), AFTERNOON),
)
WHOLE_DAY = WeeklyHours(weekly=dict.fromkeys(range(7), (Span(0, 1440),)))
NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)


def day_of(day: date) -> Interval:
    return Interval(start_of_day(day), end_of_day(day))


def list_of(
    hours: WeeklyHours,
    *,
    taken: Iterable[Interval] = (),
    minutes: int = 60,
    buffer_minutes: int = 0,
    notice_hours: int = 0,
    horizon_days: int = 365,
    now: datetime = NOW,
    step: int = 30,
    within: Interval | None = None,
    **more: Any,
) -> list[Interval]:
    rules = Rules(minutes, buffer_minutes, notice_hours, horizon_days, step)
    agenda = Agenda(hours, bank_holidays(2027), list(taken), **more)
    return list(offered(agenda, rules, now=now, within=within))


def can_book(hours: WeeklyHours, starts_at: datetime, *, taken: Iterable[Interval] = ()) -> bool:
    agenda = Agenda(hours, bank_holidays(2027), list(taken))
    return is_offered(agenda, Rules(60), now=NOW, starts_at=starts_at)


def walls(intervals: Iterable[Interval]) -> list[str]:
    return [f"{london(each.starts_at):%H:%M}-{london(each.ends_at):%H:%M}" for each in intervals]


class TestSummerTimeOnTheList:
    @pytest.mark.parametrize("day", DAYS)
    def test_afternoons_stay_afternoons(self, day: date) -> None:
        assert walls(open_intervals(AFTERNOONS, days=[day], holidays=bank_holidays(2027))) == ["13:00-17:00"]
        shown = list_of(AFTERNOONS, within=day_of(day))
        assert walls(shown) == [
            "13:00-14:00",
            "13:30-14:30",
            "14:00-15:00",
            "14:30-15:30",
            "15:00-16:00",
            "15:30-16:30",
            "16:00-17:00",
        ]
        assert {london_date(each.starts_at) for each in shown} == {day}

    @pytest.mark.parametrize("day", DAYS)
    def test_what_is_listed_can_be_booked_and_nothing_else(self, day: date) -> None:
        listed = {each.starts_at for each in list_of(AFTERNOONS, within=day_of(day))}
        quarters = (start_of_day(day) + timedelta(minutes=minute) for minute in range(0, 1500, 15))
        assert {start for start in quarters if can_book(AFTERNOONS, start)} == listed

    def test_a_part_of_the_list_is_the_same_list(self) -> None:
        whole = list_of(AFTERNOONS)
        parts = [each for day in DAYS for each in list_of(AFTERNOONS, within=day_of(day))]
        assert parts == [each for each in whole if london_date(each.starts_at) in DAYS]

    @pytest.mark.parametrize("day, count", [(SPRING, 23), (AUTUMN, 25), (date(2027, 6, 1), 24)])
    def test_an_open_day_has_as_many_hours_as_its_clocks(self, day: date, count: int) -> None:
        (whole,) = open_intervals(WHOLE_DAY, days=[day], holidays=frozenset())
        assert whole == day_of(day)
        assert len(list_of(WHOLE_DAY, step=60, within=day_of(day))) == count

    def test_hours_that_touch_the_missing_hour_are_cut_and_break_nothing(self) -> None:
        spans = (Span(30, 90), Span(105, 180))
        night = WeeklyHours(weekly={}, exceptions={SPRING: spans})
        assert open_intervals(night, days=[SPRING], holidays=frozenset()) == [
            Interval(datetime(2027, 3, 28, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC))
        ]
        missing = WeeklyHours(weekly={}, exceptions={SPRING: (Span(60, 120),)})
        assert open_intervals(missing, days=[SPRING], holidays=frozenset()) == []


class TestTypedTimes:
    def test_a_time_that_comes_twice_is_bst_unless_gmt_is_said(self) -> None:
        first = at_wall_time(AUTUMN, 90, minutes=60)
        second = at_wall_time(AUTUMN, 90, minutes=60, fold=1)
        assert second.starts_at - first.starts_at == timedelta(hours=1)
        assert (zone_if_twice(first.starts_at), zone_if_twice(second.starts_at)) == ("BST", "GMT")

    def test_a_time_that_does_not_exist_is_refused_with_the_reason(self) -> None:
        with pytest.raises(MissingTime, match=r"no 1:30am on 28 March 2027\. The clocks go forward"):
            at_wall_time(SPRING, 90, minutes=60)

    def test_two_hours_are_two_real_hours(self) -> None:
        session = at_wall_time(AUTUMN, 30, minutes=120)
        assert session.ends_at - session.starts_at == timedelta(hours=2)
        assert walls([session]) == ["00:30-01:30"]
        assert zone_if_twice(session.ends_at) == "GMT"
        assert len(cells(*session)) == 8

    def test_only_quarter_hours(self) -> None:
        with pytest.raises(NotQuarterHours):
            at_wall_time(AUTUMN, 40, minutes=60)
        with pytest.raises(NotQuarterHours):
            at_wall_time(AUTUMN, 45, minutes=50)


class TestHours:
    def test_bank_holidays_close_unless_that_day_is_opened(self) -> None:
        weekdays = WeeklyHours(weekly={0: AFTERNOON})
        assert open_intervals(weekdays, days=[EASTER_MONDAY], holidays=bank_holidays(2027)) == []
        assert len(open_intervals(AFTERNOONS, days=[EASTER_MONDAY], holidays=bank_holidays(2027))) == 1

    def test_a_single_day_can_be_closed(self) -> None:
        hours = WeeklyHours(weekly=dict.fromkeys(range(7), AFTERNOON), exceptions={date(2027, 2, 1): ()})
        assert list_of(hours, within=day_of(date(2027, 2, 1))) == []

    def test_spans_that_touch_are_one(self) -> None:
        hours = WeeklyHours(weekly={0: (Span(840, 900), Span(780, 840), Span(885, 960))})
        assert walls(open_intervals(hours, days=[date(2027, 1, 11)], holidays=frozenset())) == ["13:00-16:00"]

    def test_a_day_may_end_at_midnight_and_no_time_runs_over_it(self) -> None:
        hours = WeeklyHours(weekly={0: (Span(22 * 60, 1440),), 1: (Span(0, 120),)})
        monday = Interval(start_of_day(date(2027, 1, 11)), end_of_day(date(2027, 1, 12)))
        assert walls(list_of(hours, step=60, within=monday)) == [
            "22:00-23:00",
            "23:00-00:00",
            "00:00-01:00",
            "01:00-02:00",
        ]

    def test_england_has_easter_monday_and_late_august(self) -> None:
        assert {EASTER_MONDAY, date(2027, 8, 30), date(2027, 12, 27), date(2027, 12, 28)} <= bank_holidays(
            2027
        )

    @pytest.mark.parametrize(
        "starts, ends, error",
        [
            (10, 60, NotQuarterHours),
            (0, 50, NotQuarterHours),
            (60, 60, EndsBeforeStart),
            (-15, 60, ValueError),
        ],
    )
    def test_a_span_that_cannot_be_is_refused(self, starts: int, ends: int, error: type[Exception]) -> None:
        with pytest.raises(error):
            Span(starts, ends)


class TestWhatIsTaken:
    TUESDAY = date(2027, 1, 12)

    def at(self, hour: int, minute: int = 0) -> datetime:
        return wall(self.TUESDAY, hour * 60 + minute)

    def test_back_to_back_is_no_clash(self) -> None:
        taken = [Interval(self.at(14), self.at(15))]
        assert walls(list_of(AFTERNOONS, taken=taken, within=day_of(self.TUESDAY))) == [
            "13:00-14:00",
            "15:00-16:00",
            "15:30-16:30",
            "16:00-17:00",
        ]

    def test_buffers_keep_their_distance_and_may_lie_outside_the_hours(self) -> None:
        taken = [Interval(self.at(12), self.at(12, 45)), Interval(self.at(17, 15), self.at(18))]
        found = list_of(AFTERNOONS, taken=taken, buffer_minutes=30, within=day_of(self.TUESDAY))
        assert walls(found) == ["13:30-14:30", "14:00-15:00", "14:30-15:30", "15:00-16:00", "15:30-16:30"]
        assert all(
            set(cells(*padded(each, buffer_minutes=30))).isdisjoint(cells(*busy))
            for each in found
            for busy in taken
        )

    def test_a_booking_shifts_no_other_time(self) -> None:
        before = list_of(AFTERNOONS, within=day_of(self.TUESDAY))
        taken = [Interval(self.at(13), self.at(13, 45))]
        after = list_of(AFTERNOONS, taken=taken, within=day_of(self.TUESDAY))
        assert after == [each for each in before if each.starts_at >= self.at(13, 45)]

    def test_notice_is_elapsed_time_and_the_horizon_a_london_day(self) -> None:
        now = datetime(2027, 3, 27, 13, 0, tzinfo=UTC)
        found = list_of(AFTERNOONS, notice_hours=24, horizon_days=2, now=now)
        assert found[0].starts_at == datetime(2027, 3, 28, 13, 0, tzinfo=UTC)
        assert london_date(found[-1].ends_at) == EASTER_MONDAY

    def test_free_cuts_and_keeps_the_order(self) -> None:
        opening = Interval(self.at(9), self.at(12))
        taken = [Interval(self.at(11), self.at(13)), Interval(self.at(9, 30), self.at(10))]
        assert walls(free([opening], taken)) == ["09:00-09:30", "10:00-11:00"]
        assert free([opening], []) == [opening]
        assert free([opening], [opening]) == []


class TestAwayAndFull:
    MONDAY = date(2027, 1, 11)

    def on(self, days: int, **more: Any) -> list[str]:
        return walls(list_of(AFTERNOONS, step=60, within=day_of(self.MONDAY + timedelta(days=days)), **more))

    def test_leave_takes_the_time_itself_and_no_margin_around_it(self) -> None:
        leave = stretch(self.MONDAY, 14 * 60 + 15, self.MONDAY, 15 * 60)
        found = list_of(AFTERNOONS, buffer_minutes=30, within=day_of(self.MONDAY), away=[leave])
        assert walls(found) == ["13:00-14:00", "15:00-16:00", "15:30-16:30", "16:00-17:00"]

    def test_leave_runs_over_days_and_stands_above_a_day_that_was_opened(self) -> None:
        leave = stretch(self.MONDAY, 15 * 60, date(2027, 1, 13), 14 * 60)
        opened = WeeklyHours(AFTERNOONS.weekly, {date(2027, 1, 12): AFTERNOON})
        found = [
            list_of(opened, step=60, within=day_of(date(2027, 1, day)), away=[leave]) for day in (11, 12, 13)
        ]
        assert [walls(one) for one in found] == [
            ["13:00-14:00", "14:00-15:00"],
            [],
            ["14:00-15:00", "15:00-16:00", "16:00-17:00"],
        ]

    def test_leave_over_a_night_when_the_clocks_change_is_as_long_as_that_night(self) -> None:
        assert stretch(SPRING, 0, SPRING, 1440) == day_of(SPRING)
        assert stretch(AUTUMN, 0, AUTUMN, 1440) == day_of(AUTUMN)
        gone = stretch(SPRING, 75, SPRING, 105)
        assert gone.starts_at == gone.ends_at, "no minute of it is ever shown"

    def test_a_full_day_has_no_times_and_the_day_after_has(self) -> None:
        held = {self.MONDAY: 2, self.MONDAY + timedelta(days=1): 1}
        assert self.on(0, held=held, per_day=2) == []
        assert len(self.on(1, held=held, per_day=2)) == 4

    def test_a_full_week_ends_on_sunday(self) -> None:
        held = {self.MONDAY: 2, self.MONDAY + timedelta(days=2): 1}
        for days, count in ((-1, 4), (0, 0), (6, 0), (7, 4)):
            assert len(self.on(days, held=held, per_week=3)) == count
        assert len(self.on(0, held=held, per_week=4, per_day=3)) == 4


class TestCells:
    def test_cells_count_quarter_hours_of_utc(self) -> None:
        start = datetime(1970, 1, 1, 1, tzinfo=UTC)
        assert cells(start, start + timedelta(minutes=45)) == [4, 5, 6]

    def test_cells_and_intervals_turn_into_each_other(self) -> None:
        session = at_wall_time(AUTUMN, 30, minutes=120)
        later = at_wall_time(AUTUMN, 13 * 60, minutes=60)
        assert intervals_of(reversed([*cells(*session), *cells(*later)])) == [session, later]

    def test_times_off_the_quarter_hour_are_refused(self) -> None:
        with pytest.raises(NotQuarterHours):
            cells(NOW, NOW + timedelta(minutes=20))
        with pytest.raises(NotQuarterHours):
            cells(NOW + timedelta(microseconds=1), NOW + timedelta(minutes=30))

    def test_an_empty_interval_is_refused(self) -> None:
        with pytest.raises(EndsBeforeStart):
            cells(NOW, NOW)

    def test_a_time_without_a_zone_is_refused(self) -> None:
        with pytest.raises(NaiveInstant):
            cells(datetime(2027, 1, 4, 9), NOW)  # noqa: DTZ001  # a naive value is the case


def slow_slots(is_open: list[bool], *, minutes: int, step: int, first: int, last: int) -> list[int]:
    """Minute by minute: what starts on a step, is open in each of its minutes, and lies within the bounds.

    All in minutes since the day began, and so is what it finds.
    """
    found = []
    opened = 0
    for start, open_now in enumerate(is_open):
        if start == 0 or not is_open[start - 1]:
            opened = start
        whole = open_now and all(is_open[start : start + minutes]) and start + minutes <= len(is_open)
        if whole and (start - opened) % step == 0 and first <= start and start + minutes <= last:
            found.append(start)
    return found


def slow_opening(day: date, spans: list[Span]) -> list[bool]:
    """For each real minute of the day, whether it is open: a span begins, and ends, once the clock has shown
    its time or a later one that day."""
    highest, is_open = -1, []
    for shown in shown_minutes(day):
        highest = max(highest, shown)
        is_open.append(any(span.starts <= highest < span.ends for span in spans))
    return is_open


@cache
def shown_minutes(day: date) -> list[int]:
    """What the clocks show at each real minute of the day."""
    length = (end_of_day(day) - start_of_day(day)) // timedelta(minutes=1)
    return [minute_of_day(start_of_day(day) + timedelta(minutes=number)) for number in range(length)]


quarters_of_a_day = st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True).map(sorted)
spans_of_a_day = st.lists(quarters_of_a_day.map(lambda pair: Span(pair[0] * 15, pair[1] * 15)), max_size=3)
change_days = st.sampled_from([SPRING, AUTUMN, date(2027, 3, 27), EASTER_MONDAY, date(2027, 11, 1)])


@given(
    day=change_days,
    spans=spans_of_a_day,
    minutes=st.sampled_from([15, 30, 45, 60, 90, 120]),
    step=st.sampled_from([15, 30]),
    bounds=st.lists(st.integers(-60, 1560), min_size=2, max_size=2).map(sorted),
)
def test_slots_are_what_a_minute_by_minute_search_finds(
    day: date, spans: list[Span], minutes: int, step: int, bounds: list[int]
) -> None:
    first, last = bounds
    zero = start_of_day(day)
    hours = WeeklyHours(weekly={}, exceptions={day: tuple(spans)})
    fast = slots(
        open_intervals(hours, days=[day], holidays=frozenset()),
        minutes=minutes,
        step=step,
        not_before=zero + timedelta(minutes=first),
        not_after=zero + timedelta(minutes=last),
    )
    slow = slow_slots(slow_opening(day, spans), minutes=minutes, step=step, first=first, last=last)
    assert [(each.starts_at - zero) // timedelta(minutes=1) for each in fast] == slow
    assert all(each.ends_at - each.starts_at == timedelta(minutes=minutes) for each in fast)


@given(
    day=change_days,
    spans=spans_of_a_day,
    busy=st.lists(st.tuples(st.integers(-8, 104), st.integers(1, 12)), max_size=4),
    minutes=st.sampled_from([15, 30, 60, 90]),
    buffer_minutes=st.sampled_from([0, 15, 30]),
)
def test_offered_is_the_slots_whose_cells_are_all_free(
    day: date, spans: list[Span], busy: list[tuple[int, int]], minutes: int, buffer_minutes: int
) -> None:
    """What the list leaves out is exactly what the primary key on (person, cell) would refuse."""
    zero = start_of_day(day)
    taken = [
        Interval(zero + timedelta(minutes=15 * first), zero + timedelta(minutes=15 * (first + length)))
        for first, length in busy
    ]
    occupied = {cell for each in taken for cell in cells(*each)}
    hours = WeeklyHours(weekly={}, exceptions={day: tuple(spans)})
    openings = open_intervals(hours, days=[day], holidays=frozenset())
    every = slots(openings, minutes=minutes, step=30, not_before=zero, not_after=end_of_day(day))
    found = list_of(hours, taken=taken, minutes=minutes, buffer_minutes=buffer_minutes)
    assert found == [
        each for each in every if occupied.isdisjoint(cells(*padded(each, buffer_minutes=buffer_minutes)))
    ]


@dataclass(frozen=True)
class Case:
    """A mentor's time around one day, and what is asked of it."""

    day: date
    agenda: Agenda
    rules: Rules
    now: datetime

    @property
    def days(self) -> list[date]:
        return [self.day + timedelta(days=number) for number in range(-2, 4)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Hours, holidays, leave, sessions and limits within some days of a clock change or a bank holiday."""
    day = draw(change_days)
    near = st.integers(-1, 2).map(lambda number: day + timedelta(days=number))
    quarter = st.integers(0, 96).map(lambda number: number * 15)
    weekly = draw(st.dictionaries(st.integers(0, 6), spans_of_a_day.map(tuple), max_size=7))
    exceptions = draw(st.dictionaries(near, spans_of_a_day.map(tuple), max_size=2))
    zero = start_of_day(day)
    taken = [
        Interval(zero + timedelta(minutes=15 * first), zero + timedelta(minutes=15 * (first + length)))
        for first, length in draw(st.lists(st.tuples(st.integers(-80, 200), st.integers(1, 20)), max_size=5))
    ]
    away = [
        stretch(*pair[0], *pair[1])
        for pair in draw(
            st.lists(st.lists(st.tuples(near, quarter), min_size=2, max_size=2).map(sorted), max_size=2)
        )
    ]
    held = draw(st.dictionaries(near, st.integers(1, 3), max_size=4))
    agenda = Agenda(
        hours=WeeklyHours(weekly, exceptions),
        holidays=bank_holidays(2027),
        taken=taken,
        away=away,
        held=held,
        per_day=draw(st.sampled_from([None, 1, 2, 3])),
        per_week=draw(st.sampled_from([None, 2, 4, 6])),
    )
    rules = Rules(
        minutes=draw(st.sampled_from([15, 30, 60, 90])),
        margin_minutes=draw(st.sampled_from([0, 15, 30])),
        notice_hours=draw(st.integers(0, 30)),
        horizon_days=draw(st.integers(0, 4)),
        step=draw(st.sampled_from([15, 30, 45])),
    )
    return Case(day, agenda, rules, zero + timedelta(minutes=draw(st.integers(-2000, 1500))))


def minutes_of(interval: Interval) -> range:
    """The minutes since 1970 that an interval covers."""
    return range(*(int(instant.timestamp()) // 60 for instant in interval))


def slow_offered(case: Case) -> list[int]:
    """Minute by minute, day by day: the starts, in minutes since 1970, that no rule speaks against."""
    agenda, rules = case.agenda, case.rules
    taken = {minute for one in agenda.taken for minute in minutes_of(one)}
    away = {minute for one in agenda.away for minute in minutes_of(one)}
    earliest = case.now + timedelta(hours=rules.notice_hours)
    latest = end_of_day(london_date(case.now) + timedelta(days=rules.horizon_days))
    found = []
    for day in case.days:
        monday = day - timedelta(days=day.weekday())
        in_week = sum(agenda.held.get(monday + timedelta(days=number), 0) for number in range(7))
        if agenda.per_day is not None and agenda.held.get(day, 0) >= agenda.per_day:
            continue
        if agenda.per_week is not None and in_week >= agenda.per_week:
            continue
        usual = () if day in agenda.holidays else agenda.hours.weekly.get(day.weekday(), ())
        is_open = slow_opening(day, list(agenda.hours.exceptions.get(day, usual)))
        first = minutes_of(day_of(day)).start
        for start in slow_slots(is_open, minutes=rules.minutes, step=rules.step, first=0, last=len(is_open)):
            begins, ends = first + start, first + start + rules.minutes
            if (
                away.isdisjoint(range(begins, ends))
                and taken.isdisjoint(range(begins - rules.margin_minutes, ends + rules.margin_minutes))
                and earliest.timestamp() <= begins * 60
                and ends * 60 <= latest.timestamp()
            ):
                found.append(begins)
    return found


@given(case=cases())
def test_what_is_offered_is_what_a_minute_by_minute_search_finds_under_all_rules(case: Case) -> None:
    """Hours, single days, bank holidays, leave, sessions with their margins, limits, notice and horizon together."""
    window = Interval(start_of_day(case.days[0]), end_of_day(case.days[-1]))
    fast = offered(case.agenda, case.rules, now=case.now, within=window)
    assert [minutes_of(each).start for each in fast] == slow_offered(case)
    for each in fast:
        assert is_offered(case.agenda, case.rules, now=case.now, starts_at=each.starts_at)
