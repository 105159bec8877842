"""Notices to the Controller: what was said in each phase of a case, how it went, and when it counts as served.

A notice goes out on every channel that the Controller named: by e-mail with a PDF, and where somebody takes it there,
by post or by hand. Only what happened is stored; service is computed (cl 17.5, 17.6, 22).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload
from sqlalchemy.orm import Session as DbSession

from privacy import deadlines
from privacy.audit import Action
from privacy.cases import acts
from privacy.cases.rules import CaseRefused, InFuture, OutOfOrder
from privacy.cases.tables import Case, Event
from privacy.clock import as_utc
from privacy.columns import SealedJson, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.work import Work
from privacy.working_days import ENGLAND_AND_WALES, Calendar


class NoticeKind(StrEnum):
    """What a notice is for. FIRST: that the case is here (cl 17.5); FURTHER: details, in phases (cl 17.6);
    OUTCOME: what an incident came to; UNLAWFUL: that an instruction looks unlawful (cl 17.2)."""

    FIRST = "first"
    FURTHER = "further"
    OUTCOME = "outcome"
    UNLAWFUL = "unlawful"


class Way(StrEnum):
    """How a notice is delivered (cl 22.1)."""

    EMAIL = "email"
    POST = "post"
    HAND = "hand"


class Notice(Record):
    """One phase of what the Controller is told of a case. `body` is the paper in plain values, as it was saved:
    its title, facts and paragraphs. Never changed: what is new goes in the next phase."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("case_id", "number"),)
    __holding__ = Holding(
        "to show what the Controller was told, and when (cl 17.5, 17.8)", Keep.CONTRACT, subject="case_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(info=plain("which phase: 1 is the first notice"))
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind), info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who saved it"))
    body_sealed: Mapped[bytes | None] = sealed(
        holder="id", purpose="what the Controller was told", at_least=1024
    )
    body = SealedJson("body_sealed")

    case: Mapped[Case] = relationship()
    sendings: Mapped[list["Sending"]] = relationship(
        back_populates="notice", order_by="Sending.made_at, Sending.to, Sending.id"
    )


class Sending(Record):
    """One way that a notice took to one recipient. `to` names a contact of the programme file, never an address.

    `sent_at`: the mail server took it, or it was posted or left. `failed_at`: it was refused for good, or given
    up. `warned_at`: people were told whom to ring. `paper`: false for an e-mail whose PDF could not be made, which the
    contract does not count as served. `evidence` is what the server answered, or who saw it go.
    """

    __tablename__ = "notice_sending"
    __holding__ = Holding(
        "to show that a notice was delivered, and when (cl 22)", Keep.CONTRACT, subject="notice_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), index=True, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), info=plain())
    way: Mapped[Way] = mapped_column(Word(Way), info=plain())
    to: Mapped[str] = mapped_column(String(40), info=plain("which contact of the programme file"))
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who sent it"))
    sent_at: Mapped[datetime | None] = mapped_column(info=plain())
    failed_at: Mapped[datetime | None] = mapped_column(info=plain())
    warned_at: Mapped[datetime | None] = mapped_column(info=plain("people were told whom to ring"))
    paper: Mapped[bool] = mapped_column(default=True, info=plain("whether the paper was in it"))
    evidence_sealed: Mapped[bytes | None] = sealed(
        holder="id", purpose="what shows that it was delivered, or why not", at_least=256
    )
    evidence = SealedJson("evidence_sealed")

    notice: Mapped[Notice] = relationship(back_populates="sendings")

    @property
    def delivered(self) -> bool:
        return self.sent_at is not None


def served_at(sending: Sending, *, calendar: Calendar = ENGLAND_AND_WALES) -> datetime | None:
    """When it counts as served; None while it has not gone, and for an e-mail without its PDF (cl 22.2)."""
    if sending.sent_at is None or not sending.paper:
        return None
    match sending.way:
        case Way.EMAIL:
            return deadlines.served_by_email(sending.sent_at, calendar=calendar)
        case Way.POST:
            return deadlines.served_by_post(sending.sent_at)
        case Way.HAND:
            return deadlines.served_by_hand(sending.sent_at)


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


def _sending(work: Work, notice: Notice, way: Way, to: str) -> Sending:
    return Sending(
        id=new_id(),
        notice_id=notice.id,
        case_id=notice.case_id,
        way=way,
        to=to,
        made_at=work.now,
        by=work.actor,
    )


def carried(work: Work, *, notice_id: UUID, way: Way, to: str, at: datetime, evidence: str) -> Sending:
    """Record that somebody posted a notice, or left it at the Controller's address; it becomes an event of the case.

    `at` is when it was posted or left. Raises LookupError, InFuture, or OutOfOrder for a time before the notice.
    """
    notice = read(work.db, notice_id)
    if notice is None:
        raise LookupError("no such notice")
    if as_utc(at) > work.now:
        raise InFuture("This lies in the future. Enter when it happened")
    if as_utc(at) < notice.made_at.replace(second=0, microsecond=0):
        raise OutOfOrder("The notice was not made yet then. Enter when it was taken there")
    sending = _sending(work, notice, way, to)
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


_EVENTS = {
    NoticeKind.FIRST: Event.CONTROLLER_NOTIFIED,
    NoticeKind.FURTHER: Event.CONTROLLER_NOTIFIED,
    NoticeKind.OUTCOME: Event.OUTCOME_TOLD,
    NoticeKind.UNLAWFUL: Event.UNLAWFUL_TOLD,
}


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
        acts.happen(work, case_id=sending.case_id, kind=_EVENTS[notice.kind], at=at, body=body)
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
