"""The waiting list: order, who is passed over, the notice period, declining, and promotions at once (case B-e)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.groups import plans as group_plans
from portal.groups import sessions, waiting
from portal.groups.sessions import SessionFull
from portal.groups.waiting import TooLateToWait
from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    PassedOver,
    Person,
    Session,
    Waiting,
    WaitingState,
)
from privacy import keys
from privacy.engines import open_engine
from privacy.keystore import Vault
from privacy.work import unit_of_work
from tests.at_once import Promotion, in_processes, patiently
from tests.conftest import SetClock, Stack
from tests.counts import count
from tests.factories import Factory
from tests.rules.group_world import GroupWorld, later


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory) -> GroupWorld:
    return GroupWorld(stack, db, make)


def wait(world: GroupWorld, session_id: UUID, *person_ids: UUID) -> None:
    for person_id in person_ids:
        world.act(waiting.join, world.programme, session_id=session_id, person_id=person_id)


def entry(world: GroupWorld, session_id: UUID, person_id: UUID) -> Waiting:
    world.db.rollback()
    found = waiting.entry_of(world.db, session_id, person_id)
    assert found is not None
    return found


def test_a_free_place_passes_somebody_whose_data_is_restricted(world: GroupWorld) -> None:
    """Nobody puts them anywhere; they keep their turn for when the restriction is lifted (Article 18)."""
    session_id, (first, second, *_) = full_with_list(world)
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        work.db.get_one(Person, first).restricted_at = work.now
    world.give_up(session_id, world.members[0])
    assert entry(world, session_id, second).state is WaitingState.PROMOTED
    left = entry(world, session_id, first)
    assert (left.state, left.passed_over) == (WaitingState.WAITING, PassedOver.RESTRICTED)


def full_with_list(world: GroupWorld) -> tuple[UUID, list[UUID]]:
    """Two places taken by the first two, the others waiting in order."""
    session_id = world.schedule(capacity=2)
    world.take(session_id, *world.members[:2])
    wait(world, session_id, *world.members[2:])
    return session_id, world.members[2:]


def test_a_freed_place_goes_at_once_to_the_first_who_waits(world: GroupWorld) -> None:
    session_id, (first, second, *rest) = full_with_list(world)
    assert [waiting.position(world.db, one) for one in waiting.of(world.db, session_id)] == [1, 2, 3, 4]
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == {world.members[1], first}
    assert world.listed(session_id) == [second, *rest]
    assert world.cells(first) == 8
    assert world.cells(world.members[0]) == 0
    assert world.mails("place_freed", session_id) == [first]
    assert first in world.mails("session", session_id), "their calendar is told"
    assert entry(world, session_id, first).state is WaitingState.PROMOTED


def test_who_joins_twice_keeps_their_number(world: GroupWorld) -> None:
    session_id, listed = full_with_list(world)
    wait(world, session_id, listed[0])
    assert world.listed(session_id) == listed


def test_a_declined_place_goes_on(world: GroupWorld) -> None:
    session_id, (first, second, *rest) = full_with_list(world)
    world.give_up(session_id, world.members[0])
    world.give_up(session_id, first)
    assert world.seated(session_id) == {world.members[1], second}
    assert entry(world, session_id, first).state is WaitingState.DECLINED
    wait(world, session_id, first)
    assert world.listed(session_id) == [*rest, first], "who comes back is the last"


def test_who_clashes_is_passed_over_with_a_note_and_keeps_the_turn(world: GroupWorld) -> None:
    session_id, (first, second, *_) = full_with_list(world)
    other = world.busy(first)
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == {world.members[1], second}
    noted = entry(world, session_id, first)
    assert (noted.state, noted.passed_over) == (WaitingState.WAITING, PassedOver.CLASH)
    assert noted.passed_over_at == world.stack.clock.now
    assert world.listed(session_id)[0] == first
    world.give_up(other, first)
    world.give_up(session_id, world.members[1])
    assert world.seated(session_id) == {second, first}


def test_who_has_not_sent_the_first_questionnaire_is_passed_over(world: GroupWorld) -> None:
    session_id, (first, *_) = full_with_list(world)
    world.act(lambda work: setattr(work.db.get_one(Package, world.group), "baseline_waived_at", None))
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == {world.members[1]}
    assert entry(world, session_id, first).passed_over is PassedOver.BASELINE


def test_nobody_is_promoted_inside_the_notice_period(world: GroupWorld, clock: SetClock) -> None:
    session_id, listed = full_with_list(world)
    clock.now = later(hours=-world.programme.notice_hours, seconds=1)
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == {world.members[1]}
    assert world.listed(session_id) == listed
    world.take(session_id, listed[1])
    assert world.seated(session_id) == {world.members[1], listed[1]}, "anybody can book it by themselves"
    assert listed[1] not in world.listed(session_id)
    with pytest.raises(TooLateToWait):
        wait(world, session_id, world.members[0])


def test_at_its_very_beginning_the_last_promotion_is_made(world: GroupWorld, clock: SetClock) -> None:
    session_id, (first, *_) = full_with_list(world)
    clock.now = later(hours=-world.programme.notice_hours)
    world.give_up(session_id, world.members[0])
    assert first in world.seated(session_id)


def test_more_places_promote_too(world: GroupWorld) -> None:
    session_id, (first, second, third, _) = full_with_list(world)
    promoted = world.act(
        group_plans.change,
        world.programme,
        session_id=session_id,
        capacity=5,
        minimum=None,
        decide_on=None,
    )
    assert promoted == [first, second, third]
    assert len(world.seated(session_id)) == 5


def test_fewer_places_than_people_are_refused(world: GroupWorld) -> None:
    session_id, _ = full_with_list(world)
    with pytest.raises(group_plans.WrongPlan, match="2 people have a place"):
        world.act(
            group_plans.change,
            world.programme,
            session_id=session_id,
            capacity=1,
            minimum=None,
            decide_on=None,
        )


def test_who_waits_comes_before_who_just_clicks(world: GroupWorld) -> None:
    """A clash that went away frees nobody's place: who books then finds those who waited first."""
    session_id = world.schedule(capacity=2)
    world.take(session_id, *world.members[:2])
    first, clicker = world.members[2:4]
    other = world.busy(first)
    wait(world, session_id, first)
    world.give_up(session_id, world.members[0])
    assert first not in world.seated(session_id)
    world.give_up(other, first)
    with pytest.raises(SessionFull):
        world.take(session_id, clicker)
    world.act(waiting.promote, world.programme, session_id=session_id)
    assert first in world.seated(session_id)


def test_joining_where_a_place_is_free_gives_it(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=2)
    made = world.act(waiting.join, world.programme, session_id=session_id, person_id=world.members[0])
    assert isinstance(made, Attendance)
    assert world.seated(session_id) == {world.members[0]}


def test_who_leaves_the_list_is_not_promoted(world: GroupWorld) -> None:
    session_id, (first, second, *_) = full_with_list(world)
    assert world.act(waiting.leave, session_id=session_id, person_id=first)
    assert not world.act(waiting.leave, session_id=session_id, person_id=first)
    world.give_up(session_id, world.members[0])
    assert second in world.seated(session_id)


def test_a_cancelled_session_promotes_nobody(world: GroupWorld) -> None:
    session_id, listed = full_with_list(world)
    world.act(bookings.cancel, session_id=session_id)
    assert world.act(waiting.promote, world.programme, session_id=session_id) == []
    assert world.listed(session_id) == listed


# ---- at once


def prepared(world: GroupWorld, stack: Stack, *, places: int) -> UUID:
    """A session with places that nobody was promoted to yet, as if they were freed at this very moment."""
    session_id, _ = full_with_list(world)
    with unit_of_work(world.db, stack.clock, "system:test") as work:
        work.db.execute(update(Session).where(Session.id == session_id).values(capacity=2 + places))
    world.db.rollback()
    return session_id


@contextmanager
def opened(stack: Stack) -> Iterator[DbSession]:
    """A database session with engines of its own, as another process has."""
    settings = stack.instance.settings
    engines = (
        open_engine(stack.engine.url.render_as_string(hide_password=False)),
        open_engine(settings.keystore_url),
    )
    vault = Vault(keys.load(settings.keys), engines[1], stack.clock)
    with DbSession(engines[0], info={"vault": vault}) as db:
        yield db
    for engine in engines:
        engine.dispose()


def promote_alone(stack: Stack, session_id: UUID, start: Callable[[], object]) -> int:
    with opened(stack) as db:
        db.execute(select(1))
        db.rollback()
        start()
        promotion = Promotion(session_id)
        return patiently(
            db, stack.clock, "system:test", lambda work: promotion(work, stack.instance.programme)
        )


def check(world: GroupWorld, session_id: UUID, *, places: int, promoted: list[int]) -> None:
    assert sum(promoted) == places
    first = world.members[2:]
    assert world.seated(session_id) == {*world.members[:2], *first[:places]}
    assert world.listed(session_id) == first[places:]
    assert sorted(map(str, world.mails("place_freed", session_id))) == sorted(map(str, first[:places]))
    assert Counter(world.cells(person_id) for person_id in first) == Counter(
        [8] * places + [0] * (4 - places)
    )


@pytest.mark.parametrize("turn", range(count(1, 10)))
@pytest.mark.parametrize("places", [1, 3])
def test_eight_promotions_at_once_give_as_many_places_as_there_are(
    places: int, turn: int, world: GroupWorld, stack: Stack
) -> None:
    session_id = prepared(world, stack, places=places)
    barrier, promoted = threading.Barrier(8, timeout=30), [0] * 8

    def run(number: int) -> None:
        promoted[number] = promote_alone(stack, session_id, barrier.wait)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(world, session_id, places=places, promoted=promoted)


def test_so_do_eight_processes(world: GroupWorld, stack: Stack) -> None:
    session_id = prepared(world, stack, places=2)
    promoted = in_processes(stack, [Promotion(session_id)] * 8)
    check(world, session_id, places=2, promoted=[found for found in promoted if isinstance(found, int)])


@pytest.mark.parametrize("turn", range(count(1, 10)))
def test_places_given_up_and_booked_at_once_are_never_more_than_there_are(
    turn: int, world: GroupWorld, stack: Stack
) -> None:
    session_id, listed = full_with_list(world)
    barrier = threading.Barrier(3, timeout=30)

    def run(act: Callable[..., object], person_id: UUID) -> None:
        with opened(stack) as db:
            barrier.wait()
            patiently(
                db,
                stack.clock,
                "system:test",
                lambda work: act(work, world.programme, session_id=session_id, person_id=person_id),
            )

    threads = [
        threading.Thread(target=run, args=(sessions.give_up_place, world.members[0])),
        threading.Thread(target=run, args=(sessions.give_up_place, world.members[1])),
        threading.Thread(target=run, args=(waiting.join, listed[3])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.seated(session_id) == set(listed[:2])
    states = world.db.scalars(select(Attendance.state).where(Attendance.session_id == session_id)).all()
    assert Counter(states) == {AttendanceState.BOOKED: 2, AttendanceState.CANCELLED: 2}
