"""Row 1: processes are killed, one after the other, while people send answers and book."""

import random
import threading

import pytest

from tests.conftest import Stack
from tests.counts import count
from tests.faults.checks import nothing_lost
from tests.faults.databases import on
from tests.faults.doings import Crowd
from tests.faults.server import Server
from tests.faults.world import World, fill

LEADERS, HELD, BOOKINGS = count(10, 100), count(4, 20), count(10, 500)
KILLS = count(5, 100_000)
EVERY_SECONDS = 0.25

pytestmark = on("postgresql")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=LEADERS, held=HELD)


class Killer:
    """Kills one process of a server, whichever, after each quarter of a second in which it served."""

    def __init__(self, server: Server, *, seed: int, at_most: int) -> None:
        self.server, self.at_most, self.chance = server, at_most, random.Random(seed)
        self.kills = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while self.kills < self.at_most and not self._done.is_set():
            # Killed before they served anybody, nothing would be under way.
            if self.server.answers(seconds=1) and not self._done.wait(EVERY_SECONDS):
                self.server.kill(self.chance.choice(self.server.children()))
                self.kills += 1


def test_row_01_processes_are_killed_while_people_send_and_book(world: World) -> None:
    with Server(world.stack) as server:
        crowd = Crowd(server.port, world.leaders, BOOKINGS, seed=1)
        with Killer(server, seed=1, at_most=KILLS) as killer:
            crowd.work()
        server.wait_ready()
    print(f"{killer.kills} kills; {dict(crowd.tally.statuses)}; broke: {dict(crowd.tally.broke)}")
    assert killer.kills >= count(3, 50)
    assert (len(crowd.known.submitted), len(crowd.known.booked)) == (LEADERS * HELD, BOOKINGS)
    nothing_lost(world, crowd.known)
