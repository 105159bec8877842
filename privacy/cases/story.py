"""A case with what happened in it: where it stands, which clocks run, what comes next. Pure, and never stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from privacy import deadlines
from privacy.cases.rules import (
    OTHER_STEPS,
    RULES,
    STEPS,
    CaseClosed,
    CaseRefused,
    InFuture,
    NotPossible,
    OutOfOrder,
    Step,
)
from privacy.cases.tables import RIGHTS, Case, CaseEvent, CaseKind, Channel, Event
from privacy.clock import as_utc, london_date, start_of_day
from privacy.deadlines import Deadline, Pause, words
from privacy.working_days import ENGLAND_AND_WALES, UNITED_KINGDOM, Calendar


class State(StrEnum):
    """Where a case stands. DRAFT: a suspicion that nobody has confirmed, so that the Controller was not told.
    WAITING: something was asked of whoever asks, and has not come."""

    DRAFT = "draft"
    NOT_NOTIFIED = "not_notified"
    WAITING = "waiting"
    WITH_CONTROLLER = "with_controller"
    IN_HAND = "in_hand"
    CLOSED = "closed"


class ClockName(StrEnum):
    """The clocks that a case can have; those of the Controller are shown for information."""

    NOTIFY = "notify"
    REQUEST = "request"
    INCIDENT = "incident"
    REGULATOR = "regulator"
    FOI_PASS_ON = "foi_pass_on"
    FOI_INFORMATION = "foi_information"
    FOI_ANSWER = "foi_answer"
    COMPLAINT = "complaint"


CONTROLLERS = frozenset({ClockName.REGULATOR, ClockName.FOI_ANSWER, ClockName.COMPLAINT})


@dataclass(frozen=True)
class Clock:
    """One clock of a case. `met_at` is when its duty was done, which for a notice that counts as served later may
    still be to come; None while it runs. NOTIFY has no deadline: it is due at once, and minutes are counted until there
    is evidence (cl 17.5)."""

    name: ClockName
    since: datetime
    deadline: Deadline | None
    met_at: datetime | None

    @property
    def ours(self) -> bool:
        return self.name not in CONTROLLERS

    def minutes(self, *, now: datetime) -> int:
        return deadlines.minutes_since(self.since, now=self.met_at or now)

    def is_late(self, *, now: datetime) -> bool:
        return self.deadline is not None and self.deadline.is_late(now=self.met_at or now)


@dataclass(frozen=True)
class Holidays:
    """The two calendars, each with the table that is kept by hand."""

    contract: Calendar = ENGLAND_AND_WALES
    kingdom: Calendar = UNITED_KINGDOM


@dataclass(frozen=True)
class Story:
    """A case with its events in the order in which they happened. Pure: nothing is read from the database."""

    case: Case
    events: Sequence[CaseEvent] = field(default_factory=tuple)

    def of(self, *kinds: Event) -> list[CaseEvent]:
        return [event for event in self.events if event.kind in kinds]

    def first(self, *kinds: Event) -> CaseEvent | None:
        return next(iter(self.of(*kinds)), None)

    def last(self, *kinds: Event) -> CaseEvent | None:
        return next(iter(reversed(self.of(*kinds))), None)

    @property
    def is_draft(self) -> bool:
        """Whether the product itself suspects it, and nobody has confirmed it or closed it yet."""
        return self.case.channel is Channel.SYSTEM and not self.of(Event.CONFIRMED, Event.CLOSED)

    @property
    def by_day(self) -> bool:
        """Whether only the day of receipt is known. A case that came at midnight is taken for one."""
        received_at = as_utc(self.case.received_at)
        return received_at == start_of_day(london_date(received_at))

    @property
    def closed(self) -> CaseEvent | None:
        """The event that closed the case, if it stands closed."""
        newest = max(self.of(Event.CLOSED, Event.REOPENED), key=lambda event: event.number, default=None)
        return newest if newest is not None and newest.kind is Event.CLOSED else None

    def unanswered(self, question: Event) -> list[CaseEvent]:
        """The events of a kind that asks which were not answered yet, oldest first."""
        answers = [kind for kind, rule in RULES.items() if rule.answers is question]
        asked, answered = self.of(question), self.of(*answers)
        return asked[len(answered) :]

    @property
    def owner_id(self) -> UUID | None:
        given = self.last(Event.ASSIGNED)
        return given.person_id if given is not None else None

    @property
    def deputy_id(self) -> UUID | None:
        named = self.last(Event.DEPUTISED)
        return named.person_id if named is not None else None

    @property
    def waiting_for(self) -> list[CaseEvent]:
        """What was asked of whoever asks and has not come."""
        return [
            event
            for question in (
                Event.IDENTITY_ASKED,
                Event.AUTHORITY_ASKED,
                Event.FEE_ASKED,
                Event.CLARIFICATION_ASKED,
            )
            for event in self.unanswered(question)
        ]

    @property
    def state(self) -> State:
        if self.closed is not None:
            return State.CLOSED
        if self.is_draft:
            return State.DRAFT
        if self.first(Event.CONTROLLER_NOTIFIED) is None:
            return State.NOT_NOTIFIED
        if self.waiting_for:
            return State.WAITING
        decided = self.first(Event.CONTROLLER_DECIDED, Event.STANDING)
        if decided is None and self.case.kind is not CaseKind.INCIDENT:
            return State.WITH_CONTROLLER
        return State.IN_HAND

    def steps(self) -> list[Step]:
        """What this kind of case takes, in order, and what is done. Of what was taken back nothing else is to do but
        to tell the Controller and to close it."""
        happened = {event.kind for event in self.events}
        steps = [
            replace(step, done=bool(step.by & happened))
            for step in STEPS.get(self.case.kind, OTHER_STEPS)
            if step.only_after is None or step.only_after in happened
        ]
        if not self._anew(Event.WITHDRAWN):
            return steps
        return [step for step in steps if step.done or step.code in ("notify", "close")]

    def left_open(self) -> list[Step]:
        """What closing the case now would leave out. Nothing of a suspicion that nobody confirmed, nor of a case that
        repeats another, which has the steps."""
        if self.is_draft or self.case.copy_of is not None:
            return []
        return [step for step in self.steps() if not step.done and step.code != "close"]

    def next_step(self) -> Step | None:
        """The first thing that is not done; None for a closed case."""
        if self.closed is not None:
            return None
        return next((step for step in self.steps() if not step.done), None)

    def clocks(self, *, now: datetime, holidays: Holidays = Holidays()) -> list[Clock]:
        """Every clock of the case, those that are met included."""
        told = self.first(Event.CONTROLLER_NOTIFIED)
        told_at = told.at if told is not None else None
        since = self.case.received_at
        clocks = [Clock(ClockName.NOTIFY, since, None, told_at)]
        received_on = london_date(since)
        kind = self.case.kind
        if kind in RIGHTS:
            clocks.append(
                Clock(
                    ClockName.REQUEST, since, self._request(now=now, holidays=holidays), self._answered_at()
                )
            )
        elif kind is CaseKind.INCIDENT:
            clocks.append(Clock(ClockName.INCIDENT, since, deadlines.incident_report(since), told_at))
            clocks += self._regulator()
        elif kind is CaseKind.COMPLAINT:
            due = deadlines.complaint_acknowledgement(received_on, calendar=holidays.contract)
            if due is not None:
                clocks.append(Clock(ClockName.COMPLAINT, since, due, self._acknowledged_at()))
        elif kind is CaseKind.FOI:
            clocks += self._foi(received_on, holidays)
        return clocks

    def _anew(self, *kinds: Event) -> list[CaseEvent]:
        """The events of these kinds since the case was opened for the last time."""
        again = max((event.number for event in self.of(Event.REOPENED)), default=0)
        return [event for event in self.of(*kinds) if event.number > again]

    def _answered_at(self, *kinds: Event) -> datetime | None:
        """When it was answered, or taken back; an answer before the case was opened again does not count any more.

        Closing a case is no answer, unless it repeats another, which is answered.
        """
        found = self._anew(*(kinds or (Event.ANSWERED, Event.REFUSED)), Event.WITHDRAWN)
        repeats = self.closed if self.case.copy_of is not None else None
        return _at(next(iter(found), None)) or _at(repeats)

    def _acknowledged_at(self) -> datetime | None:
        """When receipt was acknowledged; whoever answers does that too."""
        return _at(self.first(Event.ACKNOWLEDGED)) or self._answered_at()

    def _request(self, *, now: datetime, holidays: Holidays) -> Deadline:
        today = london_date(now)

        def came(question: Event, answer: Event) -> date | None:
            """The day it came; today while it is still waited for, since the month has not begun."""
            if self.unanswered(question):
                return max(today, london_date(self.case.received_at))
            event = self.last(answer)
            return london_date(event.at) if event is not None else None

        asked = self.of(Event.CLARIFICATION_ASKED)
        answered = self.of(Event.CLARIFICATION_ANSWERED)
        pauses = [
            Pause(
                london_date(question.at),
                london_date(answered[number].at) if number < len(answered) else None,
            )
            for number, question in enumerate(asked)
        ]
        extended = self.first(Event.EXTENDED)
        return deadlines.subject_request(
            london_date(self.case.received_at),
            as_of=today,
            access=self.case.kind is CaseKind.ACCESS,
            identity_on=came(Event.IDENTITY_ASKED, Event.IDENTITY_RECEIVED),
            authority_on=came(Event.AUTHORITY_ASKED, Event.AUTHORITY_RECEIVED),
            fee_on=came(Event.FEE_ASKED, Event.FEE_PAID),
            pauses=pauses,
            extended_on=london_date(extended.at) if extended is not None else None,
            calendar=holidays.contract,
        )

    def _regulator(self) -> list[Clock]:
        aware = self.first(Event.CONTROLLER_AWARE)
        if aware is None:
            return []
        return [
            Clock(
                ClockName.REGULATOR,
                aware.at,
                deadlines.regulator_report(aware.at),
                _at(self.first(Event.REGULATOR_TOLD)),
            )
        ]

    def _passed_on_at(self, calendar: Calendar) -> datetime | None:
        """When a request counts as passed on: as soon as one notice of it is served (cl 13.2.1, 22.2), which may be
        later than it went. What was written down by hand has no way that is known: it counts when it happened."""
        counts = (
            moment
            for event in self.of(Event.CONTROLLER_NOTIFIED)
            for moment in self._served(event, calendar)
            if moment is not None
        )
        return min(counts, default=None)

    def _served(self, event: CaseEvent, calendar: Calendar) -> list[datetime | None]:
        # The event of a notice has the very instant at which that went.
        went = [one for one in self.case.sendings if one.sent_at == event.at]
        return [one.served_at(calendar=calendar) for one in went] or [event.at]

    def _foi(self, received_on: date, holidays: Holidays) -> list[Clock]:
        since = self.case.received_at
        given = self.of(Event.INFORMATION_GIVEN)
        return [
            Clock(
                ClockName.FOI_PASS_ON,
                since,
                deadlines.foi_pass_on(received_on, calendar=holidays.contract),
                self._passed_on_at(holidays.contract),
            ),
            *(
                Clock(
                    ClockName.FOI_INFORMATION,
                    asked.at,
                    deadlines.foi_information(
                        london_date(asked.at), by_on=asked.value_on, calendar=holidays.contract
                    ),
                    given[number].at if number < len(given) else None,
                )
                for number, asked in enumerate(self.of(Event.DEPARTMENT_ASKED))
            ),
            Clock(
                ClockName.FOI_ANSWER,
                since,
                deadlines.foi_answer(received_on, calendar=holidays.kingdom),
                self._answered_at(Event.ANSWERED),
            ),
        ]

    def is_unexplained(self, *, now: datetime) -> bool:
        """Whether an incident was reported later than 24 hours after its discovery, and nobody has said why."""
        late = [
            clock
            for clock in self.clocks(now=now)
            if clock.name is ClockName.INCIDENT and clock.is_late(now=now)
        ]
        return bool(late) and not self.is_draft and self.first(Event.LATE_EXPLAINED) is None

    def possible(self) -> list[Event]:
        """What can be written down now, in the order of the rules. Confirming is an act of its own: it sends a notice;
        a standing instruction decides where somebody does it themselves; redacting takes a second person."""
        by_act = (
            Event.CONFIRMED,
            Event.STANDING,
            Event.REDACTED,
            Event.REDACTION_APPROVED,
            Event.REDACTION_RETURNED,
        )
        return [kind for kind in RULES if kind not in by_act and self._refusal(kind) is None]

    def _refusal(self, kind: Event) -> CaseRefused | None:
        rule, closed = RULES[kind], self.closed
        if closed is not None and kind not in (Event.REOPENED, Event.NOTE):
            return CaseClosed(f"This case was closed on {words(london_date(closed.at))}. Open it again first")
        if closed is None and kind is Event.REOPENED:
            return NotPossible("This case is open")
        if kind is Event.CONFIRMED and not self.is_draft:
            return NotPossible("This case was confirmed already, or was never a draft")
        if self.case.kind not in rule.kinds:
            return NotPossible(f"That does not happen in this kind of case: {rule.label}")
        if rule.once and self.first(kind) is not None:
            return NotPossible(f"That has happened already: {rule.label}")
        if rule.answers is not None and not self.unanswered(rule.answers):
            return NotPossible(f"First comes: {RULES[rule.answers].label}")
        if rule.after and self.first(*rule.after) is None:
            return NotPossible(f"First comes: {RULES[min(rule.after)].label}")
        if self._asks_once(kind):
            return NotPossible("An answer is still waited for. Ask one thing at a time")
        if kind is Event.ANSWERED and self.case.kind is CaseKind.FOI and not self.of(Event.REPLY_AUTHORISED):
            return NotPossible(f"First comes: {RULES[Event.REPLY_AUTHORISED].label}")
        return None

    def _asks_once(self, kind: Event) -> bool:
        return any(rule.answers is kind for rule in RULES.values()) and bool(
            self.unanswered(kind) and kind is not Event.DEPARTMENT_ASKED
        )

    def require(self, kind: Event, *, at: datetime, now: datetime) -> None:
        """Raises what stands against an event: NotPossible, CaseClosed, InFuture or OutOfOrder."""
        if (refusal := self._refusal(kind)) is not None:
            raise refusal
        if as_utc(at) > now:
            raise InFuture("This lies in the future. Enter when it happened")
        if kind is Event.CLOSED and self.is_unexplained(now=now):
            raise NotPossible("First explain why it was reported late (annex 1)")
        begun = [self.case.received_at]
        answers = RULES[kind].answers
        if answers is not None:
            begun += [event.at for event in self.unanswered(answers)[:1]]
        if kind is Event.REOPENED and self.closed is not None:
            begun.append(self.closed.at)
        for earlier in begun:
            # A day given without a time is its start: days are compared, not minutes.
            if london_date(at) < london_date(earlier):
                raise OutOfOrder(
                    f"{words(london_date(at))} is earlier than {words(london_date(earlier))}, which it follows"
                )


def _at(event: CaseEvent | None) -> datetime | None:
    return event.at if event is not None else None
