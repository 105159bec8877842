"""Every clock of the contract and of the law, computed from what happened, each step shown in words.

Pure: dates and instants in, a deadline out. Only what happened is ever stored; screen, list, file, mail and letter
call these functions. A rule has a version and is chosen by the date of receipt, since the law changed on the way:

    subject request   one calendar month     Article 12(3) UK GDPR; from 5 February 2026 Article 12A
    incident report   24 elapsed hours       annex 1
    regulator report  72 elapsed hours       Article 33 UK GDPR, the Controller's own
    FOI: pass on      2 working days         cl 13.2.1
    FOI: information  5 working days         cl 13.2.2, or what the Department says
    FOI: answer       20 working days        section 10 of the FOI Act 2000, the Controller's own
    complaint         30 days                section 164A of the Data Protection Act 2018, from 19 June 2026

Days are London dates, instants aware UTC. A deadline that is a day ends with that day in London.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from privacy.clock import (
    add_months,
    as_utc,
    day_words,
    end_of_day,
    london,
    london_date,
    month_words,
    time_words,
    wall,
    weekday_words,
)
from privacy.working_days import ENGLAND_AND_WALES, UNITED_KINGDOM, Calendar

NEW_REQUEST_RULE = date(2026, 2, 5)
"""From this date of receipt Article 12A holds (Data (Use and Access) Act 2025, section 76)."""

COMPLAINT_RULE = date(2026, 6, 19)
"""From this date of receipt section 164A holds (Data (Use and Access) Act 2025, section 103)."""

OPENS, CLOSES = time(9), time(17)


class NotInOrder(ValueError):
    """What happened can't have happened in that order; the message can be shown."""


@dataclass(frozen=True, order=True)
class Pause:
    """The days on which an answer to a question was waited for, both ends included; None: none has come yet.

    Raises NotInOrder for an answer before its question.
    """

    asked_on: date
    answered_on: date | None = None

    def __post_init__(self) -> None:
        if self.answered_on is not None and self.answered_on < self.asked_on:
            raise NotInOrder(
                f"The answer of {words(self.answered_on)} is earlier than the question of {words(self.asked_on)}"
            )


@dataclass(frozen=True)
class Deadline:
    """When something must be done by, and how that was found.

    `rule` is its version. `due_at` is the first instant that is too late; `due_on` the last day in time, None for a
    clock of hours. `target_on` is a safer day to plan for, `notice_by` the last day for a notice of extension.
    `paused`: an answer is still waited for, so the day moves on. `known`: the holidays up to that day are known.
    """

    rule: str
    due_at: datetime
    steps: tuple[str, ...]
    due_on: date | None = None
    target_on: date | None = None
    notice_by: date | None = None
    paused: bool = False
    known: bool = True

    def is_late(self, *, now: datetime) -> bool:
        return as_utc(now) >= self.due_at


def subject_request(
    received_on: date,
    *,
    as_of: date,
    access: bool = True,
    identity_on: date | None = None,
    authority_on: date | None = None,
    fee_on: date | None = None,
    pauses: Sequence[Pause] = (),
    extended_on: date | None = None,
    calendar: Calendar = ENGLAND_AND_WALES,
) -> Deadline:
    """The answer to somebody who uses a right: one month, three with an extension (Articles 12 and 12A UK GDPR).

    `identity_on`, `authority_on` and `fee_on` are when what was asked for came: the month begins with the latest of
    them, never with a pause. `pauses` hold for access requests only (Article 12A(4)); one that is not answered runs
    to `as_of`. `extended_on` is when the notice of extension was given; after `notice_by` it has no effect. Raises
    NotInOrder for pauses that overlap, and for what lies before the receipt.
    """
    new = received_on >= NEW_REQUEST_RULE
    came = {"proof of identity": identity_on}
    if new:
        came |= {"the representative's authority": authority_on, "the fee": fee_on}
    _require_order(received_on, [*came.values(), extended_on, *(pause.asked_on for pause in pauses)])
    start, steps = _start(received_on, came)
    waits = _waits(pauses) if new and access else []
    if pauses and not waits:
        steps.append(
            "Waiting for an answer stops no clock: that holds for requests to see data"
            if new
            else f"Waiting for an answer stops no clock for requests before {words(NEW_REQUEST_RULE)}"
        )
    month_ends = add_months(start, 1)
    steps.append(f"One month ends on {_with_day(month_ends)}{_clipped(start, month_ends)}")
    within_month = _excluded(waits, start=start, ends=month_ends, as_of=as_of)
    notice_by = month_ends + timedelta(days=len(within_month))
    ends, excluded = month_ends, within_month
    if extended_on is not None and extended_on > notice_by:
        steps.append(
            f"The extension of {words(extended_on)} came after {words(notice_by)}, when its notice was due: "
            "it has no effect"
        )
    elif extended_on is not None:
        ends = add_months(start, 3)
        steps.append(
            f"Extended on {words(extended_on)}: three months from the start end on {_with_day(ends)}"
            f"{_clipped(start, ends)}"
        )
        excluded = _excluded(waits, start=start, ends=ends, as_of=as_of)
    raw = ends + timedelta(days=len(excluded))
    if excluded:
        steps.append(f"{_days(len(excluded))} of waiting for an answer, both ends counted: {_with_day(raw)}")
    due_on = calendar.roll(raw)
    steps += _rolled(raw, due_on, calendar)
    effective = [wait for wait in waits if _has_effect(wait, excluded)]
    target_on = calendar.roll(raw - timedelta(days=len(effective))) if effective else None
    if target_on is not None:
        steps.append(f"Safer to plan for {_with_day(target_on)}: counts of the days of waiting differ")
    return Deadline(
        rule="request-2026-02-05" if new else "request-2018-05-25",
        due_at=end_of_day(due_on),
        due_on=due_on,
        target_on=target_on,
        notice_by=notice_by,
        paused=any(wait.answered_on is None for wait in effective),
        known=due_on <= calendar.known_until,
        steps=tuple(steps),
    )


def incident_report(discovered_at: datetime) -> Deadline:
    """24 elapsed hours from discovery, weekends and holidays included (annex 1)."""
    return _hours("incident-24-hours", discovered_at, 24, what="Discovered")


def regulator_report(aware_at: datetime) -> Deadline:
    """72 elapsed hours from when the Controller became aware (Article 33); the Controller's own clock."""
    return _hours("regulator-72-hours", aware_at, 72, what="The Controller became aware")


def foi_pass_on(received_on: date, *, calendar: Calendar = ENGLAND_AND_WALES) -> Deadline:
    """Pass an FOI request on to the Department: 2 working days, the day of receipt is day 0 (cl 13.2.1).

    It is passed on when it is served, which an e-mail of the evening is only on the next working day (cl 22.2.3).
    """
    found = _working_days("foi-pass-on", received_on, 2, calendar, what="Received")
    by_email = (
        "By e-mail it has to go by 5pm that day: a later one counts from the next working day (cl 22.2.3)"
    )
    return replace(found, steps=(*found.steps, by_email))


def foi_information(
    asked_on: date, *, by_on: date | None = None, calendar: Calendar = ENGLAND_AND_WALES
) -> Deadline:
    """Give the Department what it asks for: 5 working days, or the day it named (cl 13.2.2)."""
    if by_on is None:
        return _working_days("foi-information", asked_on, 5, calendar, what="The Department asked")
    _require_order(asked_on, [by_on])
    return Deadline(
        rule="foi-information",
        due_at=end_of_day(by_on),
        due_on=by_on,
        known=True,
        steps=(
            f"The Department asked on {_with_day(asked_on)}",
            f"It named {_with_day(by_on)} instead of 5 working days",
        ),
    )


def foi_answer(received_on: date, *, calendar: Calendar = UNITED_KINGDOM) -> Deadline:
    """The Controller's answer: 20 working days anywhere in the United Kingdom (section 10 of the FOI Act)."""
    return _working_days("foi-answer", received_on, 20, calendar, what="Received")


def complaint_acknowledgement(
    received_on: date, *, calendar: Calendar = ENGLAND_AND_WALES
) -> Deadline | None:
    """Acknowledge a data protection complaint: 30 days from the day after receipt (section 164A).

    None for what came before that section was in force.
    """
    if received_on < COMPLAINT_RULE:
        return None
    raw = received_on + timedelta(days=30)
    due_on = calendar.roll(raw)
    steps = [
        f"Received on {_with_day(received_on)}; the day after is day 1",
        f"Day 30 is {_with_day(raw)}",
        *_rolled(raw, due_on, calendar),
    ]
    return Deadline(
        rule="complaint-2026-06-19",
        due_at=end_of_day(due_on),
        due_on=due_on,
        known=due_on <= calendar.known_until,
        steps=tuple(steps),
    )


# ---- when a notice counts as served (cl 22.2)


def served_by_email(sent_at: datetime, *, calendar: Calendar = ENGLAND_AND_WALES) -> datetime:
    """At transmission between 9:00 and 17:00 London time, else at 9:00 on the working day that follows (cl 22.2.3)."""
    shown = london(sent_at)
    if OPENS <= shown.time() <= CLOSES:
        return as_utc(sent_at)
    following = calendar.roll(shown.date() + timedelta(days=1))
    return wall(following, OPENS.hour * 60)


def served_by_post(posted_at: datetime) -> datetime:
    """48 elapsed hours after posting by first class post (cl 22.2.2)."""
    return as_utc(posted_at) + timedelta(hours=48)


def served_by_hand(left_at: datetime) -> datetime:
    """When it was left at the proper address (cl 22.2.1)."""
    return as_utc(left_at)


# ---- words


def words(day: date) -> str:
    return day_words(day)


def _with_day(day: date) -> str:
    return f"{weekday_words(day)} {words(day)}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _instant(at: datetime) -> str:
    return f"{_with_day(london(at).date())}, {time_words(at, zone=True)}"


# ---- counting


def _start(received_on: date, came: dict[str, date | None]) -> tuple[date, list[str]]:
    steps = [f"Received on {_with_day(received_on)}"]
    start = received_on
    for what, on in came.items():
        if on is not None and on > start:
            start = on
            steps.append(f"The month begins with {what}, on {_with_day(on)}")
    return start, steps


def _clipped(start: date, ends: date) -> str:
    return "" if ends.day == start.day else f", since {month_words(ends)} has no day {start.day}"


def _rolled(raw: date, due_on: date, calendar: Calendar) -> list[str]:
    if raw == due_on:
        return []
    return [f"That is {calendar.why_not(raw)}: the next working day is {_with_day(due_on)}"]


def _waits(pauses: Sequence[Pause]) -> list[Pause]:
    """The pauses in order. Raises NotInOrder where one begins before another has ended."""
    waits = sorted(pauses, key=lambda pause: pause.asked_on)
    for before, after in pairwise(waits):
        if before.answered_on is None or after.asked_on < before.answered_on:
            raise NotInOrder(
                f"The question of {words(after.asked_on)} was asked while that of {words(before.asked_on)} "
                "waited for its answer. Ask one at a time"
            )
    return waits


def _excluded(waits: Iterable[Pause], *, start: date, ends: date, as_of: date) -> set[date]:
    """The days of waiting that don't count: from the start on, and only for what was asked while time still ran."""
    excluded: set[date] = set()
    for wait in waits:
        if wait.asked_on > ends + timedelta(days=len(excluded)):
            break
        last = wait.answered_on or max(as_of, wait.asked_on)
        first = max(wait.asked_on, start)
        excluded |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    return excluded


def _has_effect(wait: Pause, excluded: set[date]) -> bool:
    return any(
        wait.asked_on <= day and (wait.answered_on is None or day <= wait.answered_on) for day in excluded
    )


def _require_order(first: date, later: Iterable[date | None]) -> None:
    for day in later:
        if day is not None and day < first:
            raise NotInOrder(f"{words(day)} is earlier than {words(first)}, when it began")


def _hours(rule: str, since: datetime, hours: int, *, what: str) -> Deadline:
    due_at = as_utc(since) + timedelta(hours=hours)
    return Deadline(
        rule=rule,
        due_at=due_at,
        steps=(f"{what} on {_instant(since)}", f"{hours} hours later it is {_instant(due_at)}"),
    )


def _working_days(rule: str, since: date, count: int, calendar: Calendar, *, what: str) -> Deadline:
    due_on = calendar.count(since, count)
    steps = [f"{what} on {_with_day(since)}: day 0"]
    left_out = [words(day) for day in calendar.left_out(since + timedelta(days=1), due_on)]
    if left_out:
        steps.append(f"Public holidays that don't count: {', '.join(left_out)}")
    steps.append(f"Working day {count} is {_with_day(due_on)}")
    return Deadline(
        rule=rule,
        due_at=end_of_day(due_on),
        due_on=due_on,
        known=due_on <= calendar.known_until,
        steps=tuple(steps),
    )


def minutes_since(received_at: datetime, *, now: datetime) -> int:
    """Whole minutes since something was to be passed on at once (cl 17.5)."""
    return int((as_utc(now) - as_utc(received_at)).total_seconds() // 60)


def day_of(instant: datetime) -> date:
    """The London day from which a clock counts, whatever the day in UTC."""
    return london_date(instant)
