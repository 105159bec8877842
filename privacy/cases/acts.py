"""Opening cases and writing down what happens in them; reading them back.

Notifying the Controller, acting on its instruction and answering are different events, because the Controller
decides and the desk prepares (cl 17.5 to 17.7, 13). A day given without a time is its start in London.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from privacy import erasure
from privacy.audit import Action
from privacy.cases.rules import RULES, Incomplete, InFuture, Rule
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.clock import as_utc, london_date
from privacy.records import new_id
from privacy.references import new_reference
from privacy.rights import Cause, LegalHold
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
) -> Case:
    """Write a case down. Raises InFuture. The notice to the Controller is the caller's, in the same work."""
    if as_utc(received_at) > work.now:
        raise InFuture("This lies in the future. Enter when it was received")
    case = Case(
        id=new_id(),
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
    work.db.flush()
    _hold(work, case)
    return case


HOLDS = {CaseKind.ACCESS: Cause.ACCESS, CaseKind.FOI: Cause.FOI}
"""While such a request is open, what was asked for is kept (Data Protection Act 2018 s 173; FOI Act s 77)."""


def _hold(work: Work, case: Case) -> None:
    """Keep what is asked for from erasure; the hold has the case's id. An exercise holds nothing."""
    cause = HOLDS.get(case.kind)
    if cause is None or case.subject_id is None or case.exercise:
        return
    placed = work.db.get(LegalHold, case.id, with_for_update=True, populate_existing=True)
    if placed is not None:
        placed.lifted_at = None
        work.record(
            Action.HOLD_PLACED, object=f"hold:{case.id}", holder=case.subject_id, cause=cause, table=None
        )
        return
    erasure.place_hold(work, person_id=case.subject_id, cause=cause, reason=case.ref, hold_id=case.id)


def _let_go(work: Work, case: Case) -> None:
    """The request is done with: an erasure that waited for it begins."""
    if work.db.get(LegalHold, case.id) is not None:
        erasure.lift_hold(work, hold_id=case.id)


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
) -> CaseEvent:
    """Write down what happened in a case; without `at` it happened now.

    Raises LookupError without the case, and what `Story.require` raises; Incomplete where a word or the written
    instruction is missing that the event needs.
    """
    story = read(work.db, case_id, lock=True)
    at = as_utc(at) if at is not None else work.now
    story.require(kind, at=at, now=work.now)
    _require_whole(RULES[kind], body or {}, entry_id)
    if kind is Event.DEPARTMENT_ASKED and value_on is not None and value_on < london_date(at):
        raise Incomplete("The day is earlier than the Department's request", name="value_on")
    event = CaseEvent(
        id=new_id(),
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
    event.body = dict(body or {})
    work.db.add(event)
    work.record(Action.CASE_WENT_ON, object=f"case:{case_id}", holder=case_id, event=kind)
    if kind in (Event.CLOSED, Event.REOPENED):
        work.db.flush()
        (_let_go if kind is Event.CLOSED else _hold)(work, story.case)
    return event


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
    """Cases with their events in two queries, oldest first; `closed` None: all of them."""
    asked = select(Case).options(selectinload(Case.events)).order_by(Case.received_at, Case.id)
    if wanted := list(kinds):
        asked = asked.where(Case.kind.in_(wanted))
    found = [Story(case, case.events) for case in db.scalars(asked).all()]
    return [story for story in found if closed is None or (story.closed is not None) is closed]


def count_open(db: DbSession) -> int:
    """How many cases are open, without reading them."""
    newest = (
        select(CaseEvent.case_id, func.max(CaseEvent.number).label("number"))
        .where(CaseEvent.kind.in_([Event.CLOSED, Event.REOPENED]))
        .group_by(CaseEvent.case_id)
        .subquery()
    )
    closed = (
        select(CaseEvent.case_id)
        .join(newest, (newest.c.case_id == CaseEvent.case_id) & (newest.c.number == CaseEvent.number))
        .where(CaseEvent.kind == Event.CLOSED)
    )
    return db.scalar(select(func.count()).select_from(Case).where(Case.id.not_in(closed))) or 0
