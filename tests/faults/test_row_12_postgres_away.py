"""Row 12: PostgreSQL is restarted, then lost for good and its standby takes over, while people send and book."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.models import Mail, MailState
from tests.conftest import Stack, make_stack
from tests.counts import count
from tests.faults.checks import nothing_lost
from tests.faults.clients import Client, NotAnswered, Tally
from tests.faults.doings import Crowd, within
from tests.faults.server import PATIENCE, Server, slowed
from tests.faults.two_servers import Pair, two_servers
from tests.faults.world import World, fill

LEADERS, HELD, BOOKINGS = count(8, 60), count(4, 12), count(8, 150)
RESTARTS = count(1, 5)
LOOK_EVERY = count(1, 10) / 20
"""Seconds; as often as an account may ask that also takes part."""
SOON = 3
"""Seconds in which it has to be back by itself, on a machine that does nothing else."""


@pytest.fixture
def pair() -> Iterator[Pair]:
    with two_servers() as made:
        for name in ("portal", "keystore"):
            made.first.ask(f"create database {name}")
        yield made


@pytest.fixture
def world(pair: Pair, tmp_path: Path) -> Iterator[World]:
    environ = {"DATABASE_URL": pair.url("portal"), "KEYSTORE_URL": pair.url("keystore")}
    stack: Stack = make_stack(tmp_path, environ, synced=True)
    filled = fill(stack, leaders=LEADERS, held=HELD)
    pair.follow()
    yield filled
    stack.close()


@dataclass
class Watch:
    """Somebody who looks at their page all the time: when it did not open, and how."""

    port: int
    cookie: str
    looks: int = 0
    failed: list[tuple[float, int]] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join(PATIENCE)

    def _look(self, over: threading.Event) -> None:
        client = Client(self.port, self.cookie, Tally(), patience=0)
        while not over.wait(LOOK_EVERY):
            asked_at = time.monotonic()
            try:
                status = client.get("/your-support").status
            except NotAnswered:
                status = 0
            self.looks += 1
            if status != 200:
                # It counts from when it was asked: an answer may take until the gap is over.
                self.failed.append((asked_at, status))
        client.close()

    @contextmanager
    def gap(self) -> Iterator[None]:
        """While this lasts, the database is away."""
        began = time.monotonic()
        yield
        self.gaps.append((began, time.monotonic()))

    def outside(self) -> list[tuple[float, int]]:
        """What failed at another time than in a gap and the moment after it."""
        soon = SOON * slowed()
        return [
            (at, status)
            for at, status in self.failed
            if not any(began - 1 <= at <= ended + soon for began, ended in self.gaps)
        ]


def test_row_12_restarted_and_failed_over(pair: Pair, world: World) -> None:
    with Server(world.stack, PORTAL_PROCESSES="2") as server:
        crowd = Crowd(server.port, world.leaders, BOOKINGS, seed=12, threads=8)
        watcher = Watch(server.port, world.signs_in(world.leaders[0].id))
        with watcher.on(), crowd.at_work():
            for number in range(RESTARTS):
                _sent(crowd, share=(number + 1) / (RESTARTS + 2))
                with watcher.gap():
                    # In good order and without warning, in turns.
                    pair.first.end((signal.SIGINT, signal.SIGQUIT)[number % 2])
                    pair.first.start()
            _sent(crowd, share=(RESTARTS + 1) / (RESTARTS + 2))
            with watcher.gap():
                pair.first.end(signal.SIGQUIT)
                pair.promote()
        assert within(PATIENCE, lambda: not _waiting(world)), "the worker found the other server too"
    print(
        f"{watcher.looks} looks, {len(watcher.failed)} failed in gaps of "
        f"{[round(ended - began, 1) for began, ended in watcher.gaps]} seconds; "
        f"{dict(crowd.tally.statuses)}; broke: {dict(crowd.tally.broke)}"
    )
    assert (len(crowd.known.submitted), len(crowd.known.booked)) == (LEADERS * HELD, BOOKINGS)
    assert {status for _, status in watcher.failed} <= {503}, "a page that says so, and nothing else"
    assert set(crowd.tally.failures) <= {503}
    assert watcher.outside() == []
    nothing_lost(world, crowd.known)


def _sent(crowd: Crowd, *, share: float) -> None:
    goal = LEADERS * HELD * share
    assert within(2 * PATIENCE, lambda: len(crowd.known.submitted) >= goal)


def _waiting(world: World) -> int:
    """How many mails wait that are due."""
    with world.db() as db:
        due = Mail.due_at <= world.stack.clock()
        return db.scalar(select(func.count()).where(Mail.state == MailState.WAITING, due)) or 0
