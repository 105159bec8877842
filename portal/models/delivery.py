"""Tables: those who deliver. What a mentor brings, what clears somebody for the work, interests, and who was chosen."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Council, Person
from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class MentorProfile(Record):
    """What somebody brings as a mentor. `about` is in their own words; `record` is the team's, as
    portal/mentors/profiles.py reads and writes it."""

    __tablename__ = "mentor_profile"
    __table_args__ = (UniqueConstraint("person_id"),)
    __holding__ = Holding(
        "to match mentors by experience, skills and place (sch 6)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info=reference())
    changed_at: Mapped[datetime] = mapped_column(info=plain())
    about_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What mentees read of their mentor before they book", at_least=1024
    )
    record_sealed: Mapped[bytes | None] = sealed(
        holder="person_id",
        holds="Experience, skills and training as a mentor",
        purpose="to match, and to show experience (sch 6)",
        at_least=1024,
    )
    about = SealedText("about_sealed")
    record = SealedJson("record_sealed")

    person: Mapped[Person] = relationship(back_populates="profile")


class ClearanceKind(StrEnum):
    """What is asked of those who deliver (annex 1, cl 17.4(c), cl 12.3). VETTING is national security vetting, which
    is more than BPSS and stands in for it."""

    BPSS = "bpss"
    VETTING = "vetting"
    DBS = "dbs"
    UNDERTAKING = "undertaking"
    TRAINING = "training"


class Clearance(Record):
    """One dated record. It holds from `from_on` until the day before `expires_on`, unless it was taken back.

    Rows are not changed afterwards: what is renewed gets a new row, so that the history stays.
    """

    __tablename__ = "clearance"
    __table_args__ = (CheckConstraint("expires_on > from_on", name="expires_after_start"),)
    __holding__ = Holding(
        "to show that nobody delivers or sees personal data without clearance (annex 1, cl 17.4(c))",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    kind: Mapped[ClearanceKind] = mapped_column(Word(ClearanceKind), info=plain())
    from_on: Mapped[date] = mapped_column(info=plain())
    expires_on: Mapped[date] = mapped_column(
        index=True,
        info=plain(holds="First day on which it does not hold"),
    )
    recorded_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who recorded it"))
    ended_on: Mapped[date | None] = mapped_column(
        info=plain("taken back: from that day it does not hold", holds="Taken back on")
    )
    note_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Number or place of the evidence for a check"
    )
    note = SealedText("note_sealed")

    person: Mapped[Person] = relationship(back_populates="clearances")

    def holds_on(self, day: date) -> bool:
        return self.from_on <= day < self.lapses_on

    @property
    def lapses_on(self) -> date:
        """The first day on which it does not hold."""
        return self.expires_on if self.ended_on is None else min(self.expires_on, self.ended_on)


class Interest(Record):
    """What ties somebody who delivers to a council, in their words, and what was done about it (annex 2)."""

    __tablename__ = "interest"
    __holding__ = Holding(
        "to keep support free of conflicts of interest, and to state them to the Department (annex 2)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    council_id: Mapped[UUID] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain("the last day"))
    declared_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who declared or recorded it"))
    nature_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What the interest is", at_least=256
    )
    action_sealed: Mapped[bytes | None] = sealed(
        holder="person_id",
        holds="What was done about the interest",
        purpose="to handle conflicts (annex 2, 4.2)",
        at_least=256,
    )
    nature = SealedText("nature_sealed")
    action = SealedText("action_sealed")

    person: Mapped[Person] = relationship()
    council: Mapped[Council] = relationship()


class MentorChoice(Record):
    """That a person chose a mentor for a package: why, and what was set aside for it."""

    __tablename__ = "mentor_choice"
    __holding__ = Holding(
        "to show who was matched with whom, and why (sch 6, annex 2)",
        Keep.CONTRACT,
        subject="mentor_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    mentor_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    chosen_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who chose"))
    overridden: Mapped[bool] = mapped_column(info=plain("whether a stop was set aside"))
    reasons_sealed: Mapped[bytes | None] = sealed(
        holder="package_id",
        holds="Why this mentor was chosen",
        at_least=1024,
    )
    reasons = SealedJson("reasons_sealed")

    mentor: Mapped[Person] = relationship()
