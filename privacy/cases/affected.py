"""Who is affected by an incident: a list of people, drawn from the register of holdings, with the kinds of data.

The list is of people, not of names: it goes with whoever is erased. How many they were is written down as an event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import Session as DbSession

from privacy import holdings, reach
from privacy.audit import Action
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference
from privacy.work import Work


class Affected(Record):
    """Somebody whose data an incident concerns. `why` is how they came on the list: by name, a package, or a table."""

    __tablename__ = "casefile_affected"
    __table_args__ = (UniqueConstraint("case_id", "person_id"),)
    __holding__ = Holding(
        "to know whose data an incident concerns (cl 17.5, annex 1)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    added_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who put them on the list"))
    why: Mapped[str] = mapped_column(String(60), info=plain("by name, a package or a table"))


@dataclass(frozen=True)
class Stock:
    """A table of the register that leads to people: what it is for, what of theirs it holds, and of how many."""

    table: str
    purpose: str
    data: Sequence[str]
    people: int


def stocks(db: DbSession) -> list[Stock]:
    """Every table that leads to people and holds something of some, by what it is for. One query for each table."""
    found = []
    for table in reach.personal_tables():
        kinds = kinds_in([table.name])
        people = db.scalar(select(func.count()).select_from(_people(table).subquery())) or 0 if kinds else 0
        if people:
            found.append(Stock(table.name, holdings.purpose_of(table.name), kinds, people))
    return sorted(found, key=lambda stock: stock.purpose)


def kinds_in(tables: Collection[str]) -> list[str]:
    """The kinds of personal data in some tables, in words, special categories marked."""
    return sorted({kind for table in tables for kind in _kinds().get(table, ())})


@cache
def _kinds() -> Mapping[str, Sequence[str]]:
    """The same for each table; read off the declarations once."""
    found: dict[str, list[str]] = {}
    for entry in holdings.columns():
        if entry.kind in ("personal", "special"):
            marked = " (special category)" if entry.kind == "special" else ""
            found.setdefault(entry.table, []).append(entry.holds + marked)
    return found


def people_in(db: DbSession, tables: Iterable[str]) -> dict[UUID, str]:
    """Everybody to whom rows of these tables lead, each with the first of the tables. LookupError for no such table."""
    known = {table.name: table for table in reach.personal_tables()}
    found: dict[UUID, str] = {}
    for name in tables:
        if name not in known:
            raise LookupError(name)
        for person_id in db.scalars(_people(known[name])):
            found.setdefault(person_id, name)
    return found


def _people(table: Table, only: ColumnElement[bool] | None = None) -> Select[UUID]:
    """The ids of the people to whom rows of a table lead, hop by hop; of all rows, or of some only."""
    some = true() if only is None else only
    declared = reach.holding(table)
    if declared.root == "person":
        return select(table.c.id).where(some)
    if declared.root is not None:
        stand_in = holdings.stand_in(declared.root, table)
        return _people(stand_in, stand_in.c.id.in_(select(table.c.id).where(some)))
    column = table.c[str(declared.subject)]
    target = reach.target_of(column)
    if reach.holding(target.table).root == "person":
        return select(column).where(column.is_not(None), some).distinct()
    return _people(target.table, target.in_(select(column).where(some)))


def add(work: Work, *, case_id: UUID, people: dict[UUID, str]) -> int:
    """Put people on the list of an incident, each once; returns how many are new."""
    work.wait_turn(f"affected:{case_id}")
    known = set(work.db.scalars(select(Affected.person_id).where(Affected.case_id == case_id)))
    new = {person_id: why for person_id, why in people.items() if person_id not in known}
    work.db.add_all(
        Affected(
            id=new_id(), case_id=case_id, person_id=person_id, added_at=work.now, by=work.actor, why=why[:60]
        )
        for person_id, why in new.items()
    )
    if new:
        work.record(Action.AFFECTED_ADDED, object=f"case:{case_id}", holder=case_id, people=len(new))
    return len(new)


def remove(work: Work, *, case_id: UUID, person_ids: Collection[UUID]) -> None:
    """Take people off the list: they are not affected after all."""
    gone = work.db.execute(
        delete(Affected)
        .where(Affected.case_id == case_id, Affected.person_id.in_(person_ids))
        .returning(Affected.person_id)
    ).scalars()
    for person_id in gone:
        work.record(Action.AFFECTED_REMOVED, object=f"case:{case_id}", holder=person_id)


def count(db: DbSession, case_id: UUID) -> int:
    """How many are on the list."""
    return db.scalar(select(func.count()).select_from(Affected).where(Affected.case_id == case_id)) or 0
