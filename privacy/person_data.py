"""Everything held about one person, store by store, opened: what the register of holdings says there is.

Stores are read off the declarations: rows about them, what such rows stand in (a session, a package), rows that
name them, the audit trail and the key store. A store that cannot answer raises; nothing is left out silently.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, Text, and_, or_, select
from sqlalchemy.orm import Session as DbSession

from privacy import holdings, purge, reach
from privacy.audit import AuditEntry
from privacy.columns import keys_of, sealed_columns, unseal_column
from privacy.keystore import SUBJECT_KEY, DataKeys
from privacy.records import Held

BATCH = 500
DIGEST = "a keyed digest, which nobody can read back"
TOGETHER = "about everybody in the group together"
OTHERS = "about other people: left out"
_WORD = re.compile(r"[^\W\d_]{3,}")

Value = str | int | float | bool | None | list[Any] | dict[str, Any]
Reader = Callable[[DbSession, Any], Sequence[tuple[str, str]]]
"""Puts a value that is kept in codes into words, for one row: pairs of a question and an answer."""


@dataclass(frozen=True)
class Row:
    """One row, opened. `words` are its values in words where codes would say little, `coded` the columns that they
    stand for; `free` the columns that somebody typed, in which others may be named."""

    values: Mapping[str, Value]
    words: Sequence[tuple[str, str]] = ()
    free: frozenset[str] = frozenset()
    coded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Store:
    """What one store answered. `why` is how its rows concern the person, `heads` what people call its values."""

    name: str
    purpose: str
    keep: str
    why: str
    rows: Sequence[Row]
    heads: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flag:
    """A passage that may name somebody else: to be looked at before it is handed over."""

    store: str
    row: int
    column: str
    word: str


@dataclass
class Asked:
    """A store that is yet to answer."""

    name: str
    answer: Callable[[], Store]


@dataclass(frozen=True)
class Gathered:
    """All stores of one person, and the passages that may name others."""

    person_id: UUID
    stores: Sequence[Store]
    flags: Sequence[Flag] = field(default_factory=list)


def stores(db: DbSession, person_id: UUID, *, readers: Mapping[str, Reader]) -> list[Asked]:
    """Every store that has to answer about a person. `readers` are for `table.column`."""
    own = [
        Asked(
            table.name,
            partial(_own, db, table, reach.about(table, person_id), readers=readers, why="about this person"),
        )
        for table in reach.personal_tables()
    ]
    own += [
        Asked(f"{table.name}-together", partial(_own, db, table, theirs, readers=readers, why=TOGETHER))
        for table in reach.personal_tables()
        if (theirs := reach.together(table, person_id)) is not None
    ]
    around = [
        Asked(f"{table.name}-around", partial(_around, db, table, person_id)) for table in _pointed_at()
    ]
    naming: dict[Table, list[Column[Any]]] = {}
    for link in reach.mentions():
        naming.setdefault(link.table, []).append(link.column)
    named = [
        Asked(f"{table.name}-naming", partial(_naming, db, table, columns, person_id))
        for table, columns in naming.items()
    ]
    return [
        *own,
        *around,
        *named,
        Asked(AuditEntry.__tablename__, partial(_trail, db, person_id)),
        Asked(SUBJECT_KEY.name, partial(_keys, db, person_id)),
    ]


# ---- stores


def _own(
    db: DbSession, table: Table, theirs: ColumnElement[bool], *, readers: Mapping[str, Reader], why: str
) -> Store:
    kind: Any = reach.mapper_of(table).class_
    asked = select(kind).where(theirs).order_by(*reach.key(table))
    opening = _Opening(table, kind, readers)
    rows = []
    for found in db.scalars(asked.execution_options(yield_per=BATCH)).partitions():
        rows += [opening.row(db, one) for one in found]
        for one in found:
            db.expunge(one)
    return _store(table, why, rows)


class _Opening:
    """How the rows of one table are opened; read off the declarations once."""

    def __init__(self, table: Table, kind: type, readers: Mapping[str, Reader]) -> None:
        sealed = {one.column: name for name, one in _attributes(kind)}
        mapper = reach.mapper_of(table)
        self.others = {name for column, name in sealed.items() if table.c[column].info["held"].others}
        self.free = frozenset(sealed.values()) - self.others
        self.clear = [
            (column.name, column, str(mapper.get_property_by_column(column).key))
            for column in table.columns
            if column.name not in sealed
        ]
        self.sealed = list(sealed.values())
        self.readers = [
            (name, readers[f"{table.name}.{name}"])
            for name in (*(name for name, _, _ in self.clear), *self.sealed)
            if f"{table.name}.{name}" in readers
        ]

    def row(self, db: DbSession, one: Any) -> Row:
        values: dict[str, Value] = {
            name: _plain_column(column, getattr(one, attribute)) for name, column, attribute in self.clear
        }
        values |= {name: OTHERS if name in self.others else plain(getattr(one, name)) for name in self.sealed}
        words: list[tuple[str, str]] = []
        coded = set[str]()
        for name, reader in self.readers:
            if values[name] is not None and (said := reader(db, one)):
                words += said
                coded.add(name)
        return Row(values, words, self.free, frozenset(coded))


def _attributes(kind: type) -> Iterator[tuple[str, Any]]:
    """The sealed values of a class, by the names under which they are read."""
    descriptors = sealed_columns(kind)
    for cls in kind.__mro__:
        for name, value in vars(cls).items():
            if any(value is one for one in descriptors):
                yield name, value


def _pointed_at() -> list[Table]:
    """Tables about nobody in which rows about people stand: sessions, packages, councils, questionnaires."""
    found = {
        reach.target_of(column).table
        for table in reach.personal_tables()
        for column in table.columns
        if column.foreign_keys
    }
    return [table for table in reach.tables() if table in found and not reach.path(table)]


def _around(db: DbSession, table: Table, person_id: UUID) -> Store:
    """Rows in which theirs stand: what is in clear, and what is sealed for a package that they are in."""
    ids: set[UUID] = set()
    for own in reach.personal_tables():
        for column in own.columns:
            if column.foreign_keys and reach.target_of(column).table is table:
                asked = select(column).where(reach.about(own, person_id), column.is_not(None)).distinct()
                ids |= set(db.scalars(asked))
    shared = set[UUID]()
    for one in reach.shared_tables():
        by, column = reach.ties(one)
        shared |= set(db.scalars(select(column).where(reach.about(by, person_id))))
    kind: Any = reach.mapper_of(table).class_
    rows = []
    for group in _groups(sorted(ids)):
        for row in db.scalars(select(kind).where(kind.id.in_(group)).order_by(kind.id)):
            values = {
                column.name: _plain_column(column, getattr(row, column.name)) for column in _clear(table)
            }
            opened = {
                name: plain(getattr(row, name))
                for name, sealed in _attributes(kind)
                if sealed.holder(row) in shared
            }
            rows.append(Row({**values, **opened}, (), frozenset(opened)))
    return _store(table, "theirs stand in it; it may be about others too", rows)


def _naming(db: DbSession, table: Table, columns: Sequence[Column[Any]], person_id: UUID) -> Store:
    """Rows about others that name them, in clear columns only: the rest is the others'."""
    here = or_(*(column == person_id for column in columns))
    if reach.path(table):
        here = and_(here, reach.key_is(table).not_in(reach.keys_about(table, person_id)))
    clear = _clear(table)
    rows = [
        Row({column.name: _plain_column(column, value) for column, value in zip(clear, found, strict=True)})
        for found in db.execute(select(*clear).where(here).order_by(*reach.key(table)))
    ]
    return _store(table, "it names them; what it says of others is left out", rows)


def _clear(table: Table) -> list[Column[Any]]:
    return [
        column
        for column in table.columns
        if not column.info["held"].sealed and not isinstance(column.type, Text | LargeBinary)
    ]


def _trail(db: DbSession, person_id: UUID) -> Store:
    theirs = or_(
        AuditEntry.holder.in_(purge.holders(db, person_id)),
        AuditEntry.actor == f"person:{person_id}",
    )
    asked = select(AuditEntry).where(theirs).order_by(AuditEntry.seq)
    rows = [_line(line, own=line.actor == f"person:{person_id}") for line in db.scalars(asked)]
    return _store(AuditEntry.__table__, "they did it, or it was done with their data", rows)  # type: ignore[arg-type]  # a mapped class's table


def _line(line: AuditEntry, *, own: bool) -> Row:
    """A line of the trail. Who else it was, is said of nobody."""
    actor = "they" if own else line.actor.partition(":")[0]
    by = {"they": "the person themselves", "system": "the portal"}.get(actor, "somebody else")
    what = line.action.replace(".", " ").replace("_", " ")
    return Row(
        {
            "seq": line.seq,
            "at": line.at.isoformat(),
            "action": line.action,
            "actor": actor,
            "object": line.object,
            "details": json.loads(line.details),
        },
        [("What was done", what[:1].upper() + what[1:]), ("By", by)],
        coded=frozenset({"action", "actor", "object"}),
    )


def _keys(db: DbSession, person_id: UUID) -> Store:
    """The wrapped keys themselves stay: they open what is here in words."""
    columns = {
        "version": SUBJECT_KEY.c.version,
        "key": SUBJECT_KEY.c.kek_id,
        "made_at": SUBJECT_KEY.c.created_at,
    }
    with keys_of(db).vault.engine.connect() as connection:
        found = connection.execute(
            select(*columns.values()).where(SUBJECT_KEY.c.holder_id.in_(purge.holders(db, person_id)))
        ).all()
    rows = [
        Row({"version": row.version, "key": row.kek_id, "made_at": row.created_at.isoformat()})
        for row in found
    ]
    return Store(
        SUBJECT_KEY.name,
        "to open and destroy what is sealed",
        "until they are erased",
        "their data keys",
        rows,
        {name: holdings.called(column) for name, column in columns.items()},
    )


def _store(table: Table, why: str, rows: Sequence[Row]) -> Store:
    declared = reach.holding(table)
    return Store(table.name, declared.purpose, declared.keep.words, why, rows, _heads(table))


def _heads(table: Table) -> dict[str, str]:
    """What people call the values of a table, by the names under which they are read."""
    opened = {one.column: name for name, one in _attributes(reach.mapper_of(table).class_)}
    return {opened.get(column.name, column.name): holdings.called(column) for column in table.columns}


# ---- values


def _plain_column(column: Column[Any], value: Any) -> Value:
    held: Held = column.info["held"]
    if value is not None and isinstance(column.type, LargeBinary) and not held.sealed:
        return DIGEST
    return plain(value)


def plain(value: Any) -> Value:
    """A value as JSON has it."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return str(value)
        case bytes():
            # What a file holds is handed over as a file, looked through first; not within a table.
            return f"a file of {len(value):,} bytes"
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
    return str(value)


# ---- other people's names


def flags(db: DbSession, person_id: UUID, found: Sequence[Store]) -> list[Flag]:
    """Typed passages in which the last part of somebody else's name stands, written with a capital."""
    places: dict[str, list[tuple[str, int, str]]] = {}
    for store in found:
        for number, row in enumerate(store.rows, 1):
            for column in sorted(row.free):
                for word in set(_WORD.findall(_text(row.values[column]))):
                    if word[0].isupper():
                        places.setdefault(word, []).append((store.name, number, column))
    if not places:
        return []
    own = {word for store in found for row in store.rows for word in _own_name(store, row)}
    hit = {
        words[-1]
        for words in map(_WORD.findall, _names(db, person_id))
        if words and words[-1] in places and words[-1] not in own
    }
    return [Flag(store, row, column, word) for word in sorted(hit) for store, row, column in places[word]]


def _own_name(store: Store, row: Row) -> list[str]:
    return _WORD.findall(_text(row.values.get("name"))) if store.name == reach.root().name else []


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case dict():
            return "\n".join(map(_text, value.values()))
        case list():
            return "\n".join(map(_text, value))
    return ""


def _names(db: DbSession, person_id: UUID) -> Iterator[str]:
    """Everybody else's names, opened in batches with keys that are not kept."""
    kind: Any = reach.mapper_of(reach.root()).class_
    asked = select(kind.id, kind.name_sealed).where(kind.id != person_id, kind.name_sealed.is_not(None))
    for rows in db.execute(asked.execution_options(yield_per=BATCH)).partitions():
        keys = DataKeys(keys_of(db).vault)
        keys.fetch(row.id for row in rows)
        for row in rows:
            yield unseal_column(keys, kind.name_sealed, row.name_sealed, row=row.id, holder=row.id)


def _groups(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
