"""Row 2: everything is killed at once and started again, while people send answers and book."""

import pytest

from tests.conftest import Stack
from tests.counts import count
from tests.faults.checks import nothing_lost
from tests.faults.databases import on
from tests.faults.doings import Crowd, within
from tests.faults.server import PATIENCE, Server, slowed
from tests.faults.world import World, fill

LEADERS, HELD, BOOKINGS = count(10, 100), count(4, 20), count(10, 500)
RESTARTS = count(1, 5)
READY_SECONDS = 10
"""On a machine that does nothing else."""

pytestmark = on("sqlite")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=LEADERS, held=HELD)


def test_row_02_everything_is_killed_and_started_again(world: World) -> None:
    took = []
    with Server(world.stack) as server:
        crowd = Crowd(server.port, world.leaders, BOOKINGS, seed=2)
        with crowd.at_work():
            for number in range(RESTARTS):
                goal = LEADERS * HELD * (number + 1) // (RESTARTS + 1)
                assert within(PATIENCE, lambda goal=goal: len(crowd.known.submitted) >= goal)
                server.kill_everything()
                took.append(server.start())
    print(f"ready again after {took} seconds; {dict(crowd.tally.statuses)}; broke: {dict(crowd.tally.broke)}")
    assert max(took) < READY_SECONDS * slowed()
    assert (len(crowd.known.submitted), len(crowd.known.booked)) == (LEADERS * HELD, BOOKINGS)
    nothing_lost(world, crowd.known)
