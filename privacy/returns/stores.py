"""Every store of the register of holdings, what destroys it, and who says that it was done.

What this software can reach it destroys itself. Everything else (the operator's logs, an escrow in a safe, a mentor's
notebook) is confirmed store by store, by somebody who did it and somebody who saw it; without that nothing begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy import holdings
from privacy.audit import Action
from privacy.clock import london_date
from privacy.holdings import Store
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.work import Work

NAME_AT_MOST = 60
WHO_AT_MOST = 80


class Method(StrEnum):
    """How a store is destroyed. EXPIRY: by itself, on a day. NONE: nothing of it was ever there. THEIRS: copies that
    people have of their own data, in their own calendar or mailbox, and that stay theirs."""

    DELETE = "delete"
    OVERWRITE = "overwrite"
    CRYPTO_ERASE = "crypto_erase"
    EXPIRY = "expiry"
    NONE = "none"
    THEIRS = "theirs"


KEY_FOLDER = "key folder"
BACKUPS = "backups"
BY_MACHINE: Mapping[str, Method] = {
    "key store": Method.CRYPTO_ERASE,
    KEY_FOLDER: Method.OVERWRITE,
    BACKUPS: Method.DELETE,
    "export folder": Method.OVERWRITE,
    "drill folder": Method.OVERWRITE,
    "scratch folder": Method.OVERWRITE,
    "outbox folder": Method.OVERWRITE,
    "calendar feeds": Method.THEIRS,
    "calendar mails": Method.THEIRS,
}
"""What is done with a store without anybody's hand; every other one is confirmed by hand."""

DATABASE = Store(
    "database",
    "every table of the register",
    "sealed, under keys kept apart from it",
    Keep.CONTRACT.words,
)
PROGRAMS = Store(
    "running programs",
    "keys, and what was read of late, in the memory of the portal and the worker",
    "their own processes",
    "until they end: stop them on every machine, and start them again afterwards",
)
PACKAGES = Store(
    "return packages",
    "copies of the package, and of what was built and not sent",
    "sealed to the Department's certificates",
    "until the Department has it and has said so",
)
LOG_OF_POSTGRES = Store(
    "database server",
    "PostgreSQL's write-ahead log, its archive and its replicas",
    "as the server keeps them",
    "until they are written over or expire",
)


@dataclass(frozen=True)
class Line:
    """A store, and how it goes. `by_hand`: somebody has to do it and say so; `said` is what they said last."""

    store: Store
    method: Method | None
    by_hand: bool
    said: "StoreConfirmation | None" = None

    @property
    def waits(self) -> bool:
        """Whether somebody still has to confirm it."""
        return self.by_hand and self.said is None


class Unconfirmed(Exception):
    """Stores outside the software's reach that nobody has confirmed: `names`."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"not confirmed yet: {', '.join(names)}")
        self.names = tuple(names)


class ConfirmationRefused(Exception):
    """A store cannot be confirmed like that; the message can be shown beside the field `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class StoreConfirmation(Record):
    """Somebody destroyed a store by hand, or says on which day it expires; the newest of a store counts.

    `who` and `witness` are roles or references, never names: this stays when all names have gone.
    """

    __tablename__ = "store_confirmation"
    __holding__ = Holding(
        "to show that stores outside the software were destroyed too (cl 17.4(e))", Keep.ACCOUNTS
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    return_id: Mapped[UUID] = mapped_column(ForeignKey("data_return.id"), index=True, info=plain())
    store: Mapped[str] = mapped_column(String(NAME_AT_MOST), info=plain("its name in the register of stores"))
    method: Mapped[Method] = mapped_column(Word(Method), info=plain())
    done_on: Mapped[date] = mapped_column(info=plain("the day it was done, or said"))
    expires_on: Mapped[date | None] = mapped_column(info=plain("the day on which what is left expires"))
    who: Mapped[str] = mapped_column(String(WHO_AT_MOST), info=plain("the role of who did it"))
    witness: Mapped[str] = mapped_column(String(WHO_AT_MOST), info=plain("the role of who saw it"))
    evidence: Mapped[str | None] = mapped_column(
        String(WHO_AT_MOST), info=plain("the reference of what proves it")
    )
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it down"))


@dataclass(frozen=True)
class Said:
    """What somebody says of a store."""

    method: Method
    done_on: date
    who: str
    witness: str
    evidence: str | None = None
    expires_on: date | None = None


def lines(
    db: Session, return_id: UUID, *, outside: Iterable[Store], postgres: bool, keys_outside: bool = False
) -> list[Line]:
    """Every store with its method, those of the software first. `outside` are those that the team has entered;
    `keys_outside`: the keys come from elsewhere, and whoever gives them has to destroy them."""
    said = confirmations(db, return_id)
    known = (DATABASE, *holdings.STORES, PACKAGES, PROGRAMS, *((LOG_OF_POSTGRES,) if postgres else ()))
    methods = {DATABASE.name: Method.DELETE, **BY_MACHINE}
    if keys_outside:
        del methods[KEY_FOLDER]
    # The team may have described one of ours once more: what is said of it counts once.
    named = {store.name: store for store in (*outside, *known)}
    found = [
        Line(store, methods.get(name), by_hand=name not in methods, said=said.get(name))
        for name, store in named.items()
    ]
    return sorted(found, key=lambda line: line.by_hand)


PART = frozenset({DATABASE.name, "key store", BACKUPS, "export folder", "outbox folder"})
"""The stores of the software that a part is in by itself; the others hold it not at all, or as references."""


def lines_of_part(db: Session, return_id: UUID, *, outside: Sequence[Store]) -> list[Line]:
    """The stores that matter where a part goes: the site's own go on, and only what lies outside is confirmed."""
    theirs = {store.name for store in outside} | {PACKAGES.name} | PART
    found = lines(db, return_id, outside=outside, postgres=False)
    # Backups of everybody go on being made: those with the part in them expire one by one.
    return [
        replace(line, method=Method.EXPIRY) if line.store.name == BACKUPS else line
        for line in found
        if line.store.name in theirs
    ]


def confirmations(db: Session, return_id: UUID) -> dict[str, StoreConfirmation]:
    """What was said last of each store."""
    rows = db.scalars(
        select(StoreConfirmation)
        .where(StoreConfirmation.return_id == return_id)
        .order_by(StoreConfirmation.entered_at, StoreConfirmation.id)
    )
    return {row.store: row for row in rows}


def require_confirmed(found: Iterable[Line]) -> None:
    """Raises Unconfirmed while somebody has to say of a store that it was destroyed."""
    waiting = [line.store.name for line in found if line.waits]
    if waiting:
        raise Unconfirmed(waiting)


def confirm(
    work: Work, return_id: UUID, *, store: str, said: Said, known: Iterable[Line]
) -> StoreConfirmation:
    """Write down what somebody says of a store. Raises ConfirmationRefused."""
    _require_sound(store, said, known, today=london_date(work.now))
    row = StoreConfirmation(
        id=new_id(),
        return_id=return_id,
        store=store,
        method=said.method,
        done_on=said.done_on,
        expires_on=said.expires_on,
        who=said.who.strip(),
        witness=said.witness.strip(),
        evidence=(said.evidence or "").strip() or None,
        entered_at=work.now,
        by=work.actor,
    )
    work.db.add(row)
    work.record(Action.STORE_CONFIRMED, object=f"return:{return_id}", method=said.method)
    return row


def _require_sound(store: str, said: Said, known: Iterable[Line], *, today: date) -> None:
    if store not in {line.store.name for line in known if line.by_hand}:
        raise ConfirmationRefused("store", "No store of this name is to be confirmed by hand")
    if not said.who.strip():
        raise ConfirmationRefused("who", "Enter the role of who did it")
    if not said.witness.strip():
        raise ConfirmationRefused("witness", "Enter the role of who saw it done")
    if said.who.strip().casefold() == said.witness.strip().casefold():
        raise ConfirmationRefused("witness", "The witness must be somebody else")
    if said.done_on > today:
        raise ConfirmationRefused("done_on", "This day lies in the future")
    if said.method is Method.THEIRS:
        raise ConfirmationRefused("method", "Choose how this store was destroyed")
    if (said.method is Method.EXPIRY) is not (said.expires_on is not None):
        raise ConfirmationRefused("expires_on", "Enter the day of expiry, for what expires by itself alone")
