"""How a transaction that will write begins: on SQLite IMMEDIATE, so that it waits at its start, not half-way."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

WRITE = "portal_write"
"""The execution option by which the SQLite engine knows that a transaction must begin IMMEDIATE."""


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that writes: committed at the end, rolled back when the block raises."""
    with engine.connect() as connection:
        chosen = connection.execution_options(**{WRITE: True})
        with chosen.begin():
            yield chosen
