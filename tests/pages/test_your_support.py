""" "Your support": one page with the one thing to do next, whatever somebody's situation is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import delivery, offers
from portal.booking.delivery import Outcome
from portal.groups import sessions
from portal.models import (
    Goal,
    GoalState,
    Package,
    PackageState,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    Strand,
)
from portal.packages import goals
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.sittings import Asking
from tests.conftest import SetClock, Stack
from tests.crowd import whole_answers
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
WHO_SEES = (
    "Only the programme team can read your answers. Not your council, not your mentor, not the Department."
)


class World:
    """A leader with a mentor and a package that waits for its first questionnaire; and what may happen next."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, client: PageClient) -> None:
        self.stack, self.db, self.make, self.client = stack, db, make, client
        mentor, leader = make.mentor("Mo Mentor"), make.person("Ada Lead")
        self.mentor, self.leader = mentor.id, leader.id
        council = make.council("Northshire")
        package = make.package(leader, mentor=mentor, council=council, state=PackageState.BASELINE)
        self.package, self.part = package.id, package.participations[0].id

    def act(self, rule: Callable[..., Any], **typed: Any) -> Any:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            return rule(work, **typed)

    def send(self, wave: Wave, *, part: UUID | None = None, occasion: str = "once") -> None:
        """Somebody's answers, whole."""
        asking = Asking(
            respondent_id=part or self.part, wave=wave, occasion=occasion, role=Role.LEAD_MEMBER.value
        )
        answers = dict(whole_answers(wave, asking.role))
        self.act(responses.submit_answers, asking=asking, answers=answers, mode=Mode.SELF)

    def book(self, starts_at: datetime = TEN) -> UUID:
        return self._id_of(self._booked, starts_at=starts_at)

    def _booked(self, work: Work, *, starts_at: datetime) -> Session:
        return bookings.book(
            work,
            self.stack.instance.programme,
            package_id=self.package,
            session_id=uuid4(),
            mentor_id=self.mentor,
            starts_at=starts_at,
            place=Place.REMOTE,
        )

    def _id_of(self, rule: Callable[..., Session], **typed: Any) -> UUID:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            return rule(work, **typed).id

    def hold(self, session_id: UUID) -> None:
        """The session took place an hour ago."""
        self.stack.clock.now = TEN + timedelta(hours=2)
        self.act(
            delivery.record,
            programme=self.stack.instance.programme,
            session_id=session_id,
            outcome=Outcome.HELD,
            minutes=60,
            attended=None,
        )

    def group(self) -> tuple[UUID, UUID]:
        """The leader is in a group too, whose first questionnaire is in; the group and their part in it."""
        leader, mentor = (self.db.get_one(Person, one) for one in (self.leader, self.mentor))
        made = self.make.package(leader, mentor=mentor, strand=Strand.GROUP, title="Scrutiny")
        group, part = made.id, made.participations[0].id
        self.send(Wave.BASELINE, part=part)
        return group, part

    def workshop(self, group: UUID) -> UUID:
        return self._id_of(self._scheduled, group=group)

    def _scheduled(self, work: Work, *, group: UUID) -> Session:
        return sessions.schedule(
            work,
            self.stack.instance.programme,
            package_id=group,
            session_id=uuid4(),
            mentor_id=self.mentor,
            kind=SessionKind.WORKSHOP,
            title="Reading data",
            starts_at=TEN + timedelta(days=1),
            minutes=60,
            capacity=2,
            place=Place.REMOTE,
        )

    def end(self, on: date) -> None:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            work.db.execute(
                update(Package)
                .where(Package.id == self.package)
                .values(state=PackageState.ENDED, ends_on=on, starts_on=date(2022, 9, 1))
            )

    # ---- what the page says

    def page(self) -> Page:
        return self.client.sign_in(self.leader).get("/your-support")

    def next(self) -> str:
        """Where a mail leads to from here."""
        return str(self.client.get("/your-support/next", status=303).response.headers["Location"])

    def questionnaire(self, wave: str, occasion: str = "once") -> str:
        return f"/questionnaires/{self.part}/{wave}/{occasion}"


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, client: PageClient, clock: SetClock) -> World:
    versions.publish_shipped(db, clock)
    return World(stack, db, make, client)


def links(page: Page) -> set[str]:
    return {link.get("href", "") for link in page.all("a")}


def step(page: Page) -> str:
    """The words of the box that says what to do next."""
    (box,) = page.all("section", class_="lp-next") or page.all("div", class_="lp-next")
    return page.words(box)


def test_the_first_line_says_who_sees_answers(world: World) -> None:
    page = world.page()
    assert page.words(page.all("main")[0]).startswith(f"Your support {WHO_SEES}")


def test_first_the_questionnaire_or_a_call(world: World) -> None:
    page = world.page()
    assert "Answer: Questions before your support starts" in step(page)
    assert world.questionnaire("baseline") in links(page)
    assert f"{world.questionnaire('baseline')}/ring-me" in links(page)
    assert "You can book as soon as your first questionnaire is in" in page.words()
    assert f"/packages/{world.package}/times" not in links(page)
    assert world.next() == world.questionnaire("baseline")


def test_what_was_begun_is_to_be_finished(world: World) -> None:
    client = world.client.sign_in(world.leader)
    first = client.follow(client.get(world.questionnaire("baseline"), status=303))
    data = {field.get("name"): field.get("value") for field in first.all("input", type="hidden")}
    data |= {field.get("name"): field.get("value") for field in first.all("input", type="radio")}
    assert client.http.post(f"{world.questionnaire('baseline')}/1", data=data).status_code == 303
    page = world.page()
    assert "Finish: Questions before your support starts" in step(page)
    assert "Continue" in step(page)
    assert "In progress" in page.words()


def test_then_a_time_with_the_mentor(world: World) -> None:
    world.send(Wave.BASELINE)
    page = world.page()
    assert "Book time with your mentor" in step(page)
    assert "Sent" in page.words()
    assert f"{world.questionnaire('baseline')}/receipt" in links(page)
    assert "mailto:" in page.text
    assert "Mo Mentor" in page.words()
    assert world.next() == f"/packages/{world.package}/times"


def test_offered_times_come_before_the_list_of_all(world: World) -> None:
    world.send(Wave.BASELINE)
    starts = [TEN + timedelta(days=day) for day in (0, 1, 4)]
    world.act(
        offers.offer,
        programme=world.stack.instance.programme,
        package_id=world.package,
        mentor_id=world.mentor,
        starts=starts,
        place=Place.REMOTE,
    )
    page = world.page()
    assert "Choose a time for your next session" in step(page)
    assert len([link for link in links(page) if link.startswith("/offers/")]) == 3
    assert f"/packages/{world.package}/times" in links(page), "for those whom none of them suits"
    assert world.next() == "/your-support"


def test_a_booked_session_is_what_comes_next(world: World) -> None:
    world.send(Wave.BASELINE)
    session = world.book()
    page = world.page()
    assert "Your next session is on Thursday 2 March 2023" in step(page)
    assert f"/sessions/{session}" in links(page)
    assert "0.1 days booked" in page.words()
    assert world.next() == f"/sessions/{session}"


def test_a_place_in_a_group_session_is_to_be_booked(world: World) -> None:
    world.send(Wave.BASELINE)
    world.book()
    workshop = world.workshop(world.group()[0])
    page = world.page()
    assert "Book your place: Reading data" in step(page)
    assert "2 places left" in page.words()
    assert world.next() == f"/sessions/{workshop}"
    world.act(
        sessions.take_place,
        programme=world.stack.instance.programme,
        session_id=workshop,
        person_id=world.leader,
    )
    assert "Your next session is on Thursday 2 March 2023" in step(world.page())


def test_a_full_group_session_is_no_step(world: World) -> None:
    group, _ = world.group()
    world.send(Wave.BASELINE)
    world.book()
    workshop = world.workshop(group)
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.execute(update(Session).where(Session.id == workshop).values(capacity=0))
    page = world.page()
    assert "Your next session is" in step(page)
    assert "All places are taken" in page.words()
    assert "See it and book a place" not in page.words()


def test_feedback_is_asked_for_once_nothing_has_to_be_booked(world: World) -> None:
    world.send(Wave.BASELINE)
    held = world.book()
    later = world.book(TEN + timedelta(days=4))
    world.hold(held)
    page = world.page()
    assert "Answer: How the session on 2 March 2023 was" in step(page)
    assert world.next() == world.questionnaire("feedback", str(held))
    assert "1 hour" in page.words(), "the session that was held is listed with its length"
    world.send(Wave.FEEDBACK, occasion=str(held))
    assert "Your next session is on Monday 6 March 2023" in step(world.page())
    assert world.next() == f"/sessions/{later}"


def test_after_support_the_last_questionnaire_comes_first(world: World) -> None:
    world.send(Wave.BASELINE)
    world.workshop(world.group()[0])
    world.end(date(2023, 2, 27))
    page = world.page()
    assert "Answer: Questions after your support" in step(page)
    assert "By 27 May 2023" in step(page)
    assert "This support ended on 27 February 2023" in page.words()
    assert world.next() == world.questionnaire("post")


def test_when_all_is_done_there_is_nothing_to_do(world: World) -> None:
    world.send(Wave.BASELINE)
    world.end(date(2023, 2, 27))
    world.send(Wave.POST)
    page = world.page()
    assert page.all("section", class_="lp-next") + page.all("div", class_="lp-next") == []
    assert world.next() == "/your-support"


def test_without_a_mentor_people_wait(world: World, make: Factory) -> None:
    waiting = make.person("Wai Ting")
    package = make.package(waiting, state=PackageState.BASELINE)
    world.send(Wave.BASELINE, part=package.participations[0].id)
    page = world.client.sign_in(waiting.id).get("/your-support")
    assert "Nothing to do now" in step(page)
    assert "We are finding you a mentor" in page.words()
    assert world.next() == "/your-support"


def test_a_questionnaire_that_was_waived_does_not_stand_before_booking(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.execute(update(Package).values(baseline_waived_at=work.now))
    page = world.page()
    assert "Answer: Questions before" in step(page), "it can still be answered"
    assert f"/packages/{world.package}/times" in links(page)


def test_goals_that_were_dropped_come_last_and_say_so(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        for number, (text, state) in enumerate(
            {"Read data well": GoalState.OPEN, "Ask well": GoalState.MET, "Gone": GoalState.DROPPED}.items(),
            1,
        ):
            goal = Goal(id=new_id(), package_id=world.package, participation_id=world.part, number=number)
            goal.state, goal.agreed_on, goal.text = state, world.make.today, text
            work.db.add(goal)
    dropped = world.act(goals.write, package_id=world.package, leader=world.part, text="Too much").id
    world.act(goals.set_goal_state, package_id=world.package, goal_id=dropped, state=GoalState.DROPPED)
    page = world.page()
    words = page.words()
    assert "Read data well" in words
    assert "Ask well Met" in words
    assert "Gone Dropped" in words
    assert "Too much Dropped on 1 March 2023" in words
    assert words.index("Ask well") < words.index("Gone")
    assert page.all("a", href=f"/goals/{dropped}"), "there it says who dropped it"


def test_nobody_is_shown_what_is_proposed_or_withdrawn(world: World) -> None:
    for state in (PackageState.PROPOSED, PackageState.WITHDRAWN):
        with unit_of_work(world.db, world.stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(state=state))
        page = world.page()
        assert "You have no support at the moment" in page.words()
        assert WHO_SEES in page.words()
        assert world.next() == "/your-support"


def test_four_stages_tell_where_support_stands(world: World) -> None:
    def here(page: Page) -> list[str]:
        return [page.words(one) for one in page.all("li") if one.get("aria-current") == "step"]

    assert ["First questionnaire" in one for one in here(world.page())] == [True]
    world.send(Wave.BASELINE)
    assert ["Sessions begin" in one for one in here(world.page())] == [True]
    world.hold(world.book())
    assert ["Support goes on" in one for one in here(world.page())] == [True]
    world.end(date(2023, 2, 27))
    assert ["Last questionnaire" in one for one in here(world.page())] == [True]
    assert world.db.scalars(select(Session.id)).all()
