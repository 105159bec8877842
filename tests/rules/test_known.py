"""Who is signed in is read in two ways, and both say the same: as plain values where a person has offices of a leader
and nothing else, and as rows with all that decides on them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.access import devices, known
from portal.actors import actor_of
from portal.models import Delegation, Level, Office, Person, Role
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import signed_in

LEADERS = (Role.LEAD_MEMBER, Role.SCRUTINY_CHAIR, Role.CHIEF_EXECUTIVE)
OTHERS = (Role.MENTOR, Role.TEAM, Role.DPO, Role.AUDITOR, Role.ADMINISTRATOR, Role.OBSERVER)


def browser_of(db: DbSession, clock: SetClock, person: Person) -> str:
    row, cookie = signed_in(person.id, level=Level.MAIL, now=clock())
    db.add(row)
    db.commit()
    return cookie


@pytest.mark.parametrize("role", LEADERS)
def test_plain_values_and_rows_make_the_same_actor(
    make: Factory, db: DbSession, clock: SetClock, role: Role
) -> None:
    person = make.person("Ada Lead", role=role, council=make.council())
    cookie = browser_of(db, clock, person)
    plain, rows = known.read(db, devices.digest(cookie)), devices.live_session(db, cookie, now=clock())
    assert plain is not None
    assert rows is not None
    on = london_date(clock())
    quick, whole = (actor_of(one, on=on, at=clock()) for one in (plain, rows))
    assert quick.name == whole.name == "Ada Lead"
    assert (quick.keeps, whole.keeps) == (False, True), "of rows it is not known, so it is looked up"
    assert replace(quick, named="", keeps=True) == replace(whole, named="", keeps=True)
    assert devices.left(plain, seen_at=clock(), now=clock()) == devices.left(
        rows, seen_at=clock(), now=clock()
    )


@pytest.mark.parametrize("role", OTHERS)
def test_whoever_needs_clearance_is_read_whole(
    make: Factory, db: DbSession, clock: SetClock, role: Role
) -> None:
    cookie = browser_of(db, clock, make.person(role=role))
    assert known.read(db, devices.digest(cookie)) is None
    assert devices.signed_in(db, cookie, now=clock()) is devices.live_session(db, cookie, now=clock())


def test_a_leader_who_mentors_too_is_read_whole(make: Factory, db: DbSession, clock: SetClock) -> None:
    person = make.person()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Office(id=new_id(), person_id=person.id, role=Role.MENTOR, from_on=make.today))
    assert known.read(db, devices.digest(browser_of(db, clock, person))) is None


def test_assistants_and_those_they_book_for_are_read_whole(
    make: Factory, db: DbSession, clock: SetClock
) -> None:
    leader, assistant = make.person(), make.person()
    cookies = [browser_of(db, clock, one) for one in (leader, assistant)]
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(
            Delegation(
                id=new_id(),
                leader_id=leader.id,
                assistant_id=assistant.id,
                from_on=make.today,
                named_at=clock(),
                named_by="system:test",
            )
        )
    assert [known.read(db, devices.digest(one)) for one in cookies] == [None, None]


def test_a_closed_account_an_ended_office_and_an_ended_sign_in_count_at_once(
    make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = make.person()
    cookie = browser_of(db, clock, person)
    assert devices.signed_in(db, cookie, now=clock()) is not None
    person.disabled_at = clock()
    db.commit()
    assert devices.signed_in(db, cookie, now=clock()) is None
    person.disabled_at, person.offices[0].to_on = None, make.today - timedelta(days=1)
    db.commit()
    assert devices.signed_in(db, cookie, now=clock()) is None
    person.offices[0].to_on = None
    db.commit()
    assert devices.signed_in(db, cookie, now=clock()) is not None
    assert devices.signed_in(db, cookie, now=clock() + timedelta(hours=13)) is None


def test_a_kept_device_opens_nothing(make: Factory, db: DbSession, clock: SetClock) -> None:
    row, cookie = signed_in(make.person().id, level=Level.MAIL, now=clock())
    row.device = True
    db.add(row)
    db.commit()
    assert devices.signed_in(db, cookie, now=clock()) is None


def test_what_a_plain_person_lacks_closes_what_asks_for_it() -> None:
    """Were somebody with an office that needs clearance read as plain values, nothing would open to them."""
    assert (known.Plain.clearances, known.Plain.access_decisions, known.Plain.assisted) == ((), (), ())
