"""Erasure: what goes, what stays, in three steps that can each be repeated; nobody else's row is touched."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.mailing import post
from portal.mailing import queue as mail
from portal.models import Delegation, Goal, Mail, Office, Package, PackageState, Participation, Person, Strand
from portal.packages import endings
from portal.results import kpi as reports
from privacy import audit, erasure, ledger, purge, reach, registers
from privacy.columns import sealed_columns
from privacy.engines import open_engine
from privacy.erasure import NobodyThere, NoInstruction, NotInForce, Places
from privacy.keystore import SUBJECT_KEY, Vault
from privacy.records import new_id
from privacy.registers import Register
from privacy.rights import Cause, Erasure, ErasureState, LegalHold
from privacy.scrub import vacuum
from privacy.sparing import NotTheirs
from privacy.work import unit_of_work
from surveys import versions
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.counts import count
from tests.factories import Factory
from tests.two_sides import TYPED, Side

LETTER = "INSTR 12"
Sides = tuple[Side, Side]


def places_of(stack: Stack, spread: Callable[[], object] = lambda: None) -> Places:
    vault = stack.instance.vault
    return Places(
        lambda: DbSession(stack.engine, info={"vault": vault}), vault, stack.clock, spread, lambda: None
    )


def instruct(stack: Stack, letter: str = LETTER) -> None:
    with (
        DbSession(stack.engine, info={"vault": stack.instance.vault}) as db,
        unit_of_work(db, stack.clock, "system:test") as work,
    ):
        registers.enter(
            work, register=Register.INSTRUCTION, letter=letter, from_on=stack.clock().date(), body="Erase."
        )


def replaced(stack: Stack, letter: str = LETTER, by: str = "INSTR 13") -> None:
    """A later instruction takes the place of the newest with a reference."""
    with (
        DbSession(stack.engine, info={"vault": stack.instance.vault}) as db,
        unit_of_work(db, stack.clock, "system:test") as work,
    ):
        known = registers.entries(db, Register.INSTRUCTION)
        old = next(entry.id for entry in known if entry.letter == letter)
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter=by,
            from_on=stack.clock().date(),
            replaces_id=old,
            body="Do not.",
        )


@pytest.fixture
def places(stack: Stack) -> Places:
    instruct(stack)
    return places_of(stack)


@pytest.fixture
def sides(stack: Stack, make: Factory) -> Sides:
    versions.publish_shipped(make.db, stack.clock)
    made = Side(make, "first"), Side(make, "second")
    make.db.rollback()
    return made


@pytest.fixture
def first(stack: Stack, make: Factory) -> Side:
    versions.publish_shipped(make.db, stack.clock)
    made = Side(make, "first")
    make.db.rollback()
    return made


def begin(places: Places, person_id: UUID, letter: str = LETTER) -> None:
    with places.sessions() as db, unit_of_work(db, places.clock, "system:test") as work:
        erasure.begin(work, person_id=person_id, letter=letter)


def erase(places: Places, person_id: UUID) -> None:
    begin(places, person_id)
    erasure.finish(places)


def hold(places: Places, person_id: UUID, item: tuple[str, UUID] | None = None) -> UUID:
    with places.sessions() as db, unit_of_work(db, places.clock, "system:test") as work:
        return erasure.place_hold(
            work, person_id=person_id, cause=Cause.LEGAL, reason="A claim", item=item
        ).id


def state(places: Places, person_id: UUID) -> ErasureState:
    with places.sessions() as db:
        found = db.scalars(select(Erasure.state).where(Erasure.person_id == person_id)).one()
        return ErasureState(found)


def rows(places: Places) -> dict[str, set[str]]:
    """Every row of every table but the trail's and the erasures', whole."""
    with places.sessions() as db:
        return {
            table.name: {repr(tuple(row)) for row in db.execute(select(table))}
            for table in reach.tables()
            if not table.name.startswith(("audit", "erasure"))
        }


def about(places: Places, person_id: UUID) -> dict[str, int]:
    """How many rows of each table still lead to somebody."""
    with places.sessions() as db:
        counted = {
            table.name: db.scalar(
                select(func.count()).select_from(table).where(reach.about(table, person_id))
            )
            for table in reach.personal_tables()
        }
    return {name: number for name, number in counted.items() if number}


# ---- what goes


def test_whoever_took_part_is_gone_and_the_other_side_is_as_it_was(places: Places, sides: Sides) -> None:
    first, second = sides
    others = {getattr(second, name) for name in ("leader", "member", "former", "colleague", "mentor")}
    before = {other: about(places, other) for other in others}
    for person_id in (first.leader, first.member, first.former, first.colleague):
        was = rows(places)
        with places.sessions() as db:
            plan = erasure.plan(db, person_id)
        assert rows(places) == was, "a dry run changes nothing"
        erase(places, person_id)
        assert about(places, person_id) == {}
        assert {other: about(places, other) for other in others} == before
        with places.sessions() as db:
            done = db.scalars(select(Erasure).where(Erasure.person_id == person_id)).one()
            assert done.state is ErasureState.ERASED
            assert {tuple(line) for line in done.report} == {
                (line.table, line.gone, line.emptied) for line in plan.lines if line.gone or line.emptied
            }
    with places.sessions() as db:
        assert audit.verify(db, places.vault.ring)


def test_the_participation_still_counts_as_supported(
    places: Places, first: Side, stack: Stack, db: DbSession
) -> None:
    as_of = stack.clock().date()
    before = {one.strand: one for one in reports.kpi(db, stack.instance.programme, as_of=as_of)}
    db.rollback()
    erase(places, first.leader)
    after = {one.strand: one for one in reports.kpi(db, stack.instance.programme, as_of=as_of)}
    one = Strand.ONE_TO_ONE
    assert after[one].supported == before[one].supported
    assert after[one].erased == before[one].erased + 1


def test_a_mentor_whose_sessions_count_leaves_an_empty_row(
    places: Places, first: Side, db: DbSession
) -> None:
    erase(places, first.mentor)
    assert about(places, first.mentor) == {"person": 1}
    left = db.get_one(Person, first.mentor)
    assert (left.name, left.email, left.phone, left.email_index) == (None, None, None, None)
    assert state(places, first.mentor) is ErasureState.ERASED


def test_nothing_is_queued_to_a_mentor_who_was_erased(
    places: Places, first: Side, db: DbSession, stack: Stack
) -> None:
    """Their session is still there for its leader, and is called off."""
    erase(places, first.mentor)
    with unit_of_work(db, stack.clock, "system:test") as work:
        bookings.cancel(work, session_id=first.session)
    assert about(places, first.mentor) == {"person": 1}
    told = db.scalars(select(Mail.person_id).where(Mail.template == "session", Mail.about == first.session))
    assert first.leader in set(told)


def test_support_of_somebody_who_was_erased_can_end_and_nothing_is_written_of_it(
    places: Places, first: Side, db: DbSession, stack: Stack
) -> None:
    with unit_of_work(db, stack.clock, "system:test") as work:
        bookings.cancel(work, session_id=first.session)
        part = work.db.get_one(Participation, first.part)
        package_id = part.package_id
        work.db.get_one(Package, package_id).state = PackageState.ACTIVE
    erase(places, first.leader)
    with unit_of_work(db, stack.clock, "system:test") as work:
        endings.end(
            work, stack.instance.programme, package_id=package_id, on=stack.clock().date(), reason="Why"
        )
    ended = db.get_one(Package, package_id)
    assert (ended.state, ended.short_reason) == (PackageState.ENDED, None)


def test_the_name_that_a_leader_gave_an_assistant_goes_with_the_assistant(
    places: Places, make: Factory, db: DbSession, stack: Stack
) -> None:
    """It is sealed with the leader's key, which stays."""
    leader, assistant = make.person().id, make.person().id
    with unit_of_work(db, stack.clock, "system:test") as work:
        named = Delegation(
            id=new_id(),
            leader_id=leader,
            assistant_id=assistant,
            from_on=stack.clock().date(),
            named_at=work.now,
            named_by=work.actor,
        )
        named.called = "Ada Aide"
        work.db.add(named)
    erase(places, assistant)
    db.rollback()
    assert db.scalars(select(Delegation)).all() == []
    assert about(places, assistant) == {}
    assert about(places, leader)["person"] == 1


def test_what_was_written_of_a_package_goes_with_the_last_person_in_it(
    places: Places, first: Side, db: DbSession
) -> None:
    group = db.get_one(Package, first.group)
    assert group.title
    db.rollback()
    erase(places, first.member)
    assert db.get_one(Package, first.group).title, "the others are in it"
    db.rollback()
    others = db.scalars(select(Participation.person_id).where(Participation.package_id == first.group)).all()
    db.rollback()
    for other in others:
        if other is not None:
            erase(places, other)
    db.expire_all()
    assert db.get_one(Package, first.group).title is None
    goals = db.scalars(select(Goal).where(Goal.package_id == first.group)).all()
    assert [goal.text for goal in goals] == [None] * len(goals)
    assert ledger.is_erased(places.vault.engine, first.group)


def test_the_keys_are_destroyed_and_their_rows_are_the_ledger(
    places: Places, first: Side, stack: Stack
) -> None:
    erase(places, first.leader)
    with places.vault.engine.connect() as connection:
        found = connection.execute(
            select(SUBJECT_KEY).where(SUBJECT_KEY.c.holder_id.in_([first.leader, first.part]))
        ).all()
    assert {row.holder_id for row in found} == {first.leader, first.part}
    assert {(row.wrapped, row.destroyed_on, row.instruction) for row in found} == {
        (None, stack.clock().date(), LETTER)
    }
    assert places.vault.keys([first.leader]) == {first.leader: {}}
    places.vault.create([first.leader])
    assert places.vault.keys([first.leader]) == {first.leader: {}}, "nobody makes a key for them again"


# ---- grounds


def test_nobody_is_erased_without_an_instruction(places: Places, make: Factory) -> None:
    person = make.person()
    with pytest.raises(NoInstruction):
        begin(places, person.id, letter="another")
    assert about(places, person.id)["person"] == 1


def test_an_instruction_of_tomorrow_is_none_today(
    places: Places, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = make.person()
    with unit_of_work(db, clock, "system:test") as work:
        day = clock().date() + timedelta(days=1)
        registers.enter(work, register=Register.INSTRUCTION, letter="LATER", from_on=day)
    with pytest.raises(NotInForce, match="LATER is not in force before 2 March 2023"):
        begin(places, person.id, letter="LATER")


def test_an_instruction_that_was_replaced_is_none(places: Places, make: Factory, stack: Stack) -> None:
    person = make.person()
    replaced(stack)
    with pytest.raises(NotInForce, match="INSTR 12 was replaced by INSTR 13"):
        begin(places, person.id)
    assert about(places, person.id)["person"] == 1
    begin(places, person.id, letter="INSTR 13")
    assert about(places, person.id) == {}


def test_an_instruction_that_was_entered_anew_under_its_reference_holds(
    places: Places, make: Factory, stack: Stack
) -> None:
    person = make.person()
    replaced(stack, by=LETTER)
    begin(places, person.id)
    assert about(places, person.id) == {}


def test_what_was_begun_under_an_instruction_goes_on_when_it_is_replaced(
    places: Places, make: Factory, stack: Stack
) -> None:
    one, other = make.person().id, make.person().id
    make.db.rollback()
    placed = hold(places, one)
    begin(places, one)
    begin(places, other)
    replaced(stack)
    erasure.finish(places)
    assert state(places, other) is ErasureState.ERASED
    with places.sessions() as db, unit_of_work(db, places.clock, "system:test") as work:
        erasure.lift_hold(work, hold_id=placed)
    erasure.finish(places)
    assert state(places, one) is ErasureState.ERASED
    assert ledger.is_erased(places.vault.engine, one)


def test_nobody_there_is_said(places: Places) -> None:
    with pytest.raises(NobodyThere):
        begin(places, new_id())
    with places.sessions() as db, pytest.raises(NobodyThere):
        erasure.plan(db, new_id())


# ---- holds


def test_a_hold_on_everything_makes_it_wait_and_lifting_it_erases(places: Places, first: Side) -> None:
    placed = hold(places, first.leader)
    was = rows(places)
    erase(places, first.leader)
    assert state(places, first.leader) is ErasureState.HELD
    assert rows(places) == was
    with places.sessions() as db, unit_of_work(db, places.clock, "system:test") as work:
        assert erasure.plan(db, first.leader).held
        erasure.lift_hold(work, hold_id=placed)
    erasure.finish(places)
    assert state(places, first.leader) is ErasureState.ERASED
    assert about(places, first.leader) == {}


def test_a_held_item_stays_readable_and_the_rest_goes(places: Places, first: Side, db: DbSession) -> None:
    goal_id, text = db.execute(
        select(Goal.id, Goal.text_sealed).where(Goal.participation_id == first.part)
    ).one()
    placed = hold(places, first.leader, ("goal", goal_id))
    db.rollback()
    erase(places, first.leader)
    assert state(places, first.leader) is ErasureState.HELD
    assert set(about(places, first.leader)) == {"goal", "participation", "respondent", "person", "legal_hold"}
    kept = db.get_one(Goal, goal_id)
    assert kept.text_sealed == text
    assert kept.text
    assert db.get_one(LegalHold, placed).reason == "A claim"
    person = db.get_one(Person, first.leader)
    assert (person.name, person.email, person.email_index) == (None, None, None)
    assert ledger.is_erased(places.vault.engine, first.leader)
    assert not ledger.is_erased(places.vault.engine, first.part)
    db.rollback()
    with unit_of_work(db, places.clock, "system:test") as work:
        erasure.lift_hold(work, hold_id=placed)
    erasure.finish(places)
    assert state(places, first.leader) is ErasureState.ERASED
    assert about(places, first.leader) == {}
    assert ledger.is_erased(places.vault.engine, first.part)


def test_a_hold_names_a_row_of_the_person(places: Places, make: Factory, db: DbSession) -> None:
    council, person, other = make.council(), make.person(), make.person()
    office = db.scalars(select(Office.id).where(Office.person_id == other.id)).one()
    ids = person.id, council.id
    make.db.rollback()
    with pytest.raises(NotTheirs):
        hold(places, ids[0], ("office", office))
    with pytest.raises(NotTheirs):
        hold(places, ids[0], ("council", ids[1]))


# ---- again, interrupted, killed


def test_each_step_can_be_repeated(places: Places, first: Side) -> None:
    begin(places, first.leader)
    assert state(places, first.leader) is ErasureState.ERASING
    with pytest.raises(NobodyThere):
        begin(places, first.leader)
    assert erasure.finish(places) == 1
    was = rows(places)
    assert erasure.finish(places) == 0
    assert rows(places) == was


def test_a_backup_folder_out_of_reach_leaves_it_for_the_next_time(stack: Stack, first: Side) -> None:
    instruct(stack)

    def away() -> None:
        raise OSError("the disk is not mounted")

    begin(places_of(stack), first.leader)
    with pytest.raises(OSError, match="mounted"):
        erasure.finish(places_of(stack, away))
    assert state(places_of(stack), first.leader) is ErasureState.ERASING
    assert ledger.is_erased(stack.instance.vault.engine, first.leader), "the keys are gone all the same"
    told: list[str] = []
    erasure.finish(places_of(stack, lambda: told.append("copied")))
    assert told == ["copied"]
    assert state(places_of(stack), first.leader) is ErasureState.ERASED


def test_killed_at_any_point_it_is_before_or_after_and_goes_on(stack: Stack, make: Factory) -> None:
    """Real processes, ended by SIGKILL at random points of an erasure."""
    instruct(stack)
    places = places_of(stack)
    chance = random.Random(5)
    began = time.perf_counter()
    erase(places, _somebody(make))
    whole = time.perf_counter() - began
    before = after = 0
    for _ in range(count(5, 50)):
        person_id = _somebody(make)
        process = multiprocessing.get_context("fork").Process(target=_erase_alone, args=(stack, person_id))
        process.start()
        time.sleep(chance.uniform(0, whole * 2.5))
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        with places.sessions() as db:
            begun = db.scalars(select(Erasure.state).where(Erasure.person_id == person_id)).all()
        if begun:
            after += 1
            assert about(places, person_id) == {}
            erasure.finish(places)
            assert state(places, person_id) is ErasureState.ERASED
            assert ledger.is_erased(places.vault.engine, person_id)
        else:
            before += 1
            assert {
                name: about(places, person_id)[name] for name in ("person", "office", "participation")
            } == {"person": 1, "office": 1, "participation": 1}
            with places.sessions() as db:
                assert db.get_one(Person, person_id).name == "Ada Lead"
    with places.sessions() as db:
        assert audit.verify(db, places.vault.ring)
    assert before + after == count(5, 50)


def _somebody(make: Factory) -> UUID:
    person = make.person("Ada Lead")
    make.package(person)
    person_id = person.id
    # A transaction that reads keeps the log from being cut.
    make.db.rollback()
    return person_id


def _erase_alone(stack: Stack, person_id: UUID) -> None:
    """What the child runs, on engines of its own."""
    settings = stack.instance.settings
    engine = open_engine(settings.database_url)
    vault = Vault(stack.instance.vault.ring, open_engine(settings.keystore_url), stack.clock)
    alone = Places(
        lambda: DbSession(engine, info={"vault": vault}), vault, stack.clock, lambda: None, lambda: None
    )
    erase(alone, person_id)
    os._exit(0)


# ---- restored, replayed


def test_somebody_who_was_erased_does_not_come_back_with_a_backup(
    places: Places, sides: Sides, stack: Stack, db: DbSession
) -> None:
    """P-e: the rows of a backup are loaded, and the ledger is replayed before anybody can sign in."""
    first, second = sides
    backup = {table: [dict(row) for row in db.execute(select(table)).mappings()] for table in reach.tables()}
    others = about(places, second.leader)
    db.rollback()
    erase(places, first.leader)
    load(stack, backup)
    assert about(places, first.leader)["person"] == 1
    assert erasure.replay(places.sessions, places.vault, places.clock) == 1
    assert about(places, first.leader) == {}
    assert about(places, second.leader) == others
    assert erasure.replay(places.sessions, places.vault, places.clock) == 0
    package = db.get_one(Package, first.package)
    assert package.title is None
    with places.sessions() as read:
        assert audit.verify(read, places.vault.ring)
        for name in ("leader", "member", "mentor"):
            assert read.get_one(Person, getattr(second, name)).name


def load(stack: Stack, backup: dict[Any, list[dict[str, Any]]]) -> None:
    with stack.engine.begin() as connection:
        for table in reversed(reach.tables()):
            connection.execute(table.delete())
        for table in reach.tables():
            if backup[table]:
                connection.execute(insert(table), backup[table])


def test_a_new_person_with_the_same_address_is_untouched_by_the_ledger(
    places: Places, make: Factory, db: DbSession
) -> None:
    """P-j."""
    old = make.person("Ada Lead", email="ada@council.example")
    make.package(old)
    old_id = old.id
    db.rollback()
    erase(places, old_id)
    new = make.person("Ada Lead", email="ada@council.example")
    make.package(new)
    db.rollback()
    was = rows(places)
    assert erasure.replay(places.sessions, places.vault, places.clock) == 0
    assert rows(places) == was
    assert db.get_one(Person, new.id).email == "ada@council.example"


# ---- mail


def test_a_reminder_in_the_queue_goes_with_them(
    places: Places, make: Factory, stack: Stack, db: DbSession
) -> None:
    """P-f."""
    person = make.person()
    package = make.package(person)
    part = db.scalars(select(Participation.id).where(Participation.package_id == package.id)).one()
    with unit_of_work(db, stack.clock, "system:test") as work:
        mail.queue(work, template="reminder", about=part, to=person.id, step="baseline:once:week")
    person_id = person.id
    db.rollback()
    erase(places, person_id)
    bag = MailBag()
    assert post.deliver(stack.instance, places.sessions, bag) == 0
    assert bag.messages == []
    assert db.scalar(select(func.count()).select_from(Mail)) == 0


# ---- bytes


def test_no_token_lies_in_any_file_before_or_after(places: Places, first: Side, stack: Stack) -> None:
    """What was typed is sealed; after an erasure not even the sealed bytes, nor the wrapped keys, are there."""
    tokens = [f"first{word}".encode() for word in TYPED]
    ciphertext = _bytes_about(places, first.leader)
    assert len(ciphertext) > 5
    assert _found(stack, tokens) == set()
    if stack.engine.dialect.name == "sqlite":
        assert _found(stack, ciphertext) == set(ciphertext), "they can be found while they are there"
    erase(places, first.leader)
    if stack.engine.dialect.name == "postgresql":
        vacuum(stack.engine)
    else:
        assert _found(stack, ciphertext) == set()
    assert _found(stack, tokens) == set()


def _bytes_about(places: Places, person_id: UUID) -> list[bytes]:
    """Sealed values, the keyed index, and the wrapped keys of somebody."""
    found: list[bytes] = []
    with places.sessions() as db:
        for table in reach.personal_tables():
            columns = [one.column for one in sealed_columns(reach.mapper_of(table).class_)]
            columns += ["email_index"] if "email_index" in table.c else []
            if columns:
                asked = select(*(table.c[name] for name in columns)).where(reach.about(table, person_id))
                found += [value for row in db.execute(asked) for value in row if value is not None]
        holders = purge.holders(db, person_id)
    with places.vault.engine.connect() as connection:
        wrapped = select(SUBJECT_KEY.c.wrapped).where(SUBJECT_KEY.c.holder_id.in_(holders))
        found += [value for value in connection.scalars(wrapped) if value is not None]
    # A long value lies on several pages; its beginning on one.
    return [value[:200] for value in found]


def _found(stack: Stack, wanted: list[bytes]) -> set[bytes]:
    folder = stack.instance.settings.instance
    data = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    if stack.engine.dialect.name == "postgresql":
        home = Path(str(stack.engine.url.query["host"])) / "data"
        data += [path.read_bytes() for path in (home / "base").rglob("*") if path.is_file()]
        data += [path.read_bytes() for path in (home / "pg_wal").glob("*") if path.is_file()]
    return {token for token in wanted if any(token in one for one in data)}
