"""Sessions whose only participant was erased: the mentor's time is theirs again, and they are told."""

from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.booking import left_over
from portal.groups import sessions
from portal.mailing import post
from portal.models import Person, Place, Session, SessionKind, SessionState, Strand
from portal.programme import Programme
from privacy import erasure
from privacy.work import unit_of_work
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_bookings import STARTED, TEN, World
from tests.rules.test_erasure import LETTER, instruct


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def call_off(stack: Stack) -> int:
    return left_over.run(stack.instance, sessions_of(stack))


def sessions_of(stack: Stack) -> partial[DbSession]:
    return partial(DbSession, stack.engine, info={"vault": stack.instance.vault})


def erase(stack: Stack, world: World) -> None:
    instruct(stack)
    with unit_of_work(world.db, stack.clock, "person:dpo") as work:
        erasure.begin(work, person_id=world.leader, letter=LETTER)


def test_an_erased_leader_leaves_no_session_in_the_mentors_diary(stack: Stack, world: World) -> None:
    session_id = world.book().id
    bag = MailBag()
    deliver = partial(post.deliver, stack.instance, sessions_of(stack), bag)
    while deliver():
        pass
    assert world.cells(world.mentor) > 0
    assert call_off(stack) == 0
    erase(stack, world)
    bag.messages.clear()

    assert call_off(stack) == 1
    assert call_off(stack) == 0

    assert world.cells(world.mentor) == 0
    session = world.db.get_one(Session, session_id)
    assert session.state is SessionState.CANCELLED
    while deliver():
        pass
    (letter,) = bag.messages
    assert str(world.db.get_one(Person, world.mentor).email) in letter["To"]
    assert letter["Subject"].startswith("Cancelled: ")


def test_what_has_begun_is_left_to_be_recorded(stack: Stack, world: World, clock: SetClock) -> None:
    session_id = world.book().id
    erase(stack, world)
    clock.now = TEN
    assert call_off(stack) == 0
    assert world.db.get_one(Session, session_id).state is SessionState.BOOKED


def test_a_groups_session_stays_for_others(stack: Stack, world: World, make: Factory) -> None:
    mentor = world.db.get_one(Person, world.mentor)
    group = make.package(make.person(), mentor=mentor, strand=Strand.GROUP, starts_on=STARTED).id
    with unit_of_work(world.db, stack.clock, "person:test") as work:
        session_id = sessions.schedule(
            work,
            world.programme,
            package_id=group,
            session_id=uuid4(),
            mentor_id=world.mentor,
            kind=SessionKind.WORKSHOP,
            title="Asking the right questions",
            starts_at=TEN,
            minutes=120,
            capacity=5,
            place=Place.IN_PERSON,
            where="Council chamber",
        ).id
    assert call_off(stack) == 0
    assert world.db.get_one(Session, session_id).state is SessionState.BOOKED
