"""Destroying a part: one person or one council goes, everybody else stays, and the site goes on."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.models import CouncilFact, Office, Participation, Person
from portal.returning import closing, destruction, destruction_checks, destruction_last, opening
from portal.returning.destruction_checks import DestroyRefused
from privacy import erasure, ledger, registers
from privacy.audit import Action
from privacy.backup_folder import read_tombstones
from privacy.errors import Frozen
from privacy.keystore import SUBJECT_KEY
from privacy.registers import Register
from privacy.returns.course import Scope, ScopeKind, Step
from privacy.returns.searching import look
from privacy.returns.stores import Method
from privacy.returns.tables import DataReturn
from privacy.rights import Cause
from privacy.work import unit_of_work
from tests.ended_world import LETTER, NAMES, Ended, backed_up, ended, walk_to_destroy
from tests.postgres import fresh_database
from tests.rules.test_erasure import instruct, replaced


def databases(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    server: str = request.getfixturevalue("postgres_server")
    return {
        "DATABASE_URL": fresh_database(server, name="part"),
        "KEYSTORE_URL": fresh_database(server, name="part_keystore"),
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ended]:
    made = ended(tmp_path, databases(request), large=True, walk=False)
    yield made
    made.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ended]:
    made = ended(tmp_path, databases(request), walk=False)
    yield made
    made.end()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Ended]:
    """On the embedded database alone: for what no database has a part in."""
    made = ended(tmp_path, {}, walk=False)
    yield made
    made.end()


def directed(world: Ended, scope: Scope) -> None:
    """A return of a part, as far as destroying."""
    with world.session() as db:
        people = opening.people_in(db, scope)
    with world.work() as work:
        returned = work.db.get_one(DataReturn, world.return_id)
        returned.scope, returned.kind = str(scope), "partial"  # type: ignore[assignment]
        returned.people = [str(one) for one in people]
    walk_to_destroy(world)


def certificate(world: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.result / "certificate-1.json").read_text())
    return found


def test_one_person_goes(world: Ended) -> None:
    gone, stays = world.people
    directed(world, Scope(ScopeKind.PERSON, gone))
    assert set(world.to_confirm()) == {"shared mailbox", "return packages"}, "the site's own stores go on"
    world.confirm()

    done = world.destroy()

    assert closing.read(world.settings.instance) is None, "the site goes on"
    with world.session() as db:
        assert db.get(Person, gone) is None
        assert db.get_one(Person, stays).name == NAMES[1]
        assert not db.scalars(select(Office).where(Office.person_id == gone)).all()
    assert ledger.is_erased(world.vault.engine, gone)
    assert gone in read_tombstones(world.folder / "backups"), "no restore brings them back"
    said = certificate(world)
    assert said["scope"] == "The data of one person"
    counts = {one["table"]: (one["before"], one["after"]) for one in said["counts"]}
    assert counts["person"] == (1, 0)
    assert {one["store"] for one in said["stores"]} == {
        *("database", "key store", "backups", "export folder", "outbox folder"),
        *("shared mailbox", "return packages"),
    }
    assert [one.what for one in done.outstanding] == ["Backups in folder 1"]
    assert world.course.done(Step.CERTIFICATE)
    assert not world.course.done(Step.LAST_BACKUP)


def test_one_council_goes_with_its_people(large: Ended) -> None:
    first, second = large.sides
    with large.session() as db:
        leader = db.get_one(Person, first.leader)
        assert leader.name
        known = [office.council_id for office in leader.offices]
    directed(large, Scope(ScopeKind.COUNCIL, first.council))
    assert first.council in known
    large.confirm()

    large.destroy()

    with large.session() as db:
        for one in map(UUID, large.course.of.people or ()):
            person = db.get(Person, one)
            assert person is None or person.name is None
        facts = db.scalars(select(CouncilFact).where(CouncilFact.council_id == first.council)).all()
        assert facts, "that it was inspected is public, and stays"
        assert all(fact.evidence_sealed is None and fact.agreed_with_sealed is None for fact in facts)
        assert db.get_one(Person, second.leader).name, "everybody else is there"
        others = select(CouncilFact).where(CouncilFact.council_id == second.council)
        assert any(fact.evidence for fact in db.scalars(others))
        supported = db.scalars(select(Participation).where(Participation.person_id.is_(None))).all()
        assert supported, "that they were supported counts, without them"
    with large.vault.engine.connect() as connection:
        asked = select(SUBJECT_KEY.c.wrapped).where(SUBJECT_KEY.c.holder_id == first.council)
        assert connection.scalars(asked).all() == [None], "and so has the council's own key"
    assert not look([large.settings.instance], [b"firstleaderevidence"]).found


def test_a_second_certificate_when_the_backups_with_them_have_gone(small: Ended) -> None:
    directed(small, Scope(ScopeKind.PERSON, small.people[0]))
    small.confirm()
    small.destroy()
    assert destruction_last.settle(small.left) == []
    small.clock.now += timedelta(days=40)
    backed_up(small)
    assert destruction_last.settle(small.left) == [], "the old one is still there"

    backed_up(small, keep=1)

    assert destruction_last.settle(small.left) == [small.reference]
    assert (small.result / "certificate-2.pdf").is_file()
    assert small.course.next is None
    assert ledger.is_erased(small.vault.engine, small.people[0]), "the ledger of a site that goes on stays"


def test_what_is_under_a_hold_is_an_exception(small: Ended) -> None:
    held = small.people[0]
    with small.work() as work:
        erasure.place_hold(work, person_id=held, cause=Cause.LEGAL, reason="A claim")
        work.lines.clear()
    directed(small, Scope(ScopeKind.PERSON, held))
    small.confirm()

    small.destroy()

    with small.session() as db:
        assert db.get_one(Person, held).name == NAMES[0]
    exceptions = certificate(small)["exceptions"]
    assert [one["what"] for one in exceptions] == ["table person"]


def test_a_dry_run_counts_the_part_alone(small: Ended) -> None:
    gone, stays = small.people
    with small.work() as work:
        erasure.place_hold(work, person_id=stays, cause=Cause.LEGAL, reason="A claim")
        work.lines.clear()
    directed(small, Scope(ScopeKind.PERSON, gone))
    with small.session() as db:
        found = destruction.dry_run(small.left, db, small.course, small.order)
    assert ("person", 1, 0) in found.tables
    assert (found.keys, found.files, found.backups) == ({}, (), ())
    assert not found.exceptions, "what is held of others is no part of it"
    assert found.data_keys == 1
    assert {line.store.name: line.method for line in found.stores}["backups"] is Method.EXPIRY
    assert not small.result.exists(), "nothing was begun"


def test_what_others_do_meanwhile_stands_against_nothing(small: Ended) -> None:
    """The site goes on for them; only what concerns the part has to be in the package."""
    gone, stays = small.people
    directed(small, Scope(ScopeKind.PERSON, gone))
    small.confirm()
    for person_id, against in ((stays, 0), (gone, 1)):
        with small.work() as work:
            work.record(
                Action.PERSON_ADDED, object=f"person:{person_id}", holder=person_id, role="lead_member"
            )
        with small.session() as db:
            found = destruction_checks.against(small.left, db, small.course, small.order)
        assert len(found) == against, found
    assert "person.added (1)" in found[0]


def test_an_authority_that_was_replaced_stands_against_it(small: Ended) -> None:
    gone, _ = small.people
    directed(small, Scope(ScopeKind.PERSON, gone))
    small.confirm()
    instruct(small.stack, LETTER)
    replaced(small.stack, LETTER)
    with pytest.raises(DestroyRefused, match=f"{LETTER} was replaced by INSTR 13"):
        small.destroy()
    with small.session() as db:
        assert db.get_one(Person, gone).name == NAMES[0]


def test_an_authority_that_is_replaced_once_it_was_begun_takes_nothing_back(small: Ended) -> None:
    gone, _ = small.people
    directed(small, Scope(ScopeKind.PERSON, gone))
    small.confirm()
    instruct(small.stack, LETTER)
    small.begin()
    replaced(small.stack, LETTER)
    small.destroy()
    with small.session() as db:
        assert db.get(Person, gone) is None
        letters = [entry.letter for entry in registers.entries(db, Register.INSTRUCTION)]
        assert sorted(letters) == sorted([LETTER, "INSTR 13"]), "it is not entered again"


def test_the_part_stands_still_and_the_rest_moves(small: Ended) -> None:
    directed(small, Scope(ScopeKind.PERSON, small.people[0]))
    with (
        pytest.raises(Frozen),
        small.session() as db,
        unit_of_work(db, small.clock, "system:test") as work,
    ):
        work.db.get_one(Person, small.people[0]).name = "Somebody Else"
    with small.session() as db, unit_of_work(db, small.clock, "system:test") as work:
        work.db.get_one(Person, small.people[1]).name = "Somebody Else"
