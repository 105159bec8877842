"""Tables: what people prove themselves with besides their mailbox, and how often somebody tried.

No secret that opens an account stands here in clear: passwords are hashed and sealed, codes are derived from the id
of their row with a key outside the database.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Kind, Record, Word, new_id, plain, reference


class FactorKind(StrEnum):
    """PASSKEY proves by itself. PASSWORD beside a mailed code; for staff with APP, an authenticator app's code, too.
    RECOVERY is one of ten codes for once; START a code that the team hands over outside mail, for once."""

    PASSKEY = "passkey"
    PASSWORD = "password"
    APP = "app"
    RECOVERY = "recovery"
    START = "start"


class Factor(Record):
    """Something that proves whose a browser is.

    `secret` is a public key with its id, a password's hash, or an app's key; codes have none, and what ended has none
    any more. `confirmed_at` is None while nothing but the mailbox stood behind its setting up: then it opens nothing
    that the mailbox does not. `counter` is a passkey's own count, or the last thirty seconds whose code was used.
    """

    __tablename__ = "factor"
    __holding__ = Holding(
        "to know people by more than their mailbox",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    kind: Mapped[FactorKind] = mapped_column(Word(FactorKind), info=plain())
    browser: Mapped[str] = mapped_column(
        String(40), info=plain("where it was set up, such as Safari on iPad", holds="Where it was set up")
    )
    handle: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), unique=True, info=plain("digest of a passkey's id, to find it by")
    )
    counter: Mapped[int | None] = mapped_column(
        BigInteger, info=plain(holds="How often it was used, as the device counts")
    )
    made_at: Mapped[datetime] = mapped_column(info=plain())
    made_by: Mapped[str] = mapped_column(String(80), info=reference("who set it up or handed it out"))
    confirmed_at: Mapped[datetime | None] = mapped_column(info=plain())
    confirmed_by: Mapped[str | None] = mapped_column(String(80), info=reference("who made sure of it"))
    used_at: Mapped[datetime | None] = mapped_column(info=plain("last time"))
    expires_at: Mapped[datetime | None] = mapped_column(info=plain())
    ended_at: Mapped[datetime | None] = mapped_column(info=plain("used up, replaced or taken away"))
    # Left out of every export: a secret in a file is one no more.
    secret_sealed: Mapped[bytes | None] = sealed(
        holder="person_id",
        holds="What a proof is checked with",
        purpose="to check a proof",
        kind=Kind.NOT_PERSONAL,
        at_least=1024,
        others=True,
    )
    secret = SealedJson("secret_sealed")

    person: Mapped[Person] = relationship()


class Guess(Record):
    """A proof that somebody tried. It is counted before it is looked at, and taken back when it was right."""

    __tablename__ = "guess"
    __holding__ = Holding(
        "to stop guessing", Keep.SIGN_IN, subject="person_id", erase=Erase.DELETE_ROW, clock=("at",)
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    at: Mapped[datetime] = mapped_column(info=plain())


class AddressChange(Record):
    """That somebody's address was changed, so that the mailbox of before hears of it."""

    __tablename__ = "address_change"
    __holding__ = Holding(
        "to tell people that their address was changed",
        Keep.MAIL,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("at",),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    at: Mapped[datetime] = mapped_column(info=plain())
    before_sealed: Mapped[bytes | None] = sealed(holder="person_id", holds="E-mail address before the change")
    before = SealedText("before_sealed")

    person: Mapped[Person] = relationship()
