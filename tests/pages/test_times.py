"""The pages of leave, closed times, travel, late changes and series, through a browser without JavaScript."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Blackout, HolidayChange, Leave, Package, Place, Role, Session, SessionState
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.form_filling import form_of
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)


class World:
    """A leader, their mentor, and somebody of the team."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, client: PageClient) -> None:
        self.stack, self.db, self.client = stack, db, client
        mentor, leader = make.mentor("Ada Merriweather"), make.person("Sam Okoro")
        self.mentor, self.leader = mentor.id, leader.id
        self.team = make.person(role=Role.TEAM).id
        council = make.council("Westmarch")
        self.council = council.id
        package = make.package(leader, mentor=mentor, council=council)
        self.package = package.id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.get_one(Package, self.package).baseline_waived_at = stack.clock()
        self.times = f"/packages/{self.package}/times"
        self.leave = f"/mentors/{self.mentor}/leave"

    def as_(self, person_id: UUID) -> PageClient:
        return self.client.sign_in(person_id)

    def send(
        self, path: str, *, on: str | None = None, having: str | None = None, status: int = 303, **typed: Any
    ) -> Page:
        """Fill in the form for a path as it stands and send it."""
        form = form_of(self.client.get(on or path), path, having=having)
        return self.client.post(path, {**as_it_stands(form), **typed}, page=on, status=status)

    def book(self, starts_at: datetime = TEN, **more: Any) -> UUID:
        value = f"{starts_at.isoformat()} {self.mentor}"
        self.send(self.times, having="time", time=value, **{"where": "", "travel": "", **more})
        self.db.rollback()
        return self.db.scalars(select(Session.id).order_by(Session.created_at.desc())).all()[-1]

    def booked(self) -> list[Session]:
        self.db.rollback()
        return list(self.db.scalars(select(Session).order_by(Session.starts_at)))


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, client: PageClient) -> World:
    return World(stack, db, make, client)


def stretch(first: int, last: int, *, from_at: str = "", to_at: str = "") -> dict[str, Any]:
    """What the boxes of a stretch in March hold."""
    found = {"from_at": from_at, "to_at": to_at}
    for name, day in (("from_on", first), ("to_on", last)):
        found |= {f"{name}-day": str(day), f"{name}-month": "3", f"{name}-year": "2023"}
    return found


def as_it_stands(form: Any) -> dict[str, str]:
    """What a form posts before anybody touches it."""
    data: dict[str, str] = {}
    for field in form.iter("input"):
        if field.get("type") not in ("radio", "checkbox") or field.get("checked") is not None:
            data[field.get("name")] = field.get("value", "")
    for area in form.iter("textarea"):
        data[area.get("name")] = (area.text or "").removeprefix("\n")
    for field in form.iter("select"):
        options = list(field.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None] or options
        data[field.get("name")] = chosen[0].get("value", "")
    return data


def checked(page: Page, name: str) -> list[str]:
    return [one.get("value") for one in page.all("input", name=name) if one.get("checked") is not None]


def test_leave_is_entered_shown_and_taken_out(world: World) -> None:
    world.as_(world.mentor)
    assert "You have no leave to come" in world.client.get("/mentor/hours").words()
    page = world.client.follow(world.send(world.leave, **stretch(6, 10, to_at="1pm")))
    assert "The leave is saved" in page.words()
    assert "6 March 2023 to 10 March 2023, 1pm" in world.client.get("/mentor/hours").words()
    world.send(world.leave, **stretch(6, 10, to_at="1pm"))
    row = world.db.scalars(select(Leave)).one()  # the same again is no second leave
    assert (row.from_minute, row.to_minute) == (0, 780)
    world.send(f"{world.leave}/{row.id}/remove", on=world.leave)
    assert "No leave is entered" in world.client.get(world.leave).words()
    world.send(world.leave, **stretch(7, 7))
    assert "7 March 2023 to" not in world.client.get(world.leave).words(), "one day is named once"


@pytest.mark.parametrize(
    "typed, words",
    [
        (stretch(10, 6), "The end must come after the start"),
        (stretch(6, 6, from_at="1:10pm"), "From: use a quarter hour"),
        ({**stretch(6, 6), "to_on-day": ""}, "The last day must include a day"),
    ],
)
def test_leave_that_cannot_be_is_refused_beside_the_field(
    world: World, typed: dict[str, str], words: str
) -> None:
    world.as_(world.mentor)
    page = world.client.post(world.leave, typed, status=422)
    assert words in " ".join(page.words(one) for one in page.all("p", class_="govuk-error-message"))
    assert page.all("input", name="from_on-day")[0].get("value") == typed["from_on-day"]


def test_leave_over_a_session_asks_and_keeps_what_was_typed(world: World) -> None:
    world.as_(world.leader)
    world.book()
    world.as_(world.mentor)
    typed = stretch(1, 3, from_at="9:15am")
    page = world.client.post(world.leave, typed, status=422)
    assert "This session is booked then: Thursday 2 March 2023, 10am to 11am, Sam Okoro" in page.words()
    assert page.all("input", name="from_at")[0].get("value") == "9:15am"
    assert world.db.scalars(select(Leave.id)).all() == []
    page = world.client.follow(world.client.post(world.leave, {**typed, "clash": "move"}))
    assert page.heading == "Sessions while you are away"
    assert page.all("a", href=f"/sessions/{world.booked()[0].id}/move")
    assert world.booked()[0].state is SessionState.BOOKED
    assert "1 session lies outside your hours" in world.client.get("/mentor/hours").words()


def test_leave_shows_in_the_calendar_and_beside_the_sessions_in_it(world: World) -> None:
    world.as_(world.leader)
    world.book()
    world.book(TEN.replace(day=3, hour=14))
    world.as_(world.mentor)
    world.send(world.leave, **stretch(2, 3, to_at="1pm"), clash="keep")
    home = world.client.get("/mentor").words()
    assert home.count("In your leave") == 1, "the afternoon of its last day is free"
    for path in ("/agenda/month?month=2023-03", "/agenda?from=2023-03-01", "/agenda/day?on=2023-03-03"):
        assert "Leave until 1pm" in world.client.get(path).words(), path


def test_a_closed_day_over_a_session_asks_too(world: World) -> None:
    world.as_(world.leader)
    world.book()
    world.as_(world.mentor)
    day = {"on-day": "2", "on-month": "3", "on-year": "2023", "day_1_from": "", "day_1_to": ""}
    page = world.client.post("/mentor/hours", day, status=422)
    assert "What is to become of the sessions?" in page.words()
    assert page.all("input", name="on-day")[0].get("value") == "2"
    page = world.client.follow(world.client.post("/mentor/hours", {**day, "clash": "keep"}))
    assert "The day is closed" in page.words()


def test_a_mentor_lowers_how_much_they_take_on(world: World) -> None:
    world.as_(world.mentor)
    page = world.client.follow(world.client.post("/mentor/hours", {"per_day": "1", "per_week": "3"}))
    assert "Your limits are saved" in page.words()
    world.client.post("/mentor/hours", {"per_day": "5", "per_week": "3"}, status=422)
    world.as_(world.leader)
    world.book()
    assert "Thursday 2 March 2023" not in world.client.get(world.times).words()
    page = world.client.post(
        world.times,
        {
            "session_id": "7b7e3a38-8e1c-4a0c-9a0e-5a0f8c9d1e2f",
            "time": f"{TEN.replace(hour=14).isoformat()} {world.mentor}",
            "place": "hybrid",
            "where": "Room 2",
            "travel": "By the side door",
        },
        status=409,
    )
    assert "as many sessions that day as they take on" in page.words()
    assert page.words(page.all("textarea", name="travel")[0]) == "By the side door"
    assert checked(page, "place") == ["hybrid"]
    assert page.all("input", name="time"), "other times"


def test_the_team_enters_leave_for_a_mentor(world: World, make: Factory) -> None:
    world.as_(world.team)
    page = world.client.get(f"/team/people/{world.mentor}")
    assert page.all("a", href=world.leave)
    world.send(world.leave, **stretch(6, 10))
    assert world.client.get(world.leave).heading == "Leave of Ada Merriweather"
    other = make.mentor().id
    world.as_(other).get(world.leave, status=404)
    world.as_(world.leader).get(world.leave, status=404)
    world.as_(world.team).get(f"/mentors/{world.leader}/leave", status=404)


def test_a_time_without_sessions_is_named_to_those_who_book(world: World) -> None:
    world.as_(world.leader)
    world.book()
    world.as_(world.team)
    new = "/team/closed-times/new"
    typed = {"council": str(world.council), "name": "Pre-election <b>period</b>", **stretch(2, 10)}
    page = world.client.post(new, typed, status=422)
    assert "This session is booked then" in page.words()
    assert page.all("input", name="name")[0].get("value") == "Pre-election <b>period</b>"
    for _ in range(2):  # the same again is no second one
        world.client.post(new, {**typed, "clash": "keep"})
    assert "Pre-election <b>period</b>" in world.client.get("/team/closed-times").words()
    world.db.rollback()
    row = world.db.scalars(select(Blackout.id)).one()
    conflicts = world.client.get(f"/team/closed-times/{row}")
    assert conflicts.all("a", href=f"/sessions/{world.booked()[0].id}/move")
    page = world.as_(world.leader).get(world.times)
    assert "Pre-election <b>period</b>, 2 March 2023 to 10 March 2023" in page.words()
    assert "Thursday 9 March 2023" not in page.words()
    form = {
        "session_id": "7b7e3a38-8e1c-4a0c-9a0e-5a0f8c9d1e2f",
        "time": f"{(TEN + timedelta(days=4)).isoformat()} {world.mentor}",
        "place": "remote",
    }
    page = world.client.post(world.times, form, status=409)
    assert "There are no sessions then: Pre-election <b>period</b>" in page.words()
    world.as_(world.team)
    world.send(f"/team/closed-times/{row}/remove", on="/team/closed-times")
    assert "There are none to come" in world.client.get("/team/closed-times").words()


def test_the_team_keeps_the_bank_holidays(world: World) -> None:
    world.as_(world.team)
    page = world.client.get("/team/closed-times")
    assert "Friday 7 April 2023" in page.words()
    change, add = "/team/closed-times/holidays/change", "/team/closed-times/holidays/new"
    world.client.post(change, {"day": "2023-04-07"}, page="/team/closed-times")
    assert "Taken out Friday 7 April 2023, Good Friday" in world.client.get("/team/closed-times").words()
    world.client.post(change, {"day": "2023-04-07", "back": "yes"}, page="/team/closed-times")
    assert world.db.scalars(select(HolidayChange.id)).all() == []
    day = {"on-day": "8", "on-month": "5", "on-year": "2023", "name": "Extra day"}
    assert "a bank holiday already" in world.client.post(add, day, status=422).words()
    page = world.client.follow(world.client.post(add, {**day, "on-day": "9"}))
    assert "Tuesday 9 May 2023 Extra day" in page.words()
    world.client.post(change, {"day": "nonsense"}, page="/team/closed-times")
    world.as_(world.mentor).get("/team/closed-times", status=404)


def test_a_hybrid_session_shows_link_address_map_and_way(world: World) -> None:
    world.as_(world.leader)
    where = "Town hall, 1 High Street, Westmarch; https://meet.example/a?b=1"
    booked = world.book(place="hybrid", where=where, travel="Side door.\nAsk for Ira")
    page = world.client.get(f"/sessions/{booked}")
    assert "In person, and online for some" in page.words()
    assert page.all("a", href="https://meet.example/a?b=1")
    link = next(one for one in page.all("a") if page.words(one) == "See it on a map")
    assert link.get("href").endswith("?query=Town%20hall%2C%201%20High%20Street%2C%20Westmarch")
    assert link.get("href").startswith("https://")
    assert "Side door." in page.words()
    assert "Ask for Ira" in page.words()
    assert world.booked()[0].place is Place.HYBRID
    page = world.client.get(f"/sessions/{booked}/move")
    assert page.words(page.all("textarea", name="travel")[0]) == "Side door. Ask for Ira"
    remote = world.client.get(
        f"/sessions/{world.book(TEN + timedelta(days=5), where='https://meet.example')}"
    )
    assert "See it on a map" not in remote.words()


def test_times_to_meet_in_person_leave_time_to_travel(world: World) -> None:
    world.as_(world.leader)
    world.book(TEN.replace(hour=14))
    late = f"{datetime(2023, 3, 2, 15, 30, tzinfo=UTC).isoformat()} {world.mentor}"
    assert world.client.get(world.times).all("input", value=late)
    page = world.client.get(f"{world.times}?place=in_person")
    assert not page.all("input", value=late)
    assert checked(page, "place") == ["in_person"]
    form = {"session_id": "7b7e3a38-8e1c-4a0c-9a0e-5a0f8c9d1e2f", "time": late, "place": "in_person"}
    page = world.client.post(world.times, form, status=409)
    assert not page.all("input", value=late), "the other times leave time to travel"
    assert world.client.get(f"{world.times}?place=moon").status == 200


def test_inside_the_notice_period_a_leader_is_told_to_ring(world: World) -> None:
    world.as_(world.leader)
    path = f"/sessions/{world.book()}"
    token = world.client.get(f"{path}/cancel").token()
    world.stack.clock.now = TEN - timedelta(hours=3)
    world.as_(world.leader)
    for what in ("move", "cancel"):
        page = world.client.get(f"{path}/{what}")
        assert "Ring us and we will change it for you" in page.words()
        assert any(link.get("href", "").startswith("tel:") for link in page.all("a"))
        assert not page.all("form", action=f"{path}/{what}")
    answer = world.client.http.post(f"{path}/cancel", data={"csrf_token": token})
    assert answer.status_code in (400, 422)
    page = world.client.post(f"{path}/cancel", page="/your-devices", status=422)
    assert "Ring us" in page.words()
    assert world.booked()[0].state is SessionState.BOOKED
    world.as_(world.mentor)
    assert "It counts as a late cancellation" in world.client.get(f"{path}/cancel").words()
    world.client.post(f"{path}/cancel")
    assert world.booked()[0].cancelled_at == world.stack.clock.now


def test_a_typed_time_that_has_gone_shows_what_is_free(world: World) -> None:
    world.as_(world.leader)
    world.book()
    second = world.book(TEN.replace(hour=14))
    world.as_(world.mentor)
    other = next(one for one in world.booked() if one.id != world.booked()[0].id).id
    assert second
    typed = {"at": "10:15am", "on-day": "2", "on-month": "3", "on-year": "2023", "place": "remote"}
    page = world.client.post(f"/sessions/{other}/move", typed | {"where": "Room 7", "travel": ""}, status=409)
    assert "Times that are free" in page.words()
    assert page.all("input", name="where")[0].get("value") == "Room 7"
    offered: dict[str, str] = {"mentor_id": str(world.mentor), "place": "remote", "where": "Room 8"}
    for row, at in enumerate(("10am", "7pm", "8:15pm"), 1):
        offered |= {f"on_{row}-day": "2", f"on_{row}-month": "3", f"on_{row}-year": "2023", f"at_{row}": at}
    page = world.client.post(f"/packages/{world.package}/offers", offered, status=409)
    assert "Times that are free" in page.words()
    assert page.all("input", name="where")[0].get("value") == "Room 8"


class TestSeries:
    def plan(self, world: World, **more: Any) -> Page:
        return world.send(
            f"/packages/{world.package}/series",
            status=200,
            **{
                "on-day": "2",
                "on-month": "3",
                "on-year": "2023",
                "at": "10am",
                "minutes": "60",
                "every": "week",
                "count": "4",
                "where": "Town hall",
                "travel": "Line one\nline two",
                **more,
            },
        )

    def rows(self, page: Page, **typed: Any) -> dict[str, str]:
        form = next(one for one in page.all("form", method="post") if "series" in one.get("action"))
        return {**as_it_stands(form), **typed}

    def test_dates_are_shown_changed_and_booked_together(self, world: World) -> None:
        world.as_(world.leader)
        world.book(TEN + timedelta(days=7))
        world.as_(world.mentor)
        path = f"/packages/{world.package}/series"
        page = self.plan(world)
        assert page.heading == "Check the dates"
        assert "Session 2: Thursday 9 March 2023 Cannot be booked That time has gone" in page.words()
        assert [
            one.get("name") for one in page.all("input", type="checkbox") if one.get("checked") is not None
        ] == [
            "book_1",
            "book_3",
            "book_4",
        ]
        assert len(world.booked()) == 1, "looking at the dates books nothing"
        refused = world.client.post(path, self.rows(page, book_2="y"), status=409)
        assert "so none is" in refused.words()
        assert "That time has gone" in refused.words(refused.all("p", class_="govuk-error-message")[0])
        assert "Times that are free" in refused.words()
        assert refused.all("input", name="where")[0].get("value") == "Town hall"
        assert len(world.booked()) == 1
        again = self.rows(refused, at_2="2pm")
        page = world.client.follow(world.client.post(path, again))
        assert "4 sessions are booked" in page.words()
        world.client.post(path, again)
        booked = [one for one in world.booked() if one.travel]
        assert [london_words(one) for one in booked] == ["2 10", "9 14", "16 10", "23 10"]
        assert {one.travel for one in booked} == {"Line one\nline two"}

    def test_holidays_are_named_and_left_out_unless_ticked(self, world: World) -> None:
        world.as_(world.team)
        page = self.plan(world, **{"on-day": "10", "every": "fortnight", "at": "11am", "count": "3"})
        assert "Friday 7 April 2023 Bank holiday Good Friday" in page.words()
        world.client.post(f"/packages/{world.package}/series", self.rows(page))
        assert [london_words(one) for one in world.booked()] == ["10 11", "24 11"]

    def test_wrong_plans_and_empty_series_are_refused(self, world: World) -> None:
        world.as_(world.mentor)
        path = f"/packages/{world.package}/series"
        page = world.client.post(path, {"at": "10am", "count": "4", "where": "Room 3"}, status=422)
        assert "Enter a date" in page.words()
        assert page.all("input", name="where")[0].get("value") == "Room 3"
        rows = self.rows(self.plan(world))
        none = {name: value for name, value in rows.items() if not name.startswith("book_")}
        assert "Choose at least one" in world.client.post(path, none, status=422).words()
        wrong = world.client.post(path, rows | {"on_2-day": "26", "at_2": "1:30am"}, status=422)
        assert "The clocks go forward" in wrong.words()
        world.client.post(path, rows | {"on_3-day": "x"}, status=422)
        assert world.booked() == []

    def test_only_those_who_serve_one_leader(self, world: World, make: Factory) -> None:
        path = f"/packages/{world.package}/series"
        world.as_(world.leader).get(path, status=404)
        world.as_(make.mentor().id).get(path, status=404)


def london_words(session: Session) -> str:
    """The day and the hour on London's clocks."""
    return f"{session.starts_at.day} {session.starts_at.hour}"
