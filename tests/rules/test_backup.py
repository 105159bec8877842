"""Backups are sealed, whole or not there, kept as long as was said, and restored without those who were erased."""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result
from sqlalchemy import Engine, MetaData, Select, Table, create_engine, delete, func, inspect, select, text
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.access.asking import ask
from portal.access.devices import let_in
from portal.desk import backups, housekeeping
from portal.desk.backups import Order, Regular
from portal.desk.housekeeping import spread_ledger
from portal.desk.shifts import Shifts
from portal.instance import Instance, open_instance
from portal.mailing import post
from portal.mailing import queue as mail
from portal.models import BrowserSession, Level, Person, SecondAct, Session
from portal.references import new_reference
from portal.settings import Settings
from privacy import audit, backup, erasure, keys, ledger
from privacy.backup import BackupFault, Keep, Kind, Tombstone, copy_tombstones, key_ids_in_use, last, verify
from privacy.backup_folder import Busy, locked, read_tombstones
from privacy.backup_folder import backups as found_in
from privacy.backup_postgres import ProgramMissing, program
from privacy.backup_records import release_mail
from privacy.backup_restore import LedgerTooOld, NotEmpty, Restored
from privacy.certificates import CertificateUnusable, read_certificate, read_private_key
from privacy.engines import open_engine
from privacy.envelopes import EnvelopeBroken
from privacy.keystore import SUBJECT_KEY
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack, stack_of
from tests.factories import Factory
from tests.postgres import postgres_program
from tests.readers import Reader, empty_settings, make_reader, with_programs
from tests.rules.test_erasure import replaced
from tests.seconding import agreed

# Keys are turned over here.
stack = stack_of("backups")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return make_reader(tmp_path_factory.mktemp("reader"))


@pytest.fixture
def instance(stack: Stack) -> Instance:
    return with_programs(stack.instance)


@pytest.fixture(autouse=True)
def _no_ledger(stack: Stack) -> Iterator[None]:
    """Those who were erased in one test are nobody's ledger in the next."""
    yield
    with stack.instance.vault.engine.begin() as connection:
        connection.execute(delete(SUBJECT_KEY).where(SUBJECT_KEY.c.destroyed_on.is_not(None)))


class Desk:
    """Makes backups of the stack's instance and restores them into another, empty one."""

    def __init__(
        self,
        instance: Instance,
        stack: Stack,
        db: DbSession,
        reader: Reader,
        tmp_path: Path,
        server: str | None,
    ) -> None:
        self.db = db
        self.instance = instance
        self.stack = stack
        self.reader = reader
        self.folder = tmp_path / "backups"
        self.tmp_path = tmp_path
        self.server = server
        self.sessions = partial(DbSession, stack.engine, info={"vault": instance.vault})
        self._other: Settings | None = None

    def create(self, **keeping: Keep) -> backup.Made:
        order = Order(self.folder, [self.reader.certificate], **keeping)
        return backups.create(self.instance, self.sessions, order)

    @property
    def other(self) -> Settings:
        if self._other is None:
            self._other = empty_settings(self.stack, self.tmp_path, self.server)
        return self._other

    def restore(self, name: str | None = None) -> Restored:
        return backups.restore(
            self.other,
            self.folder,
            read_private_key(self.reader.key),
            clock=self.stack.clock,
            schema=None,
            name=name,
        )

    def drill(self) -> Restored:
        key = read_private_key(self.reader.key)
        return backups.drill(self.instance, self.sessions, self.folder, key, schema=None)

    def opened(self) -> tuple[Engine, Instance]:
        engine = open_engine(self.other.database_url)
        return engine, open_instance(self.other, engine=engine, clock=self.stack.clock)

    def erase(self, person_id: UUID) -> None:
        # A reader with an old view would keep the log of writes from being cut.
        self.db.rollback()
        places = erasure.Places(
            self.sessions,
            self.instance.vault,
            self.stack.clock,
            spread=lambda: spread_ledger(self.instance, self.sessions),
            sweep=lambda: None,
        )
        with self.sessions() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            enter(work, register=Register.INSTRUCTION, letter="DfE-1", from_on=date(2023, 1, 1))
            work.db.flush()
            erasure.begin(work, person_id=person_id, letter="DfE-1")
        erasure.finish(places)


@pytest.fixture
def desk(
    request: pytest.FixtureRequest,
    instance: Instance,
    stack: Stack,
    db: DbSession,
    reader: Reader,
    tmp_path: Path,
) -> Desk:
    server = request.getfixturevalue("postgres_server") if stack.engine.dialect.name != "sqlite" else None
    return Desk(instance, stack, db, reader, tmp_path, server)


def names(db: DbSession) -> set[str | None]:
    return {person.name for person in db.scalars(select(Person))}


def snapshot_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- making


def test_a_backup_is_sealed_and_says_what_it_is(
    desk: Desk, make: Factory, db: DbSession, clock: SetClock
) -> None:
    make.person("Unmistakable Name")
    clock.pass_time(minutes=1)

    made = desk.create()

    assert made.data.rows["person"] == 1
    assert made.data.chain == db.scalar(select(func.max(audit.AuditEntry.seq))) - 1, (
        "its own line comes after"
    )
    assert made.keys.rows["subject_key"] >= 2
    assert made.keys.number == made.data.number + 1
    assert list(key_ids_in_use(desk.folder)) == ["I1", "K1"]
    for kind in Kind:
        (one,) = found_in(desk.folder, kind)
        one.require_genuine(desk.instance.vault.ring)
        verify(one)
        verify(one, read_private_key(desk.reader.key))
        content = one.sealed.read_bytes()
        assert b"person" not in content
        assert b"subject_key" not in content
        assert one.path.stat().st_mode & 0o077 == 0
    db.rollback()
    run = last(db).backup
    assert run is not None
    assert (run.name, run.rows, run.ok) == (made.data.name, sum(made.data.rows.values()), True)
    assert list(audit.entries(db))[-1].action == "backup.made"
    assert list(desk.instance.settings.instance.glob("scratch/*")) == []


def test_whoever_finds_the_folder_reads_what_it_is(desk: Desk, clock: SetClock) -> None:
    desk.create()
    page = desk.folder / "READ-ME.txt"
    assert page.stat().st_mode & 0o077 == 0
    said = page.read_text(encoding="utf-8")
    folders = {path.name for path in desk.folder.iterdir() if path.is_dir()}
    assert set(re.findall(r"^(\w+)/ ", said, re.MULTILINE)) == folders
    assert "con_9887" in said
    certificate = read_certificate(desk.reader.certificate, now=clock())
    assert certificate.name in said
    assert certificate.fingerprint.upper() in re.sub(r"[:\s]", "", said)
    assert "flask backup restore FOLDER --key" in said
    assert max(map(len, said.splitlines())) <= 120, "it can be printed"
    before = page.stat().st_mtime_ns
    desk.create()
    assert page.stat().st_mtime_ns == before, "written again only when it says something else"


def test_one_that_cannot_be_made_leaves_all_as_it_was(desk: Desk, db: DbSession, tmp_path: Path) -> None:
    desk.create()
    before = snapshot_of(desk.folder)
    desk.reader = make_reader(tmp_path, "expired", days=1)
    with pytest.raises(CertificateUnusable):
        desk.create()
    assert snapshot_of(desk.folder) == before
    failed = last(db).failed
    assert failed is not None
    assert failed.trouble == "CertificateUnusable"


def test_one_moment_of_what_is_written_meanwhile(desk: Desk, make: Factory, clock: SetClock) -> None:
    """People are added two at a time: there is never one without the other, nor one without a key."""
    make.person("Staying Person")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with desk.sessions() as db, unit_of_work(db, clock, "system:test") as work:
                for number in (1, 2):
                    person = Person(id=new_id(), ref=new_reference("P"), created_at=work.now)
                    person.name = f"Twin {number}"
                    work.db.add(person)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counted = [desk.create().data.rows["person"] for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [count % 2 for count in counted] == [1, 1, 1]
    assert counted[0] < counted[-1]
    desk.restore()
    engine, opened = desk.opened()
    with DbSession(engine, info={"vault": opened.vault}) as there:
        assert names(there) == {"Staying Person", "Twin 1", "Twin 2"}
    engine.dispose()
    opened.vault.engine.dispose()


def test_two_at_once_do_not_meet(desk: Desk) -> None:
    desk.create()
    with locked(desk.folder), pytest.raises(Busy):
        desk.create()


def test_what_a_killed_process_left_goes_with_the_next(desk: Desk) -> None:
    left = desk.folder / "data" / "000001.part"
    left.mkdir(parents=True)
    (left / "database.cms.part").write_bytes(b"half")
    desk.create()
    assert not left.exists()


def test_another_instance_keeps_out(desk: Desk) -> None:
    desk.create()
    _edit(desk.folder, Kind.DATA, instance=str(new_id()))
    with pytest.raises(BackupFault, match="another instance"):
        desk.create()


def test_keeping(desk: Desk, clock: SetClock) -> None:
    for _ in range(4):
        made = desk.create(keep=Keep.parse("3"), keep_keys=Keep.parse("2h"))
        clock.pass_time(hours=1, minutes=1)
    kept = {kind: [one.manifest.number for one in found_in(desk.folder, kind)] for kind in Kind}
    assert kept == {Kind.DATA: [3, 5, 7], Kind.KEYS: [6, 8]}
    assert len(made.pruned) == 2
    clock.pass_time(days=100)
    desk.create(keep=Keep.parse("1d"), keep_keys=Keep.parse("1d"))
    assert [one.manifest.number for kind in Kind for one in found_in(desk.folder, kind)] == [9, 10]
    for wrong in ("", "0", "d", "-1", "3w"):
        with pytest.raises(ValueError, match="neither"):
            Keep.parse(wrong)


def _edit(folder: Path, kind: Kind, **changed: object) -> None:
    path = found_in(folder, kind)[-1].path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_verify_finds_what_was_altered(desk: Desk) -> None:
    desk.create()
    (one,) = found_in(desk.folder, Kind.DATA)
    good = one.sealed.read_bytes()
    one.sealed.write_bytes(good[:-20] + bytes([good[-20] ^ 1]) + good[-19:])
    with pytest.raises(BackupFault, match="cut or altered"):
        verify(one)
    with pytest.raises(BackupFault, match="cut or altered"):
        desk.restore()
    one.sealed.write_bytes(good)
    _edit(desk.folder, Kind.DATA, chain=1)
    (altered,) = found_in(desk.folder, Kind.DATA)
    with pytest.raises(BackupFault, match="was altered"):
        altered.require_genuine(desk.instance.vault.ring)
    with pytest.raises(BackupFault, match="was altered"):
        desk.restore()


# ---- restoring


def test_restored_whole_and_nobody_is_signed_in(
    desk: Desk, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = make.person("Ada Lead")
    package = make.package(person, mentor=make.mentor("Max Mentor"))
    with unit_of_work(db, clock, "system:test") as work:
        let_in(work, work.db.get_one(Person, person.id), by="demo", level=Level.MAIL, browser="Safari")
        mail.queue(work, template="invitation", about=package.participations[0].id, to=person.id)
    made = desk.create()
    before = {
        table: count for table, count in made.data.rows.items() if table not in ("backup_run", "audit_entry")
    }

    done = desk.restore()

    assert done.name == made.data.name
    engine, opened = desk.opened()
    with DbSession(engine, info={"vault": opened.vault}) as there:
        assert names(there) == {"Ada Lead", "Max Mentor"}
        assert audit.verify(there, opened.vault.ring) == made.data.chain + 1
        assert {name: there.scalar(_count(engine, name)) for name in before} == before
        assert there.scalars(select(BrowserSession.ended_at)).one() is not None
        restored = last(there).restore
        assert restored is not None
        assert restored.name == made.data.name
    engine.dispose()
    opened.vault.engine.dispose()
    if desk.server is None:
        assert sorted(path.name for path in desk.other.instance.glob("*.restoring*")) == []


def _count(engine: Engine, table: str) -> Select[int]:
    return select(func.count()).select_from(Table(table, MetaData(), autoload_with=engine))


def test_only_an_empty_instance_is_restored_into(desk: Desk, make: Factory) -> None:
    make.person("Ada Lead")
    desk.create()
    desk.restore()
    with pytest.raises(NotEmpty):
        desk.restore()


def test_mail_waits_until_it_is_released(desk: Desk, make: Factory, db: DbSession, clock: SetClock) -> None:
    person = make.person("Ada Lead")
    package = make.package(person)
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="invitation", about=package.participations[0].id, to=person.id)
    desk.create()
    desk.restore()
    engine, opened = desk.opened()
    sessions = partial(DbSession, engine, info={"vault": opened.vault})
    sender = Kept()

    assert post.deliver(opened, sessions, sender) == 0
    with sessions() as there, unit_of_work(there, clock, "system:test") as work:
        ask(work, address=person.email or "", next_path=None)
    assert post.deliver(opened, sessions, sender) == 1, "else nobody could come in to look at what waits"
    with sessions() as there, unit_of_work(there, clock, "system:test") as work:
        assert release_mail(work)
        assert not release_mail(work)
    assert post.deliver(opened, sessions, sender) == 1
    assert len(sender.messages) == 2
    engine.dispose()
    opened.vault.engine.dispose()


class Kept:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[object] = []

    def send(self, message: object, *, at: object) -> None:
        self.messages.append(message)


def test_calendars_take_what_comes_next_for_newer(desk: Desk, make: Factory, db: DbSession) -> None:
    mentor = make.mentor()
    package = make.package(make.person(), mentor=mentor)
    db.add(
        Session(
            id=new_id(),
            package_id=package.id,
            mentor_id=mentor.id,
            kind="one_to_one",
            state="booked",
            starts_at=desk.stack.clock(),
            ends_at=desk.stack.clock() + timedelta(hours=1),
            place="remote",
            uid="u@x",
            sequence=3,
            created_at=desk.stack.clock(),
            by="system:test",
        )
    )
    db.commit()
    desk.create()
    desk.restore()
    engine, opened = desk.opened()
    with DbSession(engine, info={"vault": opened.vault}) as there:
        assert there.scalars(select(Session.sequence)).one() == 3 + backups.SEQUENCE_STEP
    engine.dispose()
    opened.vault.engine.dispose()


# ---- erased stays erased (P-e)


def test_erased_after_the_backup_is_erased_in_what_is_restored(
    desk: Desk, make: Factory, db: DbSession
) -> None:
    gone, stays = make.person("Gone Person"), make.person("Staying Person")
    gone_id, address, other = gone.id, str(gone.email), str(stays.email)
    make.package(gone, stays)
    desk.create()
    desk.erase(gone_id)

    done = desk.restore()

    assert done.purged == 1
    engine, opened = desk.opened()
    with DbSession(engine, info={"vault": opened.vault}) as there:
        assert "Gone Person" not in names(there)
        assert "Staying Person" in names(there)
        assert ledger.is_erased(opened.vault.engine, gone_id)
        assert accounts.find(there, address) is None, "nobody signs in by the address"
        assert accounts.find(there, other) is not None
    engine.dispose()
    opened.vault.engine.dispose()


def test_a_folder_that_was_away_gets_the_ledger_in_the_night_after(
    desk: Desk, make: Factory, tmp_path: Path
) -> None:
    gone_id = make.person("Gone Person").id
    desk.create()
    away = desk.folder.rename(tmp_path / "away")
    desk.erase(gone_id)
    away.rename(desk.folder)
    assert gone_id not in read_tombstones(desk.folder)
    housekeeping.tidy(desk.instance, desk.sessions, desk.stack.engine)
    assert gone_id in read_tombstones(desk.folder)


@pytest.mark.parametrize(
    "keep, keep_keys, shut, gone",
    [
        ("35d", "7d", date(2023, 3, 9), date(2023, 4, 6)),
        ("48", "24", date(2023, 3, 3), date(2023, 3, 4)),
        ("2d", "9d", date(2023, 3, 4), date(2023, 3, 4)),
    ],
)
def test_the_day_from_which_nothing_opens_it_and_the_day_on_which_it_is_gone(
    tmp_path: Path, keep: str, keep_keys: str, shut: date, gone: date
) -> None:
    environ = {
        "BACKUP_DIR": "/b",
        "BACKUP_CERTIFICATE": "/c",
        "BACKUP_KEEP": keep,
        "BACKUP_KEEP_KEYS": keep_keys,
    }
    asked = Settings.from_environ(environ, root=tmp_path).backups
    assert backups.last_copies(asked, on=date(2023, 3, 1)) == backups.LastCopies(shut, gone)
    assert backups.last_copies(None, on=date(2023, 3, 1)) is None


def test_the_ledger_of_a_later_key_store_counts_too(desk: Desk, make: Factory) -> None:
    """The tombstones of the folder are lost, an old backup of the data is asked for by name."""
    gone = make.person("Gone Person")
    old = desk.create()
    desk.erase(gone.id)
    desk.create()
    shutil.rmtree(desk.folder / "tombstones")
    assert desk.restore(old.data.name).purged == 1


def test_what_is_erased_after_a_restore_stays_erased_in_the_next(
    desk: Desk, make: Factory, tmp_path: Path
) -> None:
    """A backup does not hold the note of itself, so the folder is known by that of the restore."""
    gone_id = make.person("Gone Person").id
    desk.create()
    desk.restore()
    engine, opened = desk.opened()
    sessions = partial(DbSession, engine, info={"vault": opened.vault})
    with sessions() as db, unit_of_work(db, desk.stack.clock, "system:test") as work:
        enter(work, register=Register.INSTRUCTION, letter="DfE-2", from_on=date(2023, 1, 1))
        work.db.flush()
        erasure.begin(work, person_id=gone_id, letter="DfE-2")
    erasure.finish(housekeeping.places(opened, sessions))
    engine.dispose()
    opened.vault.engine.dispose()
    assert gone_id in read_tombstones(desk.folder)


def test_a_ledger_that_is_too_old_is_refused(desk: Desk, make: Factory) -> None:
    gone = make.person("Gone Person")
    desk.create()
    desk.erase(gone.id)
    desk.create()
    shutil.rmtree(desk.folder / "tombstones")
    newest = found_in(desk.folder, Kind.KEYS)[-1]
    shutil.rmtree(newest.path)
    first = found_in(desk.folder, Kind.DATA)[0].manifest.name

    with pytest.raises(LedgerTooOld):
        desk.restore(first)
    with pytest.raises(BackupFault, match="no key store"):
        desk.restore()
    _is_no_instance(desk)


def _is_no_instance(desk: Desk) -> None:
    engine = open_engine(desk.other.database_url)
    try:
        if desk.server is None:
            assert not Path(engine.url.database or "").exists()
        else:
            assert not inspect(engine).has_table("instance_fact")
    finally:
        engine.dispose()


def test_the_key_store_that_is_still_there_is_used(desk: Desk, make: Factory) -> None:
    """Only the disk of the database died: what was erased since is known best by the live key store."""
    gone = make.person("Gone Person")
    make.person("Staying Person")
    desk.create()
    desk.restore()
    engine, opened = desk.opened()
    ledger.destroy(opened.vault, [gone.id], now=desk.stack.clock(), instruction="DfE-2")
    opened.vault.engine.dispose()
    engine.dispose()
    if desk.server is None:
        for path in desk.other.instance.glob("portal.sqlite*"):
            path.unlink()
    else:
        empty = create_engine(desk.other.database_url)
        with empty.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade; create schema public")
        empty.dispose()
    shutil.rmtree(desk.folder / "keys")

    assert desk.restore().purged == 1
    engine, opened = desk.opened()
    with DbSession(engine, info={"vault": opened.vault}) as there:
        assert names(there) == {"Staying Person"}
    engine.dispose()
    opened.vault.engine.dispose()


def test_tombstones_are_copied_once_and_read_strictly(tmp_path: Path) -> None:
    stone = Tombstone(new_id(), date(2023, 3, 1), "DfE-1")
    assert copy_tombstones(tmp_path, [stone]) == 1
    assert copy_tombstones(tmp_path, [stone]) == 0
    assert read_tombstones(tmp_path) == {stone.holder: stone}
    (tmp_path / "tombstones" / "x.json").write_text("{}")
    with pytest.raises(BackupFault, match="would come back"):
        read_tombstones(tmp_path)


# ---- refusals


def test_without_the_right_keys_there_is_no_instance(desk: Desk, make: Factory, tmp_path: Path) -> None:
    make.person("Ada Lead")
    desk.create()
    other = make_reader(tmp_path, "stranger")
    desk.reader = other
    with pytest.raises(EnvelopeBroken):
        desk.restore()
    _is_no_instance(desk)


def test_tables_of_another_release_are_named(desk: Desk, make: Factory) -> None:
    desk.create()
    (one,) = found_in(desk.folder, Kind.DATA)
    assert one.manifest.schema is None
    with desk.stack.engine.begin() as connection:
        connection.exec_driver_sql("create table alembic_version (version_num varchar(32))")
        connection.exec_driver_sql("insert into alembic_version values ('001')")
    try:
        assert desk.create().data.schema == "001"
        with pytest.raises(BackupFault, match="tables of version 001"):
            backups.restore(
                desk.other,
                desk.folder,
                read_private_key(desk.reader.key),
                clock=desk.stack.clock,
                schema="002",
            )
        desk.restore()
    finally:
        with desk.stack.engine.begin() as connection:
            connection.exec_driver_sql("drop table alembic_version")


def test_programs_of_postgresql_are_found_or_named(tmp_path: Path) -> None:
    folder = postgres_program("psql").parent
    assert program("pg_dump", server=17, folder=folder).endswith("pg_dump")
    with pytest.raises(ProgramMissing, match="older than the server, which is 99"):
        program("pg_dump", server=99, folder=folder)
    with pytest.raises(ProgramMissing, match="psql is not in"):
        program("psql", server=17, folder=tmp_path)


# ---- drills, and the worker


def test_a_drill_proves_and_leaves_only_its_record(desk: Desk, make: Factory, db: DbSession) -> None:
    make.person("Ada Lead")
    gone = make.person("Gone Person")
    desk.create()
    desk.erase(gone.id)

    done = desk.drill()

    assert done.purged == 1
    db.rollback()
    run = last(db).drill
    assert run is not None
    assert (run.name, run.rows) == (done.name, done.rows)
    assert list(audit.entries(db))[-1].action == "backup.drilled"
    assert list(desk.instance.settings.instance.glob("scratch/*")) == []
    if desk.server is not None:
        with desk.stack.engine.connect() as connection:
            left = connection.execute(text("select count(*) from pg_database where datname like '%drill%'"))
            assert left.scalar() == 0


def test_a_drill_that_fails_is_on_record(desk: Desk, db: DbSession) -> None:
    desk.create()
    (keys,) = found_in(desk.folder, Kind.KEYS)
    keys.sealed.write_bytes(b"x" * keys.sealed.stat().st_size)
    with pytest.raises(BackupFault):
        desk.drill()
    db.rollback()
    assert last(db).drill is None
    failed = last(db).failed
    assert failed is not None
    assert failed.kind == "drill"


def test_the_worker_makes_them_by_the_hour(
    stack: Stack, desk: Desk, db: DbSession, clock: SetClock, tmp_path: Path
) -> None:
    asked = Settings.from_environ(
        {"BACKUP_DIR": str(desk.folder), "BACKUP_CERTIFICATE": str(desk.reader.certificate)}, root=tmp_path
    ).backups
    instance = replace(desk.instance, settings=replace(desk.instance.settings, backups=asked))
    shifts = Shifts(stack.engine, instance.settings.instance)
    regular = Regular(instance, desk.sessions, shifts)

    def made() -> int:
        regular()
        regular.finish()
        return len(found_in(desk.folder, Kind.DATA))

    assert made() == 1
    assert made() == 1
    clock.pass_time(minutes=59)
    assert made() == 1
    clock.pass_time(minutes=1)
    assert made() == 2
    Regular(desk.instance, desk.sessions, shifts)()
    assert len(found_in(desk.folder, Kind.DATA)) == 2, "without the setting none is made"


# ---- the commands


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("PATH", str(postgres_program("psql").parent), prepend=os.pathsep)
    runner = stack.app.test_cli_runner()
    return lambda *args: runner.invoke(args=[str(part) for part in args])


def test_the_commands(desk: Desk, run: Callable[..., Result], make: Factory) -> None:
    make.person("Ada Lead")
    made = run("backup", "create", desk.folder, "--certificate", desk.reader.certificate, "--keep", "3")
    assert made.exit_code == 0, made.output
    assert made.stdout == ""
    listed = json.loads(run("backup", "list", desk.folder, "--json").stdout)["backups"]
    assert [one["kind"] for one in listed] == ["data", "keys"]
    assert listed[0]["rows"]["person"] == 1
    assert "postgresql" in listed[0]["source"] or "sqlite" in listed[0]["source"]
    assert run("backup", "list", desk.folder).stdout.count("rows") >= 2
    for extra in ([], ["--key", desk.reader.key]):
        checked = run("backup", "verify", desk.folder, *extra)
        assert checked.stdout.count("holds") == 2, checked.output
    drilled = run("backup", "drill", desk.folder, "--key", desk.reader.key)
    assert "can be restored" in drilled.stdout, drilled.output
    assert "Mail was not held" in run("mail", "release").stderr


def test_a_key_that_a_backup_made_by_hand_needs_stays(
    desk: Desk, run: Callable[..., Result], tmp_path: Path
) -> None:
    """The folder is in no setting: it is known from the backup that was made there."""
    run("backup", "create", desk.folder, "--certificate", desk.reader.certificate)
    ring = desk.instance.vault.ring
    index = keys.file_of(f"I{max(ring.indexes)}")
    rotated = run("keys", "rotate")
    assert rotated.exit_code == 0, rotated.output
    assert (desk.instance.settings.keys / index).exists(), "the data of the backup is found by it"
    retire = ("keys", "retire", ring.current, "--instruction", "INS-1", "--yes")
    assert "no instruction INS-1" in run(*retire).stderr
    agreed(desk.db, desk.stack.clock, act=SecondAct.KEY, thing=f"key:{ring.current}", letter="INS-1")
    assert "is needed by 1 backups" in run(*retire).stderr
    moved = desk.folder.rename(tmp_path / "away")
    assert "cannot be looked into" in run(*retire).stderr
    moved.rename(desk.folder)
    assert desk.restore().rows
    assert run(*retire, "--given-up", desk.folder).exit_code == 0
    replaced(desk.stack, "INS-1")
    assert run(*retire, "--given-up", desk.folder).exit_code == 0, "what was killed goes on"
    assert "INS-1 was replaced by INSTR 13" in run("keys", "retire", "K9", *retire[3:]).stderr


REFUSED: list[tuple[list[str], str]] = [
    (["create", "{folder}", "--certificate", "{key}"], "holds a private key"),
    (["create", "{folder}", "--certificate", "{certificate}", "--keep", "soon"], "neither a number"),
    (["verify", "{folder}"], "holds no such backup"),
    (["drill", "{folder}", "--key", "{certificate}"], "not a private key"),
    (["drill", "{folder}", "--key", "{key}"], "does not exist"),
    (["restore", "{folder}", "--key", "{key}"], "does not exist"),
    (["verify", "{folder}", "--key", "nowhere"], "cannot be read"),
]


def test_the_commands_refuse_in_plain_words(desk: Desk, run: Callable[..., Result]) -> None:
    names = {"folder": desk.folder, "key": desk.reader.key, "certificate": desk.reader.certificate}
    for args, said in REFUSED:
        refused = run("backup", *(part.format(**names) for part in args))
        assert refused.exit_code in (1, 2)
        assert said in refused.stderr
        assert "Traceback" not in refused.output
