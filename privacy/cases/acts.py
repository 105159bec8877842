"""Opening cases and writing down what happens in them; reading them back.

Notifying the Controller, acting on its instruction and answering are different events, because the Controller
decides and the desk prepares (cl 17.5 to 17.7, 13). A day given without a time is its start in London.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from privacy import sent_before
from privacy.audit import Action
from privacy.cases.rules import NAMING, RULES, Incomplete, InFuture, OutOfOrder, Rule
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.clock import as_utc, london_date
from privacy.deadlines import NotInOrder
from privacy.records import new_id
from privacy.references import new_reference
from privacy.work import Work


def open_case(
    work: Work,
    *,
    kind: CaseKind,
    channel: Channel,
    received_at: datetime,
    asked: str,
    contact: Mapping[str, Any] | None = None,
    subject_id: UUID | None = None,
    exercise: bool = False,
    copy_of: UUID | None = None,
    case_id: UUID | None = None,
) -> Case:
    """Write a case down. Raises InFuture. The notice to the Controller is the caller's, in the same work.

    `case_id` is the new case's own id, where the form that opens it carries one.
    """
    if as_utc(received_at) > work.now:
        raise InFuture("This lies in the future. Enter when it was received")
    case = Case(
        id=case_id or new_id(),
        ref=new_reference("C"),
        kind=kind,
        channel=channel,
        received_at=as_utc(received_at),
        entered_at=work.now,
        by=work.actor,
        subject_id=subject_id,
        exercise=exercise,
        copy_of=copy_of,
    )
    case.contact, case.asked = dict(contact or {}), asked
    work.db.add(case)
    work.record(Action.CASE_OPENED, object=f"case:{case.id}", holder=case.id, kind=kind, channel=channel)
    return case


def happen(
    work: Work,
    *,
    case_id: UUID,
    kind: Event,
    at: datetime | None = None,
    body: Mapping[str, Any] | None = None,
    value_on: date | None = None,
    person_id: UUID | None = None,
    entry_id: UUID | None = None,
    event_id: UUID | None = None,
) -> CaseEvent:
    """Write down what happened in a case; without `at` it happened now.

    `event_id` is the new event's own id, where a form carries one: sent again, the first event is returned (`sent`).
    Raises LookupError without the case, and what `Story.require` raises; Incomplete where a word or the written
    instruction is missing that the event needs; SentBefore.
    """
    story = read(work.db, case_id, lock=True)
    if (first := sent(work, case_id=case_id, kind=kind, said=body or {}, event_id=event_id)) is not None:
        return first
    at = as_utc(at) if at is not None else work.now
    story.require(kind, at=at, now=work.now)
    _require_whole(RULES[kind], body or {}, entry_id)
    if kind is Event.CLOSED:
        body = _closing(story, body or {})
    if kind is Event.DEPARTMENT_ASKED and value_on is not None and value_on < london_date(at):
        raise Incomplete("The day is earlier than the Department's request", name="value_on")
    if kind in NAMING and person_id is None:
        raise Incomplete("Say who", name="person_id")
    event = CaseEvent(
        id=event_id or new_id(),
        case_id=case_id,
        number=1 + max((one.number for one in story.events), default=0),
        kind=kind,
        at=at,
        entered_at=work.now,
        by=work.actor,
        value_on=value_on,
        person_id=person_id,
        entry_id=entry_id,
    )
    _require_order(story, event, now=work.now)
    event.body = dict(body or {})
    if kind is Event.SUBJECT_KNOWN:
        story.case.subject_id = person_id
    work.db.add(event)
    work.record(Action.CASE_WENT_ON, object=f"case:{case_id}", holder=case_id, event=kind)
    return event


def sent(
    work: Work, *, case_id: UUID, kind: Event, said: Mapping[str, Any], event_id: UUID | None
) -> CaseEvent | None:
    """The event that the same form has written down, None where it has written none; under the lock of the case.

    `said` is what the form holds now of the words of the event. Raises SentBefore where the event is another.
    """
    first = sent_before.found(work, CaseEvent, event_id, case_id=case_id, kind=kind)
    if first is not None:
        words = dict(first.body or {})
        if kind is Event.CLOSED:
            # The steps stand behind the reason that was typed; where no step was left out, no reason was kept.
            kept = words.get("left_out")
            words["left_out"] = said.get("left_out") if kept is None else kept.rpartition(_STEPS)[0]
        sent_before.require(all((words.get(name) or "") == (value or "") for name, value in said.items()))
    return first


_STEPS = " Left out: "


def _closing(story: Story, body: Mapping[str, Any]) -> dict[str, Any]:
    """The words with which a case is closed, and the steps that were left out. Raises Incomplete without a reason."""
    told = {name: text for name, text in body.items() if name != "left_out"}
    steps = ", ".join(step.label for step in story.left_open())
    if not steps:
        return told
    why = str(body.get("left_out") or "").strip()
    if not why:
        raise Incomplete(
            f"Not done yet: {steps}. Do that first, or enter why it is left out", name="left_out"
        )
    return {**told, "left_out": f"{why}{_STEPS}{steps}"}


def require_possible(story: Story, kind: Event, *, at: datetime, now: datetime) -> None:
    """Raises what stands against an event, as `happen` would, for acts that lead to it and can't be taken back."""
    story.require(kind, at=at, now=now)
    number = 1 + max((one.number for one in story.events), default=0)
    _require_order(story, CaseEvent(number=number, kind=kind, at=as_utc(at)), now=now)


def _require_order(story: Story, event: CaseEvent, *, now: datetime) -> None:
    """The clocks can still be computed once this happened. Raises OutOfOrder, such as for waits that overlap."""
    events = sorted((*story.events, event), key=lambda one: (one.at, one.number))
    try:
        Story(story.case, events).clocks(now=now)
    except NotInOrder as problem:
        raise OutOfOrder(str(problem)) from problem


def _require_whole(rule: Rule, body: Mapping[str, Any], entry_id: UUID | None) -> None:
    for name in rule.body:
        if not str(body.get(name) or "").strip():
            raise Incomplete(f"Enter {_NAMED.get(name, name)}", name=name)
    if rule.cites and entry_id is None:
        raise Incomplete("Choose the written instruction that this rests on", name="entry_id")


_NAMED = {
    "text": "the note",
    "reason": "the reason",
    "what": "what it was",
    "question": "the question",
    "answer": "the answer",
    "evidence": "what shows it",
    "decision": "the decision",
    "searched": "what was searched",
    "proportionate": "why that is enough",
    "how": "how",
    "who": "who",
    "risk": "what could follow from it",
    "data": "what kinds of data",
    "found": "what was found",
    "outcome": "the outcome",
}


def read(db: DbSession, case_id: UUID, *, lock: bool = False) -> Story:
    """The story of a case; with `lock`, nobody else writes in it until this work ends. Raises LookupError."""
    found = select(Case).where(Case.id == case_id).execution_options(populate_existing=True)
    case = db.scalars(found.with_for_update() if lock else found).first()
    if case is None:
        raise LookupError("no such case")
    events = db.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.at, CaseEvent.number)
    ).all()
    return Story(case, events)


def stories(db: DbSession, *, closed: bool | None = False, kinds: Iterable[CaseKind] = ()) -> list[Story]:
    """Cases with their events and notices in three queries, oldest first; `closed` None: all of them."""
    asked = (
        select(Case)
        .options(selectinload(Case.events), selectinload(Case.sendings))
        .order_by(Case.received_at, Case.id)
    )
    if wanted := list(kinds):
        asked = asked.where(Case.kind.in_(wanted))
    found = [Story(case, case.events) for case in db.scalars(asked).all()]
    return [story for story in found if closed is None or (story.closed is not None) is closed]


def closed(db: DbSession, case_ids: Collection[UUID]) -> set[UUID]:
    """Which of these cases stand closed; one query."""
    return set(db.scalars(_closed().where(CaseEvent.case_id.in_(case_ids)))) if case_ids else set()


def count_open(db: DbSession) -> int:
    """How many cases are open, without reading them."""
    return db.scalar(select(func.count()).select_from(Case).where(Case.id.not_in(_closed()))) or 0


def _closed() -> Select[UUID]:
    newest = (
        select(CaseEvent.case_id, func.max(CaseEvent.number).label("number"))
        .where(CaseEvent.kind.in_([Event.CLOSED, Event.REOPENED]))
        .group_by(CaseEvent.case_id)
        .subquery()
    )
    return (
        select(CaseEvent.case_id)
        .join(newest, (newest.c.case_id == CaseEvent.case_id) & (newest.c.number == CaseEvent.number))
        .where(CaseEvent.kind == Event.CLOSED)
    )
