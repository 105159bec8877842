"""Row 9: backups while people send answers and book; each restored: whole, with what was acknowledged before it began,
and without anybody who was erased, before, meanwhile or since."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.desk import housekeeping
from portal.instance import open_instance
from portal.models import Person
from portal.settings import Settings
from privacy import erasure, registers
from privacy.engines import open_engine
from privacy.registers import Register
from privacy.work import unit_of_work
from surveys.models import Response
from tests.conftest import Stack
from tests.counts import FULL, count
from tests.doing import ROOT, Doing
from tests.faults.checks import nothing_lost
from tests.faults.doings import Acknowledged, Crowd, within
from tests.faults.server import PATIENCE, Server, environ_of
from tests.faults.world import Leader, World, fill
from tests.postgres import fresh_database, postgres_program
from tests.readers import Reader, make_reader

BACKUPS = count(2, 10)
LEADERS, HELD, BOOKINGS = count(8, 40), count(5, 12), count(8, 100)
ERASED_EACH = 2
KINDS = ["sqlite", "postgresql"] if FULL else ["sqlite"]
LETTER = "DfE 2023/9"


@dataclass
class Made:
    """A backup: what had been acknowledged when it began, and its name."""

    known: Acknowledged
    name: str


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=LEADERS + BACKUPS * ERASED_EACH + 1, held=HELD)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return make_reader(tmp_path_factory.mktemp("reader"))


@dataclass
class Desk:
    """Backs up, erases and restores, by the commands and rules that people use, beside a server that is used."""

    world: World
    reader: Reader
    folder: Path
    server: str | None
    restored: int = 0

    @property
    def environ(self) -> dict[str, str]:
        return {**environ_of(self.world.stack), "POSTGRES_BIN": str(postgres_program("psql").parent)}

    def back_up(self, known: Acknowledged) -> Made:
        before = Acknowledged(dict(known.submitted), dict(known.booked))
        names = self._names()
        self._begun().finish()
        (name,) = self._names() - names
        return Made(before, name)

    def _begun(self) -> Doing:
        given = ("backup", "create", self.folder, "--certificate", self.reader.certificate)
        return Doing(self.environ, *given, log=self.folder.with_suffix(".log"))

    def _names(self) -> set[str]:
        return {path.name for path in self.folder.glob("data/*") if path.suffix != ".part"}

    def erase(self, leader: Leader) -> None:
        stack = self.world.stack
        with self.world.db() as db, unit_of_work(db, stack.clock, "system:test") as work:
            erasure.begin(work, person_id=leader.id, letter=LETTER)
        erasure.finish(housekeeping.places(stack.instance, self.world.db))

    def restore(self, name: str) -> "Stack":
        """Into an instance of its own, with the keys and an empty key store."""
        self.restored += 1
        environ = {
            **self.environ,
            "PORTAL_INSTANCE": str(self.folder.with_name(f"restored{self.restored}")),
            "PORTAL_KEYS": str(self.world.stack.instance.settings.keys),
        }
        for variable in ("DATABASE_URL", "KEYSTORE_URL"):
            del environ[variable]
            if self.server is not None:
                environ[variable] = fresh_database(self.server, name=f"again_{variable.lower()}")
        given = ("backup", "restore", self.folder, "--key", self.reader.key, "--name", name)
        Doing(environ, *given, log=self.folder.with_suffix(".log")).finish()
        settings = Settings.from_environ(environ, root=ROOT)
        engine = open_engine(settings.database_url)
        opened = open_instance(settings, engine=engine, clock=self.world.stack.clock)
        return replace(self.world.stack, instance=opened, engine=engine)


@pytest.fixture
def desk(world: World, reader: Reader, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    with world.db() as db, unit_of_work(db, world.stack.clock, "system:test") as work:
        registers.enter(work, register=Register.INSTRUCTION, letter=LETTER, from_on=date(2023, 1, 1))
    server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    return Desk(world, reader, tmp_path / "backups", server)


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
def test_row_09_each_backup_under_load_can_be_restored(world: World, desk: Desk) -> None:
    made: list[Made] = []
    leaving = iter(world.leaders[LEADERS:])
    gone: list[Leader] = []

    def erase() -> None:
        gone.append(next(leaving))
        desk.erase(gone[-1])

    with Server(world.stack) as server:
        crowd = Crowd(server.port, world.leaders[:LEADERS], BOOKINGS, seed=9, threads=8)
        with crowd.at_work():
            for number in range(BACKUPS):
                goal = LEADERS * HELD * number // (2 * BACKUPS)
                assert within(PATIENCE * 2, lambda goal=goal: len(crowd.known.submitted) >= goal)
                erase()
                made.append(desk.back_up(crowd.known))
                erase()
    erase()
    assert len(crowd.known.submitted) == LEADERS * HELD
    for one in made:
        restored = desk.restore(one.name)
        copy = replace(world, stack=restored)
        nothing_lost(copy, one.known)
        _counts_grow(copy, one.known, crowd.known)
        _nobody_is_back(copy, {leader.id for leader in gone}, {leader.participation_id for leader in gone})
        restored.close()
    print([(len(one.known.submitted), len(one.known.booked)) for one in made])


def _counts_grow(copy: World, before: Acknowledged, after: Acknowledged) -> None:
    """No answer and no session is in it that nobody sent."""
    with copy.db() as db:
        sent = {
            (row.respondent_id, UUID(row.occasion))
            for row in db.scalars(select(Response))
            if row.submitted_at
        }
    assert set(before.submitted) <= sent <= set(after.submitted)


def _nobody_is_back(copy: World, gone: set[UUID], parts: set[UUID]) -> None:
    with copy.db() as db:
        assert not db.scalars(select(Person.id).where(Person.id.in_(gone))).all()
        assert all(one.name for one in db.scalars(select(Person)))
    found = copy.stack.instance.vault.keys(gone | parts)
    assert not any(found.values()), "no key of theirs opens anything"
