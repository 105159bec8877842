"""The calendar of mentors and the team: a month of weeks, days to come, one day on paper, and how hours are used."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import agenda, leave, use
from portal.booking.agenda import Whose
from portal.mailing import bounces
from portal.models import (
    Attendance,
    AttendanceState,
    Council,
    Hours,
    Mail,
    Participation,
    Person,
    Place,
    Refusal,
    Role,
    Session,
    SessionKind,
    SessionState,
)
from portal.programme import Programme
from privacy import registers
from privacy.clock import london_date, wall
from privacy.records import new_id
from privacy.registers import DataItem, Register
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import Page, PageClient

HOUR = timedelta(hours=1)
MARCH = date(2023, 3, 1)


class Office:
    """Two mentors, each with a leader in a council of their own."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock) -> None:
        self.db, self.make, self.clock = db, make, clock
        self.team = make.person(role=Role.TEAM).id
        self.north, self.south = make.council("Northshire").id, make.council("Southshire").id
        self.ada, self.sam, self.first = self._pair("Ada Merriweather", "Sam Okoro", self.north)
        self.bea, self.kim, self.second = self._pair("Bea Holm", "Kim Vale", self.south)

    def _pair(self, mentor: str, leader: str, council_id: UUID) -> tuple[UUID, UUID, UUID]:
        council = self.db.get_one(Council, council_id)
        gives, gets = self.make.mentor(mentor), self.make.person(leader)
        ids = gives.id, gets.id
        package = self.make.package(gets, mentor=self.db.get_one(Person, ids[0]), council=council)
        return *ids, package.id

    def session(self, starts_at: datetime, *, mentor: UUID | None = None, **more: Any) -> UUID:
        mentor_id = mentor or self.ada
        package_id = self.first if mentor_id == self.ada else self.second
        person_id = self.sam if mentor_id == self.ada else self.kim
        session_id = new_id()
        minutes = more.pop("minutes", 60)
        with unit_of_work(self.db, self.clock, "system:test") as work:
            row = Session(
                id=session_id,
                package_id=package_id,
                mentor_id=mentor_id,
                kind=SessionKind.ONE_TO_ONE,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=int(str(minutes))),
                uid=f"{session_id}@test",
                sequence=0,
                created_at=work.now,
                by="system:test",
                state=more.pop("state", SessionState.BOOKED),
                place=more.pop("place", Place.REMOTE),
                delivered_minutes=more.pop("delivered_minutes", None),
            )
            for name, value in more.items():
                setattr(row, name, value)
            work.db.add(row)
            work.db.flush()
            self._seat(work.db, session_id, package_id, person_id)
        return session_id

    def _seat(self, db: DbSession, session_id: UUID, package_id: UUID, person_id: UUID) -> None:
        part = db.scalars(select(Participation).where(Participation.package_id == package_id)).one()
        db.add(
            Attendance(
                id=new_id(),
                session_id=session_id,
                person_id=person_id,
                participation_id=part.id,
                state=AttendanceState.BOOKED,
                booked_at=self.clock(),
                by="system:test",
            )
        )


@pytest.fixture
def office(db: DbSession, make: Factory, clock: SetClock) -> Office:
    return Office(db, make, clock)


def rows(page: Page, table: str = "sessions") -> list[str]:
    (found,) = page.all("table", id=table)
    return [page.words(row) for row in found.iter("tr")][1:]


# ---- a month


def test_a_mentor_sees_a_month_of_their_own_sessions_as_weeks_and_as_a_table(
    office: Office, client: PageClient
) -> None:
    mine = office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC))
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC), mentor=office.bea)
    page = client.sign_in(office.ada).get("/agenda/month")
    assert page.heading == "Calendar, March 2023"
    assert "1 session in March" in page.words()
    (weeks,) = page.all("table", class_="lp-month")
    heads = [page.words(cell) for cell in weeks.iter("th")]
    assert (heads[0], heads[-1], len(heads)) == ("Monday", "Sunday", 7)
    assert all(cell.get("scope") == "col" for cell in weeks.iter("th"))
    links = [link.get("href") for link in weeks.iter("a")]
    assert links == [f"/sessions/{mine}"]
    assert rows(page) == [
        "Thursday 9 March 2023, 10am to 11am One-to-one session Sam Okoro Northshire Booked"
    ]


def test_the_team_sees_all_and_filters_by_mentor_and_council(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC))
    office.session(datetime(2023, 3, 10, 10, 0, tzinfo=UTC), mentor=office.bea)
    client.sign_in(office.team)
    assert len(rows(client.get("/agenda/month"))) == 2
    (only,) = rows(client.get(f"/agenda/month?mentor={office.bea}"))
    assert "Kim Vale Southshire Bea Holm" in only
    (only,) = rows(client.get(f"/agenda/month?council={office.north}"))
    assert "Sam Okoro" in only
    page = client.get(f"/agenda/month?mentor={office.bea}&council={office.north}")
    assert "Nothing is booked in this month" in page.words()
    later = next(link.get("href") for link in page.all("a", rel="next"))
    assert f"mentor={office.bea}" in later
    assert "month=2023-04" in later


def test_a_mentor_cannot_filter_their_way_to_others(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC), mentor=office.bea)
    page = client.sign_in(office.ada).get(f"/agenda/month?mentor={office.bea}&council={office.south}")
    assert "Kim Vale" not in page.text
    assert "Kim Vale" not in client.get(f"/agenda/day?mentor={office.bea}&on=2023-03-09").text
    assert "Bea Holm" not in client.get(f"/agenda/hours?mentor={office.bea}").text


@pytest.mark.parametrize("text", ["", "2023-13", "0000-01", "2023", "x-y", "2023-03-01-4", "²-³"])
def test_a_month_that_cannot_be_read_is_this_month(text: str) -> None:
    assert agenda.month_of(text, today=date(2023, 3, 17)) == MARCH
    assert agenda.day_of(text, today=date(2023, 3, 17)) == date(2023, 3, 17)


@pytest.mark.parametrize(
    "first, changes_on", [(date(2023, 3, 1), date(2023, 3, 26)), (date(2023, 10, 1), date(2023, 10, 29))]
)
def test_a_month_in_which_the_clocks_change_has_each_day_once_and_each_session_on_its_day(
    office: Office, first: date, changes_on: date
) -> None:
    """At the edges of the month and of the day of the change, where a count of hours would slip by a day."""
    last = agenda.month(office.db, first=first, whose=Whose()).after - timedelta(days=1)
    edges = [
        wall(first, 0),
        wall(changes_on, 15),
        wall(changes_on, 23 * 60 + 45),
        wall(changes_on + timedelta(days=1), 0),
        wall(last, 23 * 60 + 30),
    ]
    outside = [wall(first, 0) - timedelta(minutes=15), wall(last + timedelta(days=1), 0)]
    for starts_at in (*edges, *outside):
        office.session(starts_at, minutes=15)
    shown = agenda.month(office.db, first=first, whose=Whose())
    days = [day.on for week in shown.weeks for day in week]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert days[0].weekday() == 0
    assert len(days) % 7 == 0
    assert shown.count == len(edges)
    assert [one.starts_at for day in shown.days for one in day.sessions] == edges
    assert all(london_date(one.starts_at) == day.on for day in shown.days for one in day.sessions)
    assert shown.before == agenda.month_of(f"{first.year}-{first.month - 1:02}", today=first)


def test_cancelled_sessions_are_not_shown_and_bank_holidays_are_named(
    office: Office, client: PageClient
) -> None:
    office.session(datetime(2023, 4, 6, 9, 0, tzinfo=UTC), state=SessionState.CANCELLED)
    page = client.sign_in(office.ada).get("/agenda/month?month=2023-04")
    assert "No sessions in April" in page.words()
    assert "Good Friday" in page.words()


# ---- days to come


def test_the_list_of_days_shows_four_weeks_and_leads_on(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC))
    office.session(datetime(2023, 3, 29, 10, 0, tzinfo=UTC))
    page = client.sign_in(office.ada).get("/agenda")
    assert [page.words(head) for head in page.all("h2", class_="govuk-heading-m")] == [
        "Thursday 9 March 2023"
    ]
    (later,) = page.all("a", rel="next")
    following = client.get(later.get("href"))
    assert "Wednesday 29 March 2023" in following.words()
    assert "11am to midday" in following.words()


# ---- a day on paper


def test_a_day_on_paper_says_where_how_to_get_there_and_whom_to_ring(
    office: Office, client: PageClient, programme: Programme
) -> None:
    office.session(
        datetime(2023, 3, 9, 10, 0, tzinfo=UTC),
        place=Place.IN_PERSON,
        where="County Hall",
        travel="Ten minutes from the station",
    )
    with unit_of_work(office.db, office.clock, "system:test") as work:
        listed = {DataItem.ADJUSTMENTS: True}
        registers.enter(
            work, register=Register.INSTRUCTION, letter="INS 1", from_on=date(2023, 3, 1), items=listed
        )
        work.db.get_one(Person, office.sam).adjustments = "A seat near the door"
    page = client.sign_in(office.ada).get("/agenda/day?on=2023-03-09")
    for words in ("10am to 11am", "Sam Okoro", "County Hall", "Ten minutes from the station", "Northshire"):
        assert words in page.words()
    assert programme.contacts["phone"] in page.words()
    assert "A seat near the door" in page.words()


def test_on_the_teams_paper_stand_no_needs(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC))
    with unit_of_work(office.db, office.clock, "system:test") as work:
        work.db.get_one(Person, office.sam).adjustments = "A seat near the door"
    client.sign_in(office.team)
    assert "Choose a mentor" in client.get("/agenda/day?on=2023-03-09").words()
    page = client.get(f"/agenda/day?on=2023-03-09&mentor={office.ada}")
    assert "Sam Okoro" in page.words()
    assert "A seat near the door" not in page.words()


def test_a_day_without_sessions_says_so(office: Office, client: PageClient) -> None:
    page = client.sign_in(office.ada).get("/agenda/day")
    assert page.heading == "Wednesday 1 March 2023"
    assert "There are no sessions on this day" in page.words()


# ---- how hours are used


def test_hours_are_counted_by_month_published_booked_and_delivered(
    office: Office, clock: SetClock, programme: Programme
) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC), minutes=90)
    office.session(datetime(2023, 2, 9, 10, 0, tzinfo=UTC), state=SessionState.HELD, delivered_minutes=45)
    office.session(datetime(2023, 3, 10, 10, 0, tzinfo=UTC), state=SessionState.CANCELLED)
    months = use.months_around(date(2023, 3, 1))
    assert months[0] == date(2022, 12, 1)
    assert months[-1] == date(2023, 5, 1)
    found = use.by_month(office.db, [office.ada, office.bea], months=months)[office.ada]
    # Seven hours on each of the 23 weekdays of March; February has 20.
    assert found[MARCH] == use.Use(published=23 * 7 * 60, booked=90, delivered=0)
    assert found[date(2023, 2, 1)] == use.Use(published=20 * 7 * 60, booked=60, delivered=45)
    # In May three Mondays are bank holidays: the two of every year, and that of the coronation.
    assert found[date(2023, 5, 1)].published == 20 * 7 * 60
    assert use.by_month(office.db, [office.bea], months=[MARCH])[office.bea][MARCH].booked == 0


def test_a_day_on_which_the_clocks_change_has_its_true_hours_and_leave_counts_less(office: Office) -> None:
    with unit_of_work(office.db, office.clock, "system:test") as work:
        work.db.add(Hours(id=new_id(), person_id=office.ada, weekday=6, spans=[[0, 1440]]))
    before = use.by_month(office.db, [office.ada], months=[MARCH])[office.ada][MARCH].published
    # Four Sundays, one of them an hour short.
    assert before == 23 * 7 * 60 + 3 * 24 * 60 + 23 * 60
    with unit_of_work(office.db, office.clock, f"person:{office.ada}") as work:
        leave.add(work, mentor_id=office.ada, from_on=date(2023, 3, 13), to_on=date(2023, 3, 17))
    after = use.by_month(office.db, [office.ada], months=[MARCH])[office.ada][MARCH].published
    assert before - after == 5 * 7 * 60


def test_a_mentor_reads_their_own_use_in_words_and_a_table(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC), minutes=90)
    page = client.sign_in(office.ada).get("/agenda/hours")
    assert "In March 2023, 1.5 of 161 published hours are booked (1%), and 0 are delivered." in page.words()
    assert rows(page, "months")[3].startswith("March 2023 161 1.5 0 1%")
    assert all(svg.get("aria-hidden") == "true" for svg in page.all("svg", class_="lp-use"))
    assert not page.all("table", id="by-mentor")


def test_the_team_reads_every_mentors_use_in_a_month(office: Office, client: PageClient) -> None:
    office.session(datetime(2023, 3, 9, 10, 0, tzinfo=UTC), mentor=office.bea)
    page = client.sign_in(office.team).get("/agenda/hours?month=2023-03")
    assert [row.split("161")[0].strip() for row in rows(page, "by-mentor")] == [
        "Ada Merriweather",
        "Bea Holm",
    ]
    assert "In March 2023, 1 of 322 published hours is booked" in page.words()
    one = client.get(f"/agenda/hours?mentor={office.bea}")
    assert len(rows(one, "by-mentor")) == 1


# ---- found from where people start


def test_it_is_found_from_the_pages_where_people_start(office: Office, client: PageClient) -> None:
    for who, start in ((office.ada, "/mentor"), (office.team, "/team")):
        links = {link.get("href") for link in client.sign_in(who).get(start).all("a")}
        assert {"/agenda/month", "/agenda/hours"} <= links
    assert "/agenda/day" in {link.get("href") for link in client.sign_in(office.ada).get("/mentor").all("a")}
    client.sign_in(office.sam).get("/agenda/month", status=404)


# ---- addresses that refuse mail


def test_a_refused_address_stands_with_the_person_and_in_the_teams_list(
    office: Office, client: PageClient
) -> None:
    with unit_of_work(office.db, office.clock, "system:post") as work:
        bounces.note(work, person_id=office.sam, code=550)
    client.sign_in(office.team)
    home = client.get("/team")
    assert "Addresses that take no mail" in home.words()
    assert rows(home, "refused-table") == ["Sam Okoro Wednesday 1 March 2023, 9am 550"]
    page = client.get(f"/team/people/{office.sam}")
    assert "This address takes no mail. The mail server refused it on" in page.words()
    client.post(
        f"/team/people/{office.sam}/edit",
        {"name": "Sam Okoro", "email": "sam.okoro@northshire.example", "phone": "", "adjustments": ""},
    )
    assert "takes no mail" not in client.get(f"/team/people/{office.sam}").words()
    assert "Addresses that take no mail" not in client.get("/team").words()
    office.db.rollback()
    assert office.db.scalars(select(Refusal)).all() == []


def test_the_team_sends_test_mails_to_itself_and_to_somebody(office: Office, client: PageClient) -> None:
    client.sign_in(office.team)
    client.post("/team/test-mail", page="/team")
    person = f"/team/people/{office.sam}"
    page = client.follow(client.post(f"{person}/test-mail", page=person))
    assert "Test mail" in page.words()
    office.db.rollback()
    queued = office.db.scalars(select(Mail).where(Mail.template == "test_mail")).all()
    assert {mail.person_id for mail in queued} == {office.team, office.sam}
    client.sign_in(office.ada)
    client.post(f"{person}/test-mail", page="/your-devices", status=404)
