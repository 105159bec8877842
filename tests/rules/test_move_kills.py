"""A move of a real process, killed at any point and begun again: it ends with everything there, and nothing twice."""

import random
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.instance import InstanceFault
from portal.models import Person
from privacy import audit
from privacy.engines import open_engine, sqlite_url
from tests.counts import count
from tests.doing import Doing
from tests.moved import Here, filled, here

ROWS = 40_000
"""Several batches of one table."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    instance = filled(tmp_path_factory.mktemp("template"))
    engine = open_engine(sqlite_url(instance / "portal.sqlite"))
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from limit_count")
        connection.exec_driver_sql(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) "
            "insert into limit_count (id, what, whose, begins_at, count) "
            "select lower(hex(randomblob(16))), 'code', randomblob(32), '2023-03-01 09:00:00.000001', i from n",
            (ROWS,),
        )
    engine.dispose()
    return instance


def mover(pilot: Here, log: Path) -> Doing:
    return Doing(pilot.environ, "move", "--to", pilot.url, "--keystore-to", pilot.keystore_url, log=log)


def require_whole(pilot: Here, log: Path) -> None:
    assert "counted and digested on both sides" in log.read_text() or "had arrived" in log.read_text()
    with pilot.opened(new=True) as (instance, db):
        found = db.connection().exec_driver_sql(
            "select count(*), count(distinct count), sum(count) from limit_count"
        )
        assert tuple(found.one()) == (ROWS, ROWS, ROWS * (ROWS + 1) // 2)
        assert "Lena Leader" in {person.name for person in db.scalars(select(Person))}
        assert audit.verify(db, instance.vault.ring)
        done = "select count(*) from audit_entry where action = 'move.done'"
        assert db.connection().exec_driver_sql(done).scalar() == 1


def is_open(pilot: Here, *, new: bool) -> bool:
    try:
        with pilot.opened(new=new):
            return True
    except InstanceFault:
        return False


def test_a_killed_move_goes_on(template: Path, tmp_path: Path, postgres_server: str) -> None:
    chance = random.Random(9)
    log = tmp_path / "log"
    first = here(template, tmp_path / "first", postgres_server, name="move")
    lasts = mover(first, log).finish()
    require_whole(first, log)
    for turn in range(count(1, 25)):
        pilot = here(template, tmp_path / str(turn), postgres_server, name="move")
        for _ in range(3):
            doing = mover(pilot, log)
            time.sleep(chance.uniform(0, lasts))
            doing.kill()
            assert not (is_open(pilot, new=False) and is_open(pilot, new=True)), "never two of it"
        mover(pilot, log).finish()
        require_whole(pilot, log)
        assert not is_open(pilot, new=False)
