"""Who can mentor a package: what stops whom, what speaks for whom, and that a person's choice is kept."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import open_offers
from portal.councils import register as councils
from portal.mentors import choosing, interests, profiles
from portal.mentors.choosing import NotSetAside, Unexplained
from portal.mentors.interests import InterestRefused
from portal.mentors.profiles import Profile
from portal.mentors.stops import ConflictOfInterest, NeighbouringCouncil, NoCapacity, Stop
from portal.models import MentorChoice, Offer, OfferState, Office, Package, Person, Place, Role, Strand
from portal.packages import members as matching
from portal.programme import Programme
from privacy.audit import Action, AuditEntry
from privacy.records import new_id
from privacy.registers import DataItem, Register, enter
from privacy.work import unit_of_work
from tests.cleared import RECORD
from tests.conftest import SetClock
from tests.factories import Factory

TODAY = date(2023, 3, 1)


class World:
    """A leader's package without a mentor, its council, the one next to it, and one far away."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.make, self.clock, self.programme = db, make, clock, programme
        here, near, far = make.council("Here"), make.council("Near"), make.council("Far", region="London")
        self.here, self.near, self.far = here.id, near.id, far.id
        leader = make.person("Sam Okoro", council=here)
        self.leader = leader.id
        self.package = make.package(leader, council=here).id
        with unit_of_work(db, make.clock, "system:test") as work:
            councils.set_neighbours(work, council_id=self.here, neighbour_ids=[self.near])

    def mentor(
        self, name: str, *, office_in: UUID | None = None, until: date | None = None, **record: Any
    ) -> UUID:
        mentor_id = self.make.mentor(name).id
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in RECORD.items()
        }
        values |= {"trained_on": TODAY}
        with unit_of_work(self.db, self.make.clock, "system:test") as work:
            profiles.write_record(work, person_id=mentor_id, profile=Profile(**(values | record)))
            if office_in is not None:
                office = {"role": Role.SCRUTINY_CHAIR, "from_on": date(2020, 1, 1), "to_on": until}
                work.db.add(Office(id=new_id(), person_id=mentor_id, council_id=office_in, **office))
        return mentor_id

    def table(self, sort: str | None = None) -> choosing.Table:
        package = self.db.get_one(Package, self.package, populate_existing=True)
        return choosing.table(self.db, self.programme, package, on=TODAY, sort=sort)

    def stops(self) -> dict[str, list[Stop]]:
        return {one.name: [stop.stop for stop in one.looked.stops] for one in self.table().stopped}

    def choose(self, person_id: UUID, **more: Any) -> None:
        asked = {"why": "Knows the place", **more}
        with unit_of_work(self.db, self.make.clock, "person:test") as work:
            choosing.choose(work, self.programme, package_id=self.package, person_id=person_id, **asked)

    def declare(self, person_id: UUID, council_id: UUID, *, to_on: date | None = None) -> None:
        with unit_of_work(self.db, self.make.clock, "person:test") as work:
            interests.declare(
                work,
                person_id=person_id,
                council_id=council_id,
                nature="Chairs a charity there",
                from_on=date(2022, 1, 1),
                to_on=to_on,
            )

    def instruct(self, listed: bool, on: date = TODAY) -> None:
        with unit_of_work(self.db, self.make.clock, "system:test") as work:
            items = {DataItem.POLITICAL_GROUP: listed}
            enter(work, register=Register.INSTRUCTION, letter="I 1", from_on=on, items=items)
        self.clock.pass_time(seconds=1)


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def test_hard_stops_come_first_with_their_reasons(world: World) -> None:
    free = world.mentor("Free")
    world.mentor("Own", office_in=world.here, until=date(2021, 1, 1))
    world.mentor("Next door", office_in=world.near)
    world.mentor("Once next door", office_in=world.near, until=date(2022, 1, 1))
    world.declare(world.mentor("Tied"), world.here)
    world.declare(world.mentor("Tied before"), world.here, to_on=date(2023, 2, 28))
    world.declare(world.mentor("Tied elsewhere"), world.far)
    full = world.mentor("Full", capacity=1)
    world.make.package(
        world.make.person(), mentor=world.db.get_one(Person, full), council=world.make.council()
    )
    world.make.person("Not cleared", role=Role.MENTOR, cleared=False)
    found = world.stops()
    lacking = found.pop("Not cleared")
    assert found == {
        "Own": [Stop.OWN_COUNCIL],
        "Next door": [Stop.NEIGHBOUR],
        "Tied": [Stop.INTEREST],
        "Full": [Stop.CAPACITY],
    }
    assert set(lacking) == {Stop.CLEARANCE, Stop.EXPERIENCE, Stop.CAPACITY}
    names = {one.name for one in world.table().free}
    assert names == {"Free", "Once next door", "Tied before", "Tied elsewhere"}
    with pytest.raises(NoCapacity):
        world.choose(full)
    world.choose(free)
    assert "Free" not in {one.name for one in world.table().free}, "who serves is not offered again"


def test_a_neighbour_is_allowed_with_a_reason_which_is_kept(world: World) -> None:
    mentor = world.mentor("Next door", office_in=world.near)
    with pytest.raises(NotSetAside):
        world.choose(mentor)
    with pytest.raises(NeighbouringCouncil), unit_of_work(world.db, world.make.clock, "system:test") as work:
        matching.assign_mentor(work, package_id=world.package, person_id=mentor)
    with pytest.raises(Unexplained):
        world.choose(mentor, why=" ", set_aside="The only one with SEND")
    world.choose(mentor, set_aside="The only one with SEND")
    row = world.db.scalars(select(MentorChoice)).one()
    assert row.overridden
    assert row.reasons["set_aside"] == "The only one with SEND"
    assert row.reasons["why"] == "Knows the place"
    assert row.reasons["table"]["Region"] == "Works in North West"
    line = world.db.scalars(select(AuditEntry).where(AuditEntry.action == Action.MENTOR_CHOSEN.word)).one()
    assert '"overridden":true' in line.details
    assert "SEND" not in line.details
    stated = interests.statement(world.db, on=TODAY)
    assert [(choice.id, package.id) for choice, package in stated.set_aside] == [(row.id, world.package)]


def test_an_interest_stops_and_cannot_be_set_aside(world: World) -> None:
    mentor = world.mentor("Tied")
    world.declare(mentor, world.here)
    with pytest.raises(ConflictOfInterest):
        world.choose(mentor, set_aside="Never mind")
    stated = interests.statement(world.db, on=TODAY).declared
    assert [(one.interest.nature, list(one.packages)) for one in stated] == [("Chairs a charity there", [])]


def test_the_reasons_are_words_and_the_table_sorts_by_each_column(world: World) -> None:
    world.mentor("Anna", roles=("lead_member",), regions=("London",), capacity=2, coaching="ILM 7")
    world.mentor("Bea", roles=("chief_executive",), regions=("North West",), capacity=9, skills="", kinds=())
    by = {
        name: [one.name for one in world.table(name).free]
        for name in ("role", "region", "left", "experience")
    }
    assert by == {
        "role": ["Anna", "Bea"],
        "region": ["Bea", "Anna"],
        "left": ["Bea", "Anna"],
        "experience": ["Anna", "Bea"],
    }
    anna = world.table().find(world.table().free[0].person.id)
    assert anna is not None
    words = {name: reason.words for name, reason in anna.reasons.items()}
    assert words["role"] == "Was also: Lead Member for children's services"
    assert words["kind"] == "Knows this type: County council"
    assert words["region"] == "London"
    assert words["left"] == "2 of 2"
    assert "Coaching: ILM 7" in words["experience"]
    assert "group" not in words


def test_political_groups_are_held_and_shown_only_while_an_instruction_lists_them(world: World) -> None:
    mentor = world.mentor("Anna")
    with pytest.raises(profiles.NotListed), unit_of_work(world.db, world.make.clock, "system:test") as work:
        profiles.write_group(work, person_id=mentor, group="labour")
    assert world.db.get_one(Person, mentor).political_group is None
    world.instruct(True)
    with unit_of_work(world.db, world.make.clock, "system:test") as work:
        profiles.write_group(work, person_id=mentor, group="labour")
        profiles.write_group(work, person_id=world.leader, group="labour", wish="same")
    assert world.table("group").free[0].reasons["group"].words == "Labour, as the leader would like"
    with unit_of_work(world.db, world.make.clock, "system:test") as work:
        profiles.write_group(work, person_id=world.leader, group="labour", wish="other")
    assert world.table().free[0].reasons["group"].words == "Labour, not as the leader would like"
    world.choose(mentor)
    assert "Labour" not in str(world.db.scalars(select(MentorChoice)).one().reasons)
    world.instruct(False)
    assert not profiles.may_hold_groups(world.db, on=TODAY)
    assert "group" not in world.table().columns


def test_the_instruction_counts_from_its_day(world: World) -> None:
    world.instruct(True, on=date(2023, 4, 1))
    assert not profiles.may_hold_groups(world.db, on=date(2023, 3, 31))
    assert profiles.may_hold_groups(world.db, on=date(2023, 4, 1))


def test_a_group_can_be_matched_too(world: World) -> None:
    members = [world.make.person(council=world.db.get_one(Package, world.package).council) for _ in range(2)]
    group = world.make.package(*members, strand=Strand.GROUP).id
    mentor = world.mentor("Anna")
    with unit_of_work(world.db, world.make.clock, "person:test") as work:
        choosing.choose(work, world.programme, package_id=group, person_id=mentor, why="Good with groups")
    assert [one.mentor_id for one in choosing.choices(world.db, group)] == [mentor]


def test_interests_are_checked_and_end(world: World) -> None:
    mentor = world.mentor("Anna")
    with pytest.raises(InterestRefused):
        world.declare(mentor, world.here, to_on=date(2021, 1, 1))
    world.declare(mentor, world.here)
    assert world.stops() == {"Anna": [Stop.INTEREST]}
    [row] = interests.of_person(world.db, mentor)
    with unit_of_work(world.db, world.make.clock, "person:test") as work:
        interests.change(work, interest_id=row.id, to_on=date(2023, 2, 28), action="They stepped down")
    assert world.stops() == {}
    assert interests.statement(world.db, on=TODAY).declared[0].interest.action == "They stepped down"


def test_taking_a_mentor_off_withdraws_what_they_offered(world: World) -> None:
    mentor = world.mentor("Anna")
    world.choose(mentor)
    with unit_of_work(world.db, world.make.clock, "system:test") as work:
        starts_at = work.now.replace(day=9)
        work.db.add(
            Offer(
                id=new_id(),
                batch_id=new_id(),
                package_id=world.package,
                mentor_id=mentor,
                starts_at=starts_at,
                ends_at=starts_at.replace(hour=10),
                place=Place.REMOTE,
                state=OfferState.OPEN,
                made_at=work.now,
            )
        )
    assert len(open_offers.open_for(world.db, world.package, now=world.make.clock())) == 1
    with unit_of_work(world.db, world.make.clock, "system:test") as work:
        matching.unassign_mentor(work, package_id=world.package, person_id=mentor)
    assert open_offers.open_for(world.db, world.package, now=world.make.clock()) == []


def test_three_lines_and_no_more(world: World) -> None:
    mentor = world.mentor("Anna")
    for text in ("one\ntwo\nthree\nfour", "x" * 401):
        with pytest.raises(profiles.TooLong), unit_of_work(world.db, world.make.clock, "system:test") as work:
            profiles.write_about(work, person_id=mentor, about=text)
