"""What people do while something fails, and what the portal told them it has: only that must be there afterwards."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from tests.faults.clients import Answer, Client, Fields, Tally, filled, form_at
from tests.faults.server import PATIENCE, slowed
from tests.faults.world import Leader

T = TypeVar("T")
PAGES_AT_MOST = 10
OFTEN_ENOUGH = 40
STUBBORN = 10 * PATIENCE
"""Seconds for which they try: while processes are killed all the time, something long takes many tries."""


@dataclass
class Acknowledged:
    """What was answered with success; filled by many threads."""

    submitted: dict[tuple[UUID, UUID], str] = field(default_factory=dict)
    """By participation and session, the words that were sent."""
    booked: dict[UUID, UUID] = field(default_factory=dict)
    """By session, who booked it."""


def give_feedback(client: Client, leader: Leader, session_id: UUID, words: str, known: Acknowledged) -> None:
    """Walk through the questions on a session and send them."""
    start = leader.feedback(session_id)
    page = client.follow(client.get(start))
    for number in range(1, PAGES_AT_MOST):
        if f'action="{start}/submit"' in page.body:
            break
        answer = client.post(f"{start}/{number}", filled(form_at(page, f"{start}/{number}"), words=words))
        assert answer.status == 303, f"{answer.status}: {' '.join(answer.tree.itertext())[:800]}"
        page = client.follow(answer)
    sent = client.post(f"{start}/submit", filled(form_at(page, f"{start}/submit"), words=words))
    assert (sent.status, sent.location) == (303, f"{start}/receipt")
    known.submitted[leader.participation_id, session_id] = words


def book(client: Client, leader: Leader, known: Acknowledged, chance: random.Random) -> UUID:
    """Choose any time of the list and book it; another one where somebody was quicker."""
    for _ in range(OFTEN_ENOUGH):
        page = client.get(leader.times)
        form = form_at(page, leader.times)
        times = [box.get("value") for box in form.iter("input") if box.get("name") == "time"]
        answer = client.post(leader.times, filled(form, words="", chosen={"time": chance.choice(times)}))
        if answer.status == 303:
            session_id = UUID(urlsplit(answer.location).path.split("/")[2])
            known.booked[session_id] = leader.id
            return session_id
        assert answer.status == 409, f"{answer.status}: {' '.join(answer.tree.itertext())[:800]}"
    raise AssertionError("others are always quicker")


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """All acts in threads that are let go together; what each gave, in order."""
    start = threading.Barrier(len(acts), timeout=PATIENCE)

    def run(act: Callable[[], T]) -> T:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


Post = tuple[Client, str, Fields]
"""A browser, where its form goes, and what is in it."""


def sent_at_once(posts: Sequence[Post]) -> list[Answer]:
    """All these forms, let go together; their answers, in order."""
    return at_once([partial(client.post, path, fields) for client, path, fields in posts])


@dataclass
class Crowd:
    """So many people at once who give feedback on all their sessions, and book some."""

    port: int
    leaders: Sequence[Leader]
    bookings: int
    seed: int
    threads: int = 16
    tally: Tally = field(default_factory=Tally)
    known: Acknowledged = field(default_factory=Acknowledged)

    def work(self) -> None:
        """Until everybody is through."""
        with self.at_work():
            pass

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """They are at work within the block, and through at its end; where it fails, they stop."""
        with ThreadPoolExecutor(self.threads) as threads, self.tally:
            through = [threads.submit(self._one, number) for number in range(len(self.leaders))]
            yield
            for one in as_completed(through):
                one.result()

    def _one(self, number: int) -> None:
        leader, chance = self.leaders[number], random.Random(f"{self.seed} {number}")
        client = Client(self.port, leader.cookie, self.tally, patience=STUBBORN)
        share = len(range(number, self.bookings, len(self.leaders)))
        acts: list[UUID | None] = [*leader.held, *[None] * share]
        chance.shuffle(acts)
        for act in acts:
            if act is None:
                book(client, leader, self.known, chance)
            else:
                give_feedback(client, leader, act, f"Said by {number} about {act}", self.known)


def within(seconds: float, holds: Callable[..., bool]) -> bool:
    """Whether it comes to hold in so many seconds of a machine that does nothing else."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds * slowed():
            return False
        time.sleep(0.05)
    return True
