"""How much mail a whole package makes: ten sessions and every questionnaire, the worker's own passes, a set clock.

The leader is the kind that makes most: they answer each questionnaire on its last day, so every reminder goes, and
let their mentor offer times before they book. What a mail server is given is counted, by kind and week.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import windows
from portal.booking import acts as bookings
from portal.booking import choices, delivery, offers
from portal.booking.delivery import Outcome
from portal.cases import notice_watch, suspicions
from portal.groups import watch
from portal.mailing import day_ahead, gathering, post, reminders
from portal.mentors import clearance_mails
from portal.models import Offer, Package, PackageState, Participation, Place
from portal.packages import acts as packages
from portal.packages import endings
from portal.registers import access_mails, audit_heads
from privacy.clock import MissingTime, london_date, wall
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.sittings import Asking
from surveys.standings import standings
from tests.conftest import SetClock, Stack
from tests.counts import FULL
from tests.crowd import whole_answers
from tests.factories import Factory

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SESSIONS, EVERY = 10, timedelta(days=21)
OFFERED = (0, 5)
"""Before these sessions the mentor offers times by mail."""
NOON = 12
HOURS = range(24) if FULL else (9, NOON)
"""When the worker looks, each day, and at noon what the two of them do is done."""
PASSES: tuple[Callable[..., object], ...] = (reminders.run, day_ahead.run, watch.run)
if FULL:
    PASSES = (
        suspicions.run,
        notice_watch.run,
        access_mails.run,
        *PASSES,
        clearance_mails.run,
        audit_heads.run,
    )
AT_MOST = 35
UNNEUTRAL = re.compile(
    r"question|survey|answer|baseline|interim|feedback|score|confiden|verdict", re.IGNORECASE
)


@dataclass
class Tray:
    """A mail server that keeps what it was given for one address, with the moment."""

    address: str = ""
    sent: list[tuple[datetime, str, EmailMessage]] = field(default_factory=list)

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        if self.address in str(message["To"]):
            read = message_from_bytes(message.as_bytes(), policy=policy.default)
            self.sent.append((at, kind_of(read), read))

    def days(self, kind: str) -> list[date]:
        return [london_date(at) for at, what, _ in self.sent if what == kind]


def kind_of(message: EmailMessage) -> str:
    if any(part.get_content_type() == "text/calendar" for part in message.walk()):
        return "calendar"
    return "day before" if str(message["Subject"]).startswith(("Tomorrow", "Today")) else "other"


@dataclass
class World:
    """A leader, a mentor and their package, as time goes on."""

    stack: Stack
    db: DbSession
    package_id: UUID
    mentor_id: UUID
    tray: Tray
    held: int = 0
    coming: UUID | None = None
    ended: bool = False

    @property
    def now(self) -> datetime:
        return self.stack.clock()

    def act(self, act: Callable[[Work], object]) -> None:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            act(work)

    def package(self) -> Package:
        self.db.rollback()
        return self.db.get_one(Package, self.package_id)

    def worker(self) -> None:
        """What the worker does in a minute; in the sample, what of it writes to leaders."""
        self.db.rollback()
        sessions = partial(DbSession, self.stack.engine, info={"vault": self.stack.instance.vault})
        with self.stack.app.app_context():
            for passes in PASSES:
                passes(self.stack.instance, sessions)
        while post.deliver(self.stack.instance, sessions, self.tray):
            pass

    def acts(self) -> bool:
        """What the two of them do at noon; whether they did anything."""
        return bool(self.answer_what_closes()) | bool(self.go_on())

    def answer_what_closes(self) -> int:
        """The leader answers at noon of the last day; the baseline, which has none yet, after nine days."""
        part = self.package().participations[0]
        parts: list[Participation] = [part]
        programme, answered = self.stack.instance.programme, 0
        for one in windows.openings(self.db, programme, parts, now=self.now):
            stand = standings(self.db, [part.id]).get((part.id, one.wave, one.occasion))
            if one.wave is Wave.FEEDBACK or self.now not in one.window or (stand and stand.submitted_at):
                continue
            due = one.window.last_day if one.wave is not Wave.BASELINE else date(2023, 3, 10)
            if london_date(self.now) >= due:
                asking = Asking(
                    respondent_id=part.id, wave=one.wave, occasion=one.occasion, role=part.role.value
                )
                answers = whole_answers(one.wave, part.role.value)
                self.act(partial(responses.submit_answers, asking=asking, answers=answers, mode=Mode.SELF))
                answered += 1
        return answered

    def go_on(self) -> bool:
        """Record what was held, book what comes next, end after the last."""
        part_id = self.package().participations[0].id
        if self.ended or part_id not in responses.submitted(self.db, [part_id], Wave.BASELINE):
            return False
        if self.coming is not None:
            if self.now < self.starts_at + timedelta(hours=2):
                return False
            self.record(self.coming)
        if self.held < SESSIONS:
            self.book()
        else:
            self.end()
        return True

    def record(self, session_id: UUID) -> None:
        programme = self.stack.instance.programme
        record: dict[str, Any] = {"session_id": session_id, "outcome": Outcome.HELD, "minutes": 240}
        self.act(lambda work: delivery.record(work, programme, **record))
        self.held, self.coming = self.held + 1, None

    def end(self) -> None:
        programme = self.stack.instance.programme
        end: dict[str, Any] = {"package_id": self.package_id, "on": london_date(self.now)}
        self.act(lambda work: endings.end(work, programme, **end))
        self.ended = True

    def book(self) -> None:
        programme, session_id = self.stack.instance.programme, new_id()
        after = self.now + EVERY - timedelta(days=1)
        free = choices.times(self.db, programme, self.package(), now=self.now, limit=3, after=after)
        starts = [one.starts_at for one in free]
        self.starts_at, self.coming = starts[0], session_id
        if self.held not in OFFERED:
            book: dict[str, Any] = {
                "package_id": self.package_id,
                "session_id": session_id,
                "mentor_id": self.mentor_id,
            }
            self.act(
                lambda work: bookings.book(work, programme, **book, starts_at=starts[0], place=Place.REMOTE)
            )
            return
        whose: dict[str, Any] = {"package_id": self.package_id, "mentor_id": self.mentor_id}
        self.act(lambda work: offers.offer(work, programme, **whose, starts=starts, place=Place.REMOTE))
        self.worker()
        chosen = self.db.scalars(select(Offer.id).where(Offer.starts_at == starts[0])).one()
        self.act(lambda work: offers.choose(work, programme, offer_id=chosen, session_id=session_id))


@pytest.fixture
def world(stack: Stack, make: Factory, db: DbSession, clock: SetClock) -> World:
    versions.publish_shipped(db, clock)
    leader, mentor = make.person("Ada Lead"), make.mentor("Mo Mentor")
    package = make.package(
        leader, mentor=mentor, council=make.council("Northshire"), state=PackageState.BASELINE
    )
    assert leader.email is not None
    made = World(stack, db, package.id, mentor.id, Tray(leader.email))
    made.act(partial(packages.invite, package_id=package.id))
    return made


# What is mailed when rests on the rules; that both databases find it alike is shown for each rule alone.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_ten_sessions_make_few_mails(world: World, clock: SetClock) -> None:
    while (day := london_date(clock())) < date(2024, 2, 1):
        for hour in HOURS:
            with suppress(MissingTime):
                clock.now = max(clock.now, wall(day, hour * 60 + 1))
            acted = hour == NOON and world.acts()
            if FULL or acted or hour != NOON:
                world.worker()
        clock.now = wall(day + timedelta(days=1), 1)
    tray = world.tray
    kinds = Counter(kind for _, kind, _ in tray.sent)
    print(f"{len(tray.sent)} mails to the leader: {dict(kinds)}")
    assert world.ended
    assert (kinds["calendar"], kinds["day before"]) == (SESSIONS, SESSIONS)
    others = tray.days("other")
    assert others, "the leader was invited and reminded"
    for one in others:
        week = [each for each in others if one <= each < one + timedelta(days=gathering.DAYS)]
        assert len(week) <= 2, week
    assert len(tray.sent) < AT_MOST, kinds


def test_no_subject_says_that_something_is_asked() -> None:
    """An assistant reads them."""
    subjects = {
        path.stem: str(message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"])
        for path in GOLDEN.glob("*.eml")
    }
    assert len(subjects) > 20
    assert {name: text for name, text in subjects.items() if UNNEUTRAL.search(text)} == {}
