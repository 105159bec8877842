"""Long files: put aside, taken by a worker once, and told of by line where they have faults."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal import sent_files
from portal.models import Office, Person, Role, SentFile, SentFileState
from privacy.records import new_id
from privacy.returns.tables import DataReturn, ReturnKind, Wanted
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

HEAD = b"name,email,role,council,starts_on,ends_on\n"


@pytest.fixture
def sessions(stack: Stack) -> Callable[[], DbSession]:
    return lambda: DbSession(stack.engine, info={"vault": stack.instance.vault})


def put(db: DbSession, clock: SetClock, sender: Person, *lines: bytes, kind: str = "people") -> SentFile:
    sender_id = sender.id
    with unit_of_work(db, clock, f"person:{sender_id}") as work:
        file_id = sent_files.put(work, person_id=sender_id, kind=kind, data=HEAD + b"\n".join(lines))
    return db.get_one(SentFile, file_id)


def test_a_file_is_taken_once_in_the_name_of_whoever_sent_it(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, sessions: Callable[[], DbSession]
) -> None:
    sender = make.person(role=Role.TEAM)
    file = put(db, clock, sender, b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,")
    assert file.data is not None
    assert sent_files.run(stack.instance, sessions) == 1
    assert sent_files.run(stack.instance, sessions) == 0
    db.rollback()
    assert file.state is SentFileState.TAKEN
    assert file.outcome == {"said": "Taken: 1 new person and 1 new role.", "notes": [], "faults": []}
    assert db.scalars(select(SentFile.data_sealed)).one() is None, "its rows are kept nowhere else"
    assert db.scalar(select(func.count()).where(Office.role == Role.MENTOR)) == 1


def test_faults_are_told_by_line_and_nothing_is_taken(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, sessions: Callable[[], DbSession]
) -> None:
    sender = make.person(role=Role.TEAM)
    good, bad = b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,", b"Bea Mentor,bea,mentor,,2023-03-01,"
    file = put(db, clock, sender, good, bad)
    sent_files.run(stack.instance, sessions)
    db.rollback()
    assert file.state is SentFileState.REFUSED
    assert (file.outcome or {})["faults"] == [[3, "“bea” is not an e-mail address"]]
    assert db.scalar(select(func.count()).where(Office.role == Role.MENTOR)) == 0


def test_who_may_not_any_more_takes_nothing(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, sessions: Callable[[], DbSession]
) -> None:
    sender = make.person(role=Role.TEAM)
    file = put(db, clock, sender, b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,")
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Person, sender.id).disabled_at = work.now
    sent_files.run(stack.instance, sessions)
    db.rollback()
    assert file.state is SentFileState.REFUSED
    assert db.scalar(select(func.count()).where(Office.role == Role.MENTOR)) == 0


def test_what_a_worker_died_over_is_taken_by_another(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, sessions: Callable[[], DbSession]
) -> None:
    sender = make.person(role=Role.TEAM)
    file = put(db, clock, sender, b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,")
    with unit_of_work(db, clock, "system:test") as work:
        row = work.db.get_one(SentFile, file.id)
        row.state, row.claimed_until = SentFileState.TAKING, work.now + sent_files.CLAIMED_FOR
    assert sent_files.run(stack.instance, sessions) == 0
    clock.now += sent_files.CLAIMED_FOR + timedelta(seconds=1)
    assert sent_files.run(stack.instance, sessions) == 1
    db.rollback()
    assert file.state is SentFileState.TAKEN


def test_a_worker_that_lost_its_claim_changes_nothing(
    db: DbSession,
    clock: SetClock,
    stack: Stack,
    make: Factory,
    sessions: Callable[[], DbSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slow one is overtaken between checking and taking: what the other did stands, and is not done again."""
    sender = make.person(role=Role.TEAM)
    file = put(db, clock, sender, b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,")
    people, overtaken = sent_files.KINDS["people"], False

    def slow(*told: object) -> object:
        nonlocal overtaken
        checked = people.check(*told)  # type: ignore[arg-type]
        if not overtaken:
            overtaken = True
            clock.now += sent_files.CLAIMED_FOR + timedelta(seconds=1)
            assert sent_files.run(stack.instance, sessions) == 1
        return checked

    kinds = {**sent_files.KINDS, "people": dataclasses.replace(people, check=slow)}
    monkeypatch.setattr(sent_files, "KINDS", kinds)
    sent_files.run(stack.instance, sessions)
    db.rollback()
    assert file.state is SentFileState.TAKEN
    assert (file.outcome or {})["said"] == "Taken: 1 new person and 1 new role."
    assert db.scalar(select(func.count()).where(Office.role == Role.MENTOR)) == 1


def test_while_everything_is_frozen_it_waits_and_holds_up_nothing(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, sessions: Callable[[], DbSession]
) -> None:
    sender = make.person(role=Role.TEAM)
    file = put(db, clock, sender, b"Ada Mentor,ada@mentors.example,mentor,,2023-03-01,")
    with unit_of_work(db, clock, "system:test") as work:
        frozen = DataReturn(
            id=new_id(),
            ref="RETURN-1",
            kind=ReturnKind.FULL,
            wanted=Wanted.RETURN,
            scope="all",
            rehearsal=True,
            opened_at=work.now,
            by="system:test",
            frozen_at=work.now,
        )
        work.db.add(frozen)
    assert sent_files.run(stack.instance, sessions) == 0
    db.rollback()
    assert file.state is SentFileState.WAITING
    with unit_of_work(db, clock, "system:test", frozen_too=True) as work:
        work.db.get_one(DataReturn, frozen.id).frozen_at = None
    assert sent_files.run(stack.instance, sessions) == 1
