"""Row 49: every kind of data says what it is for, how it is handled and when it goes; and then it is gone."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.access import parking, searches
from portal.desk import backups, housekeeping
from portal.desk.backups import Order
from portal.mailing import post
from portal.mailing.senders import FolderSender
from portal.models import Person
from privacy import person_exports, reach, retention
from privacy.backup import Keep, Kind
from privacy.backup_folder import backups as found_in
from privacy.keystore import METADATA
from privacy.records import Held, Record
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.readers import make_reader

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


def sessions_of(stack: Stack) -> "partial[DbSession]":
    return partial(DbSession, stack.engine, info={"vault": stack.instance.vault})


def test_row_49_every_table_and_column_says_what_it_is(stack: Stack) -> None:
    for table in Record.metadata.sorted_tables:
        held = reach.holding(table)
        assert held.purpose, table.name
        assert held.keep.words, table.name
        if held.keep.days is not None:
            assert held.clock, f"{table.name} says from when"
        for column in table.columns:
            assert isinstance(column.info["held"], Held), f"{table.name}.{column.name}"
    timed = {table.name for table in retention.timed()}
    assert timed >= {"sign_in", "browser_session", "mail", "parked_form", "kept_search", "person_export"}
    assert METADATA.tables.keys() == {"subject_key", "ring_key"}, "in the other store lie keys alone"


def test_row_49_at_its_date_it_is_gone_from_the_tables_and_the_outbox(
    stack: Stack, make: Factory, db: DbSession, clock: SetClock, client: PageClient, team: Person
) -> None:
    """What people leave behind by using the portal; the last of it goes 90 days after it was sent."""
    sessions = sessions_of(stack)
    client.post("/sign-in", {"email": "tess@programme.example"})
    client.sign_in(team.id)
    with unit_of_work(db, clock, "system:test") as work:
        parking.park(work, person_id=team.id, path="/somewhere", fields=[("text", "words")])
        searches.keep(work, person_id=team.id, place="people.index", words="somebody")
    while post.deliver(stack.instance, sessions, FolderSender(stack.instance.outbox)):
        pass
    used = ("sign_in", "browser_session", "mail", "parked_form", "kept_search")

    def left() -> dict[str, int]:
        db.rollback()
        tables = Record.metadata.tables
        return {name: db.scalar(select(func.count()).select_from(tables[name])) or 0 for name in used}

    mails = list(stack.instance.outbox.glob("*.eml"))
    assert min(left().values()) >= 1
    assert mails
    moments = {table.name: reach.holding(table).keep.days or 0 for table in retention.timed()}
    began = clock()
    for days in sorted({moments[name] for name in used}):
        going = [name for name in used if moments[name] == days]
        # What runs for a while yet, such as a browser session, counts from its own end.
        clock.now = began + timedelta(days=days, hours=-1)
        housekeeping.tidy(stack.instance, sessions, stack.engine)
        assert min(left()[name] for name in going) >= 1, f"{going}: kept for as long as they say"
        clock.now = began + timedelta(days=days + 1)
        housekeeping.tidy(stack.instance, sessions, stack.engine)
        assert max(left()[name] for name in going) == 0, f"{going}: gone at their date"
    assert not [path for path in mails if path.exists()], "a mail's file goes with its row"


def test_row_49_an_export_goes_with_its_file_and_its_key(
    stack: Stack, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person_id = make.person().id
    sessions = sessions_of(stack)
    desk = housekeeping.desk(stack.instance, sessions)
    with unit_of_work(db, clock, "person:dpo") as work:
        person_exports.ask(work, person_id=person_id)
    assert person_exports.run(desk) == 1
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    assert files
    clock.pass_time(days=8)
    housekeeping.tidy(stack.instance, sessions, stack.engine)
    assert not [path for path in files if path.exists()]
    db.rollback()
    assert person_exports.of_person(db, person_id) == []


def test_row_49_backups_go_at_their_dates_and_their_keys_before_them(
    stack: Stack, clock: SetClock, tmp_path: Path
) -> None:
    order = Order(
        tmp_path / "backups",
        [make_reader(tmp_path).certificate],
        keep=Keep.parse("35d"),
        keep_keys=Keep.parse("7d"),
    )

    def kept() -> tuple[int, int]:
        return len(found_in(order.folder, Kind.DATA)), len(found_in(order.folder, Kind.KEYS))

    counted = []
    for days in (0, 6, 2, 20, 8, 36):
        clock.pass_time(days=days)
        backups.create(stack.instance, sessions_of(stack), order)
        counted.append(kept())
    # On the days 0, 6, 8, 28, 36 and 72.
    assert counted == [(1, 1), (2, 2), (3, 2), (4, 1), (4, 1), (1, 1)]
