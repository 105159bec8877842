"""Which mentor serves on which day: the list of times, bookings and policies say the same."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session as DbSession

from portal import policies
from portal.actors import Actor, roles_on
from portal.booking import acts as bookings
from portal.booking import delivery, offers
from portal.mentors.serving import NotServing, TooEarly, givers
from portal.models import Level, Package, PackageMentor, Person, Place, Role, Session
from portal.packages import members as matching
from portal.people import register as people
from portal.programme import Programme
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

TODAY = date(2023, 3, 1)


class World:
    """A package that starts on 6 March, its leader, and a mentor who serves from then to 14 March."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.make, self.clock, self.programme = db, make, clock, programme
        self.mentor, leader = make.mentor("Men Tor").id, make.person("Lea Der")
        self.package = make.package(leader, starts_on=date(2023, 3, 6)).id
        self.serve(self.mentor, date(2023, 3, 6), date(2023, 3, 14))
        with unit_of_work(db, clock, "system:test") as work:
            work.db.get_one(Package, self.package).baseline_waived_at = clock()

    def serve(self, person_id: UUID, from_on: date, to_on: date | None = None) -> None:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            work.db.add(
                PackageMentor(
                    id=new_id(), package_id=self.package, person_id=person_id, from_on=from_on, to_on=to_on
                )
            )

    def days(self) -> list[date]:
        """The days on which the list has times, in order."""
        self.db.rollback()
        package = self.db.get_one(Package, self.package)
        found = bookings.times(self.db, self.programme, package, now=self.clock(), limit=5000)
        return list(dict.fromkeys(choice.day for choice in found))

    def book(self, on: date, *, free: bool = False, mentor_id: UUID | None = None) -> Session:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            return bookings.book(
                work,
                self.programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=mentor_id or self.mentor,
                starts_at=datetime(on.year, on.month, on.day, 14, tzinfo=UTC),
                place=Place.REMOTE,
                free_time=free,
            )

    def log(self, on: date) -> Session:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            return delivery.log_past(
                work,
                self.programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=self.mentor,
                starts_at=datetime(on.year, on.month, on.day, 14, tzinfo=UTC),
                minutes=60,
                place=Place.REMOTE,
            )

    def actor(self) -> Actor:
        self.db.rollback()
        person, today = self.db.get_one(Person, self.mentor), london_date(self.clock())
        return Actor(self.mentor, "Men Tor", roles_on(person, today), Level.MAIL, uuid4(), today)

    def mentors(self) -> bool:
        return policies.is_mentor_of(self.actor(), self.db.get_one(Package, self.package))


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def test_the_list_has_the_days_of_the_mentor_and_no_other(world: World) -> None:
    assert world.days() == [date(2023, 3, day) for day in (6, 7, 8, 9, 10, 13, 14)]


@pytest.mark.parametrize("free", [False, True])
def test_what_the_list_has_can_be_booked_and_what_it_has_not_is_refused(world: World, free: bool) -> None:
    listed = world.days()
    for ahead in range(2, 20):
        on = TODAY + timedelta(days=ahead)
        if on in listed:
            assert world.book(on, free=free)
        elif on.weekday() < 5:
            with pytest.raises(TooEarly if on < date(2023, 3, 6) else NotServing):
                world.book(on, free=free)


def test_too_early_names_the_day(world: World, clock: SetClock) -> None:
    with pytest.raises(TooEarly, match="Support starts on 6 March 2023"):
        world.book(date(2023, 3, 3))
    later = world.make.mentor().id
    world.serve(later, date(2023, 3, 20))
    with pytest.raises(TooEarly, match="This mentor gives this support from 20 March 2023"):
        world.book(date(2023, 3, 17), mentor_id=later)
    clock.now = datetime(2023, 3, 15, 9, tzinfo=UTC)
    with pytest.raises(TooEarly, match="Support starts on 6 March 2023"):
        world.log(date(2023, 3, 3))
    assert world.log(date(2023, 3, 14)).delivered_minutes == 60
    starts = [datetime(2023, 3, 17, hour, tzinfo=UTC) for hour in (10, 12, 14)]
    with pytest.raises(TooEarly), unit_of_work(world.db, clock, "system:test") as work:
        offers.offer(
            work,
            world.programme,
            package_id=world.package,
            mentor_id=later,
            starts=starts,
            place=Place.REMOTE,
        )


def test_a_mentor_of_two_stretches_is_offered_in_both(world: World) -> None:
    world.serve(world.mentor, date(2023, 3, 16), date(2023, 3, 17))
    assert [day.day for day in world.days()][-3:] == [14, 16, 17]
    assert world.book(date(2023, 3, 17))


def test_a_closed_account_is_neither_offered_nor_booked(world: World) -> None:
    with unit_of_work(world.db, world.clock, "system:test") as work:
        people.disable(work, person_id=world.mentor)
    assert world.days() == []
    with pytest.raises(NotServing):
        world.book(date(2023, 3, 7))
    with unit_of_work(world.db, world.clock, "system:test") as work:
        people.enable(work, person_id=world.mentor)
    assert world.book(date(2023, 3, 7))


def test_nor_is_a_mentor_whose_office_has_ended(world: World) -> None:
    office = world.db.get_one(Person, world.mentor).offices[0].id
    with unit_of_work(world.db, world.clock, "system:test") as work:
        people.end_office(work, person_id=world.mentor, office_id=office, on=date(2023, 3, 8))
    assert world.days() == [date(2023, 3, day) for day in (6, 7, 8)]
    with pytest.raises(NotServing):
        world.book(date(2023, 3, 9))


def test_what_was_before_an_account_closed_can_still_be_logged(world: World, clock: SetClock) -> None:
    clock.now = datetime(2023, 3, 10, 9, tzinfo=UTC)
    with unit_of_work(world.db, clock, "system:test") as work:
        people.disable(work, person_id=world.mentor)
    assert world.log(date(2023, 3, 9))


def test_a_mentor_has_the_package_from_the_assignment_to_the_last_day(world: World, clock: SetClock) -> None:
    assert world.mentors(), "times can be offered before support starts"
    clock.now = datetime(2023, 3, 14, 23, tzinfo=UTC)
    assert world.mentors()
    clock.now = datetime(2023, 3, 15, 0, tzinfo=UTC)
    assert not world.mentors()


def test_taken_off_today_is_the_last_day(world: World, clock: SetClock) -> None:
    clock.now = datetime(2023, 3, 7, 9, tzinfo=UTC)
    with unit_of_work(world.db, clock, "system:test") as work:
        serving = work.db.get_one(Package, world.package).mentors[0]
        serving.to_on = None
        matching.unassign_mentor(work, package_id=world.package, person_id=world.mentor)
    assert world.mentors()
    assert world.book(date(2023, 3, 7), free=True)
    clock.now = datetime(2023, 3, 8, 9, tzinfo=UTC)
    assert not world.mentors()


def test_who_gives_support_is_who_mentors_or_has_a_session(world: World) -> None:
    other = world.make.mentor().id
    world.serve(other, date(2023, 3, 6), date(2023, 3, 6))
    assert givers(world.db, [world.package]) == {world.package: {world.mentor, other}}
    assert world.package in givers(world.db)


@pytest.mark.parametrize("both", ["mentors", "was a mentor", "is supported", "neither"])
def test_one_person_in_two_parts_stands_apart(world: World, both: str) -> None:
    """Somebody of the team who also gives, gave or gets support neither interviews nor judges there."""
    actor = Actor(uuid4(), "Tea Tor", frozenset({Role.TEAM, Role.MENTOR}), Level.MAIL, uuid4(), TODAY)

    class Asked:
        person_id = actor.person_id if both == "is supported" else uuid4()
        given_by = frozenset({actor.person_id} if "mentor" in both else set())

    apart = both == "neither"
    assert policies.may_interview(actor, Asked()) is apart
    assert policies.may_judge(actor, Asked()) is apart
    assert policies.may_answer(actor, Asked()) is (both == "is supported")
