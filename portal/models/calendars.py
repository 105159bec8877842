"""Tables: the secret addresses of calendar feeds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.records import Erase, Holding, Keep, Record, plain, reference


class Feed(Record):
    """The calendar that somebody subscribes to: one each, found by the digest of its secret address.

    When a calendar last asked for it is not kept: a look must write nothing.
    """

    __tablename__ = "feed"
    __holding__ = Holding(
        "to let a calendar follow somebody's sessions, until they end it",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), primary_key=True, autoincrement=False, info=reference()
    )
    token: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=plain("digest of the secret in the address")
    )
    made_at: Mapped[datetime] = mapped_column(info=plain())

    person: Mapped[Person] = relationship()
