"""Engines for both databases, set up the one way that keeps what was acknowledged.

SQLite: WAL with `synchronous=FULL`, foreign keys, secure delete, and transactions that begin when we say so:
a write begins IMMEDIATE, everything else deferred. PostgreSQL: READ COMMITTED with time-outs, and connections that are
opened anew when the server was restarted or another one took over.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, ExceptionContext, Uuid, create_engine, event
from sqlalchemy.engine import make_url

from privacy.moving.mark import refuse_marked
from privacy.transactions import ALONE, PATIENCE, WRITE

BUSY_MS = round(PATIENCE * 1000)
SPENT_AT_MOST_MS = 500
"""Less than that spent in a queue is not worth telling the database."""
STATEMENTS_KEPT = 512
"""For each connection. Once its hundred are full, the driver keeps those of the first hour and takes any new one apart
again at each use, which costs ten times as much as the answer."""
IDS_KEPT = 4096
_SAFE_WAL = (3, 51, 3)
_POOL = {"pool_size": 4, "max_overflow": 4, "pool_timeout": PATIENCE, "pool_use_lifo": True}
"""One for each thread that serves, with room for what a page reads beside its own transaction. The one that was used
last goes first: it knows the statements, and has the pages of the file at hand."""
_LINE = {
    "connect_timeout": 5,
    # A server that is gone without a word is noticed in less than a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "options": "-c lock_timeout=5s -c statement_timeout=60s -c timezone=UTC",
}
READ_ONLY = "25006"


def options(url: str) -> dict[str, Any]:
    """Keyword arguments for `create_engine`. Error messages never quote the values of a statement."""
    if make_url(url).get_backend_name() == "sqlite":
        from pysqlite3 import dbapi2  # noqa: PLC0415 - only where SQLite is the database

        return {
            "module": dbapi2,
            "hide_parameters": True,
            **_POOL,
            "connect_args": {
                "timeout": BUSY_MS / 1000,
                "check_same_thread": False,
                "cached_statements": STATEMENTS_KEPT,
            },
        }
    return {
        "hide_parameters": True,
        # Asked before each use whether it still stands: after a restart of the server each is opened anew.
        "pool_pre_ping": True,
        **_POOL,
        "isolation_level": "READ COMMITTED",
        "connect_args": _LINE,
    }


def open_engine(url: str) -> Engine:
    """An engine that is set up; the folder of an SQLite file must exist."""
    engine = create_engine(url, **options(url))
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Install the listeners. Harmless on an engine that has them."""
    if engine.dialect.name != "sqlite":
        if not event.contains(engine, "handle_error", _demoted):
            event.listen(engine, "handle_error", _demoted)
        return
    if event.contains(engine, "begin", _begin):
        return
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "begin", refuse_marked)
    engine.dialect.colspecs = {**engine.dialect.colspecs, Uuid: _Id}


@lru_cache(maxsize=IDS_KEPT)
def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


class _Id(Uuid[UUID]):
    """An id as SQLite keeps it, as text. Pages read the same few again and again, and taking one apart costs ten times
    as much as finding the one that was made of it before."""

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        if not self.as_uuid:
            return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]  # it has no types
        return _id


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


def _demoted(context: ExceptionContext) -> None:
    # Another server writes now: the next connection asks anew which one.
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _begin(connection: Connection) -> None:
    chosen = connection.get_execution_options()
    patience = chosen.get(WRITE)
    if patience is None:
        # By the driver itself, for every page begins two of them; nothing can be in the way of one that reads.
        if ALONE not in chosen:
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]  # it is connected
        return
    wait_ms = round(patience * 1000)
    if BUSY_MS - SPENT_AT_MOST_MS < wait_ms <= BUSY_MS:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # Part of the patience went in the queue of this process, or there was less or more of it.
    connection.exec_driver_sql(f"pragma busy_timeout={wait_ms}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"pragma busy_timeout={BUSY_MS}")
