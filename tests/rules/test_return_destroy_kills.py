"""A destruction of a real process, killed again and again: the same command goes on until all is destroyed."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.models import Person
from privacy import audit
from privacy.returns.journal import Journal
from privacy.returns.searching import look
from tests.counts import count
from tests.doing import Doing
from tests.ended_world import NAMES, PHONE, Ended, ended
from tests.postgres import fresh_database, postgres_program


@pytest.fixture(params=["sqlite", "postgresql"])
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Ended, dict[str, str]]]:
    environ = {}
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(server, name="killed_end")
        environ["KEYSTORE_URL"] = fresh_database(server, name="killed_end_keystore")
    made = ended(tmp_path, environ, large=count(0, 1) == 1)
    made.confirm()
    made.end()
    environ |= {
        "PORTAL_INSTANCE": str(made.settings.instance),
        "PORTAL_KEYS": str(made.settings.keys),
        "POSTGRES_BIN": str(postgres_program("psql").parent),
    }
    yield made, environ
    made.end()


LAST = 14
"""How many entries the journal has in the end, or a few less."""


def entries(world: Ended) -> int:
    return len(Journal(world.result).entries()) if Journal.is_there(world.result) else 0


def test_a_killed_destruction_goes_on(killed: tuple[Ended, dict[str, str]]) -> None:
    world, environ = killed
    chance = random.Random(7)
    # Its name is given, for in a large world several are under way.
    command: tuple[str | Path, ...] = ("return", "destroy", "--ref", world.reference, "--yes")
    command += ("--receipt", world.order.receipt or "", "--witness", "Information officer")
    world.end()
    seen: set[int] = set()
    for reached in range(0, LAST, count(3, 1)):
        for _ in range(count(1, 4)):
            doing = Doing(environ, *command, log=world.folder / "log")
            while (done := entries(world)) < max(reached, 1) and doing.is_running:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.1))
            doing.kill()
            seen.add(done)

    Doing(environ, *command, log=world.folder / "log").finish()

    assert len(seen) > 2, "it was killed at several places"
    said = json.loads((world.result / "certificate-1.json").read_text())
    counts = {one["table"]: (one["before"], one["after"]) for one in said["counts"]}
    assert counts["person"][0] >= 2
    assert counts["person"][1] == 0
    with world.session() as db:
        assert db.scalar(select(func.count()).select_from(Person)) == 0
        audit.verify(db, world.vault.ring)
    assert not list(world.result.glob("traces*"))
    assert not look([world.settings.instance], [name.encode() for name in (*NAMES, PHONE)]).found
