"""Profiles, matching, interests, hand-over, instructions and balance, through a browser without JavaScript."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.councils import register as councils
from portal.mentors import profiles
from portal.mentors.balance import protected
from portal.models import MentorChoice, Office, Package, PackageMentor, Person, Place, Role, Session
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.canary_walk import date_of
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)


INSTRUCTED = {
    "wording": "As agreed",
    **dict.fromkeys(("political_group", "adjustments", "dietary", "case_words"), "silent"),
    "political_group_basis": "6(1)(e)",
    "political_group_condition": "9(2)(g)",
}
"""An instruction with grounds for political groups."""


class World:
    """The team signed in; a leader's package with a mentor, and another mentor."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, client: PageClient) -> None:
        self.stack, self.db, self.make = stack, db, make
        ada, bo = make.mentor("Ada Merriweather"), make.mentor("Bo Lindqvist")
        self.ada, self.bo = ada.id, bo.id
        here, near = make.council("Westmarch"), make.council("Eastmarch")
        self.here, self.near = here.id, near.id
        leader = make.person("Sam Okoro", council=here)
        self.leader = leader.id
        self.package = make.package(leader, mentor=ada, council=here, starts_on=date(2023, 2, 1)).id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(baseline_waived_at=stack.clock()))
            councils.set_neighbours(work, council_id=self.here, neighbour_ids=[self.near])
        self.dpo = make.person(role=Role.DPO).id
        self.client = client.sign_in(make.person("Tea Tor", role=Role.TEAM).id)

    def another(self, person_id: UUID) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(person_id)

    def book(self, starts_at: datetime = TEN) -> UUID:
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return bookings.book(
                work,
                self.stack.instance.programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=self.ada,
                starts_at=starts_at,
                place=Place.REMOTE,
            ).id

    def instruct(self, says: str) -> None:
        typed = {"letter": "I 7", **INSTRUCTED, "political_group": says, **date_of("from_on", 1)}
        self.another(self.dpo).post("/privacy-desk/instructions/new", typed)
        self.stack.clock.pass_time(seconds=1)

    def cells(self, page: Page, table: str) -> list[list[str]]:
        [found] = page.all("table", id=table)
        return [[page.words(cell) for cell in row] for row in found.iter("tr")]


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, client: PageClient) -> World:
    return World(stack, db, make, client)


# ---- profile


def test_a_mentor_writes_three_lines_that_leaders_read_before_booking(world: World) -> None:
    mentor, leader = world.another(world.ada), world.another(world.leader)
    assert "About you" in mentor.get("/mentor").words()
    page = mentor.post("/mentor/about", {"about": "1\n2\n3\n4"}, status=422)
    assert page.words(page.all("textarea")[0]) == "1 2 3 4"
    mentor.follow(mentor.post("/mentor/about", {"about": "Led two councils.\nI ask more than I tell."}))
    for path in (f"/packages/{world.package}/times", "/your-support"):
        assert "I ask more than I tell." in leader.get(path).words()
    assert "Led two councils." in mentor.get("/mentor/about").words()


def test_the_team_edits_the_rest(world: World) -> None:
    path = f"/team/people/{world.ada}"
    assert "Mentor profile" in world.client.get(path).words()
    typed = {
        "roles": ["chief_executive", profiles.DIRECTOR],
        "public_sector": "Twenty years",
        "one_to_one": "Eleven leaders",
        "skills": "SEND",
        "kinds": ["county"],
        "regions": ["London", "South East"],
        "capacity": "3",
        "coaching": "ILM 7",
        **date_of("trained_on", 1, 2),
    }
    page = world.client.follow(world.client.post(f"{path}/profile", typed))
    for words in ("Director of children's services", "London, South East", "3 packages, serves 1", "ILM 7"):
        assert words in page.words()
    form = world.client.get(f"{path}/profile")
    assert form.all("input", name="capacity")[0].get("value") == "3"
    world.client.post(f"{path}/profile", typed | {"capacity": "many"}, status=422)
    world.another(world.ada).get(f"{path}/profile", status=404)


# ---- political group


def test_the_field_shows_and_is_stored_only_while_an_instruction_lists_it(world: World) -> None:
    path = f"/team/people/{world.ada}"
    assert "Political group" not in world.client.get(path).words()
    world.client.get(f"{path}/political-group", status=404)
    token = world.client.get(f"{path}/profile").token()
    answer = world.client.http.post(
        f"{path}/political-group", data={"csrf_token": token, "political_group": "green"}
    )
    assert answer.status_code == 404
    assert world.db.get_one(Person, world.ada, populate_existing=True).political_group is None
    world.client.get("/reports/balance", status=404)

    world.instruct("listed")
    world.client.post(f"{path}/political-group", {"political_group": "green"})
    assert "Green" in world.client.get(path).words()
    assert "Political balance" in world.client.get("/team").words()
    wish = {"political_group": "green", "wish": "same"}
    page = world.client.post(f"/team/people/{world.leader}/political-group", wish)
    assert "A mentor of their own group" in world.client.follow(page).words()
    balance = world.client.get("/reports/balance")
    assert ["Green", "fewer than 5", "fewer than 5"] in world.cells(balance, "balance")

    world.instruct("no_more")
    assert "Green" not in world.client.get(path).words()
    world.client.get("/reports/balance", status=404)


def test_counts_give_nobody_away() -> None:
    said = {number: protected(number) for number in (0, 1, 4, 5, 7, 8, 12, 13)}
    assert list(said.values()) == ["fewer than 5"] * 3 + ["about 5"] * 2 + ["about 10"] * 2 + ["about 15"]


def test_instructions_are_entered_by_the_officer_and_read_by_the_team(world: World) -> None:
    officer = world.another(world.dpo)
    typed = {"letter": "", **INSTRUCTED, "political_group": "listed", **date_of("from_on", 1)}
    page = officer.post("/privacy-desk/instructions/new", typed, status=422)
    assert "Enter the reference of the letter" in page.words()
    world.instruct("silent")
    shown = world.client.get("/privacy-desk/instructions").words()
    assert "I 7" in shown
    assert "Not listed" in shown
    assert "Enter an instruction" not in shown
    world.client.get("/privacy-desk/instructions/new", status=404)


# ---- matching


def test_a_person_chooses_from_a_table_with_reasons(world: World) -> None:
    cy = world.make.mentor("Cy Near").id
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        office = {"role": Role.SCRUTINY_CHAIR, "from_on": date(2020, 1, 1)}
        work.db.add(Office(id=new_id(), person_id=cy, council_id=world.near, **office))
    world.make.person("Di Uncleared", role=Role.MENTOR, cleared=False)
    path = f"/team/packages/{world.package}/mentors"
    page = world.client.get(path)
    [head, row] = world.cells(page, "free")
    assert head[0] == "Name"
    assert row[0] == "Bo Lindqvist"
    assert "Knows this type: County council" in row
    assert [cells[0] for cells in world.cells(page, "stopped")[1:]] == ["Cy Near", "Di Uncleared"]
    assert "holds an office in a neighbouring council" in page.words()
    assert "BPSS clearance is not recorded" in page.words()
    values = [one.get("value") for one in page.all("input", name="mentors")]
    assert values == [str(world.bo), str(cy)]
    assert world.client.get(f"{path}?sort=region").status == 200

    chosen = {"mentors": str(cy), "why": "Knows SEND well"}
    kept = world.client.post(path, chosen, status=422)
    assert "Say why a mentor from a neighbouring council is right here" in kept.words()
    assert "Knows SEND well" in kept.words()
    done = world.client.follow(world.client.post(path, chosen | {"set_aside": "The only one free"}))
    assert "Cy Near" in done.words()
    assert world.db.scalars(select(MentorChoice.overridden)).all() == [True]
    assert "The only one free" in world.client.get("/reports/conflicts").words()
    world.client.post(path, {"mentors": str(world.ada), "why": "Again"}, status=422)


def test_a_new_package_leads_on_to_the_table(world: World) -> None:
    kim = world.make.person("Kim Ito", council=world.make.council("Southmarch"))
    kim_id, council_id = kim.id, kim.offices[0].council_id
    typed = {
        "package_id": str(new_id()),
        "leader": f"{kim_id}:lead_member",
        "agreed": "yes",
        "agreed_with": "Robin Vale",
        "ground": "inadequate",
        "evidence": "A report",
        **date_of("agreed_on", 1, 2),
        "goal_1": "Ask better questions",
        "planned_days": "5",
        **date_of("starts_on", 1),
    }
    made = world.client.post(f"/team/packages/new?strand=one_to_one&council={council_id}", typed)
    page = world.client.follow(made)
    assert page.heading == "Choose a mentor"
    assert "The package is made" in page.words()


# ---- interests


def test_mentors_declare_and_the_team_records_interests(world: World) -> None:
    typed = {"council": str(world.here), "nature": "Chairs a charity there", **date_of("from_on", 1, 2)}
    bo = world.another(world.bo)
    bo.post("/your-interests", typed | {"nature": ""}, status=422)
    assert "Chairs a charity there" in bo.follow(bo.post("/your-interests", typed)).words()
    page = world.client.get(f"/team/packages/{world.package}/mentors")
    assert "has declared an interest in this council" in page.words()
    person = f"/team/people/{world.bo}"
    assert "Chairs a charity there" in world.client.get(person).words()
    world.client.post(f"{person}/interests", typed | {"council": str(world.near), "action": "None needed"})
    change = world.client.get(person).all("a")
    [link] = [one.get("href") for one in change if "Westmarch" in world.client.get(person).words(one)][:1]
    world.client.post(link, {"action": "Stepped down", **date_of("to_on", 28, 2)})
    stated = world.client.get("/reports/conflicts").words()
    for words in ("con_9887", "Chairs a charity there", "Stepped down", "28 February 2023", "None needed"):
        assert words in stated
    file = world.client.http.get("/reports/conflicts.csv")
    assert file.mimetype == "text/csv"
    lines = file.get_data(as_text=True).splitlines()
    assert lines[1].startswith("con_9887,2023-03-01,Declared interest,Bo Lindqvist")


def test_an_interest_that_came_later_shows_the_package_concerned(world: World) -> None:
    typed = {"council": str(world.here), "nature": "A new contract", **date_of("from_on", 1)}
    world.another(world.ada).post("/your-interests", typed)
    ref = world.db.get_one(Package, world.package).ref
    rows = world.cells(world.client.get("/reports/conflicts"), "declared")
    assert rows[1][-2:] == ["Not recorded yet", ref]


# ---- hand-over


def test_the_team_hands_over_with_a_preview(world: World) -> None:
    session_id = world.book()
    person = f"/team/people/{world.ada}"
    assert f"{person}/hand-over" in world.client.get(person).text
    path = f"{person}/hand-over"
    assert "Coming sessions" in world.client.get(path).words()
    preview = world.client.get(f"{path}?to={world.bo}")
    assert "Goes over" in preview.words()
    assert world.db.get_one(Session, session_id).mentor_id == world.ada
    world.client.post(path, {"to": ""}, page=f"{path}?to={world.bo}", status=422)
    done = world.client.follow(world.client.post(path, {"to": str(world.bo)}, page=f"{path}?to={world.bo}"))
    assert "1 session was handed over" in done.words()
    world.db.rollback()
    assert world.db.get_one(Session, session_id).mentor_id == world.bo
    assert "10am to 11am" in world.another(world.bo).get("/mentor").words()
    world.another(world.bo).get(path, status=404)


def test_a_session_that_was_left_is_given_at_another_time(world: World) -> None:
    session_id = world.book()
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        serving = {"package_id": world.package, "person_id": world.bo, "from_on": date(2023, 2, 1)}
        work.db.add(PackageMentor(id=new_id(), **serving))
    path = f"/sessions/{session_id}/mentor"
    form = world.client.get(path)
    assert form.all("input", name="at")[0].get("value") == "10am"
    world.client.post(path, {"to": str(world.bo), "at": "10", **date_of("on", 3)}, status=422)
    page = world.client.follow(
        world.client.post(path, {"to": str(world.bo), "at": "2pm", **date_of("on", 3)})
    )
    assert "has another mentor" in page.words()
    held = world.db.get_one(Session, session_id, populate_existing=True)
    assert (held.mentor_id, held.starts_at) == (world.bo, datetime(2023, 3, 3, 14, 0, tzinfo=UTC))


def test_a_session_is_not_given_over_another(world: World) -> None:
    first = world.book()
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        serving = {"package_id": world.package, "person_id": world.bo, "from_on": date(2023, 2, 1)}
        work.db.add(PackageMentor(id=new_id(), **serving))
    other = world.make.package(
        world.make.person(),
        mentor=world.db.get_one(Person, world.bo),
        council=world.make.council(),
        starts_on=date(2023, 2, 1),
    ).id
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        work.db.execute(update(Package).values(baseline_waived_at=work.now))
        book: dict[str, Any] = {
            "package_id": other,
            "session_id": uuid4(),
            "mentor_id": world.bo,
            "place": Place.REMOTE,
        }
        bookings.book(work, world.stack.instance.programme, starts_at=TEN, **book)
    typed = {"to": str(world.bo), "at": "10am", **date_of("on", 2)}
    page = world.client.post(f"/sessions/{first}/mentor", typed, status=409)
    assert "That time has gone" in page.words()
    assert page.all("input", name="at")[0].get("value") == "10am"
