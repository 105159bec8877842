"""Tables: which councils are neighbours, who else works with them, and the six-monthly reviews."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.packages import Package
from portal.models.people import Council
from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class Neighbours(Record):
    """Two councils that are neighbours: one row for both ways, the lower id first."""

    __tablename__ = "neighbours"
    __table_args__ = (CheckConstraint("lower_id < higher_id", name="in_order"),)
    __holding__ = Holding("to match nobody with a council next to their own (annex 2)", Keep.CONTRACT)

    lower_id: Mapped[UUID] = mapped_column(ForeignKey("council.id"), primary_key=True, info=plain())
    higher_id: Mapped[UUID] = mapped_column(
        ForeignKey("council.id"), primary_key=True, index=True, info=plain()
    )


class PartnerKind(StrEnum):
    """Who else works with a council (sch 4 SLAs)."""

    REGIONAL_LEAD = "regional_lead"
    COMMISSIONER = "commissioner"
    SEND_ADVISER = "send_adviser"
    SECTOR_PARTNER = "sector_partner"


class Partner(Record):
    """Somebody who works with a council, or with one package alone, from a day to a day.

    They have no account; what is said of them is sealed for them alone.
    """

    __tablename__ = "partner"
    __table_args__ = (
        CheckConstraint("(council_id is null) <> (package_id is null)", name="council_or_package"),
    )
    __holding__ = Holding(
        "to know who else works with a council, and work with them (sch 4 SLAs)", Keep.CONTRACT
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    council_id: Mapped[UUID | None] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    package_id: Mapped[UUID | None] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    kind: Mapped[PartnerKind] = mapped_column(Word(PartnerKind), info=plain())
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain())
    name_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Name of the partner", purpose="to know whom to speak to"
    )
    reached_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Where the partner works, and how to reach them"
    )
    name = SealedText("name_sealed")
    reached = SealedText("reached_sealed")

    council: Mapped[Council | None] = relationship()
    package: Mapped[Package | None] = relationship()
    contacts: Mapped[list["PartnerContact"]] = relationship(
        back_populates="partner", order_by="PartnerContact.on_day.desc(), PartnerContact.recorded_at.desc()"
    )


class Way(StrEnum):
    """How people were in contact."""

    MEETING = "meeting"
    CALL = "call"
    MAIL = "mail"


class PartnerContact(Record):
    """One contact with a partner: when, how, and what about."""

    __tablename__ = "partner_contact"
    __holding__ = Holding("to show the work with partners (sch 4 SLAs)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"), index=True, info=reference())
    on_day: Mapped[date] = mapped_column(info=plain())
    way: Mapped[Way] = mapped_column(Word(Way), info=plain())
    recorded_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))
    about_sealed: Mapped[bytes | None] = sealed(
        holder="partner_id", holds="What the contact with the partner was about", at_least=256
    )
    about = SealedText("about_sealed")

    partner: Mapped[Partner] = relationship(back_populates="contacts")


class CouncilRefusal(Record):
    """The Department did not agree support in a council, and why.

    It stands until `ended_at`: the team asked again and said what is new, or the council was agreed after all.
    """

    __tablename__ = "council_refusal"
    __holding__ = Holding(
        "to show that the Department did not agree a council, and what came of it (sch 4 SLAs)", Keep.CONTRACT
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    council_id: Mapped[UUID] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    refused_at: Mapped[datetime] = mapped_column(info=plain())
    refused_by: Mapped[str] = mapped_column(String(80), info=reference("who refused for the Department"))
    ended_at: Mapped[datetime | None] = mapped_column(info=plain("from then on it stands no longer"))
    ended_by: Mapped[str | None] = mapped_column(
        String(80), info=reference("who asked again, or recorded the agreement")
    )
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="Why the Department did not agree the council", at_least=256
    )
    news_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="What is new since the Department did not agree", at_least=256
    )
    reason = SealedText("reason_sealed")
    news = SealedText("news_sealed")


class Review(Record):
    """A six-monthly review of a council in intervention that was held (sch 4 SLAs)."""

    __tablename__ = "review"
    __holding__ = Holding(
        "to take part in the reviews of councils in intervention (sch 4 SLAs)", Keep.CONTRACT
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    council_id: Mapped[UUID] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    held_on: Mapped[date] = mapped_column(info=plain())
    recorded_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who recorded it"))
    notes_sealed: Mapped[bytes | None] = sealed(
        holder="council_id", holds="What came of the review of the council", at_least=256
    )
    notes = SealedText("notes_sealed")
