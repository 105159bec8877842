"""Row 5: another process holds the write lock. Who meets its last three seconds waits; who would wait longer is told
so, and keeps what they typed."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape

import pytest
from sqlalchemy import func, select

from portal.models import Session, SessionState
from tests.conftest import Stack
from tests.faults.checks import nothing_lost
from tests.faults.clients import Client, Tally, filled, form_at
from tests.faults.databases import on
from tests.faults.doings import Acknowledged, Post, sent_at_once
from tests.faults.locks import held
from tests.faults.server import Server
from tests.faults.world import Leader, World, fill

SHORT, LONG = 3, 12
MANY = 3
"""As many at once as one process serves."""
TOLD_WITHIN = 7
"""Seconds: the patience of a write, and some for a busy machine."""

pytestmark = on("sqlite")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=2 * MANY + 1, held=1)


def words(leader: Leader) -> str:
    return f"Typed by {leader.id} & kept"


def last_pages(leaders: Sequence[Leader], port: int, tally: Tally) -> list[Post]:
    """The last page of questions of each of them, with something long typed into it."""
    posts: list[Post] = []
    for leader in leaders:
        client, start = Client(port, leader.cookie, tally, patience=0), leader.feedback(leader.held[0])
        client.post(f"{start}/1", filled(form_at(client.get(f"{start}/1"), f"{start}/1"), words=""))
        form = form_at(client.get(f"{start}/2"), f"{start}/2")
        posts.append((client, f"{start}/2", filled(form, words=words(leader))))
    return posts


def bookings(leaders: Sequence[Leader], port: int, tally: Tally) -> list[Post]:
    """A time to book for each of them, no two alike."""
    posts: list[Post] = []
    for number, leader in enumerate(leaders):
        client = Client(port, leader.cookie, tally, patience=0)
        form = form_at(client.get(leader.times), leader.times)
        times = [box.get("value") for box in form.iter("input") if box.get("name") == "time"]
        posts.append((client, leader.times, filled(form, words="", chosen={"time": times[8 * number]})))
    return posts


def test_row_05_the_write_lock_is_held_for_twelve_seconds(world: World) -> None:
    known = Acknowledged()
    first, second, reader = world.leaders[:MANY], world.leaders[MANY : 2 * MANY], world.leaders[-1]
    with Server(world.stack) as server, Tally() as tally, ThreadPoolExecutor(1) as beside:
        typed, booked = last_pages(first, server.port, tally), bookings(second, server.port, tally)
        reading = Client(server.port, reader.cookie, tally, patience=0)
        with held(world.stack.instance.settings.database_url):
            began = time.monotonic()
            told = sent_at_once(typed)
            assert time.monotonic() - began < TOLD_WITHIN
            for answer, leader in zip(told, first, strict=True):
                assert answer.status == 503
                assert escape(words(leader)) in answer.body, "what was typed stands on the page"
            assert reading.get("/your-support").status == 200, "reading goes on"
            time.sleep(max(0.0, LONG - SHORT - (time.monotonic() - began)))
            waiting = beside.submit(sent_at_once, booked)
            time.sleep(SHORT)
        assert [answer.status for answer in waiting.result()] == [303] * MANY
        for (client, path, fields), leader in zip(typed, first, strict=True):
            check = client.follow(client.post(path, fields))
            send = f"{leader.feedback(leader.held[0])}/submit"
            assert client.post(send, filled(form_at(check, send), words="")).status == 303
            known.submitted[leader.participation_id, leader.held[0]] = words(leader)
    assert tally.failures == {503: MANY}
    nothing_lost(world, known)
    with world.db() as db:
        asked = select(func.count()).where(Session.state == SessionState.BOOKED)
        assert db.scalar(asked) == MANY
