"""Where the data goes: what a PostgreSQL database must be like, and how far a move into it has come.

The course of a move stands in a schema of its own, in the database that it fills, so that rows and the note of them are
committed together. It goes when the move has ended.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, inspect, select
from sqlalchemy.engine import make_url

from privacy.backup_postgres import COUNT_ROWS, parameters
from privacy.later import Later
from privacy.moving.tables import Row

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg, sql = Later("psycopg"), Later("psycopg.sql")

COURSE = "portal_moving"
OLDEST = 15
_APART = 9891


class MoveRefused(Exception):
    """The data cannot be moved there, or not from here; the message says why. Nothing was changed by this."""


@dataclass(frozen=True)
class Place:
    """How far a table has come: its rows there, the key of the last, and whether nothing is left to do."""

    rows: int = 0
    last: Row | None = None
    done: bool = False


def address(url: str) -> str:
    """A database as people name it, without user and password: it is shown, logged and kept."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host") or "this machine"
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.database} on {host}{port}"


def require_server(url: str) -> None:
    """Raises MoveRefused for a server or a database that the portal cannot use."""
    with connected(url) as connection:
        if connection.info.server_version < OLDEST * 10000:
            raise MoveRefused(
                f"{address(url)} runs on PostgreSQL {connection.info.server_version // 10000}: "
                f"{OLDEST} or newer is needed"
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise MoveRefused(
                f"{address(url)} keeps texts as {encoding}: make the database with encoding UTF8"
            )
        may = _one(
            connection,
            "select has_schema_privilege('public', 'create') "
            "and has_database_privilege(current_database(), 'create')",
        )
        if not may:
            raise MoveRefused(
                f"this account may not make tables in {address(url)}: make it the database's owner"
            )


def is_there(url: str) -> bool:
    """Whether the server has a database of that name. Raises MoveRefused where it does not let us in at all."""
    try:
        psycopg.connect(**{"connect_timeout": "10", **parameters(url)}).close()
    except psycopg.OperationalError as error:
        # Refused before there is a session, so that no code comes with it.
        if "does not exist" in str(error) and f'database "{make_url(url).database}"' in str(error):
            return False
        raise MoveRefused(f"{address(url)} cannot be reached: {_first_line(error)}") from error
    return True


def make_database(url: str, *, by: str) -> None:
    """Make a database, where there is none of that name, by the account and through the database of another address.

    Raises MoveRefused.
    """
    if is_there(url):
        return
    name = sql.Identifier(str(make_url(url).database))
    try:
        with psycopg.connect(**parameters(by), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} template template0 encoding 'UTF8'").format(name))
    except psycopg.Error as error:
        raise MoveRefused(
            f"{address(url)} is missing and cannot be made ({_first_line(error)}): make an empty database for the "
            "key store, and name it with --keystore-to"
        ) from error


def require_apart(url: str, other: str) -> None:
    """Raises MoveRefused where both addresses lead to one database: keys lie apart from the data."""
    with connected(url) as one, connected(other) as two:
        # Such a lock counts within one database, whatever it is called.
        one.execute("select pg_advisory_xact_lock(%s)", [_APART])
        if not _one(two, sql.SQL("select pg_try_advisory_xact_lock({})").format(_APART)):
            raise MoveRefused("the key store must have a database of its own: keys lie apart from the data")


@contextmanager
def connected(url: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection of its own. Raises MoveRefused where the server does not let us in."""
    try:
        connection = psycopg.connect(**{"connect_timeout": "10", **parameters(url)})
    except psycopg.Error as error:
        raise MoveRefused(f"{address(url)} cannot be reached: {_first_line(error)}") from error
    with connection:
        yield connection


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _one(connection: "psycopg.Connection[Any]", query: Any) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def under_way(engine: Engine) -> UUID | None:
    """The move that fills this database and has not ended. None on SQLite, which nothing is moved into."""
    if engine.dialect.name != "postgresql" or not inspect(engine).has_table("move", schema=COURSE):
        return None
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"select id from {COURSE}.move").scalar()  # noqa: S608 - a name of our own
    return UUID(str(found)) if found else None


def is_empty(engine: Engine, tables: Collection[Table]) -> bool:
    """Whether the database has no row in any of these tables, and no other table but that of the migrations."""
    found = set(inspect(engine).get_table_names())
    if found - {table.name for table in tables} - {"alembic_version"}:
        return False
    with engine.connect() as connection:
        return not any(
            connection.execute(select(1).select_from(table).limit(1)).first()
            for table in tables
            if table.name in found
        )


class Course:
    """The notes on how far each table has come; on a connection that writes to the database it is in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def begin(cls, connection: Connection, move: UUID) -> Self:
        """Make room for the notes, once."""
        connection.exec_driver_sql(f"create schema if not exists {COURSE}")
        connection.exec_driver_sql(f"create table if not exists {COURSE}.move (id uuid primary key)")
        connection.exec_driver_sql(
            f"create table if not exists {COURSE}.place"
            " (name text primary key, rows bigint not null, last text, done boolean not null)"
        )
        connection.exec_driver_sql(
            f"insert into {COURSE}.move values (%(id)s) on conflict do nothing",  # noqa: S608 - a name of our own
            {"id": move},
        )
        return cls(connection)

    def place(self, table: Table) -> Place:
        row = self._connection.exec_driver_sql(
            f"select rows, last, done from {COURSE}.place where name = %(name)s",  # noqa: S608 - a name of our own
            {"name": table.name},
        ).first()
        return Place(row[0], json.loads(row[1]) if row[1] else None, row[2]) if row else Place()

    def note(self, table: Table, place: Place) -> None:
        self._connection.exec_driver_sql(
            f"insert into {COURSE}.place values (%(name)s, %(rows)s, %(last)s, %(done)s) "  # noqa: S608 - a name of our own
            "on conflict (name) do update set rows = excluded.rows, last = excluded.last, done = excluded.done",
            {
                "name": table.name,
                "rows": place.rows,
                "last": json.dumps(list(place.last)) if place.last is not None else None,
                "done": place.done,
            },
        )


def end(connection: Connection) -> None:
    """The move has ended: its notes go."""
    connection.exec_driver_sql(COUNT_ROWS)
    connection.exec_driver_sql(f"drop schema if exists {COURSE} cascade")
