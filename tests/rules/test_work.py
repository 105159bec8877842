"""The unit of work and the audit trail."""

import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session as DbSession

from portal.models import Council, CouncilKind
from privacy import audit
from privacy.audit import Action, AuditEntry, LooseDetail
from privacy.errors import ChainBroken
from privacy.records import NaiveInstant, Record, Unclassified
from privacy.transactions import reading
from privacy.work import unit_of_work
from tests.conftest import START, SetClock, Stack
from tests.factories import Factory


def test_a_unit_of_work_commits_with_its_trail(make: Factory, db: DbSession, stack: Stack) -> None:
    council = make.council()
    with unit_of_work(db, stack.clock, "person:me") as work:
        work.record(
            Action.COUNCIL_FACT_RECORDED, object=f"council:{council.id}", fact="agreed", value="decline"
        )
    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor, entry.at) == ("council.fact_recorded", "person:me", START)
    assert audit.verify(db, stack.instance.vault.ring) == 1


def test_an_error_undoes_everything(db: DbSession, clock: SetClock) -> None:
    def fail() -> None:
        with unit_of_work(db, clock, "system:test") as work:
            work.db.add(
                Council(
                    gss="E1",
                    code="X",
                    name="X",
                    short_name="X",
                    kind=CouncilKind.CITY,
                    region="",
                    replaced_by=[],
                )
            )
            work.record(Action.CALL_DONE, object="call:1")
            work.db.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert db.scalars(select(Council)).all() == []
    assert db.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"fact": "agreed"},
        {"fact": "agreed", "value": "x", "more": 1},
        {"fact": "agreed", "value": "Free text"},
    ],
)
def test_details_are_declared_and_no_free_text(details: dict[str, audit.Detail]) -> None:
    with pytest.raises(LooseDetail):
        audit.line(Action.COUNCIL_FACT_RECORDED, object="council:1", holder=None, details=details)


@pytest.mark.parametrize(
    "harm",
    [
        "update audit_entry set action = 'call.done' where seq = 2",
        "delete from audit_entry where seq = 2",
        "delete from audit_entry where seq = 3",
        "update audit_entry set details = '{\"step\":1}' where seq = 1",
        "update audit_head set seq = 2",
        (
            "delete from audit_entry where seq = 3;"
            " update audit_head set seq = 2, mac = (select mac from audit_entry where seq = 2)"
        ),
    ],
)
def test_a_changed_trail_is_noticed(db: DbSession, stack: Stack, harm: str) -> None:
    with unit_of_work(db, stack.clock, "person:me") as work:
        for number in range(3):
            work.record(Action.TIMES_OFFERED, object=f"package:{number}", count=number)
    assert audit.verify(db, stack.instance.vault.ring) == 3
    for statement in harm.split(";"):
        db.execute(text(statement.replace(":1", "\\:1")))
    db.commit()
    with pytest.raises(ChainBroken):
        audit.verify(db, stack.instance.vault.ring)


def test_one_break_of_the_trail_does_not_hide_another(db: DbSession, stack: Stack) -> None:
    with unit_of_work(db, stack.clock, "person:me") as work:
        for number in range(9):
            work.record(Action.TIMES_OFFERED, object=f"package:{number}", count=number)
    db.execute(text("update audit_entry set actor = 'x' where seq in (2, 4)"))
    db.execute(text("delete from audit_entry where seq = 7"))
    db.commit()
    seen: list[int] = []
    said = "^line 2 was altered; 3 places in all, the last: line 7 is missing$"
    with pytest.raises(ChainBroken, match=said):
        audit.verify(db, stack.instance.vault.ring, see=lambda entry: seen.append(entry.seq))
    assert seen == [1], "only what holds is shown"


def test_many_writers_make_one_chain(stack: Stack) -> None:
    with (
        DbSession(stack.engine, info={"vault": stack.instance.vault}) as first,
        unit_of_work(first, stack.clock, "system:first") as opening,
    ):
        opening.record(Action.CALL_DONE, object="call:0")
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
                    own.scalars(select(Council)).all()
                    with unit_of_work(own, stack.clock, f"person:{number}") as work:
                        work.record(Action.CALL_DONE, object=f"call:{number}-{turn}")
        except BaseException as failure:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    with DbSession(stack.engine) as reader:
        assert audit.verify(reader, stack.instance.vault.ring) == 31


def test_a_write_begins_immediately_on_sqlite(db: DbSession, stack: Stack) -> None:
    """A session that has read is given up first: otherwise the write would begin deferred, with a warning."""
    db.scalars(select(Council)).all()
    with unit_of_work(db, stack.clock, "system:test") as work:
        if stack.engine.dialect.name != "sqlite":
            assert work.db.connection().get_isolation_level() == "READ COMMITTED"
            return
        with stack.engine.connect() as other:
            other.exec_driver_sql("pragma busy_timeout=0")
            with pytest.raises(Exception, match="locked"):
                other.exec_driver_sql(
                    "BEGIN IMMEDIATE" if not other.in_transaction() else "delete from council"
                )


def test_who_reads_alone_opens_no_transaction_and_the_next_one_does(stack: Stack) -> None:
    def in_transaction(connection: Connection) -> bool:
        connection.execute(select(1))
        raw: Any = connection.connection.driver_connection
        if stack.engine.dialect.name == "sqlite":
            return bool(raw.in_transaction)
        return raw.info.transaction_status is not TransactionStatus.IDLE

    for _ in range(2):
        with reading(stack.engine) as connection:
            assert not in_transaction(connection)
        with stack.engine.connect() as connection:
            assert in_transaction(connection)


def test_naive_moments_are_refused(db: DbSession, make: Factory) -> None:
    person = make.person()
    person.created_at = START.replace(tzinfo=None)
    with pytest.raises(StatementError, match="no time zone") as caught:
        db.flush()
    assert isinstance(caught.value.orig, NaiveInstant)


def test_a_table_must_say_what_it_is_for() -> None:
    with pytest.raises(Unclassified, match="__holding__"):
        type("Loose", (Record,), {"__tablename__": "loose"})


@pytest.mark.parametrize(
    "column, fault",
    [
        ("mapped_column()", "Unclassified: Loose does not say what these columns hold: loose"),
        ("mapped_column(info=personal(holds=''))", "does not say what these columns hold: loose"),
        ("mapped_column(info=personal())", "missing 1 required keyword-only argument: 'holds'"),
        ("sealed(holder='id')", "missing 1 required keyword-only argument: 'holds'"),
        ("sealed(holder='id', holds='')", "does not say what these columns hold: loose"),
        ("sealed(holder='id', holds='', kind=Kind.SPECIAL)", "does not say what these columns hold: loose"),
        ("sealed(holder='id', holds='Why they left')", ""),
        ("mapped_column(info=plain())", ""),
    ],
)
def test_a_column_must_say_what_it_holds(column: str, fault: str) -> None:
    """In a process of its own: the refused table would stay in the metadata of this one."""
    program = f"""
from uuid import UUID
from sqlalchemy.orm import Mapped, mapped_column
from privacy.columns import sealed
from privacy.records import Holding, Keep, Kind, Record, personal, plain
class Loose(Record):
    __tablename__ = "loose"
    __holding__ = Holding("a test", Keep.CONTRACT)
    id: Mapped[UUID] = mapped_column(primary_key=True, info=plain())
    loose: Mapped[bytes | None] = {column}
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == bool(fault), ended.stderr
    assert fault in ended.stderr
