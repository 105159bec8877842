"""Names of every script come out as they were typed: on pages, in mails, in calendars, in files and on paper."""

import csv
import io
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
import vobject
from pypdf import PdfReader
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.desk import housekeeping
from portal.models import Goal, GoalState, Package, PackageState, Place, Role
from privacy import papers
from privacy.papers import Paper, paragraph
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.outbox import Outbox, text_of
from tests.pages_client import Page, PageClient
from tests.rules.test_person_exports import export

WELSH = "Siân Ŵyn-Tŷ Gwyn"
ARABIC = "ليلى الحداد"
POLISH = "Łukasz Śliwiński"
PLACE = "Neuadd y Sir, Tŷ'r Gân"
GOAL = "Ein nod: gwrando ar blant — ونسمع الأطفال"


class World:
    """A leader, a mentor and a session, all with names that take more than ASCII."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, *, leader: str, mentor: str) -> None:
        self.stack, self.names = stack, (leader, mentor)
        person, helper = make.person(leader, council=make.council("Ynys Môn")), make.mentor(mentor)
        self.leader, self.mentor = person.id, helper.id
        self.team = make.person(POLISH, role=Role.TEAM).id
        package = make.package(person, mentor=helper, state=PackageState.ACTIVE)
        self.package, part = package.id, package.participations[0].id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.get_one(Package, self.package).baseline_waived_at = work.now
            goal = Goal(id=new_id(), package_id=self.package, participation_id=part, number=1)
            goal.state, goal.agreed_on, goal.text = GoalState.OPEN, make.today, GOAL
            work.db.add(goal)
            self.session = self._book(work)

    def _book(self, work: Work) -> UUID:
        choice = bookings.times(
            work.db,
            self.stack.instance.programme,
            work.db.get_one(Package, self.package),
            now=work.now,
            limit=1,
        )[0]
        return bookings.book(
            work,
            self.stack.instance.programme,
            package_id=self.package,
            session_id=new_id(),
            mentor_id=self.mentor,
            starts_at=choice.starts_at,
            place=Place.IN_PERSON,
            where=PLACE,
            free_time=True,
        ).id


@pytest.fixture(params=[(WELSH, ARABIC), (ARABIC, WELSH)], ids=["to the right", "to the left"])
def world(request: pytest.FixtureRequest, stack: Stack, db: DbSession, make: Factory) -> World:
    leader, mentor = request.param
    return World(stack, db, make, leader=leader, mentor=mentor)


def apart(page: Page, name: str) -> bool:
    """Whether every place that shows a name keeps its direction to itself."""
    found = [part for part in page.tree.iter() if name in (part.text or "") and part.tag != "title"]
    return bool(found) and all(
        one.tag in {"bdi", "button", "option", "textarea"} or one.get("dir") == "auto" for one in found
    )


def calendar_in(message: EmailMessage) -> str:
    (part,) = (one for one in message.walk() if one.get_content_type() == "text/calendar")
    return str(part.get_content())


def test_names_survive_on_pages_and_files(world: World, client: PageClient) -> None:
    leader, mentor = world.names
    for path in ("/your-support", f"/sessions/{world.session}", "/your-calendar", "/your-data"):
        page = client.sign_in(world.leader).get(path)
        assert leader in page.words()
        assert apart(page, leader), path
    own = client.get("/your-support")
    assert apart(own, mentor)
    assert (GOAL in own.words(), PLACE in own.words()) == (True, True)
    assert apart(client.sign_in(world.mentor).get("/mentor"), leader)
    staff = client.sign_in(world.team)
    assert apart(staff.search("/team/people", leader.split()[0]), leader)
    rows = list(csv.reader(io.StringIO(staff.get("/team/people/list.csv").text.lstrip("\ufeff"))))
    assert "Ynys Môn Council" in {cell for row in rows for cell in row}


def test_names_survive_in_mails_and_calendars(world: World, client: PageClient, tmp_path: Path) -> None:
    mails = {str(one["To"]): one for one in Outbox(world.stack, tmp_path).new()}
    assert len(mails) == 2
    for message in mails.values():
        plain, page = text_of(message), message.get_body(("html",))
        assert page is not None
        for words in (WELSH, ARABIC, PLACE):
            assert words in plain
            assert words in str(page.get_content()).replace("&#39;", "'")
        event = vobject.readOne(calendar_in(message)).vevent
        assert event.location.value == PLACE
        assert {one.params["CN"][0] for one in event.attendee_list} <= set(world.names)
    file = client.sign_in(world.leader).get(f"/sessions/{world.session}/calendar.ics").text
    assert vobject.readOne(file).vevent.location.value == PLACE
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n")), "lines are folded between letters"


def test_names_survive_in_what_people_take_with_them(world: World, tmp_path: Path) -> None:
    vault = world.stack.instance.vault
    desk = housekeeping.desk(
        world.stack.instance, lambda: DbSession(world.stack.engine, info={"vault": vault})
    )
    files = export(replace(desk, folder=tmp_path / "exports"), world.leader)
    told = "\n".join(files.values())
    assert (world.names[0] in told, GOAL in told) == (True, True)


def test_welsh_letters_stand_on_paper() -> None:
    paper = Paper(
        title="Notice",
        sender="Leadership support",
        on=date(2023, 3, 1),
        references=[],
        to=[WELSH],
        mark="",
        blocks=[paragraph(f"{POLISH}, {PLACE}")],
    )
    reader = PdfReader(io.BytesIO(papers.render(paper)))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert (WELSH in text, POLISH in text) == (True, True)
