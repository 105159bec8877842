"""Reminders: when, to whom, once; two mails a week at most; gathered; stopped; whatever the clock does."""

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cli.working import each_minute
from portal.mailing import gathering, post, reminders
from portal.mailing import queue as mail
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    MailState,
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
from portal.packages import acts as packages
from portal.packages import members as matching
from portal.programme import Programme, ProgrammeFaults, load
from portal.registers import audit_heads
from privacy.clock import london_date, start_of_day
from privacy.engines import open_engine
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.questionnaires import load_definition
from surveys.sittings import Asking
from surveys.waves import Window
from tests.conftest import SetClock, Stack
from tests.factories import Factory

ROOT = Path(__file__).resolve().parents[2]
ENDED_ON = date(2023, 2, 20)


class Tray:
    """A sender that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        self.sent.append(message_from_bytes(message.as_bytes(), policy=policy.default))

    def text(self, number: int = -1) -> str:
        body = self.sent[number].get_body(("plain",))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")

    def addresses(self) -> Counter[str]:
        return Counter(message["To"].addresses[0].addr_spec for message in self.sent)


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def sessions(stack: Stack) -> Callable[[], DbSession]:
    return lambda: DbSession(stack.engine, info={"vault": stack.instance.vault})


@pytest.fixture
def minute(stack: Stack, sessions: Callable[[], DbSession], tray: Tray) -> Callable[[], None]:
    """What a worker does in a minute."""

    def work() -> None:
        reminders.run(stack.instance, sessions)
        while post.deliver(stack.instance, sessions, tray):
            pass

    return work


def ended(make: Factory, *people: Person, on: date = ENDED_ON) -> Package:
    """A package whose support has ended; nobody was told yet."""
    strand = Strand.ONE_TO_ONE if len(people) == 1 else Strand.GROUP
    return make.package(
        *people, strand=strand, state=PackageState.ENDED, starts_on=date(2022, 12, 1), ends_on=on
    )


def invited(make: Factory, db: DbSession, clock: SetClock, *people: Person) -> Package:
    package = make.package(*people, state=PackageState.BASELINE)
    with unit_of_work(db, clock, "system:test") as work:
        packages.invite(work, package_id=package.id)
    return package


def send(db: DbSession, clock: SetClock, part: Participation, wave: Wave = Wave.POST) -> None:
    """Send a wave with the first option everywhere."""
    asking = Asking(respondent_id=part.id, wave=wave, role=part.role.value)
    answers = {
        question.code: [question.listed()[0].code]
        if question.kind == "choices"
        else question.listed()[0].code
        if question.listed()
        else "Some words"
        for question in load_definition(wave.value).questions
        if question.asks
    }
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)


def begin(db: DbSession, clock: SetClock, part: Participation, wave: Wave = Wave.POST) -> None:
    send(db, clock, part, wave)
    part_id = part.id
    with unit_of_work(db, clock, "system:test") as work:
        row = work.db.scalars(select(Response).where(Response.respondent_id == part_id)).one()
        row.state, row.submitted_at = ResponseState.DRAFT, None


def log_of(db: DbSession) -> list[tuple[str, str]]:
    db.rollback()
    db.expire_all()
    rows = db.scalars(select(Mail).order_by(Mail.queued_at, Mail.template)).all()
    return [(row.step if row.template == "reminder" else row.template, row.state.value) for row in rows]


def days(minute: Callable[[], None], clock: SetClock, number: int, *, at_hour: int = 10) -> None:
    """Let so many days pass, the worker running in each."""
    for _ in range(number):
        clock.now = clock.now.replace(hour=at_hour) + timedelta(days=1)
        minute()


@pytest.mark.parametrize(
    "opened_on, closes_on, wave, expected",
    [
        (
            date(2023, 2, 20),
            date(2023, 5, 20),
            Wave.POST,
            [("week", date(2023, 2, 27)), ("closing", date(2023, 5, 13)), ("last", date(2023, 5, 20))],
        ),
        (
            date(2023, 2, 28),
            date(2023, 3, 14),
            Wave.INTERIM,
            [("opening", date(2023, 2, 28)), ("week", date(2023, 3, 7)), ("last", date(2023, 3, 14))],
        ),
        (date(2024, 3, 27), date(2024, 3, 31), Wave.POST, [("last", date(2024, 3, 31))]),
        (date(2024, 3, 31), date(2024, 3, 31), Wave.POST, []),
    ],
)
def test_few_steps_in_the_morning_of_their_days(
    opened_on: date, closes_on: date, wave: Wave, expected: list[tuple[str, date]]
) -> None:
    closes_at = start_of_day(closes_on + timedelta(days=1))
    window = Window(start_of_day(opened_on), closes_at, closes_at)
    steps = reminders.steps(window, wave)
    assert [(step.value, london_date(at)) for step, at in steps] == expected
    # 9am in London, in winter and in summer time.
    assert {at.astimezone(UTC).hour for _, at in steps} <= {8, 9}


def test_somebody_silent_is_reminded_three_times_in_three_months(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    ended(make, make.person())
    clock.now = datetime(2023, 2, 20, 10, tzinfo=UTC)
    days(minute, clock, 100)
    assert log_of(db) == [(f"post:once:{step}", "sent") for step in ("week", "closing", "last")]
    assert len(tray.sent) == 3
    assert "until 20 May 2023" in tray.text(1)
    assert "Today is the last day" in tray.text(2)
    assert tray.sent[2]["Subject"] == "Leadership support: last day for something on your page"
    said = " ".join(tray.text(number) for number in range(3)).lower()
    assert not [word for word in ("questionnaire", "survey", "answer", "baseline") if word in said]
    assert "http://localhost/your-support/next\n" in said


def test_only_those_outstanding_once_each_though_two_processes_run_twice(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock
) -> None:
    """Q-k: opened but not finished; finished a minute before the run; the run in two processes, twice."""
    people = [make.person(email=f"m{number}@council.example") for number in range(6)]
    package = ended(make, *people)
    parts = {part.person_id: part for part in package.participations}
    clock.now = datetime(2023, 2, 27, 8, 59, tzinfo=UTC)
    begin(db, clock, parts[people[0].id])
    send(db, clock, parts[people[1].id])
    clock.pass_time(minutes=1)
    trays = [Tray() for _ in range(4)]
    start = threading.Barrier(len(trays), timeout=30)
    troubles: list[BaseException] = []

    def process(tray: Tray) -> None:
        # An engine of its own: only the database stands between them, as between processes.
        engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
        sessions = lambda: DbSession(engine, info={"vault": stack.instance.vault})  # noqa: E731 - one line
        try:
            start.wait()
            for _ in range(2):
                reminders.run(stack.instance, sessions)
                while post.deliver(stack.instance, sessions, tray, limit=2):
                    pass
        except BaseException as trouble:  # noqa: BLE001 - shown by the test that waits
            troubles.append(trouble)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=process, args=(tray,)) for tray in trays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    got = sum((tray.addresses() for tray in trays), Counter[str]())
    assert got == Counter({f"m{number}@council.example": 1 for number in range(6) if number != 1})


def test_who_answers_between_queue_and_sending_gets_nothing(
    stack: Stack,
    db: DbSession,
    make: Factory,
    clock: SetClock,
    sessions: Callable[[], DbSession],
    tray: Tray,
) -> None:
    package = ended(make, make.person())
    clock.now = datetime(2023, 2, 27, 9, tzinfo=UTC)
    assert reminders.run(stack.instance, sessions) == 1
    send(db, clock, package.participations[0])
    post.deliver(stack.instance, sessions, tray)
    assert log_of(db) == [("post:once:week", "dropped")]
    assert tray.sent == []


def test_the_baseline_is_asked_by_the_invitation_and_reminded_of_before_the_first_session(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    invited(make, db, clock, make.person())
    make.package(make.person(), state=PackageState.BASELINE)
    minute()
    days(minute, clock, 30)
    assert log_of(db) == [("invitation", "sent"), ("baseline:once:week", "sent")]
    assert "It comes before your first session." in tray.text()


def test_an_interim_wave_opens_with_a_mail(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None]
) -> None:
    package = make.package(make.person(), starts_on=date(2022, 11, 10))
    clock.now = datetime(2023, 3, 9, 10, tzinfo=UTC)
    days(minute, clock, 1)
    assert log_of(db) == [("interim:month-4:opening", "sent")]
    asking = Asking(
        respondent_id=package.participations[0].id,
        wave=Wave.INTERIM,
        occasion="month-4",
        role=package.participations[0].role.value,
    )
    answers = {"role_confidence": "very", "support_helping": "yes"}
    answers |= dict.fromkeys(("reading_data", "right_questions", "challenge"), "fairly")
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
    days(minute, clock, 20)
    assert log_of(db) == [("interim:month-4:opening", "sent")]


def test_who_stopped_reminders_gets_none_until_they_want_them_again(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader = make.person()
    ended(make, leader)
    with unit_of_work(db, clock, "system:test") as work:
        reminders.stop(work, person_id=leader.id)
    clock.now = datetime(2023, 2, 26, 10, tzinfo=UTC)
    days(minute, clock, 5)
    assert tray.sent == []
    with unit_of_work(db, clock, "system:test") as work:
        reminders.resume(work, person_id=leader.id)
    days(minute, clock, 1)
    assert log_of(db) == [("post:once:week", "sent")]


def test_moving_the_end_repeats_nothing_that_was_sent(
    db: DbSession,
    make: Factory,
    clock: SetClock,
    programme: Programme,
    minute: Callable[[], None],
) -> None:
    package = ended(make, make.person())
    package_id = package.id
    clock.now = datetime(2023, 2, 26, 10, tzinfo=UTC)
    days(minute, clock, 3)
    with unit_of_work(db, clock, "system:test") as work:
        packages.move_end(work, programme, package_id=package_id, on=date(2023, 2, 25))
    days(minute, clock, 20)
    assert log_of(db) == [("post:once:week", "sent")]
    with unit_of_work(db, clock, "system:test") as work:
        packages.move_end(work, programme, package_id=package_id, on=date(2022, 12, 25))
    days(minute, clock, 20)
    assert [step for step, _ in log_of(db)] == ["post:once:week", "post:once:closing", "post:once:last"]


def test_who_follows_is_asked_for_themselves_and_who_left_for_theirs(
    db: DbSession,
    make: Factory,
    clock: SetClock,
    programme: Programme,
    minute: Callable[[], None],
    tray: Tray,
) -> None:
    leaver, stays, comes = (
        make.person(role=Role.COMMITTEE_MEMBER, email=f"{name}@council.example")
        for name in ("leaver", "stays", "comes")
    )
    package = make.package(leaver, stays, strand=Strand.GROUP, starts_on=date(2023, 2, 1))
    part = next(one for one in package.participations if one.person_id == leaver.id)
    package_id, part_id = package.id, part.id
    with unit_of_work(db, clock, "system:test") as work:
        packages.leave(work, programme, package_id=package_id, participation_id=part_id, on=date(2023, 2, 28))
    minute()
    assert tray.addresses() == Counter({"leaver@council.example": 1})
    assert "by 28 May 2023" in tray.text()
    with unit_of_work(db, clock, "system:test") as work:
        joined = matching.add_member(
            work,
            package_id=package_id,
            person_id=comes.id,
            role=Role.COMMITTEE_MEMBER,
            from_on=date(2023, 3, 1),
        )
        assert joined.id != part_id
    with unit_of_work(db, clock, "system:test") as work:
        packages.invite(work, package_id=package_id)
    days(minute, clock, 10)
    got = tray.addresses()
    assert got["leaver@council.example"] == 2, "that it opened, and one week after"
    assert got["comes@council.example"] == 2, "the invitation, and one week after"


# ---- two mails a week


def queue(db: DbSession, clock: SetClock, template: str, about: UUID, to: UUID, step: str = "once") -> None:
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template=template, about=about, to=to, step=step)


def test_what_is_due_together_goes_in_one(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader = make.person()
    package = ended(make, leader)
    part_id = package.participations[0].id
    other = make.package(leader, state=PackageState.BASELINE)
    queue(db, clock, "post_open", part_id, leader.id)
    queue(db, clock, "invitation", other.participations[0].id, leader.id)
    minute()
    assert len(tray.sent) == 1
    assert tray.sent[0]["Subject"] == "Leadership support: a few things on your page"
    assert "Support has been arranged for you." in tray.text()
    assert "One thing is left to do on your page, by 20 May 2023." in tray.text()
    assert tray.text().count("Something waits on your page, until 20 May 2023.") == 1
    assert "http://localhost/your-support/next\n" in tray.text()
    rows = db.scalars(select(Mail)).all()
    assert {row.state for row in rows} == {MailState.SENT}
    assert len({row.carried_by for row in rows}) == 1


def test_a_third_mail_waits_until_a_week_after_the_first(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader = make.person()
    part_id = ended(make, leader, on=make.today).participations[0].id
    for _ in range(5):
        queue(db, clock, "post_open", part_id, leader.id, step=str(new_id())[:8])
        minute()
        clock.pass_time(days=1)
    assert len(tray.sent) == 2
    waiting = db.scalars(select(Mail).where(Mail.state == MailState.WAITING)).all()
    assert {row.due_at for row in waiting} == {datetime(2023, 3, 8, 9, tzinfo=UTC)}
    assert {row.tries for row in waiting} == {0}, "to be put off is no failure"
    db.rollback()
    clock.now = datetime(2023, 3, 8, 9, tzinfo=UTC)
    minute()
    assert len(tray.sent) == 3, "three were gathered into one"
    assert not db.scalars(select(Mail).where(Mail.state == MailState.WAITING)).all()


def test_codes_and_calendar_mails_are_not_counted_and_mentors_are_free(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader, mentor = make.person(email="leader@council.example"), make.mentor()
    package = make.package(leader, mentor=mentor)
    session_id = held(db, clock, package, mentor, leader, state=SessionState.BOOKED, days=9)
    part_id = package.participations[0].id
    for number in range(4):
        queue(db, clock, "invitation", part_id, leader.id, step=str(number))
        minute()
        queue(db, clock, "session", session_id, leader.id, step=str(number))
        queue(db, clock, "session", session_id, mentor.id, step=str(number))
        minute()
    sent = Counter(db.scalars(select(Mail.template).where(Mail.state == MailState.SENT)))
    assert sent == {"invitation": 2, "session": 8}


def test_many_workers_at_once_keep_to_two(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock
) -> None:
    leader = make.person()
    part_id = ended(make, leader).participations[0].id
    for number in range(12):
        queue(db, clock, "post_open", part_id, leader.id, step=str(number))
    trays = [Tray() for _ in range(6)]
    start = threading.Barrier(len(trays), timeout=30)

    def process(tray: Tray) -> None:
        engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
        sessions = lambda: DbSession(engine, info={"vault": stack.instance.vault})  # noqa: E731 - one line
        start.wait()
        while post.deliver(stack.instance, sessions, tray, limit=1):
            pass
        engine.dispose()

    threads = [threading.Thread(target=process, args=(tray,)) for tray in trays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 1 <= sum(len(tray.sent) for tray in trays) <= 2
    db.expire_all()
    carriers = {row.carried_by for row in db.scalars(select(Mail).where(Mail.state == MailState.SENT))}
    assert len(carriers) == sum(len(tray.sent) for tray in trays)


@pytest.mark.parametrize(
    "sent_on, expected",
    [
        ([], date(2023, 3, 8)),
        ([date(2023, 3, 8)], date(2023, 3, 8)),
        ([date(2023, 3, 8), date(2023, 3, 8)], date(2023, 3, 15)),
        ([date(2023, 3, 1), date(2023, 3, 7)], date(2023, 3, 8)),
        ([date(2023, 3, 2), date(2023, 3, 7)], date(2023, 3, 9)),
        ([date(2023, 3, 2), date(2023, 3, 4), date(2023, 3, 7)], date(2023, 3, 11)),
        ([date(2023, 3, 9), date(2023, 3, 9)], date(2023, 3, 16)),
    ],
)
def test_any_seven_days_in_a_row_hold_two_at_most(sent_on: list[date], expected: date) -> None:
    assert gathering.free_day(sent_on, today=date(2023, 3, 8)) == expected


def test_whatever_is_queued_no_seven_days_hold_three(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader = make.person()
    part_id = ended(make, leader, on=make.today).participations[0].id
    for number in range(40):
        if number % 3 != 2:
            queue(db, clock, "post_open", part_id, leader.id, step=str(number))
        minute()
        clock.pass_time(hours=17)
    # With the Sunday on which the clocks go forward.
    on = sorted(message["Date"].datetime.astimezone(UTC) for message in tray.sent)
    sent_days = [london_date(at) for at in on]
    assert len(sent_days) > 4
    for number in range(len(sent_days) - 2):
        assert sent_days[number + 2] - sent_days[number] >= timedelta(days=7)


# ---- the clock


def test_the_night_the_clocks_change_and_a_jump_send_nothing_twice(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    """A week after 19 March 2023 is the day on which the clocks go forward; 9am is 08:00 UTC then."""
    ended(make, make.person(), on=date(2023, 3, 19))
    clock.now = datetime(2023, 3, 26, 7, 59, tzinfo=UTC)
    minute()
    assert tray.sent == []
    for step in (1, 10, -10, -10, 10, 10, 60, -10):
        clock.pass_time(minutes=step)
        minute()
    assert len(tray.sent) == 1
    clock.now = datetime(2023, 3, 26, 23, 5, tzinfo=UTC)
    minute()
    clock.pass_time(minutes=-10)
    minute()
    assert log_of(db) == [("post:once:week", "sent")]


def test_a_jump_back_after_a_later_step_sends_no_earlier_one(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None]
) -> None:
    ended(make, make.person())
    clock.now = datetime(2023, 5, 13, 8, 0, tzinfo=UTC)
    minute()
    clock.pass_time(minutes=-10)
    minute()
    assert log_of(db) == [("post:once:closing", "sent")], "the worker stood still until then"


def test_a_worker_passes_once_a_minute_also_after_a_jump(clock: SetClock) -> None:
    passes: list[datetime] = []
    call = each_minute(lambda: passes.append(clock()), clock=clock)
    for step in (0, 2, 30, 40, -600, 10, 55):
        clock.pass_time(seconds=step)
        call()
    at = [(moment - passes[0]).total_seconds() for moment in passes]
    assert at == [0, 72, -528, -463]


# ---- feedback


def held(
    db: DbSession,
    clock: SetClock,
    package: Package,
    mentor: Person,
    person: Person,
    *,
    state: SessionState = SessionState.HELD,
    days: int = -1,
) -> UUID:
    part_id, package_id, mentor_id, person_id = (
        package.participations[0].id,
        package.id,
        mentor.id,
        person.id,
    )
    session_id, starts_at = new_id(), clock() + timedelta(days=days)
    seat = AttendanceState.ATTENDED if state is SessionState.HELD else AttendanceState.BOOKED
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(
            Session(
                id=session_id,
                package_id=package_id,
                mentor_id=mentor_id,
                kind=SessionKind.ONE_TO_ONE,
                state=state,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1),
                place=Place.REMOTE,
                uid=f"{session_id}@test",
                sequence=0,
                created_at=work.now,
                by="system:test",
            )
        )
        work.db.flush()
        work.db.add(
            Attendance(
                id=new_id(),
                session_id=session_id,
                person_id=person_id,
                participation_id=part_id,
                state=seat,
                booked_at=work.now,
                by="system:test",
            )
        )
    return session_id


def test_feedback_is_mentioned_once_within_the_next_mail_and_never_chased(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader, mentor = make.person(), make.mentor()
    package = make.package(leader, mentor=mentor, starts_on=date(2023, 2, 1))
    held(db, clock, package, mentor, leader)
    days(minute, clock, 3)
    assert tray.sent == [], "nothing goes for feedback alone"
    next_id = held(db, clock, package, mentor, leader, state=SessionState.BOOKED, days=9)
    queue(db, clock, "session", next_id, leader.id, step="0")
    minute()
    assert "a word about a session you were in" in tray.text()
    queue(db, clock, "session", next_id, leader.id, step="1")
    minute()
    assert "a word about a session" not in tray.text()
    assert ("feedback", "sent") in log_of(db)


def test_feedback_that_was_begun_is_not_mentioned(
    db: DbSession, make: Factory, clock: SetClock, minute: Callable[[], None], tray: Tray
) -> None:
    leader, mentor = make.person(), make.mentor()
    package = make.package(leader, mentor=mentor, starts_on=date(2023, 2, 1))
    session_id = held(db, clock, package, mentor, leader)
    part = package.participations[0]
    asking = Asking(respondent_id=part.id, wave=Wave.FEEDBACK, occasion=str(session_id), role=part.role.value)
    answers = {"session_useful": "very", "session_fitted": "very", "session_use": "no"}
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
    queue(db, clock, "invitation", part.id, leader.id)
    minute()
    assert len(tray.sent) == 1
    assert "a word about a session" not in tray.text()


def test_the_log_says_what_each_mail_was(programme: Programme) -> None:
    def called(template: str, step: str = "once") -> str:
        return mail.called(Mail(template=template, step=step))

    assert (
        called("reminder", "post:once:week") == "Reminder of the last questionnaire: a week after it opened"
    )
    assert (
        called("reminder", "interim:month-4:opening") == "Reminder of the questionnaire on the way: it opened"
    )
    assert called("invitation") == "Invitation"
    by_hand = Mail(template="reminder", step="post:once:2023-03-01")
    assert mail.called_briefly(by_hand) == "Reminder: sent by hand", "beside the name of its questionnaire"
    assert mail.called_briefly(Mail(template="invitation", step="once")) == "Invitation"


def test_no_interim_wave_where_the_programme_sets_none(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock
) -> None:
    make.package(make.person(), starts_on=date(2022, 11, 1))
    none = replace(stack.instance.programme, interim_months=())
    assert reminders.find(db, none, now=clock()) == []
    assert len(reminders.find(db, stack.instance.programme, now=clock())) == 1


def test_two_worker_processes_send_each_reminder_once(
    stack: Stack, db: DbSession, make: Factory, tmp_path: Path
) -> None:
    """Q-k, with `flask worker` itself, which queues the reminders and sends them."""
    people = [make.person() for _ in range(5)]
    asked = {person.email for person in people}
    ended(make, *people)
    settings = stack.instance.settings
    environ = {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "PORTAL_KEYS": str(settings.keys),
        "DATABASE_URL": stack.engine.url.render_as_string(hide_password=False),
        "KEYSTORE_URL": settings.keystore_url,
        "PUBLIC_URL": settings.public_url,
        "PORTAL_NOW": "2023-02-27T09:00:00+00:00",
    }
    before = set(stack.instance.outbox.glob("*.eml"))
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "worker", "--once"]
    for _ in range(2):
        workers = [
            subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(2)
        ]
        for worker in workers:
            said, _ = worker.communicate(timeout=60)
            assert worker.returncode == 0, said.decode()
    sent = [
        message_from_bytes(path.read_bytes())["To"]
        for path in set(stack.instance.outbox.glob("*.eml")) - before
    ]
    assert len([address for address in sent if parseaddr(address)[1] in asked]) == 5
    assert [line for line in log_of(db) if line[0] != audit_heads.TEMPLATE] == [
        ("post:once:week", "sent")
    ] * 5


@pytest.mark.parametrize(
    "written, months",
    [("0", ()), ("[]", ()), ("[6]", (6,)), ("[3, 6, 9]", (3, 6, 9))],
)
def test_intervals_are_none_or_months_in_rising_order(
    tmp_path: Path, written: str, months: tuple[int, ...]
) -> None:
    assert load(programme_with(tmp_path, written)).interim_months == months


@pytest.mark.parametrize("written", ["[6, 3]", "[3, 3]", "[0, 3]", "true", "3", '["3"]', "[1.5]"])
def test_other_intervals_are_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(ProgrammeFaults, match=r"windows\.interim_months must be 0, or a list"):
        load(programme_with(tmp_path, written))


def programme_with(tmp_path: Path, months: str) -> Path:
    shipped = (ROOT / "programme.toml").read_text(encoding="utf-8")
    changed = tmp_path / "programme.toml"
    changed.write_text(
        re.sub(r"^interim_months = \[.*\]", f"interim_months = {months}", shipped, flags=re.MULTILINE),
        encoding="utf-8",
    )
    return changed
