"""Tables of the data protection officer's desk: cases, what happened in them, and the files that came with them.

A case is what somebody asks, or what went wrong. Only what happened is stored, each thing once and for ever; state,
clocks and the next step are computed from it (privacy/cases/story.py). What people wrote is sealed; kinds, times and
who acted are in clear (cl 17.5, 17.8).
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedBytes, SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


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
    channel: Mapped[Channel] = mapped_column(Word(Channel), info=plain())
    received_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))
    subject_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"), index=True, info=reference("who it is about", erase=Erase.BLANK)
    )
    exercise: Mapped[bool] = mapped_column(default=False, info=plain("a drill: nothing leaves the house"))
    copy_of: Mapped[UUID | None] = mapped_column(ForeignKey("casefile.id"), info=plain())
    contact_sealed: Mapped[bytes | None] = sealed(
        holder="id", purpose="who asks, and how to reach them", at_least=256
    )
    asked_sealed: Mapped[bytes | None] = sealed(holder="id", purpose="what they ask, in words", at_least=1024)
    contact = SealedJson("contact_sealed")
    asked = SealedText("asked_sealed")

    events: Mapped[list["CaseEvent"]] = relationship(
        back_populates="case", order_by="CaseEvent.at, CaseEvent.number"
    )
    files: Mapped[list["CaseFile"]] = relationship(back_populates="case", order_by="CaseFile.added_at")


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
    number: Mapped[int] = mapped_column(info=plain("the order in which they were written down"))
    kind: Mapped[Event] = mapped_column(Word(Event), info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))
    value_on: Mapped[date | None] = mapped_column(info=plain())
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"),
        index=True,
        info=reference("who has the case from then on, or whom it is about", erase=Erase.BLANK),
    )
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("register_entry.id"), info=plain())
    body_sealed: Mapped[bytes | None] = sealed(holder="id", purpose="what happened, in words", at_least=256)
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
    name_sealed: Mapped[bytes | None] = sealed(holder="id", purpose="the name it came with", at_least=256)
    content_sealed: Mapped[bytes | None] = sealed(holder="id", purpose="the file itself")
    name = SealedText("name_sealed")
    content = SealedBytes("content_sealed")

    case: Mapped[Case] = relationship(back_populates="files")
