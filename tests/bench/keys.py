"""What sealing and rotating cost."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, String, Uuid, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from privacy import rotation
from privacy.clock import system_clock
from privacy.columns import SealedText, sealed
from privacy.engines import open_engine, sqlite_url
from privacy.key_sources import KeyFolder
from privacy.keystore import METADATA, Vault
from privacy.records import Holding, Keep, Record, reference
from tests.bench import memory

PEOPLE = 1000
HOLDERS = 100_000
TURNS = 9
Row = tuple[str, float, str, float, float]
"""Name, value, unit, limit, spread."""


class Base(DeclarativeBase):
    """Tables of this measure alone."""


class InClear(Base):
    """Somebody whose name and address are plain text."""

    __tablename__ = "in_clear"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))


class SealedPerson(Record):
    """The same, sealed."""

    __tablename__ = "sealed_person"
    __holding__ = Holding("to measure", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=reference())
    name_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Name")
    email_sealed: Mapped[bytes | None] = sealed(holder="id", holds="E-mail address")
    name = SealedText("name_sealed")
    email = SealedText("email_sealed")


def rows() -> Iterator[Row]:
    """Measure and tell, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        yield from reading(Path(folder))
    # A process of its own, whose memory is this measure's alone.
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.keys"], capture_output=True, text=True, check=True
    )
    seconds, mebibytes = map(float, done.stdout.split())
    yield f"rewrapping {HOLDERS:,} holders", seconds, "s", 10, 0
    yield f"rewrapping {HOLDERS:,} holders: memory", mebibytes, "MiB", 150, 0


def vault_in(folder: Path) -> Vault:
    source = KeyFolder(folder / "keys")
    source.create()
    engine = open_engine(sqlite_url(folder / "keystore.sqlite"))
    METADATA.create_all(engine)
    return Vault(source.load(), engine, system_clock, reload=source.load)


def reading(folder: Path) -> Iterator[Row]:
    vault = vault_in(folder)
    engine = open_engine(sqlite_url(folder / "data.sqlite"))
    Base.metadata.create_all(engine)
    Record.metadata.tables["sealed_person"].create(engine)
    with Session(engine, info={"vault": vault}) as db:
        for number in range(PEOPLE):
            words = {"name": f"Person {number}", "email": f"person{number}@council.example"}
            db.add(InClear(id=uuid4(), **words))
            someone = SealedPerson(id=uuid4())
            someone.name, someone.email = words["name"], words["email"]
            db.add(someone)
        db.commit()
    asked: list[str] = []
    event.listen(vault.engine, "before_cursor_execute", lambda *read: asked.append(read[2]))
    ratios = []
    for _ in range(TURNS):
        plain, dear = (_seconds(engine, vault, kind) for kind in (InClear, SealedPerson))
        ratios.append(dear / plain)
    yield (
        f"reading {PEOPLE:,} people, sealed against plain",
        median(ratios),
        "times",
        8,
        max(ratios) - min(ratios),
    )
    queries = sum(statement.startswith("SELECT") for statement in asked) / TURNS
    yield f"reading {PEOPLE:,} people: queries for keys", queries, "queries", 1, 0


def _seconds(engine: Engine, vault: Vault, kind: Any) -> float:
    began = perf_counter()
    with Session(engine, info={"vault": vault}) as db:
        assert all(one.name and one.email for one in db.scalars(select(kind)).all())
    return perf_counter() - began


def rewrapping(folder: Path) -> tuple[float, float]:
    """Seconds, and MiB of memory at the most."""
    vault, source = vault_in(folder), KeyFolder(folder / "keys")
    for _ in range(HOLDERS // 1000):
        vault.create([uuid4() for _ in range(1000)])
    began = perf_counter()
    key_id = rotation.begin(vault, source, kind="K", now=system_clock())
    assert rotation.rewrap(vault, key_id) == HOLDERS
    return perf_counter() - began, memory.peak()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        print(*rewrapping(Path(own)))
