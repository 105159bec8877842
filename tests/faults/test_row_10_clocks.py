"""Row 10: the nights in which London's clocks change, and clocks that jump: each thing once, at its hour.

The worker's own round, again and again under a clock that is set by the test, with a real mail server: two workers
at once, from before the change until after it, and now and then the clock jumps by ten minutes, forward or back.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import holidays, hours
from portal.booking.opening import Span
from portal.cli import working
from portal.db import db as flask_db
from portal.mailing import post
from portal.mailing import queue as mail
from portal.mailing.senders import sender_for
from portal.models import Mail, MailState, Package, PackageState, Place
from portal.programme import Programme
from privacy.audit import AuditEntry
from privacy.clock import LONDON, end_of_day, london, london_date, start_of_day, wall
from privacy.work import unit_of_work
from tests.conftest import Stack, make_stack
from tests.counts import FULL, count
from tests.factories import Factory
from tests.faults.mail_server import MailServer
from tests.postgres import fresh_database

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
EASTER_MONDAY = date(2027, 3, 29)
NINE, TEN_MINUTES = 9 * 60, timedelta(minutes=10)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AFTERNOON = (Span(780, 1020),)
BOOKED_AT = {SPRING: datetime(2027, 3, 1, 9, tzinfo=UTC), AUTUMN: datetime(2027, 10, 4, 9, tzinfo=UTC)}
# Of the full product a half in the sample: each night, and each kind of database.
NIGHTS = list(product(("sqlite", "postgresql"), (SPRING, AUTUMN)))
CASES = NIGHTS if FULL else [NIGHTS[0], NIGHTS[3]]


@dataclass
class Night:
    """A programme that runs through a change of the clocks: sessions on three days, a questionnaire that closes."""

    stack: Stack
    server: MailServer
    change: date
    package: UUID
    mentor: UUID
    leader: UUID

    @property
    def programme(self) -> Programme:
        return self.stack.instance.programme

    @property
    def days(self) -> list[date]:
        return [self.change + timedelta(days=number) for number in (-1, 0, 1)]

    def db(self) -> DbSession:
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def round(self) -> None:
        """What two workers do at this moment, at once."""

        def work() -> None:
            with self.stack.app.app_context():
                working.work_on(self.stack.instance, threading.Event(), once=True)
                flask_db.session.remove()

        with ThreadPoolExecutor(2) as workers:
            for done in [workers.submit(work), workers.submit(work)]:
                done.result()


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    kind, change = request.param
    folder = tmp_path_factory.mktemp("clocks")
    facts = Path("programme.toml").read_text(encoding="utf-8")
    longer = folder / "programme.toml"
    longer.write_text(facts.replace("ends_on = 2024-03-31", "ends_on = 2028-03-31"), encoding="utf-8")
    environ = {"PORTAL_PROGRAMME": str(longer)}
    if kind == "postgresql":
        at: str = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = fresh_database(at, name="clocks")
        environ["KEYSTORE_URL"] = fresh_database(at, name="clocks_keys")
    with MailServer() as server:
        stack = make_stack(folder, {**environ, **server.environ}, synced=True)
        stack.clock.now = BOOKED_AT[change]
        yield _filled(stack, server, change)
        stack.close()


def _filled(stack: Stack, server: MailServer, change: date) -> Night:
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        make = Factory(db, stack.clock, stack.instance.programme)
        mentor = make.mentor("Mo Mentor", open_all_week=False)
        leader, former = make.person("Lee Leader"), make.person("Fay Former")
        package = make.package(leader, mentor=mentor)
        # The last day on which the post questionnaire can be answered is that of the change.
        last = date(2026, 12, 28) if change == SPRING else date(2027, 7, 31)
        make.package(former, mentor=mentor, starts_on=last - 90 * DAY, ends_on=last, state=PackageState.ENDED)
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.get_one(Package, package.id).baseline_waived_at = work.now
            hours.publish_week(work, mentor_id=mentor.id, weekly=dict.fromkeys(range(7), AFTERNOON))
            holidays.take_out(work, on=EASTER_MONDAY)
        return Night(stack, server, change, package.id, mentor.id, leader.id)


def moments(change: date, chance: random.Random) -> Iterator[datetime]:
    """From the morning two days before to the morning after: closely where something is due or the clocks change,
    and now and then ten minutes ahead and back again, or back and on from there."""
    step = timedelta(minutes=count(60, 5))
    now, ends = wall(change - 2 * DAY, NINE) - HOUR / 2, wall(change + DAY, NINE) + HOUR
    while now < ends:
        day = london_date(now)
        at_nine = wall(day, NINE) - HOUR / 2 <= now <= wall(day, NINE) + HOUR / 2
        at_night = now < start_of_day(day) + 3 * HOUR
        if at_nine or at_night or (now - start_of_day(day)) % (6 * HOUR) < step:
            yield now
            jump = chance.choice((None, TEN_MINUTES, -TEN_MINUTES))
            if jump is not None:
                yield now + jump
        now += step


def test_row_10_times_and_sessions_across_the_change(night: Night) -> None:
    """Cases B-b and B-c: one to five by the clock on the wall on each day, in the list and when it is booked; two real
    hours across the change; a time that the clocks jump over is no time."""
    clock = night.stack.clock
    with night.db() as db:
        package = db.get_one(Package, night.package)
        listed = bookings.times(db, night.programme, package, now=clock(), limit=100_000)
        for day in night.days:
            starts = [one.starts_at for one in listed if one.day == day]
            ends = [one.ends_at for one in listed if one.day == day]
            assert (london(starts[0]).hour, london(ends[-1]).hour) == (13, 17)
            assert start_of_day(day) <= starts[0] < ends[-1] <= end_of_day(day)
        across = datetime(night.change.year, night.change.month, night.change.day, 0, 30, tzinfo=LONDON)
        with unit_of_work(db, clock, f"person:{night.mentor}") as work:
            made = bookings.book(
                work,
                night.programme,
                package_id=night.package,
                session_id=uuid4(),
                mentor_id=night.mentor,
                starts_at=across.astimezone(UTC),
                place=Place.REMOTE,
                free_time=True,
                minutes=120,
            )
            assert made.ends_at - made.starts_at == 2 * HOUR
            ends_at = london(made.ends_at)
        assert (ends_at.hour, ends_at.minute) == ((3, 30) if night.change == SPRING else (1, 30))


def test_row_10_everything_once_and_at_its_hour(night: Night) -> None:
    clock, change = night.stack.clock, night.change
    session_ids = {}
    with night.db() as db:
        for day in night.days:
            with unit_of_work(db, clock, f"person:{night.leader}") as work:
                session_ids[day] = bookings.book(
                    work,
                    night.programme,
                    package_id=night.package,
                    session_id=uuid4(),
                    mentor_id=night.mentor,
                    starts_at=wall(day, 14 * 60),
                    place=Place.REMOTE,
                ).id
    passed = 0
    for moment in moments(change, random.Random(10)):
        clock.now = moment
        night.round()
        passed += 1
    print(f"{passed} rounds of two workers; {night.server.arrived.total()} mails")
    assert not night.server.doubled
    with night.db() as db:
        rows = db.scalars(select(Mail)).all()
        assert {row.state for row in rows if row.due_at <= clock.now} == {MailState.SENT}
        assert {f"<{row.id}@localhost>" for row in rows if row.carried_by in (None, row.id)} == set(
            night.server.arrived
        )
        for day, session_id in session_ids.items():
            reminded = [row for row in rows if row.template == "day_before" and row.about == session_id]
            assert {row.person_id for row in reminded} == {night.leader, night.mentor}
            assert len(reminded) == 2
            for row in reminded:
                _at_nine(row, day - DAY)
        (closing,) = [row for row in rows if row.template == "reminder" and row.step.endswith("last")]
        _at_nine(closing, change)
        counted = Counter(
            json.loads(entry.details)["as_of"]
            for entry in db.scalars(select(AuditEntry).where(AuditEntry.action == "figures.counted"))
        )
    days = [(change + timedelta(days=number)).isoformat() for number in (-2, -1, 0, 1)]
    assert counted == Counter(days), "counted once a night, on the day that has 23 or 25 hours too"


def _at_nine(row: Mail, day: date) -> None:
    """Sent on this London day, at nine by the clock on the wall or, where the round came later, in that hour."""
    assert row.sent_at is not None
    assert london_date(row.sent_at) == day
    assert wall(day, NINE) <= row.sent_at <= wall(day, NINE) + HOUR


@pytest.mark.parametrize("jump", [TEN_MINUTES, -TEN_MINUTES], ids=["ahead", "back"])
def test_row_10_a_mail_on_its_way_while_the_clock_jumps_goes_once(night: Night, jump: timedelta) -> None:
    # Far enough from other mail to the same person that this one goes at once.
    night.stack.clock.pass_time(days=8)
    with night.db() as db, unit_of_work(db, night.stack.clock, "system:test") as work:
        part = work.db.get_one(Package, night.package).participations[0]
        mail.queue(work, template="invitation", about=part.id, to=part.person_id, step=str(jump))
    came = night.server.arrived.total()
    night.server.receiving.clear()
    night.server.answering.clear()
    with ThreadPoolExecutor(2) as workers:
        first = workers.submit(_deliver, night)
        assert night.server.receiving.wait(30)
        night.stack.clock.pass_time(minutes=jump.total_seconds() / 60)
        second = workers.submit(_deliver, night)
        assert second.result() == 0, "it is on its way already"
        night.server.answering.set()
        assert first.result() == 1
    for _ in range(4):
        night.stack.clock.pass_time(minutes=10)
        assert _deliver(night) == 0
    assert night.server.arrived.total() == came + 1


def _deliver(night: Night) -> int:
    sender = sender_for(night.stack.instance.settings, night.stack.instance.outbox)
    return post.deliver(night.stack.instance, night.db, sender)
