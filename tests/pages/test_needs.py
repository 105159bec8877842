"""What people need in sessions: asked for only where an instruction lists it, and shown to those who must act."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.models import Package, Person, Place, Role
from portal.people import needs
from portal.programme import Programme
from privacy import registers
from privacy.registers import DataItem, Register
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient

TEN = datetime(2023, 3, 9, 10, 0, tzinfo=UTC)
BOTH = {DataItem.ADJUSTMENTS: True, DataItem.DIETARY: True}


class World:
    """A leader with a session booked, their mentor, another mentor of the package, and the team."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, programme: Programme) -> None:
        self.stack, self.db, self.make = stack, db, make
        self.mentor = make.mentor("Ada Merriweather").id
        self.leader = make.person("Niamh Shea").id
        self.team = make.person("Tess Team", role=Role.TEAM).id
        mentor, leader = db.get_one(Person, self.mentor), db.get_one(Person, self.leader)
        self.package = make.package(leader, mentor=mentor, council=make.council()).id
        with self.work() as work:
            work.db.get_one(Package, self.package).baseline_waived_at = work.now
        with self.work() as work:
            self.session = bookings.book(
                work,
                programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=self.mentor,
                starts_at=TEN,
                place=Place.REMOTE,
            ).id

    def work(self):
        return unit_of_work(self.db, self.stack.clock, "system:test")

    def instruct(self, items: dict[DataItem, bool]) -> None:
        with self.work() as work:
            registers.enter(
                work, register=Register.INSTRUCTION, letter="INS 1", from_on=work.now.date(), items=items
            )

    def as_(self, person_id: UUID) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(person_id)


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, programme: Programme) -> World:
    return World(stack, db, make, programme)


def test_without_an_instruction_nothing_is_asked_for(world: World) -> None:
    page = world.as_(world.leader).get("/your-needs")
    assert "We do not record this at the moment" in page.words()
    assert not page.all("textarea")
    team = world.as_(world.team)
    assert team.http.get(f"/team/people/{world.leader}/needs").status_code == 404
    assert "Adjustments" not in team.get(f"/team/people/{world.leader}").words()
    with pytest.raises(needs.NotListed), world.work() as work:
        needs.write(work, person_id=world.leader, said={DataItem.DIETARY: "No nuts"})


def test_only_what_is_listed_is_asked_for(world: World) -> None:
    world.instruct({DataItem.DIETARY: True})
    page = world.as_(world.leader).get("/your-needs")
    assert [one.get("name") for one in page.all("textarea")] == ["dietary"]


def test_a_person_notes_their_needs_and_those_who_must_act_see_them(world: World, clock: SetClock) -> None:
    world.instruct(BOTH)
    leader, mentor, team = world.as_(world.leader), world.as_(world.mentor), world.as_(world.team)
    page = leader.follow(leader.post("/your-needs", {"adjustments": "A hearing loop", "dietary": "No nuts"}))
    assert "It is saved" in page.words()
    path = f"/sessions/{world.session}"
    for client in (mentor, team):
        words = client.get(path).words()
        assert "Niamh Shea: adjustments A hearing loop" in words
        assert "No nuts" in words
    assert "A hearing loop" not in leader.get(path).words(), "their own page holds it"
    assert "A hearing loop" not in leader.get(f"{path}/calendar.ics").text
    clock.now = TEN + timedelta(hours=2)
    assert "A hearing loop" not in world.as_(world.mentor).get(path).words(), "the session is over"


def test_the_team_notes_and_deletes_them_for_somebody(world: World) -> None:
    world.instruct(BOTH)
    team = world.as_(world.team)
    person, path = f"/team/people/{world.leader}", f"/team/people/{world.leader}/needs"
    team.post(path, {"adjustments": "Large print", "dietary": ""})
    assert "Large print" in team.get(person).words()
    team.post(path, {"adjustments": "", "dietary": ""})
    world.db.rollback()
    assert world.db.get_one(Person, world.leader).adjustments is None
    long = team.post(path, {"adjustments": "x" * 1001, "dietary": ""}, status=422)
    assert "Use 1,000 characters or fewer" in long.words()


def test_what_is_listed_no_more_is_shown_to_nobody(world: World, clock: SetClock) -> None:
    world.instruct(BOTH)
    world.as_(world.leader).post("/your-needs", {"adjustments": "A hearing loop", "dietary": ""})
    clock.pass_time(hours=1)
    world.instruct({DataItem.ADJUSTMENTS: False})
    for person in (world.mentor, world.team):
        assert "A hearing loop" not in world.as_(person).get(f"/sessions/{world.session}").words()
    with world.work() as work:
        needs.write(work, person_id=world.leader, said={DataItem.ADJUSTMENTS: None})
    world.db.rollback()
    assert world.db.get_one(Person, world.leader).adjustments is None


def test_the_officer_enters_what_an_instruction_lists(world: World, make: Factory) -> None:
    officer = world.as_(make.person(role=Role.DPO).id)
    day = {"from_on-day": "1", "from_on-month": "3", "from_on-year": "2023"}
    said = {
        **dict.fromkeys(("political_group", "case_words"), "silent"),
        "adjustments": "listed",
        "adjustments_basis": "6(1)(e)",
        "adjustments_condition": "9(2)(g)",
        "dietary": "no_more",
    }
    page = officer.follow(
        officer.post(
            "/privacy-desk/instructions/new",
            {"letter": "INS 7", "wording": "Needs may be held", **day, **said},
        )
    )
    assert "Adjustments: listed. Dietary needs: no more." in page.words()
    world.db.rollback()
    assert needs.asked(world.db, on=world.make.today) == [DataItem.ADJUSTMENTS]
