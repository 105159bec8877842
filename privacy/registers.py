"""Registers: dated entries in writing, such as the Controller's instructions and the contract's variations.

An entry is never changed: what replaces it is a later entry (cl 17.2, cl 18).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ScalarSelect, String, Uuid, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy import sent_before
from privacy.audit import Action
from privacy.clock import london_date
from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.statements import run
from privacy.work import Work


class Register(StrEnum):
    """Which register an entry belongs to. CONTRACT_END: the day the contract ends, instead of the file's.
    STORE: a place outside the software where personal data lies; its letter is the store's name.

    INSTRUCTION: what the Controller has instructed in writing; it becomes part of schedule 3a (sch 3a, 3 and 4).
    SCHEDULE: a version of schedule 3a itself. SUB_PROCESSOR, RISK and REMARK: their letter is a code of our own, and
    the newest entry with a code is what holds (`latest`). LETTER: a version of the template of a letter; its letter
    is the kind of letter.
    """

    CONTRACT_END = "contract_end"
    INSTRUCTION = "instruction"
    STORE = "store"
    SCHEDULE = "schedule"
    SUB_PROCESSOR = "sub_processor"
    RISK = "risk"
    REMARK = "remark"
    LETTER = "letter"


class DataItem(StrEnum):
    """Data that schedule 3a does not list, and that may be held only while an instruction does (cl 17.1, 17.4(a)).

    CASE_WORDS is nothing more to hold: what is written in cases, for the Controller's auditor to read (cl 17.9). Nor
    is KPI_NUMBERS: the numbers of the two KPIs, shown to the Department whatever their size (sch 4 KPIs).
    """

    POLITICAL_GROUP = "political_group"
    ADJUSTMENTS = "adjustments"
    DIETARY = "dietary"
    CASE_WORDS = "case_words"
    KPI_NUMBERS = "kpi_numbers"


SPECIAL = (DataItem.POLITICAL_GROUP, DataItem.ADJUSTMENTS, DataItem.DIETARY)
"""Data of Article 9(1): to list it takes a lawful basis and a condition (D14)."""


class Grounds(NamedTuple):
    """On what a special item rests: the paragraph of Article 6(1), and that of Article 9(2)."""

    basis: str
    condition: str


class Standing(StrEnum):
    """What an instruction can let people do themselves, so that no decision is waited for each time (cl 17.1, 17.5)."""

    OWN_DOWNLOAD = "own_download"
    OWN_CORRECTION = "own_correction"


class RegisterEntry(Record):
    """One entry. `from_on` is the day it takes effect, `value_on` the date it sets, where it sets one.

    `items` is what an instruction says of data items, such as `{"political_group": true}`: listed from that day
    on, or with false listed no more; and of what people may do themselves. The newest entry in force that names an
    item decides.
    """

    __tablename__ = "register_entry"
    __holding__ = Holding("to show on what written ground the programme acts (cl 17.4(a))", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    register: Mapped[Register] = mapped_column(Word(Register), index=True, info=plain())
    letter: Mapped[str] = mapped_column(String(30), info=plain("the reference of the letter"))
    from_on: Mapped[date] = mapped_column(info=plain())
    value_on: Mapped[date | None] = mapped_column(info=plain())
    items: Mapped[dict[str, bool] | None] = mapped_column(JSON, info=plain("data items listed, or no more"))
    grounds: Mapped[dict[str, list[str]] | None] = mapped_column(
        JSON, info=plain("lawful basis and Article 9 condition of each special item")
    )
    replaces_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("register_entry.id"), info=plain("the entry that it takes the place of")
    )
    entered_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who entered it"))
    body_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Wording of the entry in a register")
    body = SealedText("body_sealed")


def enter(
    work: Work,
    *,
    register: Register,
    letter: str,
    from_on: date | None = None,
    value_on: date | None = None,
    items: Mapping[DataItem, bool] | Mapping[Standing, bool] | None = None,
    grounds: Mapping[DataItem, Grounds] | None = None,
    replaces_id: UUID | None = None,
    body: str | None = None,
    entry_id: UUID | None = None,
) -> RegisterEntry:
    """Add an entry; the earlier ones stay. Without `from_on` it holds from today.

    `entry_id` is its own id, where a form carries one: the same form again gives the first. Raises SentBefore.
    """
    entry = RegisterEntry(
        id=entry_id or new_id(),
        register=register,
        letter=letter,
        from_on=from_on if from_on is not None else london_date(work.now),
        value_on=value_on,
        items={item.value: listed for item, listed in items.items()} if items else None,
        grounds={item.value: list(found) for item, found in grounds.items()} if grounds else None,
        replaces_id=replaces_id,
        entered_at=work.now,
        by=work.actor,
    )
    entry.body = body
    if (first := sent_before.found(work, RegisterEntry, entry_id)) is not None:
        sent_before.require(_says(first, entry, dated=from_on is not None))
        return first
    work.db.add(entry)
    work.record(Action.REGISTER_ENTERED, object=f"register:{entry.id}", register=register)
    return entry


def _says(first: RegisterEntry, entry: RegisterEntry, *, dated: bool) -> bool:
    """Whether two entries say the same. What has a code of ours is given the next one each time. What is not `dated`
    by whoever enters it holds as of today, which after midnight is another day."""
    names = ["register", "items", "grounds", "replaces_id", "value_on"]
    if entry.register in (Register.INSTRUCTION, Register.SCHEDULE):
        names += ["letter", "from_on"] if dated else ["letter"]
    alike = all(getattr(first, name) == getattr(entry, name) for name in names)
    return alike and (first.body or "") == (entry.body or "")


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


def day_in_force_at(register: Any, *, on: Any) -> ScalarSelect[date | None]:
    """The day that the newest entry of a register which has taken effect says, as part of another query."""
    entries = RegisterEntry.__table__.c
    return (
        select(entries.value_on)
        .where(entries.register == register, entries.from_on <= on)
        .order_by(entries.from_on.desc(), entries.entered_at.desc())
        .limit(1)
        .scalar_subquery()
    )


_DAY_IN_FORCE = select(day_in_force_at(bindparam("register"), on=bindparam("on")))


def day_in_force(db: Session, register: Register, *, on: date) -> date | None:
    """The day that the newest entry of a register which has taken effect says; nearly every page asks for one."""
    found: date | None = run(db, _DAY_IN_FORCE, {"register": register, "on": on}).scalar()
    return found


def lists(db: Session, item: DataItem, *, on: date) -> bool:
    """Whether an instruction of the Controller lists a data item on a day; without any, it does not (cl 17.1)."""
    return item in listed(db, on=on)


def standing(db: Session, act: Standing, *, on: date) -> RegisterEntry | None:
    """The instruction that lets people do something themselves on a day: the newest that names it decides."""
    for entry in holding(db, Register.INSTRUCTION, on=on):
        if (said := (entry.items or {}).get(act.value)) is not None:
            return entry if said else None
    return None


def listed(db: Session, *, on: date) -> frozenset[DataItem]:
    """All data items that instructions list on a day; of each, the newest that names it decides."""
    return frozenset(DataItem(name) for name in deciding(holding(db, Register.INSTRUCTION, on=on)))


def deciding(found: Iterable[RegisterEntry]) -> dict[str, RegisterEntry]:
    """The data items that are listed, each with the entry that lists it: of entries, the newest first."""
    said: dict[str, tuple[bool, RegisterEntry]] = {}
    for entry in found:
        for name, is_listed in (entry.items or {}).items():
            said.setdefault(name, (is_listed, entry))
    return {item.value: said[item][1] for item in DataItem if item in said and said[item][0]}


def holding(db: Session, register: Register, *, on: date) -> list[RegisterEntry]:
    """All entries of a register that hold on a day, newest first: they have taken effect, and none that has taken
    effect replaces them."""
    begun = [entry for entry in entries(db, register) if entry.from_on <= on]
    replaced = {entry.replaces_id for entry in begun}
    return [entry for entry in begun if entry.id not in replaced]


def latest(db: Session, register: Register) -> dict[str, RegisterEntry]:
    """The newest entry with each code, by code in the order in which they first came."""
    return {entry.letter: entry for entry in reversed(entries(db, register))}


def next_code(db: Session, register: Register, *, first: str) -> str:
    """The next code of a register, such as S3 for `first` "S"."""
    taken = db.scalars(select(RegisterEntry.letter).where(RegisterEntry.register == register))
    return f"{first}{1 + max((int(code[len(first) :]) for code in taken), default=0)}"
