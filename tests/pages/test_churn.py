"""A role passes on: the successor gets the support and the sessions, and meets no word of the one before."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import delivery
from portal.booking.delivery import Outcome
from portal.booking.standing import BaselineMissing
from portal.groups import sessions
from portal.mailing import post
from portal.models import (
    Attendance,
    AttendanceState,
    Council,
    CouncilFact,
    Fact,
    Goal,
    Ground,
    Mail,
    NoteKind,
    Occupied,
    Office,
    Package,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import goals, ledger, notes
from portal.programme import Programme
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.sittings import Asking
from tests.conftest import SetClock, Stack
from tests.crowd import whole_answers
from tests.factories import Factory
from tests.pages_client import PageClient

TEN = datetime(2023, 3, 9, 10, 0, tzinfo=UTC)
CANARIES = ("firstgoal", "firstanswer", "firstname", "firstneeds", "firstnote", "firstremark")


class World:
    """A leader with one-to-one support and a place in a group, both running, and somebody to follow them."""

    def __init__(
        self, stack: Stack, db: DbSession, make: Factory, clock: SetClock, programme: Programme
    ) -> None:
        self.stack, self.db, self.make, self.clock, self.programme = stack, db, make, clock, programme
        versions.publish_shipped(db, clock)
        council = make.council("Northshire")
        self.council, self.mentor = council.id, make.mentor("Men Tor").id
        self.first = make.person("Firstname Leaver", council=council).id
        self.second = make.person("Second Comer", council=db.get(Council, self.council)).id
        self.team = make.person(role=Role.TEAM).id
        self.one = self._package()
        self.group = self._package(strand=Strand.GROUP, title="The group")
        with self.work() as work:
            fact = CouncilFact(id=new_id(), council_id=self.council, fact=Fact.AGREED, by="system:test")
            fact.value, fact.from_on, fact.recorded_at = Ground.DECLINE.value, date(2022, 1, 1), work.now
            work.db.add(fact)
            person = work.db.get_one(Person, self.first)
            person.adjustments = "firstneeds"
            goals.write(work, package_id=self.one, leader=self.part(self.one, self.first), text="firstgoal")
            for package_id in (self.one, self.group):
                self._answer(work, self.part(package_id, self.first))
        self.coming = [self._book(TEN), self._book(TEN + timedelta(days=1))]
        self.workshop = self._workshop()
        with self.work() as work:
            for session_id in self.coming:
                said: dict[str, Any] = {"author_id": self.first, "kind": NoteKind.SHARED, "text": "firstnote"}
                notes.write(work, session_id=session_id, **said)
            goal = work.db.scalars(select(Goal)).one()
            goals.revisit(work, package_id=self.one, goal_id=goal.id, remark="firstremark")

    def _package(self, **more: Any) -> UUID:
        people = self.db.get_one(Person, self.first), self.db.get_one(Person, self.mentor)
        council = self.db.get_one(Council, self.council)
        started = date(2023, 1, 10)
        return self.make.package(people[0], mentor=people[1], council=council, starts_on=started, **more).id

    def _answer(self, work: Any, part: UUID) -> None:
        answers = {**whole_answers(Wave.BASELINE, "lead_member"), "most_wanted": "firstanswer"}
        asking = Asking(respondent_id=part, wave=Wave.BASELINE, role="lead_member")
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)

    def _book(self, starts_at: datetime) -> UUID:
        with self.work() as work:
            return bookings.book(
                work,
                self.programme,
                package_id=self.one,
                session_id=uuid4(),
                mentor_id=self.mentor,
                starts_at=starts_at,
                place=Place.REMOTE,
            ).id

    def _workshop(self) -> UUID:
        with self.work() as work:
            found = sessions.schedule(
                work,
                self.programme,
                package_id=self.group,
                session_id=uuid4(),
                mentor_id=self.mentor,
                kind=SessionKind.WORKSHOP,
                title="Workshop",
                starts_at=TEN + timedelta(days=4),
                minutes=120,
                capacity=1,
                place=Place.REMOTE,
            ).id
        with self.work() as work:
            sessions.take_place(work, self.programme, session_id=found, person_id=self.first)
        return found

    def work(self) -> Any:
        return unit_of_work(self.db, self.clock, "person:test")

    def part(self, package_id: UUID, person_id: UUID) -> UUID:
        asked = select(Participation.id).where(
            Participation.package_id == package_id, Participation.person_id == person_id
        )
        return self.db.scalars(asked).one()

    def office(self, person_id: UUID) -> UUID:
        return self.db.scalars(select(Office.id).where(Office.person_id == person_id)).one()

    def follower(self) -> Package:
        return self.db.scalars(select(Package).where(Package.follows_id == self.one)).one()

    def browser(self, person_id: UUID) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(person_id)

    def deliver(self) -> list[EmailMessage]:
        bag = Bag()
        while post.deliver(self.stack.instance, lambda: self.db, bag):
            pass
        return bag.messages

    def form(self, **more: Any) -> dict[str, Any]:
        last = {"on-day": "1", "on-month": "3", "on-year": "2023"}
        first = {"from_on-day": "2", "from_on-month": "3", "from_on-year": "2023"}
        moves = [str(self.part(package, self.first)) for package in (self.one, self.group)]
        chosen = {"who": "known", "members": f"{self.second}:lead_member", "moves": moves}
        return {**last, **first, **chosen, "goals": "Second goal", "with_sessions": "y", **more}

    def pass_on(self, *, status: int = 303, **more: Any) -> Any:
        team = self.browser(self.team)
        path = f"/team/people/{self.first}/offices/{self.office(self.first)}/pass-on"
        page = team.post(path, self.form(**more), status=status)
        self.db.rollback()
        self.db.expire_all()
        return team.follow(page) if status == 303 else page


class Bag:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        self.messages.append(message)


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(stack, db, make, clock, programme)


def test_support_and_sessions_pass_to_the_successor(world: World) -> None:
    page = world.pass_on()
    words = page.words()
    assert "2 packages go on with who follows. 3 sessions have passed on." in words
    old, new = world.db.get_one(Package, world.one), world.follower()
    assert (old.state, old.ends_on, new.state) == (PackageState.ENDED, date(2023, 3, 1), PackageState.ACTIVE)
    assert old.short_reason
    assert old.short_reason.startswith("It was ended because the leader changed")
    assert [part.person_id for part in new.participations] == [world.second]
    assert [one.person_id for one in new.mentors] == [world.mentor]
    assert new.planned_minutes == world.programme.minimum_minutes
    held = world.db.scalars(select(Session).where(Session.package_id == new.id)).all()
    assert sorted(one.starts_at for one in held) == [TEN, TEN + timedelta(days=1)]
    assert {world.db.get_one(Session, one).state for one in world.coming} == {SessionState.CANCELLED}
    seats = world.db.execute(
        select(Attendance.person_id, Attendance.state).where(Attendance.session_id == world.workshop)
    )
    assert {(seat[0], seat[1]) for seat in seats} == {
        (world.first, AttendanceState.CANCELLED),
        (world.second, AttendanceState.BOOKED),
    }
    taken = set(world.db.scalars(select(Occupied.person_id)))
    assert world.first not in taken
    assert {world.second, world.mentor} <= taken
    left = world.db.get_one(Participation, world.part(world.group, world.first))
    assert left.to_on == date(2023, 3, 1)
    assert world.db.get_one(Office, world.office(world.first)).to_on == date(2023, 3, 1)
    asked = world.db.execute(
        select(Mail.template, Mail.person_id).where(Mail.template.in_(("post_open", "invitation")))
    )
    told = {(row[0], row[1]) for row in asked}
    assert told == {("post_open", world.first), ("invitation", world.second)}


def test_only_a_session_that_nobody_takes_over_is_a_late_cancellation(world: World) -> None:
    world.clock.now = TEN - timedelta(hours=1)
    world.pass_on()
    assert ledger.ledger(world.db, world.programme, world.one).late == 0
    assert ledger.ledger(world.db, world.programme, world.follower().id).booked == 120


def test_sessions_that_do_not_go_along_near_their_time_are_late_cancellations(world: World) -> None:
    world.clock.now = TEN - timedelta(hours=1)
    world.pass_on(with_sessions="")
    assert ledger.ledger(world.db, world.programme, world.one).late == 1


def test_neither_meets_a_word_of_the_other(world: World) -> None:
    world.pass_on()
    new = world.follower()
    with world.work() as work:
        part = world.part(new.id, world.second)
        answers = {**whole_answers(Wave.BASELINE, "lead_member"), "most_wanted": "secondanswer"}
        asking = Asking(respondent_id=part, wave=Wave.BASELINE, role="lead_member")
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
        booked = work.db.scalars(select(Session.id).where(Session.package_id == new.id)).all()
    pages = {
        world.second: (*CANARIES, world.first.hex),
        world.first: ("Second goal", "secondanswer", "Second Comer", world.second.hex),
    }
    own = {world.second: "Second goal", world.first: "firstgoal"}
    parts = [world.part(world.one, world.first), world.part(world.group, world.first)]
    parts += [world.part(new.id, world.second), world.part(world.group, world.second)]
    paths = [
        "/your-support",
        "/your-devices",
        *(f"/sessions/{one}" for one in (*booked, *world.coming, world.workshop)),
    ]
    paths += [f"/packages/{one}/times" for one in (world.one, new.id)]
    for part in parts:
        paths += [f"/questionnaires/{part}/{wave}/once" for wave in ("baseline", "post")]
        paths += [f"/questionnaires/{part}/baseline/once/{end}" for end in ("1", "check", "receipt")]
        paths += [f"/answers/{part}/baseline/once/{end}" for end in ("copy", "download", "change")]
    for reader, strange in pages.items():
        client = world.browser(reader)
        seen = "\n".join(client.http.get(path).get_data(as_text=True) for path in paths)
        assert own[reader] in seen, "the crawl reaches what is theirs"
        assert not [word for word in strange if word in seen]


def test_calendars_are_told_by_mail(world: World) -> None:
    world.deliver()
    world.pass_on()
    sent = world.deliver()
    first, second = (str(world.db.get_one(Person, one).email) for one in (world.first, world.second))

    def methods(address: str) -> list[str]:
        return [
            str(part.get_param("method"))
            for message in sent
            if message["To"] and address in message["To"]
            for part in message.walk()
            if part.get_content_type() == "text/calendar" and part.get_param("method")
        ]

    assert set(methods(first)) == {"CANCEL"}
    assert set(methods(second)) == {"REQUEST"}
    text = "\n".join(message.as_string() for message in sent if message["To"] and second in message["To"])
    assert not [word for word in CANARIES if word in text.lower()]


def test_a_session_that_passed_on_is_not_held_without_the_first_questionnaire(world: World) -> None:
    world.pass_on()
    new = world.follower()
    held = world.db.scalars(
        select(Session).where(Session.package_id == new.id, Session.starts_at == TEN)
    ).one()
    world.clock.now = TEN + timedelta(hours=3)
    with pytest.raises(BaselineMissing), world.work() as work:
        delivery.record(work, world.programme, session_id=held.id, outcome=Outcome.HELD, minutes=60)
    with pytest.raises(BaselineMissing), world.work() as work:
        bookings.book(
            work,
            world.programme,
            package_id=new.id,
            session_id=uuid4(),
            mentor_id=world.mentor,
            starts_at=TEN + timedelta(days=5),
            place=Place.REMOTE,
        )
    with world.work() as work:
        world._answer(work, world.part(new.id, world.second))
    with world.work() as work:
        delivery.record(work, world.programme, session_id=held.id, outcome=Outcome.HELD, minutes=60)


def test_support_ends_where_nobody_follows(world: World) -> None:
    words = world.pass_on(who="nobody").words()
    assert "Support has ended in 2 packages. 3 sessions cancelled for who leaves." in words
    assert world.db.get_one(Package, world.one).state is PackageState.ENDED
    assert world.db.get_one(Package, world.group).state is PackageState.ACTIVE, "the group goes on"
    assert not world.db.scalars(select(Occupied).where(Occupied.person_id == world.first)).all()


def test_somebody_new_is_added_and_a_part_can_end(world: World) -> None:
    only = [str(world.part(world.one, world.first))]
    chosen: dict[str, Any] = {
        "who": "new",
        "name": "New Comer",
        "email": "new.comer@council.example",
        "moves": only,
    }
    world.pass_on(**chosen, with_sessions="")
    new = world.follower()
    person = new.participations[0].person
    assert person is not None
    assert person.name == "New Comer"
    assert [(office.role, office.council_id) for office in person.offices] == [
        (Role.LEAD_MEMBER, world.council)
    ]
    assert not world.db.scalars(select(Session).where(Session.package_id == new.id)).all()
    assert new.state is PackageState.BASELINE
    assert [part.to_on for part in world.db.get_one(Package, world.group).participations] == [
        date(2023, 3, 1)
    ]


def test_a_session_for_which_the_successor_has_no_time_is_cancelled(world: World) -> None:
    other = world.make.package(
        world.db.get_one(Person, world.second),
        mentor=world.make.mentor("Other"),
        council=world.make.council(),
        role=Role.CHIEF_EXECUTIVE,
        starts_on=date(2023, 1, 10),
    )
    with world.work() as work:
        package = work.db.get_one(Package, other.id)
        package.baseline_waived_at = work.now
        work.db.flush()
        bookings.book(
            work,
            world.programme,
            package_id=package.id,
            session_id=uuid4(),
            mentor_id=package.mentors[0].person_id,
            starts_at=TEN,
            place=Place.REMOTE,
        )
    words = world.pass_on().words()
    assert "2 sessions have passed on. 1 session cancelled for who leaves." in words


def test_what_is_missing_is_asked_for_and_what_was_typed_stays(world: World) -> None:
    page = world.pass_on(status=422, goals="", **{"from_on-day": "", "from_on-month": "", "from_on-year": ""})
    assert "Enter at least one goal" in page.words()
    assert "Enter their first day" in page.words()
    assert "Choose a person" in world.pass_on(status=422, members="").words()
    page = world.pass_on(status=422, **{"on-day": "2"})
    assert "still to come" in page.words()
    assert world.db.get_one(Office, world.office(world.first)).to_on is None, "all or nothing"
    assert page.all("option", selected="")[0].get("value") == f"{world.second}:lead_member"


def test_a_place_in_one_package_passes_on_and_the_role_stays(world: World) -> None:
    part = world.part(world.group, world.first)
    path = f"/team/packages/{world.group}/members/{part}/replace"
    team = world.browser(world.team)
    assert "Somebody new" in team.get(path).words()
    page = team.follow(team.post(path, world.form(moves=str(part), goals="")))
    assert "1 package goes on with who follows. 1 session has passed on." in page.words()
    world.db.expire_all()
    assert world.db.get_one(Office, world.office(world.first)).to_on is None
    assert world.db.get_one(Package, world.one).state is PackageState.ACTIVE
    assert "404" in str(team.get(path, status=404).status)
