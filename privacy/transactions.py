"""How a transaction that will write begins: on SQLite IMMEDIATE, so that it waits at its start, not half-way.

SQLite's busy handler sleeps instead of queuing: two writers of one process that wait in it make the slow tail. So the
writers of a process queue at a lock of its own, where the next one goes at once (one for each engine), and only the
first of them asks the database, where other processes may be before it. However often it queues, a writer waits as
long as its patience lasts, and no longer.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary, WeakMethod

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

WRITE = "portal_write"
"""The execution option by which the SQLite engine knows that a transaction must begin IMMEDIATE. Its value is for how
many seconds it may wait for other processes."""
ALONE = "portal_alone"
"""The execution option of a connection to SQLite that reads by one statement: it needs no transaction around it."""
PATIENCE = 5.0
"""Seconds that a write waits for its turn, in all."""

_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_turns_lock = threading.Lock()
# By weak methods: whoever is told may have the engine, which would then be kept for ever by its own entry.
_told: WeakKeyDictionary[Engine, list[WeakMethod[Callable[[], object]]]] = WeakKeyDictionary()


class TurnNotCome(Exception):
    """Others of this process had what only one has at a time, all the while."""


@contextmanager
def turn(engine: Engine, *, patience: float = PATIENCE) -> Iterator[float]:
    """This thread's turn to write; yields how many seconds of its patience are left. After it, `after_each` is told.

    Raises OperationalError, as the database itself does, where the turn did not come in time. On PostgreSQL, which has
    queues of its own, everybody goes at once.
    """
    if engine.dialect.name != "sqlite":
        yield patience
        return
    with _turns_lock:
        lock = _turns.setdefault(engine, threading.Lock())
    ends = time.monotonic() + patience
    if not lock.acquire(timeout=patience):
        raise OperationalError("BEGIN IMMEDIATE", None, TurnNotCome())
    try:
        yield max(ends - time.monotonic(), 0.0)
    finally:
        lock.release()
        for told in _told.get(engine, ()):
            if (tell := told()) is not None:
                tell()


def after_each(engine: Engine, tell: Callable[[], object]) -> None:
    """Have `tell`, a method, called in a writer's thread, each time that its turn is over and the next writer may go;
    as long as something else keeps what it belongs to."""
    _told.setdefault(engine, []).append(WeakMethod(tell))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for one statement or several that need not see the same moment: without a transaction, whose
    beginning and end would each be a way to the server and back."""
    alone = {ALONE: True} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect() as connection:
        yield connection.execution_options(**alone)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that writes: committed at the end, rolled back when the block raises."""
    with turn(engine) as left, engine.connect() as connection:
        chosen = connection.execution_options(**{WRITE: left})
        with chosen.begin():
            yield chosen
