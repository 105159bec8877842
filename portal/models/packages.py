"""Tables: packages of support, who is in them, who gives them, and what was agreed."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Council, Person, Role
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, personal, plain, reference

if TYPE_CHECKING:
    from portal.models.notes import GoalEvent


class Strand(StrEnum):
    """One-to-one support counts for KPI 1, group support for KPI 2 (sch 4 KPIs)."""

    ONE_TO_ONE = "one_to_one"
    GROUP = "group"


class PackageState(StrEnum):
    """Where a package stands; portal/packages/acts.py holds the machine."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    BASELINE = "baseline"
    ACTIVE = "active"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class Package(Record):
    """One agreed stretch of support for one leader or one group. Planned time is in minutes."""

    __tablename__ = "package"
    __holding__ = Holding(
        "to plan, deliver and count support (sch 4 SLAs)", Keep.CONTRACT, shared_by="participation"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    ref: Mapped[str] = mapped_column(String(12), unique=True, info=plain())
    strand: Mapped[Strand] = mapped_column(Word(Strand), index=True, info=plain(holds="Kind of support"))
    state: Mapped[PackageState] = mapped_column(Word(PackageState), index=True, info=plain())
    council_id: Mapped[UUID | None] = mapped_column(ForeignKey("council.id"), index=True, info=plain())
    starts_on: Mapped[date] = mapped_column(info=plain())
    ends_on: Mapped[date | None] = mapped_column(info=plain("the day support ended"))
    planned_minutes: Mapped[int] = mapped_column(info=plain(holds="Minutes planned"))
    created_at: Mapped[datetime] = mapped_column(info=plain())
    baseline_waived_at: Mapped[datetime | None] = mapped_column(
        info=plain(
            "the team let a first session be held without the baseline (sch 4 SLAs)",
            holds="When the first questionnaire was waived",
        )
    )
    follows_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("package.id"), index=True, info=plain("whose place it took when a role passed on")
    )
    title_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Name of the group")
    waiver_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why the first session was held without the first questionnaire"
    )
    short_reason_sealed: Mapped[bytes | None] = sealed(
        holder="id",
        holds="Why the support ended under the minimum",
        purpose="to answer for it (sch 4: no less than 5 days)",
    )
    withdrawal_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why the support was given up before it began"
    )
    title = SealedText("title_sealed")
    waiver = SealedText("waiver_sealed")
    withdrawal = SealedText("withdrawal_sealed")
    short_reason = SealedText("short_reason_sealed")

    council: Mapped[Council | None] = relationship()
    participations: Mapped[list["Participation"]] = relationship(
        back_populates="package", order_by="Participation.from_on"
    )
    mentors: Mapped[list["PackageMentor"]] = relationship(back_populates="package")
    goals: Mapped[list["Goal"]] = relationship(back_populates="package", order_by="Goal.number")


class PackageMentor(Record):
    """A mentor of a package, from a day to a day. More than one can serve."""

    __tablename__ = "package_mentor"
    __table_args__ = (UniqueConstraint("package_id", "person_id", "from_on"),)
    __holding__ = Holding(
        "to know who gives the support", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain())

    package: Mapped[Package] = relationship(back_populates="mentors")
    person: Mapped[Person] = relationship()


class Participation(Record):
    """Somebody in a package, in the role they held; its id is the respondent's, and the holder of answers.

    After an erasure the person is blank and the row still counts as supported.
    """

    __tablename__ = "participation"
    __table_args__ = (UniqueConstraint("package_id", "person_id"),)
    __holding__ = Holding(
        "to know who is supported in which package",
        Keep.CONTRACT,
        subject="person_id",
        stands_for="respondent",
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("respondent.id"), primary_key=True, info=reference())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"), index=True, info=reference(erase=Erase.BLANK)
    )
    role: Mapped[Role] = mapped_column(
        Word(Role), info=personal(holds="Role in which support is given", erase=Erase.KEEP)
    )
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain())
    invited_at: Mapped[datetime | None] = mapped_column(info=plain())

    package: Mapped[Package] = relationship(back_populates="participations")
    person: Mapped[Person | None] = relationship()


class GoalState(StrEnum):
    """How a goal stands."""

    OPEN = "open"
    MET = "met"
    DROPPED = "dropped"


class Goal(Record):
    """What support is to achieve, agreed at the outset (sch 5 1.3.3): one leader's, or a whole group's."""

    __tablename__ = "goal"
    __holding__ = Holding(
        "to agree what support is for (sch 5 1.3.3)",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    participation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    number: Mapped[int] = mapped_column(
        info=plain("the order in which they were agreed", holds="Place among the goals")
    )
    state: Mapped[GoalState] = mapped_column(Word(GoalState), info=plain())
    agreed_on: Mapped[date] = mapped_column(info=plain())
    revisited_on: Mapped[date | None] = mapped_column(
        info=plain("when somebody last said or changed something", holds="Last looked at")
    )
    text_sealed: Mapped[bytes | None] = sealed(holder="holder_id", holds="Goal, in words", at_least=256)
    text = SealedText("text_sealed")

    package: Mapped[Package] = relationship(back_populates="goals")
    events: Mapped[list["GoalEvent"]] = relationship(back_populates="goal", order_by="GoalEvent.at")

    @property
    def holder_id(self) -> UUID:
        """Whose key seals it: the leader's participation, or the package of a group."""
        return self.participation_id or self.package_id


class CallRequest(Record):
    """A leader would rather talk: somebody of the team rings them and fills the questionnaire in."""

    __tablename__ = "call_request"
    __holding__ = Holding(
        "to ring those who would rather talk (sch 4: questionnaire or interview)",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    participation_id: Mapped[UUID] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    wave: Mapped[str] = mapped_column(String(20), info=plain(holds="Which questionnaire"))
    occasion: Mapped[str] = mapped_column(String(60), default="once", info=reference())
    asked_at: Mapped[datetime] = mapped_column(info=plain())
    done_at: Mapped[datetime | None] = mapped_column(info=plain())
    phone_sealed: Mapped[bytes | None] = sealed(holder="participation_id", holds="Number to ring")
    when_sealed: Mapped[bytes | None] = sealed(holder="participation_id", holds="When a call suits")
    notes_sealed: Mapped[bytes | None] = sealed(
        holder="participation_id", holds="What was agreed on the phone", at_least=256
    )
    phone = SealedText("phone_sealed")
    when = SealedText("when_sealed")
    notes = SealedText("notes_sealed")

    participation: Mapped[Participation] = relationship()
