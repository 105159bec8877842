"""Counting with every core: a stretch of people for each, in a process of its own.

What is counted is a Counter, however many people there are, so what comes back is small. Each child has its own
connections and its own view of the data, a moment apart; nobody is in two stretches. Only a process without other
threads divides itself, such as a command: a lock that another thread holds would be held in the child for ever.
"""

import gc
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from typing import TypeVar

from sqlalchemy.orm import Session as DbSession

from privacy.columns import keys_of
from privacy.engines import open_engine

T = TypeVar("T")
Task = Callable[[DbSession, bytes, bytes], Counter[T]]
"""Counts those whose id lies from one to another, both included, as 16 bytes."""

WORTH_IT = 20_000
"""From so many people on a second process saves more than it costs."""


class HandLost(Exception):
    """A child process ended without its count."""


def counted(db: DbSession, task: "Task[T]", *, people: int) -> "Counter[T]":
    """The whole count, by this process alone or by as many as there are cores."""
    hands = cores() if people >= WORTH_IT and threading.active_count() == 1 else 1
    shares = stretches(hands)
    if hands > 1:
        _let_go(db)
    children = [_Child(db, task, *stretch) for stretch in shares[1:]]
    with _uncollected():
        whole = task(db, *shares[0])
    for child in children:
        whole += child.count()
    return whole


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: whoever counts makes none, and would look through all people again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def cores() -> int:
    """How many processes this machine lets run beside each other."""
    return len(os.sched_getaffinity(0))


def _let_go(db: DbSession) -> None:
    """Close every connection: one that is open while a process divides itself makes SQLite forget its locks."""
    db.rollback()
    for engine in (db.get_bind().engine, keys_of(db).vault.engine):
        engine.dispose()


def stretches(number: int) -> list[tuple[bytes, bytes]]:
    """All ids in so many stretches; ids are random, so as many people are in each."""
    bounds = [(place << 128) // number for place in range(number + 1)]
    return [(low.to_bytes(16, "big"), (high - 1).to_bytes(16, "big")) for low, high in pairwise(bounds)]


class _Child:
    """One stretch, counted in a copy of this process."""

    def __init__(self, db: DbSession, task: "Task[T]", first: bytes, last: bytes) -> None:
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe(duplex=False)
        self._process = fork.Process(target=_count, args=(theirs, db, task, first, last))
        self._process.start()
        theirs.close()

    def count(self) -> "Counter[T]":
        try:
            found: Counter[T] = self._pipe.recv()
        except EOFError:
            raise HandLost("a process that counted ended before it was done") from None
        finally:
            self._process.join()
        return found


def _count(pipe: Pipe, db: DbSession, task: "Task[T]", first: bytes, last: bytes) -> None:
    """In the child: connections of its own, never the parent's, which are its too until it ends."""
    # What it has from the parent is shared until it is touched, and a collection would touch all of it.
    gc.disable()
    vault = keys_of(db).vault
    own = vault.elsewhere(open_engine(vault.engine.url.render_as_string(hide_password=False)))
    engine = open_engine(db.get_bind().engine.url.render_as_string(hide_password=False))
    with DbSession(engine, info={"vault": own}) as session:
        pipe.send(task(session, first, last))
    pipe.close()
