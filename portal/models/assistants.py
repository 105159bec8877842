"""Tables: who books for whom."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class Delegation(Record):
    """A leader's assistant, from a day to a day (both included), or until somebody ends it (`ended_at`).

    `called` and `address` are as whoever named them typed them: what the portal knows of an address is not shown to
    who types it. There is no address where it was not kept yet.
    """

    __tablename__ = "delegation"
    __holding__ = Holding(
        "to let an assistant book for a leader", Keep.CONTRACT, subject="leader_id", erase=Erase.DELETE_ROW
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    leader_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    # The row goes with the assistant too: their name stands in it, under the leader's key.
    assistant_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), index=True, info=reference(erase=Erase.DELETE_ROW)
    )
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date | None] = mapped_column(info=plain())
    named_at: Mapped[datetime] = mapped_column(info=plain())
    named_by: Mapped[str] = mapped_column(String(80), info=reference("who named the assistant"))
    ended_at: Mapped[datetime | None] = mapped_column(info=plain("from then on it holds no more"))
    ended_by: Mapped[str | None] = mapped_column(String(80), info=reference("who ended it"))
    called_sealed: Mapped[bytes | None] = sealed(holder="leader_id", holds="Name of the assistant")
    address_sealed: Mapped[bytes | None] = sealed(holder="leader_id", holds="E-mail address of the assistant")
    called = SealedText("called_sealed")
    address = SealedText("address_sealed")

    leader: Mapped[Person] = relationship(foreign_keys=[leader_id], back_populates="assisted")
    assistant: Mapped[Person] = relationship(foreign_keys=[assistant_id], back_populates="assists")

    def live_on(self, day: date) -> bool:
        return self.ended_at is None and self.from_on <= day and (self.to_on is None or day <= self.to_on)
