"""Tables: what is counted so that nobody does too much of it, and what somebody looked for in a list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class LimitCount(Record):
    """How often something was tried from `begins_at` on by one account, from one network, or by everybody.

    `whose` is a keyed digest, so that the table says of nobody what they did.
    """

    __tablename__ = "limit_count"
    __holding__ = Holding("to hold floods back", Keep.SIGN_IN, clock=("begins_at",))
    __table_args__ = (
        UniqueConstraint("what", "whose", "begins_at", name="uq_limit_count_what_whose_begins_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    what: Mapped[str] = mapped_column(String(20), info=plain())
    whose: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=plain("keyed digest of an account or a network")
    )
    begins_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    count: Mapped[int] = mapped_column(info=plain())


class KeptSearch(Record):
    """The words that somebody looked for in a list, so that they stand in no address."""

    __tablename__ = "kept_search"
    __holding__ = Holding(
        "to keep the names that people look for out of addresses",
        Keep.PARKED,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("searched_at",),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    place: Mapped[str] = mapped_column(String(60), info=plain("the list"))
    searched_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    words_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What was looked for in a list", at_least=128
    )
    words = SealedText("words_sealed")
