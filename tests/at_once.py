"""Several clients at once, each a process of its own with its own engines: only the databases stand between them."""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking.diary import TimeTaken
from portal.groups.sessions import SessionFull
from portal.models import Place
from portal.programme import Programme, load
from privacy import keys
from privacy.engines import open_engine
from privacy.keystore import Vault
from privacy.work import Work, unit_of_work
from tests.conftest import Stack

SECONDS, TRIES = 60, 12
REFUSALS = (TimeTaken, SessionFull)
Got = UUID | type[Exception]
Act = Callable[[Work, Programme], UUID]


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


def in_processes(stack: Stack, acts: Sequence[Act]) -> list[Got]:
    """What each act got, in order: an id, or the kind of refusal. All are let go together."""
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


def _client(place: _Place, start: Barrier, answers: Any, number: int, act: Act) -> None:
    try:
        answers.put((number, _tried(place, start, number, act)))
    except Exception as problem:  # noqa: BLE001 - whatever went wrong is what this client got
        answers.put((number, f"{type(problem).__name__}: {problem}"))


def _tried(place: _Place, start: Barrier, number: int, act: Act) -> Got:
    programme = load(place.programme)
    engine, keystore = open_engine(place.database_url), open_engine(place.keystore_url)
    vault = Vault(keys.load(place.keys), keystore, place.clock)
    try:
        with DbSession(engine, info={"vault": vault}) as db:
            db.execute(select(1))
            db.rollback()
            start.wait(SECONDS)
            for _ in range(TRIES):
                try:
                    with unit_of_work(db, place.clock, f"person:{number}") as work:
                        return act(work, programme)
                except REFUSALS as problem:
                    return type(problem)
                except OperationalError as problem:
                    # On a slow machine the last in the queue waits too long, and sends the same form again.
                    waited = problem
            raise waited
    finally:
        engine.dispose()
        keystore.dispose()
