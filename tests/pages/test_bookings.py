"""The pages of bookings, through a browser without JavaScript."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts, hours, offers, open_offers
from portal.booking.availability import Span
from portal.groups import sessions
from portal.models import (
    Attendance,
    LimitCount,
    Package,
    PackageMentor,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
NAME = "Cllr Niamh O’Shea-D'Arcy & Team"


class World:
    """A leader and a mentor with names that try the pages, and where their pages are."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, client: PageClient) -> None:
        self.stack, self.db, self.make, self.client = stack, db, make, client
        mentor, leader = make.mentor("Siân Ŵyn-Žák"), make.person(NAME)
        self.mentor, self.leader = mentor.id, leader.id
        self.package = make.package(leader, mentor=mentor).id
        self.waive()
        self.times = f"/packages/{self.package}/times"

    def waive(self) -> None:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(baseline_waived_at=self.stack.clock()))

    def as_leader(self) -> PageClient:
        return self.client.sign_in(self.leader)

    def as_mentor(self) -> PageClient:
        return self.client.sign_in(self.mentor)

    def form(self, starts_at: datetime = TEN, **more: Any) -> dict[str, str]:
        return {
            "session_id": str(uuid4()),
            "time": f"{starts_at.isoformat()} {self.mentor}",
            "place": "remote",
            **more,
        }

    def book(self, starts_at: datetime = TEN) -> UUID:
        form = self.form(starts_at)
        self.client.post(self.times, form)
        return UUID(form["session_id"])

    def session(self, session_id: UUID) -> Session:
        self.db.rollback()
        return self.db.get_one(Session, session_id)


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, client: PageClient) -> World:
    return World(stack, db, make, client)


def posted_by(page: Page, text: str) -> dict[str, str]:
    """What the form with this button posts as the page stands, its first radio chosen."""
    form = next(form for form in page.all("form") if any(page.words(b) == text for b in form.iter("button")))
    values: dict[str, str] = {}
    for field in form.iter("input"):
        if field.get("type") != "radio" or field.get("checked") is not None:
            values[field.get("name")] = field.get("value", "")
        else:
            values.setdefault(field.get("name"), field.get("value"))
    return values


def times_of(page: Page) -> list[str]:
    """The times of the list, without one that was chosen elsewhere."""
    chosen = page.all("input", id="time-chosen")
    return [one.get("value") for one in page.all("input", name="time") if one not in chosen]


def pressed(world: World, page: Page, text: str, *, part: bool = False, **typed: Any) -> Page:
    """What a form shows once the button with this text (or a `part` of it) is pressed; nothing is booked by that."""
    for form in page.all("form"):
        for button in form.iter("button"):
            words = page.words(button)
            if words == text or (part and text in words):
                fields = {one.get("name"): one.get("value", "") for one in form.iter("input") if _counts(one)}
                areas = {
                    one.get("name"): (one.text or "").removeprefix("\n") for one in form.iter("textarea")
                }
                data = {**fields, **areas, **typed, button.get("name"): button.get("value")}
                return world.client.post(form.get("action"), data, status=200)
    raise LookupError(text)


def _counts(field: Any) -> bool:
    return field.get("type") not in ("radio", "checkbox") or field.get("checked") is not None


def test_two_taps_book_from_the_list(world: World) -> None:
    page = world.as_leader().get(world.times)
    assert "Thursday 2 March 2023" in page.words()
    assert "All of these are with Siân Ŵyn-Žák." in page.words()
    assert "10am to 11am" in page.words()
    shown = world.client.follow(world.client.post(world.times, posted_by(page, "Book this time")))
    assert "Your session is booked" in shown.words()
    assert "Siân Ŵyn-Žák" in shown.words()
    assert "Thursday 2 March 2023, 9am to 10am" in shown.words()
    assert shown.words().count("Online or by phone") == 1
    assert "Not set yet" in shown.words()


def test_the_list_has_thirty_times_and_goes_on(world: World) -> None:
    page = world.as_leader().get(world.times)
    shown = [times_of(page)]
    assert len(shown[0]) == 30
    assert not [one for one in page.all("button") if page.words(one) == "Earlier times"]
    for _ in range(2):
        page = pressed(world, page, "More times")
        shown.append(times_of(page))
    assert shown[0][-1] < shown[1][0]
    assert shown[1][-1] < shown[2][0]
    for before in reversed(shown[:2]):
        page = pressed(world, page, "Earlier times")
        assert times_of(page) == before
    assert times_of(world.client.get(f"{world.times}?from=nonsense")) == shown[0]


def test_what_is_typed_and_chosen_goes_along_to_other_times(world: World) -> None:
    page = world.as_leader().get(world.times)
    chosen = times_of(page)[0]
    typed: dict[str, Any] = {
        "time": chosen,
        "where": "Town hall",
        "travel": "Gate 2\nRing twice",
        "place": "hybrid",
    }
    page = pressed(world, page, "More times", **typed)
    assert "The time you chose Thursday 2 March 2023, 9am to 10am" in page.words()
    for button in ("See times to meet online or by phone", "Choose a day in a calendar"):
        page = pressed(world, page, button)
    page = pressed(world, page, "Monday 6 March 2023", part=True)
    assert world.db.scalars(select(LimitCount)).all() == [], "who only looks at other times has tried nothing"
    world.db.rollback()
    sent = posted_by(page, "Book this time")
    assert (sent["time"], sent["where"], sent["place"]) == (chosen, "Town hall", "remote")
    assert "Gate 2\nRing twice" in page.all("textarea", name="travel")[0].text
    world.client.post(world.times, sent)
    assert len(world.db.scalars(select(Session.id)).all()) == 1


def test_a_time_that_leaves_no_way_to_go_is_said_not_to_be_free(world: World) -> None:
    page = world.as_leader().get(world.times)
    world.book(TEN.replace(hour=14))
    late = f"{datetime(2023, 3, 2, 15, 0, tzinfo=UTC).isoformat()} {world.mentor}"
    page = pressed(world, page, "See times to meet in person", time=late)
    assert "The time you chose cannot be booked in this way" in page.words()
    assert "There is a problem" not in page.words()


def test_in_place_the_address_is_that_of_the_part_of_the_list(world: World) -> None:
    page = world.as_leader().get(world.times)
    (more,) = (one.get("value") for one in page.all("button") if page.words(one) == "More times")
    data = {"csrf_token": page.token(), "place": "remote", "from": more}
    answer = world.client.http.post(world.times, data=data, headers={"HX-Request": "true"})
    there = Page(world.client.http.get(answer.headers["HX-Push-Url"]))
    assert times_of(there) == times_of(Page(answer))


def test_a_time_that_has_gone_shows_others_and_keeps_what_was_typed(world: World) -> None:
    world.as_leader()
    world.book()
    form = world.form(place="in_person", where="Town hall, room 2")
    page = world.client.post(world.times, form, status=409)
    assert "That time has gone" in page.words()
    assert page.all("input", name="where")[0].get("value") == "Town hall, room 2"
    assert page.all("input", value="in_person")[0].get("checked") is not None
    assert page.all("input", name="session_id")[0].get("value") == form["session_id"]
    again = posted_by(page, "Book this time")
    assert world.client.post(world.times, again).status == 303
    assert len(world.db.scalars(select(Session.id)).all()) == 2


@pytest.fixture
def said(stack: Stack) -> Iterator[list[str]]:
    """What the database is asked, for the last request alone: from where its cookie is read."""
    heard: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("SELECT browser_session"):
            heard.clear()
        if not statement.startswith("BEGIN") and "SAVEPOINT" not in statement:
            heard.append(statement)

    event.listen(stack.engine, "before_cursor_execute", note)
    yield heard
    event.remove(stack.engine, "before_cursor_execute", note)


def at_most(stack: Stack, said: list[str], most: int) -> None:
    # PostgreSQL is asked for four locks besides: two that tell a return of data, where the try is counted and to book;
    # one that tells days that are closed, and those of the people.
    more = 0 if stack.engine.dialect.name == "sqlite" else 4
    assert len(said) <= most + more, "\n".join(one[:150] for one in said)


def test_a_booking_asks_the_database_few_times_from_the_cookie_on(
    world: World, stack: Stack, said: list[str]
) -> None:
    world.as_leader()
    world.book()
    at_most(stack, said, 29)
    assert [one for one in said if one.startswith("INSERT INTO session")]


def test_whoever_was_late_costs_a_look_and_the_list_and_no_row(
    world: World, stack: Stack, said: list[str]
) -> None:
    world.as_leader()
    world.book()
    world.client.post(world.times, world.form(), status=409)
    at_most(stack, said, 35)
    written = {one.split()[2] for one in said if one.startswith("INSERT")}
    assert written == {"limit_count"}


def test_the_same_form_twice_shows_the_first_booking(world: World) -> None:
    form = world.form()
    first, second = (world.as_leader().post(world.times, form) for _ in range(2))
    assert first.response.headers["Location"] == second.response.headers["Location"]
    assert len(world.db.scalars(select(Session.id)).all()) == 1


def test_going_back_and_choosing_the_same_time_leads_to_the_booking(world: World) -> None:
    world.as_leader()
    booked = world.book()
    page = world.client.post(world.times, world.form(), status=409)
    assert "You booked this: Thursday 2 March 2023, 10am to 11am" in page.words()
    assert page.all("a", href=f"/sessions/{booked}")


def test_going_back_and_choosing_another_time_books_that_one_too(world: World) -> None:
    form = world.form()
    world.as_leader().post(world.times, form)
    other = form | {"time": world.form(TEN.replace(hour=14))["time"]}
    page = world.client.post(world.times, other, status=422)
    assert "This page was used before for another time" in page.words()
    again = posted_by(page, "Book this time")
    assert again["session_id"] != form["session_id"]
    assert again["time"] == other["time"], "the chosen time stays chosen"
    assert world.client.post(world.times, again).status == 303
    assert len(world.db.scalars(select(Session.id)).all()) == 2


def test_a_time_from_further_on_stays_chosen_when_something_else_is_wrong(world: World) -> None:
    page = world.as_leader().get(world.times)
    page = pressed(world, page, "More times")
    sent = next(
        form.get("action") for form in page.all("form", method="post") if form.get("action") != "/sign-out"
    )
    chosen = page.all("input", name="time")[-1].get("value")
    page = world.client.post(sent, {**world.form(), "time": chosen, "where": "x" * 301}, status=422)
    assert posted_by(page, "Book this time")["time"] == chosen


@pytest.mark.parametrize(
    "broken",
    [
        {"time": ""},
        {"time": "x y"},
        {"time": "2023-03-02T10:00 1"},
        {"place": "moon"},
        {"session_id": "7"},
        {"place": "in_person", "where": "x" * 301},
    ],
)
def test_a_broken_form_says_what_is_wrong(world: World, broken: dict[str, Any]) -> None:
    page = world.as_leader().post(world.times, world.form(**broken), status=422)
    assert "There is a problem" in page.words()
    assert world.db.scalars(select(Session.id)).all() == []


def test_before_the_baseline_there_is_a_way_to_it_instead_of_times(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.execute(update(Package).values(baseline_waived_at=None))
    page = world.as_leader().get(world.times)
    assert page.all("input", name="time") == []
    assert any(link.get("href", "").endswith("/baseline/once") for link in page.all("a"))


def test_others_find_nothing(world: World, make: Factory) -> None:
    booked = world.as_leader().post(world.times, world.form()).response.headers["Location"]
    world.client.sign_in(make.person().id)
    for path in (world.times, booked, f"{booked}/move", f"{booked}/cancel", f"{booked}/calendar.ics"):
        world.client.get(path, status=404)


def test_those_who_serve_book_any_other_time(world: World) -> None:
    page = world.as_mentor().get(world.times)
    form = posted_by(page, "Book this other time") | {
        "free-mentor_id": str(world.mentor),
        "free-on-day": "26",
        "free-on-month": "3",
        "free-on-year": "2023",
        "free-at": "1:30am",
        "free-minutes": "60",
    }
    refused = world.client.post(world.times, form, status=422)
    assert "The clocks go forward that night" in refused.words()
    unusual = world.client.post(world.times, form | {"free-at": "7:15pm"}, status=422)
    assert "Sunday 26 March 2023 is at a weekend" in unusual.words()
    assert unusual.all("input", name="free-sure")
    assert world.db.scalars(select(Session.id)).all() == []
    world.db.rollback()
    form["free-sure"] = unusual.value("free-sure")
    # What was ticked beside one question answers no other.
    early = world.client.post(world.times, form | {"free-at": "5:15am"}, status=422)
    assert "It would start at 5:15am, which is early" in early.words()
    assert early.all("input", name="free-sure")[0].get("checked") is None
    assert world.client.post(world.times, form | {"free-at": "7:15pm"}).status == 303
    assert world.db.scalars(select(Session)).one().starts_at == datetime(2023, 3, 26, 18, 15, tzinfo=UTC)
    world.client.post(world.times, form | {"free-at": "7:15pm", "free-session_id": str(uuid4())}, status=409)


def test_a_session_is_moved_to_an_unusual_time_only_if_it_is_meant(world: World) -> None:
    world.as_leader()
    path = f"/sessions/{world.book()}"
    world.as_mentor()
    form = posted_by(world.client.get(f"{path}/move"), "Save the change")
    holiday = form | {"on-day": "7", "on-month": "4", "on-year": "2023", "at": "8:30pm"}
    page = world.client.post(f"{path}/move", holiday, status=422)
    assert "Friday 7 April 2023 is a bank holiday (Good Friday)" in page.words()
    assert "It would end at 9:30pm, which is late" in page.words()
    world.client.post(f"{path}/move", holiday | {"sure": page.value("sure")})
    # Where only the link is new, the time is not asked about again.
    world.client.post(f"{path}/move", holiday | {"where": "https://meet.example/a"})


def test_what_the_mentor_publishes_is_not_unusual(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        spans = [Span(9 * 60, 12 * 60)]
        hours.set_day(work, mentor_id=world.mentor, on=date(2023, 4, 7), spans=spans)
    world.as_leader()
    path = f"/sessions/{world.book()}"
    form = posted_by(world.as_mentor().get(f"{path}/move"), "Save the change")
    world.client.post(
        f"{path}/move", form | {"on-day": "7", "on-month": "4", "on-year": "2023", "at": "10am"}
    )


def test_a_leader_cannot_book_outside_the_hours(world: World) -> None:
    evening = datetime(2023, 3, 2, 19, 0, tzinfo=UTC)
    world.as_leader().post(world.times, world.form(evening), status=409)
    free = {"free-on-day": "2", "free-on-month": "3", "free-on-year": "2023", "free-at": "7pm"}
    world.client.post(world.times, free, status=422)
    assert world.db.scalars(select(Session.id)).all() == []


def test_a_leader_moves_and_cancels(world: World) -> None:
    world.as_leader()
    booked = world.book()
    path = f"/sessions/{booked}"
    page = world.client.get(f"{path}/move")
    assert "Keep Thursday 2 March 2023, 10am to 11am" in page.words()
    later = TEN.replace(hour=14)
    world.client.post(f"{path}/move", {"time": f"{later.isoformat()} {world.mentor}", "place": "remote"})
    assert world.session(booked).starts_at == later
    assert "You moved this session from Thursday 2 March 2023, 10am." in world.client.get(path).words()
    world.as_mentor()
    assert f"{NAME} moved this session from" in world.client.get(path).words()
    world.as_leader()
    assert "Cancel this session" in world.client.get(f"{path}/cancel").heading
    assert world.session(booked).state is SessionState.BOOKED
    shown = world.client.follow(world.client.post(f"{path}/cancel"))
    assert "This session is cancelled" in shown.words()
    again = world.client.follow(world.client.post(f"{path}/cancel", page=path))
    assert "This session is cancelled" in again.words()
    assert world.session(booked).sequence == 2
    for what in ("move", "cancel"):
        assert world.client.follow(world.client.get(f"{path}/{what}", status=303)).heading == shown.heading


def test_what_was_before_a_move_is_for_those_who_were_in_it_then(world: World, make: Factory) -> None:
    mentor = world.db.get_one(Person, world.mentor)
    people = {name: make.person(name) for name in ("Ann", "Ben", "Cy")}
    ids = {name: person.id for name, person in people.items()}
    group = make.package(*people.values(), mentor=mentor, strand=Strand.GROUP).id
    team, other = make.person("Nell", role=Role.TEAM).id, make.mentor("Bea").id
    world.waive()
    clock, programme = world.stack.clock, world.stack.instance.programme
    with unit_of_work(world.db, clock, "system:test") as work:
        work.db.add(PackageMentor(package_id=group, person_id=other, from_on=date(2023, 2, 1)))
        booked = sessions.schedule(
            work,
            programme,
            package_id=group,
            session_id=uuid4(),
            mentor_id=world.mentor,
            kind=SessionKind.WORKSHOP,
            title="Reading a budget",
            starts_at=TEN,
            minutes=60,
            capacity=8,
            place=Place.IN_PERSON,
            where="12 Home Lane",
        ).id

    def take(name: str) -> None:
        with unit_of_work(world.db, clock, f"person:{ids[name]}") as work:
            sessions.take_place(work, programme, session_id=booked, person_id=ids[name])
        clock.pass_time(minutes=1)

    take("Ann")
    take("Cy")
    with unit_of_work(world.db, clock, f"person:{ids['Cy']}") as work:
        sessions.give_up_place(work, programme, session_id=booked, person_id=ids["Cy"])
    clock.pass_time(minutes=1)
    with unit_of_work(world.db, clock, f"person:{world.mentor}") as work:
        acts.move(
            work,
            programme,
            session_id=booked,
            starts_at=TEN,
            place=Place.IN_PERSON,
            where="Hall",
            free_time=True,
        )
    clock.pass_time(minutes=1)
    take("Ben")
    take("Cy")
    shown = {
        person_id: "12 Home Lane" in world.client.sign_in(person_id).get(f"/sessions/{booked}").words()
        for person_id in (ids["Ann"], ids["Ben"], ids["Cy"], world.mentor, other, team)
    }
    assert [person_id for person_id, sees in shown.items() if sees] == [ids["Ann"], world.mentor, team]


def test_a_mentor_types_the_new_time_and_the_link(world: World) -> None:
    world.as_leader()
    path = f"/sessions/{world.book()}"
    world.as_mentor()
    page = world.client.get(f"{path}/move")
    link = "https://meet.example/a"
    form = posted_by(page, "Save the change") | {"at": "6:30pm", "where": link}
    shown = world.client.follow(world.client.post(f"{path}/move", form))
    assert "6:30pm to 7:30pm" in shown.words()
    assert [one.get("href") for one in shown.all("a") if page.words(one) == link] == [link]


def test_a_calendar_file_names_the_session_and_nobodys_address(world: World) -> None:
    world.as_leader()
    booked = world.book()
    answer = world.as_mentor().http.get(f"/sessions/{booked}/calendar.ics")
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/calendar"
    assert "METHOD:PUBLISH" in text
    assert f"UID:{world.session(booked).uid}" in text
    assert "ATTENDEE" not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert NAME in text.replace("\r\n ", "")


def test_an_offer_is_confirmed_on_its_own_page(world: World) -> None:
    evenings = [datetime(2023, 3, day, 19, 0, tzinfo=UTC) for day in (2, 3, 6)]
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        offers.offer(
            work,
            world.stack.instance.programme,
            package_id=world.package,
            mentor_id=world.mentor,
            starts=evenings,
            place=Place.REMOTE,
        )
    first, second, _ = open_offers.open_for(world.db, world.package, now=world.stack.clock())
    pages = [f"/offers/{one.id}" for one in (first, second)]
    world.as_leader()
    for _ in range(2):
        assert world.client.get(pages[0]).heading == "Book this time"
    assert world.db.scalars(select(Session.id)).all() == []
    form = posted_by(world.client.get(pages[0]), "Book this time")
    assert "Your session is booked" in world.client.follow(world.client.post(pages[0], form)).words()
    taken = world.client.get(pages[0])
    assert taken.heading == "You booked this"
    world.db.rollback()
    (booked,) = world.db.scalars(select(Session.id)).all()
    assert taken.all("a", href=f"/sessions/{booked}")
    again = world.client.post(pages[0], {"session_id": str(uuid4())}, status=409)
    assert again.heading == "You booked this"
    assert "There is a problem" not in again.words()
    gone = world.client.get(pages[1])
    assert gone.heading == "This time is no longer offered"
    answer = world.client.post(pages[1], {"session_id": str(uuid4())}, status=409)
    assert answer.all("input", name="time")
    world.as_mentor().get(pages[1], status=404)


def test_a_mentor_takes_offered_times_back(world: World, make: Factory) -> None:
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        offers.offer(
            work,
            world.stack.instance.programme,
            package_id=world.package,
            mentor_id=world.mentor,
            starts=[datetime(2023, 3, day, 19, 0, tzinfo=UTC) for day in (2, 3, 6)],
            place=Place.REMOTE,
        )
    first = open_offers.open_for(world.db, world.package, now=world.stack.clock())[0].id
    path = f"/offers/{first}/take-back"
    world.as_leader().get(path, status=404)
    world.client.sign_in(make.mentor().id).get(path, status=404)
    world.as_mentor()
    package = world.client.get(f"/mentor/packages/{world.package}")
    assert package.all("a", href=path)
    asked = world.client.get(path)
    assert "Thursday 2 March 2023, 7pm to 8pm" in asked.words()
    for _ in range(2):
        done = world.client.follow(world.client.post(path, page=f"/packages/{world.package}/offers"))
        assert "The times are taken back" in done.words()
    assert "Times you have offered" not in done.words()
    assert world.client.follow(world.client.get(path, status=303)).heading == package.heading
    world.as_leader()
    gone = world.client.get(f"/offers/{first}")
    assert gone.heading == "This time was taken back"
    assert "It was taken back on 1 March 2023, and nothing is booked" in gone.words()
    assert times_of(gone), "other times stand there to choose from"


def test_members_book_and_give_up_a_place(world: World, make: Factory) -> None:
    members = [make.person() for _ in range(2)]
    ids = [member.id for member in members]
    mentor = world.db.get_one(Person, world.mentor)
    group = make.package(*members, mentor=mentor, strand=Strand.GROUP).id
    world.waive()
    title = f'{"Asking " * 12}";X-'
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        session_id = sessions.schedule(
            work,
            world.stack.instance.programme,
            package_id=group,
            session_id=uuid4(),
            mentor_id=world.mentor,
            kind=SessionKind.WORKSHOP,
            title=title,
            starts_at=TEN,
            minutes=60,
            capacity=1,
            place=Place.REMOTE,
        ).id
    path = f"/sessions/{session_id}"
    first = world.client.sign_in(ids[0])
    assert "1 of 1" in first.get(path).words()
    assert "You have a place" in first.follow(first.post(f"{path}/place", page=path)).words()
    other = PageClient(world.stack.app, world.stack.instance).sign_in(ids[1])
    assert "There are no places left" in other.get(path).words()
    assert "There is a problem" in other.post(f"{path}/place", page=path, status=409).words()
    assert first.get(path).all("a", href=f"{path}/place/give-up?for={ids[0]}"), "one tap gives nothing up"
    assert first.get(f"{path}/place/give-up").heading == "Give up your place"
    assert "You have a place" in first.get(path).words()
    first.post(f"{path}/place/give-up")
    first.get(f"{path}/place/give-up", status=303)
    assert other.post(f"{path}/place", page=path).status == 303
    assert len(world.db.scalars(select(Attendance.id)).all()) == 2
    assert "Who has a place" not in other.get(path).words()
    assert "Who has a place" in world.as_mentor().get(path).words()


def test_reading_pages_changes_nothing(world: World, clock: SetClock) -> None:
    world.as_leader()
    booked = world.book()
    before = world.session(booked).sequence
    for path in ("", "/move", "/cancel", "/calendar.ics"):
        for _ in range(2):
            assert world.client.http.get(f"/sessions/{booked}{path}").status_code == 200
            assert world.client.http.head(f"/sessions/{booked}{path}").status_code == 200
    assert world.session(booked).sequence == before
    assert world.session(booked).state is SessionState.BOOKED


def test_a_day_is_chosen_in_a_calendar(world: World) -> None:
    page = pressed(world, world.as_leader().get(world.times), "Choose a day in a calendar")
    assert [page.words(one) for one in page.all("caption")][:2] == ["March 2023", "April 2023"]
    days = [page.words(one.find("span[2]")) for one in page.all("button", name="from") if len(one)]
    assert days[0] == "Thursday 2 March 2023, 12 times free", (
        "the number is the length of the list of that day"
    )
    assert not [day for day in days if day.startswith(("Saturday", "Sunday"))]
    there = pressed(world, page, days[0], part=True)
    (group,) = (one for one in there.all("fieldset") if "Thursday 2 March" in there.words(one))
    assert len([one for one in group.iter("input") if one.get("name") == "time"]) == 12


def test_a_session_is_moved_beyond_the_first_times(world: World) -> None:
    world.as_leader()
    path = f"/sessions/{(booked := world.book())}/move"
    page = pressed(world, world.client.get(path), "More times", where="Town hall")
    later = times_of(page)[-1]
    page = pressed(world, page, "Choose a day in a calendar", time=later)
    page = pressed(world, page, "Friday 3 March 2023", part=True)
    assert "Keep Thursday 2 March 2023, 10am to 11am" in page.words()
    sent = posted_by(page, "Save the change")
    assert (sent["time"], sent["where"]) == (later, "Town hall")
    world.client.post(path, sent)
    assert world.session(booked).starts_at.isoformat() == later.split()[0]
