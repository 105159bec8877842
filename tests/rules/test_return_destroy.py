"""Destroying everything: what goes, what stays, that it goes on where it was stopped, and that it is proved."""

import csv
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.instance import InstanceClosed, open_instance
from portal.models import Goal, Person
from portal.returning import (
    closing,
    destruction,
    destruction_checks,
    destruction_last,
    kept_records,
    packaging,
)
from portal.returning.destruction_checks import DestroyRefused
from privacy import audit, erasure
from privacy.audit import AuditEntry
from privacy.audit_verifier import check
from privacy.certificates import as_openssl_shows
from privacy.columns import unseal
from privacy.engines import open_engine
from privacy.errors import HolderErased, KeyFault
from privacy.keys import load_left
from privacy.keystore import SUBJECT_KEY, DataKeys
from privacy.records import Record
from privacy.returns import destroy, kept
from privacy.returns.course import Act, Course, Step
from privacy.returns.destroy import STEPS, StillInUse
from privacy.returns.journal import Journal
from privacy.returns.places import Places, server_folders
from privacy.returns.proof import NotDestroyed
from privacy.returns.searching import look
from privacy.returns.signing import SIGNING, check_signature
from privacy.returns.stores import ConfirmationRefused, Method
from privacy.returns.tables import DataReturn, DataReturnEvent
from privacy.rights import Cause
from tests.ended_world import LETTER, NAMES, PACKAGE, PHONE, Ended, ended
from tests.postgres import fresh_database
from tests.two_sides import TYPED

Act_ = Callable[[Places, Journal], destroy.Facts]


@dataclass(frozen=True)
class Gone:
    """A world after its end: what was in it, a sealed name as it lay there, whether the search found anything."""

    world: Ended
    before: dict[str, int]
    value: bytes
    found_before: bool


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def gone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gone]:
    """A large world, destroyed; every test of it looks alone."""
    folder = tmp_path_factory.mktemp("gone")
    made = ended(folder, databases(request, "gone"), large=True)
    (made.settings.instance / "left.txt").write_text(f"{NAMES[0]}\n")
    with made.session() as db:
        value = db.get_one(Person, made.people[0]).name_sealed or b""
        before = kept.counts(db)
    yield Gone(made, before, value, _destroyed(made))
    made.end()


def _destroyed(made: Ended) -> bool:
    found = look([made.settings.instance], needles(made)).found
    made.confirm()
    made.destroy()
    return bool(found)


@pytest.fixture(params=["sqlite", "postgresql"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ended]:
    made = ended(tmp_path, databases(request, "large"), large=True)
    yield made
    made.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ended]:
    made = ended(tmp_path, databases(request, "ended"))
    yield made
    made.end()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Ended]:
    """On the embedded database alone: for what no database has a part in."""
    made = ended(tmp_path, {})
    yield made
    made.end()


def databases(request: pytest.FixtureRequest, name: str) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    server: str = request.getfixturevalue("postgres_server")
    return {
        "DATABASE_URL": fresh_database(server, name=name),
        "KEYSTORE_URL": fresh_database(server, name=f"{name}_keystore"),
    }


def needles(world: Ended) -> list[bytes]:
    """Words that the product does not know it should look for."""
    words = [f"{side.name}{word}" for side in world.sides for word in TYPED]
    return [word.encode() for word in (*words, *NAMES, PHONE)]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def rows(db: DbSession, table: str) -> int:
    return db.scalar(select(func.count()).select_from(Record.metadata.tables[table])) or 0


def certificate(world: Ended, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.result / f"certificate-{number}.json").read_text())
    return found


# ---- the whole of it


def test_everything_goes(gone: Gone) -> None:
    world = gone.world
    assert min(gone.before["person"], gone.before["response"]) > 3, "there was something to destroy"
    with world.session() as db:
        after = kept.counts(db)
        assert {name for name, count in after.items() if count} == {
            "audit_entry",
            "audit_head",
            "data_return",
            "data_return_event",
            "instance_fact",
            "store_confirmation",
        }
        assert audit.verify(db, world.vault.ring) == rows(db, "audit_entry"), "the trail holds"
        events = db.scalars(select(DataReturnEvent)).all()
        assert all(event.body_sealed is None for event in events), "no typed word is left"
        assert db.get_one(DataReturn, world.return_id).closed_at is not None
    with world.vault.engine.connect() as connection:
        assert not connection.scalar(select(func.count()).select_from(SUBJECT_KEY))
    files = {path.name for path in world.settings.keys.rglob("*") if path.is_file()}
    assert files == {"master-audit.key", SIGNING}
    there = {path.name.partition(".sqlite")[0] for path in world.settings.instance.iterdir()}
    assert there - {"portal", "keystore"} == {"closed.json", "destruction", "keys"}
    assert not [path for path in (world.folder / "backups").rglob("*") if path.name != ".lock"]


def test_nothing_typed_is_in_any_byte(gone: Gone) -> None:
    assert gone.found_before, "the search finds what is there"
    roots = [gone.world.settings.instance, gone.world.folder / "backups"]
    found = look([*roots, *server_folders(gone.world.stack.engine)], needles(gone.world))
    assert found.found == ()
    assert found.files > 8


def test_what_the_law_keeps(gone: Gone) -> None:
    folder = gone.world.result / "kept"
    assert {path.name for path in folder.iterdir()} == set(kept_records.WHAT)
    sessions, cases = table(folder / "sessions.csv"), table(folder / "cases.csv")
    packages = {one["delivery_reference"]: one for one in table(folder / "packages.csv")}
    assert sum(int(one["minutes"]) for one in sessions) == 240, "both sides held two hours"
    assert all(packages[one["package"]]["strand"] in ("group", "one_to_one") for one in sessions)
    assert {"number", "kind", "received_at", "state", "clocks_met", "clocks_missed"} < set(cases[0])
    assert len(cases) == gone.before["casefile"]
    with gone.world.session() as db:
        trail = rows(db, "audit_entry")
    said = check(folder / kept_records.TRAIL, [])
    assert f"{trail - 1} lines" in said[1], "all but the line that says that the last certificate was made"


def test_the_certificate_says_everything_and_names_nobody(gone: Gone) -> None:
    said = certificate(gone.world)
    assert (said["package"], said["authority"], said["contract"]) == (PACKAGE, LETTER, "con_9887")
    assert (said["by"], said["witness"]) == ("Operator of the portal", "Information officer")
    assert [one[:2] for one in said["answered_by"]] == ["P-", "P-"]
    methods = {one["store"]: one["method"] for one in said["stores"]}
    assert methods["database"] == "delete"
    assert methods["key store"] == "crypto_erase"
    assert methods["key folder"] == "overwrite"
    assert methods["calendar mails"] == "theirs"
    mailbox = next(one for one in said["stores"] if one["store"] == "shared mailbox")
    assert mailbox == {
        "store": "shared mailbox",
        "holds": "the team's mail",
        "method": "delete",
        "at": "2023-03-01",
        "by": "Systems engineer",
        "witness": "Information officer",
        "expires_on": None,
        "evidence": "T-12",
    }
    assert {one["key"] for one in said["keys_destroyed"]} == {"K1", "I1", "token", "export"}
    counts = {one["table"]: (one["before"], one["after"]) for one in said["counts"]}
    assert counts["person"] == (gone.before["person"], 0)
    assert said["data_keys"]["before"] > 20
    assert said["data_keys"]["after"] == 0
    looked = said["verification"]
    assert looked["server"] is True
    assert looked["planted"] == 3
    assert min(looked["samples"], looked["marks"]) > 5
    assert (said["exceptions"], said["outstanding"]) == ([], [])
    text = json.dumps(said).casefold()
    assert not any(name.casefold() in text for name in (*NAMES, PHONE))


def test_the_certificate_is_signed_and_can_be_read(gone: Gone) -> None:
    folder = gone.world.result
    for name in ("certificate-1.json", "certificate-1.pdf", "certificate-2.json", "certificate-2.pdf"):
        check_signature(folder / name, folder / f"{name}.p7s", folder / "signed-by.crt")
    # By hand, as the Department would.
    names = "-in certificate-1.json.p7s -content certificate-1.json -certfile signed-by.crt -out /dev/null"
    done = subprocess.run(
        f"openssl cms -verify -binary -inform DER -nointern -noverify {names}".split(),
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    paper = PdfReader(folder / "certificate-1.pdf")
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"], "tagged, for those who listen to it"  # type: ignore[index]
    text = " ".join(page.extract_text() for page in paper.pages)
    assert all(word in text for word in ("Certificate of destruction", "shared mailbox", "con_9887"))
    said = " ".join(text.split())
    assert "direction of the Department for Education" in said
    signer = certificate(gone.world)["signer"]
    assert as_openssl_shows(signer) in said.replace(": ", ":"), "whose signature it is"
    assert "-in certificate-1.pdf.p7s -content certificate-1.pdf" in said
    assert "They have no name and no word in them" in said, "why rows are left"
    assert certificate(gone.world, 2)["number"] == 2


def test_the_return_is_at_its_end(gone: Gone) -> None:
    course = gone.world.course
    assert course.next is None
    data = (gone.world.result / "certificate-1.json").read_bytes()
    event = course.event(Step.CERTIFICATE)
    assert event is not None
    assert (event.digests or [""])[0] == hashlib.sha256(data).hexdigest()
    with pytest.raises(InstanceClosed):
        open_instance(gone.world.settings, engine=gone.world.stack.engine, clock=gone.world.clock)


def test_a_sealed_value_of_before_does_not_open(gone: Gone) -> None:
    place = {"table": "person", "column": "name_sealed", "row": gone.world.people[0]}
    with pytest.raises((HolderErased, KeyFault)):
        unseal(DataKeys(gone.world.vault), gone.value, holder=gone.world.people[0], **place)  # type: ignore[arg-type]


def test_traces_are_gone_afterwards(gone: Gone) -> None:
    assert not list(gone.world.result.glob("traces*"))


# ---- what stands against it


def refused(world: Ended) -> str:
    with pytest.raises(DestroyRefused) as refusal:
        world.begin()
    with world.session() as db:
        assert rows(db, "person") == 2, "nothing went"
    assert closing.read(world.settings.instance) is None
    return str(refusal.value)


def test_every_store_is_confirmed_first(small: Ended) -> None:
    small.confirm("escrow", "shared mailbox")
    assert "not confirmed yet: shared mailbox, escrow" in refused(small)
    small.confirm_one("escrow", method=Method.NONE)
    small.confirm_one("shared mailbox")
    small.begin()


def test_another_receipt_is_refused(small: Ended) -> None:
    small.confirm()
    other = small.folder / "other.p7s"
    other.write_bytes((small.folder / "receipt.p7s").read_bytes()[:-1] + b"x")
    small.order = replace(small.order, receipt=other)
    assert "is not the receipt that was recorded" in refused(small)
    small.order = replace(small.order, receipt=None)
    assert "--receipt FILE" in refused(small)


def test_what_was_written_since_the_package_is_not_lost(small: Ended) -> None:
    small.confirm()
    with small.work() as work:
        work.record(audit.Action.CASE_OPENED, object="case:x", kind="access", channel="post")
    assert "case.opened (1)" in refused(small)


def test_what_was_written_while_it_was_built_is_not_lost_either(small: Ended) -> None:
    """The package says where its trail ends: the clock does not tell who came first."""
    with small.session() as db:
        held = db.scalar(select(func.max(AuditEntry.seq))) or 0
        course = small.course
    built = DataReturnEvent(
        number=1,
        step=Step.BUILD,
        act=Act.DONE,
        at=small.clock() + timedelta(hours=1),
        numbers={packaging.TRAIL_LINES: held},
    )
    course = Course(course.of, [built])
    with small.work() as work:
        work.record(audit.Action.CASE_OPENED, object="case:x", kind="access", channel="post")
    with small.session() as db, pytest.raises(DestroyRefused, match=r"case\.opened \(1\)"):
        destruction_checks.require_unchanged(db, course)


def test_a_name_where_a_role_belongs_is_refused(small: Ended) -> None:
    small.confirm()
    with pytest.raises(ConfirmationRefused, match="names somebody"):
        small.confirm_one("log", witness=f"our colleague {NAMES[1].upper()}")
    small.order = replace(small.order, witness=f"{NAMES[0]}, officer")
    assert "named in what is kept, where a role belongs: --witness" in refused(small)


def test_a_dry_run_changes_nothing(world: Ended) -> None:
    world.confirm("escrow")
    with world.session() as db:
        before = kept.counts(db)
        found = destruction.dry_run(world.left, db, world.course, world.order)
        assert kept.counts(db) == before
    tables = {name: (count, stays) for name, count, stays in found.tables}
    assert tables["person"] == (before["person"], 0)
    assert tables["audit_entry"][0] == tables["audit_entry"][1], "the trail stays"
    assert found.data_keys > 2
    assert set(found.keys) >= {"K1", "I1", "audit"}
    assert [line.store.name for line in found.stores if line.waits] == ["escrow"]
    assert found.against == ["not confirmed yet: escrow"]
    assert (world.folder / "backups", True) in found.backups
    assert world.instance.outbox in found.files


# ---- legal holds


def test_what_is_under_a_hold_stays_and_opens(large: Ended) -> None:
    with large.session() as db:
        goal = db.scalars(select(Goal).where(Goal.participation_id.is_not(None)).order_by(Goal.id)).first()
        assert goal is not None
        words = goal.text
        person_id = db.scalar(
            select(Record.metadata.tables["participation"].c.person_id).where(
                Record.metadata.tables["participation"].c.id == goal.participation_id
            )
        )
        goal_id = goal.id
    assert person_id is not None
    assert words
    with large.work() as work:
        erasure.place_hold(
            work, person_id=person_id, cause=Cause.LEGAL, reason="A claim", item=("goal", goal_id)
        )
        work.lines.clear()
    large.confirm()

    large.destroy()

    with large.session() as db:
        assert db.get_one(Goal, goal_id).text == words, "the held row opens, with a key of its own"
        assert rows(db, "goal") == 1
        assert rows(db, "response") == 0
        leader = db.get_one(Person, person_id)
        assert leader.name is None, "it is led to, without a name"
        assert rows(db, "person") == 1
    assert set(load_left(large.settings.keys).keks) == {"K2"}
    exceptions = certificate(large)["exceptions"]
    assert {one["what"] for one in exceptions} == {"table goal", "table legal_hold"}
    assert all("Article 17(3)" in one["ground"] and one["review_on"] for one in exceptions)


def test_a_person_under_a_hold_stays_whole(small: Ended) -> None:
    held, other = small.people
    with small.work() as work:
        erasure.place_hold(work, person_id=held, cause=Cause.ACCESS, reason="They asked for it")
        work.lines.clear()
    small.confirm()

    small.destroy()

    with small.session() as db:
        assert db.get_one(Person, held).name == NAMES[0]
        assert db.get(Person, other) is None
        assert rows(db, "office") == 1


# ---- stopped, and gone on with


def test_it_goes_on_where_it_was_stopped(world: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step in turn does its work, and is stopped before that is written down."""
    world.confirm()
    for step, act in list(STEPS.items()):

        def stops(places: Places, journal: Journal, act: Act_ = act) -> destroy.Facts:
            act(places, journal)
            raise OSError("the machine went down")

        monkeypatch.setitem(STEPS, step, stops)
        with pytest.raises(OSError, match="the machine went down"):
            world.destroy()
        monkeypatch.setitem(STEPS, step, act)
        world.stack.engine.dispose()

    world.destroy()

    with world.session() as db:
        assert rows(db, "person") == 0
        begun = select(DataReturnEvent).where(DataReturnEvent.step == Step.DESTROY)
        assert [event.act for event in db.scalars(begun.order_by(DataReturnEvent.number))][2:] == [
            Act.BEGUN,
            Act.DONE,
        ]
    assert certificate(world)["counts"]


def test_a_line_that_was_cut_off_is_no_step(small: Ended) -> None:
    journal = Journal(small.folder / "journal")
    journal.note("one", at=small.clock(), count=1)
    path = small.folder / "journal" / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step":"two","at":"2023')
    assert list(journal.entries()) == ["one"]
    journal.note("two", at=small.clock())
    assert list(journal.entries()) == ["one", "two"]


# ---- proof


def test_what_is_left_is_found_and_nothing_is_certified(
    small: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.confirm()
    (small.folder / "logs").mkdir()
    small.order = replace(small.order, look_in=[small.folder / "logs"])
    keep = STEPS["traces"]

    def leaks(places: Places, journal: Journal) -> destroy.Facts:
        facts = keep(places, journal)
        planted = small.instance.outbox
        (small.folder / "logs" / "app.log").write_bytes(
            b"".join(path.read_bytes() for path in planted.glob("*.txt"))
        )
        return facts

    monkeypatch.setitem(STEPS, "traces", leaks)
    with pytest.raises(NotDestroyed) as found:
        small.destroy()
    assert [str(small.folder / "logs" / "app.log") in line for line in found.value.left] == [True]
    assert not (small.result / "certificate-1.json").exists()
    assert not small.course.done(Step.VERIFIED)

    (small.folder / "logs" / "app.log").unlink()
    small.destroy()
    assert small.course.done(Step.CERTIFICATE)


def test_a_row_that_came_back_is_found(small: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    small.confirm()
    small.begin()
    scrub = STEPS["scrub"]

    def writes(places: Places, journal: Journal) -> destroy.Facts:
        with small.work() as work:
            work.db.execute(
                Record.metadata.tables["council"].insert(),
                [
                    {"id": small.return_id, "gss": "E1", "code": "C", "name": "N", "short_name": "N"}
                    | {"kind": "county", "region": "R", "replaced_by": []}
                ],
            )
        return scrub(places, journal)

    monkeypatch.setitem(STEPS, "scrub", writes)
    with pytest.raises(NotDestroyed, match="table council holds 1 rows too many"):
        small.destroy()


def test_a_key_that_came_back_is_found(small: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    small.confirm()
    key = small.settings.keys / "kek-K1.key"
    data = key.read_bytes()
    scrub = STEPS["scrub"]

    def restores(places: Places, journal: Journal) -> destroy.Facts:
        key.write_bytes(data)
        return scrub(places, journal)

    monkeypatch.setitem(STEPS, "scrub", restores)
    with pytest.raises(NotDestroyed, match="key K1 is still there"):
        small.destroy()
    key.unlink()
    small.destroy()


def test_a_name_in_what_is_kept_is_found(small: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    small.confirm()
    scrub = STEPS["scrub"]

    def writes(places: Places, journal: Journal) -> destroy.Facts:
        (small.result / "kept" / "note.txt").write_text("Ring 01632 960 777, said ashdown, Wilfred Ashdown.")
        return scrub(places, journal)

    monkeypatch.setitem(STEPS, "scrub", writes)
    with pytest.raises(NotDestroyed, match=r"line 1 of note\.txt names somebody"):
        small.destroy()


def test_whoever_still_reads_is_waited_for(small: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destroy, "TRIES", 1)
    small.confirm()
    with small.stack.engine.connect() as reader:
        reader.exec_driver_sql("select count(*) from person").scalar()
        with pytest.raises(StillInUse):
            destroy.rebuild(small.stack.engine)
    destroy.rebuild(small.stack.engine)


def test_on_postgresql_too(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that may still see what was deleted would take it along into the new files."""
    monkeypatch.setattr(destroy, "TRIES", 1)
    engine = open_engine(fresh_database(postgres_server, name="still_read"))
    other = open_engine(engine.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        connection.exec_driver_sql("create table person as select 'Wilfred Ashdown' as name")
    with other.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        reader.exec_driver_sql("select count(*) from person").scalar()
        with engine.begin() as connection:
            connection.exec_driver_sql("delete from person")
        with pytest.raises(StillInUse):
            destroy.rebuild(engine)
    destroy.rebuild(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select pg_relation_size('person')").scalar_one() == 0
    engine.dispose()
    other.dispose()


# ---- the last backup


def test_a_second_certificate_follows_when_the_last_backup_has_gone(small: Ended) -> None:
    folder, away = small.folder / "backups", small.folder / "away"
    small.confirm()
    small.confirm_one("log", method=Method.EXPIRY, expires_on=date(2023, 4, 1))
    folder.rename(away)

    done = small.destroy()

    assert [one.what for one in done.outstanding] == ["Backups in folder 1", "Log"]
    said = closing.read(small.settings.instance)
    assert said is not None
    assert said.outstanding
    assert said.last_on == date(2023, 4, 1)
    assert destruction_last.settle(small.left) == [], "neither has gone"
    away.rename(folder)
    assert destruction_last.settle(small.left) == []
    assert not list(folder.glob("data/*")), "what can be reached again is removed at once"
    small.clock.now += timedelta(days=40)

    assert destruction_last.settle(small.left) == [small.reference]

    assert certificate(small, 2)["outstanding"] == []
    assert small.course.next is None
    said = closing.read(small.settings.instance)
    assert said is not None
    assert not said.outstanding
    with small.vault.engine.connect() as connection:
        assert not connection.scalar(select(func.count()).select_from(SUBJECT_KEY)), "the ledger went last"
    assert destruction_last.settle(small.left) == []


def test_backups_that_never_come_back_are_confirmed_by_hand(small: Ended) -> None:
    (small.folder / "backups").rename(small.folder / "lost")
    small.confirm()
    small.destroy()
    small.clock.pass_time(minutes=1)
    assert "backups" in small.to_confirm()

    small.confirm_one("backups", method=Method.OVERWRITE)

    assert destruction_last.settle(small.left) == [small.reference]


def test_kept_until() -> None:
    assert kept_records.kept_until(date(2024, 3, 31), (3, 31)) == date(2030, 3, 31)
    assert kept_records.kept_until(date(2024, 4, 1), (3, 31)) == date(2031, 3, 31)
