"""Registers: dated entries in writing, such as the Controller's instructions and the contract's variations.

An entry is never changed: what replaces it is a later entry (cl 17.2, cl 18).
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy.audit import Action
from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.work import Work


class Register(StrEnum):
    """Which register an entry belongs to. CONTRACT_END: the day the contract ends, instead of the file's.
    STORE: a place outside the software where personal data lies; its letter is the store's name."""

    CONTRACT_END = "contract_end"
    INSTRUCTION = "instruction"
    STORE = "store"


class RegisterEntry(Record):
    """One entry. `from_on` is the day it takes effect, `value_on` the date it sets, where it sets one."""

    __tablename__ = "register_entry"
    __holding__ = Holding("to show on what written ground the programme acts (cl 17.4(a))", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    register: Mapped[Register] = mapped_column(Word(Register), index=True, info=plain())
    letter: Mapped[str] = mapped_column(String(30), info=plain("the reference of the letter"))
    from_on: Mapped[date] = mapped_column(info=plain())
    value_on: Mapped[date | None] = mapped_column(info=plain())
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
    body: str | None = None,
) -> RegisterEntry:
    """Add an entry; the earlier ones stay."""
    entry = RegisterEntry(
        id=new_id(),
        register=register,
        letter=letter,
        from_on=from_on,
        value_on=value_on,
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
