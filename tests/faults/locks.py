"""Another process that holds what every writer needs.

    python -m tests.faults.locks URL

It says a line once it holds the lock, and lets go when its standard input closes. On SQLite the lock is that of the
database; on PostgreSQL it is that of the tables which a save, a booking and the trail write.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from privacy.engines import open_engine
from privacy.transactions import writing

ROOT = Path(__file__).resolve().parents[2]
TABLES = "response, session, attendance, occupied, mail, audit_entry, audit_head, limit_count"


@contextmanager
def held(url: str) -> Iterator[None]:
    """Nobody else can write to the database within the block; reading goes on."""
    command = [sys.executable, "-m", "tests.faults.locks", url]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait()


def main(url: str) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        _lock(connection)
        print("held", flush=True)
        sys.stdin.read()
    engine.dispose()


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"lock table {TABLES} in exclusive mode")


if __name__ == "__main__":
    main(sys.argv[1])
