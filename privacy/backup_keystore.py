"""The key store as lines of JSON: the same for both databases, so that either can be restored into the other.

The first line of a table names its columns, and one line follows for each row. It is read in one transaction, in
batches, and driven by the tables' own declaration.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Engine, Select, Table, func, insert, inspect, select, update

from privacy.backup_manifest import BackupFault, LedgerPosition, Tombstone
from privacy.clock import start_of_day
from privacy.keys import number_of
from privacy.keystore import METADATA, RING_KEY, SUBJECT_KEY
from privacy.ledger import NO_KEY
from privacy.transactions import writing

BATCH = 2000
BYTES_A_ROW = 260
_LINES_IN_PIECE = 1000


@dataclass(frozen=True)
class KeyFacts:
    """What a key store held at one moment. `indexes` are the index masters in force, such as `I1`."""

    rows: dict[str, int]
    key_ids: dict[str, int]
    indexes: list[str]
    ledger: LedgerPosition


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the key store from its first statement on."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def facts(connection: Connection) -> KeyFacts:
    """Rows, key ids and the position of the ledger."""
    rows = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in METADATA.sorted_tables
    }
    used = connection.execute(
        select(SUBJECT_KEY.c.kek_id, func.count())
        .where(SUBJECT_KEY.c.wrapped.is_not(None))
        .group_by(SUBJECT_KEY.c.kek_id)
    )
    erased, newest = connection.execute(
        select(func.count(SUBJECT_KEY.c.holder_id.distinct()), func.max(SUBJECT_KEY.c.destroyed_on)).where(
            SUBJECT_KEY.c.destroyed_on.is_not(None)
        )
    ).one()
    return KeyFacts(
        rows,
        dict(used.all()),
        sorted(connection.scalars(_indexes())),
        LedgerPosition(erased, newest),
    )


def _indexes() -> Select[str]:
    return select(RING_KEY.c.id).where(RING_KEY.c.id.like("I%"), RING_KEY.c.retired_at.is_(None))


def ledger(connection: Connection) -> Iterator[Tombstone]:
    """Who was erased, by the key store."""
    rows = connection.execute(
        select(
            SUBJECT_KEY.c.holder_id,
            func.max(SUBJECT_KEY.c.destroyed_on).label("destroyed_on"),
            func.max(SUBJECT_KEY.c.instruction).label("instruction"),
        )
        .where(SUBJECT_KEY.c.destroyed_on.is_not(None))
        .group_by(SUBJECT_KEY.c.holder_id)
        .execution_options(yield_per=BATCH)
    )
    for holder, destroyed_on, instruction in rows:
        yield Tombstone(holder, destroyed_on, instruction)


# ---- Out


def pieces(connection: Connection) -> Iterator[bytes]:
    """The key store as lines."""
    for table in METADATA.sorted_tables:
        yield _line({"table": table.name, "columns": [column.name for column in table.columns]})
        query = select(table).order_by(*table.primary_key).execution_options(yield_per=BATCH)
        for rows in connection.execute(query).partitions(_LINES_IN_PIECE):
            yield b"".join(_line([_packed(value) for value in row]) for row in rows)


def _line(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _packed(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
    return value


# ---- In


def is_empty(engine: Engine) -> bool:
    """Whether a key store has no rows, or is not there at all. Call it only where asking makes no file."""
    if not inspect(engine).has_table(SUBJECT_KEY.name):
        return True
    with engine.connect() as connection:
        return connection.execute(select(SUBJECT_KEY.c.holder_id).limit(1)).first() is None


def knows(engine: Engine, holder: UUID) -> bool:
    """Whether a holder has a row in the key store."""
    with engine.connect() as connection:
        query = select(SUBJECT_KEY.c.holder_id).where(SUBJECT_KEY.c.holder_id == holder).limit(1)
        return connection.execute(query).first() is not None


def load(engine: Engine, source: Iterable[bytes], *, check: Callable[[Connection], None]) -> None:
    """Fill an empty key store from its lines, in one transaction that `check` may still call off by raising.

    Raises BackupFault for lines that this release does not know.
    """
    METADATA.create_all(engine)
    tables = {table.name: table for table in METADATA.sorted_tables}
    with writing(engine) as connection:
        waiting: list[dict[str, Any]] = []
        columns: Sequence[Column[Any]] = ()
        table: Table | None = None
        for line in _lines(source):
            document = json.loads(line)
            if isinstance(document, Mapping):
                _insert(connection, table, waiting)
                table, columns = _heading(tables, document)
                continue
            waiting.append(
                {column.name: _opened(column, value) for column, value in zip(columns, document, strict=True)}
            )
            if len(waiting) >= BATCH:
                _insert(connection, table, waiting)
        _insert(connection, table, waiting)
        check(connection)


def _insert(connection: Connection, table: Table | None, waiting: list[dict[str, Any]]) -> None:
    if waiting and table is not None:
        connection.execute(insert(table), waiting)
    waiting.clear()


def _heading(tables: Mapping[str, Table], heading: Mapping[str, Any]) -> tuple[Table, list[Column[Any]]]:
    table = tables.get(heading["table"])
    unknown = [name for name in heading["columns"] if table is None or name not in table.columns]
    if table is None or unknown:
        raise BackupFault(
            f"the key store's backup holds {heading['table']} {', '.join(unknown)}, which this release does not know"
        )
    return table, [table.columns[name] for name in heading["columns"]]


def _lines(source: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in source:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        raise BackupFault("the key store's backup ends in the middle of a line")


def _opened(column: Column[Any], value: object) -> object:
    kind = column.type.python_type
    if value is None or not isinstance(value, str) or kind is str:
        return value
    if kind is bytes:
        return base64.b64decode(value, validate=True)
    if kind is UUID:
        return UUID(value)
    return date.fromisoformat(value) if kind is date else datetime.fromisoformat(value)


def bury(connection: Connection, tombstones: Iterable[Tombstone]) -> None:
    """Destroy the keys of those who were erased; who has no key gets a row all the same, so that none is made."""
    for tombstone in tombstones:
        mine = SUBJECT_KEY.c.holder_id == tombstone.holder
        connection.execute(
            update(SUBJECT_KEY)
            .where(mine, SUBJECT_KEY.c.destroyed_on.is_(None))
            .values(wrapped=None, destroyed_on=tombstone.destroyed_on, instruction=tombstone.instruction)
        )
        if connection.execute(select(SUBJECT_KEY.c.version).where(mine).limit(1)).first() is None:
            connection.execute(
                insert(SUBJECT_KEY).values(
                    holder_id=tombstone.holder,
                    version=1,
                    kek_id=NO_KEY,
                    created_at=start_of_day(tombstone.destroyed_on),
                    destroyed_on=tombstone.destroyed_on,
                    instruction=tombstone.instruction,
                )
            )


def reopen_indexes(connection: Connection, names: Iterable[str]) -> None:
    """Put index masters in force again by which people of an older database are found.

    The newest then counts as not settled: the next rotation goes through all addresses.
    """
    wanted = list(names)
    reopened = connection.execute(
        update(RING_KEY)
        .where(RING_KEY.c.id.in_(wanted), RING_KEY.c.retired_at.is_not(None))
        .values(retired_at=None, instruction=None)
    )
    newest = max(connection.scalars(_indexes()), key=number_of, default=None)
    if reopened.rowcount or newest not in wanted:
        connection.execute(
            update(RING_KEY).where(RING_KEY.c.id == newest).values(settled_at=None, reached=None)
        )
