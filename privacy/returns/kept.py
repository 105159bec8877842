"""What stays in the database when everything else goes, read off the tables' declarations.

Tables that are kept as accounts (the trail, the returns themselves) stay, without a sealed value. Rows under a legal
hold stay as they are, with the rows that they cannot do without, emptied. Everything else goes (cl 17.4(e), sch 2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, or_, select, true, update
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.clock import london_date
from privacy.columns import sealed_columns
from privacy.records import Keep
from privacy.rights import Cause, LegalHold

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Exempt:
    """Something under a legal hold that stays: how many rows of which table, why, and since when."""

    table: str
    rows: int
    cause: Cause
    since: date


@dataclass
class Spared:
    """Rows that legal holds keep, by table and key: `held` as they are, `leading` without what is sealed. `holders`
    are those whose data keys stay."""

    held: dict[Table, set[Key]] = field(default_factory=dict)
    leading: dict[Table, set[Key]] = field(default_factory=dict)
    holders: set[UUID] = field(default_factory=set)
    exceptions: list[Exempt] = field(default_factory=list)

    def keys(self, table: Table) -> set[Key]:
        return self.held.get(table, set()) | self.leading.get(table, set())


def stays(table: Table) -> bool:
    """Whether a table is kept as accounts, whatever is destroyed."""
    return reach.holding(table).keep is Keep.ACCOUNTS


def going() -> list[Table]:
    """The tables whose rows go, those that point at others first."""
    return [table for table in reversed(reach.tables()) if not stays(table)]


def staying() -> list[Table]:
    return [table for table in reach.tables() if stays(table)]


# ---- legal holds


def spared(db: DbSession) -> Spared:
    """What the holds that were not lifted keep, and everything that it needs."""
    found = Spared()
    for hold in db.scalars(select(LegalHold).where(LegalHold.lifted_at.is_(None)).order_by(LegalHold.id)):
        _spare(db, hold, found)
    _close(db, found)
    return found


def _spare(db: DbSession, hold: LegalHold, found: Spared) -> None:
    kept: dict[Table, set[Key]] = {_table(LegalHold.__tablename__): {(hold.id,)}}
    if hold.item_table is not None and hold.item_id is not None:
        kept[_table(hold.item_table)] = {(hold.item_id,)}
    else:
        for table in reach.personal_tables():
            rows = {tuple(row) for row in db.execute(reach.keys_about(table, hold.person_id))}
            if rows:
                kept.setdefault(table, set()).update(rows)
    for table, keys in kept.items():
        found.held.setdefault(table, set()).update(keys)
        found.holders |= _holders(db, table, keys)
        found.exceptions.append(Exempt(table.name, len(keys), hold.cause, london_date(hold.placed_at)))


def _table(name: str) -> Table:
    return next(table for table in reach.tables() if table.name == name)


def _holders(db: DbSession, table: Table, keys: set[Key]) -> set[UUID]:
    """Whose data keys open what is sealed in these rows."""
    kind: Any = reach.mapper_of(table).class_
    descriptors = sealed_columns(kind)
    if not descriptors:
        return set()
    rows = db.scalars(select(kind).where(among(table, keys)))
    return {one.holder(row) for row in rows for one in descriptors if getattr(row, one.column) is not None}


def _close(db: DbSession, found: Spared) -> None:
    """Add every row that a kept row points at and cannot do without, hop by hop."""
    waiting = [(table, key, True) for table, keys in found.held.items() for key in keys]
    while waiting:
        table, key, whole = waiting.pop()
        columns = [
            column for column in table.columns if column.foreign_keys and (whole or not column.nullable)
        ]
        if not columns:
            continue
        values = db.execute(select(*columns).where(among(table, {key}))).one()
        for column, value in zip(columns, values, strict=True):
            target = reach.target_of(column).table
            if value is None or stays(target) or (value,) in found.keys(target):
                continue
            found.leading.setdefault(target, set()).add((value,))
            waiting.append((target, (value,), False))


def among(table: Table, keys: Iterable[Key]) -> ColumnElement[bool]:
    """The rows with these keys."""
    columns = reach.key(table)
    wanted = sorted(keys, key=repr)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in wanted])
    return or_(
        *(and_(*(column == part for column, part in zip(columns, key, strict=True))) for key in wanted)
    )


# ---- statements


def to_go(table: Table, kept: Spared) -> ColumnElement[bool]:
    """The rows of a table that are destroyed."""
    keys = kept.keys(table)
    return ~among(table, keys) if keys else true()


def empty(connection: Connection, kept: Spared) -> None:
    """Empty what stays: sealed values of the accounts, and of rows that only lead to held ones; references in both
    to what goes."""
    for table in staying():
        columns = [*_sealed(table), *_pointing(table)]
        if columns:
            connection.execute(update(table).values(dict.fromkeys(columns)))
    for table, keys in kept.leading.items():
        only = keys - kept.held.get(table, set())
        columns = [*_sealed(table), *(column for column in _pointing(table) if column.nullable)]
        if only and columns:
            connection.execute(update(table).where(among(table, only)).values(dict.fromkeys(columns)))


def _sealed(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.info["held"].sealed]


def _pointing(table: Table) -> list[Column[Any]]:
    """The columns of a table that point at rows which are destroyed."""
    return [
        column for column in table.columns if column.foreign_keys and not stays(reach.target_of(column).table)
    ]


def counts(db: DbSession) -> dict[str, int]:
    """The rows of each table."""
    return {table.name: db.scalar(select(func.count()).select_from(table)) or 0 for table in reach.tables()}


def left_over(db: DbSession, kept: Mapping[str, int]) -> dict[str, int]:
    """The tables that hold more rows than are kept of them, with how many more; empty when nothing is left."""
    found = counts(db)
    over = {table.name: found[table.name] - kept.get(table.name, 0) for table in going()}
    return {name: rows for name, rows in over.items() if rows > 0}
