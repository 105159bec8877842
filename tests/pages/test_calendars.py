"""Everybody's own calendar: the page, the file of what is to come, and the secret address that a calendar follows."""

import io
import logging
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from uuid import UUID

import pytest
import vobject
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.groups import sessions
from portal.mailing import feeds
from portal.models import Feed, Package, PackageState, Person, Place, Role, Session, SessionKind, Strand
from portal.people import register as people
from portal.programme import Programme
from privacy.audit import AuditEntry
from privacy.clock import london_date, start_of_day
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.rules.test_calendar import assert_sound


class Town:
    """A leader with a session, and a member of a group with a place in a workshop, both with the same mentor."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.clock, self.programme = db, clock, programme
        mentor, leader = make.mentor("Ada Merriweather"), make.person("Sam Okoro")
        member = make.person("Siân Ŵyn-Žák")
        self.mentor, self.leader, self.member = mentor.id, leader.id, member.id
        member.adjustments = "Needs a quiet room"
        self.package = make.package(leader, mentor=mentor, state=PackageState.ACTIVE).id
        mentor = db.get_one(Person, self.mentor)
        member = db.get_one(Person, self.member)
        self.group = make.package(member, mentor=mentor, strand=Strand.GROUP).id
        with self.work() as work:
            for package in work.db.scalars(select(Package)):
                package.baseline_waived_at = work.now
            work.db.get_one(Person, self.member).adjustments = "Needs a quiet room"
        self.session = self.book(days=8)
        self.workshop = self.schedule(days=9)

    def work(self):
        return unit_of_work(self.db, self.clock, "person:test")

    def book(self, *, days: int) -> UUID:
        starts_at = start_of_day(self.today) + timedelta(days=days, hours=10)
        with self.work() as work:
            return bookings.book(
                work,
                self.programme,
                package_id=self.package,
                session_id=new_id(),
                mentor_id=self.mentor,
                starts_at=starts_at,
                place=Place.REMOTE,
                where="https://meet.example/1",
                free_time=True,
            ).id

    def schedule(self, *, days: int) -> UUID:
        with self.work() as work:
            held = sessions.schedule(
                work,
                self.programme,
                package_id=self.group,
                session_id=new_id(),
                mentor_id=self.mentor,
                kind=SessionKind.WORKSHOP,
                title="Holding to account",
                starts_at=start_of_day(self.today) + timedelta(days=days, hours=14),
                minutes=120,
                capacity=8,
                place=Place.IN_PERSON,
                where="Town Hall",
            )
            sessions.take_place(work, self.programme, session_id=held.id, person_id=self.member)
            return held.id

    @property
    def today(self):
        return self.clock().date()

    def cancel(self, session_id: UUID) -> None:
        with self.work() as work:
            bookings.cancel(work, session_id=session_id)


@pytest.fixture
def town(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> Town:
    return Town(db, make, clock, programme)


def entries(page: Page) -> list[vobject.base.Component]:
    file = page.response.get_data()
    assert_sound(file)
    (calendar,) = vobject.readComponents(file.decode())
    assert calendar.method.value == "PUBLISH"
    return list(getattr(calendar, "vevent_list", []))


def make_address(client: PageClient, person_id: UUID) -> str:
    """Make a secret address as its owner would; returns its path."""
    client.sign_in(person_id)
    page = client.post("/your-calendar/address", page="/your-calendar", status=200)
    (address,) = page.all("p", class_="lp-secret")
    assert page.words(address).startswith("http://localhost/calendar/")
    return page.words(address).removeprefix("http://localhost")


@pytest.fixture
def browser(stack: Stack) -> PageClient:
    """A calendar program: no cookie."""
    return PageClient(stack.app, stack.instance)


# ---- the page


def test_the_page_lists_what_is_to_come_and_says_that_both_ways_is_twice(
    town: Town, client: PageClient
) -> None:
    page = client.sign_in(town.leader).get("/your-calendar")
    assert "One-to-one session" in page.words()
    assert "With both, you see each session twice" in page.words()
    assert "Holding to account" not in page.words()
    town.cancel(town.session)
    assert "Nothing is booked" in client.get("/your-calendar").words()


def test_all_that_is_to_come_is_one_file(town: Town, client: PageClient) -> None:
    page = client.sign_in(town.mentor).get("/your-calendar/sessions.ics")
    assert 'attachment; filename="sessions-2023-' in page.response.headers["Content-Disposition"]
    found = entries(page)
    assert [one.location.value for one in found] == ["https://meet.example/1", "Town Hall"]
    session, workshop = (town.db.get_one(Session, one) for one in (town.session, town.workshop))
    assert [one.uid.value for one in found] == [session.uid, workshop.uid]


def test_a_sessions_own_file_is_the_entry_that_the_invitation_made(town: Town, client: PageClient) -> None:
    page = client.sign_in(town.member).get(f"/sessions/{town.workshop}/calendar.ics")
    (entry,) = entries(page)
    workshop = town.db.get_one(Session, town.workshop)
    name = f"session-{london_date(workshop.starts_at)}.ics"
    assert name in page.response.headers["Content-Disposition"], "told from the files of other sessions"
    assert entry.uid.value == workshop.attendances[0].uid != workshop.uid
    assert entry.sequence.value == "0"


# ---- the secret address


def test_the_address_is_shown_once_and_only_its_digest_is_kept(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    path = make_address(client, town.leader)
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) >= 43, "256 bits"
    again = client.get("/your-calendar")
    assert token not in again.text
    assert "Your calendar has had an address since" in again.words()
    row = town.db.scalars(select(Feed)).one()
    assert row.token == feeds.digest(token)
    assert token.encode() not in row.token
    assert [one.summary.value for one in entries(browser.get(path))] == [
        "One-to-one session with Ada Merriweather"
    ]
    assert "feed.made" in town.db.scalars(select(AuditEntry.action)).all()


def test_it_names_no_attendee_no_need_and_no_note(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    for person_id in (town.mentor, town.member):
        page = browser.get(make_address(client, person_id))
        assert "ATTENDEE" not in page.text
        assert "quiet room" not in page.text
        assert "Holding to account" in page.text


def test_renewing_ends_the_old_address_and_ending_ends_the_last(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    first = make_address(client, town.leader)
    second = make_address(client, town.leader)
    browser.get(first, status=404)
    browser.get(second)
    client.post("/your-calendar/address/end", page="/your-calendar")
    browser.get(second, status=404)
    assert "Make an address for your calendar" in client.get("/your-calendar").words()
    browser.get("/calendar/made-up.ics", status=404)


def test_an_account_that_is_closed_ends_its_feed_for_good(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    path = make_address(client, town.leader)
    with unit_of_work(town.db, town.clock, "system:command") as work:
        people.disable(work, person_id=town.leader)
    browser.get(path, status=404)
    with unit_of_work(town.db, town.clock, "system:command") as work:
        people.enable(work, person_id=town.leader)
    browser.get(path, status=404)


def test_an_office_that_ended_ends_the_feed_with_the_sign_in(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    path = make_address(client, town.mentor)
    office = town.db.get_one(Person, town.mentor).offices[0].id
    with unit_of_work(town.db, town.clock, "system:command") as work:
        people.end_office(work, person_id=town.mentor, office_id=office, on=town.today - timedelta(days=1))
    browser.get(path, status=404)


def test_a_cancelled_session_stays_for_thirty_days_as_cancelled(
    town: Town, client: PageClient, browser: PageClient, clock: SetClock
) -> None:
    path = make_address(client, town.leader)
    town.cancel(town.session)
    (entry,) = entries(browser.get(path))
    assert (entry.status.value, entry.sequence.value) == ("CANCELLED", "1")
    assert entry.summary.value.startswith("Cancelled: "), "not every program shows the status"
    assert entry.transp.value == "TRANSPARENT", "it takes no time"
    clock.pass_time(days=29, hours=23)
    assert len(entries(browser.get(path))) == 1
    clock.pass_time(hours=2)
    assert entries(browser.get(path)) == []


def test_a_place_that_was_given_up_shows_as_cancelled_to_that_person_alone(
    town: Town, client: PageClient, browser: PageClient
) -> None:
    theirs, mentors = make_address(client, town.member), make_address(client, town.mentor)
    with town.work() as work:
        sessions.give_up_place(work, town.programme, session_id=town.workshop, person_id=town.member)
    assert [one.status.value for one in entries(browser.get(theirs))] == ["CANCELLED"]
    assert [one.status.value for one in entries(browser.get(mentors))] == ["CONFIRMED", "CONFIRMED"]


def test_what_has_not_changed_is_not_sent_again(
    town: Town, client: PageClient, browser: PageClient, clock: SetClock
) -> None:
    path = make_address(client, town.leader)
    first = browser.get(path)
    tag = first.response.headers["ETag"]
    assert first.response.headers["Cache-Control"] == "private, max-age=300"
    clock.pass_time(hours=3)
    same = browser.http.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.get_data(), same.headers["ETag"]) == (304, b"", tag)
    with town.work() as work:
        starts_at = work.db.get_one(Session, town.session).starts_at + timedelta(hours=1)
        bookings.move(
            work,
            town.programme,
            session_id=town.session,
            starts_at=starts_at,
            place=Place.REMOTE,
            free_time=True,
        )
    moved = browser.get(path, If_None_Match=tag)
    assert moved.response.headers["ETag"] != tag
    (entry,) = entries(moved)
    assert (entry.sequence.value, entry.dtstart.value) == ("1", starts_at)


def test_the_secret_reaches_no_log_even_when_the_page_breaks(
    town: Town, client: PageClient, browser: PageClient, stack: Stack
) -> None:
    path = make_address(client, town.leader)
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    root, own = logging.getLogger(), stack.app.logger
    level = root.level
    root.addHandler(handler)
    own.addHandler(handler)
    root.setLevel(logging.DEBUG)
    stack.app.testing = False
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            browser.get(path)
            browser.get(path + "x", status=404)
            browser.http.post(path)
            with town.work() as work:
                # A sealed value that does not open is an error that nobody foresaw.
                work.db.get_one(Session, town.session).where_sealed = b"no sealed value"
            browser.get(path, status=500)
    finally:
        stack.app.testing = True
        root.setLevel(level)
        root.removeHandler(handler)
        own.removeHandler(handler)
    assert "is not a sealed value" in printed.getvalue()
    assert token not in printed.getvalue()


def test_a_look_at_the_feed_writes_nothing(town: Town, client: PageClient, browser: PageClient) -> None:
    path = make_address(client, town.leader)
    before = town.db.scalars(select(AuditEntry.seq)).all()
    town.db.rollback()
    browser.get(path)
    assert town.db.scalars(select(AuditEntry.seq)).all() == before


def test_everybody_makes_their_own(town: Town, make: Factory, client: PageClient) -> None:
    paths = {make_address(client, person) for person in (town.leader, town.member, town.mentor)}
    assert len(paths) == 3
    town.db.rollback()
    assert len(town.db.scalars(select(Feed)).all()) == 3
    client.sign_in(make.person(role=Role.TEAM).id).get("/your-calendar", status=404)
