"""Retention: what was kept for as long as its table declares goes, and nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.access import parking
from portal.desk import housekeeping
from portal.models import BrowserSession, Mail, MailState, ParkedForm, SignIn
from privacy import erasure, retention
from privacy.audit import Action, AuditEntry
from privacy.records import new_id
from privacy.rights import Cause
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory


@pytest.fixture
def person_id(make: Factory, db: DbSession, clock: SetClock) -> UUID:
    """Somebody with one row in every table that is kept for some days."""
    person = make.person()
    now = clock()
    with unit_of_work(db, clock, "system:test") as work:
        parking.park(work, person_id=person.id, path="/somewhere", fields=[("a", "b")])
        work.db.add(
            SignIn(
                id=new_id(),
                person_id=person.id,
                chain=new_id(),
                verifier=b"v" * 32,
                level=1,
                asked_at=now,
                expires_at=now,
                tries=0,
            )
        )
        work.db.add(
            BrowserSession(
                id=new_id(),
                person_id=person.id,
                token=b"t" * 32,
                level=1,
                device=False,
                browser="test",
                created_at=now,
                seen_at=now,
                ends_at=now,
            )
        )
        for step, sent in (("sent", now), ("dropped", None)):
            work.db.add(
                Mail(
                    id=new_id(),
                    person_id=person.id,
                    template="invitation",
                    about=new_id(),
                    step=step,
                    state=MailState.SENT if sent else MailState.DROPPED,
                    queued_at=now,
                    due_at=now,
                    sent_at=sent,
                    tries=0,
                )
            )
    return person.id


def rows(db: DbSession) -> dict[str, int]:
    db.rollback()
    kinds = (SignIn, BrowserSession, Mail, ParkedForm)
    return {kind.__tablename__: db.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds}


def run(stack: Stack) -> dict[str, int]:
    vault = stack.instance.vault
    went = retention.run(lambda: DbSession(stack.engine, info={"vault": vault}), stack.clock)
    return {one.table: one.rows for one in went}


@pytest.mark.parametrize(
    "days, left",
    [
        (0, {"sign_in": 1, "browser_session": 1, "mail": 2, "parked_form": 1}),
        (1, {"sign_in": 0, "browser_session": 1, "mail": 2, "parked_form": 0}),
        (29, {"sign_in": 0, "browser_session": 1, "mail": 2, "parked_form": 0}),
        (30, {"sign_in": 0, "browser_session": 0, "mail": 2, "parked_form": 0}),
        (90, {"sign_in": 0, "browser_session": 0, "mail": 0, "parked_form": 0}),
    ],
)
def test_each_table_keeps_for_as_long_as_it_says(
    stack: Stack, db: DbSession, clock: SetClock, person_id: UUID, days: int, left: dict[str, int]
) -> None:
    clock.pass_time(days=days)
    before = rows(db)
    due = {one.table: one.rows for one in retention.due(db, now=clock())}
    assert rows(db) == before, "a dry run changes nothing"
    went = run(stack)
    assert rows(db) == left
    assert went == {table: number for table, number in due.items() if number}
    assert run(stack) == {}


def test_what_went_stands_in_the_trail(stack: Stack, db: DbSession, clock: SetClock, person_id: UUID) -> None:
    clock.pass_time(days=1)
    run(stack)
    db.rollback()
    lines = db.scalars(select(AuditEntry).where(AuditEntry.action == Action.RETENTION_DONE.word)).all()
    assert {line.object for line in lines} == {"table:sign_in", "table:parked_form"}


def test_a_hold_keeps_what_is_due(stack: Stack, db: DbSession, clock: SetClock, person_id: UUID) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        placed = erasure.place_hold(work, person_id=person_id, cause=Cause.FOI).id
    clock.pass_time(days=91)
    assert run(stack) == {}
    with unit_of_work(db, clock, "system:test") as work:
        erasure.lift_hold(work, hold_id=placed)
    assert run(stack) == {"sign_in": 1, "browser_session": 1, "mail": 2, "parked_form": 1}


def test_a_hold_on_one_row_keeps_that_row(
    stack: Stack, db: DbSession, clock: SetClock, person_id: UUID
) -> None:
    mail_id = db.scalars(select(Mail.id).where(Mail.step == "sent")).one()
    with unit_of_work(db, clock, "system:test") as work:
        erasure.place_hold(work, person_id=person_id, cause=Cause.LEGAL, item=("mail", mail_id))
    clock.pass_time(days=91)
    assert run(stack)["mail"] == 1
    assert db.scalars(select(Mail.id)).all() == [mail_id]


def test_many_rows_go_in_batches(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    person = make.person()
    person_id = person.id
    with unit_of_work(db, clock, "system:test") as work:
        for number in range(7):
            parking.park(work, person_id=person_id, path=f"/{number}", fields=[])
    clock.pass_time(days=1)
    assert run(stack) == {"parked_form": 7}


def test_at_night_it_runs_once(stack: Stack, clock: SetClock, db: DbSession, person_id: UUID) -> None:
    db.rollback()
    vault = stack.instance.vault
    nightly = housekeeping.Nightly(
        stack.instance, lambda: DbSession(stack.engine, info={"vault": vault}), stack.engine
    )
    assert not nightly(), "not by day"
    clock.now = clock().replace(hour=2) + timedelta(days=2)
    assert nightly()
    assert rows(db)["parked_form"] == 0
    db.rollback()
    assert not nightly()
    another = housekeeping.Nightly(
        stack.instance, lambda: DbSession(stack.engine, info={"vault": vault}), stack.engine
    )
    assert not another(), "one worker has had this night, also for one that begins later"
    clock.pass_time(days=1)
    assert nightly()
