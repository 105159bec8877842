"""Every clock of the contract and of the law: published examples, and a slow model that counts day by day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import deadlines
from privacy.deadlines import Deadline, NotInOrder, Pause
from privacy.working_days import ENGLAND_AND_WALES, UNITED_KINGDOM

LONDON = ZoneInfo("Europe/London")


def day(text: str) -> date:
    return date.fromisoformat(text)


def request(received: str, **more: Any) -> Deadline:
    return deadlines.subject_request(day(received), as_of=day("2030-01-01"), **more)


@pytest.mark.parametrize(
    "received, due",
    [
        # cases P-a
        ("2027-01-31", "2027-03-01"),
        ("2026-11-30", "2026-12-30"),
        ("2026-11-25", "2026-12-29"),
        # the regulator's own examples
        ("2024-11-25", "2024-12-27"),
        ("2024-01-01", "2024-02-01"),
        # month ends, leap years, weekends, Easter
        ("2025-01-31", "2025-02-28"),
        ("2026-01-31", "2026-03-02"),
        ("2028-01-31", "2028-02-29"),
        ("2028-02-29", "2028-03-29"),
        ("2025-11-30", "2025-12-30"),
        ("2027-11-30", "2027-12-30"),
        ("2027-01-09", "2027-02-09"),
        ("2027-01-13", "2027-02-15"),
        ("2027-02-26", "2027-03-30"),
        ("2026-12-31", "2027-02-01"),
        ("2027-11-27", "2027-12-29"),
    ],
)
def test_one_month_to_the_same_date(received: str, due: str) -> None:
    found = request(received)
    assert found.due_on == day(due)
    assert found.due_at == datetime.combine(day(due) + timedelta(days=1), datetime.min.time(), LONDON)


@pytest.mark.parametrize(
    "received, extended, due, notice_by",
    [
        ("2027-01-31", "2027-02-28", "2027-04-30", "2027-02-28"),
        ("2026-11-30", "2026-12-30", "2027-03-01", "2026-12-30"),
        ("2026-02-04", "2026-03-04", "2026-05-05", "2026-03-04"),
    ],
)
def test_an_extension_runs_from_the_start(received: str, extended: str, due: str, notice_by: str) -> None:
    found = request(received, extended_on=day(extended))
    assert (found.due_on, found.notice_by) == (day(due), day(notice_by))


def test_an_extension_that_is_told_too_late_has_no_effect() -> None:
    found = request("2027-01-31", extended_on=day("2027-03-01"))
    assert found.due_on == day("2027-03-01")
    assert any("has no effect" in step for step in found.steps)


def test_proof_of_identity_starts_the_month() -> None:
    assert request("2027-01-04", identity_on=day("2027-01-18")).due_on == day("2027-02-18")


def test_the_latest_of_what_was_asked_for_starts_it() -> None:
    found = request(
        "2027-01-04",
        identity_on=day("2027-01-18"),
        authority_on=day("2027-01-20"),
        fee_on=day("2027-01-06"),
    )
    assert found.due_on == day("2027-02-22")
    # Before the Act only proof of identity did.
    old = request("2026-01-05", identity_on=day("2026-01-12"), authority_on=day("2026-01-20"))
    assert (old.due_on, old.rule) == (day("2026-02-12"), "request-2018-05-25")


@pytest.mark.parametrize(
    "asked, answered, extended, due, target",
    [
        ("2027-02-10", "2027-02-17", None, "2027-03-09", "2027-03-08"),
        ("2027-02-15", "2027-02-15", None, "2027-03-02", "2027-03-01"),
        ("2027-02-10", "2027-02-17", "2027-02-20", "2027-05-10", "2027-05-10"),
    ],
)
def test_waiting_for_an_answer_adds_both_its_ends(
    asked: str, answered: str, extended: str | None, due: str, target: str
) -> None:
    found = request(
        "2027-02-01",
        pauses=[Pause(day(asked), day(answered))],
        extended_on=day(extended) if extended else None,
    )
    assert (found.due_on, found.target_on) == (day(due), day(target))


def test_waiting_stops_no_clock_before_the_act_or_for_another_right() -> None:
    wait = Pause(day("2026-01-12"), day("2026-01-20"))
    old = request("2026-01-05", pauses=[wait])
    assert (old.due_on, old.target_on) == (day("2026-02-05"), None)
    other = request("2027-02-01", access=False, pauses=[Pause(day("2027-02-10"), day("2027-02-17"))])
    assert other.due_on == day("2027-03-01")
    assert any("stops no clock" in step for step in other.steps)


def test_an_open_question_moves_the_day_on_until_it_is_answered() -> None:
    wait = [Pause(day("2027-02-10"))]
    found = deadlines.subject_request(day("2027-02-01"), as_of=day("2027-02-12"), pauses=wait)
    assert (found.due_on, found.paused) == (day("2027-03-04"), True)
    later = deadlines.subject_request(day("2027-02-01"), as_of=day("2027-02-14"), pauses=wait)
    assert later.due_on == day("2027-03-08")


def test_a_second_question_on_the_day_of_the_first_answer_is_in_order() -> None:
    waits = [Pause(day("2027-02-10"), day("2027-02-12")), Pause(day("2027-02-12"), day("2027-02-15"))]
    assert request("2027-02-01", pauses=waits).due_on == day("2027-03-08"), "6 days, none of them twice"


def test_a_question_after_the_end_has_no_effect() -> None:
    found = request("2027-02-01", pauses=[Pause(day("2027-03-02"), day("2027-03-09"))])
    assert (found.due_on, found.target_on, found.paused) == (day("2027-03-01"), None, False)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"identity_on": day("2027-01-31")}, "31 January 2027 is earlier than 1 February 2027"),
        ({"extended_on": day("2027-01-31")}, "earlier"),
        ({"pauses": [Pause(day("2027-01-31"), day("2027-02-03"))]}, "earlier"),
        (
            {"pauses": [Pause(day("2027-02-10"), day("2027-02-17")), Pause(day("2027-02-16"))]},
            "Ask one at a time",
        ),
        ({"pauses": [Pause(day("2027-02-10")), Pause(day("2027-02-17"))]}, "Ask one at a time"),
    ],
)
def test_what_cannot_have_happened_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(NotInOrder, match=message):
        request("2027-02-01", **wrong)
    with pytest.raises(NotInOrder, match="The answer of 9 February 2027 is earlier"):
        Pause(day("2027-02-10"), day("2027-02-09"))


def test_mail_after_eleven_in_summer_came_the_next_day() -> None:
    """The London date counts, not the date in UTC."""
    received = deadlines.day_of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    assert received == day("2026-07-01")
    assert request(received.isoformat()).due_on == day("2026-08-03")


def test_each_step_is_shown() -> None:
    found = request(
        "2027-01-29", identity_on=day("2027-01-30"), pauses=[Pause(day("2027-02-10"), day("2027-02-21"))]
    )
    assert found.steps == (
        "Received on Friday 29 January 2027",
        "The month begins with proof of identity, on Saturday 30 January 2027",
        "One month ends on Sunday 28 February 2027, since February has no day 30",
        "12 days of waiting for an answer, both ends counted: Friday 12 March 2027",
        "Safer to plan for Thursday 11 March 2027: counts of the days of waiting differ",
    )
    assert request("2026-11-25").steps[-1] == (
        "That is a public holiday: the next working day is Tuesday 29 December 2026"
    )


@pytest.mark.parametrize(
    "received, passed_on, information, answer",
    [
        ("2026-12-18", "2026-12-22", "2026-12-29", "2027-01-21"),
        ("2026-12-23", "2026-12-29", "2027-01-04", "2027-01-26"),
        ("2027-01-02", "2027-01-05", "2027-01-08", "2027-02-01"),
        ("2026-12-14", "2026-12-16", "2026-12-21", "2027-01-15"),
        ("2027-03-12", "2027-03-16", "2027-03-19", "2027-04-14"),
    ],
)
def test_freedom_of_information_counts_working_days(
    received: str, passed_on: str, information: str, answer: str
) -> None:
    """Case P-c; in section 10 a bank holiday in any part of the United Kingdom doesn't count."""
    assert deadlines.foi_pass_on(day(received)).due_on == day(passed_on)
    assert deadlines.foi_information(day(received)).due_on == day(information)
    assert deadlines.foi_answer(day(received)).due_on == day(answer)


def test_the_department_may_name_another_day() -> None:
    found = deadlines.foi_information(day("2026-12-18"), by_on=day("2027-01-09"))
    assert found.due_on == day("2027-01-09")
    with pytest.raises(NotInOrder):
        deadlines.foi_information(day("2026-12-18"), by_on=day("2026-12-17"))


def test_a_complaint_is_acknowledged_within_thirty_days_of_the_day_after() -> None:
    found = deadlines.complaint_acknowledgement(day("2026-11-25"))
    assert found is not None
    assert found.due_on == day("2026-12-29")
    assert deadlines.complaint_acknowledgement(day("2026-06-18")) is None
    first = deadlines.complaint_acknowledgement(day("2026-06-19"))
    assert first is not None
    assert first.due_on == day("2026-07-20")


def at(text: str, zone: object = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "found, due",
    [
        ("2026-10-24T18:00", "2026-10-25T17:00"),  # case P-b: the clocks go back that night
        ("2027-03-27T18:00", "2027-03-28T19:00"),
        ("2026-12-25T10:15", "2026-12-26T10:15"),
    ],
)
def test_an_incident_is_reported_within_24_elapsed_hours(found: str, due: str) -> None:
    deadline = deadlines.incident_report(at(found))
    assert deadline.due_at == at(due)
    assert deadline.due_on is None
    assert not deadline.is_late(now=at(due) - timedelta(seconds=1))
    assert deadline.is_late(now=at(due))


def test_the_regulators_72_hours_are_elapsed_too() -> None:
    assert deadlines.regulator_report(at("2026-10-23T18:00")).due_at == at("2026-10-26T17:00")
    assert deadlines.regulator_report(at("2026-10-23T18:00")).steps[-1] == (
        "72 hours later it is Monday 26 October 2026, 5pm GMT"
    )


@pytest.mark.parametrize(
    "sent, served",
    [
        ("2026-11-25T09:00", "2026-11-25T09:00"),
        ("2026-11-25T17:00", "2026-11-25T17:00"),
        ("2026-11-25T17:00:01", "2026-11-26T09:00"),
        ("2026-11-25T08:59:59", "2026-11-26T09:00"),
        ("2026-11-27T19:00", "2026-11-30T09:00"),
        ("2026-12-24T18:30", "2026-12-29T09:00"),
        ("2027-07-02T16:59", "2027-07-02T16:59"),
    ],
)
def test_a_mail_outside_office_hours_is_served_on_the_next_working_day(sent: str, served: str) -> None:
    assert deadlines.served_by_email(at(sent)) == at(served)


def test_a_letter_is_served_after_48_hours_and_by_hand_at_once() -> None:
    assert deadlines.served_by_post(at("2026-10-24T12:00")) == at("2026-10-26T11:00")
    assert deadlines.served_by_hand(at("2026-10-24T12:00")) == at("2026-10-24T12:00")
    assert deadlines.minutes_since(at("2026-10-25T00:30"), now=at("2026-10-25T03:30")) == 240


def test_the_table_kept_by_hand_corrects_the_calendar() -> None:
    coronation = ENGLAND_AND_WALES.with_table(
        added=frozenset({day("2027-06-15")}), removed=frozenset({day("2027-05-31")})
    )
    assert request("2027-05-15", calendar=coronation).due_on == day("2027-06-16")
    assert deadlines.foi_pass_on(day("2027-05-28"), calendar=coronation).due_on == day("2027-06-01")
    assert ENGLAND_AND_WALES.is_holiday(day("2027-05-31")), "the calendar that is shipped stays as it was"


def test_a_deadline_beyond_the_known_holidays_says_so() -> None:
    assert not request("2028-12-15").known
    assert request("2028-11-15").known
    further = ENGLAND_AND_WALES.with_table(added=frozenset(), known_until=day("2029-12-31"))
    assert request("2028-12-15", calendar=further).known


# ---- a slow model that counts day by day

DAYS = st.dates(min_value=day("2025-01-01"), max_value=day("2028-06-30"))


def slow_month(start: date, months: int) -> date:
    """Walk until the calendar shows the same day of the month, or that month is about to end."""
    wanted = start.year * 12 + start.month + months
    found = start
    while True:
        found += timedelta(days=1)
        last = (found + timedelta(days=1)).month != found.month
        if found.year * 12 + found.month == wanted and (found.day == start.day or last):
            return found


def slow_roll(found: date) -> date:
    while found.weekday() in (5, 6) or ENGLAND_AND_WALES.is_holiday(found):
        found += timedelta(days=1)
    return found


def slow_end(start: date, months: int, waiting: set[date]) -> date:
    """Use the days of the period up one by one; a day of waiting uses none."""
    left = (slow_month(start, months) - start).days + 1
    walked = start
    while True:
        left -= walked not in waiting
        if not left:
            return walked
        walked += timedelta(days=1)


@given(
    received=DAYS,
    identity=st.none() | st.integers(0, 40),
    gaps=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20)), max_size=3),
    extension=st.none() | st.integers(0, 40),
)
def test_it_agrees_with_counting_day_by_day(
    received: date, identity: int | None, gaps: list[tuple[int, int]], extension: int | None
) -> None:
    came = received + timedelta(days=identity) if identity is not None else None
    pauses, reached = [], received
    for gap, length in gaps:
        asked = reached + timedelta(days=gap)
        reached = asked + timedelta(days=length)
        pauses.append(Pause(asked, reached))
    extended = received + timedelta(days=extension) if extension is not None else None
    start = max(received, came or received)
    new = received >= deadlines.NEW_REQUEST_RULE
    waiting = {
        pause.asked_on + timedelta(days=number)
        for pause in pauses
        for number in range(((pause.answered_on or pause.asked_on) - pause.asked_on).days + 1)
        if new
    }
    notice_by = slow_end(start, 1, waiting)
    months = 3 if extended is not None and extended <= notice_by else 1
    found = deadlines.subject_request(
        received, as_of=received, identity_on=came, pauses=pauses, extended_on=extended
    )
    assert found.due_on == slow_roll(slow_end(start, months, waiting))
    assert found.notice_by == notice_by


@given(asked=DAYS, count=st.sampled_from([2, 5, 20]))
def test_working_days_agree_with_counting_day_by_day(asked: date, count: int) -> None:
    calendar = UNITED_KINGDOM if count == 20 else ENGLAND_AND_WALES
    found, counted = asked, 0
    while counted < count:
        found += timedelta(days=1)
        counted += found.weekday() < 5 and not calendar.is_holiday(found)
    clock: Any = {2: deadlines.foi_pass_on, 5: deadlines.foi_information, 20: deadlines.foi_answer}[count]
    assert clock(asked).due_on == found
