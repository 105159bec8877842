"""Forms that met a dead sign-in: kept for a day, for their writer alone."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session as DbSession

from portal.access import parking
from portal.models import ParkedForm, Person
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

PATH = "/questionnaires/x/baseline/once/2"
FIELDS = [("_page", "more"), ("more", "Marmalade\n\nand more"), ("chosen", "a"), ("chosen", "b")]


@pytest.fixture
def writer(make: Factory) -> Person:
    return make.person("Ada Lead")


def park(db: DbSession, clock: SetClock, person_id: UUID, fields: list[tuple[str, str]]) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        return parking.park(work, person_id=person_id, path=PATH, fields=fields)


def newest(db: DbSession, clock: SetClock, person_id: UUID) -> parking.Parked | None:
    return parking.newest(db, person_id=person_id, path=PATH, now=clock.now)


def test_it_comes_back_whole_and_in_order(db: DbSession, clock: SetClock, writer: Person) -> None:
    park(db, clock, writer.id, FIELDS)
    kept = newest(db, clock, writer.id)
    assert kept is not None
    assert list(kept.fields) == FIELDS
    assert kept.texts == FIELDS[1:], "what the form carried along is nothing to copy"


def test_nothing_of_it_lies_in_the_database_in_clear(db: DbSession, clock: SetClock, writer: Person) -> None:
    park(db, clock, writer.id, FIELDS)
    stored = db.execute(text("select fields_sealed from parked_form")).scalar_one()
    assert b"Marmalade" not in bytes(stored)


def test_the_same_form_twice_is_kept_once(db: DbSession, clock: SetClock, writer: Person) -> None:
    assert park(db, clock, writer.id, FIELDS) == park(db, clock, writer.id, FIELDS)
    park(db, clock, writer.id, [("more", "Another tab")])
    assert db.scalar(select(func.count()).select_from(ParkedForm)) == 2, "no text replaces another"


def test_it_is_nobody_elses(db: DbSession, clock: SetClock, make: Factory, writer: Person) -> None:
    parked_id = park(db, clock, writer.id, FIELDS)
    other = make.person("Bo Other")
    assert newest(db, clock, other.id) is None
    assert parking.one(db, person_id=other.id, parked_id=parked_id, now=clock.now) is None
    with unit_of_work(db, clock, "system:test") as work:
        parking.forget(work, person_id=other.id, parked_id=parked_id)
    assert parking.one(db, person_id=writer.id, parked_id=parked_id, now=clock.now) is not None
    assert parking.one(db, person_id=writer.id, parked_id=new_id(), now=clock.now) is None


def test_after_a_day_it_is_gone(db: DbSession, clock: SetClock, make: Factory, writer: Person) -> None:
    park(db, clock, writer.id, FIELDS)
    clock.now += timedelta(hours=23)
    assert newest(db, clock, writer.id) is not None
    clock.now += timedelta(hours=1)
    assert newest(db, clock, writer.id) is None
    park(db, clock, make.person().id, FIELDS)
    assert db.scalar(select(func.count()).select_from(ParkedForm)) == 1, "whoever is next clears up"


def test_it_goes_when_it_was_sent(db: DbSession, clock: SetClock, writer: Person) -> None:
    parked_id = park(db, clock, writer.id, FIELDS)
    with unit_of_work(db, clock, "system:test") as work:
        parking.forget(work, person_id=writer.id, parked_id=parked_id)
    assert newest(db, clock, writer.id) is None


def test_there_is_a_most_that_is_kept_and_the_newest_stays(
    db: DbSession, clock: SetClock, writer: Person
) -> None:
    for number in range(parking.AT_MOST + 3):
        clock.now += timedelta(seconds=1)
        park(db, clock, writer.id, [("more", f"text {number}")])
    assert db.scalar(select(func.count()).select_from(ParkedForm)) == parking.AT_MOST
    kept = newest(db, clock, writer.id)
    assert kept is not None
    assert kept.texts == [("more", f"text {parking.AT_MOST + 2}")]
