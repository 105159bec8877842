"""The pages of those who give support, through a browser without JavaScript."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import hours
from portal.booking.availability import Span
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    Offer,
    Package,
    PackageMentor,
    Person,
    Place,
    Role,
    Session,
    SessionState,
    Strand,
)
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)


class World:
    """A mentor signed in, one leader, and a group."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, client: PageClient) -> None:
        self.stack, self.db, self.make = stack, db, make
        mentor, leader = make.mentor("Ada Merriweather"), make.person("Sam Okoro")
        members = [make.person(name) for name in ("Bo Lindqvist", "Ira Farrow")]
        self.mentor, self.leader, self.members = mentor.id, leader.id, [member.id for member in members]
        council = make.council("Westmarch")
        self.package = make.package(leader, mentor=mentor, council=council, starts_on=date(2023, 2, 1)).id
        mentor = db.get_one(Person, self.mentor)
        self.group = make.package(*members, mentor=mentor, strand=Strand.GROUP, title="Scrutiny").id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(baseline_waived_at=stack.clock()))
        self.client = client.sign_in(self.mentor)

    def book(self, starts_at: datetime = TEN) -> UUID:
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return bookings.book(
                work,
                self.stack.instance.programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=self.mentor,
                starts_at=starts_at,
                place=Place.REMOTE,
            ).id

    def when(self, day: int, at: str, prefix: str = "") -> dict[str, str]:
        on = f"on{prefix}"
        return {f"{on}-day": str(day), f"{on}-month": "3", f"{on}-year": "2023", f"at{prefix}": at}


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, client: PageClient) -> World:
    return World(stack, db, make, client)


def test_the_home_page_shows_the_day_and_whom_one_supports(world: World) -> None:
    world.book()
    home = world.client.get("/mentor").words()
    for words in (
        "You have no sessions today",
        "10am to 11am",
        "Sam Okoro",
        "Westmarch",
        "Scrutiny",
        "5 days",
    ):
        assert words in home
    world.stack.clock.now = TEN + timedelta(hours=2)
    page = world.client.sign_in(world.mentor).get("/mentor")
    assert "Record what happened" in page.words()


def test_who_has_no_hours_from_today_on_is_asked_to_publish_some(world: World) -> None:
    def asked() -> bool:
        return "Leaders can book you only at times that you publish." in world.client.get("/mentor").words()

    def on(day: date, *spans: Span) -> None:
        with unit_of_work(world.db, world.stack.clock, "system:test") as work:
            hours.set_day(work, mentor_id=world.mentor, on=day, spans=spans)

    assert not asked()
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        hours.publish_week(work, mentor_id=world.mentor, weekly={})
    on(date(2023, 3, 2))
    world.stack.clock.now -= timedelta(days=20)
    on(date(2023, 2, 20), Span(540, 720))
    world.stack.clock.now += timedelta(days=20)
    assert asked(), "a closed day, and one that has passed, are no hours"
    on(date(2023, 3, 3), Span(540, 720))
    assert not asked()


def test_lists_cost_the_same_for_many(world: World) -> None:
    def queries(path: str) -> int:
        seen: list[str] = []

        def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
            seen.append(statement)

        world.client.get(path)
        event.listen(world.stack.engine, "before_cursor_execute", count)
        world.client.get(path)
        event.remove(world.stack.engine, "before_cursor_execute", count)
        return len(seen)

    paths = ("/mentor", f"/mentor/packages/{world.package}")
    world.book()
    few = [queries(path) for path in paths]
    for day in (3, 6, 7, 8):
        world.book(TEN.replace(day=day))
        mentor = world.db.get_one(Person, world.mentor)
        world.make.package(world.make.person(), mentor=mentor, council=world.make.council())
    assert [queries(path) for path in paths] == few


def test_the_week_is_published(world: World) -> None:
    week = {"monday_1_from": "540", "monday_1_to": "720", "monday_2_from": "780", "monday_2_to": "1020"}
    page = world.client.follow(world.client.post("/mentor/hours", week))
    assert "Your week is saved" in page.words()
    hours_of_day = [one for one in page.all("select") if not one.get("name").startswith("per_")]
    chosen = [
        option.get("value")
        for one in hours_of_day
        for option in one.iter("option")
        if option.get("selected") is not None
    ]
    assert [value for value in chosen if value] == ["540", "720", "780", "1020"]
    held = hours.of(world.db, [world.mentor])[world.mentor]
    assert held.weekly == {0: (Span(540, 720), Span(780, 1020))}


@pytest.mark.parametrize(
    "week, words",
    [
        ({"monday_1_from": "540"}, "Choose both a start and an end"),
        ({"monday_1_from": "540", "monday_1_to": "540"}, "The end must come after the start"),
        (
            {"monday_1_from": "540", "monday_1_to": "720", "monday_2_from": "600", "monday_2_to": "780"},
            "This overlaps another time",
        ),
    ],
)
def test_wrong_hours_are_refused(world: World, week: dict[str, str], words: str) -> None:
    page = world.client.post("/mentor/hours", {"monday_1_from": ""} | week, status=422)
    assert words in page.words()
    assert len(hours.of(world.db, [world.mentor])[world.mentor].weekly) == 5


def test_a_single_day_is_closed_opened_and_forgotten(world: World) -> None:
    day = {"on-day": "2", "on-month": "3", "on-year": "2023"}
    page = world.client.follow(world.client.post("/mentor/hours", day | {"day_1_from": "", "day_1_to": ""}))
    assert "Thursday 2 March 2023: closed" in page.words()
    page = world.client.follow(
        world.client.post("/mentor/hours", day | {"day_1_from": "600", "day_1_to": "720"})
    )
    assert "Thursday 2 March 2023: 10am to midday" in page.words()
    world.client.post("/mentor/hours", {"forget": date(2023, 3, 2).isoformat()})
    assert hours.of(world.db, [world.mentor])[world.mentor].exceptions == {}


def test_what_is_typed_in_another_part_of_the_hours_stays(world: World) -> None:
    day = {"on-day": "2", "on-month": "3", "on-year": "2023", "day_1_from": "", "day_1_to": ""}
    week = {"saturday_1_from": "600", "saturday_1_to": "720", "monday_1_from": ""}
    whole = {**week, **day, "per_day": "2", "per_week": "3"}
    page = world.client.post("/mentor/hours", {**whole, "part": "day"}, status=200)
    assert "The day is closed" in page.words()
    assert page.words().count("What you changed here is not saved yet") == 2, "the week, and the limits"
    (saturday,) = page.all("select", name="saturday_1_from")
    assert [one.get("value") for one in saturday.iter("option") if one.get("selected") is not None] == ["600"]
    assert page.all("input", name="on-day")[0].get("value") is None, "the day is saved"
    assert 5 not in hours.of(world.db, [world.mentor])[world.mentor].weekly
    wrong = {**whole, "part": "week", "saturday_1_to": "540", "on-day": "3"}
    page = world.client.post("/mentor/hours", wrong, status=422)
    assert page.all("input", name="on-day")[0].get("value") == "3"
    page = world.client.post("/mentor/hours", {**wrong, "part": "limits"}, status=200)
    assert "Your limits are saved" in page.words()
    assert "There is a problem" not in page.words(), "what is not saved yet is not looked at"


def test_a_single_day_that_has_passed_is_refused(world: World) -> None:
    day = {"on-day": "1", "on-month": "12", "on-year": "2020", "day_1_from": "", "day_1_to": ""}
    page = world.client.post("/mentor/hours", day, status=422)
    assert "This day has passed" in page.words(page.all("p", class_="govuk-error-message")[0])
    assert hours.of(world.db, [world.mentor])[world.mentor].exceptions == {}


def test_offers_go_to_the_leader(world: World) -> None:
    path = f"/packages/{world.package}/offers"
    rows = world.when(2, "7pm", "_1") | world.when(3, "7pm", "_2")
    form = {"mentor_id": str(world.mentor), "place": "remote", **rows}
    page = world.client.post(path, form, status=422)
    assert "Enter the date of time 3" in page.words()
    page = world.client.post(path, form | world.when(1, "8am", "_3"), status=422)
    assert "Time 3: this time has passed" in page.words()
    page = world.client.post(path, form | world.when(26, "1:30am", "_3"), status=422)
    assert "Time 3: there is no 1:30am on 26 March 2023. The clocks go forward" in page.words()
    page = world.client.post(path, form | world.when(6, "24:00", "_2"), status=422)
    assert "Time 2: enter a time such as 2:30pm" in page.words()
    page = world.client.post(path, form | world.when(4, "7pm", "_3"), status=422)
    assert "Saturday 4 March 2023 is at a weekend" in page.words()
    page = world.client.follow(world.client.post(path, form | world.when(6, "7:15pm", "_3")))
    assert "Monday 6 March 2023, 7:15pm to 8:15pm" in page.words()
    assert len(world.db.scalars(select(Offer.id)).all()) == 3
    assert world.db.scalars(select(Mail.person_id).where(Mail.template == "offers")).all() == [world.leader]


def test_times_of_two_mentors_are_taken_back_each_by_their_own_button(world: World) -> None:
    team, other = world.make.person(role=Role.TEAM).id, world.make.mentor("Bea Holm").id
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.add(PackageMentor(package_id=world.package, person_id=other, from_on=date(2023, 2, 1)))
    path = f"/mentor/packages/{world.package}"
    called = world.db.get_one(Person, world.mentor).name
    for mentor_id, at in ((world.mentor, "7pm"), (other, "5pm")):
        rows = world.when(2, at, "_1") | world.when(3, at, "_2") | world.when(6, at, "_3")
        world.client.sign_in(team).post(
            f"/packages/{world.package}/offers", {"mentor_id": str(mentor_id), "place": "remote", **rows}
        )

    def buttons(shown: Page) -> list[str]:
        return [shown.words(one) for one in shown.all("a") if one.get("href").endswith("/take-back")]

    page = world.client.get(path)
    assert buttons(page) == [
        "Take these times back that Bea Holm offered",
        f"Take these times back that {called} offered",
    ]
    assert page.words().index("Bea Holm Thursday 2 March 2023, 5pm") < page.words().index(
        f"{called} Thursday 2 March 2023, 7pm"
    )
    theirs = world.client.sign_in(other).get(path)
    assert buttons(theirs) == ["Take these times back that Bea Holm offered"]


@pytest.mark.parametrize(
    "typed, words",
    [
        ("2:30", "Say am or pm"),
        ("2:20pm", "Use a quarter hour"),
        ("teatime", "Enter a time such as"),
        ("", "Enter"),
    ],
)
def test_a_time_is_understood_or_asked_for_again(world: World, typed: str, words: str) -> None:
    form = {"session_id": str(uuid4()), "mentor_id": str(world.mentor), "kind": "one_to_one", "minutes": "60"}
    path = f"/packages/{world.package}/log"
    page = world.client.post(path, form | {"place": "remote"} | world.when(28, typed), status=422)
    assert words in page.words()


def test_a_session_that_took_place_is_logged(world: World) -> None:
    path = f"/packages/{world.package}/log"
    form = {
        "session_id": str(uuid4()),
        "mentor_id": str(world.mentor),
        "kind": "one_to_one",
        "minutes": "95",
        "place": "remote",
        **world.when(27, "14:00"),
        "on-month": "2",
    }
    page = world.client.follow(world.client.post(path, form))
    assert "1 hour 35 minutes" in page.words()
    world.client.post(path, form)
    assert len(world.db.scalars(select(Session.id)).all()) == 1
    again = form | {"session_id": str(uuid4())}
    assert "Record that one instead" in world.client.post(path, again, status=409).words()


def test_what_happened_is_recorded(world: World) -> None:
    path = f"/sessions/{world.book()}/record"
    assert "still to come" in world.client.get(path).words()
    world.stack.clock.now = TEN + timedelta(hours=2)
    world.client.sign_in(world.mentor)
    assert world.client.get(path).all("input", name="minutes")[0].get("value") == "60"
    assert "Round to 5" in world.client.post(path, {"outcome": "held", "minutes": "62"}, status=422).words()
    assert "Say whether" in world.client.post(path, {"minutes": "60"}, status=422).words()
    page = world.client.follow(world.client.post(path, {"outcome": "held", "minutes": "70"}))
    assert "What happened is recorded" in page.words()
    assert "1 hour 10 minutes" in page.words()
    page = world.client.get(path)
    assert page.heading == "Correct what was recorded"
    assert "took place and lasted 1 hour 10 minutes" in page.words()
    chosen = [one.get("value") for one in page.all("input", name="outcome") if one.get("checked") is not None]
    assert chosen == ["held"], "who corrects the minutes need not say again that it took place"
    page = world.client.follow(world.client.post(path, {"outcome": "no_show", "minutes": ""}))
    assert world.db.scalars(select(Session.state)).one() is SessionState.CANCELLED
    assert "Nobody came" in page.words()
    assert page.all("a", href=path), "what was wrongly recorded can be corrected"
    session = world.client.get(path.removesuffix("/record"))
    assert "This session did not take place. Nobody came." in session.words()
    assert "Correct what was recorded" in session.words()
    page = world.client.get(path)
    assert "It is recorded that nobody came to this session" in page.words()
    chosen = [one.get("value") for one in page.all("input", name="outcome") if one.get("checked") is not None]
    assert chosen == ["no_show"]
    page = world.client.follow(world.client.post(path, {"outcome": "cancelled", "minutes": ""}))
    assert "Called off" in page.words()
    session = world.client.get(path.removesuffix("/record"))
    assert "This session did not take place. It was called off." in session.words()
    page = world.client.follow(world.client.post(path, {"outcome": "held", "minutes": "60"}))
    assert "1 hour" in page.words()


def test_a_group_session_is_scheduled_and_its_attendance_recorded(world: World, client: PageClient) -> None:
    form = {
        "session_id": str(uuid4()),
        "mentor_id": str(world.mentor),
        "kind": "workshop",
        "title": "Asking the right questions",
        "minutes": "120",
        "capacity": "10",
        "place": "in_person",
        "where": "Council chamber",
        **world.when(2, "10am"),
    }
    path = f"/packages/{world.group}/schedule"
    assert "Use 100 characters" in world.client.post(path, form | {"title": "x" * 300}, status=422).words()
    page = world.client.follow(world.client.post(path, form))
    assert page.heading == "Asking the right questions"
    assert (
        "That time has gone"
        in world.client.post(path, form | {"session_id": str(uuid4())}, status=409).words()
    )
    unusual = form | {"session_id": str(uuid4()), **world.when(4, "10am")}
    page = world.client.post(path, unusual, status=422)
    assert "Saturday 4 March 2023 is at a weekend" in page.words()
    assert page.all("input", name="sure")
    session = f"/sessions/{form['session_id']}"
    for member in world.members:
        world.client.sign_in(member).post(f"{session}/place", page=session)
    world.stack.clock.now = TEN + timedelta(hours=3)
    world.client.sign_in(world.mentor)
    nobody = {"outcome": "held", "minutes": "110"}
    page = world.client.post(f"{session}/record", nobody, status=422)
    assert "Say who came" in page.words(page.all("p", class_="govuk-error-message")[0])
    came = {"outcome": "held", "minutes": "110", "attended": str(world.members[0])}
    world.client.post(f"{session}/record", came)
    states = {seat.person_id: seat.state for seat in world.db.scalars(select(Attendance))}
    assert states == {
        world.members[0]: AttendanceState.ATTENDED,
        world.members[1]: AttendanceState.ABSENT,
    }
    world.client.post(f"{session}/record", came | {"attended": [str(one) for one in world.members]})
    world.client.post(f"{session}/record", {"outcome": "cancelled", "minutes": ""})
    page = world.client.get(session)
    assert "It was called off" in page.words()
    assert "Who had a place" in page.words()
    assert "Who has a place" not in page.words()
    words = world.client.get(f"{session}/registrations").words()
    assert words.count("Had a place. It was called off") == 2
    assert "Has a place" not in words
    page = world.client.get(f"{session}/record")
    boxes = page.all("input", name="attended")
    assert len(boxes) == 2
    assert not [box for box in boxes if box.get("checked") is not None]


def test_the_team_uses_the_same_pages_and_others_none(world: World) -> None:
    paths = [
        f"/mentor/packages/{world.package}",
        f"/packages/{world.package}/offers",
        f"/packages/{world.package}/log",
        f"/packages/{world.group}/schedule",
    ]
    team, stranger = world.make.person(role=Role.TEAM).id, world.make.mentor().id
    for path in paths:
        world.client.sign_in(team).get(path)
        world.client.sign_in(stranger).get(path, status=404)
        world.client.sign_in(world.leader).get(path, status=404)
    world.client.get("/mentor", status=404)
    world.client.get("/mentor/hours", status=404)


def test_taking_a_mentor_off_says_which_sessions_stay_with_them(world: World) -> None:
    session_id = world.book()
    team = world.client.sign_in(world.make.person("Tess Team", role=Role.TEAM).id)
    page = team.get(f"/team/packages/{world.package}/mentors/{world.mentor}/end")
    assert "Sessions that stay with them" in page.words()
    for link in (f"/sessions/{session_id}/mentor", f"/team/people/{world.mentor}/hand-over"):
        assert page.all("a", href=link)
    team.get(f"/team/packages/{world.group}/mentors/{world.leader}/end", status=404)
