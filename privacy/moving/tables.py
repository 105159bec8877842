"""A table as both databases hold it: values as they lie in SQLite, and PostgreSQL's in the same form.

Ids are 32 hex digits, instants the text of a UTC time, dates theirs, booleans 0 and 1, JSON its text, sealed values and
keys the bytes that they are. Nothing is opened, so nothing can come out otherwise than it lay there.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    cast,
    func,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType, TypeDecorator

from privacy import reach
from privacy.columns import SealedBytes, sealed_columns

AT_ONCE = 2000
FILES_AT_ONCE = 10
_LARGEST = 2**31 - 1

Row = Sequence[Any]


@dataclass(frozen=True)
class Counted:
    """How many rows a table has, and the SHA-256 over all of them in the order of their key."""

    rows: int
    sha256: str


def key(table: Table) -> tuple[Column[Any], ...]:
    return tuple(table.primary_key.columns)


def own_references(table: Table) -> list[Column[Any]]:
    """The columns that point at rows of the same table, and so may point at one that comes later."""
    return [column for column in table.columns if any(to.column.table is table for to in column.foreign_keys)]


def plain_type(column: Column[Any]) -> Any:
    """The type without what we put round it."""
    kind: Any = column.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind


# ---- In SQLite


def stored(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], *, after: Row | None = None
) -> Iterator[Row]:
    """Rows as the driver gives them, in the order of their key, from behind a key on; one at a time, for some are
    files."""
    asked = select(*columns).order_by(*key(table))
    if after is not None:
        place = [type_coerce(column, NullType()) for column in key(table)]
        asked = asked.where(place[0] > after[0] if len(place) == 1 else tuple_(*place) > tuple_(*after))
    with connection.execute(asked) as found:
        cursor: Any = found.cursor
        yield from cursor


def misfits(connection: Connection, table: Table) -> tuple[int, list[str]]:
    """How many rows a table has in SQLite, and what of them PostgreSQL would refuse: there a text has a longest length
    and no NUL, and a number its range."""
    asked: list[ColumnElement[Any]] = [func.count()]
    said: list[tuple[str, int]] = []
    for column in table.columns:
        kind = plain_type(column)
        raw = type_coerce(column, NullType())
        if isinstance(kind, String):
            if kind.length is not None:
                asked.append(func.max(func.length(raw)))
                said.append(
                    (f"{column} holds a text of {{}} letters: it has room for {kind.length}", kind.length)
                )
            asked.append(func.max(func.instr(raw, func.char(0))))
            said.append((f"{column} holds a text with a NUL in it", 0))
        elif isinstance(kind, Integer) and not isinstance(kind, BigInteger):
            asked.append(func.max(func.abs(raw)))
            said.append((f"{column} holds the number {{}}: it has room for {_LARGEST}", _LARGEST))
    counted, *most = connection.execute(select(*asked).select_from(table)).one()
    return counted, [
        words.format(value)
        for (words, limit), value in zip(said, most, strict=True)
        if value is not None and value > limit
    ]


# ---- In PostgreSQL


def sent(columns: Sequence[Column[Any]], row: Row) -> list[Any]:
    """A row as COPY takes it: what lies in SQLite is read alike, but for the zone, which it leaves out."""
    return [
        f"{value}+00" if value is not None and isinstance(plain_type(column), DateTime) else value
        for column, value in zip(columns, row, strict=True)
    ]


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    match plain_type(column):
        case Uuid():
            return func.replace(cast(column, Text), "-", "")
        case DateTime():
            return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
        case Date():
            return func.to_char(column, "YYYY-MM-DD")
        case Boolean():
            return cast(column, Integer)
        case JSON():
            return cast(column, Text)
        case LargeBinary() | Integer() | String():
            return type_coerce(column, NullType())
    raise TypeError(f"{column} holds {column.type!r}, which no form is known for")


def _ordered(column: Column[Any]) -> ColumnElement[Any]:
    # Texts in the order of their bytes, as SQLite has them, whatever the server's own order is.
    return column.collate("C") if isinstance(plain_type(column), String) else column


def arrived(connection: Connection, table: Table) -> Iterator[Row]:
    """Rows in PostgreSQL as SQLite would give them, in the order of their key."""
    asked = select(*map(_as_stored, table.columns)).order_by(*map(_ordered, key(table)))
    size = FILES_AT_ONCE if table in _with_files() else AT_ONCE
    with connection.execute(asked.execution_options(yield_per=size)) as found:
        yield from map(tuple, found)


@cache
def _with_files() -> frozenset[Table]:
    return frozenset(
        table
        for table in reach.tables()
        if any(isinstance(one, SealedBytes) for one in sealed_columns(reach.mapper_of(table).class_))
    )


def counted(rows: Iterable[Row]) -> Counted:
    """Count and digest rows, the same for both databases."""
    digest, number = hashlib.sha256(), 0
    for row in rows:
        # How Python writes texts, bytes, numbers and None keeps each apart from every other.
        digest.update(repr(tuple(row)).encode())
        number += 1
    return Counted(number, digest.hexdigest())
