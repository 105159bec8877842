"""Row 6: no room on the disk while people send answers. What was acknowledged is there, pages can be read, those who
run the portal are told, and it goes on by itself once there is room."""

from collections.abc import Iterator

import pytest

from privacy import scrub
from tests.conftest import Stack, make_stack
from tests.counts import FULL, count
from tests.faults.checks import nothing_lost
from tests.faults.clients import Client, Tally, filled, form_at
from tests.faults.databases import BOTH
from tests.faults.doings import Crowd, within
from tests.faults.server import PATIENCE, Server
from tests.faults.small_disk import MOUNTS, SmallDisk, postgres_there, small_disk, sqlite_there
from tests.faults.world import fill

LEADERS, HELD = count(15, 100), count(6, 40)
MEGABYTES = {"sqlite": count(16, 96), "postgresql": count(96, 192)}
BEFORE, REFUSED = count(5, 400), 20


@pytest.fixture(scope="module", params=BOTH if FULL and MOUNTS else BOTH[:1])
def disk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SmallDisk, Stack]]:
    """A small disk, and an instance whose databases lie on it."""
    kind, folder = request.param, tmp_path_factory.mktemp("small")
    with small_disk(megabytes=MEGABYTES[kind]) as small:
        if kind == "sqlite":
            yield small, (made := make_stack(folder / "own", sqlite_there(small), synced=True))
            _close(made)
            return
        server: str = request.getfixturevalue("postgres_server")
        with postgres_there(small, server) as environ:
            yield small, (made := make_stack(folder / "own", environ, synced=True))
            _close(made)


def _close(made: Stack) -> None:
    made.close()


def typed(client: Client, page: str) -> int:
    """Write something into a page of questions and save it; what was answered."""
    return client.post(
        page, filled(form_at(client.get(page), page), words="A long “text” & more. " * 40)
    ).status


def test_row_06_the_disk_is_full_while_people_send(disk: tuple[SmallDisk, Stack]) -> None:
    small, stack = disk
    world = fill(stack, leaders=LEADERS + 1, held=HELD)
    # SQLite's log of changes begins anew: one that has grown takes more changes without more room.
    assert scrub.checkpoint(stack.engine)
    reader = world.leaders[-1]
    questions = reader.feedback(reader.held[0])
    with Server(stack) as server, Tally() as tally:
        crowd = Crowd(server.port, world.leaders[:LEADERS], 0, seed=6)
        client = Client(server.port, reader.cookie, tally, patience=0)
        assert typed(client, f"{questions}/1") == 303
        with crowd.at_work():
            assert within(PATIENCE, lambda: len(crowd.known.submitted) > BEFORE)
            with small.full(server):
                assert within(PATIENCE, lambda: crowd.tally.statuses[503] >= REFUSED)
                assert within(PATIENCE, lambda: typed(client, f"{questions}/2") == 503)
                pages = ("/your-support", reader.times, f"{questions}/2")
                assert [client.get(page).status for page in pages] == [200] * len(pages), "reading goes on"
                told = {"/readyz": client.get("/readyz").body, "log": server.said()}
                assert all(words in told[where] for where, words in small.alert.items()), told["/readyz"]
    print(f"{dict(crowd.tally.statuses)}; texts: {dict(crowd.tally.texts)}")
    assert crowd.tally.failures.keys() == {503}
    assert not crowd.tally.unread
    assert tally.texts == {"kept": 1}
    assert "lost" not in crowd.tally.texts
    assert not crowd.tally.broke
    assert len(crowd.known.submitted) == LEADERS * HELD, "and it goes on without a restart"
    nothing_lost(world, crowd.known)
