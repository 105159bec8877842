"""What the rights of people cost: the export of somebody with 2,000 rows, and an erasure among many people.

Whether an erasure depends on how many people there are is a ratio of two medians in one run.
"""

import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session as DbSession

from portal.models import Mail, MailState, Office, ParkedForm, Person, Role
from privacy import erasure, keys, person_exports, registers
from privacy.engines import open_engine, sqlite_url
from privacy.erasure import Places
from privacy.keystore import METADATA, Vault
from privacy.person_exports import Desk
from privacy.records import Record
from privacy.registers import Register
from privacy.work import unit_of_work

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)
ROWS, TURNS = 2_000, 5
FEW, MANY = 1_000, 100_000


def clock() -> datetime:
    return NOW


class World:
    """A data database and a key store in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        keys.create(folder / "keys")
        self.engine = open_engine(sqlite_url(folder / "data.sqlite"))
        self.vault = Vault(keys.load(folder / "keys"), open_engine(sqlite_url(folder / "keys.sqlite")), clock)
        METADATA.create_all(self.vault.engine)
        Record.metadata.create_all(self.engine)
        with self.session() as db, unit_of_work(db, clock, "system:bench") as work:
            registers.enter(work, register=Register.INSTRUCTION, letter="B", from_on=NOW.date())

    def session(self) -> DbSession:
        return DbSession(self.engine, info={"vault": self.vault})

    def close(self) -> None:
        self.engine.dispose()
        self.vault.engine.dispose()

    def crowd(self, number: int) -> None:
        """People without a word: an erasure looks for rows, not for what they say."""
        for start in range(0, number, 10_000):
            ids = [uuid4() for _ in range(min(10_000, number - start))]
            _add(
                self.engine,
                [{"id": one, "ref": f"P-{one.hex[:9]}", "created_at": NOW} for one in ids],
                [
                    {"id": uuid4(), "person_id": one, "role": Role.LEAD_MEMBER, "from_on": date(2023, 1, 1)}
                    for one in ids
                ],
            )

    def somebody(self, *, forms: int) -> UUID:
        with self.session() as db, unit_of_work(db, clock, "system:bench") as work:
            person = Person(id=uuid4(), ref=f"X-{uuid4().hex[:8]}", created_at=NOW)
            person.name, person.email = "Ada Lead", "ada@council.example"
            work.db.add(person)
            work.db.flush()
            for place in range(forms):
                form = ParkedForm(id=uuid4(), person_id=person.id, path=f"/form/{place}", parked_at=NOW)
                form.fields = [["notes", f"What Ada wrote into form {place}"]]
                work.db.add(form)
            return person.id

    def erase(self, person_id: UUID) -> float:
        places = Places(self.session, self.vault, clock, lambda: None, lambda: None)
        began = perf_counter()
        with self.session() as db, unit_of_work(db, clock, "system:bench") as work:
            erasure.begin(work, person_id=person_id, letter="B")
        erasure.finish(places)
        return perf_counter() - began


def _add(engine: Engine, people: list[dict[str, Any]], offices: list[dict[str, Any]]) -> None:
    mails = [
        {
            "id": uuid4(),
            "person_id": person["id"],
            "template": "reminder",
            "about": uuid4(),
            "step": "x",
            "state": MailState.SENT,
            "queued_at": NOW,
            "due_at": NOW - timedelta(days=1),
            "tries": 0,
        }
        for person in people
    ]
    with engine.begin() as connection:
        for kind, rows in ((Person, people), (Office, offices), (Mail, mails)):
            connection.execute(insert(kind), rows)


def rows() -> Iterator[tuple[str, float, str, float, float]]:
    """Name, value, unit, limit and spread."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        times = _exported(world)
        yield (
            "export of a person with 2,000 rows",
            statistics.median(times),
            "s",
            1.0,
            max(times) - min(times),
        )
        world.crowd(FEW)
        few = [world.erase(world.somebody(forms=5)) for _ in range(TURNS * 2)]
        world.crowd(MANY - FEW)
        many = [world.erase(world.somebody(forms=5)) for _ in range(TURNS * 2)]
        ratio = statistics.median(many) / statistics.median(few)
        yield ("erasing one of 100,000 against one of 1,000", ratio, "x", 1.5, max(many) / min(many) - 1)
        world.close()


def _exported(world: World) -> list[float]:
    person_id = world.somebody(forms=ROWS)
    desk = Desk(world.session, clock, Path("unused"), {}, {})
    times = []
    for _ in range(TURNS):
        began = perf_counter()
        with world.session() as db:
            person_exports.whole(desk, db, person_id)
        times.append(perf_counter() - began)
    return times
