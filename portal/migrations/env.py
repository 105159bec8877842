"""Runs migrations on the app's own engine or on the one it is given, one host at a time, whole or not at all.

PostgreSQL: whoever comes second waits until the first is done, and finds nothing left to do. A table that others use is
waited for some seconds only, for everybody else waits behind. SQLite: the write lock from the start; the file's foreign
keys are looked at as a whole at the end, for a table that is built anew is away for a moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, Engine, text

from privacy.records import Record, Word
from privacy.transactions import PATIENCE, WRITE

LOCK = 9887
TURN = "10min"
"""For how long another host may be at it."""
TABLE = "4s"
STATEMENT = "60s"


class ForeignKeysBroken(Exception):
    """After the migrations a row would point at one that is not there. Nothing was changed."""


def _render(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    # A migration must not depend on what the code's types become later: write what the database sees.
    if kind == "type" and isinstance(item, Word):
        return "sa.String(length=40)"
    if kind == "type" and type(item).__name__ == "Instant":
        return "sa.DateTime(timezone=True)"
    return False


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction, as the only host that migrates."""
    guarded = _on_postgres if engine.dialect.name == "postgresql" else _on_sqlite
    with engine.connect() as connection, guarded(connection):
        yield connection


@contextmanager
def _on_postgres(connection: Connection) -> Iterator[None]:
    with connection.begin():
        for setting in (f"lock_timeout = '{TURN}'", f"statement_timeout = '{TURN}'"):
            connection.execute(text(f"set local {setting}"))
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        for setting in (f"lock_timeout = '{TABLE}'", f"statement_timeout = '{STATEMENT}'"):
            connection.execute(text(f"set local {setting}"))
        yield


@contextmanager
def _on_sqlite(connection: Connection) -> Iterator[None]:
    # Outside of a transaction, where alone it counts: dropping a table would delete its rows, and ask who needs them.
    driver: Any = connection.connection.driver_connection
    driver.execute("pragma foreign_keys=off")
    try:
        connection.execution_options(**{WRITE: PATIENCE})
        with connection.begin():
            yield
            if broken := connection.exec_driver_sql("pragma foreign_key_check").first():
                raise ForeignKeysBroken(
                    f"a row of {broken[0]} points at one of {broken[2]} that is not there"
                )
    finally:
        driver.execute("pragma foreign_keys=on")


given: Engine | None = context.config.attributes.get("engine")
with _alone(given or current_app.extensions["migrate"].db.engine) as connection:
    context.configure(
        connection=connection,
        target_metadata=Record.metadata,
        render_item=_render,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
