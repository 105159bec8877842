"""A builder that is killed leaves no package that verifies, and the next one begins again; the same for loading.

A real process, killed while it does what it does, not while it starts.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session as DbSession

from portal.models import InstanceFact
from privacy.engines import open_engine
from privacy.returns.verify import PackageBroken, verify
from tests.counts import count
from tests.doing import Doing
from tests.returning import World, world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server: str | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with world(tmp_path_factory.mktemp("here"), server) as made:
        yield made


def builder(here: World, out: Path) -> Doing:
    settings = here.stack.instance.settings
    environ = {**here.environ, "PORTAL_INSTANCE": str(settings.instance), "PORTAL_KEYS": str(settings.keys)}
    command = ("return", "build", "--certificate", here.reader.certificate, "--out", out)
    return Doing(environ, *command, log=here.folder / "log")


def holds(out: Path) -> bool:
    try:
        verify(out)
    except PackageBroken:
        return False
    return True


def test_a_killed_builder_leaves_no_package_that_verifies(here: World) -> None:
    chance = random.Random(7)
    lasts = builder(here, here.folder / "first").finish()
    cut = 0
    for turn in range(count(3, 50)):
        out = here.folder / f"killed-{turn}"
        doing = builder(here, out)
        # Up to its end, so that some of the last steps are met too.
        time.sleep(chance.uniform(0, lasts))
        doing.kill()
        if (out / "package.json").exists():
            # It was done before it was killed: then it is a package, and whole.
            assert holds(out)
            continue
        cut += 1
        assert not holds(out)
    assert cut, "some were killed before their end"
    again = next(
        here.folder / f"killed-{turn}" for turn in range(100) if not holds(here.folder / f"killed-{turn}")
    )
    builder(here, again).finish()
    assert holds(again)


def test_a_killed_load_leaves_no_instance_and_begins_again(here: World, tmp_path: Path) -> None:
    """On the embedded database, whichever the package came from."""
    chance = random.Random(8)
    builder(here, tmp_path / "package").finish()
    environ = {"PORTAL_INSTANCE": str(tmp_path / "successor")}
    command = ("return", "import", tmp_path / "package", "--key", here.reader.key)
    for _ in range(count(1, 10)):
        doing = Doing(environ, *command, log=tmp_path / "log")
        time.sleep(chance.uniform(0, 3))
        doing.kill()
        if is_there(tmp_path / "successor/portal.sqlite"):
            return
    Doing(environ, *command, log=tmp_path / "log").finish()
    assert is_there(tmp_path / "successor/portal.sqlite")


def is_there(path: Path) -> bool:
    if not path.is_file():
        return False
    engine = open_engine(f"sqlite:///{path}")
    try:
        if not inspect(engine).has_table("instance_fact"):
            return False
        with DbSession(engine) as db:
            return db.scalars(select(InstanceFact.id)).first() is not None
    finally:
        engine.dispose()
