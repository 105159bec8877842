"""Tables: how people come in. Nothing in them opens an account: only digests of secrets are kept."""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from portal.models.people import Person
from privacy.columns import SealedJson, sealed
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class Level(IntEnum):
    """How a browser proved whose it is. MAIL: a mailed code or link, or a kept device. PROOF: more than the mailbox
    holds, such as a passkey."""

    MAIL = 1
    PROOF = 2


class SignIn(Record):
    """A sign-in that was asked for in one browser and waits to be completed there.

    `chain` is the same for all that one browser asked for, one after another.

    `verifier` is the digest of that browser's cookie. The mailed link and code are derived from the id with a
    key outside the database when the mail is rendered. Without a person: the address is unknown.
    """

    __tablename__ = "sign_in"
    __holding__ = Holding(
        "to let people in by a mailed code or link",
        Keep.SIGN_IN,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("expires_at",),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    chain: Mapped[UUID] = mapped_column(Uuid, index=True, info=reference("sign-ins of one browser"))
    network: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), index=True, info=reference("keyed digest of the network that asked")
    )
    verifier: Mapped[bytes] = mapped_column(LargeBinary(32), index=True, info=plain("digest of a cookie"))
    level: Mapped[int] = mapped_column(
        info=plain("what it will open: 1 or 2", holds="Strength of the sign-in")
    )
    asked_at: Mapped[datetime] = mapped_column(info=plain())
    expires_at: Mapped[datetime] = mapped_column(info=plain())
    tries: Mapped[int] = mapped_column(default=0, info=plain(holds="Codes that were tried"))
    used_at: Mapped[datetime | None] = mapped_column(info=plain("also when a newer one replaced it"))
    next_path: Mapped[str | None] = mapped_column(
        String(300), info=reference(holds="Page that was asked for")
    )


class BrowserSession(Record):
    """A signed-in browser, or a device kept for 30 days (`device`), found by the digest of its cookie.

    `frozen` is nothing of its own: with it, the query that finds the browser also asks whether everything is frozen.
    """

    __tablename__ = "browser_session"
    __holding__ = Holding(
        "to keep people signed in, and let them end it",
        Keep.BROWSER,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("ended_at", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    token: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, info=plain("digest of a cookie"))
    level: Mapped[int] = mapped_column(info=plain(holds="Strength of the sign-in"))
    device: Mapped[bool] = mapped_column(info=plain())
    browser: Mapped[str] = mapped_column(String(40), info=plain("such as Safari on iPad"))
    created_at: Mapped[datetime] = mapped_column(info=plain())
    seen_at: Mapped[datetime] = mapped_column(info=plain(holds="Last used"))
    ends_at: Mapped[datetime] = mapped_column(info=plain())
    ended_at: Mapped[datetime | None] = mapped_column(info=plain())
    method: Mapped[str | None] = mapped_column(
        String(40),
        info=plain(
            "the proofs given, such as mail, or mail+password (RFC 8176 calls it amr)", holds="Proofs given"
        ),
    )
    proved_at: Mapped[datetime | None] = mapped_column(info=plain(holds="When a proof was last given"))
    challenge: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), info=plain("what a passkey has to sign next; it is good for once")
    )
    follows_id: Mapped[UUID | None] = mapped_column(
        Uuid, info=reference("the sign-in of the same person in the same browser before this one")
    )
    typed_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Which answers were typed in this browser, as digests", at_least=256
    )
    typed = SealedJson("typed_sealed")

    frozen: Mapped[bool | None] = query_expression()

    person: Mapped[Person] = relationship()
