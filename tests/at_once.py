"""Several clients at once, each a process of its own with its own engines: only the databases stand between them."""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from psycopg.errors import DeadlockDetected
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking.diary import TimeTaken
from portal.groups import waiting
from portal.groups.sessions import SessionFull
from portal.models import Place
from portal.programme import Programme, load
from privacy import keys
from privacy.clock import Clock
from privacy.engines import open_engine
from privacy.keystore import Vault
from privacy.outages import Outage, outage
from privacy.work import Work, unit_of_work
from tests.conftest import Stack

SECONDS, TRIES = 60, 12
REFUSALS = (TimeTaken, SessionFull)
T = TypeVar("T")


@dataclass(frozen=True)
class Booking:
    """Books a time, outside the hours or not; `form` is the new session's id."""

    package_id: UUID
    mentor_id: UUID
    starts_at: datetime
    form: UUID
    free_time: bool = True

    def __call__(self, work: Work, programme: Programme) -> UUID:
        booked = bookings.book(
            work,
            programme,
            package_id=self.package_id,
            session_id=self.form,
            mentor_id=self.mentor_id,
            starts_at=self.starts_at,
            place=Place.REMOTE,
            free_time=self.free_time,
        )
        return booked.id


@dataclass(frozen=True)
class Moving:
    """Moves a session to any free time."""

    session_id: UUID
    starts_at: datetime

    def __call__(self, work: Work, programme: Programme) -> UUID:
        moved = bookings.move(
            work,
            programme,
            session_id=self.session_id,
            starts_at=self.starts_at,
            place=Place.REMOTE,
            free_time=True,
        )
        return moved.id


@dataclass(frozen=True)
class Promotion:
    """Gives the free places of a session to those who wait for one; how many got one."""

    session_id: UUID

    def __call__(self, work: Work, programme: Programme) -> int:
        return len(waiting.promote(work, programme, session_id=self.session_id))


@dataclass(frozen=True)
class _Place:
    """Where a client finds everything, as it goes to another process."""

    database_url: str
    keystore_url: str
    keys: Path
    programme: Path
    now: datetime

    def clock(self) -> datetime:
        return self.now


def clients(stack: Stack) -> int:
    """How many try at once: as many as each database is promised for."""
    return 16 if stack.engine.dialect.name == "sqlite" else 24


def patiently(db: DbSession, clock: Clock, actor: str, act: Callable[[Work], T]) -> T:
    """What an act gives. Where the database is too busy, as for the last in the queue on a slow machine, the act is
    tried again: people send a form again, and the worker has its next round. A deadlock is an error, once too."""
    for left in reversed(range(TRIES)):
        try:
            with unit_of_work(db, clock, actor) as work:
                return act(work)
        except OperationalError as problem:
            if left == 0 or outage(problem) is not Outage.BUSY or isinstance(problem.orig, DeadlockDetected):
                raise
    raise AssertionError


def in_processes(stack: Stack, acts: Sequence[Callable[[Work, Programme], T]]) -> list[T | type[Exception]]:
    """What each act got, in order: what it gives, or the kind of refusal. All are let go together."""
    # A clean process forks the clients: one with threads or open databases would hand them down.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.at_once"])
    start, answers = context.Barrier(len(acts)), context.SimpleQueue()
    place = _Place(
        stack.engine.url.render_as_string(hide_password=False),
        stack.instance.settings.keystore_url,
        stack.instance.settings.keys,
        stack.instance.programme.path,
        stack.clock(),
    )
    started = [
        context.Process(target=_client, args=(place, start, answers, number, act), daemon=True)
        for number, act in enumerate(acts)
    ]
    for process in started:
        process.start()
    got: dict[int, Any] = dict(answers.get() for _ in started)
    for process in started:
        process.join(SECONDS)
    return [got[number] for number in range(len(acts))]


def _client(place: _Place, start: Barrier, answers: Any, number: int, act: Any) -> None:
    try:
        answers.put((number, _tried(place, start, number, act)))
    except Exception as problem:  # noqa: BLE001 - whatever went wrong is what this client got
        answers.put((number, f"{type(problem).__name__}: {problem}"))


def _tried(place: _Place, start: Barrier, number: int, act: Any) -> Any:
    programme = load(place.programme)
    engine, keystore = open_engine(place.database_url), open_engine(place.keystore_url)
    vault = Vault(keys.load(place.keys), keystore, place.clock)
    try:
        with DbSession(engine, info={"vault": vault}) as db:
            db.execute(select(1))
            db.rollback()
            start.wait(SECONDS)
            try:
                return patiently(db, place.clock, f"person:{number}", lambda work: act(work, programme))
            except REFUSALS as problem:
                return type(problem)
    finally:
        engine.dispose()
        keystore.dispose()
