"""What the Controller instructs in writing, and schedule 3a as it stands: versions, and what holds on a day (sch 3a).

Political group, adjustments and dietary needs are special categories: an instruction that lists one says on which
lawful basis and on which condition of Article 9 it rests (D14; UK GDPR Articles 6 and 9).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.mentors.clearances import RecordRefused
from privacy import registers
from privacy.registers import SPECIAL, DataItem, Grounds, Register, RegisterEntry
from privacy.work import Work

ITEMS = {
    DataItem.POLITICAL_GROUP: "Political groups",
    DataItem.ADJUSTMENTS: "Adjustments",
    DataItem.DIETARY: "Dietary needs",
    DataItem.CASE_WORDS: "Words in cases, for the auditor to read",
    DataItem.KPI_NUMBERS: "Numbers of the KPIs whatever their size, for the Department to read",
}
BASES = {
    "6(1)(a)": "6(1)(a) consent",
    "6(1)(b)": "6(1)(b) a contract with the person",
    "6(1)(c)": "6(1)(c) a legal duty",
    "6(1)(d)": "6(1)(d) vital interests",
    "6(1)(e)": "6(1)(e) a task in the public interest",
    "6(1)(f)": "6(1)(f) legitimate interests",
}
CONDITIONS = {
    "9(2)(a)": "9(2)(a) explicit consent",
    "9(2)(b)": "9(2)(b) employment and social protection law",
    "9(2)(c)": "9(2)(c) vital interests",
    "9(2)(d)": "9(2)(d) a body with a political or similar aim",
    "9(2)(e)": "9(2)(e) made public by the person",
    "9(2)(f)": "9(2)(f) legal claims",
    "9(2)(g)": "9(2)(g) substantial public interest",
    "9(2)(h)": "9(2)(h) health or social care",
    "9(2)(i)": "9(2)(i) public health",
    "9(2)(j)": "9(2)(j) archives, research or statistics",
}
ROWS = {
    "subject": "What the processing is about",
    "duration": "How long it goes on",
    "purposes": "What is done, and what for",
    "data": "Types of personal data",
    "people": "Whose data it is",
    "plan": "Return and destruction at the end",
}
"""The rows of schedule 3a, which its version fills in."""


class NoGrounds(RecordRefused):
    """A special item is listed without its lawful basis or its condition; `field` names the item's."""

    def __init__(self, item: DataItem) -> None:
        super().__init__(f"{ITEMS[item]}: choose the lawful basis and the condition of Article 9")
        self.field = f"{item.value}_condition"


class NotReplaced(RecordRefused):
    """What is to be replaced is no instruction in the register, or takes effect later."""

    field = "replaces"


@dataclass(frozen=True)
class Listed:
    """A data item on a day: the instruction that lists it, None where none does, and on what it rests."""

    item: DataItem
    entry: RegisterEntry | None

    @property
    def words(self) -> str:
        return ITEMS[self.item]

    @property
    def grounds(self) -> Grounds | None:
        said = (self.entry.grounds or {}).get(self.item.value) if self.entry is not None else None
        return Grounds(*said) if said else None


@dataclass(frozen=True)
class InForce:
    """Schedule 3a on a day: its version, the instructions that are part of it (sch 3a, 4), and what they list."""

    on: date
    version: RegisterEntry | None
    rows: Mapping[str, str]
    instructions: Sequence[RegisterEntry]
    listed: Sequence[Listed]


def instruct(
    work: Work,
    *,
    letter: str,
    from_on: date,
    wording: str,
    items: Mapping[DataItem, bool] | None = None,
    grounds: Mapping[DataItem, Grounds] | None = None,
    replaces_id: UUID | None = None,
    entry_id: UUID | None = None,
) -> RegisterEntry:
    """Enter an instruction. Raises NoGrounds, NotReplaced or SentBefore."""
    for item, is_listed in (items or {}).items():
        found = (grounds or {}).get(item)
        if is_listed and item in SPECIAL and (found is None or not (found.basis and found.condition)):
            raise NoGrounds(item)
    if replaces_id is not None:
        old = work.db.get(RegisterEntry, replaces_id)
        if old is None or old.register is not Register.INSTRUCTION or old.from_on > from_on:
            raise NotReplaced("Choose an instruction that takes effect no later than this one")
    return registers.enter(
        work,
        register=Register.INSTRUCTION,
        letter=letter,
        from_on=from_on,
        items=items,
        grounds=grounds,
        replaces_id=replaces_id,
        body=wording,
        entry_id=entry_id,
    )


def set_schedule(
    work: Work, *, letter: str, from_on: date, rows: Mapping[str, str], entry_id: UUID | None = None
) -> RegisterEntry:
    """Enter a version of schedule 3a, as the Controller completed it. Raises SentBefore."""
    return registers.enter(
        work,
        register=Register.SCHEDULE,
        letter=letter,
        from_on=from_on,
        body=json.dumps({name: rows[name] for name in ROWS}, ensure_ascii=False),
        entry_id=entry_id,
    )


def in_force(db: DbSession, *, on: date) -> InForce:
    """What binds the processor on a day. Two queries, and the keys."""
    version = registers.in_force(db, Register.SCHEDULE, on=on)
    found = registers.holding(db, Register.INSTRUCTION, on=on)
    listing = registers.deciding(found)
    return InForce(
        on=on,
        version=version,
        rows=rows_of(version),
        instructions=found,
        listed=[Listed(item, listing.get(item.value)) for item in DataItem],
    )


def rows_of(version: RegisterEntry | None) -> Mapping[str, str]:
    """The rows of a version of schedule 3a, by name; none without a version."""
    rows: dict[str, str] = json.loads(version.body) if version is not None and version.body else {}
    return rows
