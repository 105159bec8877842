"""A backup, a restore and a drill of a real process, killed at any point: before or after, never between.

The process says when it begins; what is killed is what it does then, not how it starts.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session as DbSession

from portal.instance import open_instance
from portal.models import Person
from portal.settings import Settings
from privacy import audit, ledger
from privacy.backup import Kind, Tombstone, copy_tombstones, verify
from privacy.backup_folder import backups as found_in
from privacy.certificates import read_private_key
from privacy.clock import system_clock
from privacy.engines import open_engine
from tests.conftest import Stack, make_stack
from tests.counts import count
from tests.doing import ROOT, Doing
from tests.factories import Factory
from tests.postgres import fresh_database, postgres_program
from tests.readers import Reader, make_reader

FILLER_MEGABYTES = 8


@dataclass(frozen=True)
class World:
    """An instance with some weight, a folder for its backups, and who was erased since the first of them."""

    stack: Stack
    environ: dict[str, str]
    folder: Path
    reader: Reader
    gone: Person

    def create(self) -> Doing:
        return Doing(self.environ, *self.creating, log=self.log)

    @property
    def creating(self) -> tuple[str | Path, ...]:
        return "backup", "create", self.folder, "--certificate", self.reader.certificate

    def restore(self, to: dict[str, str]) -> Doing:
        return Doing({**self.environ, **to}, *self.restoring, log=self.log)

    @property
    def restoring(self) -> tuple[str | Path, ...]:
        return "backup", "restore", self.folder, "--key", self.reader.key

    @property
    def log(self) -> Path:
        return self.folder.with_name("log")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    environ = {
        "PORTAL_INSTANCE": str(folder / "instance"),
        "PORTAL_KEYS": str(folder / "instance" / "keys"),
        "POSTGRES_BIN": str(postgres_program("psql").parent),
    }
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(server, name="killed")
        environ["KEYSTORE_URL"] = fresh_database(server, name="killed_keystore")
    stack = make_stack(folder, {name: value for name, value in environ.items() if name.endswith("_URL")})
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        make = Factory(db, stack.clock, stack.instance.programme)
        gone = make.person("Gone Person")
        make.person("Staying Person")
        db.refresh(gone)
        db.expunge(gone)
    fill(stack)
    made = World(stack, environ, folder / "backups", make_reader(folder), gone)
    finish_first(made)
    yield made
    stack.close()


def fill(stack: Stack) -> None:
    """A table beside the portal's own, so that there is something to do for a while."""
    kind = "bytea" if stack.engine.dialect.name == "postgresql" else "blob"
    mark = "%(data)s" if stack.engine.dialect.name == "postgresql" else ":data"
    with stack.engine.begin() as connection:
        connection.exec_driver_sql(f"create table filler (data {kind})")
        for _ in range(FILLER_MEGABYTES * 4):
            connection.exec_driver_sql(
                f"insert into filler values ({mark})", {"data": os.urandom(256 * 1024)}
            )


def finish_first(world: World) -> None:
    world.create().finish()
    ledger.destroy(world.stack.instance.vault, [world.gone.id], now=system_clock(), instruction="DfE-1")
    copy_tombstones(world.folder, [Tombstone(world.gone.id, system_clock().date(), "DfE-1")])


def empty_instance(world: World, folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    environ = {"PORTAL_INSTANCE": str(folder / "restored")}
    if "DATABASE_URL" in world.environ:
        server: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(server, name="again")
        environ["KEYSTORE_URL"] = fresh_database(server, name="again_keystore")
    return environ


def is_there(settings: Settings) -> bool:
    """Whether an instance would open there."""
    if settings.database_url.startswith("sqlite"):
        return (settings.instance / "portal.sqlite").exists()
    engine = open_engine(settings.database_url)
    try:
        return inspect(engine).has_table("instance_fact")
    finally:
        engine.dispose()


def require_restored(settings: Settings, gone: Person) -> None:
    """It opens, the trail holds, nobody who was erased is in it."""
    engine = open_engine(settings.database_url)
    opened = open_instance(settings, engine=engine, clock=system_clock)
    with DbSession(engine, info={"vault": opened.vault}) as db:
        audit.verify(db, opened.vault.ring)
        names = {person.name for person in db.scalars(select(Person))}
    engine.dispose()
    opened.vault.engine.dispose()
    assert "Staying Person" in names
    assert "Gone Person" not in names


def test_a_killed_backup_is_whole_or_not_there(world: World) -> None:
    chance = random.Random(5)
    lasts = world.create().finish()
    key = read_private_key(world.reader.key)
    for _ in range(count(2, 50)):
        before = {kind: len(found_in(world.folder, kind)) for kind in Kind}
        doing = world.create()
        time.sleep(chance.uniform(0, lasts))

        doing.kill()

        for kind in Kind:
            found = found_in(world.folder, kind)
            assert len(found) - before[kind] in (0, 1)
            verify(found[-1], key)
    known = len(found_in(world.folder, Kind.KEYS))
    world.create().finish()
    assert len(found_in(world.folder, Kind.KEYS)) == known + 1
    assert not list(world.folder.rglob("*.part")), "what was left went with the next"


def test_a_killed_restore_begins_again(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    chance = random.Random(6)
    lasts = world.restore(empty_instance(world, tmp_path, request)).finish()
    for turn in range(count(1, 50)):
        (tmp_path / str(turn)).mkdir()
        environ = empty_instance(world, tmp_path / str(turn), request)
        settings = Settings.from_environ({**world.environ, **environ}, root=ROOT)
        doing = world.restore(environ)
        time.sleep(chance.uniform(0, lasts))

        doing.kill()

        if not is_there(settings):
            world.restore(environ).finish()
        require_restored(settings, world.gone)


def test_memory_stays_small(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Of each process alone and of the largest program that it starts. `make bench` does the same with 1 GB."""
    to = empty_instance(world, tmp_path, request)
    assert most_memory(world.environ, *world.creating) < 200
    assert most_memory({**world.environ, **to}, *world.restoring) < 200


# A process that is started takes over what its parent had in memory as its own peak: so a small one starts it.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def most_memory(environ: dict[str, str], *args: str | Path) -> int:
    """Megabytes, by the operating system's own account: of the command, or of a program that it starts."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", *map(str, args)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]) // 1024
