"""Tables of a return: what the Controller directed, and everything that happened to carry it out.

Both stay when the data has gone: they are the proof. So they hold references, digests, numbers and dates in clear,
and every word that somebody typed sealed, under a key of the return that goes with the others (cl 14, 17.4(e), 17.8).
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedJson, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class ReturnKind(StrEnum):
    """FULL: the contract ends on its day. EARLY: it is ended before (cl 10). PARTIAL: one council or one person."""

    FULL = "full"
    EARLY = "early"
    PARTIAL = "partial"


class Wanted(StrEnum):
    """What the Controller directs (cl 17.4(e)). RETURN: the copies here go only when it says so later, in a letter of
    its own, as for BOTH. DELETE: nothing is handed over."""

    RETURN = "return"
    DELETE = "delete"
    BOTH = "both"


class Step(StrEnum):
    """The steps of a return, in order. Which of them a return takes, and what each needs: privacy/returns/course.py."""

    DIRECTION = "direction"
    FINGERPRINT = "fingerprint"
    TEST_VOLUME = "test_volume"
    TEST_READ_BACK = "test_read_back"
    FREEZE = "freeze"
    BUILD = "build"
    VERIFY = "verify"
    HAND_OVER = "hand_over"
    RECEIPT = "receipt"
    AUTHORITY = "authority"
    DESTROY = "destroy"
    VERIFIED = "verified"
    CERTIFICATE = "certificate"
    LAST_BACKUP = "last_backup"


class Act(StrEnum):
    """What an event says of its step. CONFIRMED: one of two people answers for it. BEGUN: it goes on, and cannot be
    taken back. DONE: it is done. WITHDRAWN: the whole return is called off, at this step."""

    CONFIRMED = "confirmed"
    BEGUN = "begun"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class ScopeKind(StrEnum):
    """How much goes back."""

    ALL = "all"
    COUNCIL = "council"
    PERSON = "person"


class DataReturn(Record):
    """A return. `scope` is `all`, or `council:` or `person:` with an id; `people` are then the ids of those whom it is
    about, as they are found when it is frozen. While `frozen_at` is set, nothing in its scope may change; from
    `closed_at` on the site shows its closing page alone. These follow from the events, and stand here so that every
    request can ask for them in a query that it makes anyhow."""

    __tablename__ = "data_return"
    __holding__ = Holding(
        "to return and destroy the data at the contract's end, with proof (cl 15, 17.4(e))", Keep.ACCOUNTS
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    ref: Mapped[str] = mapped_column(String(12), unique=True, info=plain())
    kind: Mapped[ReturnKind] = mapped_column(Word(ReturnKind), info=plain())
    wanted: Mapped[Wanted] = mapped_column(Word(Wanted), info=plain())
    scope: Mapped[str] = mapped_column(String(50), info=reference("everything, or which council or person"))
    people: Mapped[list[str] | None] = mapped_column(JSON, info=reference("whom a partial return is about"))
    rehearsal: Mapped[bool] = mapped_column(info=plain("a rehearsal on made-up data"))
    opened_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who opened it"))
    frozen_at: Mapped[datetime | None] = mapped_column(info=plain())
    closed_at: Mapped[datetime | None] = mapped_column(info=plain())

    events: Mapped[list["DataReturnEvent"]] = relationship(
        back_populates="data_return", order_by="DataReturnEvent.number"
    )


class DataReturnEvent(Record):
    """One thing that happened in a return; never changed.

    `digests` are SHA-256 digests in hexadecimal digits that it rests on: of certificates (direction, fingerprint), of
    the test volume, of `package.json` (build, verify, hand_over; receipt: and of the signature), of the certificate of
    destruction. `letter` is the reference of a letter, `value_on` a day that it names, `numbers` counts such as
    `{"volumes": 2, "rows": 5120}`. From the destruction on there is no key, and so no `body`.
    """

    __tablename__ = "data_return_event"
    __table_args__ = (UniqueConstraint("return_id", "number"),)
    __holding__ = Holding("to prove each step of a return of data (cl 14, 17.4(e), 17.8)", Keep.ACCOUNTS)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    return_id: Mapped[UUID] = mapped_column(ForeignKey("data_return.id"), info=plain())
    number: Mapped[int] = mapped_column(info=plain("the order in which they were written down"))
    step: Mapped[Step] = mapped_column(Word(Step), info=plain())
    act: Mapped[Act] = mapped_column(Word(Act), info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who did it, or answers for it"))
    letter: Mapped[str | None] = mapped_column(String(30), info=plain("the reference of a letter"))
    value_on: Mapped[date | None] = mapped_column(info=plain("a day that it names"))
    digests: Mapped[list[str] | None] = mapped_column(JSON, info=plain("SHA-256 digests that it rests on"))
    numbers: Mapped[dict[str, int] | None] = mapped_column(JSON, info=plain("counts"))
    body_sealed: Mapped[bytes | None] = sealed(
        holder="return_id", holds="What was written at a step of the return", at_least=1024
    )
    body = SealedJson("body_sealed")

    data_return: Mapped[DataReturn] = relationship(back_populates="events")
