"""What can happen in a case, what each thing needs, and the steps that each kind of case takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from privacy.cases.tables import RIGHTS, CaseKind, Event

ALL = frozenset(CaseKind)
ASKED = RIGHTS | {CaseKind.COMPLAINT}
PEOPLES = ASKED | {CaseKind.THIRD_PARTY}


class CaseRefused(Exception):
    """A case cannot be opened or go on like this; the message can be shown beside the field."""

    field: str = "at"


class InFuture(CaseRefused):
    """Something is said to have happened later than now."""


class OutOfOrder(CaseRefused):
    """Something is said to have happened before what it follows."""


class NotPossible(CaseRefused):
    """It cannot happen in this case now: another thing comes first, or it is another kind of case."""

    field = "kind"


class CaseClosed(CaseRefused):
    """The case was closed before, perhaps in another tab; the message says when."""

    field = "kind"


class Incomplete(CaseRefused):
    """A word is missing that this event cannot do without; `field` names it."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.field = name


@dataclass(frozen=True)
class Rule:
    """When an event can happen. `after`: what has to have happened before, one of these. `answers`: the event that
    asks, each time once. `body`: the words it needs, by name. `cites`: it rests on a written instruction."""

    label: str
    kinds: frozenset[CaseKind] = ALL
    after: frozenset[Event] = frozenset()
    answers: Event | None = None
    once: bool = False
    body: tuple[str, ...] = ()
    cites: bool = False


_INCIDENT = frozenset({CaseKind.INCIDENT})
_FOI = frozenset({CaseKind.FOI})
_DECIDED = frozenset({Event.CONTROLLER_DECIDED, Event.STANDING})

RULES: Mapping[Event, Rule] = {
    Event.NOTE: Rule("A note", body=("text",)),
    Event.CONFIRMED: Rule("A suspicion was confirmed as a case", _INCIDENT, once=True),
    Event.ASSIGNED: Rule("The case was given to somebody"),
    Event.DEPUTISED: Rule("Somebody was named who stands in for its owner"),
    Event.SUBJECT_KNOWN: Rule("It was found whom the case is about"),
    Event.IDENTITY_ASKED: Rule("Proof of identity was asked for", RIGHTS, body=("reason",)),
    Event.IDENTITY_RECEIVED: Rule(
        "Proof of identity came", RIGHTS, answers=Event.IDENTITY_ASKED, body=("what",)
    ),
    Event.AUTHORITY_ASKED: Rule("The representative's authority was asked for", PEOPLES, body=("reason",)),
    Event.AUTHORITY_RECEIVED: Rule(
        "The representative's authority came", PEOPLES, answers=Event.AUTHORITY_ASKED, body=("what",)
    ),
    Event.FEE_ASKED: Rule("A fee was asked for", RIGHTS, after=_DECIDED, body=("reason",)),
    Event.FEE_PAID: Rule("The fee was paid", RIGHTS, answers=Event.FEE_ASKED),
    Event.CLARIFICATION_ASKED: Rule("We asked what is meant", ASKED, body=("question",)),
    Event.CLARIFICATION_ANSWERED: Rule(
        "They said what is meant", ASKED, answers=Event.CLARIFICATION_ASKED, body=("answer",)
    ),
    Event.EXTENDED: Rule(
        "The time was extended by a notice with reasons", RIGHTS, after=_DECIDED, once=True, body=("reason",)
    ),
    Event.ACKNOWLEDGED: Rule("Receipt was acknowledged", ALL - _INCIDENT - _FOI),
    Event.CONTROLLER_NOTIFIED: Rule("The Controller was notified", body=("evidence",)),
    Event.STANDING: Rule("A standing instruction decides it", RIGHTS, once=True, cites=True),
    Event.CONTROLLER_DECIDED: Rule(
        "The Controller decided", after=frozenset({Event.CONTROLLER_NOTIFIED}), body=("decision",), cites=True
    ),
    Event.UNLAWFUL_TOLD: Rule("We told the Controller that an instruction looks unlawful", body=("reason",)),
    Event.SEARCHED: Rule("A search was made", ALL - _INCIDENT, body=("searched", "proportionate")),
    Event.PACKAGE_MADE: Rule("What is held was put together", RIGHTS | {CaseKind.THIRD_PARTY}),
    Event.REDACTED: Rule("Other people's data were taken out", ALL - _INCIDENT),
    Event.REDACTION_APPROVED: Rule(
        "A second person approved what was taken out", ALL - _INCIDENT, answers=Event.REDACTED
    ),
    Event.REDACTION_RETURNED: Rule(
        "What was taken out was sent back", ALL - _INCIDENT, answers=Event.REDACTED, body=("reason",)
    ),
    Event.ACTED: Rule("Data were changed as decided", RIGHTS, after=_DECIDED, body=("what",), cites=True),
    Event.ANSWERED: Rule("The answer was sent", ALL - _INCIDENT, after=_DECIDED, body=("how",)),
    Event.REFUSED: Rule(
        "The request was refused, with reasons", ALL - _INCIDENT - _FOI, after=_DECIDED, body=("reason",)
    ),
    Event.WITHDRAWN: Rule("They took it back", ALL - _INCIDENT, body=("evidence",)),
    Event.DEPARTMENT_ASKED: Rule("The Department asked for information", _FOI, body=("what",)),
    Event.INFORMATION_GIVEN: Rule(
        "The information was given to the Department",
        _FOI,
        answers=Event.DEPARTMENT_ASKED,
        body=("evidence",),
    ),
    Event.REPLY_AUTHORISED: Rule("The Department authorised a reply", _FOI, body=("who",), cites=True),
    Event.CONTROLLER_AWARE: Rule("The Controller became aware", _INCIDENT, once=True),
    Event.REGULATOR_TOLD: Rule("The regulator was told", _INCIDENT, body=("who",)),
    Event.ASSESSED: Rule("Risk, kinds of data and people were assessed", _INCIDENT, body=("risk", "data")),
    Event.CONTAINED: Rule("It was contained", _INCIDENT, body=("how",)),
    Event.INVESTIGATED: Rule("It was investigated", _INCIDENT, body=("found",)),
    Event.OUTCOME_TOLD: Rule(
        "The Controller was told the outcome",
        _INCIDENT,
        after=frozenset({Event.INVESTIGATED}),
        body=("evidence",),
    ),
    Event.LESSONS: Rule("Lessons were drawn", _INCIDENT, body=("text",)),
    Event.NEAR_MISS: Rule("It turned out to be a near miss", _INCIDENT, once=True, body=("reason",)),
    Event.LATE_EXPLAINED: Rule("Why it was late was explained", body=("reason",)),
    Event.CLOSED: Rule("The case was closed", body=("outcome", "evidence")),
    Event.REOPENED: Rule("The case was opened again", after=frozenset({Event.CLOSED}), body=("reason",)),
}
"""One rule for each event; FOI answers to the requester also need the Department's authority (cl 13.4)."""

NAMING = frozenset({Event.ASSIGNED, Event.DEPUTISED, Event.SUBJECT_KNOWN})
"""The events that name somebody."""


@dataclass(frozen=True)
class Step:
    """One thing to do in a case, in order; `by` is any event that does it. `only_after`: without that event there
    is nothing to do."""

    code: str
    label: str
    by: frozenset[Event]
    only_after: Event | None = None
    done: bool = False


def _step(code: str, label: str, *by: Event, only_after: Event | None = None) -> Step:
    return Step(code, label, frozenset(by), only_after)


_NOTIFY = _step("notify", "Notify the Controller", Event.CONTROLLER_NOTIFIED)
_DECIDE = _step("decide", "Get the Controller's decision", *_DECIDED)
_ANSWER = _step("answer", "Send the answer", Event.ANSWERED, Event.REFUSED)
_CLOSE = _step("close", "Close the case", Event.CLOSED)
_SEARCH = _step("search", "Search, and say why that is enough", Event.SEARCHED)
_CHANGE = (_NOTIFY, _DECIDE, _step("act", "Do what was decided", Event.ACTED, Event.REFUSED), _ANSWER, _CLOSE)
OTHER_STEPS = (_NOTIFY, _DECIDE, _ANSWER, _CLOSE)
STEPS: Mapping[CaseKind, tuple[Step, ...]] = {
    CaseKind.ACCESS: (
        _NOTIFY,
        _SEARCH,
        _step("package", "Put together what is held", Event.PACKAGE_MADE),
        _step("redact", "Take out other people's data, and have it approved", Event.REDACTION_APPROVED),
        _DECIDE,
        _ANSWER,
        _CLOSE,
    ),
    CaseKind.PORTABILITY: (
        _NOTIFY,
        _step("package", "Put together what they gave us", Event.PACKAGE_MADE),
        _DECIDE,
        _ANSWER,
        _CLOSE,
    ),
    CaseKind.RECTIFICATION: _CHANGE,
    CaseKind.ERASURE: _CHANGE,
    CaseKind.RESTRICTION: _CHANGE,
    CaseKind.OBJECTION: _CHANGE,
    CaseKind.FOI: (
        _step("notify", "Pass the request on to the Department", Event.CONTROLLER_NOTIFIED),
        _step(
            "give",
            "Give the Department what it asks for",
            Event.INFORMATION_GIVEN,
            only_after=Event.DEPARTMENT_ASKED,
        ),
        _CLOSE,
    ),
    CaseKind.INCIDENT: (
        _step("notify", "Report it to the Controller", Event.CONTROLLER_NOTIFIED),
        _step("contain", "Contain it", Event.CONTAINED, Event.NEAR_MISS),
        _step("assess", "Say whose data, how many, and what could follow", Event.ASSESSED, Event.NEAR_MISS),
        _step("investigate", "Find out how it came about", Event.INVESTIGATED, Event.NEAR_MISS),
        _step("outcome", "Tell the Controller the outcome", Event.OUTCOME_TOLD, Event.NEAR_MISS),
        _step("lessons", "Draw lessons", Event.LESSONS),
        _CLOSE,
    ),
}
