"""Tables: what a group session has besides its places: a minimum, a host, who else may come, and who waits."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.packages import Package, Participation
from portal.models.people import Council, Person
from portal.models.sessions import Session
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class Decision(StrEnum):
    """What the team decided about a session with fewer people than it needs."""

    GO = "go"
    NO_GO = "no_go"


class GroupPlan(Record):
    """How a group session is planned. `set_id` is shared by the dates of an action learning set.

    `decide_on` is the London day on which it is decided whether a session with under `minimum` people takes place.
    """

    __tablename__ = "group_plan"
    __holding__ = Holding("to plan group sessions (sch 5 1.3.3)", Keep.CONTRACT)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), primary_key=True, info=plain())
    set_id: Mapped[UUID | None] = mapped_column(Uuid, index=True, info=plain())
    minimum: Mapped[int | None] = mapped_column(info=plain())
    decide_on: Mapped[date | None] = mapped_column(index=True, info=plain())
    decision: Mapped[Decision | None] = mapped_column(Word(Decision), info=plain())
    decided_at: Mapped[datetime | None] = mapped_column(info=plain())
    host_council_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("council.id"), info=plain("the council of good practice that is visited")
    )

    session: Mapped[Session] = relationship()
    host: Mapped[Council | None] = relationship()


class SessionPackage(Record):
    """Another package of the council whose members may come to a joint workshop as well."""

    __tablename__ = "session_package"
    __holding__ = Holding("to bring cabinet and corporate leaders together (sch 4 SLAs)", Keep.CONTRACT)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), primary_key=True, info=plain())
    package_id: Mapped[UUID] = mapped_column(
        ForeignKey("package.id"), primary_key=True, index=True, info=plain()
    )

    session: Mapped[Session] = relationship(back_populates="joined")
    package: Mapped[Package] = relationship()


class WaitingState(StrEnum):
    """WAITING: on the list. PROMOTED: got a place. DECLINED: gave that place up. LEFT: left the list. OVER: the
    session began or was called off before a place was free."""

    WAITING = "waiting"
    PROMOTED = "promoted"
    DECLINED = "declined"
    LEFT = "left"
    OVER = "over"


class PassedOver(StrEnum):
    """Why a free place went past somebody who waits."""

    CLASH = "clash"
    BASELINE = "baseline"
    NOT_A_MEMBER = "not_a_member"
    RESTRICTED = "restricted"


class Waiting(Record):
    """Somebody on the waiting list of a group session; `number` gives the order of joining."""

    __tablename__ = "waiting"
    __table_args__ = (UniqueConstraint("session_id", "person_id"),)
    __holding__ = Holding(
        "to give freed places in order of joining", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True, info=plain())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participation.id"), info=reference())
    number: Mapped[int] = mapped_column(info=plain(holds="Order of joining"))
    state: Mapped[WaitingState] = mapped_column(Word(WaitingState), index=True, info=plain())
    joined_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who put them on the list"))
    changed_at: Mapped[datetime | None] = mapped_column(info=plain("when they got a place or left the list"))
    passed_over_at: Mapped[datetime | None] = mapped_column(info=plain())
    passed_over: Mapped[PassedOver | None] = mapped_column(
        Word(PassedOver), info=plain(holds="Why they were passed over")
    )

    person: Mapped[Person] = relationship()
    participation: Mapped[Participation] = relationship()
