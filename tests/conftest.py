"""Fixtures: the same product on both databases, a clock that tests set, and no rows left after a test."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session as DbSession

from portal import logs
from portal.app import create_app, open_app
from portal.db import db as flask_db
from portal.instance import CANARY, Instance
from portal.models import InstanceFact
from portal.programme import Programme
from portal.settings import Settings
from privacy import keys
from privacy.engines import open_engine
from privacy.keystore import METADATA, Vault
from privacy.records import Record
from tests.counts import FULL
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.postgres import fresh_database, running_postgres

logs.configure_ours()
# What the rules of these files rest on, the two databases do each in its own way: locks, races, kills, files, types.
DIFFERENT = re.compile(
    r"tests/rules/test_\w*(backup|bookings|bulk|columns|erasure|groups|kill|limits|migrat|mov|offers|outages|post|races"
    r"|responses|rotation|statements|transactions|waiting|work)"
)

START = datetime(2023, 3, 1, 9, 0, tzinfo=UTC)


MEMORY = Path("/dev/shm")
ROOM = 6 * 2**30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, where there is much: SQLite waits for the disk at each commit."""
    if hasattr(config, "workerinput") or config.option.basetemp is not None:
        return
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM and _free_memory() > ROOM:
        config.option.basetemp = folder = tempfile.mkdtemp(prefix="portal-tests-", dir=MEMORY)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _free_memory() -> int:
    found = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())
    return int(found[1]) * 1024 if found else 0


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **units: float) -> datetime:
        self.now += timedelta(**units)
        return self.now


@dataclass(frozen=True)
class Stack:
    """One database kind, set up once: the app, its open instance, engine and clock. `own`: of one file, which may turn
    its keys over."""

    app: Flask
    instance: Instance
    engine: Engine
    clock: SetClock
    own: bool = False

    def close(self) -> None:
        """Its connections go; what lies on disk stays."""
        with self.app.app_context():
            flask_db.session.remove()
        self.engine.dispose()
        self.instance.vault.engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@contextmanager
def otherwise(stack: Stack, instance: Instance) -> Iterator[None]:
    """For a while the app runs on an instance that differs in something."""
    stack.app.extensions["instance"] = instance
    try:
        yield
    finally:
        stack.app.extensions["instance"] = stack.instance


def hasten(engine: Engine) -> None:
    """Data that is thrown away needs no syncing (tests/postgres.py does the same): on a busy disk it takes longer than
    the tests themselves. The processes that tests start sync as they will."""

    def unsynced(connection: Any, record: object) -> None:
        connection.execute("pragma synchronous=off")

    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", unsynced)
        engine.dispose()


def make_stack(
    folder: Path,
    environ: dict[str, str],
    *,
    tables: Callable[[Engine], None] = Record.metadata.create_all,
    synced: bool = False,
) -> Stack:
    """An app with an open instance on fresh databases; tables straight from the metadata, for speed. `synced`: what it
    writes is to stand whatever happens, as where faults are tried."""
    clock = SetClock()
    settings = Settings.from_environ(
        {"PORTAL_INSTANCE": str(folder / "instance"), "PUBLIC_URL": "http://localhost", **environ},
        root=folder,
    )
    settings.instance.mkdir(parents=True)
    keys.create(settings.keys)
    app = create_app(settings, clock)
    app.testing = True
    # A test asks as fast as it can; floods have tests of their own (tests/security/test_limits.py).
    app.extensions["floods"].enabled = False
    with app.app_context():
        engine = flask_db.engine
    vault = Vault(keys.load(settings.keys), open_engine(settings.keystore_url), clock)
    METADATA.drop_all(vault.engine)
    METADATA.create_all(vault.engine)
    Record.metadata.drop_all(engine)
    tables(engine)
    with DbSession(engine, info={"vault": vault}) as session:
        fact = InstanceFact(id=uuid4(), name="real", recorded_at=START)
        fact.canary = CANARY
        session.add(fact)
        session.commit()
    vault.engine.dispose()
    instance = open_app(app)
    if not synced:
        hasten(engine)
        hasten(instance.vault.engine)
    return Stack(app, instance, engine, clock)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_on(request, tmp_path_factory, "portal") as made:
        yield made


def stack_of(name: str) -> Any:
    """The fixture `stack` of one file whose tests leave more than rows behind: `stack = stack_of("backups")`."""

    @pytest.fixture(scope="module", params=["sqlite", "postgresql"], name="stack")
    def own_stack(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Stack]:
        with stack_on(request, tmp_path_factory, name) as made:
            yield replace(made, own=True)

    return own_stack


@contextmanager
def stack_on(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, name: str
) -> Iterator[Stack]:
    """On the database that the request names; closed afterwards."""
    environ = {}
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ = {
            "DATABASE_URL": fresh_database(server, name=name),
            "KEYSTORE_URL": fresh_database(server, name=f"{name}_keystore"),
        }
    made = make_stack(tmp_path_factory.mktemp(f"{name}-{request.param}"), environ)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def another_process(stack: Stack, settings: Settings | None = None) -> Iterator[Flask]:
    """A second app over the same databases, as a second process of the server has."""
    app = create_app(settings or stack.instance.settings, stack.clock)
    app.testing = True
    instance = open_app(app)
    try:
        yield app
    finally:
        with app.app_context():
            flask_db.session.remove()
            flask_db.engine.dispose()
        instance.vault.engine.dispose()


@pytest.fixture
def serving(stack: Stack) -> Iterator[Flask]:
    """The app as it serves: a failure becomes a page, and does not go on to the test."""
    with another_process(stack) as app:
        app.testing = False
        app.extensions["floods"].enabled = False
        yield app


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` runs everything on SQLite, and again on PostgreSQL a tenth of the pages, a fifth of the rules, always
    the same ones, and all of what stands where the databases differ. With `-k`, or in `make proof`, all on both."""
    if FULL or config.option.keyword:
        return
    left = [item for item in items if _is_sampled_out(item.nodeid)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not _is_sampled_out(item.nodeid)]


def _is_sampled_out(name: str) -> bool:
    if "postgresql" not in name:
        return False
    pages, rules = name.startswith("tests/pages/"), name.startswith("tests/rules/")
    browser = name.startswith("tests/journeys/test_answering.py")
    left_out_of = 10 if pages else 5 if rules and not DIFFERENT.search(name) else 1
    return browser or bool(crc32(name.encode()) % left_out_of)


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Real transactions, no savepoints: locks behave as they will, and the rows go afterwards."""
    yield
    if "stack" not in request.fixturenames:
        return
    made: Stack = request.getfixturevalue("stack")
    made.clock.now = START
    with made.app.app_context():
        flask_db.session.remove()
    with made.engine.begin() as connection:
        for statement in _emptying(connection.dialect.name):
            connection.exec_driver_sql(statement)
    # Rows go, keys don't: the next test would find others than it was made with.
    assert made.own or len(list(made.instance.settings.keys.glob("kek-*"))) == 1, (
        "keys were turned over: stack_of"
    )


@cache
def _emptying(dialect: str) -> list[str]:
    """Plain text: it is run after each test, and compiling costs more than deleting nothing. PostgreSQL takes all
    of it at once."""
    tables = (
        table.name for table in reversed(Record.metadata.sorted_tables) if table.name != "instance_fact"
    )
    statements = [f'delete from "{name}"' for name in tables]
    return ["; ".join(statements)] if dialect == "postgresql" else statements


@pytest.fixture
def clock(stack: Stack) -> SetClock:
    return stack.clock


@pytest.fixture
def programme(stack: Stack) -> Programme:
    return stack.instance.programme


@pytest.fixture
def db(stack: Stack) -> Iterator[DbSession]:
    """A database session outside any request, for tests of rules."""
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as session:
        yield session


@pytest.fixture
def make(stack: Stack, db: DbSession) -> Factory:
    """Makes councils, people and packages, committed."""
    return Factory(db, stack.clock, stack.instance.programme)


@pytest.fixture
def client(stack: Stack) -> PageClient:
    """A browser without JavaScript that checks every page it fetches."""
    return PageClient(stack.app, stack.instance)
