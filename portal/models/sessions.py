"""Tables: support sessions, who attends, whose time is taken, and when mentors can be booked."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.packages import Package
from portal.models.people import Person
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference

if TYPE_CHECKING:
    from portal.models.groups import SessionPackage


class SessionKind(StrEnum):
    """Kinds of session (sch 5 1.3.3)."""

    ONE_TO_ONE = "one_to_one"
    WORKSHOP = "workshop"
    JOINT_WORKSHOP = "joint_workshop"
    ACTION_LEARNING_SET = "action_learning_set"
    VISIT = "visit"


class Place(StrEnum):
    """How people meet (sch 4 Place). HYBRID: some in one room, some by a link."""

    REMOTE = "remote"
    IN_PERSON = "in_person"
    HYBRID = "hybrid"


class SessionState(StrEnum):
    """HELD: it took place and its time counts. CANCELLED: it did not and will not."""

    BOOKED = "booked"
    HELD = "held"
    CANCELLED = "cancelled"


class Session(Record):
    """A support session. `capacity` is the places of a group session, None for one-to-one.

    `uid` never changes and `sequence` rises with each change that calendars must see.
    """

    __tablename__ = "session"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends_after_start"),)
    __holding__ = Holding("to hold and count support sessions (sch 4 SLAs)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    mentor_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    kind: Mapped[SessionKind] = mapped_column(Word(SessionKind), info=plain())
    state: Mapped[SessionState] = mapped_column(Word(SessionState), index=True, info=plain())
    starts_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    ends_at: Mapped[datetime] = mapped_column(info=plain())
    place: Mapped[Place] = mapped_column(Word(Place), info=plain(holds="How people meet"))
    capacity: Mapped[int | None] = mapped_column(info=plain(holds="Places"))
    delivered_minutes: Mapped[int | None] = mapped_column(info=plain(holds="Minutes delivered"))
    recorded_at: Mapped[datetime | None] = mapped_column(info=plain())
    nobody_came: Mapped[bool | None] = mapped_column(
        info=plain(
            "of one that did not take place: whether people stayed away, or it was called off; none before that",
            holds="Whether people stayed away",
        )
    )
    cancelled_at: Mapped[datetime | None] = mapped_column(
        info=plain("when it was called off beforehand; inside the notice period it counts as late")
    )
    uid: Mapped[str] = mapped_column(
        String(80),
        unique=True,
        info=plain("the same in every calendar mail", holds="Number of the entry in calendars"),
    )
    sequence: Mapped[int] = mapped_column(info=plain(holds="Version of the entry in calendars"))
    created_at: Mapped[datetime] = mapped_column(info=plain())
    told_at: Mapped[datetime | None] = mapped_column(info=plain(holds="When calendars were last told"))
    by: Mapped[str] = mapped_column(String(80), info=reference("who booked it"))
    moved_at: Mapped[datetime | None] = mapped_column(
        info=plain("when it was last given another time or place")
    )
    moved_by: Mapped[str | None] = mapped_column(String(80), info=reference("who did that"))
    moved_mentor_id: Mapped[UUID | None] = mapped_column(
        Uuid, info=reference("who gave it when it was moved; none where that was not kept")
    )
    moved_from_at: Mapped[datetime | None] = mapped_column(
        info=plain(holds="When it was to begin before it was moved")
    )
    moved_from_place: Mapped[Place | None] = mapped_column(
        Word(Place),
        info=plain(holds="How people were to meet before it was moved"),
    )
    moved_from_where_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="Address or link before the session was moved", at_least=256
    )
    title_sealed: Mapped[bytes | None] = sealed(holder="package_id", holds="Title of the session")
    where_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="Address or link of the session", at_least=256
    )
    travel_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="How to get to the session", at_least=256
    )
    called_off_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="Why the session was called off"
    )
    title = SealedText("title_sealed")
    called_off = SealedText("called_off_sealed")
    where = SealedText("where_sealed")
    moved_from_where = SealedText("moved_from_where_sealed")
    travel = SealedText("travel_sealed")

    package: Mapped[Package] = relationship()
    mentor: Mapped[Person] = relationship()
    attendances: Mapped[list["Attendance"]] = relationship(back_populates="session")
    joined: Mapped[list["SessionPackage"]] = relationship(back_populates="session")


class AttendanceState(StrEnum):
    """BOOKED: has a place. ATTENDED or ABSENT: recorded afterwards. CANCELLED: gave the place up."""

    BOOKED = "booked"
    ATTENDED = "attended"
    ABSENT = "absent"
    CANCELLED = "cancelled"


class Attendance(Record):
    """A participant's place in a session.

    A place in a group session is an entry of its own in calendars, with `uid` and `sequence`, so that one person's
    cancellation touches nobody else's; a one-to-one session is one entry for both, and these stay empty.
    """

    __tablename__ = "attendance"
    __table_args__ = (UniqueConstraint("session_id", "person_id"),)
    __holding__ = Holding(
        "to know who takes part in a session", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True, info=plain())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    participation_id: Mapped[UUID] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    state: Mapped[AttendanceState] = mapped_column(Word(AttendanceState), info=plain())
    booked_at: Mapped[datetime] = mapped_column(info=plain())
    absent_by_name: Mapped[bool | None] = mapped_column(
        info=plain(
            "of them alone, not of everybody; none before anything was recorded",
            holds="Whether it was recorded that they did not come",
        )
    )
    by: Mapped[str] = mapped_column(String(80), info=reference("who booked the place, or gave it back"))
    uid: Mapped[str | None] = mapped_column(
        String(80),
        unique=True,
        info=reference(
            "what calendars know a place in a group session by", holds="Number of the entry in calendars"
        ),
    )
    sequence: Mapped[int | None] = mapped_column(
        info=plain(
            "the number that calendars last saw of this place; none before the first",
            holds="Version of the entry in calendars",
        )
    )
    told_at: Mapped[datetime | None] = mapped_column(info=plain(holds="When calendars were last told"))

    session: Mapped[Session] = relationship(back_populates="attendances")
    person: Mapped[Person] = relationship()


class Occupied(Record):
    """A quarter hour of somebody's time. The primary key is what makes double booking impossible.

    `cell` counts quarter hours since 1 January 1970 UTC.
    """

    __tablename__ = "occupied"
    __holding__ = Holding(
        "to book nobody twice at one time", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, info=reference())
    cell: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, info=plain(holds="Quarter hour")
    )
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True, info=plain())


class Hours(Record):
    """When a mentor can be booked: spans of a weekday (0 is Monday), or of one day instead of its weekday.

    `spans` is `[[540, 720], [780, 1020]]`: minutes of the London day, half-open; empty: closed.
    """

    __tablename__ = "hours"
    __holding__ = Holding(
        "to offer the times a mentor publishes", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    weekday: Mapped[int | None] = mapped_column(info=plain(holds="Day of the week"))
    on_day: Mapped[date | None] = mapped_column(info=plain(holds="Only on"))
    spans: Mapped[list[Any]] = mapped_column(JSON, info=plain(holds="From and until"))


class OfferState(StrEnum):
    """OPEN: can be chosen. TAKEN: became a session. WITHDRAWN: another was chosen, or the mentor took it back."""

    OPEN = "open"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"


class Offer(Record):
    """One of the few times that a mentor offers to one leader; those of one mail share `batch_id`."""

    __tablename__ = "offer"
    __table_args__ = (UniqueConstraint("package_id", "mentor_id", "starts_at", "batch_id"),)
    __holding__ = Holding(
        "to offer a leader a few times to choose from",
        Keep.CONTRACT,
        subject="mentor_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    batch_id: Mapped[UUID] = mapped_column(Uuid, index=True, info=plain())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    mentor_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    starts_at: Mapped[datetime] = mapped_column(info=plain())
    ends_at: Mapped[datetime] = mapped_column(info=plain())
    place: Mapped[Place] = mapped_column(Word(Place), info=plain(holds="How people would meet"))
    state: Mapped[OfferState] = mapped_column(Word(OfferState), info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    taken_back_at: Mapped[datetime | None] = mapped_column(
        info=plain("when it was taken back by hand; none where another time was chosen or offered instead")
    )
    where_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="Address or link of the offered session", at_least=256
    )
    travel_sealed: Mapped[bytes | None] = sealed(
        holder="package_id", holds="How to get to the offered session", at_least=256
    )
    where = SealedText("where_sealed")
    travel = SealedText("travel_sealed")
