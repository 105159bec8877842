"""Opened in bulk is opened one by one: the same bytes, the same refusals, on both databases."""

from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session as DbSession

from portal.models import Person
from privacy.bulk import AT_ONCE, HolderKeys, day, ids, moment, opener, streamed, within
from privacy.columns import keys_of, unseal_column
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.keystore import SUBJECT_KEY, Vault
from surveys.models import Figure
from tests.conftest import Stack
from tests.factories import Factory

FIRST, LAST = bytes(16), bytes([255] * 16)
Opened = dict[bytes, str]


def in_bulk(db: DbSession, *, first: bytes = FIRST, last: bytes = LAST) -> Opened:
    """Every name, by the id of its person, opened in the order of ids."""
    asked = select(Person.id, Person.name_sealed).where(within(Person.id, first, last)).order_by(Person.id)
    id_of, names = ids(db.connection()), opener(Person.name_sealed)
    vault: Vault = db.info["vault"]
    with (
        closing(streamed(db.connection(), asked)) as rows,
        vault.engine.connect() as connection,
        HolderKeys(vault, connection, first=first, last=last) as keys,
    ):
        people = ((id_of(raw), value) for raw, value in rows)
        return {one: names(keys.of(one), value, one, one).decode() for one, value in people}


def test_it_opens_what_one_by_one_opens(make: Factory, db: DbSession) -> None:
    people = [make.person(f"Persoń {number}") for number in range(40)]
    expected = {
        person.id.bytes: unseal_column(
            keys_of(db), Person.name_sealed, person.name_sealed or b"", row=person.id, holder=person.id
        )
        for person in people
    }
    assert in_bulk(db) == expected
    middle = sorted(expected)[20]
    below = in_bulk(db, last=middle)
    assert below == {key: name for key, name in expected.items() if key <= middle}


@pytest.mark.parametrize("at", [0, 3, 10, -1])
def test_what_was_altered_is_refused(make: Factory, db: DbSession, at: int) -> None:
    person = make.person("Ada")
    sealed = bytearray(person.name_sealed or b"")
    sealed[at] ^= 1
    db.execute(update(Person).where(Person.id == person.id).values(name_sealed=bytes(sealed)))
    db.commit()
    # A changed head names a key that there is none of; everything else does not open.
    with pytest.raises(SealBroken if at in (10, -1) else KeyFault):
        in_bulk(db)


def test_a_value_opens_in_its_own_row_only(make: Factory, db: DbSession) -> None:
    victim, thief = make.person("Ada"), make.person("Ben")
    db.execute(update(Person).where(Person.id == thief.id).values(name_sealed=victim.name_sealed))
    db.commit()
    with pytest.raises(SealBroken):
        in_bulk(db)


def test_who_was_erased_has_no_key_and_who_never_was_is_a_fault(
    make: Factory, db: DbSession, stack: Stack
) -> None:
    person = make.person("Ada")
    vault = stack.instance.vault
    with vault.engine.begin() as connection:
        connection.execute(
            update(SUBJECT_KEY).where(SUBJECT_KEY.c.holder_id == person.id).values(wrapped=None)
        )
    with pytest.raises(HolderErased):
        in_bulk(db)
    with vault.engine.begin() as connection:
        connection.execute(SUBJECT_KEY.delete().where(SUBJECT_KEY.c.holder_id == person.id))
    with pytest.raises(KeyFault):
        in_bulk(db)


def test_rows_come_in_batches_in_the_order_of_ids_with_every_value(db: DbSession) -> None:
    """More than a batch of them: none is lost where one begins."""
    moment_before = datetime(2023, 3, 26, 0, 59, 59, 5, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        {"id": uuid4(), "kind": str(number), "as_of": date(2023, 3, 26), "made_at": moment_before}
        for number in range(AT_ONCE + 3)
    ]
    db.execute(insert(Figure), rows)
    asked = select(Figure.id, Figure.as_of, Figure.made_at, Figure.kind).order_by(Figure.id)
    id_of = ids(db.connection())
    found = [
        (id_of(raw), day(on), moment(at), kind) for raw, on, at, kind in streamed(db.connection(), asked)
    ]
    expected = [(row["id"].bytes, row["as_of"], row["made_at"], row["kind"]) for row in rows]
    assert found == sorted(expected)
    assert set(db.scalars(select(Figure.made_at))) == {moment_before}
    half = bytes([127]) + LAST[1:]
    below = streamed(db.connection(), select(Figure.id).where(within(Figure.id, FIRST, half)))
    assert {id_of(row[0]) for row in below} == {row[0] for row in expected if row[0] <= half}
