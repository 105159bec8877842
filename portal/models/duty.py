"""Table: who is told at weekends and at night when a notice to the Controller does not arrive."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class Duty(Record):
    """Somebody is on duty from a day to a day, both included; London days."""

    __tablename__ = "duty"
    __holding__ = Holding(
        "to reach somebody at weekends when a notice does not arrive (cl 17.5)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    from_on: Mapped[date] = mapped_column(info=plain())
    to_on: Mapped[date] = mapped_column(index=True, info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who entered it"))

    person: Mapped[Person] = relationship()
