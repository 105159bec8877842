"""How far a person reaches: which rows of which tables are about them, read off the declarations.

Nothing here names a table. A new table is exported, erased and kept as it declares (cl 17.4, cl 17.8).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, Table, and_, or_, select, tuple_
from sqlalchemy.orm import Mapper

from privacy import holdings
from privacy.columns import sealed_columns
from privacy.records import Erase, Held, Holding, Record

ACTOR_LETTERS = 80
"""An actor is kept as `kind:id` in a text column of this length, everywhere."""


@dataclass(frozen=True)
class Link:
    """A column that points at a row which is about a person."""

    column: Column[Any]
    target: Column[Any]

    @property
    def table(self) -> Table:
        return self.column.table

    @property
    def erase(self) -> Erase:
        held: Held = self.column.info["held"]
        return held.erase


@cache
def tables() -> tuple[Table, ...]:
    """Every table of the data database, those that are pointed at first."""
    return tuple(table for table in Record.metadata.sorted_tables if table in _mappers())


@cache
def _mappers() -> dict[Table, Mapper[Record]]:
    return {
        mapper.local_table: mapper
        for mapper in Record.registry.mappers
        if isinstance(mapper.local_table, Table)
    }


def mapper_of(table: Table) -> Mapper[Record]:
    return _mappers()[table]


def holding(table: Table) -> Holding:
    return mapper_of(table).class_.__holding__


@cache
def path(table: Table) -> tuple[str, ...]:
    """The hops to the person; empty for a table about nobody."""
    return tuple(holdings.subject_path(table))


@cache
def root() -> Table:
    """The table of the people."""
    return next(table for table in tables() if holding(table).root == "person")


def personal_tables() -> list[Table]:
    """The tables whose rows lead to a person, those that are pointed at first."""
    return [table for table in tables() if path(table)]


def shared_tables() -> list[Table]:
    """The tables whose rows are about everybody who is tied to them."""
    return [table for table in tables() if holding(table).shared_by is not None]


def key(table: Table) -> tuple[Column[Any], ...]:
    return tuple(table.primary_key.columns)


def key_is(table: Table) -> ColumnElement[Any]:
    """The primary key, to compare with keys or with a query of them."""
    columns = key(table)
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def about(table: Table, person_id: UUID) -> ColumnElement[bool]:
    """The rows of a personal table that are about somebody. LookupError for a table about nobody."""
    declared = holding(table)
    if declared.root == "person":
        return table.c.id == person_id
    if declared.root is not None:
        stand_in = holdings.stand_in(declared.root, table)
        return table.c.id.in_(select(stand_in.c.id).where(about(stand_in, person_id)))
    if declared.subject is None:
        raise LookupError(f"{table.name} is about nobody")
    column = table.c[declared.subject]
    target = target_of(column)
    if holding(target.table).root == "person":
        return column == person_id
    return column.in_(select(target).where(about(target.table, person_id)))


def keys_about(table: Table, person_id: UUID) -> Select[*tuple[Any, ...]]:
    """A query of the primary keys of the rows about somebody."""
    return select(*key(table)).where(about(table, person_id))


def together(table: Table, person_id: UUID) -> ColumnElement[bool] | None:
    """The rows of a personal table that are about nobody alone, and about everybody tied to a shared row that
    somebody is tied to: the goals of a group. None for a table that has no such rows."""
    subject = subject_column(table)
    if subject is None or table in {ties(shared)[0] for shared in shared_tables()}:
        return None
    if subject.nullable:
        shares = [
            column.in_(select(tie).where(about(by, person_id)))
            for column in table.columns
            if column.foreign_keys and target_of(column).table in shared_tables()
            for by, tie in [ties(target_of(column).table)]
        ]
        if shares:
            return and_(subject.is_(None), or_(*shares))
    target = target_of(subject)
    further = together(target.table, person_id)
    return None if further is None else subject.in_(select(target).where(further))


def target_of(column: Column[Any]) -> Column[Any]:
    return next(iter(column.foreign_keys)).column


@cache
def links() -> tuple[Link, ...]:
    """Every column that points at a row about a person."""
    return tuple(
        Link(column, target_of(column))
        for table in tables()
        for column in table.columns
        if column.foreign_keys and path(target_of(column).table)
    )


def subject_column(table: Table) -> Column[Any] | None:
    declared = holding(table)
    return None if declared.subject is None else table.c[declared.subject]


def mentions() -> Iterator[Link]:
    """Columns that name a person beside the one whom their row is about: a session's mentor, an assistant."""
    people = root()
    for link in links():
        if link.target.table is people and link.column is not subject_column(link.table):
            yield link


def ties(shared: Table) -> tuple[Table, Column[Any]]:
    """The table that ties people to a shared one, and its column that points there."""
    by = Record.metadata.tables[str(holding(shared).shared_by)]
    column = next(
        column for column in by.columns if column.foreign_keys and target_of(column).table is shared
    )
    return by, column


@cache
def holder_tables() -> tuple[Table, ...]:
    """The tables whose ids name holders of data keys, and that lead to a person."""
    found = {root()}
    for table, mapper in _mappers().items():
        for descriptor in sealed_columns(mapper.class_):
            name = str(table.c[descriptor.column].info["held"].holder)
            if name not in table.c:
                # A property that chooses among holders: each of them holds other values under its own name.
                continue
            column = table.c[name]
            while column.foreign_keys:
                column = target_of(column)
                found.add(column.table)
            found.add(column.table)
    stood_for = {holdings.stand_in(str(holding(one).root), one) for one in found if _is_far_root(one)}
    return tuple(one for one in tables() if one in found | stood_for and path(one))


def _is_far_root(table: Table) -> bool:
    return holding(table).root not in (None, "person")


def blanked(table: Table) -> list[Column[Any]]:
    """The columns that erasure empties where the row stays."""
    return [
        column for column in table.columns if column.info["held"].erase is Erase.BLANK and column.nullable
    ]
