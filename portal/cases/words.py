"""What people call kinds of case, channels, states, clocks and the words that an event needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.cases.holds import LetGo
from portal.filters import count
from privacy.cases.rules import RULES
from privacy.cases.story import ClockName, State
from privacy.cases.tables import CaseKind, Channel, Event

KINDS: Mapping[CaseKind, str] = {
    CaseKind.ACCESS: "Access: a copy of their data",
    CaseKind.RECTIFICATION: "Rectification: put something right",
    CaseKind.ERASURE: "Erasure: delete their data",
    CaseKind.RESTRICTION: "Restriction: keep it, do not use it",
    CaseKind.OBJECTION: "Objection: stop using it",
    CaseKind.PORTABILITY: "Portability: take their data elsewhere",
    CaseKind.COMPLAINT: "Complaint about data protection",
    CaseKind.THIRD_PARTY: "Somebody else asks for data, by law",
    CaseKind.REGULATOR: "Letter of the regulator",
    CaseKind.FOI: "Freedom of information",
    CaseKind.INCIDENT: "Incident: data lost, seen or changed",
}
SHORT: Mapping[CaseKind, str] = {kind: words.split(":")[0] for kind, words in KINDS.items()} | {
    CaseKind.COMPLAINT: "Complaint",
    CaseKind.THIRD_PARTY: "Disclosure request",
    CaseKind.REGULATOR: "Regulator",
}
CHANNELS: Mapping[Channel, str] = {
    Channel.PORTAL: "Their own page in the portal",
    Channel.PUBLIC_PAGE: "Our public page",
    Channel.EMAIL: "E-mail",
    Channel.POST: "Post",
    Channel.PHONE: "Phone",
    Channel.IN_PERSON: "In person",
    Channel.SYSTEM: "The portal itself",
}
BY_HAND = (Channel.EMAIL, Channel.POST, Channel.PHONE, Channel.IN_PERSON)
"""The channels that somebody has to write down; what comes by a page of ours is written down by that page."""

STATES: Mapping[State, tuple[str, str]] = {
    State.DRAFT: ("Suspicion", "grey"),
    State.NOT_NOTIFIED: ("Controller not notified", "red"),
    State.WAITING: ("Waits for an answer", "yellow"),
    State.WITH_CONTROLLER: ("With the Controller", "purple"),
    State.IN_HAND: ("In hand", "teal"),
    State.CLOSED: ("Closed", "grey"),
}
"""Words and colour of a state."""

CLOCKS: Mapping[ClockName, str] = {
    ClockName.NOTIFY: "Notify the Controller at once",
    ClockName.REQUEST: "Answer the request",
    ClockName.INCIDENT: "Report the incident to the Controller",
    ClockName.REGULATOR: "Report to the regulator (the Controller's duty)",
    ClockName.FOI_PASS_ON: "Pass the request on to the Department",
    ClockName.FOI_INFORMATION: "Give the Department what it asks for",
    ClockName.FOI_ANSWER: "Answer under the FOI Act (the Department's duty)",
    ClockName.COMPLAINT: "Acknowledge the complaint (the Controller's duty)",
}


@dataclass(frozen=True)
class Words:
    """A field for words that an event needs: what it asks, and how much room it gives."""

    label: str
    hint: str = ""
    rows: int = 3


FIELDS: Mapping[str, Words] = {
    "text": Words("What happened", "", 4),
    "reason": Words("Why", "", 4),
    "what": Words("What was it?", "Only what is needed, such as which paper was seen"),
    "question": Words("What did you ask?"),
    "answer": Words("What did they answer?"),
    "evidence": Words("What shows it?", "Such as a message number, a receipt, or who saw it"),
    "decision": Words("What was decided?", "", 4),
    "searched": Words("What was searched?", "Every place, and for what", 4),
    "proportionate": Words("Why is that enough?", "Why this search was reasonable and proportionate"),
    "how": Words("How?"),
    "who": Words("Who, and when by them?", "", 2),
    "risk": Words("What could follow from it?", "", 4),
    "data": Words("What kinds of data, and whose?", "Say how many people as well, as far as you know"),
    "found": Words("What was found?", "", 4),
    "outcome": Words("What came of it?", "", 3),
    "left_out": Words("Why is it closed with something not done?"),
}
TOLD = Words(
    "What shows it?",
    "Who told whom, and how: by phone, by hand or otherwise. Such as who was rung, a message number or a receipt",
)
"""The same field where the Controller was told something."""
TELLING = frozenset({Event.CONTROLLER_NOTIFIED, Event.OUTCOME_TOLD, Event.INFORMATION_GIVEN})
NOTE = Words("Anything else (optional)", "", 2)

ASK: Mapping[Event, str] = {
    Event.NOTE: "Write a note",
    Event.ASSIGNED: "Give the case to somebody",
    Event.DEPUTISED: "Name who stands in",
    Event.SUBJECT_KNOWN: "Say whose request it is",
    Event.IDENTITY_ASKED: "Ask for proof of identity",
    Event.IDENTITY_RECEIVED: "Proof of identity has come",
    Event.AUTHORITY_ASKED: "Ask for a representative's authority",
    Event.AUTHORITY_RECEIVED: "The authority has come",
    Event.FEE_ASKED: "Ask for a fee",
    Event.FEE_PAID: "The fee is paid",
    Event.CLARIFICATION_ASKED: "Ask what is meant",
    Event.CLARIFICATION_ANSWERED: "They have said what is meant",
    Event.EXTENDED: "Extend the time",
    Event.ACKNOWLEDGED: "Acknowledge receipt",
    Event.CONTROLLER_NOTIFIED: "The Controller was notified",
    Event.CONTROLLER_DECIDED: "The Controller has decided",
    Event.UNLAWFUL_TOLD: "An instruction looks unlawful: the Controller was told",
    Event.SEARCHED: "Record a search",
    Event.PACKAGE_MADE: "What is held is put together",
    Event.REDACTED: "Other people's data is taken out",
    Event.REDACTION_APPROVED: "A second person has approved that",
    Event.REDACTION_RETURNED: "What was taken out is sent back",
    Event.ACTED: "Data was changed as decided",
    Event.ANSWERED: "The answer is sent",
    Event.REFUSED: "The request is refused",
    Event.WITHDRAWN: "They took it back",
    Event.DEPARTMENT_ASKED: "The Department asks for information",
    Event.INFORMATION_GIVEN: "The information is given",
    Event.REPLY_AUTHORISED: "The Department authorises a reply",
    Event.CONTROLLER_AWARE: "The Controller is aware of it",
    Event.REGULATOR_TOLD: "The regulator is told",
    Event.ASSESSED: "Risk, data and people are assessed",
    Event.CONTAINED: "It is contained",
    Event.INVESTIGATED: "It is investigated",
    Event.OUTCOME_TOLD: "The Controller was told the outcome",
    Event.LESSONS: "Lessons are drawn",
    Event.NEAR_MISS: "It was a near miss",
    Event.LATE_EXPLAINED: "Explain why it was late",
    Event.CLOSED: "Close the case",
    Event.REOPENED: "Open the case again",
}
"""What the form of an event is called, where it is not written down as the event itself."""


def ask(event: Event) -> str:
    """What the form of an event is called."""
    return ASK.get(event, RULES[event].label)


def let_go(followed: LetGo) -> str:
    """What became of somebody's data once a hold on it was lifted."""
    if followed.erases:
        apart = ", apart from what another hold keeps" if followed.some else ""
        return f"The hold is lifted, and the data of {followed.ref} is erased{apart}."
    if followed.waits:
        stay = count(followed.whole, "other hold keeps", "other holds keep")
        return f"The hold is lifted. The erasure of the data of {followed.ref} goes on waiting: {stay} it."
    return f"The hold on the data of {followed.ref} is lifted."
