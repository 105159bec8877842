"""Calendar mail as it goes out: booked, moved, left, joined, near, refused; raw mails, on both databases.

Every calendar is read back by vobject, which had no part in writing it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

import pytest
import vobject
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import telling
from portal.groups import sessions
from portal.mailing import bounces, day_ahead, post
from portal.mailing import writing as mail_writing
from portal.mailing.html_letters import from_text
from portal.mailing.senders import AddressRefused
from portal.models import (
    Clearance,
    Mail,
    MailState,
    Package,
    PackageState,
    Person,
    Place,
    Refusal,
    Role,
    Session,
    SessionKind,
    Strand,
)
from portal.people import register as people
from portal.programme import Programme
from privacy.audit import AuditEntry
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.rules.test_calendar import NAMES, assert_sound

TEN = datetime(2023, 3, 9, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Got:
    """One mail as a program that only sees its bytes takes it."""

    raw: bytes
    mail: EmailMessage

    @property
    def to(self) -> str:
        return str(self.mail["To"].addresses[0].addr_spec)

    @property
    def name(self) -> str:
        """The recipient's name; the standard library keeps the gap between two encoded words in an address."""
        written = message_from_bytes(self.raw)["To"]
        if "=?" in written:
            return str(make_header(decode_header(written))).rpartition(" <")[0]
        return str(self.mail["To"].addresses[0].display_name)

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    def part(self, kind: str) -> EmailMessage:
        (found,) = [part for part in self.mail.walk() if part.get_content_type() == kind]
        return found

    @property
    def text(self) -> str:
        return self.part("text/plain").get_content().replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return str(self.part("text/html").get_content())

    @property
    def ics(self) -> bytes:
        return bytes(self.part("text/calendar").get_payload(decode=True))

    @property
    def entry(self) -> vobject.base.Component:
        return next(iter(vobject.readComponents(self.ics.decode()))).vevent

    @property
    def method(self) -> str:
        return str(next(iter(vobject.readComponents(self.ics.decode()))).method.value)


class Box:
    """A sender that keeps the bytes it was given, and can refuse an address."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.refuses: dict[str, int] = {}

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        raw = message.as_bytes()
        got = Got(raw, message_from_bytes(raw, policy=policy.default))
        if got.to in self.refuses:
            raise AddressRefused(self.refuses[got.to])
        self.got.append(got)


class Desk:
    """One leader, one mentor, a group of three, and the rules called as a view would."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, programme: Programme) -> None:
        self.stack, self.db, self.make, self.programme = stack, db, make, programme
        self.clock = stack.clock
        self.box = Box()
        mentor = make.person("Ada Merriweather", role=Role.MENTOR, email="ada@mentor.example")
        leader = make.person("Sam Okoro")
        self.mentor, self.leader = mentor.id, leader.id
        self.package = make.package(leader, mentor=mentor, state=PackageState.ACTIVE).id
        mentor = db.get_one(Person, self.mentor)
        members = [
            make.person(name, email=f"{name.lower()}@council.example") for name in ("Ann", "Ben", "Cy")
        ]
        self.ann, self.ben, self.cy = (member.id for member in members)
        self.group = make.package(*members, mentor=mentor, strand=Strand.GROUP, title="Scrutiny").id
        with self.work() as work:
            work.db.execute(update(Package).values(baseline_waived_at=work.now))

    def work(self):
        return unit_of_work(self.db, self.clock, "person:test")

    def book(self, starts_at: datetime = TEN, **more: Any) -> UUID:
        asked: dict[str, Any] = {
            "session_id": uuid4(),
            "mentor_id": self.mentor,
            "place": Place.REMOTE,
            "free_time": True,
        }
        asked |= more
        with self.work() as work:
            return bookings.book(
                work, self.programme, package_id=self.package, starts_at=starts_at, **asked
            ).id

    def move(self, session_id: UUID, starts_at: datetime, *, by: UUID | None = None, **more: Any) -> None:
        with unit_of_work(self.db, self.clock, f"person:{by}" if by else "person:test") as work:
            bookings.move(
                work,
                self.programme,
                session_id=session_id,
                starts_at=starts_at,
                free_time=True,
                **{"place": Place.REMOTE, **more},
            )

    def cancel(self, session_id: UUID) -> None:
        with self.work() as work:
            bookings.cancel(work, session_id=session_id)

    def schedule(self, starts_at: datetime = TEN, *, title: str = "Workshop on SEND") -> UUID:
        with self.work() as work:
            return sessions.schedule(
                work,
                self.programme,
                package_id=self.group,
                session_id=uuid4(),
                mentor_id=self.mentor,
                kind=SessionKind.WORKSHOP,
                title=title,
                starts_at=starts_at,
                minutes=120,
                capacity=8,
                place=Place.IN_PERSON,
                where="Town Hall",
            ).id

    def take(self, session_id: UUID, person_id: UUID) -> None:
        with self.work() as work:
            sessions.take_place(work, self.programme, session_id=session_id, person_id=person_id)

    def give_up(self, session_id: UUID, person_id: UUID) -> None:
        with self.work() as work:
            sessions.give_up_place(work, self.programme, session_id=session_id, person_id=person_id)

    def open(self) -> DbSession:
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def deliver(self) -> list[Got]:
        """What goes out now, after the minute's pass for the sessions of tomorrow."""
        self.box.got.clear()
        day_ahead.run(self.stack.instance, self.open)
        while post.deliver(self.stack.instance, self.open, self.box):
            pass
        self.clock.pass_time(minutes=10)
        self.db.rollback()
        return list(self.box.got)

    def calendars(self) -> list[Got]:
        return [got for got in self.deliver() if b"text/calendar" in got.raw]

    def address(self, person_id: UUID) -> str:
        return str(self.db.get_one(Person, person_id).email)


@pytest.fixture
def desk(stack: Stack, db: DbSession, make: Factory, programme: Programme) -> Desk:
    return Desk(stack, db, make, programme)


def only(found: list[Got], address: str) -> Got:
    (got,) = [one for one in found if one.to == address]
    return got


# ---- B-d: one entry for ever, whatever happens to it


def test_moved_three_times_then_its_place_then_cancelled(desk: Desk) -> None:
    session_id = desk.book()
    mine = [only(desk.calendars(), desk.address(desk.leader))]
    for number in (1, 2, 3):
        desk.move(session_id, TEN + number * HOUR)
        mine.append(only(desk.calendars(), desk.address(desk.leader)))
    desk.move(session_id, TEN + 3 * HOUR, place=Place.IN_PERSON, where="County Hall")
    mine.append(only(desk.calendars(), desk.address(desk.leader)))
    desk.cancel(session_id)
    mine.append(only(desk.calendars(), desk.address(desk.leader)))

    assert [got.method for got in mine] == ["REQUEST"] * 5 + ["CANCEL"]
    assert [got.entry.sequence.value for got in mine] == ["0", "1", "2", "3", "4", "5"]
    assert len({got.entry.uid.value for got in mine}) == 1
    assert [got.entry.status.value for got in mine] == ["CONFIRMED"] * 5 + ["CANCELLED"]
    said = [got.subject.partition(":")[0] if ": " in got.subject else "" for got in mine]
    assert said == ["", *["Changed"] * 4, "Cancelled"]
    assert "This session was moved from Thursday 9 March 2023, 10am.\n" in mine[1].text
    assert "This session was moved from Thursday 9 March 2023, 11am.\n" in mine[2].text
    before = "The place was changed.\nBefore, it was: Online or by phone. The link is not set yet\n"
    assert before in mine[4].text
    assert "This session is cancelled" in mine[-1].text
    stamps = [got.entry.dtstamp.value for got in mine]
    assert stamps == sorted(set(stamps))
    for got in mine:
        part = got.part("text/calendar")
        assert part["Content-Type"].params == {"charset": "utf-8", "method": got.method}
        assert got.entry.organizer.value == f"mailto:{got.mail['From'].addresses[0].addr_spec}"
        assert [one.value for one in got.entry.attendee_list] == [f"mailto:{got.to}"]
        assert got.part("application/ics").get_content() == got.ics
        assert b"VTIMEZONE" not in got.ics
        assert_sound(got.ics)


def test_who_moved_it_is_said_to_each_as_they_know_them(desk: Desk) -> None:
    session_id = desk.book()
    desk.deliver()
    desk.move(session_id, TEN + HOUR, by=desk.leader, where="https://meet.example/a")
    got = desk.deliver()
    assert (
        "You moved this session from Thursday 9 March 2023, 10am."
        in only(got, desk.address(desk.leader)).text
    )
    said = only(got, desk.address(desk.mentor)).text
    assert "Sam Okoro moved this session from Thursday 9 March 2023, 10am." in said
    assert "Before, the place was: Online or by phone. The link is not set yet" in said
    team = desk.make.person("Nell Team", role=Role.TEAM, email="nell@team.example").id
    desk.move(session_id, TEN, by=team, where="https://meet.example/a")
    said = only(desk.deliver(), desk.address(desk.leader)).text
    assert "The programme team moved this session from Thursday 9 March 2023, 11am." in said
    assert "Nell" not in said


def test_what_changes_later_is_not_called_a_move(desk: Desk) -> None:
    session_id = desk.book()
    desk.deliver()
    desk.move(session_id, TEN + HOUR)
    desk.deliver()
    other = desk.make.person("Bea Holm", role=Role.MENTOR, email="bea@mentor.example").id
    with desk.work() as work:
        held = work.db.get_one(Session, session_id)
        held.mentor_id = other
        held.sequence += 1
        work.db.flush()
        telling.tell(work, held, [held.mentor_id, desk.leader])
    said = only(desk.deliver(), desk.address(desk.leader)).text
    assert "The time, the place or the people have changed" in said
    assert "was moved from" not in said


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([(DAY, None), (DAY, "https://meet.example/a")], id="then a link is added"),
        pytest.param([(DAY, None), (2 * DAY, None)], id="then it is moved again"),
        pytest.param([(DAY, None), (0 * DAY, None)], id="then it is moved back"),
    ],
)
def test_of_two_changes_before_the_mail_goes_none_is_told_alone(
    desk: Desk, steps: list[tuple[timedelta, str | None]]
) -> None:
    session_id = desk.book()
    desk.deliver()
    for later, where in steps:
        desk.move(session_id, TEN + later, by=desk.mentor, where=where)
        desk.clock.pass_time(seconds=40)
    got = only(desk.deliver(), desk.address(desk.leader))
    assert "The time, the place or the people have changed. This is how it is now." in got.text
    assert "Ada Merriweather moved" not in got.text
    assert "changed the place" not in got.text
    assert "Before, " not in got.text
    assert got.entry.dtstart.value == TEN + steps[-1][0]
    desk.move(session_id, TEN + 3 * DAY, by=desk.mentor)
    assert "Ada Merriweather moved this session from" in only(desk.deliver(), desk.address(desk.leader)).text


def test_the_parts_are_text_html_and_calendar_with_the_file_beside_them(desk: Desk) -> None:
    desk.book()
    got = only(desk.deliver(), desk.address(desk.leader))
    mixed = got.mail
    assert mixed.get_content_type() == "multipart/mixed"
    alternative, attached = mixed.iter_parts()
    kinds = [part.get_content_type() for part in alternative.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    assert (attached.get_content_type(), attached.get_filename()) == ("application/ics", "invite.ics")


def test_both_people_have_the_same_entry_of_a_one_to_one_session(desk: Desk) -> None:
    desk.book()
    found = desk.calendars()
    assert {got.to for got in found} == {desk.address(desk.leader), "ada@mentor.example"}
    assert len({got.entry.uid.value for got in found}) == 1
    assert all(len(got.entry.attendee_list) == 1 for got in found)


def test_a_mail_that_is_sent_again_is_the_same_to_the_byte(desk: Desk) -> None:
    desk.book()
    row = desk.db.scalars(select(Mail).where(Mail.person_id == desk.leader)).one()
    written = [mail_writing.write(desk.db, desk.stack.instance, [row.id]) for _ in range(2)]
    assert written[0] is not None
    assert written[1] is not None
    assert written[0].message.as_bytes() == written[1].message.as_bytes()


# ---- group sessions: one entry for each place


def test_each_place_is_an_entry_of_its_own_and_lists_its_holder_alone(desk: Desk) -> None:
    session_id = desk.schedule()
    for person_id in (desk.ann, desk.ben):
        desk.take(session_id, person_id)
    found = desk.calendars()
    assert {got.to for got in found} == {"ann@council.example", "ben@council.example", "ada@mentor.example"}
    assert len({got.entry.uid.value for got in found}) == 3
    for got in found:
        assert [one.value for one in got.entry.attendee_list] == [f"mailto:{got.to}"]
        others = {"ann@council.example", "ben@council.example"} - {got.to}
        assert not [other for other in others if other.encode() in got.raw]


def test_who_leaves_gets_the_cancellation_and_nobody_else_hears_of_it(desk: Desk) -> None:
    session_id = desk.schedule()
    for person_id in (desk.ann, desk.ben):
        desk.take(session_id, person_id)
    before = {got.to: got.entry for got in desk.calendars()}
    desk.give_up(session_id, desk.ann)
    (left,) = desk.calendars()
    assert (left.to, left.method) == ("ann@council.example", "CANCEL")
    assert left.entry.uid.value == before["ann@council.example"].uid.value
    assert left.entry.sequence.value == "1"
    desk.take(session_id, desk.ann)
    (back,) = desk.calendars()
    assert (back.to, back.method, back.entry.sequence.value) == ("ann@council.example", "REQUEST", "2")
    assert back.entry.uid.value == left.entry.uid.value
    assert "You are not in this session any more" in left.text
    assert "have changed" not in back.text, "who comes back has a new place"


def test_who_comes_to_a_session_that_was_moved_before_follows_its_later_changes(desk: Desk) -> None:
    session_id = desk.schedule()
    desk.take(session_id, desk.ann)
    desk.move(session_id, TEN + DAY, place=Place.IN_PERSON, where="Town Hall")
    desk.move(session_id, TEN + 2 * DAY, place=Place.IN_PERSON, where="Town Hall")
    desk.deliver()
    desk.take(session_id, desk.ben)
    (joined,) = desk.calendars()
    assert (joined.to, joined.entry.sequence.value) == ("ben@council.example", "0")
    assert joined.entry.dtstart.value == TEN + 2 * DAY
    desk.move(session_id, TEN + 3 * DAY, place=Place.IN_PERSON, where="Town Hall")
    numbers = {got.to: (got.method, got.entry.sequence.value) for got in desk.calendars()}
    assert numbers == {
        "ann@council.example": ("REQUEST", "3"),
        "ben@council.example": ("REQUEST", "1"),
        "ada@mentor.example": ("REQUEST", "3"),
    }
    desk.cancel(session_id)
    numbers = {got.to: (got.method, got.entry.sequence.value) for got in desk.calendars()}
    assert numbers == {
        "ann@council.example": ("CANCEL", "4"),
        "ben@council.example": ("CANCEL", "2"),
        "ada@mentor.example": ("CANCEL", "4"),
    }


def test_another_mentor_gets_the_session_as_it_stands_and_the_first_a_cancellation(desk: Desk) -> None:
    session_id = desk.book()
    desk.move(session_id, TEN + HOUR)
    desk.deliver()
    other = desk.make.person("Bea Holm", role=Role.MENTOR, email="bea@mentor.example").id
    with desk.work() as work:
        held = work.db.get_one(Session, session_id)
        held.mentor_id = other
        held.sequence += 1
        work.db.flush()
        telling.tell(work, held, [desk.mentor, other, desk.leader])
    numbers = {got.to: (got.method, got.entry.sequence.value) for got in desk.calendars()}
    assert numbers == {
        "ada@mentor.example": ("CANCEL", "2"),
        "bea@mentor.example": ("REQUEST", "2"),
        desk.address(desk.leader): ("REQUEST", "2"),
    }


# ---- B-g: names of every kind


class Words(HTMLParser):
    """The words, links and elements of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags, self.links = "", set[str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "style"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("name", NAMES)
def test_row_38_names_stand_plain_in_every_part_and_add_nothing(desk: Desk, name: str) -> None:
    plain = " ".join(name.split())
    with desk.work() as work:
        work.db.get_one(Person, desk.leader).name = name
    desk.schedule(title=name)
    desk.book(TEN + DAY)
    found = desk.deliver()
    assert len(found) >= 4
    for got in found:
        assert not [header for header in got.mail if header.lower().startswith("x-")]
        assert "\n" not in got.subject
        assert len(got.mail["To"].addresses) == 1
        read = Words(got.html)
        assert (
            read.tags == {"html", "head", "meta", "title", "style", "body", "h1", "p", "a", "br"} & read.tags
        )
        assert all(link.startswith("http://localhost/") for link in read.links)
        if got.mail.get_content_type() == "multipart/mixed":
            assert_sound(got.ics)
            assert len(got.entry.attendee_list) == 1
    to_leader = only(found, desk.address(desk.leader))
    assert to_leader.name == plain
    assert f"Hello {plain}" in to_leader.text
    assert f"Hello {plain}" in " ".join(Words(to_leader.html).words.split())
    to_mentor = next(
        got for got in found if got.to == "ada@mentor.example" and "with" in got.entry.summary.value
    )
    assert to_mentor.entry.summary.value.endswith(f"with {plain}")


def test_an_html_part_is_escaped_once_and_shows_where_links_lead() -> None:
    html = from_text(
        'Hello <b>Ann</b> & "Team"\n\nSee it here:\n\nhttps://portal.example/s?a=1&b=2\n', subject="A & B"
    )
    assert "Hello &lt;b&gt;Ann&lt;/b&gt; &amp; &#34;Team&#34;" in html
    assert "<title>A &amp; B</title>" in html
    link = "https://portal.example/s?a=1&amp;b=2"
    assert f'See it here:<br>\n<a href="{link}">{link}</a></p>' in html


# ---- B-h: the reminder of the day before


def remind_at(desk: Desk, moment: datetime) -> list[Got]:
    """What the worker sends at a moment; reminders alone."""
    desk.clock.now = moment
    return [got for got in desk.deliver() if got.subject.startswith(("Tomorrow", "Today"))]


THE_DAY_BEFORE = datetime(2023, 3, 8, 9, 0, tzinfo=UTC)


def test_everybody_in_it_is_reminded_once_from_nine_the_day_before(desk: Desk) -> None:
    desk.book(where="https://meet.example/1")
    desk.deliver()
    assert remind_at(desk, THE_DAY_BEFORE - timedelta(minutes=30)) == []
    found = remind_at(desk, THE_DAY_BEFORE)
    assert {got.to for got in found} == {desk.address(desk.leader), "ada@mentor.example"}
    mine = only(found, desk.address(desk.leader))
    assert mine.subject == "Tomorrow, 10am: One-to-one session"
    assert "Thursday 9 March 2023, 10am to 11am" in mine.text
    assert "Where: https://meet.example/1" in mine.text
    assert b"text/calendar" not in mine.raw
    assert remind_at(desk, THE_DAY_BEFORE + HOUR) == []
    assert remind_at(desk, THE_DAY_BEFORE + 12 * HOUR) == []


def test_a_mentor_whose_clearance_lapsed_gets_no_mail_of_a_session(desk: Desk) -> None:
    """Their pages and their calendar are closed to them (annex 1), and so is the post; the leader hears as before."""
    desk.book()
    with desk.work() as work:
        work.db.execute(update(Clearance).values(ended_on=desk.make.today))
    assert {got.to for got in desk.calendars()} == {desk.address(desk.leader)}
    assert {got.to for got in remind_at(desk, THE_DAY_BEFORE)} == {desk.address(desk.leader)}


def test_no_reminder_of_a_cancelled_session_whose_reminder_waits(desk: Desk) -> None:
    session_id = desk.book()
    desk.deliver()
    desk.clock.now = THE_DAY_BEFORE
    assert day_ahead.run(desk.stack.instance, desk.open) == 2
    desk.cancel(session_id)
    found = desk.deliver()
    assert [got.method for got in found] == ["CANCEL", "CANCEL"]
    states = desk.db.scalars(select(Mail.state).where(Mail.template == "day_before")).all()
    assert set(states) == {MailState.DROPPED}


def test_the_reminder_of_a_moved_session_says_the_new_time(desk: Desk) -> None:
    session_id = desk.book()
    desk.deliver()
    desk.clock.now = THE_DAY_BEFORE
    assert day_ahead.run(desk.stack.instance, desk.open) == 2
    desk.move(session_id, TEN + 4 * HOUR)
    found = [got for got in desk.deliver() if got.subject.startswith("Tomorrow")]
    assert {got.subject for got in found} == {"Tomorrow, 2pm: One-to-one session"}
    assert len(found) == 2
    assert all("10am" not in got.text for got in found)
    desk.move(session_id, TEN + 7 * DAY)
    assert remind_at(desk, THE_DAY_BEFORE + 2 * HOUR) == []
    assert len(remind_at(desk, THE_DAY_BEFORE + 7 * DAY)) == 2


def test_who_has_no_place_is_not_reminded(desk: Desk) -> None:
    session_id = desk.schedule()
    for person_id in (desk.ann, desk.ben):
        desk.take(session_id, person_id)
    desk.give_up(session_id, desk.ann)
    desk.deliver()
    found = remind_at(desk, THE_DAY_BEFORE)
    assert {got.to for got in found} == {"ben@council.example", "ada@mentor.example"}
    assert "give up your place" in only(found, "ben@council.example").text


def test_who_books_that_very_day_has_just_had_the_invitation(desk: Desk) -> None:
    desk.clock.now = THE_DAY_BEFORE + HOUR
    desk.book()
    assert [got.method for got in desk.deliver()] == ["REQUEST", "REQUEST"]


def test_the_day_before_is_a_london_day(desk: Desk) -> None:
    """At half past midnight in British summer time the UTC date is still the one before."""
    starts_at = datetime(2023, 4, 3, 23, 30, tzinfo=UTC)
    desk.book(starts_at)
    desk.deliver()
    assert remind_at(desk, datetime(2023, 4, 2, 12, 0, tzinfo=UTC)) == []
    assert remind_at(desk, datetime(2023, 4, 3, 7, 59, tzinfo=UTC)) == []
    assert {got.subject for got in remind_at(desk, datetime(2023, 4, 3, 8, 0, tzinfo=UTC))} == {
        "Tomorrow, 12:30am: One-to-one session"
    }


def test_a_reminder_that_is_late_says_today(desk: Desk) -> None:
    desk.book()
    desk.deliver()
    desk.clock.now = THE_DAY_BEFORE
    day_ahead.run(desk.stack.instance, desk.open)
    found = remind_at(desk, THE_DAY_BEFORE + 16 * HOUR)
    assert {got.subject for got in found} == {"Today, 10am: One-to-one session"}


def test_calendar_mails_stand_beside_the_two_a_week(desk: Desk) -> None:
    for number in range(4):
        desk.book(TEN + number * DAY)
    desk.deliver()
    assert len(remind_at(desk, THE_DAY_BEFORE)) == 2
    assert len(remind_at(desk, THE_DAY_BEFORE + DAY)) == 2


# ---- addresses that refuse


def refusal_of(desk: Desk, person_id: UUID) -> Refusal | None:
    desk.db.expire_all()
    return bounces.of(desk.db, person_id)


def test_a_refused_address_is_noted_at_once_and_not_tried_again(desk: Desk) -> None:
    address = desk.address(desk.leader)
    desk.box.refuses[address] = 550
    desk.book()
    assert [got.to for got in desk.deliver()] == ["ada@mentor.example"]
    noted = refusal_of(desk, desk.leader)
    assert noted is not None
    assert noted.code == 550
    row = desk.db.scalars(select(Mail).where(Mail.person_id == desk.leader)).one()
    assert (row.state, row.tries, row.trouble) == (MailState.FAILED, 1, "refused 550")
    assert [one.person_id for one in bounces.waiting(desk.db)] == [desk.leader]
    words = desk.db.scalars(select(AuditEntry.action)).all()
    assert "address.refused" in words


def test_a_later_mail_that_is_accepted_clears_it(desk: Desk) -> None:
    address = desk.address(desk.leader)
    desk.box.refuses[address] = 550
    session_id = desk.book()
    desk.deliver()
    desk.box.refuses.clear()
    desk.move(session_id, TEN + HOUR)
    assert len(desk.deliver()) == 2
    assert refusal_of(desk, desk.leader) is None


def test_a_corrected_address_clears_it(desk: Desk) -> None:
    desk.box.refuses[desk.address(desk.leader)] = 551
    desk.book()
    desk.deliver()
    with unit_of_work(desk.db, desk.clock, "system:command") as work:
        people.change(
            work, person_id=desk.leader, name="Sam Okoro", email="sam.okoro@council.example", phone=None
        )
    assert refusal_of(desk, desk.leader) is None


def test_a_test_mail_says_that_mail_arrives_and_nothing_else(desk: Desk) -> None:
    for _ in range(2):
        with desk.work() as work:
            bounces.send_test(work, person_id=desk.leader)
    (got,) = desk.deliver()
    assert got.to == desk.address(desk.leader)
    assert got.subject == "Leadership support: a test mail"
    assert "There is nothing for you to do." in got.text
