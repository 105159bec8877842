"""Sealed columns: what lies in the database, and what happens when it is moved."""

import os
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.orm import Session as DbSession

from portal.models import Goal, Person
from privacy.columns import PADDED_TO, keys_of, unseal_column
from privacy.errors import SealBroken
from privacy.keystore import SUBJECT_KEY
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory


def raw(db: DbSession, person: Person, column: str = "name_sealed") -> bytes:
    value: bytes = db.execute(
        text(f"select {column} from person where ref = :ref"), {"ref": person.ref}
    ).scalar_one()
    return bytes(value)


def test_a_name_is_ciphertext_and_reads_back(make: Factory, db: DbSession) -> None:
    person = make.person("Siân Ŵyn-Žák")
    stored = raw(db, person)
    assert "Siân".encode() not in stored
    db.expire_all()
    assert person.name == "Siân Ŵyn-Žák"


def test_what_waits_to_be_sealed_can_be_read(make: Factory, db: DbSession) -> None:
    person = make.person("Before")
    person.name = "After"
    assert person.name == "After"
    db.rollback()
    assert person.name == "Before", "what was not kept does not stay"


@pytest.mark.parametrize("length", [1, 59, 60, 61, 251, 252, 253, 4000])
def test_lengths_show_only_steps(make: Factory, db: DbSession, length: int) -> None:
    person = make.person("x" * length)
    body = len(raw(db, person)) - 5 - 12 - 16
    assert body in PADDED_TO
    assert person.name == "x" * length


def test_a_value_opens_in_its_own_row_only(make: Factory, db: DbSession) -> None:
    """Case P-i: one person's sealed address over another's."""
    victim, thief = make.person(), make.person()
    for column in ("email_sealed", "name_sealed"):
        stolen = raw(db, victim, column)
        db.execute(text(f"update person set {column} = :v where ref = :r"), {"v": stolen, "r": thief.ref})
    db.commit()
    db.expire_all()
    with pytest.raises(SealBroken):
        _ = thief.email
    assert victim.email


def test_a_value_opens_in_its_own_column_only(make: Factory, db: DbSession) -> None:
    person = make.person()
    db.execute(text("update person set phone_sealed = name_sealed where ref = :r"), {"r": person.ref})
    db.commit()
    db.expire_all()
    with pytest.raises(SealBroken):
        _ = person.phone


def test_a_value_opens_under_its_own_key_version_only(make: Factory, db: DbSession, stack: Stack) -> None:
    """Two versions of one holder's key, one value said to be of the other; and the same for the wraps."""
    person = make.person()
    vault = stack.instance.vault
    name, wrapped = vault.ring.wrap(os.urandom(32), holder=person.id, version=2)
    with vault.engine.begin() as connection:
        values = {"holder_id": person.id, "version": 2, "kek_id": name, "wrapped": wrapped}
        connection.execute(insert(SUBJECT_KEY).values(**values, created_at=stack.clock()))
    stored = raw(db, person)
    moved = stored[:1] + (2).to_bytes(4, "big") + stored[5:]
    db.execute(text("update person set name_sealed = :v where ref = :r"), {"v": moved, "r": person.ref})
    db.commit()
    db.expire_all()
    db.info.pop("data_keys")
    with pytest.raises(SealBroken):
        _ = person.name
    assert person.email
    with vault.engine.begin() as connection:
        connection.execute(
            update(SUBJECT_KEY)
            .where(SUBJECT_KEY.c.holder_id == person.id, SUBJECT_KEY.c.version == 1)
            .values(wrapped=wrapped)
        )
    with pytest.raises(SealBroken):
        vault.keys([person.id])


def test_a_flipped_bit_is_noticed(make: Factory, db: DbSession) -> None:
    person = make.person()
    stored = bytearray(raw(db, person))
    stored[-1] ^= 1
    db.execute(
        text("update person set name_sealed = :v where ref = :r"), {"v": bytes(stored), "r": person.ref}
    )
    db.commit()
    db.expire_all()
    with pytest.raises(SealBroken):
        _ = person.name


def test_all_keys_of_a_list_are_read_at_once(make: Factory, stack: Stack) -> None:
    for number in range(30):
        make.person(f"Person {number}")
    asked: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(stack.instance.vault.engine, "before_cursor_execute", note)
    try:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
            people = db.scalars(select(Person)).all()
            assert len({person.name for person in people}) == 30
            assert len({person.email for person in people}) == 30
    finally:
        event.remove(stack.instance.vault.engine, "before_cursor_execute", note)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_a_row_read_without_its_object_opens(make: Factory, db: DbSession) -> None:
    person = make.person("Read by a report")
    value = raw(db, person)
    opened = unseal_column(keys_of(db), Person.name_sealed, value, row=person.id, holder=person.id)
    assert opened == "Read by a report"


def test_a_goal_is_sealed_for_its_leader_or_its_group(make: Factory, db: DbSession, clock: SetClock) -> None:
    package = make.package(make.person(), mentor=make.mentor())
    part = package.participations[0].id
    with unit_of_work(db, clock, "system:test") as work:
        for participation in (part, None):
            goal = Goal(
                package_id=package.id,
                participation_id=participation,
                number=1,
                state="open",
                agreed_on=make.today,
            )
            goal.text = "Ask better questions"
            work.db.add(goal)
            work.db.flush()
            assert goal.holder_id == (participation or package.id)
    assert {goal.text for goal in db.scalars(select(Goal))} == {"Ask better questions"}
