"""The mark on an SQLite file whose data is moving to PostgreSQL, or has moved: nothing begins there any more.

It lies in the file itself, so it holds for every process that has the file open, on every path to it, and for a copy
that somebody puts back. The engine asks for it as each transaction begins (privacy/engines.py); whoever moves the
data passes it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from privacy.clock import day_words, london_date

PASSING = "portal_passes_mark"
"""The execution option of the connections that move the data."""
_NUMBER = 9887
"""Kept where SQLite keeps a number for the application: reading it costs no statement on a table."""
_TABLE = "moved_away"


@dataclass(frozen=True)
class Mark:
    """Where the data goes. `database` and `keystore` are addresses without a password; the second is None where the
    key store stays where it is. `done_at` is None until everything is there; from `settling_at` on it may be."""

    id: UUID
    began_at: datetime
    database: str
    keystore: str | None
    done_at: datetime | None = None
    settling_at: datetime | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Whether the new database may be an instance already."""
        return self.done_at is not None or self.settling_at is not None


class Moved(Exception):
    """The data is on its way to another database, or has gone there. Nothing was read or written."""

    def __init__(self, mark: Mark) -> None:
        when = day_words(london_date(mark.done_at or mark.began_at))
        super().__init__(
            f"the data of this instance has been in {mark.database} since {when}: set DATABASE_URL"
            f"{' and KEYSTORE_URL' if mark.keystore else ''} to where it is now"
            if mark.done_at
            else f"the data of this instance is on its way to {mark.database} since {when}: run `flask move` again to "
            "the same address, and it goes on; with `flask move --undo` it stays"
        )
        self.mark = mark


def passing(engine: Engine) -> Engine:
    """The same engine for whoever moves the data."""
    return engine.execution_options(**{PASSING: True})


def refuse_marked(connection: Connection) -> None:
    """Raises Moved on a marked file, out of the transaction that has just begun."""
    raw = _raw(connection)
    if raw.execute("pragma user_version").fetchone()[0] != _NUMBER:
        return
    if connection.get_execution_options().get(PASSING):
        return
    found = _read(raw)
    # What reads by one statement has begun none (privacy/transactions.py: ALONE).
    if raw.in_transaction:
        raw.execute("rollback")
    raise Moved(found)


def marked(connection: Connection) -> Mark | None:
    """The mark on this file; the connection must pass it."""
    raw = _raw(connection)
    return _read(raw) if raw.execute("pragma user_version").fetchone()[0] == _NUMBER else None


def put(connection: Connection, mark: Mark) -> None:
    """Mark the file, or say more; in a transaction that writes, so that every earlier one has ended."""
    raw = _raw(connection)
    raw.execute(
        f"create table if not exists {_TABLE} (id, began_at, database, keystore, done_at, settling_at)"
    )
    raw.execute(f"delete from {_TABLE}")  # noqa: S608 - a name of our own
    raw.execute(
        f"insert into {_TABLE} values (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a name of our own
        (
            str(mark.id),
            mark.began_at.isoformat(),
            mark.database,
            mark.keystore,
            mark.done_at.isoformat() if mark.done_at else None,
            mark.settling_at.isoformat() if mark.settling_at else None,
        ),
    )
    raw.execute(f"pragma user_version={_NUMBER}")


def take_off(connection: Connection) -> None:
    """Let the file be used again."""
    raw = _raw(connection)
    raw.execute(f"drop table if exists {_TABLE}")
    raw.execute("pragma user_version=0")


def empty(connection: Connection) -> None:
    """Drop everything but the mark; what is dropped is overwritten (privacy/engines.py: secure_delete)."""
    raw = _raw(connection)
    # Else each table would be asked for by those that point at it, in an order that nobody knows here.
    raw.execute("pragma defer_foreign_keys=on")
    names = raw.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'"
    ).fetchall()
    for (name,) in names:
        if name != _TABLE:
            raw.execute(f'drop table "{name}"')


def _read(raw: Any) -> Mark:
    asked = f"select id, began_at, database, keystore, done_at, settling_at from {_TABLE}"  # noqa: S608 - a name of our own
    row = raw.execute(asked).fetchone()
    return Mark(
        UUID(row[0]),
        datetime.fromisoformat(row[1]),
        row[2],
        row[3],
        datetime.fromisoformat(row[4]) if row[4] else None,
        datetime.fromisoformat(row[5]) if row[5] else None,
    )


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection
