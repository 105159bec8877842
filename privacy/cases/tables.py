"""Tables of the data protection officer's desk: cases, what happened in them, their files, and the notices of them.

A case is what somebody asks, or what went wrong. Only what happened is stored, each thing once and for ever; state,
clocks and the next step are computed from it (privacy/cases/story.py). What people wrote is sealed; kinds, times and
who acted are in clear (cl 17.5, 17.8).
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy import deadlines
from privacy.columns import SealedBytes, SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference
from privacy.working_days import ENGLAND_AND_WALES, Calendar


class CaseKind(StrEnum):
    """What a case is about (cl 13, 17.5, annex 1). The first six are rights of Articles 15 to 21 UK GDPR."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    PORTABILITY = "portability"
    COMPLAINT = "complaint"
    THIRD_PARTY = "third_party"
    REGULATOR = "regulator"
    FOI = "foi"
    INCIDENT = "incident"


RIGHTS = frozenset(
    {
        CaseKind.ACCESS,
        CaseKind.RECTIFICATION,
        CaseKind.ERASURE,
        CaseKind.RESTRICTION,
        CaseKind.OBJECTION,
        CaseKind.PORTABILITY,
    }
)


class Channel(StrEnum):
    """How it reached us. SYSTEM: the product itself suspects an incident."""

    PORTAL = "portal"
    PUBLIC_PAGE = "public_page"
    EMAIL = "email"
    POST = "post"
    PHONE = "phone"
    IN_PERSON = "in_person"
    SYSTEM = "system"


class Case(Record):
    """A case. `received_at` is when it reached any of us (an incident: when it was discovered), `entered_at` when
    it was written down. An exercise goes nowhere outside. `copy_of` is the earlier case that this one repeats."""

    __tablename__ = "casefile"
    __holding__ = Holding(
        "to handle requests, incidents and freedom-of-information requests (cl 13, 17.5)",
        Keep.CONTRACT,
        subject="subject_id",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    ref: Mapped[str] = mapped_column(String(12), unique=True, info=plain())
    kind: Mapped[CaseKind] = mapped_column(Word(CaseKind), index=True, info=plain())
    channel: Mapped[Channel] = mapped_column(Word(Channel), info=plain(holds="How it came in"))
    received_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))
    subject_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"), index=True, info=reference("who it is about", erase=Erase.BLANK)
    )
    exercise: Mapped[bool] = mapped_column(
        default=False, info=plain("a drill: nothing leaves the house", holds="Only an exercise")
    )
    copy_of: Mapped[UUID | None] = mapped_column(ForeignKey("casefile.id"), info=plain())
    contact_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Who asks, and how to reach them", at_least=256
    )
    asked_sealed: Mapped[bytes | None] = sealed(holder="id", holds="What was asked or told", at_least=1024)
    contact = SealedJson("contact_sealed")
    asked = SealedText("asked_sealed")

    events: Mapped[list["CaseEvent"]] = relationship(
        back_populates="case", order_by="CaseEvent.at, CaseEvent.number"
    )
    files: Mapped[list["CaseFile"]] = relationship(back_populates="case", order_by="CaseFile.added_at")
    sendings: Mapped[list["Sending"]] = relationship(viewonly=True)


class Event(StrEnum):
    """What can happen in a case. What it needs and what it does stands in privacy/cases/rules.py."""

    NOTE = "note"
    CONFIRMED = "confirmed"
    ASSIGNED = "assigned"
    DEPUTISED = "deputised"
    SUBJECT_KNOWN = "subject_known"
    IDENTITY_ASKED = "identity_asked"
    IDENTITY_RECEIVED = "identity_received"
    AUTHORITY_ASKED = "authority_asked"
    AUTHORITY_RECEIVED = "authority_received"
    FEE_ASKED = "fee_asked"
    FEE_PAID = "fee_paid"
    CLARIFICATION_ASKED = "clarification_asked"
    CLARIFICATION_ANSWERED = "clarification_answered"
    EXTENDED = "extended"
    ACKNOWLEDGED = "acknowledged"
    CONTROLLER_NOTIFIED = "controller_notified"
    STANDING = "standing"
    CONTROLLER_DECIDED = "controller_decided"
    UNLAWFUL_TOLD = "unlawful_told"
    SEARCHED = "searched"
    PACKAGE_MADE = "package_made"
    REDACTED = "redacted"
    REDACTION_APPROVED = "redaction_approved"
    REDACTION_RETURNED = "redaction_returned"
    ACTED = "acted"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DEPARTMENT_ASKED = "department_asked"
    INFORMATION_GIVEN = "information_given"
    REPLY_AUTHORISED = "reply_authorised"
    CONTROLLER_AWARE = "controller_aware"
    REGULATOR_TOLD = "regulator_told"
    ASSESSED = "assessed"
    CONTAINED = "contained"
    INVESTIGATED = "investigated"
    OUTCOME_TOLD = "outcome_told"
    LESSONS = "lessons"
    NEAR_MISS = "near_miss"
    LATE_EXPLAINED = "late_explained"
    CLOSED = "closed"
    REOPENED = "reopened"


class CaseEvent(Record):
    """One thing that happened in a case. `at` is when it happened, `entered_at` when it was written down.

    `value_on` is a day that it sets, such as the one the Department names; `person_id` somebody it gives the case
    to, or whom it is about; `entry_id` the written instruction it rests on. Never changed: a mistake is put right by
    a later event. Each has a key of its own: a case goes on after the erasure that it asked for, which takes the
    words of before with it.
    """

    __tablename__ = "casefile_event"
    __table_args__ = (UniqueConstraint("case_id", "number"),)
    __holding__ = Holding(
        "to show what was done in a case, and when (cl 17.8)", Keep.CONTRACT, subject="case_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(
        info=plain("the order in which they were written down", holds="Place in the case")
    )
    kind: Mapped[Event] = mapped_column(Word(Event), info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))
    value_on: Mapped[date | None] = mapped_column(info=plain(holds="Day that it names"))
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"),
        index=True,
        info=reference("who has the case from then on, or whom it is about", erase=Erase.BLANK),
    )
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("register_entry.id"), info=plain())
    body_sealed: Mapped[bytes | None] = sealed(holder="id", holds="What happened in the case", at_least=256)
    body = SealedJson("body_sealed")

    case: Mapped[Case] = relationship(back_populates="events")


class CaseFile(Record):
    """A file of a case, sealed whole. `event_id` is what it proves, None for what came with the case itself."""

    __tablename__ = "casefile_file"
    __holding__ = Holding(
        "to keep what proves what was asked and done (cl 17.8)", Keep.CONTRACT, subject="case_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("casefile_event.id"), info=plain())
    added_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who added it"))
    media_type: Mapped[str] = mapped_column(String(80), info=plain())
    size: Mapped[int] = mapped_column(info=plain("bytes of the file"))
    name_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Name of the file", at_least=256)
    content_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Content of the file")
    name = SealedText("name_sealed")
    content = SealedBytes("content_sealed")

    case: Mapped[Case] = relationship(back_populates="files")


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
    number: Mapped[int] = mapped_column(
        info=plain("which phase: 1 is the first notice", holds="Place among the notices")
    )
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind), info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who saved it"))
    body_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What the Controller was told", at_least=1024
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
    way: Mapped[Way] = mapped_column(Word(Way), info=plain(holds="How it was sent"))
    to: Mapped[str] = mapped_column(String(40), info=plain(holds="Which contact it went to"))
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who sent it"))
    sent_at: Mapped[datetime | None] = mapped_column(info=plain())
    failed_at: Mapped[datetime | None] = mapped_column(info=plain())
    warned_at: Mapped[datetime | None] = mapped_column(info=plain("people were told whom to ring"))
    paper: Mapped[bool] = mapped_column(default=True, info=plain(holds="Whether the paper was in it"))
    evidence_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What shows that the notice arrived, or why it did not", at_least=256
    )
    evidence = SealedJson("evidence_sealed")

    notice: Mapped[Notice] = relationship(back_populates="sendings")

    @property
    def delivered(self) -> bool:
        return self.sent_at is not None

    def served_at(self, *, calendar: Calendar = ENGLAND_AND_WALES) -> datetime | None:
        """When it counts as served; None while it has not gone, and for an e-mail without its PDF (cl 22.2)."""
        if self.sent_at is None or not self.paper:
            return None
        match self.way:
            case Way.EMAIL:
                return deadlines.served_by_email(self.sent_at, calendar=calendar)
            case Way.POST:
                return deadlines.served_by_post(self.sent_at)
            case Way.HAND:
                return deadlines.served_by_hand(self.sent_at)
