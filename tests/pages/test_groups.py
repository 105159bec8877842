"""Group sessions through the pages: waiting and declining, registrations, go or no-go, sets, sheet and certificate."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import delivery
from portal.groups.plans import Plan
from portal.models import Attendance, Council, Role, Session, SessionKind, SessionState
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.rules.group_world import TEN, GroupWorld, later


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory) -> GroupWorld:
    return GroupWorld(stack, db, make, members=4)


@pytest.fixture
def tess(make: Factory) -> UUID:
    return make.person("Tess Team", role=Role.TEAM).id


@pytest.fixture
def team(stack: Stack, tess: UUID) -> PageClient:
    return PageClient(stack.app, stack.instance).sign_in(tess)


def member(world: GroupWorld, number: int) -> PageClient:
    """The browser of a member, counted from 1."""
    return PageClient(world.stack.app, world.stack.instance).sign_in(world.members[number - 1])


def mentor(world: GroupWorld) -> PageClient:
    return PageClient(world.stack.app, world.stack.instance).sign_in(world.mentor)


def test_a_member_waits_is_promoted_and_declines(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=1)
    address = f"/sessions/{session_id}"
    world.take(session_id, world.members[0])
    second, third = member(world, 2), member(world, 3)
    assert (
        "You are on the waiting list." in second.follow(second.post(f"{address}/wait", page=address)).words()
    )
    third.post(f"{address}/wait")
    assert "You are number 2 on the waiting list" in third.get(address).words()
    assert "You are number 2 on the waiting list" in third.get("/your-support").words()
    assert "You are number 2." in third.get(f"{address}/wait/stop").words()
    assert "You are number 2 on the waiting list" in third.get(address).words(), "asked is not left"
    second.get(f"{address}/place/give-up", status=303)
    first = member(world, 1)
    first.post(f"{address}/place/give-up", page=address)
    page = second.get(f"{address}/freed-place")
    assert page.heading == "You have a place"
    assert "you were next on the waiting list" in page.words()
    assert world.seated(session_id) == {world.members[1]}, "opening the page changes nothing"
    second.http.head(f"{address}/freed-place")
    said = second.follow(second.post(f"{address}/freed-place"))
    assert "You have declined the place" in said.words()
    assert world.seated(session_id) == {world.members[2]}
    assert second.get(f"{address}/freed-place").heading == "You have no place in this session"


def test_who_was_passed_over_and_the_mentor_read_why(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=1)
    world.take(session_id, world.members[0])
    world.busy(world.members[1])
    address = f"/sessions/{session_id}"
    second = member(world, 2)
    second.post(f"{address}/wait", page=address)
    world.give_up(session_id, world.members[0])
    assert "A place was free, but you have another session then." in second.get(address).words()
    words = mentor(world).get(f"{address}/registrations").words()
    assert "Passed over on 1 March 2023: has another session then" in words


def test_near_the_session_nobody_is_put_on_the_list(world: GroupWorld, clock: SetClock) -> None:
    session_id = world.schedule(capacity=1)
    world.take(session_id, world.members[0])
    clock.now = later(hours=-2)
    address = f"/sessions/{session_id}"
    page = member(world, 2).get(address)
    assert "nobody moves up from the waiting list any more" in page.words()
    assert not page.all("form", action=f"{address}/wait")
    refused = member(world, 2).post(f"{address}/wait", status=422)
    assert "starts so soon" in refused.words()


def test_the_team_adds_and_removes(world: GroupWorld, team: PageClient) -> None:
    session_id = world.schedule(capacity=1)
    page = f"/sessions/{session_id}/registrations"
    said = team.follow(team.post(f"{page}/add", {"person": str(world.members[0])}, page=page))
    assert "They have a place." in said.words()
    said = team.follow(team.post(f"{page}/add", {"person": str(world.members[1])}, page=page))
    assert "They are on the waiting list." in said.words()
    assert "Member 2" in said.words(said.all("table", id="waiting")[0])
    asked = team.get(f"{page}/{world.members[0]}/remove")
    assert "1 person waits. The place goes to the first who can come, at once." in asked.words()
    assert world.seated(session_id) == {world.members[0]}
    team.post(f"{page}/{world.members[0]}/remove")
    team.get(f"{page}/{world.members[0]}/remove", status=404)
    assert world.seated(session_id) == {world.members[1]}
    refused = team.post(f"{page}/add", {"person": "nobody"}, page=page, status=422)
    assert "Choose a person" in refused.words()
    assert "removed by somebody else" in refused.words()
    theirs = mentor(world)
    assert not theirs.get(page).all("form", action=f"{page}/add"), "a mentor reads the list"
    token = theirs.get("/your-devices").token()
    assert theirs.http.post(f"{page}/add", data={"csrf_token": token}).status_code == 404


def test_more_places_are_given_by_a_form_that_keeps_what_was_typed(
    world: GroupWorld, team: PageClient
) -> None:
    session_id = world.schedule(capacity=2)
    world.take(session_id, *world.members[:2])
    address = f"/sessions/{session_id}"
    member(world, 3).post(f"{address}/wait", page=address)
    wrong = team.post(f"{address}/plan", {"capacity": "2", "minimum": "9"}, status=422)
    assert "Enter both the fewest people and the day to decide" in wrong.words()
    assert [field.get("value") for field in wrong.all("input", name="minimum")] == ["9"]
    assert "2 people have a place" in team.post(f"{address}/plan", {"capacity": "1"}, status=422).words()
    team.post(f"{address}/plan", {"capacity": "3"})
    assert len(world.seated(session_id)) == 3


def test_go_or_no_go(world: GroupWorld, team: PageClient, tess: UUID, clock: SetClock) -> None:
    plan = Plan(minimum=3, decide_on=TEN.date() - timedelta(days=2))
    session_id = world.schedule(capacity=4, plan=plan)
    world.take(session_id, world.members[0])
    assert "Go or no-go" not in team.get("/team").words()
    clock.now = later(days=-2)
    team.sign_in(tess)
    decide = f"/sessions/{session_id}/decide"
    assert team.get("/team").all("a", href=decide)
    assert "1 of 4 places are taken" in team.get(decide).words()
    without = team.post(decide, {"decision": "no_go"}, status=422)
    assert "Say why it is called off" in without.words()
    team.post(decide, {"decision": "no_go", "reason": "Too few can come"})
    assert world.session(session_id).state is SessionState.CANCELLED
    assert "Too few can come" in member(world, 1).get(f"/sessions/{session_id}").words()
    assert "it was decided that it is called off" in team.get(decide).words()
    assert "Go or no-go" not in team.get("/team").words()


def schedule_form(world: GroupWorld, **more: Any) -> dict[str, Any]:
    return {
        "title": "A day out",
        "kind": "workshop",
        "mentor_id": str(world.mentor),
        "on-day": "10",
        "on-month": "3",
        "on-year": "2023",
        "at": "10am",
        "minutes": "120",
        "capacity": "4",
        "place": "in_person",
        **more,
    }


def scheduled(client: PageClient, world: GroupWorld, *, status: int = 303, **more: Any) -> Any:
    address = f"/packages/{world.group}/schedule"
    form = schedule_form(world, **more)
    form["session_id"] = client.get(address).all("input", name="session_id")[0].get("value")
    return client.post(address, form, status=status)


def test_a_visit_is_scheduled_to_a_council(world: GroupWorld) -> None:
    host = str(world.make.council("Southshire").id)
    client = mentor(world)
    wrong = scheduled(client, world, status=422, kind="visit")
    assert "Choose the council that you visit" in wrong.words()
    assert "A day out" in wrong.text
    made = client.follow(scheduled(client, world, kind="visit", host=host))
    assert "Southshire Council" in made.words()
    world.db.rollback()
    assert world.db.scalars(select(Session.kind)).all() == [SessionKind.VISIT]


def test_the_team_joins_packages_to_a_joint_workshop(world: GroupWorld, team: PageClient) -> None:
    council = world.db.get_one(Council, world.council)
    chief = world.make.person("Chief", role=Role.CHIEF_EXECUTIVE, council=council)
    chief_id = chief.id
    package = world.make.package(chief, council=world.db.get_one(Council, world.council)).id
    address = f"/packages/{world.group}/schedule"
    assert not mentor(world).get(address).all("input", name="packages"), "who else is supported is not theirs"
    made = scheduled(team, world, kind="joint_workshop", packages=str(package))
    session = made.response.headers["Location"]
    world.waive(package)
    client = PageClient(world.stack.app, world.stack.instance).sign_in(chief_id)
    assert "A day out" in client.get("/your-support").words()
    client.post(f"{session}/place", page=session)
    assert world.seated(UUID(session.rpartition("/")[2])) == {chief_id}
    stranger = world.make.person(role=Role.CHIEF_EXECUTIVE).id
    PageClient(world.stack.app, world.stack.instance).sign_in(stranger).get(session, status=404)


def test_a_learning_set_is_booked_and_somebody_replaced(world: GroupWorld, team: PageClient) -> None:
    client, address = mentor(world), f"/packages/{world.group}/learning-set"
    ways = [link.get("href") for link in team.get(f"/team/packages/{world.group}").all("a")]
    assert address in ways, "the team books one too"
    page = client.get(address)
    form: dict[str, Any] = {
        "set_id": page.all("input", name="set_id")[0].get("value"),
        "title": "Learning together",
        "mentor_id": str(world.mentor),
        "members": [str(one) for one in world.members[:3]],
        "minutes": "120",
        "place": "remote",
    }
    for row, on in enumerate((10, 17), 1):
        form |= {
            f"on_{row}-day": str(on),
            f"on_{row}-month": "3",
            f"on_{row}-year": "2023",
            f"at_{row}": "2pm",
        }
    short = client.post(address, form | {"on_2-day": "", "on_2-month": "", "on_2-year": ""}, status=422)
    assert "Enter the date of time 2" in short.words()
    taken = world.busy(world.members[0], starts_at=TEN + timedelta(days=7, hours=4))
    clash = client.post(address, form, status=409)
    assert "Somebody of the set has no time on 17 March 2023" in clash.words()
    world.give_up(taken, world.members[0])
    assert "All 2 dates are booked" in client.follow(client.post(address, form)).words()
    session_id = world.db.scalars(
        select(Session.id).where(Session.kind == SessionKind.ACTION_LEARNING_SET)
    ).first()
    replace = f"/sessions/{session_id}/replace"
    people = {"leaver": str(world.members[0]), "newcomer": str(world.members[3])}
    said = team.follow(team.post(replace, people))
    assert "2 coming dates have changed hands" in said.words()
    assert isinstance(session_id, UUID)
    assert world.seated(session_id) == set(world.members[1:])
    assert "action learning set with fixed members" in member(world, 1).get(f"/sessions/{session_id}").words()


def test_sheet_and_certificate(world: GroupWorld, team: PageClient, tess: UUID, clock: SetClock) -> None:
    session_id = world.schedule(capacity=3)
    world.take(session_id, *world.members[:2])
    sheet = mentor(world).get(f"/sessions/{session_id}/sign-in-sheet")
    rows = sheet.all("table", id="sheet")[0].findall(".//tbody/tr")
    assert len(rows) == 3, "two names and an empty line"
    assert "con_9887" in sheet.words()
    clock.now = later(hours=3)
    came = [world.members[0]]
    held = {"session_id": session_id, "outcome": delivery.Outcome.HELD, "attended": came}
    world.act(delivery.record, world.programme, **held)
    seats = {seat.person_id: seat.id for seat in world.db.scalars(select(Attendance))}
    address = f"/certificates/{seats[world.members[0]]}"
    page = member(world, 1).get(address)
    for words in (
        "Certificate of attendance",
        "Member 1",
        "Asking the right questions",
        "con_9887",
        "Crown copyright",
    ):
        assert words in page.words()
    assert team.sign_in(tess).get(address).heading == "Certificate of attendance"
    assert member(world, 1).get("/your-support").all("a", href=address)
    member(world, 2).get(address, status=404)
    member(world, 2).get(f"/certificates/{seats[world.members[1]]}", status=404)
    assert address in team.get(f"/sessions/{session_id}/registrations").text
