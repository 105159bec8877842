"""Leaders whose office has ended: they come back to answer, see "Your support", and nothing else."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import asking
from portal.mailing import feeds
from portal.models import Mail, Package, PackageState, Person
from portal.people import former
from portal.programme import Programme
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.sittings import Asking
from tests.conftest import SetClock, Stack
from tests.crowd import whole_answers
from tests.factories import Factory
from tests.pages_client import PageClient


class World:
    """A leader whose support ended with their office, yesterday."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, programme: Programme) -> None:
        self.stack, self.db, self.make, self.programme = stack, db, make, programme
        versions.publish_shipped(db, stack.clock)
        mentor, leader = make.mentor("Ada Merriweather"), make.person("Niamh Shea", email="n@x.example")
        self.leader = leader.id
        package = make.package(leader, mentor=mentor, council=make.council(), starts_on=date(2022, 10, 1))
        self.package, self.part = package.id, package.participations[0].id
        yesterday = make.today - timedelta(days=1)
        with self.work() as work:
            held = work.db.get_one(Package, self.package)
            held.state, held.ends_on = PackageState.ENDED, yesterday
            for office in work.db.get_one(Person, self.leader).offices:
                office.to_on = yesterday

    def work(self) -> Any:
        return unit_of_work(self.db, self.stack.clock, "system:test")

    def send(self, wave: Wave) -> None:
        asked = Asking(respondent_id=self.part, wave=wave, role="lead_member")
        with self.work() as work:
            responses.submit_answers(
                work, asking=asked, answers=whole_answers(wave, "lead_member"), mode=Mode.SELF
            )

    def browser(self) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(self.leader)

    def comes_back(self) -> bool:
        self.db.rollback()
        leader = self.db.get_one(Person, self.leader)
        return former.comes_back(self.db, self.programme, leader, now=self.stack.clock())


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, programme: Programme) -> World:
    return World(stack, db, make, programme)


def test_they_sign_in_while_the_last_questionnaire_is_open_and_answer_it(
    world: World, client: PageClient
) -> None:
    client.post("/sign-in", {"email": "n@x.example"})
    world.db.rollback()
    assert world.db.scalars(select(Mail).where(Mail.template == "sign_in")).one().person_id == world.leader
    browser = world.browser()
    page = browser.follow(browser.get("/", status=303))
    assert page.heading == "Your support"
    start = f"/questionnaires/{world.part}/post/once"
    assert page.all("a", href=start)
    assert browser.follow(browser.get(start, status=303)).status == 200
    links = [one.get("href") for one in page.all("a") if one.get("href", "").startswith("/")]
    for link in links:
        assert browser.http.get(link).status_code in (200, 303), f"a link of the page: {link}"


def test_nothing_else_that_office_opened_is_theirs(world: World) -> None:
    browser = world.browser()
    for path in (
        f"/packages/{world.package}/times",
        "/your-calendar",
        "/your-assistant",
        "/your-needs",
        "/team",
        "/mentor",
    ):
        assert browser.http.get(path).status_code == 404, path


def test_who_has_sent_it_can_read_it_until_its_window_closes(world: World, clock: SetClock) -> None:
    world.send(Wave.POST)
    assert world.comes_back()
    world.browser().get(f"/questionnaires/{world.part}/post/once/sent", status=404)
    world.browser().get("/your-support")
    clock.pass_time(days=120)
    assert not world.comes_back()
    assert world.browser().http.get("/your-support").status_code == 303


def test_whoever_has_missed_it_comes_in_no_more(world: World, clock: SetClock) -> None:
    assert world.comes_back()
    clock.pass_time(days=100)
    assert not world.comes_back()


def test_somebody_in_office_is_not_one_who_has_left(world: World) -> None:
    with world.work() as work:
        for office in work.db.get_one(Person, world.leader).offices:
            office.to_on = None
    assert not world.comes_back()
    assert world.browser().http.get("/your-calendar").status_code == 200


def test_their_calendar_is_followed_no_more(world: World) -> None:
    with world.work() as work:
        token = feeds.renew(work, person_id=world.leader)
    assert feeds.reader_of(world.db, token, now=world.stack.clock()) is None


def test_a_closed_account_stays_closed(world: World) -> None:
    with world.work() as work:
        work.db.get_one(Person, world.leader).disabled_at = work.now
        asking.ask(work, address="n@x.example", next_path=None, programme=world.programme)
    assert world.browser().http.get("/your-support").status_code == 303
    sent: list[UUID | None] = list(world.db.scalars(select(Mail.person_id)))
    assert world.leader not in sent
