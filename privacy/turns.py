"""One at a time among all hosts: what several of them may begin at once, such as making an instance."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

WAIT = "10min"


@contextmanager
def in_turn(engine: Engine, *, number: int, folder: Path) -> Iterator[None]:
    """Wait until nobody else is at the same, which `number` names in PostgreSQL and a lock of the folder on SQLite.

    It ends with the process, however that ends. Raises OperationalError where PostgreSQL does not answer, or others
    take longer than ten minutes.
    """
    if engine.dialect.name != "postgresql":
        if not folder.is_dir():
            # Nothing is there that two could be at.
            yield
            return
        with (folder / ".lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with engine.connect() as connection, connection.begin():
        for setting in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"set local {setting} = '{WAIT}'"))
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": number})
        yield
