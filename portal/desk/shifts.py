"""One at a time among all workers, on whatever machine: what is done for everybody, such as the backup of this hour.

Whoever is second leaves it to the first. The claim ends with the process that has it, however that ends. What is done
once a day or an hour says so in the database besides, and is looked at within the claim.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

FOLDER = "shifts"


class Shifts:
    """Claims of work by name: a lock of PostgreSQL's, or of a file where the database is one on this machine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """`folder`: the instance's own."""
        self._engine = engine
        self._folder = folder / FOLDER

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Whether nobody else is at it now; if so, it is claimed until the block ends. Raises OperationalError."""
        held = self._in_database(name) if self._engine.dialect.name == "postgresql" else self._in_file(name)
        with held as ours:
            yield ours

    @contextmanager
    def _in_database(self, name: str) -> Iterator[bool]:
        number = func.hashtextextended(f"shift {name}", 0)
        # In a transaction of its own, which stays open as long as the claim: it ends with the connection.
        with self._engine.connect() as connection, connection.begin():
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(number))))

    @contextmanager
    def _in_file(self, name: str) -> Iterator[bool]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / name).open("a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
