"""Assistants through their pages: named, told, booking for a leader, learning nothing else, ended by either side."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
import vobject
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.booking import acts as bookings
from portal.booking import offers
from portal.groups import sessions
from portal.mailing import post
from portal.mailing import queue as mail
from portal.models import (
    Attendance,
    Delegation,
    Mail,
    Package,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.people import delegations
from portal.people import register as people
from portal.programme import Programme
from privacy.audit import AuditEntry
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 9, 10, 0, tzinfo=UTC)
NOT_OPEN = "Booking is not open at the moment. The programme team will say when it opens"
PAT = {"email": "pat@council.example", "sure": "pat@council.example"}
TELLING = ("questionnaire", "goal", "Your support", "note")
"""Words that no page of an assistant's may hold."""


class Office:
    """A leader with an assistant and a mentor; the assistant is named through the leader's own page."""

    def __init__(
        self, stack: Stack, db: DbSession, make: Factory, client: PageClient, programme: Programme
    ) -> None:
        self.stack, self.db, self.make, self.programme = stack, db, make, programme
        versions.publish_shipped(db, stack.clock)
        mentor, leader = make.mentor("Ada Merriweather"), make.person("Niamh Shea")
        self.mentor, self.leader = mentor.id, leader.id
        self.package = make.package(leader, mentor=mentor, council=make.council()).id
        self.leaders = PageClient(stack.app, stack.instance).sign_in(self.leader)
        self.pas = client

    def work(self) -> Any:
        return unit_of_work(self.db, self.stack.clock, f"person:{self.leader}")

    def waive(self) -> None:
        with self.work() as work:
            package = work.db.get_one(Package, self.package)
            package.baseline_waived_at = work.now

    def name(self, **typed: Any) -> UUID:
        """Name an assistant as the leader does, and sign them in."""
        said = {"name": "Pat Assist", "email": "pat@council.example", **typed}
        self.leaders.post("/your-assistant", {**said, "sure": said["email"]})
        self.db.rollback()
        person = accounts.find(self.db, said["email"])
        assert person is not None
        self.pas.sign_in(person.id)
        return person.id

    def book(self, starts_at: datetime = TEN) -> Page:
        form = {
            "session_id": str(uuid4()),
            "time": f"{starts_at.isoformat()} {self.mentor}",
            "place": "remote",
        }
        return self.pas.follow(self.pas.post(f"/packages/{self.package}/times", form))

    def session(self) -> Session:
        self.db.rollback()
        return self.db.scalars(select(Session)).one()

    def workshop(self, package_id: UUID, *, capacity: int = 5) -> UUID:
        with self.work() as work:
            return sessions.schedule(
                work,
                self.programme,
                package_id=package_id,
                session_id=uuid4(),
                mentor_id=self.mentor,
                kind=SessionKind.WORKSHOP,
                title="Holding to account",
                starts_at=TEN + timedelta(days=1),
                minutes=60,
                capacity=capacity,
                place=Place.REMOTE,
            ).id

    def group(self, *members: UUID) -> UUID:
        found = [self.db.get_one(Person, one) for one in members]
        mentor = self.db.get_one(Person, self.mentor)
        package_id = self.make.package(*found, mentor=mentor, strand=Strand.GROUP, title="Group").id
        with self.work() as work:
            work.db.get_one(Package, package_id).baseline_waived_at = work.now
        return package_id

    def sent(self) -> list[EmailMessage]:
        box = Box()
        post.deliver(
            self.stack.instance,
            lambda: DbSession(self.stack.engine, info={"vault": self.stack.instance.vault}),
            box,
            limit=50,
        )
        return box.got


class Box:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        self.got.append(message)


def to(messages: list[EmailMessage], address: str) -> list[EmailMessage]:
    return [one for one in messages if address in str(one["To"])]


def entry(message: EmailMessage) -> Any:
    part = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return next(iter(vobject.readComponents(content.decode())))


@pytest.fixture
def office(stack: Stack, db: DbSession, make: Factory, client: PageClient, programme: Programme) -> Office:
    return Office(stack, db, make, client, programme)


def test_a_leader_names_an_assistant_who_is_told_and_signs_in_like_others(office: Office) -> None:
    page = office.leaders.get("/your-support")
    assert page.all("a", href="/your-assistant"), "where a leader looks for it"
    refused = office.leaders.post("/your-assistant", {"name": "", "email": "nobody"}, status=422)
    assert "Enter their name" in refused.words()
    office.name()
    (told,) = to(office.sent(), "pat@council.example")
    text = told.get_body(("plain",)).get_content()
    assert "You can book sessions for Niamh Shea" in text
    assert "http://localhost/who-you-book-for" in text
    page = office.pas.follow(office.pas.get("/", status=303))
    assert page.heading == "Who you book for"
    assert "Niamh Shea" in page.words()
    assert office.pas.http.get("/your-support").status_code == 404
    own = office.leaders.get("/your-assistant")
    assert "Pat Assist" in own.words()
    assert not own.all("form", action="/your-assistant"), "one at a time"
    another = {"name": "Other One", "email": "other@x.example", "sure": "other@x.example"}
    page = office.leaders.post("/your-assistant", another, page="/your-assistant", status=422)
    assert "There is an assistant already. End that first" in page.words()


def test_an_address_is_read_once_more_before_it_books(office: Office, make: Factory) -> None:
    make.person("Somebody Here", email="known@elsewhere.example")
    typed = {"name": "Sam", "ends_on-day": "31", "ends_on-month": "3", "ends_on-year": "2023"}
    pages = []
    for address in ("known@elsewhere.example", "nobody@elsewhere.example"):
        page = office.leaders.post("/your-assistant", {**typed, "email": address}, status=200)
        assert f"We will let {address} book for you" in page.words()
        assert "It ends in elsewhere.example" in page.words()
        pages.append(page.words(page.all("main")[0]).replace("known@", "nobody@"))
    assert pages[0] == pages[1], "whose it is stays unsaid"
    assert delegations.of_leader(office.db, office.leader, office.make.today) is None
    other = {**typed, "email": "sam@x.example", "sure": "sam@y.example"}
    assert (
        "We will let sam@x.example book" in office.leaders.post("/your-assistant", other, status=200).words()
    )
    back = office.leaders.post("/your-assistant", {**other, "change": "y"}, status=200)
    assert back.all("input", name="email", value="sam@x.example")
    assert back.all("input", name="ends_on-day", value="31"), "nothing has to be typed again"


def test_the_leader_sees_the_address_that_was_typed(office: Office) -> None:
    office.name(email="Pat@Council.example")
    assert "Pat@Council.example" in office.leaders.get("/your-assistant").words()
    told = next(one for one in office.sent() if "somebody can book for you" in str(one["Subject"]))
    assert "http://localhost/your-assistant" in told.get_body(("plain",)).get_content()


def test_who_did_not_end_it_is_told_by_mail(office: Office) -> None:
    assistant = office.name()
    office.sent()
    office.leaders.post("/your-assistant/end")
    (told,) = office.sent()
    assert "you no longer book for Niamh Shea" in told.get_body(("plain",)).get_content()
    office.name()
    office.sent()
    office.db.rollback()
    row = delegations.of_leader(office.db, office.leader, office.make.today)
    assert row is not None
    assert row.assistant_id == assistant
    office.pas.post(f"/who-you-book-for/{row.id}/end")
    (told,) = office.sent()
    assert "your assistant no longer books for you" in told.get_body(("plain",)).get_content()
    office.name(email="mistyped@council.example")
    office.leaders.post("/your-assistant/end")
    assert to(office.sent(), "mistyped@council.example") == [], (
        "who never heard of it does not hear of its end"
    )


def test_an_assistant_books_moves_and_cancels_and_each_act_says_for_whom(office: Office) -> None:
    office.waive()
    assistant = office.name()
    page = office.book()
    assert "The session is booked" in page.words()
    assert "Booked by Pat Assist for Niamh Shea" in page.words()
    path = f"/sessions/{office.session().id}"
    assert "Booked by Pat Assist for Niamh Shea" in office.leaders.get(path).words()
    moved = {"time": f"{(TEN + timedelta(hours=1)).isoformat()} {office.mentor}", "place": "remote"}
    office.pas.post(f"{path}/move", moved)
    assert "You moved this session from Thursday 9 March 2023, 10am." in office.pas.get(path).words()
    office.pas.post(f"{path}/cancel")
    assert office.session().state is SessionState.CANCELLED
    trail = office.db.scalars(
        select(AuditEntry).where(
            AuditEntry.action.in_(["session.booked", "session.moved", "session.cancelled"])
        )
    ).all()
    assert [(line.actor, line.holder) for line in trail] == [(f"person:{assistant}", office.leader)] * 3


def test_calendar_mail_goes_to_the_assistant_too_under_one_uid(office: Office) -> None:
    office.waive()
    office.name()
    office.sent()
    office.book()
    got = office.sent()
    (copy,), (own,) = (
        to(got, "pat@council.example"),
        [one for one in got if "pat@" not in str(one["To"]) and "Niamh" in str(one["To"])],
    )
    assert str(copy["Subject"]).endswith(", for Niamh Shea")
    assert "For Niamh Shea" in copy.get_body(("plain",)).get_content()
    event = entry(copy).vevent
    assert event.uid.value == entry(own).vevent.uid.value
    assert event.summary.value == "One-to-one session with Ada Merriweather, for Niamh Shea"
    assert "pat@council.example" in event.attendee.value.lower()
    office.pas.post(f"/sessions/{office.session().id}/cancel")
    (gone,) = to(office.sent(), "pat@council.example")
    assert entry(gone).method.value == "CANCEL"


def test_an_assistant_of_two_in_one_workshop_gets_a_mail_for_each(office: Office) -> None:
    other = office.make.person("Owen Price").id
    group = office.group(office.leader, other)
    assistant = office.name()
    with office.work() as work:
        delegations.name(work, leader_id=other, called="Pat", email="pat@council.example")
    path = f"/sessions/{office.workshop(group)}"
    office.sent()
    page = office.pas.get(path)
    assert "For Niamh Shea" in page.words()
    assert "For Owen Price" in page.words()
    for leader in (office.leader, other):
        office.pas.post(f"{path}/place", {"for": str(leader)}, page=path)
    office.db.rollback()
    seats = office.db.scalars(select(Attendance)).all()
    assert {seat.person_id for seat in seats} == {office.leader, other}
    assert {seat.by for seat in seats} == {f"person:{assistant}"}
    copies = to(office.sent(), "pat@council.example")
    assert {entry(one).vevent.uid.value for one in copies} == {seat.uid for seat in seats}
    assert {str(one["Subject"]).rpartition(", for ")[2] for one in copies} == {"Niamh Shea", "Owen Price"}
    office.pas.post(f"{path}/place/give-up", {"for": str(other)}, page=path)
    (gone,) = to(office.sent(), "pat@council.example")
    assert entry(gone).method.value == "CANCEL"
    assert "Owen Price" in str(gone["Subject"])
    stranger = office.make.person("Not Theirs").id
    office.pas.post(f"{path}/place", {"for": str(stranger)}, page=path, status=404)


def test_an_assistant_chooses_an_offered_time(office: Office) -> None:
    office.waive()
    office.name()
    with office.work() as work:
        offers.offer(
            work,
            office.programme,
            package_id=office.package,
            mentor_id=office.mentor,
            starts=[TEN + timedelta(days=number) for number in (0, 1, 4)],
            place=Place.REMOTE,
        )
    page = office.pas.get("/who-you-book-for")
    link = next(a.get("href") for a in page.all("a") if a.get("href", "").startswith("/offers/"))
    office.pas.post(link, {"session_id": str(uuid4())})
    assert office.session().starts_at == TEN


def test_nothing_tells_that_the_questionnaire_is_missing(office: Office) -> None:
    """The page, the list of times, and what a form is refused with are the same as without a mentor."""
    office.name()
    shown, times = office.pas.get("/who-you-book-for"), f"/packages/{office.package}/times"
    listed = office.pas.get(times)
    form = {"session_id": str(uuid4()), "time": f"{TEN.isoformat()} {office.mentor}", "place": "remote"}
    # The page has no form while nothing can be booked, so the token comes from another.
    refused = office.pas.post(times, form, page="/who-you-book-for", status=422)
    for page in (shown, listed, refused):
        assert NOT_OPEN in page.words()
        assert not [word for word in TELLING if word in page.words()]
    office.waive()
    with office.work() as work:
        for serving in work.db.get_one(Package, office.package).mentors:
            serving.to_on = work.now.date() - timedelta(days=1)
    assert office.pas.get(times).words() == listed.words()
    assert office.pas.get("/who-you-book-for").words() == shown.words()


def test_a_place_is_refused_without_saying_why(office: Office) -> None:
    group = office.group(office.leader)
    session_id = office.workshop(group)
    with office.work() as work:
        work.db.get_one(Package, group).baseline_waived_at = None
    office.name()
    path = f"/sessions/{session_id}"
    refused = office.pas.post(f"{path}/place", {"for": str(office.leader)}, page=path, status=422)
    assert NOT_OPEN in refused.words()
    assert "questionnaire" not in refused.words()
    own = office.leaders.post(f"{path}/place", page=path, status=422)
    assert "The first questionnaire comes before the first session" in own.words()


def test_both_sides_and_the_team_can_end_it(office: Office, make: Factory) -> None:
    office.waive()
    team = PageClient(office.stack.app, office.stack.instance).sign_in(make.person(role=Role.TEAM).id)
    for end in ("leader", "assistant", "team"):
        office.name()
        assert office.pas.get("/who-you-book-for").heading == "Who you book for"
        with_row = office.db.scalars(select(Delegation).where(Delegation.ended_at.is_(None))).one()
        if end == "leader":
            assert (
                "Pat Assist can then book no more for you"
                in office.leaders.get("/your-assistant/end").words()
            )
            office.leaders.post("/your-assistant/end")
        elif end == "assistant":
            path = f"/who-you-book-for/{with_row.id}/end"
            assert office.pas.get("/who-you-book-for").all("a", href=path), "one tap ends nothing"
            page = office.pas.post(path)
            assert page.status == 303
        else:
            path = f"/team/people/{office.leader}/assistant"
            assert "Pat Assist" in team.get(path).words()
            assert team.get(path).all("a", href=f"{path}/end")
            team.post(f"{path}/end")
        answer = office.pas.http.get("/who-you-book-for")
        assert answer.headers.get("Location", "").startswith("/sign-in"), "from the next request on"
        assert office.pas.http.get(f"/packages/{office.package}/times").status_code == 303
    office.db.rollback()
    ended = office.db.scalars(select(Delegation.ended_by)).all()
    assert len(set(ended)) == 3


def test_the_team_names_one_and_sees_whom_somebody_books_for(office: Office, make: Factory) -> None:
    team = PageClient(office.stack.app, office.stack.instance).sign_in(make.person(role=Role.TEAM).id)
    person = f"/team/people/{office.leader}"
    assert team.get(person).all("a", href=f"{person}/assistant")
    last = {"ends_on-day": "31", "ends_on-month": "3", "ends_on-year": "2023"}
    team.post(f"{person}/assistant", {"name": "Pat Assist", **PAT, **last})
    assert "Pat Assist books for them" in team.get(person).words()
    office.db.rollback()
    row = office.db.scalars(select(Delegation)).one()
    assert "Books for Niamh Shea" in team.get(f"/team/people/{row.assistant_id}").words()
    office.pas.sign_in(row.assistant_id)
    office.stack.clock.now = datetime(2023, 3, 31, 22, 30, tzinfo=UTC)
    office.pas.sign_in(row.assistant_id).get("/who-you-book-for")
    office.stack.clock.now = datetime(2023, 3, 31, 23, 30, tzinfo=UTC)
    assert office.pas.http.get("/who-you-book-for").status_code == 303, "summer time: 1 April in London"


@pytest.mark.parametrize("role", [Role.TEAM, Role.MENTOR, Role.OBSERVER])
def test_who_gives_or_runs_support_is_nobodys_assistant(office: Office, make: Factory, role: Role) -> None:
    make.person("Some One", role=role, email="one@x.example")
    said = {"name": "Some", "email": "one@x.example", "sure": "one@x.example"}
    page = office.leaders.post("/your-assistant", said, status=422)
    assert "This address cannot be an assistant's" in page.words()
    assert "Some One" not in page.words()


def test_a_known_address_shows_nothing_of_whose_it_is(office: Office, make: Factory) -> None:
    make.person("Real Name", email="known@x.example")
    office.name(name="Typed Name", email="known@x.example")
    own = office.leaders.get("/your-assistant").words()
    assert "Typed Name" in own
    assert "Real Name" not in own


def test_with_the_leaders_office_ends_what_can_be_booked_for_them(office: Office, clock: SetClock) -> None:
    office.waive()
    office.name()
    with office.work() as work:
        for held in work.db.get_one(Person, office.leader).offices:
            held.to_on = work.now.date()
    clock.pass_time(days=1)
    person = accounts.find(office.db, "pat@council.example")
    assert person is not None
    office.pas.sign_in(person.id)
    assert "There is nothing to book for them now" in office.pas.get("/who-you-book-for").words()
    assert office.pas.http.get(f"/packages/{office.package}/times").status_code == 404


def test_a_copy_whose_reader_books_no_longer_is_not_sent(office: Office) -> None:
    office.waive()
    office.name()
    office.sent()
    with office.work() as work:
        bookings.book(
            work,
            office.programme,
            package_id=office.package,
            session_id=uuid4(),
            mentor_id=office.mentor,
            starts_at=TEN,
            place=Place.REMOTE,
        )
    office.db.rollback()
    assert office.db.scalars(select(Mail).where(Mail.step == mail.numbered(0, whose=office.leader))).one()
    office.leaders.post("/your-assistant/end")
    (over,) = to(office.sent(), "pat@council.example")
    assert "no longer book for" in str(over["Subject"])


def test_an_account_that_was_closed_books_for_nobody(office: Office) -> None:
    office.waive()
    assistant = office.name()
    with unit_of_work(office.db, office.stack.clock, "system:test") as work:
        people.disable(work, person_id=assistant)
    assert office.pas.http.get("/who-you-book-for").status_code == 303
    assert delegations.assistants_of(office.db, [office.leader], office.make.today) == {}


def test_who_is_asked_by_others(office: Office) -> None:
    assistant = office.name()
    today = office.make.today
    assert delegations.assistant_of(office.db, office.leader, today) == assistant
    assert delegations.leaders_of(office.db, assistant, today) == {office.leader}
    assert delegations.assistant_of(office.db, office.leader, today - timedelta(days=1)) is None
