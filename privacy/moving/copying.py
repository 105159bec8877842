"""Rows from SQLite into PostgreSQL, table by table, those that are pointed at first, in batches.

A batch and the note of how far it came are one transaction: killed anywhere, the next one goes on behind the last that
was committed, and no row is there twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Engine, Table, bindparam, select, update

from privacy.later import Later
from privacy.moving.tables import Counted, Row, arrived, counted, key, own_references, sent, stored
from privacy.moving.target import Course, MoveRefused, Place

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg, sql = Later("psycopg"), Later("psycopg.sql")

BATCH_ROWS = 5000
BATCH_BYTES = 8 * 1024 * 1024

Tell = Callable[[int], None]
"""Hears how many rows more are done."""


class NotTheSame(MoveRefused):
    """A table reads otherwise where it arrived than where it came from."""


@dataclass(frozen=True)
class Route:
    """From where to where, and which tables, those that are pointed at first."""

    source: Engine
    target: Engine
    tables: Sequence[Table]


def copy(route: Route, *, tell: Tell) -> None:
    """Copy what is not there yet. Raises MoveRefused for a row that PostgreSQL does not take."""
    with route.source.connect() as source:
        for table in route.tables:
            with route.target.connect() as target:
                place = Course(target).place(table)
            tell(place.rows)
            if not place.done:
                _copy_table(source, route.target, table, place, tell)


def _copy_table(source: Connection, to: Engine, table: Table, place: Place, tell: Tell) -> None:
    own = own_references(table)
    columns = [column for column in table.columns if column not in own]
    at = [columns.index(column) for column in key(table)]
    for batch in _batches(stored(source, table, columns, after=place.last)):
        place = Place(place.rows + len(batch), [batch[-1][position] for position in at])
        with to.begin() as target:
            send(target, table, columns, batch)
            Course(target).note(table, place)
        tell(len(batch))
    with to.begin() as target:
        for column in own:
            _fill(source, target, column)
        Course(target).note(table, Place(place.rows, place.last, done=True))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def send(target: Connection, table: Table, columns: Sequence[Column[Any]], rows: Iterable[Row]) -> None:
    """Add rows as they lie in SQLite. Raises MoveRefused."""
    driver: Any = target.connection.driver_connection
    command = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    )
    try:
        with driver.cursor() as cursor, cursor.copy(command) as to:
            for row in rows:
                to.write_row(sent(columns, row))
    except psycopg.DataError as error:
        # Its own words may quote what somebody typed.
        where = error.diag.context or ""
        raise MoveRefused(
            f"PostgreSQL does not take a row of {table.name}: {error.diag.sqlstate} {where.partition(':')[0]}"
        ) from error


def _fill(source: Connection, target: Connection, column: Column[Any]) -> None:
    """What points at rows of the same table, now that all of them are there."""
    table = column.table
    found = source.execute(
        select(table.c.id.label("own_key"), column.label("own_value")).where(column.is_not(None))
    )
    values = [dict(row) for row in found.mappings()]
    if values:
        fill = update(table).where(table.c.id == bindparam("own_key"))
        target.execute(fill.values({column.name: bindparam("own_value")}), values)


def compare(route: Route, *, tell: Tell) -> dict[str, Counted]:
    """Read everything on both sides; returns what each table has. Raises NotTheSame."""
    found = {}
    with route.source.connect() as source, route.target.connect() as target:
        for table in route.tables:
            found[table.name] = compare_table(source, target, table)
            tell(found[table.name].rows)
    return found


def compare_table(source: Connection, target: Connection, table: Table) -> Counted:
    """Raises NotTheSame."""
    before = counted(stored(source, table, list(table.columns)))
    after = counted(arrived(target, table))
    if before != after:
        raise NotTheSame(
            f"{table.name} is not the same there: {before.rows} rows ({before.sha256[:16]}) here, {after.rows} rows "
            f"({after.sha256[:16]}) there. Take the move back (`flask move --undo`). Empty the new database, and begin "
            "again"
        )
    return before
