"""Tables: when nobody can be booked, and how much a mentor takes on, beside the published hours."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Uuid, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Council
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


def _stretch(name: str) -> tuple[Any, ...]:
    """What a stretch of time must hold: it is not empty, and its minutes are quarter hours of a day."""
    return (
        CheckConstraint("from_on < to_on or from_minute < to_minute", name=f"{name}_is_not_empty"),
        CheckConstraint(
            "from_minute between 0 and 1440 and to_minute between 0 and 1440", name=f"{name}_in_a_day"
        ),
    )


class Leave(Record):
    """A stretch in which a mentor cannot be booked: from a minute of its first day to a minute of its last.

    Minutes are those of the London wall clock, in quarter hours, half-open; 0 and 1440 for whole days.
    """

    __tablename__ = "leave"
    __table_args__ = _stretch("leave")
    __holding__ = Holding(
        "to book nobody while they are away", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    from_on: Mapped[date] = mapped_column(info=plain())
    from_minute: Mapped[int] = mapped_column(info=plain(holds="From, on the first day"))
    to_on: Mapped[date] = mapped_column(info=plain())
    to_minute: Mapped[int] = mapped_column(info=plain(holds="Until, on the last day"))
    made_at: Mapped[datetime] = mapped_column(info=plain())


class BookingLimit(Record):
    """The most sessions that a mentor takes on in a day and in a week; None is the programme's number."""

    __tablename__ = "booking_limit"
    __holding__ = Holding(
        "to book no more than a mentor takes on", Keep.CONTRACT, subject="person_id", erase=Erase.DELETE_ROW
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, info=reference())
    per_day: Mapped[int | None] = mapped_column(info=plain(holds="Most sessions in a day"))
    per_week: Mapped[int | None] = mapped_column(info=plain(holds="Most sessions in a week"))


class Blackout(Record):
    """A stretch in which no session of a council is booked, or none of any council: the pre-election period, full
    council, recess. Its minutes are those of `Leave`."""

    __tablename__ = "blackout"
    __table_args__ = _stretch("blackout")
    __holding__ = Holding("to book no session when a council must not or cannot hold one", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    council_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("council.id"), index=True, info=plain("None: every council")
    )
    from_on: Mapped[date] = mapped_column(info=plain())
    from_minute: Mapped[int] = mapped_column(info=plain())
    to_on: Mapped[date] = mapped_column(info=plain())
    to_minute: Mapped[int] = mapped_column(info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who entered it"))
    name_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What those who book are told of the closed time"
    )
    name = SealedText("name_sealed")

    council: Mapped[Council | None] = relationship()


class HolidayChange(Record):
    """A day that was made a bank holiday, or taken from the published ones (`closed` is then false).

    What the team closes is closed to booking alone. The clocks of the law know public holidays only (cl 1.1): a day
    counts there when the desk enters it (`for_clocks`), such as one that was proclaimed.
    """

    __tablename__ = "holiday_change"
    __holding__ = Holding("to know the bank holidays that the published list lacks", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    on_day: Mapped[date] = mapped_column(unique=True, info=plain())
    closed: Mapped[bool] = mapped_column(info=plain())
    for_clocks: Mapped[bool] = mapped_column(
        default=False, server_default=true(), info=plain("whether the clocks of cases keep it too")
    )
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who entered it"))
    name_sealed: Mapped[bytes | None] = sealed(holder="id", holds="What the bank holiday is called")
    name = SealedText("name_sealed")
