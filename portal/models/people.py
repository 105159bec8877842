"""Tables: councils, people and the offices they hold."""

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
    and_,
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Kind, Record, Word, new_id, personal, plain, reference

if TYPE_CHECKING:
    from portal.models.assistants import Delegation
    from portal.models.delivery import Clearance, MentorProfile
    from portal.models.registers import AccessDecision


class CouncilKind(StrEnum):
    """Kinds of council that run children's services."""

    COUNTY = "county"
    UNITARY = "unitary"
    METROPOLITAN = "metropolitan"
    LONDON = "london"
    CITY = "city"


class Council(Record):
    """A council with responsibility for children's services. `ends_on`: the day it was replaced."""

    __tablename__ = "council"
    __holding__ = Holding("to know where support is given (sch 4 SLAs)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    gss: Mapped[str] = mapped_column(
        String(9), unique=True, info=plain("the published code", holds="Official code (GSS)")
    )
    code: Mapped[str] = mapped_column(String(10), unique=True, info=plain(holds="Short code"))
    name: Mapped[str] = mapped_column(String(120), info=plain())
    short_name: Mapped[str] = mapped_column(String(80), index=True, info=plain())
    kind: Mapped[CouncilKind] = mapped_column(Word(CouncilKind), info=plain())
    region: Mapped[str] = mapped_column(String(40), info=plain())
    starts_on: Mapped[date | None] = mapped_column(info=plain())
    ends_on: Mapped[date | None] = mapped_column(info=plain())
    replaced_by: Mapped[list[str]] = mapped_column(JSON, info=plain("codes of the successors"))


class Fact(StrEnum):
    """Dated facts about a council (sch 4). OFSTED is the overall judgement, LEADERSHIP that on the impact of leaders;
    INTERVENTION the Department's; AGREED: allocated in agreement with the Department."""

    OFSTED = "ofsted"
    LEADERSHIP = "leadership"
    SEND_STATEMENT = "send_statement"
    DECLINE = "decline"
    INTERVENTION = "intervention"
    AGREED = "agreed"


class Ground(StrEnum):
    """On what evidence a council qualifies for support (sch 4 SLAs)."""

    INADEQUATE = "inadequate"
    REQUIRES_IMPROVEMENT = "requires_improvement"
    SEND_STATEMENT = "send_statement"
    DECLINE = "decline"


class CouncilFact(Record):
    """One dated fact. `value` is a code of the fact's vocabulary; `evidence` what it rests on, in words.

    A row is never rewritten but for its last day: a correction is a row of its own (`corrects_id`), and what was
    corrected or taken back stays as history and counts for nothing from then on (`corrected_at`).
    """

    __tablename__ = "council_fact"
    __holding__ = Holding("to show why a council is supported, and who agreed (sch 4 SLAs)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    council_id: Mapped[UUID] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    fact: Mapped[Fact] = mapped_column(Word(Fact), info=plain())
    value: Mapped[str] = mapped_column(String(40), info=plain())
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain())
    recorded_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who recorded it"))
    corrects_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("council_fact.id"), index=True, info=plain("the fact that this one stands for")
    )
    corrected_at: Mapped[datetime | None] = mapped_column(info=plain("from then on it counts for nothing"))
    changed_by: Mapped[str | None] = mapped_column(
        String(80), info=reference("who corrected, took back or ended it")
    )
    department_reads: Mapped[bool | None] = mapped_column(
        info=plain("whether whoever wrote the evidence was told that the Department reads it")
    )
    agreed_with_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="Who agreed for the Department"
    )
    evidence_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="Evidence for what is recorded of the council"
    )
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="Why what is recorded of the council was changed"
    )
    agreed_with = SealedText("agreed_with_sealed")
    evidence = SealedText("evidence_sealed")
    reason = SealedText("reason_sealed")

    council: Mapped[Council] = relationship()


class Role(StrEnum):
    """What somebody is in the programme. The first six receive support; the rest give it, run it or watch it.

    ASSISTANT is no office: who books for a leader has it while the leader wants it (portal/people/delegations.py).
    """

    LEAD_MEMBER = "lead_member"
    COUNCIL_LEADER = "council_leader"
    SCRUTINY_CHAIR = "scrutiny_chair"
    COMMITTEE_MEMBER = "committee_member"
    CHIEF_EXECUTIVE = "chief_executive"
    CORPORATE_LEADER = "corporate_leader"
    MENTOR = "mentor"
    TEAM = "team"
    DPO = "dpo"
    OBSERVER = "observer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    ASSISTANT = "assistant"


POLITICAL = frozenset({Role.LEAD_MEMBER, Role.COUNCIL_LEADER, Role.SCRUTINY_CHAIR, Role.COMMITTEE_MEMBER})
CORPORATE = frozenset({Role.CHIEF_EXECUTIVE, Role.CORPORATE_LEADER})
PARTICIPANT = POLITICAL | CORPORATE
STAFF = frozenset(Role) - PARTICIPANT - {Role.MENTOR, Role.ASSISTANT}


class Person(Record):
    """Somebody with an account. Found by a keyed index of the address; everything said of them is sealed."""

    __tablename__ = "person"
    __holding__ = Holding(
        "to reach the people of the programme (cl 3.1, schedule 3a)",
        Keep.CONTRACT,
        root="person",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    ref: Mapped[str] = mapped_column(String(12), unique=True, info=reference("what staff quote"))
    email_index: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), unique=True, info=reference("to find a person by address", erase=Erase.BLANK)
    )
    name_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Name", purpose="to address them")
    email_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="E-mail address", purpose="to write to them"
    )
    phone_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Phone number", purpose="to ring them where they ask for it"
    )
    adjustments_sealed: Mapped[bytes | None] = sealed(
        holder="id",
        holds="What is needed in a session",
        purpose="to meet needs in a session, once an instruction lists it",
        kind=Kind.SPECIAL,
    )
    dietary_sealed: Mapped[bytes | None] = sealed(
        holder="id",
        holds="Dietary needs",
        purpose="to meet needs in a session, once an instruction lists it",
        kind=Kind.SPECIAL,
    )
    political_group_sealed: Mapped[bytes | None] = sealed(
        holder="id",
        holds="Political group",
        purpose="to match, once an instruction lists it",
        kind=Kind.SPECIAL,
    )
    mentor_wish_sealed: Mapped[bytes | None] = sealed(
        holder="id",
        holds="Whether the mentor should be of the same political group",
        purpose="to match, once an instruction lists it",
        kind=Kind.SPECIAL,
    )
    meets_children: Mapped[bool] = mapped_column(
        default=False,
        info=plain(
            "whoever is needs an enhanced DBS (annex 1)",
            holds="In contact with children or vulnerable adults",
        ),
    )
    created_at: Mapped[datetime] = mapped_column(info=plain())
    disabled_at: Mapped[datetime | None] = mapped_column(
        info=plain("from then on they cannot sign in", holds="No sign-in since")
    )
    reminders_stopped_at: Mapped[datetime | None] = mapped_column(
        info=plain("from then on they are not reminded", holds="No reminders since")
    )
    restricted_at: Mapped[datetime | None] = mapped_column(
        info=plain(
            "from then on their data is kept and not used (Article 18)", holds="Kept and not used since"
        )
    )
    mailbox_shared: Mapped[bool | None] = mapped_column(
        info=plain(
            "whether others read their mailbox, as they say; None: not asked yet",
            holds="Whether others read the mailbox",
        )
    )
    passkey_offered_at: Mapped[datetime | None] = mapped_column(
        info=plain(holds="When a passkey was offered")
    )

    name = SealedText("name_sealed")
    email = SealedText("email_sealed")
    phone = SealedText("phone_sealed")
    adjustments = SealedText("adjustments_sealed")
    dietary = SealedText("dietary_sealed")
    political_group = SealedText("political_group_sealed")
    mentor_wish = SealedText("mentor_wish_sealed")

    offices: Mapped[list["Office"]] = relationship(back_populates="person", order_by="Office.from_on")
    assists: Mapped[list["Delegation"]] = relationship(
        back_populates="assistant", foreign_keys="Delegation.assistant_id"
    )
    assisted: Mapped[list["Delegation"]] = relationship(
        back_populates="leader", foreign_keys="Delegation.leader_id"
    )
    profile: Mapped["MentorProfile | None"] = relationship(back_populates="person")
    clearances: Mapped[list["Clearance"]] = relationship(
        back_populates="person", order_by="Clearance.from_on, Clearance.recorded_at"
    )
    access_decisions: Mapped[list["AccessDecision"]] = relationship(
        back_populates="person", order_by="AccessDecision.decided_at"
    )


class Office(Record):
    """A role somebody holds, in a council or in the programme, from a day to a day (both included)."""

    __tablename__ = "office"
    __table_args__ = (
        UniqueConstraint("person_id", "role", "council_id", "from_on"),
        # An audit is for a bounded time (cl 14, 17.9).
        CheckConstraint("role != 'auditor' OR to_on IS NOT NULL", name="auditor_ends"),
    )
    __holding__ = Holding(
        "to know who holds which office; it is public who leads a council",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    council_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("council.id"), index=True, info=personal(holds="Council of the office")
    )
    role: Mapped[Role] = mapped_column(Word(Role), index=True, info=personal(holds="Role in the council"))
    from_on: Mapped[date] = mapped_column(info=personal(holds="In office from", erase=Erase.KEEP))
    to_on: Mapped[date | None] = mapped_column(info=personal(holds="In office until"))

    person: Mapped[Person] = relationship(back_populates="offices")
    council: Mapped[Council | None] = relationship()

    def held_on(self, day: date) -> bool:
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)

    @classmethod
    def holding(cls, roles: Collection[Role], *, on: date) -> ColumnElement[bool]:
        """Whether it is one of these roles and held on a London day, as part of a query."""
        return and_(cls.role.in_(roles), cls.from_on <= on, or_(cls.to_on.is_(None), cls.to_on >= on))
