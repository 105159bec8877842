"""Somebody's own requests as they may see them: where each stands, and what happened, step by step.

Only events that are for their eyes are told, in words of ours: the desk's notes, and what it writes down of its work,
are not. What nobody has named here is not told either (cl 17.5, 17.7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.cases.calendars import calendars
from privacy.cases.story import ClockName, Holidays, State, Story
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.clock import london_date

TITLES: Mapping[CaseKind, str] = {
    CaseKind.ACCESS: "Get a copy of what you hold about me",
    CaseKind.RECTIFICATION: "Put something right",
    CaseKind.ERASURE: "Delete my data",
    CaseKind.RESTRICTION: "Keep my data, but do not use it",
    CaseKind.OBJECTION: "Stop using my data for something",
    CaseKind.PORTABILITY: "Get my data as files for other software",
    CaseKind.COMPLAINT: "Complain about how my data is used",
}
"""What people may ask, in the words of whoever asks."""

STATES: Mapping[State, str] = {
    State.DRAFT: "We have it",
    State.NOT_NOTIFIED: "We have it, and are telling the Department",
    State.WAITING: "We wait to hear from you",
    State.WITH_CONTROLLER: "The Department is deciding",
    State.IN_HAND: "We are working on it",
    State.CLOSED: "Closed",
}
HAPPENED: Mapping[Event, str] = {
    Event.IDENTITY_ASKED: "We asked you to show that it is you",
    Event.IDENTITY_RECEIVED: "You showed that it is you",
    Event.AUTHORITY_ASKED: "We asked for proof that somebody may ask for you",
    Event.AUTHORITY_RECEIVED: "The proof came",
    Event.FEE_ASKED: "We asked for a fee",
    Event.FEE_PAID: "The fee was paid",
    Event.CLARIFICATION_ASKED: "We asked you what you mean",
    Event.CLARIFICATION_ANSWERED: "You told us what you mean",
    Event.EXTENDED: "We need more time. Our letter says why",
    Event.ACKNOWLEDGED: "We wrote to you that we have it",
    Event.CONTROLLER_NOTIFIED: "We told the Department",
    Event.STANDING: "The Department lets you do this yourself",
    Event.CONTROLLER_DECIDED: "The Department decided",
    Event.SEARCHED: "We searched what we hold",
    Event.PACKAGE_MADE: "We put together what we hold about you",
    Event.REDACTED: "We took out what is about other people",
    Event.REDACTION_APPROVED: "A second person checked that",
    Event.ACTED: "We did what was decided",
    Event.ANSWERED: "You got the answer",
    Event.REFUSED: "The answer is no. Our letter says why, and how to complain",
    Event.WITHDRAWN: "You took it back",
    Event.CLOSED: "We closed it",
    Event.REOPENED: "We opened it again",
}
CLOCKS = (ClockName.REQUEST, ClockName.COMPLAINT)


@dataclass(frozen=True)
class Happened:
    """One thing that happened. `words` are those of the question, or their own."""

    at: datetime
    text: str
    words: str | None = None


@dataclass(frozen=True)
class OwnCase:
    """One request of somebody's. `due_on` is the day by which they hear, None once they have heard; `question` is
    what they were asked and have not answered."""

    id: UUID
    ref: str
    subject_id: UUID
    kind: CaseKind
    received_at: datetime
    asked: str
    state: State
    due_on: date | None
    closed_on: date | None
    question: str | None
    happened: Sequence[Happened]

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def stands(self) -> str:
        return STATES.get(self.state, STATES[State.IN_HAND])


def ids(person_id: UUID) -> Select[UUID]:
    """A query of the ids of somebody's requests. Other cases about them, such as a disclosure that the police ask
    for, are not theirs to hear of here. Nor is a complaint that did not come from their own page: it may be about
    them."""
    return select(Case.id).where(
        Case.subject_id == person_id,
        Case.kind.in_(TITLES),
        Case.exercise.is_(False),
        or_(Case.kind != CaseKind.COMPLAINT, Case.channel == Channel.PORTAL),
    )


def of_person(db: DbSession, person_id: UUID, *, now: datetime) -> list[OwnCase]:
    """Somebody's requests, newest first; drills are left out."""
    holidays = calendars(db)
    asked = (
        select(Case)
        .where(Case.id.in_(ids(person_id)))
        .order_by(Case.received_at.desc(), Case.id)
        .options(selectinload(Case.events))
    )
    return [
        _own(Story(case, case.events), person_id, now=now, holidays=holidays) for case in db.scalars(asked)
    ]


def one(db: DbSession, case_id: UUID, *, person_id: UUID, now: datetime) -> OwnCase | None:
    """One request of somebody's own; None if it is nobody's or somebody else's."""
    asked = select(Case).where(Case.id == case_id, Case.id.in_(ids(person_id)))
    case = db.scalars(asked.options(selectinload(Case.events))).first()
    if case is None:
        return None
    return _own(Story(case, case.events), person_id, now=now, holidays=calendars(db))


def _own(story: Story, person_id: UUID, *, now: datetime, holidays: Holidays) -> OwnCase:
    case = story.case
    closed = story.closed
    questions = story.unanswered(Event.CLARIFICATION_ASKED) if closed is None else []
    return OwnCase(
        id=case.id,
        ref=case.ref,
        subject_id=person_id,
        kind=case.kind,
        received_at=case.received_at,
        asked=case.asked or "",
        # For them it waits on them, whatever else we still have to do.
        state=State.WAITING if closed is None and story.waiting_for else story.state,
        due_on=_due(story, now=now, holidays=holidays),
        closed_on=london_date(closed.at) if closed is not None else None,
        question=_word(questions[0], "question") if questions else None,
        happened=[told for event in story.events if (told := _told(event, person_id)) is not None],
    )


def _due(story: Story, *, now: datetime, holidays: Holidays) -> date | None:
    if story.closed is not None:
        return None
    for clock in story.clocks(now=now, holidays=holidays):
        if clock.name in CLOCKS and clock.met_at is None and clock.deadline is not None:
            return clock.deadline.due_on
    return None


def _told(event: CaseEvent, person_id: UUID) -> Happened | None:
    if event.kind is Event.NOTE and event.by == f"person:{person_id}":
        takes_back = bool((event.body or {}).get("takes_back"))
        text = "You told us that you do not need it any more" if takes_back else "You told us more"
        return Happened(event.at, text, _word(event, "text"))
    if event.kind not in HAPPENED:
        return None
    words = {Event.CLARIFICATION_ASKED: "question", Event.CLARIFICATION_ANSWERED: "answer"}.get(event.kind)
    return Happened(event.at, HAPPENED[event.kind], _word(event, words) if words else None)


def _word(event: CaseEvent, name: str) -> str | None:
    return str((event.body or {}).get(name) or "") or None
