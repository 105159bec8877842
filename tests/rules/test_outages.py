"""A database that is busy, full or away: what is made of what it says, and how long a write waits for its turn."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session as DbSession

from portal.models import Council
from privacy import engines
from privacy.engines import BUSY_MS, open_engine
from privacy.outages import Outage, outage
from privacy.transactions import TurnNotCome, writing
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory


@pytest.fixture
def other(stack: Stack) -> Iterator[Engine]:
    """The database as another process has it."""
    engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def said(act: Callable[[], object]) -> Outage | None:
    """What is made of the error that an act ends with."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked at
        return outage(error)
    raise AssertionError("nothing went wrong")


POSTGRES = {
    "53100": Outage.FULL,
    "55P03": Outage.BUSY,
    "57014": Outage.BUSY,
    "40P01": Outage.BUSY,
    "40001": Outage.BUSY,
    "25006": Outage.AWAY,
    "57P01": Outage.AWAY,
    "08006": Outage.AWAY,
    "53300": Outage.AWAY,
    "58030": Outage.AWAY,
    "22012": None,
    "42501": None,
}


@pytest.mark.parametrize("stack", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", POSTGRES)
def test_what_postgresql_says(stack: Stack, other: Engine, state: str) -> None:
    def fail() -> None:
        with other.connect() as connection:
            connection.exec_driver_sql(f"do $$ begin raise exception 'x' using errcode = '{state}'; end $$")

    assert said(fail) is POSTGRES[state]


@pytest.mark.parametrize("stack", ["postgresql"], indirect=True)
def test_a_server_that_writes_no_more_is_not_asked_again(stack: Stack, other: Engine) -> None:
    """After a switch to a standby: the next connection finds out anew which server takes what is written."""

    def number(connection: object) -> int:
        return int(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())  # type: ignore[attr-defined]

    with other.connect() as connection:
        before = number(connection)
        connection.exec_driver_sql("set transaction read only")
        assert said(lambda: connection.exec_driver_sql("delete from council")) is Outage.AWAY
    with other.connect() as connection:
        assert number(connection) != before


@pytest.mark.parametrize("stack", ["postgresql"], indirect=True)
def test_a_connection_that_died_is_away_and_the_next_one_is_not(stack: Stack, other: Engine) -> None:
    def die() -> None:
        with other.connect() as connection:
            connection.exec_driver_sql("select pg_terminate_backend(pg_backend_pid())")

    assert said(die) is Outage.AWAY
    with other.connect() as idle:
        killed = idle.exec_driver_sql("select pg_backend_pid()").scalar_one()
    with stack.engine.connect() as killer:
        killer.exec_driver_sql(f"select pg_terminate_backend({killed})")
    with other.connect() as connection:
        assert connection.scalar(select(1)) == 1, "one that died in the pool is noticed before it is used"


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_from_what_comes_of_it(
    stack: Stack, other: Engine, clock: SetClock, make: Factory
) -> None:
    """SQLite rolls back by itself then, so that going back to a savepoint fails with another error."""
    make.council()
    with other.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count={pages}")

    def fill() -> None:
        with (
            DbSession(other, info={"vault": stack.instance.vault}) as db,
            unit_of_work(db, clock, "system:test") as work,
        ):
            work.db.execute(text("update council set name = 'half of it'"))
            with work.db.begin_nested():
                work.db.execute(text("create table filling as select zeroblob(10000000)"))

    assert said(fill) is Outage.FULL
    with other.connect() as reader:
        assert "half of it" not in reader.scalars(select(Council.name)).all(), "nothing of it was kept"


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_what_a_transaction_meets_as_it_begins_is_an_outage(stack: Stack, other: Engine) -> None:
    """With a rollback journal a writer keeps readers out; the first that they read is the mark, below the engine."""

    def read() -> object:
        with other.connect() as connection:
            return connection.scalar(select(1))

    with other.connect() as connection:
        driver: Any = connection.connection.driver_connection
    stack.engine.dispose()
    assert driver.execute("pragma journal_mode=delete").fetchone() == ("delete",)
    driver.execute("pragma busy_timeout=50")
    blocking = dbapi2.connect(str(stack.engine.url.database), isolation_level=None)
    blocking.execute("begin exclusive")
    assert said(read) is Outage.BUSY
    blocking.execute("rollback")
    blocking.close()
    assert read() == 1


def test_no_room_for_a_file_is_a_full_disk() -> None:
    assert outage(OSError(errno.ENOSPC, "no room")) is Outage.FULL
    assert outage(OSError(errno.EACCES, "not yours")) is None
    assert outage(RuntimeError()) is None


def test_a_fault_of_ours_is_no_outage(stack: Stack, other: Engine) -> None:
    for statement in ("select * from nothing_of_that_name", "selekt"):

        def ask(statement: str = statement) -> None:
            with other.connect() as connection:
                connection.exec_driver_sql(statement)

        assert said(ask) is None
        with pytest.raises((OperationalError, ProgrammingError)):
            ask()
    with pytest.raises(IntegrityError) as twice:
        _enter_twice(other)
    assert outage(twice.value) is None


def _enter_twice(engine: Engine) -> None:
    with writing(engine) as connection:
        for _ in range(2):
            connection.execute(
                text("insert into audit_head (id, seq, mac) values (77, 0, :mac)"), {"mac": b""}
            )


def test_all_connections_in_use_is_busy(stack: Stack) -> None:
    engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
    engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    taken = [engine.connect() for _ in range(8)]
    assert said(engine.connect) is Outage.BUSY
    for one in taken:
        one.close()
    engine.dispose()


# ---- the turn


def test_a_write_waits_for_another_process_and_goes_on(
    stack: Stack, other: Engine, db: DbSession, clock: SetClock
) -> None:
    begun, held = threading.Event(), 0.6

    def hold() -> None:
        with writing(other) as connection:
            connection.execute(text("update audit_head set seq = seq"))
            begun.set()
            time.sleep(held)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    began = time.monotonic()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.execute(text("update audit_head set seq = seq"))
    holder.join()
    assert time.monotonic() - began < held + 2


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_however_many_queue_none_waits_longer_than_its_patience(
    stack: Stack, other: Engine, clock: SetClock
) -> None:
    """Three of one process behind a write of another: all are refused in the same time, not one after the other."""
    patience, waited, kinds = 0.5, [], []

    def write() -> None:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            began = time.monotonic()
            try:
                with unit_of_work(own, clock, "system:test", patience=patience):
                    raise AssertionError("it got its turn")
            except OperationalError as error:
                waited.append(time.monotonic() - began)
                kinds.append(outage(error))

    with writing(other):
        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert kinds == [Outage.BUSY] * 3
    assert max(waited) < 2 * patience + 1
    with DbSession(stack.engine) as own, own.connection() as connection:
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == BUSY_MS, "as it was"


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_who_has_more_patience_than_others_waits_for_longer(
    stack: Stack, other: Engine, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes for longer than a connection waits by itself, and for less than this one is patient."""
    usual_ms, held_seconds = 200, 1.0
    monkeypatch.setattr(engines, "BUSY_MS", usual_ms)
    begun = threading.Event()

    def hold() -> None:
        with writing(stack.engine):
            begun.set()
            time.sleep(held_seconds)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    with DbSession(other, info={"vault": stack.instance.vault}) as own:
        with unit_of_work(own, clock, "system:test", patience=30) as work:
            work.db.execute(text("update audit_head set seq = seq"))
        assert own.connection().exec_driver_sql("pragma busy_timeout").scalar() == usual_ms, "as it was"
    holder.join()


def test_a_turn_that_did_not_come_is_busy() -> None:
    assert outage(TurnNotCome()) is Outage.BUSY
    assert outage(OperationalError("BEGIN IMMEDIATE", None, TurnNotCome())) is Outage.BUSY
