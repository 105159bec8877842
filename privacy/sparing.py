"""What legal holds keep from an erasure: rows as they are, and emptied rows that lead to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, select, true
from sqlalchemy.orm import Session as DbSession

from privacy import holdings, reach
from privacy.rights import LegalHold


class NotTheirs(LookupError):
    """The register has no such table with such a row about this person."""


@dataclass(frozen=True)
class Spared:
    """Rows that holds keep as they are, and those that only lead to them, by table."""

    held: dict[Table, set[UUID]] = field(default_factory=dict)
    leading: dict[Table, set[UUID]] = field(default_factory=dict)

    def add(self, to: dict[Table, set[UUID]], table: Table, row: UUID) -> bool:
        known = to.setdefault(table, set())
        fresh = row not in known
        known.add(row)
        return fresh

    def untouched(self, table: Table) -> ColumnElement[bool]:
        """Not held."""
        kept = self.held.get(table)
        return reach.key_is(table).not_in(kept) if kept else true()

    def free(self, table: Table) -> ColumnElement[bool]:
        """Neither held nor leading to what is."""
        leading = self.leading.get(table)
        untouched = self.untouched(table)
        return and_(untouched, reach.key_is(table).not_in(leading)) if leading else untouched


def require_item(db: DbSession, person_id: UUID, name: str, row_id: UUID) -> Table:
    """The table of a row about somebody. Raises NotTheirs."""
    table = next((one for one in reach.personal_tables() if one.name == name), None)
    if table is None or [column.name for column in reach.key(table)] != ["id"]:
        raise NotTheirs(name)
    where = and_(table.c.id == row_id, reach.about(table, person_id))
    if db.execute(select(table.c.id).where(where)).first() is None:
        raise NotTheirs(f"{name} {row_id}")
    return table


def spared_by(db: DbSession, person_id: UUID, holds: Sequence[LegalHold]) -> Spared:
    """Held rows, the holds themselves, and all rows about people that these point at, hop by hop."""
    spared = Spared()
    for hold in holds:
        spared.add(spared.held, LegalHold.__table__, hold.id)  # type: ignore[arg-type]  # a mapped class's table
        if hold.item_table is not None and hold.item_id is not None:
            table = require_item(db, person_id, hold.item_table, hold.item_id)
            spared.add(spared.held, table, hold.item_id)
    waiting = [(table, row) for table, rows in spared.held.items() for row in rows]
    while waiting:
        table, row = waiting.pop()
        for target, target_row in _next(db, table, row):
            if spared.add(spared.leading, target, target_row):
                waiting.append((target, target_row))
    return spared


def _next(db: DbSession, table: Table, row: UUID) -> Iterable[tuple[Table, UUID]]:
    links = [link for link in reach.links() if link.table is table]
    found = (
        db.execute(select(*(link.column for link in links)).where(table.c.id == row)).one() if links else ()
    )
    for link, value in zip(links, found, strict=True):
        if value is not None:
            yield link.target.table, value
    declared = reach.holding(table).root
    if declared not in (None, "person"):
        yield holdings.stand_in(str(declared), table), row
