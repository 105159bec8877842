"""The post: what is sent, to whom, once; what is dropped, put off, given up; and what the mails say."""

import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from inspect import unwrap
from threading import Timer
from typing import Any
from uuid import UUID, uuid4

import icalendar
import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Connection, create_engine, delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, asking
from portal.mailing import gathering, post
from portal.mailing import queue as mail
from portal.mailing import writing as mail_writing
from portal.mailing.registry import ADDRESSED, CONTEXTS, ROLE_CONTEXTS, SHORT_LIVED
from portal.mailing.senders import FolderSender, ServerAway
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    MailState,
    Offer,
    OfferState,
    Package,
    PackageState,
    Participation,
    Person,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from privacy.keystore import SUBJECT_KEY
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

AT = datetime(2023, 3, 1, 9, 0, tzinfo=UTC)


class Tray:
    """A sender that keeps what it was given, and fails while it is told to."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.trouble: Exception | None = None

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(message_from_bytes(message.as_bytes(), policy=policy.default))

    @property
    def text(self) -> str:
        return self.sent[-1].get_body(("plain",)).get_content().replace("\r\n", "\n")


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def deliver(stack: Stack, tray: Tray) -> Callable[..., int]:
    def run(limit: int = 20) -> int:
        return post.deliver(stack.instance, lambda: sessions(stack), tray, limit=limit)

    return run


def sessions(stack: Stack) -> DbSession:
    return DbSession(stack.engine, info={"vault": stack.instance.vault})


@pytest.fixture
def work(db: DbSession, clock: SetClock) -> Callable[[], object]:
    return lambda: unit_of_work(db, clock, "system:test")


def queue(work, template: str, about: UUID, to: UUID | None, **options: Any) -> None:
    with work() as unit:
        mail.queue(unit, template=template, about=about, to=to, **options)


@pytest.fixture
def invited(make: Factory, work) -> Person:
    """A leader of a package with an invitation that waits."""
    leader = make.person("Niamh O’Shea-D'Arcy & Team", email="niamh@council.example", council=make.council())
    package = make.package(leader, state=PackageState.BASELINE)
    queue(work, "invitation", package.participations[0].id, leader.id)
    return leader


def states(db: DbSession) -> list[str]:
    db.rollback()
    return sorted(db.scalars(select(Mail.state)))


def one(db: DbSession) -> Mail:
    db.rollback()
    db.expire_all()
    return db.scalars(select(Mail)).one()


def test_sends_once(db, invited, deliver, tray):
    assert deliver() == 1
    assert deliver() == 0
    [message] = tray.sent
    assert message["To"].addresses[0].addr_spec == "niamh@council.example"
    assert message["To"].addresses[0].display_name == "Niamh O’Shea-D'Arcy & Team"
    assert message["From"].addresses[0].addr_spec == "leadership-support@programme.example"
    assert message["Message-ID"] == f"<{one(db).id}@localhost>"
    assert (one(db).state, one(db).sent_at is not None) == (MailState.SENT, True)


def test_an_invitation_carries_no_credential_and_names_no_questionnaire(invited, deliver, tray):
    deliver()
    assert "http://localhost/your-support/next\n" in tray.text
    assert "/sign-in/" not in tray.text
    assert "Niamh O’Shea-D'Arcy & Team" in tray.text
    whole = (tray.text + tray.sent[0]["Subject"]).lower()
    assert not [word for word in ("questionnaire", "survey", "answer", "baseline") if word in whole]


def test_not_before_it_is_due(work, make, clock, deliver):
    leader = make.person(council=make.council())
    package = make.package(leader)
    queue(work, "invitation", package.participations[0].id, leader.id, due_at=clock() + timedelta(hours=1))
    assert deliver() == 0
    clock.pass_time(hours=1)
    assert deliver() == 1


def test_puts_off_longer_each_time_and_gives_up_after_eight(db, invited, clock, deliver, tray):
    tray.trouble = smtplib.SMTPServerDisconnected("the server's words, which may name niamh@council.example")
    waits = []
    for tries in range(1, 9):
        assert deliver() == 1
        row = one(db)
        assert (row.tries, row.trouble) == (tries, "SMTPServerDisconnected")
        waits.append(round((row.due_at - clock()).total_seconds() / 60))
        assert deliver() == 0
        clock.now = max(row.due_at, clock())
    assert waits[:7] == [1, 5, 15, 60, 240, 240, 240]
    assert one(db).state is MailState.FAILED
    tray.trouble = None
    clock.pass_time(days=1)
    assert deliver() == 0


def test_one_that_fails_does_not_hold_up_the_rest_and_goes_later_with_the_same_id(
    db, work, make, invited, clock, deliver, tray
):
    tray.trouble = OSError("away")
    deliver()
    first = one(db).id
    tray.trouble = None
    other = make.person(council=make.council())
    queue(work, "invitation", make.package(other).participations[0].id, other.id)
    queue(work, "invitation", new_id(), other.id)
    assert deliver() == 1, "one message, with both"
    clock.pass_time(minutes=1)
    assert deliver() == 1
    assert tray.sent[-1]["Message-ID"] == f"<{first}@localhost>"


def test_an_unknown_template_is_put_off_not_fatal(db, work, make, deliver):
    queue(work, "no_such_mail", new_id(), make.person(council=make.council()).id)
    assert deliver() == 1
    assert one(db).trouble == "KeyError"


def test_what_a_dead_worker_claimed_is_claimed_again_after_a_quarter_of_an_hour(
    stack, db, invited, clock, deliver, tray
):
    with sessions(stack) as own:
        assert len(post._claim(own, stack.instance, 10)) == 1
    assert deliver() == 0
    clock.pass_time(minutes=15)
    assert deliver() == 1
    assert len(tray.sent) == 1


def test_a_code_of_a_dead_worker_goes_while_most_of_its_life_is_left(
    stack, db, work, make, clock, deliver, tray
):
    make.person(email="ana@council.example", council=make.council())
    with work() as unit:
        asking.ask(unit, address="ana@council.example", next_path="/your-support")
    with sessions(stack) as own:
        assert len(post._claim(own, stack.instance, 10)) == 1
    assert deliver() == 0
    clock.now += asking.ASK_LIFE / 2
    assert deliver() == 1
    assert tray.text[:6].isdigit()


def test_every_mail_that_says_until_when_it_is_good_is_claimed_for_less_than_half_of_that():
    says = {
        path.parent.name
        for path in mail_writing.TEMPLATES.glob("*/*.txt")
        if "good_until" in path.read_text()
    }
    assert says == set(SHORT_LIVED)
    assert all(post.claimed_for(name) < life / 2 for name, life in SHORT_LIVED.items())
    assert post.claimed_for("invitation") == post.CLAIMED_FOR


def test_what_waited_for_a_server_that_was_away_goes_when_another_mail_got_through(
    db, work, make, clock, deliver, tray
):
    def invite() -> UUID:
        leader = make.person(council=make.council())
        queue(work, "invitation", make.package(leader).participations[0].id, leader.id)
        return leader.id

    own_trouble = invite()
    tray.trouble = smtplib.SMTPDataError(451, b"4.2.0 Try again later")
    deliver()
    away = invite()
    tray.trouble = ServerAway(ConnectionRefusedError())
    for _ in range(3):
        db.rollback()
        clock.now = db.scalars(select(Mail.due_at).where(Mail.person_id == away)).one()
        # The other has its own delay: it is not due with this one.
        with work() as unit:
            unit.db.scalars(select(Mail).where(Mail.person_id == own_trouble)).one().due_at = (
                unit.now + timedelta(hours=4)
            )
        assert deliver() == 1
    tray.trouble = None
    assert deliver() == 0
    invite()
    assert deliver() == 1
    assert deliver() == 1, "called back, and not the one that was put off for itself"
    assert [str(one["To"]) for one in tray.sent].count(str(tray.sent[-1]["To"])) == 1
    assert states(db) == ["sent", "sent", "waiting"]


def test_a_round_that_lasts_too_long_gives_the_rest_back(stack, db, work, make, deliver, monkeypatch):
    monkeypatch.setattr(post, "ROUND_SECONDS", -1.0)
    for _ in range(3):
        person = make.person(council=make.council())
        queue(work, "test_mail", person.id, person.id)
    assert deliver() == 1
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Mail).where(Mail.claimed_until.is_not(None))) == 0
    assert (deliver(), deliver(), deliver()) == (1, 1, 0)


class Hurrying(Tray):
    """Others write from the moment in which a mail has gone, until `lock` is closed."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = stack
        self.lock: Connection | None = None

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        super().send(message, at=at)
        if self.lock is None:
            self.lock = create_engine(self.stack.engine.url, module=dbapi2).connect()
            self.lock.exec_driver_sql("begin immediate")


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_a_mail_that_went_is_not_given_back_while_others_write(
    stack: Stack, db: DbSession, invited: Person, clock: SetClock, deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "MARKED_WITHIN", 0.2)
    tray = Hurrying(stack)
    with pytest.raises(OperationalError):
        post.deliver(stack.instance, lambda: sessions(stack), tray)
    assert tray.lock is not None
    tray.lock.close()
    assert deliver() == 0, "it would go twice"
    assert states(db) == ["waiting"]
    clock.now += post.CLAIMED_FOR + timedelta(seconds=1)
    assert deliver() == 1, "that it went was written nowhere"
    assert states(db) == ["sent"]


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_who_writes_for_long_keeps_no_mail_back_for_longer(
    stack: Stack, db: DbSession, invited: Person, deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes from the moment in which mail was claimed, for longer than a write waits."""
    monkeypatch.setitem(unwrap(unit_of_work).__kwdefaults__, "patience", 0.1)
    lock = create_engine(stack.engine.url, module=dbapi2, connect_args={"check_same_thread": False}).connect()
    ends = Timer(1, lock.close)
    asked = []

    def hindered() -> DbSession:
        asked.append(1)
        if len(asked) == 2:
            lock.exec_driver_sql("begin immediate")
            ends.start()
        return sessions(stack)

    with pytest.raises(OperationalError):
        post.deliver(stack.instance, hindered, Tray())
    ends.join()
    assert deliver() == 1, "not in a quarter of an hour"
    assert states(db) == ["sent"]


def test_two_workers_never_take_the_same(stack, work, make, deliver):
    leader = make.person(council=make.council())
    part = make.package(leader).participations[0].id
    for step in range(30):
        queue(work, "invitation", part, leader.id, step=str(step))
    with sessions(stack) as one_worker, sessions(stack) as another:
        first = post._claim(one_worker, stack.instance, 20)
        second = post._claim(another, stack.instance, 20)
    assert (len(first), len(second)) == (20, 10)
    assert not {one.together[0] for one in first} & {one.together[0] for one in second}


def test_the_first_that_is_due_is_taken_and_no_other(stack, db, work, make):
    """Whatever way PostgreSQL takes to find the rows: within one update it may choose again for each of them."""
    person = make.person()
    for number in range(3):
        queue(work, "unknown", uuid4(), person.id, due_at=AT - timedelta(minutes=number))
    first = db.scalars(select(Mail.id).order_by(Mail.due_at)).first()
    slow = ("hashjoin", "mergejoin", "material", "hashagg", "sort", "memoize")
    engine = stack.engine
    if engine.dialect.name == "postgresql":
        engine = create_engine(
            engine.url, connect_args={"options": " ".join(f"-c enable_{one}=off" for one in slow)}
        )
    with DbSession(engine, info={"vault": stack.instance.vault}) as worker:
        assert [one.together for one in post._claim(worker, stack.instance, 1)] == [[first]]
    if engine is not stack.engine:
        engine.dispose()
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Mail).where(Mail.claimed_until.is_not(None))) == 1


def test_nobody_disabled_or_erased_is_written_to(stack, db, work, make, invited, deliver, tray):
    queue(work, "sign_in", new_id(), None)
    with work() as unit:
        unit.db.get(Person, invited.id).disabled_at = unit.now
    erased = make.person("Gone Soon", council=make.council())
    queue(work, "invitation", make.package(erased).participations[0].id, erased.id)
    with stack.instance.vault.engine.begin() as keys:
        keys.execute(SUBJECT_KEY.update().where(SUBJECT_KEY.c.holder_id == erased.id).values(wrapped=None))
    assert deliver() == 3
    assert tray.sent == []
    assert states(db) == ["dropped"] * 3


def test_a_mail_that_vanished_with_its_person_since_it_was_claimed(stack, db, invited, deliver, tray):
    with sessions(stack) as own:
        [claimed] = post._claim(own, stack.instance, 10)
    with stack.engine.begin() as connection:
        connection.execute(delete(Mail))
    with sessions(stack) as own:
        post._deliver_one(own, stack.instance, tray, claimed)
    assert tray.sent == []


# ---- what the mails say


def test_sign_in_has_the_code_first_and_is_dropped_when_too_late_or_replaced(
    stack, db, work, make, clock, deliver, tray
):
    make.person(email="ana@council.example", council=make.council())

    def ask(verifier: str | None = None) -> asking.Asked:
        with work() as unit:
            return asking.ask(
                unit, address="ana@council.example", next_path="/your-support", verifier=verifier
            )

    asked = ask(ask().verifier)
    ring = stack.instance.vault.ring
    assert deliver() == 2
    assert len(tray.sent) == 1
    assert tray.text.startswith(f"{accounts.code_of(ring, asked.sign_in_id)} is your sign-in code.")
    assert f"http://localhost/sign-in/l/{accounts.link_token(ring, asked.sign_in_id)}\n" in tray.text
    assert accounts.code_of(ring, asked.sign_in_id) not in tray.sent[0]["Subject"]
    assert b"/sign-in/l/" + accounts.link_token(ring, asked.sign_in_id).encode() in tray.sent[0].as_bytes()
    ask()
    clock.pass_time(minutes=10)
    assert deliver() == 1
    assert len(tray.sent) == 1


def test_post_open_names_the_day_and_stops_when_it_is_over(work, make, clock, deliver, tray):
    leader = make.person(council=make.council())
    package = make.package(
        leader, state=PackageState.ENDED, starts_on=make.today - timedelta(90), ends_on=make.today
    )
    part = package.participations[0].id
    queue(work, "post_open", part, leader.id)
    deliver()
    assert "by 1 June 2023" in tray.text
    assert "questionnaire" not in tray.text
    queue(work, "post_open", part, leader.id, step="again")
    clock.now = datetime(2023, 6, 1, 23, 0, tzinfo=UTC)
    deliver()
    assert len(tray.sent) == 1


@pytest.fixture
def booked(make: Factory, work) -> tuple[Session, Person, Person]:
    """A one-to-one session with strange names, its mentor and its leader, and a mail to each."""
    leader = make.person('Siân Ŵyn-Žák\r\n";X-', email="sian@council.example", council=make.council())
    mentor = make.mentor("\u202eMo Field")
    package = make.package(leader, mentor=mentor)
    session = add_session(work, package, mentor, leader)
    for person in (leader, mentor):
        queue(work, "session", session.id, person.id, step="0")
    return session, mentor, leader


def add_session(
    work, package: Package, mentor: Person, *people: Person, capacity: int | None = None
) -> Session:
    session_id = new_id()
    package_id, mentor_id, ids = package.id, mentor.id, [person.id for person in people]
    with work() as unit:
        session = Session(
            id=session_id,
            package_id=package_id,
            mentor_id=mentor_id,
            kind=SessionKind.ONE_TO_ONE if capacity is None else SessionKind.WORKSHOP,
            state=SessionState.BOOKED,
            starts_at=datetime(2023, 3, 31, 13, 30, tzinfo=UTC),
            ends_at=datetime(2023, 3, 31, 15, 0, tzinfo=UTC),
            place=Place.REMOTE,
            capacity=capacity,
            uid=f"{session_id}@test",
            sequence=0,
            created_at=unit.now,
            by="system:test",
        )
        session.title = "T" * 300
        unit.db.add(session)
        unit.db.flush()
        for person_id in ids:
            add_seat(unit, session, person_id)
    return session


def add_seat(unit: Work, session: Session, person_id: UUID) -> None:
    part = unit.db.scalars(select(Participation).where(Participation.person_id == person_id)).one()
    unit.db.add(
        Attendance(
            id=new_id(),
            session_id=session.id,
            person_id=person_id,
            participation_id=part.id,
            state=AttendanceState.BOOKED,
            booked_at=unit.now,
            by="system:test",
        )
    )


def calendar_of(message: EmailMessage) -> tuple[str, Any]:
    parts: list[Any] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(parts[0].get_payload(decode=True))
    assert parts[0].get_param("method") == calendar["METHOD"]
    return str(calendar["METHOD"]), calendar.walk("VEVENT")[0]


def test_a_session_comes_with_its_calendar_entry(booked, deliver, tray):
    session = booked[0]
    assert deliver() == 2
    to = {message["To"].addresses[0].addr_spec: message for message in tray.sent}
    method, event = calendar_of(to["sian@council.example"])
    assert (method, event["UID"], event["SEQUENCE"]) == ("REQUEST", f"{session.id}@test", 0)
    assert event["ORGANIZER"] == "mailto:leadership-support@programme.example"
    assert "Friday 31 March 2023, 2:30pm to 4pm" in tray.text
    assert f"http://localhost/sessions/{session.id}\n" in tray.text
    for message in tray.sent:
        assert "X-" not in message
        assert "\n" not in message["Subject"]
        [ics] = [part for part in message.walk() if part.get_filename() == "invite.ics"]
        for line in ics.get_payload(decode=True).split(b"\r\n"):
            assert len(line) <= 75
            line.decode()


def test_a_newer_mail_about_a_session_takes_the_place_of_an_older(db, work, booked, deliver, tray):
    session, mentor, leader = booked
    with work() as unit:
        row = unit.db.get(Session, session.id)
        row.sequence, row.state = 1, SessionState.CANCELLED
    queue(work, "session", session.id, leader.id, step="1")
    queue(work, "session", session.id, mentor.id, step="1")
    assert deliver() == 4
    assert states(db) == ["dropped", "dropped", "sent", "sent"]
    for message in tray.sent:
        method, event = calendar_of(message)
        assert (method, event["SEQUENCE"]) == ("CANCEL", 1)
        assert message["Subject"].startswith("Cancelled: ")


def test_who_gave_a_place_up_gets_a_cancellation_and_the_others_none(db, work, make, deliver, tray):
    ana, ben = make.person(council=make.council()), make.person(council=make.council())
    mentor = make.mentor()
    package = make.package(ana, ben, mentor=mentor, strand=Strand.GROUP)
    session = add_session(work, package, mentor, ana, ben, capacity=8)
    with work() as unit:
        seat = unit.db.scalars(select(Attendance).where(Attendance.person_id == ana.id)).one()
        seat.state = AttendanceState.CANCELLED
        unit.db.get(Session, session.id).sequence = 1
    queue(work, "session", session.id, ana.id, step="1")
    queue(work, "session", session.id, ben.id, step="0")
    deliver()
    methods = {message["To"].addresses[0].addr_spec: calendar_of(message)[0] for message in tray.sent}
    assert methods == {ana.email: "CANCEL", ben.email: "REQUEST"}


def test_no_calendar_mail_about_what_is_over(db, work, booked, clock, deliver, tray):
    clock.now = datetime(2023, 3, 31, 15, 0, tzinfo=UTC)
    assert deliver() == 2
    assert tray.sent == []


def test_a_group_is_asked_to_book_places_unless_they_have_one(db, work, make, deliver, tray):
    ana, ben = make.person(council=make.council()), make.person(council=make.council())
    mentor = make.mentor()
    package = make.package(ana, ben, mentor=mentor, strand=Strand.GROUP)
    session = add_session(work, package, mentor, ana, capacity=8)
    for person in (ana, ben):
        queue(work, "group_session", session.id, person.id)
    deliver()
    [message] = tray.sent
    assert message["To"].addresses[0].addr_spec == ben.email
    assert f"http://localhost/sessions/{session.id}\n" in tray.text


def test_offers_name_what_is_still_open(db, work, make, clock, deliver, tray):
    leader, mentor = make.person(council=make.council()), make.mentor("Mo Field")
    package = make.package(leader, mentor=mentor)
    batch_id = new_id()
    offers = [new_id() for _ in range(3)]
    package_id, mentor_id, leader_id = package.id, mentor.id, leader.id
    with work() as unit:
        for number, offer_id in enumerate(offers):
            starts_at = unit.now + timedelta(days=number + 1)
            unit.db.add(
                Offer(
                    id=offer_id,
                    batch_id=batch_id,
                    package_id=package_id,
                    mentor_id=mentor_id,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=1),
                    place=Place.REMOTE,
                    state=OfferState.OPEN if number else OfferState.WITHDRAWN,
                    made_at=unit.now,
                )
            )
    queue(work, "offers", batch_id, leader_id)
    deliver()
    assert "Mo Field offers you these times" in tray.text
    assert "Friday 3 March 2023, 9am to 10am" in tray.text
    named = [offer_id for offer_id in offers if f"http://localhost/offers/{offer_id}\n" in tray.text]
    assert named == offers[1:]
    queue(work, "offers", batch_id, leader_id, step="again")
    clock.pass_time(days=4)
    deliver()
    assert len(tray.sent) == 1


def test_every_template_has_its_files_and_no_file_is_left_over():
    folders = {path.name for path in mail_writing.TEMPLATES.iterdir() if path.is_dir()}
    assert folders == {*ADDRESSED, *CONTEXTS, *ROLE_CONTEXTS, mail_writing.GATHERED}
    for name in folders:
        # What can go within another mail has the words for it too.
        line = {"line.txt"} if name in gathering.COUNTED else set()
        found = {path.name for path in (mail_writing.TEMPLATES / name).iterdir()}
        assert found == {"subject.txt", "body.txt", *line}


# ---- the outbox, and a test mail


def test_the_outbox_is_for_its_owner_only(stack, invited, tmp_path):
    outbox = FolderSender(tmp_path / "outbox")
    assert post.deliver(stack.instance, lambda: sessions(stack), outbox) == 1
    [path] = (tmp_path / "outbox").iterdir()
    assert path.suffix == ".eml"
    assert path.name.startswith("20230301T090000.")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert message_from_bytes(path.read_bytes(), policy=policy.default)["To"]


def test_the_command_sends_a_test_mail_at_once(stack):
    ran = stack.app.test_cli_runner().invoke(args=["mail", "test", "ana@council.example"])
    assert ran.exit_code == 0, ran.output
    assert "Sent to ana@council.example" in ran.output
    path = max(stack.instance.outbox.glob("*.eml"))
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"].addresses[0].addr_spec == "ana@council.example"
    assert message.get_body(("plain",)).get_content().startswith("Hello")
    wrong = stack.app.test_cli_runner().invoke(args=["mail", "test", "ana at council"])
    assert wrong.exit_code == 1
    assert "is no e-mail address" in wrong.output
