"""Any clock for any dates, without a case: what the calculator page and `flask privacy deadline` answer.

It calls the functions that cases use, so that both always agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from privacy import deadlines
from privacy.cases.story import Holidays
from privacy.clock import as_utc, london_date, start_of_day
from privacy.deadlines import COMPLAINT_RULE, Deadline, NotInOrder, Pause


class DeadlineKind(StrEnum):
    """The clocks that can be asked for, as commands name them."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    PORTABILITY = "portability"
    COMPLAINT = "complaint"
    FOI_TRANSFER = "foi-transfer"
    FOI_INFORMATION = "foi-information"
    FOIA = "foia"
    INCIDENT = "incident"
    REGULATOR = "regulator"


WORDS: Mapping[DeadlineKind, str] = {
    DeadlineKind.ACCESS: "Answer a request for access",
    DeadlineKind.RECTIFICATION: "Answer a request to put something right",
    DeadlineKind.ERASURE: "Answer a request to erase",
    DeadlineKind.RESTRICTION: "Answer a request to restrict",
    DeadlineKind.OBJECTION: "Answer an objection",
    DeadlineKind.PORTABILITY: "Answer a request to take data elsewhere",
    DeadlineKind.COMPLAINT: "Acknowledge a complaint",
    DeadlineKind.FOI_TRANSFER: "Pass an FOI request on to the Department",
    DeadlineKind.FOI_INFORMATION: "Give the Department information it asks for",
    DeadlineKind.FOIA: "Answer under the FOI Act (the Department's duty)",
    DeadlineKind.INCIDENT: "Report an incident to the Controller",
    DeadlineKind.REGULATOR: "Report to the regulator (the Controller's duty)",
}
RIGHTS = frozenset(list(DeadlineKind)[:6])
BY_HOUR = frozenset({DeadlineKind.INCIDENT, DeadlineKind.REGULATOR})
"""The clocks that count hours: they begin at an instant."""


class NoSuchClock(ValueError):
    """No clock runs for these dates; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a clock. `received_at` is an instant for the clocks of hours; a day is its start in London.

    `extended` without a day: by a notice that was in time. `as_of` is the day up to which an open question waits.
    """

    kind: DeadlineKind
    received_at: datetime
    as_of: date
    identity_on: date | None = None
    authority_on: date | None = None
    fee_on: date | None = None
    pauses: Sequence[Pause] = field(default_factory=tuple)
    extended: bool = False
    extended_on: date | None = None
    by_on: date | None = None


def answer(asked: Question, *, holidays: Holidays) -> Deadline:
    """The deadline, with each step. Raises NotInOrder, or NoSuchClock for a complaint before its rule."""
    received_on = london_date(asked.received_at)
    match asked.kind:
        case DeadlineKind.INCIDENT:
            return deadlines.incident_report(asked.received_at)
        case DeadlineKind.REGULATOR:
            return deadlines.regulator_report(asked.received_at)
        case DeadlineKind.FOI_TRANSFER:
            return deadlines.foi_pass_on(received_on, calendar=holidays.contract)
        case DeadlineKind.FOI_INFORMATION:
            return deadlines.foi_information(received_on, by_on=asked.by_on, calendar=holidays.contract)
        case DeadlineKind.FOIA:
            return deadlines.foi_answer(received_on, calendar=holidays.kingdom)
        case DeadlineKind.COMPLAINT:
            found = deadlines.complaint_acknowledgement(received_on, calendar=holidays.contract)
            if found is None:
                raise NoSuchClock(
                    f"No law set a time for complaints received before {deadlines.words(COMPLAINT_RULE)}"
                )
            return found
        case _:
            return _request(asked, received_on, holidays)


def _request(asked: Question, received_on: date, holidays: Holidays) -> Deadline:
    came = [day for day in (asked.identity_on, asked.authority_on, asked.fee_on) if day is not None]
    in_time = max([received_on, *came]) if asked.extended else None
    return deadlines.subject_request(
        received_on,
        as_of=max(asked.as_of, received_on),
        access=asked.kind is DeadlineKind.ACCESS,
        identity_on=asked.identity_on,
        authority_on=asked.authority_on,
        fee_on=asked.fee_on,
        pauses=asked.pauses,
        extended_on=asked.extended_on or in_time,
        calendar=holidays.contract,
    )


def pauses(asked: Sequence[date], answered: Sequence[date]) -> list[Pause]:
    """Questions with their answers, in the order given; the last may wait for its answer. Raises NotInOrder."""
    if len(answered) > len(asked):
        raise NotInOrder("There are more answers than questions")
    if len(asked) > len(answered) + 1:
        raise NotInOrder("Only the last question can wait for its answer. Give the others one each")
    return [
        Pause(day, answered[number] if number < len(answered) else None) for number, day in enumerate(asked)
    ]


def document(kind: DeadlineKind, found: Deadline) -> dict[str, Any]:
    """`{kind, due, target, derivation, ...}`; `due` is a day, or an instant in UTC for a clock of hours."""
    due = found.due_on.isoformat() if found.due_on else as_utc(found.due_at).isoformat(timespec="seconds")
    return {
        "kind": kind.value,
        "due": due,
        "target": found.target_on.isoformat() if found.target_on else None,
        "notice_by": found.notice_by.isoformat() if found.notice_by else None,
        "paused": found.paused,
        "holidays_known": found.known,
        "rule": found.rule,
        "derivation": list(found.steps),
    }


def of_day(day: date) -> datetime:
    """The instant that a day without a time stands for."""
    return start_of_day(day)
