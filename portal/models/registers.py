"""Tables of the data protection officer's registers: who may go on seeing what, and what the product suspects."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.columns import SealedJson, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class AccessDecision(Record):
    """What was decided in the access review of a quarter about one person: whether they keep what they can see.

    `quarter_on` is the quarter's last day. The newest decision counts. `roles` are those they held when it was made.
    """

    __tablename__ = "access_decision"
    __holding__ = Holding(
        "to show that who can see personal data is looked at each quarter (cl 17.4(c))",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    quarter_on: Mapped[date] = mapped_column(info=plain(holds="Last day of the quarter"))
    kept: Mapped[bool] = mapped_column(
        info=plain("confirmed, or closed until it is", holds="Whether access was confirmed")
    )
    decided_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who decided"))
    roles_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Roles held at the review", at_least=256
    )
    roles = SealedJson("roles_sealed")

    person: Mapped[Person] = relationship(back_populates="access_decisions")


class SuspicionCause(StrEnum):
    """Why the product suspects that something went wrong (annex 1: also what is not confirmed is reported)."""

    CHAIN = "chain"
    SEAL = "seal"
    SIGN_IN = "sign_in"
    EXPORT = "export"
    DRILL = "drill"


class Suspicion(Record):
    """What the product suspects, once for each cause and day. The case is its draft; without one the trail was so
    broken that none could be opened. `up_to` is the last line of the trail that was looked at for it; what more came
    on that day is noted in the case."""

    __tablename__ = "suspicion"
    __table_args__ = (UniqueConstraint("cause", "on_day"),)
    __holding__ = Holding("to look at what may be an incident at once (cl 17.5, annex 1)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    cause: Mapped[SuspicionCause] = mapped_column(Word(SuspicionCause), info=plain())
    on_day: Mapped[date] = mapped_column(index=True, info=plain())
    found_at: Mapped[datetime] = mapped_column(info=plain())
    up_to: Mapped[int] = mapped_column(BigInteger, info=plain("the last line of the trail that counts in it"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
