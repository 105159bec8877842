"""Engines for both databases, set up the one way that keeps what was acknowledged.

SQLite: WAL with `synchronous=FULL`, foreign keys, secure delete, and transactions that begin when we say so:
a write begins IMMEDIATE, everything else deferred. PostgreSQL: READ COMMITTED with time-outs.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from privacy.transactions import WRITE

BUSY_MS = 5000
_SAFE_WAL = (3, 51, 3)


def options(url: str) -> dict[str, Any]:
    """Keyword arguments for `create_engine`. Error messages never quote the values of a statement."""
    if make_url(url).get_backend_name() == "sqlite":
        from pysqlite3 import dbapi2  # noqa: PLC0415 - only where SQLite is the database

        return {
            "module": dbapi2,
            "hide_parameters": True,
            "connect_args": {"timeout": BUSY_MS / 1000, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"options": "-c lock_timeout=5s -c statement_timeout=60s -c timezone=UTC"},
    }


def open_engine(url: str) -> Engine:
    """An engine that is set up; the folder of an SQLite file must exist."""
    engine = create_engine(url, **options(url))
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Install the listeners. Harmless on an engine that has them."""
    if engine.dialect.name != "sqlite" or event.contains(engine, "begin", _begin):
        return
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _connected(connection: Any, record: Any) -> None:
    # The driver must not begin transactions by itself: it would begin them deferred, at the first write.
    connection.isolation_level = None
    cursor = connection.cursor()
    version = tuple(int(part) for part in cursor.execute("select sqlite_version()").fetchone()[0].split("."))
    # Before 3.51.3 a checkpoint in WAL mode can lose pages; the rollback journal is safe on every version.
    cursor.execute(f"pragma journal_mode={'wal' if version >= _SAFE_WAL else 'delete'}")
    for pragma in ("synchronous=full", "foreign_keys=on", "secure_delete=on", f"busy_timeout={BUSY_MS}"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
