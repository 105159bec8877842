"""Registers: dated entries in writing, such as the Controller's instructions and the contract's variations.

An entry is never changed: what replaces it is a later entry (cl 17.2, cl 18).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, String, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy.audit import Action
from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.work import Work


class Register(StrEnum):
    """Which register an entry belongs to. CONTRACT_END: the day the contract ends, instead of the file's.
    STORE: a place outside the software where personal data lies; its letter is the store's name.

    INSTRUCTION: what the Controller has instructed in writing; it becomes part of schedule 3a (sch 3a, 3 and 4).
    """

    CONTRACT_END = "contract_end"
    INSTRUCTION = "instruction"
    STORE = "store"


class DataItem(StrEnum):
    """Data that schedule 3a does not list, and that may be held only while an instruction does (cl 17.1, 17.4(a))."""

    POLITICAL_GROUP = "political_group"
    ADJUSTMENTS = "adjustments"
    DIETARY = "dietary"


class RegisterEntry(Record):
    """One entry. `from_on` is the day it takes effect, `value_on` the date it sets, where it sets one.

    `items` is what an instruction says of data items, such as `{"political_group": true}`: listed from that day
    on, or with false listed no more. The newest entry in force that names an item decides.
    """

    __tablename__ = "register_entry"
    __holding__ = Holding("to show on what written ground the programme acts (cl 17.4(a))", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    register: Mapped[Register] = mapped_column(Word(Register), index=True, info=plain())
    letter: Mapped[str] = mapped_column(String(30), info=plain("the reference of the letter"))
    from_on: Mapped[date] = mapped_column(info=plain())
    value_on: Mapped[date | None] = mapped_column(info=plain())
    items: Mapped[dict[str, bool] | None] = mapped_column(JSON, info=plain("data items listed, or no more"))
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who entered it"))
    body_sealed: Mapped[bytes | None] = sealed(holder="id", purpose="the wording")
    body = SealedText("body_sealed")


def enter(
    work: Work,
    *,
    register: Register,
    letter: str,
    from_on: date,
    value_on: date | None = None,
    items: Mapping[DataItem, bool] | None = None,
    body: str | None = None,
) -> RegisterEntry:
    """Add an entry; the earlier ones stay."""
    entry = RegisterEntry(
        id=new_id(),
        register=register,
        letter=letter,
        from_on=from_on,
        value_on=value_on,
        items={item.value: listed for item, listed in items.items()} if items else None,
        entered_at=work.now,
        by=work.actor,
    )
    entry.body = body
    work.db.add(entry)
    work.record(Action.REGISTER_ENTERED, object=f"register:{entry.id}", register=register)
    return entry


def entries(db: Session, register: Register) -> Sequence[RegisterEntry]:
    """Every entry of a register, newest first."""
    return db.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.register == register)
        .order_by(RegisterEntry.entered_at.desc(), RegisterEntry.id)
    ).all()


def in_force(db: Session, register: Register, *, on: date) -> RegisterEntry | None:
    """The newest entry of a register that has taken effect by a day."""
    return db.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.register == register, RegisterEntry.from_on <= on)
        .order_by(RegisterEntry.from_on.desc(), RegisterEntry.entered_at.desc())
        .limit(1)
    ).first()


def lists(db: Session, item: DataItem, *, on: date) -> bool:
    """Whether an instruction of the Controller lists a data item on a day; without any, it does not (cl 17.1)."""
    return item in listed(db, on=on)


def listed(db: Session, *, on: date) -> frozenset[DataItem]:
    """All data items that instructions list on a day; of each, the newest that names it decides."""
    said: dict[str, bool] = {}
    for entry in entries(db, Register.INSTRUCTION):
        if entry.from_on <= on:
            for name, is_listed in (entry.items or {}).items():
                said.setdefault(name, is_listed)
    return frozenset(item for item in DataItem if said.get(item.value))
