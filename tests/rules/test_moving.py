"""An instance moves from SQLite to PostgreSQL: everything as it lay, stopped anywhere, and never two of it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, inspect, make_url, select, text
from sqlalchemy.orm import Session as DbSession

from portal import schema
from portal.app import create_app
from portal.db import db as flask_db
from portal.instance import InstanceFault
from portal.models import Council, Person
from portal.moving import acts
from portal.moving.ends import Ends, Journey, beside
from portal.moving.looking import Plan, look, plan
from portal.settings import SettingsFaults
from privacy import audit, reach
from privacy.backup_keystore import ledger
from privacy.engines import open_engine
from privacy.keystore import METADATA
from privacy.moving import copying
from privacy.moving import mark as marks
from privacy.moving.mark import Moved, passing
from privacy.moving.target import MoveRefused
from privacy.progress import NamedProgress
from privacy.records import new_id
from privacy.transactions import writing
from tests.conftest import START
from tests.factories import Factory
from tests.moved import Here, filled, here, prepared, values
from tests.postgres import fresh_database


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def tables(postgres_server: str) -> str:
    return prepared(postgres_server)


@pytest.fixture
def pilot(template: Path, tables: str, tmp_path: Path, postgres_server: str) -> Here:
    """It goes where the tables are already, and no row: making them takes longer than moving."""
    return here(template, tmp_path, postgres_server, name="moved", like=tables)


class Stopped(Exception):
    """Somebody stopped it here."""


def stop_after(rows: int) -> NamedProgress:
    left = [rows]

    def tell(what: str, done: int, total: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Stopped

    return tell


# ---- What arrives


def test_everything_arrives_as_it_lay(pilot: Here) -> None:
    with pilot.engine() as engine:
        before = values(engine)
    keys = open_engine(pilot.settings.keystore_url)
    keys_before = values(keys, METADATA.sorted_tables)
    keys.dispose()

    outcome = pilot.move()

    with pilot.engine(new=True) as engine:
        after = values(engine)
        assert inspect(engine).get_sequence_names() == [], "no number is handed out by the database"
        assert inspect(engine).get_schema_names() == ["information_schema", "public"], "the notes are gone"
    new = after.pop("audit_entry")
    assert [row for row in new if row in before["audit_entry"]] == before.pop("audit_entry")
    assert {row[3] for row in new} >= {"move.begun", "move.done"}
    before.pop("audit_head"), after.pop("audit_head")
    assert after == before
    keys = open_engine(pilot.keystore_url)
    assert values(keys, METADATA.sorted_tables) == keys_before
    keys.dispose()
    assert all(one.rows for one in outcome.tables.values()), "each table had something to take along"
    assert outcome.rows == sum(len(rows) for rows in (*after.values(), *keys_before.values())) + len(new)


def test_it_opens_there_and_nowhere_else(pilot: Here) -> None:
    with pilot.opened() as (_, db):
        known = {person.id: person.name for person in db.scalars(select(Person))}
        lines = audit.verify(db, db.info["vault"].ring)
    pilot.move()
    with pilot.opened(new=True) as (instance, db):
        assert {person.id: person.name for person in db.scalars(select(Person))} == known
        assert audit.verify(db, instance.vault.ring) == lines + 2
        with DbSession(db.get_bind(), info=db.info) as own:
            Factory(own, lambda: START, instance.programme).person("Newcomer")
        with instance.vault.engine.connect() as connection:
            assert list(ledger(connection)), "who was erased stays so"
    gone = r"has been in moved on /.* since 1 March 2023: set DATABASE_URL and KEYSTORE_URL"
    with pytest.raises(InstanceFault, match=gone), pilot.opened():
        """Refused."""


def test_what_others_write_meanwhile_is_there_or_was_refused(pilot: Here) -> None:
    """A writer that goes on as fast as it can: what it was told is kept has arrived, and from the mark on it is told
    that nothing is kept here."""
    told: list[str] = []
    refused = threading.Event()
    writing_now = threading.Event()

    def write() -> None:
        with pilot.opened() as (instance, db):
            make = Factory(db, lambda: START, instance.programme)
            try:
                while True:
                    told.append(make.council(f"Writer {len(told)}").short_name)
                    writing_now.set()
            except Moved:
                refused.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert writing_now.wait(30)
    pilot.move()
    assert refused.wait(30)
    writer.join()
    with pilot.opened(new=True) as (_, db):
        there = set(db.scalars(select(Council.short_name)))
    # What was written in the last moment before the mark is there, whether or not its writer still heard so.
    at_the_mark = f"Writer {len(told)}"
    assert {name for name in there if name.startswith("Writer")} - {at_the_mark} == set(told)
    assert told


# ---- Stopped and begun again


def test_stopped_anywhere_it_goes_on_and_counts_nothing_twice(
    pilot: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH_ROWS", 2)
    with pilot.engine() as engine:
        people = len(values(engine, [reach.root()])["person"])
        assert people > copying.BATCH_ROWS
    for steps in (0, 7, 20, 45, 75, 140):
        with pytest.raises(Stopped):
            acts.move(pilot.journey(), tell=stop_after(steps))
        with pytest.raises(InstanceFault, match="on its way to moved on"), pilot.opened():
            """Not from here."""
        with pytest.raises(InstanceFault, match=r"finish `flask move`|not been made"), pilot.opened(new=True):
            """Nor from there."""
    outcome = pilot.move()
    assert outcome.tables["person"].rows == people


def test_what_was_killed_between_its_last_two_steps_ends(pilot: Here) -> None:
    pilot.move()
    begun = acts.begun_here(pilot.settings)
    assert begun is not None
    assert begun.done_at is not None
    for url in (pilot.settings.database_url, pilot.settings.keystore_url):
        engine = passing(open_engine(url))
        with writing(engine) as connection:
            marks.put(connection, replace(begun, done_at=None))
        engine.dispose()
    found = acts.begun_here(pilot.settings)
    assert found is not None
    assert found.may_have_arrived, "whoever takes it back is asked: the new one is an instance already"
    assert plan(pilot.journey()).arrived
    assert pilot.move().tables == {}
    assert acts.begun_here(pilot.settings) == begun


def test_of_two_that_begin_at_once_the_second_is_refused(
    pilot: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another looked at the same files, found no mark, and was the first to put one."""

    def overtaken(journey: Journey, ends: Ends) -> Plan:
        found = look(journey, ends)
        with writing(ends.source) as connection:
            marks.put(connection, marks.Mark(new_id(), START, "elsewhere on /there", None))
        return found

    monkeypatch.setattr(acts, "look", overtaken)
    with pytest.raises(MoveRefused, match="to elsewhere on /there"):
        pilot.move()
    engine = passing(open_engine(pilot.settings.database_url))
    assert "move.begun" not in {row[3] for row in values(engine)["audit_entry"]}
    engine.dispose()


def test_emptying_that_was_stopped_can_be_done_again_and_not_undone(
    pilot: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    pilot.move()

    def stop(engine: Engine) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(acts, "vacuum", stop)
        with pytest.raises(Stopped):
            acts.clear(pilot.settings, clock=lambda: START)
    with pytest.raises(MoveRefused, match="emptied after the move"):
        acts.undo(pilot.settings, clock=lambda: START)
    acts.clear(pilot.settings, clock=lambda: START)


def test_a_move_is_undone_and_the_data_is_used_again(pilot: Here, postgres_server: str, tables: str) -> None:
    with pytest.raises(Stopped):
        acts.move(pilot.journey(), tell=stop_after(60))
    acts.undo(pilot.settings, clock=lambda: START)
    with pilot.opened() as (instance, db):
        Factory(db, lambda: START, instance.programme).person("Newcomer")
        audit.verify(db, instance.vault.ring)
    with pytest.raises(MoveRefused, match="the beginning of another move"):
        pilot.move()
    with pytest.raises(MoveRefused, match="nothing has been moved"):
        acts.undo(pilot.settings, clock=lambda: START)
    again = Here(
        pilot.settings,
        pilot.environ,
        fresh_database(postgres_server, name="again", like=tables),
        fresh_database(postgres_server, name="again_keystore"),
    )
    again.move()
    with again.opened(new=True) as (_, db):
        assert "Newcomer" in {person.name for person in db.scalars(select(Person))}


# ---- What is refused


def refuse(pilot: Here, words: str) -> None:
    """Refused, and nothing was touched on either side."""
    with pytest.raises(MoveRefused, match=words):
        pilot.move()
    assert acts.begun_here(pilot.settings) is None
    with pilot.opened():
        """It is used as before."""


def test_only_an_empty_database_takes_it(pilot: Here) -> None:
    with pilot.engine(new=True) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("create table somebody_elses (id int)")
        refuse(pilot, "moved on .* is not empty")
        with engine.begin() as connection:
            connection.exec_driver_sql("drop table somebody_elses")
            connection.exec_driver_sql("update alembic_version set version_num = '002'")
        refuse(pilot, f"are of version 002, and those here of {schema.newest()}")
        with engine.begin() as connection:
            connection.execute(
                text("update alembic_version set version_num = :now"), {"now": schema.newest()}
            )
            connection.exec_driver_sql(
                "insert into figure values (gen_random_uuid(), 'x', now(), now(), null)"
            )
        refuse(pilot, "moved on .* is not empty")


def test_keys_lie_apart_from_the_data(pilot: Here) -> None:
    """However the two addresses are written."""
    with pytest.raises(SettingsFaults, match="apart"):
        pilot.settings.elsewhere(database_url=pilot.url, keystore_url=pilot.url)
    other = f"{pilot.url}&application_name=keys"
    refuse(Here(pilot.settings, pilot.environ, pilot.url, other), "a database of its own")


def test_a_server_that_is_not_there_is_named_without_its_password(pilot: Here, tmp_path: Path) -> None:
    away = f"postgresql://portal:hush@/portal?host={tmp_path}"
    with pytest.raises(MoveRefused, match=r"portal on .* cannot be reached") as refused:
        Here(pilot.settings, pilot.environ, away, f"{away}2").move()
    assert "hush" not in str(refused.value)


def test_what_postgresql_would_not_take_is_named_before_anything_begins(pilot: Here) -> None:
    with pilot.engine() as engine, engine.begin() as connection:
        connection.exec_driver_sql("update council set region = ?", ("x" * 500,))
        connection.exec_driver_sql("update package set planned_minutes = 3000000000")
        connection.exec_driver_sql("update council set short_name = ?", ("a\0b",))
    refuse(pilot, r"council.region holds a text of 500 letters.*planned_minutes holds the number 3000000000")
    refuse(pilot, "council.short_name holds a text with a NUL")


def test_tables_of_another_release_are_refused(pilot: Here) -> None:
    with pilot.engine() as engine, engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '001'"))
    with pytest.raises(MoveRefused, match=r"of version 001.*flask upgrade"):
        pilot.move()


def test_a_row_that_reads_otherwise_ends_it(pilot: Here) -> None:
    """Somebody changes what has arrived: the two sides are not the same, and the new one is no instance."""
    with pytest.raises(Stopped):
        acts.move(pilot.journey(), tell=stop_after(150))
    with pilot.engine(new=True) as engine, engine.begin() as connection:
        changed = connection.exec_driver_sql("update person set ref = 'P' || substr(ref, 2, 3) || 'XXXXX'")
        assert changed.rowcount
    with pytest.raises(MoveRefused, match=r"person is not the same there: .* rows"):
        pilot.move()
    with pytest.raises(InstanceFault, match="finish `flask move`"), pilot.opened(new=True):
        """It is none."""


# ---- As people meet it


@pytest.fixture
def app(pilot: Here) -> Iterator[Flask]:
    made = create_app(pilot.settings, lambda: START)
    yield made
    with made.app_context():
        flask_db.session.remove()
        flask_db.engine.dispose()


def run(app: Flask, *words: str, asked: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["move", *words], input=asked)


def test_by_one_command(app: Flask, pilot: Here, postgres_server: str) -> None:
    """Where there is nothing yet: the tables are made, and beside the database another one for the keys."""
    url = fresh_database(postgres_server, name="moved")
    keys_url = beside(url)
    drop(postgres_server, make_url(keys_url).database or "")
    looked = run(app, "--to", url, "--dry-run", "--json")
    assert looked.exit_code == 0, looked.output
    assert acts.begun_here(pilot.settings) is None
    planned = json.loads(looked.stdout)
    done = run(app, "--to", url, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"] == sum(planned["rows"].values()) + sum(planned["keys"].values()) + 1, (
        "a line of the trail"
    )
    assert (told["database"].split()[0], told["keystore"].split()[0]) == ("moved", "moved_keystore")
    assert "flask move --undo" in done.stderr
    assert "DATABASE_URL=postgresql://" in done.stderr
    with Here(pilot.settings, pilot.environ, url, keys_url).opened(new=True) as (_, db):
        audit.verify(db, db.info["vault"].ring)
    again = run(app, "--to", url)
    assert again.exit_code == 0
    assert "everything had arrived already" in again.stdout


def drop(server: str, name: str) -> None:
    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'drop database if exists "{name}" with (force)')
    engine.dispose()


def test_what_is_left_is_overwritten_when_somebody_says_so(app: Flask, pilot: Here) -> None:
    files = [
        Path(url.removeprefix("sqlite:///"))
        for url in (pilot.settings.database_url, pilot.settings.keystore_url)
    ]
    with pilot.engine() as engine, engine.connect() as connection:
        council = str(connection.exec_driver_sql("select gss from council").scalar()).encode()
    assert run(app, "--clear", "--yes").exit_code == 1, "not before it has moved"
    moved = run(app, "--to", pilot.url, "--keystore-to", pilot.keystore_url)
    tables = len(reach.tables()) + len(METADATA.sorted_tables)
    assert f"rows in {tables} tables: counted and digested on both sides, and the same" in moved.stdout
    assert run(app, "--clear", asked="no\n").exit_code == 1
    assert council in left_in(files)
    done = run(app, "--clear", asked="yes\n")
    assert done.exit_code == 0, done.output
    assert council not in left_in(files)
    assert "emptied" in run(app, "--undo", "--yes").output
    with pytest.raises(InstanceFault, match="has been in moved on"), pilot.opened():
        """It still says where the data is."""


def left_in(files: list[Path]) -> bytes:
    return b"".join(path.read_bytes() for one in files for path in one.parent.glob(f"{one.name}*"))


def test_the_server_has_looked_at_what_it_was_given(pilot: Here) -> None:
    """Until it has, it plans as if there were nothing: lists of many took hours."""
    pilot.move()
    with pilot.opened(new=True) as (_, db):
        never = (
            "from pg_class where relkind = 'r' and reltuples < 0 and relnamespace = 'public'::regnamespace"
        )
        assert db.scalar(text(f"select count(*) {never}")) == 0
