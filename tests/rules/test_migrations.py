"""Filled databases of both kinds go down and up again, one version at a time, and keep what they hold; hosts that begin
at once do not meet; a release says which version it needs."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import Result
from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine, MetaData, inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal import schema
from portal.app import create_app
from portal.db import db as flask_db
from portal.instance import InstanceFault, open_instance
from portal.models import Person
from portal.settings import Settings
from privacy import audit
from privacy.records import Record
from tests.conftest import Stack, make_stack
from tests.doing import Doing
from tests.every_table import fill
from tests.factories import Factory
from tests.postgres import fresh_database

FOLDER = schema.VERSIONS.parent


def config_for(engine: Engine) -> Config:
    config = Config(FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = engine
    return config


def up(engine: Engine, version: str = "head") -> None:
    command.upgrade(config_for(engine), version)


def down(engine: Engine, version: str) -> None:
    command.downgrade(config_for(engine), version)


def versions() -> list[str]:
    """From the first to the newest."""
    script = ScriptDirectory(str(FOLDER))
    return [one.revision for one in script.walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """An instance whose tables migrations made."""
    environ = {}
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(server, name="migrated")
        environ["KEYSTORE_URL"] = fresh_database(server, name="migrated_keystore")
    stack = make_stack(tmp_path, environ, tables=up)
    yield stack
    stack.close()


@pytest.fixture
def filled(made: Stack) -> Stack:
    """The same with a row in every table."""
    with DbSession(made.engine, info={"vault": made.instance.vault}) as db:
        fill(db, made.clock, Factory(db, made.clock, made.instance.programme))
    return made


Rows = dict[str, list[dict[str, Any]]]


def held(engine: Engine) -> Rows:
    """Every row as the database itself says it, whatever the models are."""
    found = MetaData()
    found.reflect(engine)
    rows: Rows = {}
    with engine.connect() as connection:
        for table in found.sorted_tables:
            if table.name != "alembic_version":
                read = connection.execute(select(table)).mappings()
                rows[table.name] = sorted((dict(row) for row in read), key=repr)
    return rows


def require_kept(before: Rows, after: Rows) -> None:
    """What both versions have a place for is the same."""
    for table in set(before) & set(after):
        names = sorted(set(before[table][0]) & set(after[table][0]))
        was, now = (
            sorted(([row[name] for name in names] for row in rows[table]), key=repr)
            for rows in (before, after)
        )
        assert now == was, table


def require_additive(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The release before finds all that it knows, and may leave out what it does not."""
    assert set(before) <= set(after)
    for table, columns in before.items():
        for name, column in columns.items():
            found = after[table][name]
            assert (str(found["type"]), found["nullable"]) == (str(column["type"]), column["nullable"]), name
        for name in set(after[table]) - set(columns):
            assert after[table][name]["nullable"] or after[table][name]["default"] is not None, (table, name)


def columns(engine: Engine) -> dict[str, dict[str, Any]]:
    found = inspect(engine).get_multi_columns()
    return {str(table): {one["name"]: one for one in all_} for (_, table), all_ in found.items()}


def test_down_and_up_a_version_at_a_time_with_everything_in_it(filled: Stack) -> None:
    engine, steps = filled.engine, versions()
    full = held(engine)
    assert all(full.values()), "every table has a row"
    for version in steps[-2::-1]:
        down(engine, version)
        assert schema.version(engine) == version
        require_kept(full, held(engine))
    least = held(engine)
    assert 0 < len(least) < len(full)
    for version in steps[1:]:
        before = columns(engine)
        up(engine, version)
        require_additive(before, columns(engine))
        require_kept(least, held(engine))
    require_readable(filled)
    down(engine, "base")
    assert held(engine) == {}


def require_readable(stack: Stack) -> None:
    """The instance opens, the trail holds, what is sealed opens, and the tables are those of the models."""
    instance = open_instance(stack.instance.settings, engine=stack.engine, clock=stack.clock)
    with DbSession(stack.engine, info={"vault": instance.vault}) as db:
        assert audit.verify(db, instance.vault.ring)
        assert "Lena Leader" in {person.name for person in db.scalars(select(Person))}
    instance.vault.engine.dispose()
    with stack.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("pragma foreign_key_check").all() == []
            assert connection.exec_driver_sql("pragma foreign_keys").scalar() == 1, "on again"
        else:
            assert connection.exec_driver_sql("show lock_timeout").scalar() == "5s", "as it was"
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Record.metadata) == []


def test_a_start_with_older_tables_says_so_and_newer_ones_serve(made: Stack) -> None:
    engine, stack = made.engine, made
    oldest, newest = versions()[0], versions()[-1]
    for written, words in ((oldest, f"of version {oldest}, and this release needs {newest}"), ("999", None)):
        with engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = :now"), {"now": written})
        if words:
            with pytest.raises(InstanceFault, match=f"{words}: run `flask upgrade`"):
                open_instance(stack.instance.settings, engine=engine, clock=stack.clock)
        else:
            # Other hosts were upgraded first: this one goes on until its turn comes.
            open_instance(stack.instance.settings, engine=engine, clock=stack.clock).vault.engine.dispose()


def upgraded(stack: Stack) -> Result:
    """What the command says, in an app of its own."""
    app = create_app(stack.instance.settings, stack.clock)
    done = app.test_cli_runner().invoke(args=["upgrade"])
    with app.app_context():
        flask_db.session.remove()
        flask_db.engine.dispose()
    if "instance" in app.extensions:
        app.extensions["instance"].vault.engine.dispose()
    return done


def test_one_plain_command_upgrades(made: Stack) -> None:
    before, newest = versions()[-2:]
    down(made.engine, before)
    done = upgraded(made)
    assert done.exit_code == 0, done.output
    assert f"the tables were of version {before} and are of version {newest}" in done.stderr
    assert f"the tables are of version {newest}: nothing to do" in upgraded(made).stderr
    with made.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '999'"))
    refused = upgraded(made)
    assert refused.exit_code == 1
    assert "use a newer release" in refused.stderr


def test_there_must_be_something_to_upgrade(tmp_path: Path) -> None:
    settings = Settings.from_environ({"PORTAL_INSTANCE": str(tmp_path / "instance")}, root=tmp_path)
    refused = create_app(settings).test_cli_runner().invoke(args=["upgrade"])
    assert (refused.exit_code, "run `flask init`" in refused.stderr) == (1, True), refused.output
    assert list(tmp_path.iterdir()) == [], "nothing was touched"


# ---- Several hosts


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_hosts_that_begin_at_once_make_one_instance(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With the same keys: whoever comes second waits, and finds it made."""
    environ = {"PORTAL_INSTANCE": str(tmp_path / "one"), "PORTAL_KEYS": str(tmp_path / "keys")}
    if kind == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(server, name="migrated")
        environ["KEYSTORE_URL"] = fresh_database(server, name="migrated_keystore")
    hosts = [Doing(environ, "init", log=tmp_path / f"log{number}") for number in range(3)]
    for host in hosts:
        host.finish()
    said = [(tmp_path / f"log{number}").read_text() for number in range(3)]
    assert sum("key made" in one for one in said) == 1
    assert sum("questionnaire published: baseline" in one for one in said) == 1
    assert all("instance ready" in one for one in said)


def test_a_host_with_other_keys_is_told(tmp_path: Path, postgres_server: str) -> None:
    shared = {
        "DATABASE_URL": fresh_database(postgres_server, name="migrated"),
        "KEYSTORE_URL": fresh_database(postgres_server, name="migrated_keystore"),
    }
    hosts = []
    for number in range(2):
        settings = Settings.from_environ(
            {"PORTAL_INSTANCE": str(tmp_path / str(number)), **shared}, root=tmp_path
        )
        app = create_app(settings)
        hosts.append(app.test_cli_runner().invoke(args=["init"]))
        with app.app_context():
            flask_db.session.remove()
            flask_db.engine.dispose()
        if "instance" in app.extensions:
            app.extensions["instance"].vault.engine.dispose()
    assert [host.exit_code for host in hosts] == [0, 1]
    assert "holds no key-encryption key, and there is data that needs one" in hosts[1].stderr


def test_a_table_in_use_is_waited_for_a_little_and_then_left_alone(
    postgres_server: str, tmp_path: Path
) -> None:
    """Whoever waits for a table keeps everybody waiting who comes later."""
    stack = make_stack(
        tmp_path, {"DATABASE_URL": fresh_database(postgres_server, name="migrated")}, tables=up
    )
    engine = stack.engine
    down(engine, versions()[0])
    before = {table: sorted(found) for table, found in columns(engine).items()}
    with engine.connect() as busy:
        busy.execute(text("lock table person in access share mode"))
        began = time.monotonic()
        with pytest.raises(OperationalError) as refused:
            up(engine)
        assert isinstance(refused.value.orig, LockNotAvailable)
        assert time.monotonic() - began < 20
        now = {table: sorted(found) for table, found in columns(engine).items()}
        assert now == before, "all of it or nothing"
        waits = threading.Timer(1, busy.rollback)
        waits.start()
        up(engine)
        waits.join()
    with stack.app.app_context():
        flask_db.session.remove()
    engine.dispose()
    stack.instance.vault.engine.dispose()
