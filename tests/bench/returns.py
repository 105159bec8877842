"""What a package of 5 million rows costs: memory, and time against the bare cursor writing the same rows as CSV.

Both are measured in one process of its own, one after the other, so that a busy machine slows both. The rows are lines
of the audit trail, the one table that can grow to that number. How much sealed rows cost is told beside it.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session as DbSession

import portal.models  # noqa: F401 - every table has to be known
from privacy import keys
from privacy.certificates import Certificate
from privacy.engines import open_engine, sqlite_url
from privacy.keystore import METADATA, Vault
from privacy.records import Record, new_id
from privacy.registers import Register, RegisterEntry
from privacy.returns import build, signing
from privacy.returns.build import Stores
from privacy.work import unit_of_work
from tests.bench import memory

ROWS = 5_000_000
SEALED = 20_000
NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)
Row = tuple[str, float, str, float, float]
"""Name, value, unit, limit, spread."""


def clock() -> datetime:
    return NOW


def rows() -> Iterator[Row]:
    """Measure and tell. Writes about 4 GB into the system's folder for temporary files."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.returns"], capture_output=True, text=True, check=True
    )
    ratio, spread, seconds, megabytes, sealed = map(float, done.stdout.split())
    yield f"package of {ROWS:,} rows against the bare cursor writing CSV", ratio, "x", 3.0, spread
    yield f"package of {ROWS:,} rows", seconds, "s", 600.0, 0.0
    yield f"package of {ROWS:,} rows: memory", megabytes, "MB", 150.0, 0.0
    yield "package: a sealed row", sealed, "ms", 0.5, 0.0


class World:
    """A data database and a key store in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        keys.create(folder / "keys")
        self.engine = open_engine(sqlite_url(folder / "data.sqlite"))
        keystore = open_engine(sqlite_url(folder / "keys.sqlite"))
        METADATA.create_all(keystore)
        Record.metadata.create_all(self.engine)
        self.vault = Vault(keys.load(folder / "keys"), keystore, clock)
        self.signer = signing.signing_key(folder / "keys", contract="bench")
        self.reader: Certificate = signing.check_key(folder / "keys", contract="bench").reader

    def fill(self, count: int) -> None:
        """Lines of a trail, as they are in use."""
        names = "seq, at, actor, action, object, holder, details, mac"
        insert = f"insert into audit_entry ({names}) values (?, ?, ?, ?, ?, ?, ?, ?)"
        with self.engine.begin() as connection:
            cursor: Any = connection.connection.cursor()  # it takes them one by one
            cursor.executemany(insert, _lines(count))

    def fill_sealed(self, count: int) -> None:
        with DbSession(self.engine, info={"vault": self.vault}) as db:
            for start in range(0, count, 2000):
                with unit_of_work(db, clock, "system:bench") as work:
                    for number in range(start, min(count, start + 2000)):
                        entry = RegisterEntry(
                            id=new_id(),
                            register=Register.REMARK,
                            letter=f"R{number}",
                            from_on=NOW.date(),
                            entered_at=NOW,
                            by="system:bench",
                        )
                        entry.body = "Every word of it is sealed under a key of its own."
                        work.db.add(entry)
                db.expunge_all()
                db.info.pop("data_keys", None)

    def bare(self) -> float:
        """Seconds of the driver's cursor and Python's csv, from the same file into another."""
        began = perf_counter()
        with self.engine.connect() as connection, (self.folder / "bare.csv").open("w", newline="") as file:
            cursor = connection.connection.cursor()
            csv.writer(file).writerows(cursor.execute("select * from audit_entry"))
        return perf_counter() - began

    def build(self, name: str) -> float:
        stores = Stores(self.engine, self.vault, "bench", "bench", "bench", "bench")
        began = perf_counter()
        build.build(
            stores,
            recipients=[self.reader],
            signer=self.signer,
            out=self.folder / name,
            direction=None,
            rehearsal=True,
            now=NOW,
        )
        return perf_counter() - began


def _lines(count: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, count + 1):
        at = (NOW + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S.%f")
        details = '{"minutes":60,"on":"2023-03-01"}'
        who, what = f"person:{uuid4()}", f"session:{uuid4()}"
        yield number, at, who, "session.booked", what, uuid4().hex, details, os.urandom(32)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.fill(ROWS)
        before = world.bare()
        seconds = world.build("package")
        after = world.bare()
        most = memory.peak()
        bare = (before + after) / 2
        with world.engine.begin() as connection:
            connection.exec_driver_sql("delete from audit_entry")
        world.fill_sealed(SEALED)
        empty = World(Path(folder) / "empty").build("package")
        sealed = (world.build("sealed") - empty) / SEALED * 1000
    print(seconds / bare, abs(before - after) / bare, seconds, most, sealed)


if __name__ == "__main__":
    main()
