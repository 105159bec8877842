"""Runs migrations on the app's own engine, with time-outs and one lock, so that two machines do not race."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, Engine, text

from privacy.records import Record, Word

LOCK = 9887


def _render(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    # A migration must not depend on what the code's types become later: write what the database sees.
    if kind == "type" and isinstance(item, Word):
        return "sa.String(length=40)"
    if kind == "type" and type(item).__name__ == "Instant":
        return "sa.DateTime(timezone=True)"
    return False


def _guard(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("set lock_timeout = '4s'"))
        connection.execute(text("set statement_timeout = '60s'"))
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


engine: Engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Record.metadata,
        render_item=_render,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        _guard(connection)
        context.run_migrations()
    connection.commit()
