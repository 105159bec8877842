"""Notices to the Controller: what was said in each phase of a case, how it went, and when it counts as served.

A notice goes out on every channel that the Controller named: by e-mail with a PDF, and where somebody takes it there,
by post or by hand. Only what happened is stored; service is computed (cl 17.5, 17.6, 22).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from privacy import sent_before
from privacy.audit import Action
from privacy.cases import acts
from privacy.cases.rules import CaseRefused, InFuture, OutOfOrder
from privacy.cases.tables import Case, CaseEvent, Event, Notice, NoticeKind, Sending, Way
from privacy.clock import as_utc
from privacy.records import new_id
from privacy.work import Work


def make(
    work: Work, *, case: Case, kind: NoticeKind, body: Mapping[str, Any], by_email_to: Sequence[str]
) -> Notice:
    """Save the next phase of a case, with a sending by e-mail for each contact; the caller queues the mails."""
    notice = Notice(
        id=new_id(),
        case_id=case.id,
        number=1 + last_number(work.db, case.id),
        kind=kind,
        made_at=work.now,
        by=work.actor,
    )
    notice.body = dict(body)
    notice.sendings = [_sending(work, notice, Way.EMAIL, to) for to in by_email_to]
    work.db.add(notice)
    work.record(
        Action.NOTICE_MADE, object=f"notice:{notice.id}", holder=case.id, kind=kind, number=notice.number
    )
    return notice


def again(work: Work, *, notice: Notice, to: str) -> Sending:
    """One more e-mail of the same notice to the same contact; the caller queues it."""
    sending = _sending(work, notice, Way.EMAIL, to)
    notice.sendings.append(sending)
    return sending


def _sending(work: Work, notice: Notice, way: Way, to: str, sending_id: UUID | None = None) -> Sending:
    return Sending(
        id=sending_id or new_id(),
        notice_id=notice.id,
        case_id=notice.case_id,
        way=way,
        to=to,
        made_at=work.now,
        by=work.actor,
    )


def carried(
    work: Work,
    *,
    notice_id: UUID,
    way: Way,
    to: str,
    at: datetime,
    evidence: str,
    sending_id: UUID | None = None,
) -> Sending:
    """Record that somebody posted a notice, or left it at the Controller's address; it becomes an event of the case.

    `at` is when it was posted or left. `sending_id` is its own id, where a form carries one: the same form again gives
    the first. Raises LookupError, SentBefore, InFuture, or OutOfOrder for a time before the notice.
    """
    notice = read(work.db, notice_id)
    if notice is None:
        raise LookupError("no such notice")
    says = {"notice_id": notice_id, "way": way, "to": to, "sent_at": as_utc(at)}
    first = sent_before.found(work, Sending, sending_id, **says, evidence={"what": evidence})
    if first is not None:
        return first
    if as_utc(at) > work.now:
        raise InFuture("This lies in the future. Enter when it happened")
    if as_utc(at) < notice.made_at.replace(second=0, microsecond=0):
        raise OutOfOrder("The notice was not made yet then. Enter when it was taken there")
    sending = _sending(work, notice, way, to, sending_id)
    notice.sendings.append(sending)
    delivered(work, sending, at=as_utc(at), evidence={"what": evidence})
    return sending


def delivered(
    work: Work, sending: Sending, *, at: datetime, evidence: Mapping[str, str], paper: bool = True
) -> None:
    """A notice went: it becomes an event of its case, so that the clock stops. Once; again changes nothing."""
    if sending.sent_at is not None:
        return
    sending.sent_at, sending.failed_at, sending.paper = at, None, paper
    sending.evidence = dict(evidence)
    work.record(
        Action.NOTICE_SENT, object=f"notice:{sending.notice_id}", holder=sending.case_id, way=sending.way
    )
    _enter_event(work, sending, at=at)


EVENTS = {
    NoticeKind.FIRST: Event.CONTROLLER_NOTIFIED,
    NoticeKind.FURTHER: Event.CONTROLLER_NOTIFIED,
    NoticeKind.OUTCOME: Event.OUTCOME_TOLD,
    NoticeKind.UNLAWFUL: Event.UNLAWFUL_TOLD,
}
"""What becomes of a case once a notice of a kind has gone."""


_CALLED = {
    "department": "the Department",
    "controller_dpo": "the Department's data protection officer",
    "dpo": "the desk",
}
"""Contacts of the programme file, as a note of the case calls them."""


def _enter_event(work: Work, sending: Sending, *, at: datetime) -> None:
    notice = sending.notice
    said = "; ".join(str(value) for value in (sending.evidence or {}).values() if value)
    body = {
        "evidence": said,
        "text": f"Notice {notice.number} to {_CALLED.get(sending.to, sending.to)}: {said}",
        "reason": str((notice.body or {}).get("said") or said),
        "notice": str(notice.id),
        "number": notice.number,
        "way": sending.way.value,
        "to": sending.to,
    }
    try:
        acts.happen(work, case_id=sending.case_id, kind=EVENTS[notice.kind], at=at, body=body)
    except CaseRefused:
        # The case was closed before its notice went: that it went is noted all the same.
        acts.happen(work, case_id=sending.case_id, kind=Event.NOTE, at=at, body=body)


def failed(work: Work, sending: Sending, *, why: str) -> None:
    """A notice was refused for good, or given up; who is to ring the Controller is told by the watch."""
    if sending.sent_at is not None:
        return
    sending.failed_at = work.now
    sending.evidence = {"why": why}
    work.record(
        Action.NOTICE_FAILED, object=f"notice:{sending.notice_id}", holder=sending.case_id, way=sending.way
    )


def told_otherwise(db: DbSession, found: Collection[Notice]) -> Mapping[UUID, datetime]:
    """When the Controller was told of these notices without them, such as by phone, as somebody has written down in
    the case since; by the id of the notice. One query."""
    went = exists().where(Sending.case_id == CaseEvent.case_id, Sending.sent_at == CaseEvent.at)
    asked = select(CaseEvent.case_id, CaseEvent.kind, CaseEvent.at, CaseEvent.entered_at).where(
        CaseEvent.case_id.in_({one.case_id for one in found}),
        CaseEvent.kind.in_(set(EVENTS.values())),
        # The event of a notice has the very instant at which that went.
        ~went,
    )
    events = db.execute(asked.order_by(CaseEvent.at)).all() if found else []
    return {
        one.id: event.at
        for one in found
        for event in events
        if (event.case_id, event.kind) == (one.case_id, EVENTS[one.kind]) and event.entered_at >= one.made_at
    }


def last_number(db: DbSession, case_id: UUID) -> int:
    """The number of the newest notice of a case; 0 without one."""
    return db.scalar(select(func.max(Notice.number)).where(Notice.case_id == case_id)) or 0


def read(db: DbSession, notice_id: UUID) -> Notice | None:
    return db.scalars(
        select(Notice).where(Notice.id == notice_id).options(selectinload(Notice.sendings))
    ).first()


def of_case(db: DbSession, case_id: UUID) -> Sequence[Notice]:
    """The notices of a case with their ways, first phase first; two queries."""
    return db.scalars(
        select(Notice)
        .where(Notice.case_id == case_id)
        .order_by(Notice.number)
        .options(selectinload(Notice.sendings))
    ).all()
