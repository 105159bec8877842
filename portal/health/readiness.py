"""Whether the portal can take what people send it: each part tried out, nothing left behind, nothing personal said."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.health.disk import Disks, Room
from portal.instance import Instance, InstanceFault, open_canary
from portal.mailing import post
from portal.models import InstanceFact, Mail
from privacy.clock import ticks
from privacy.errors import KeyFault
from privacy.keystore import RING_KEY
from privacy.outages import outage
from privacy.transactions import writing
from privacy.work import Work, unit_of_work

ACTOR = "system:health"
WAITS_AT_MOST = 2.0
"""Seconds for which others may be writing before the database counts as busy."""
OVERDUE = timedelta(minutes=30)

FRESH_SECONDS = 1.0

log = structlog.get_logger("health")

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Part:
    """One part; `trouble` is a word or two for those who run the portal, None where all is well."""

    name: str
    trouble: str | None


class _UndoneOnPurpose(Exception):
    pass


def look(instance: Instance, sessions: Sessions, disks: Disks) -> list[Part]:
    """Every part, tried out now."""
    return [
        _tried("database", lambda: _write(instance, sessions)),
        _tried("key store", lambda: _open(instance, sessions)),
        _tried("outbox", lambda: _late(sessions, now=instance.clock())),
        Part("disk", "no room is left" if disks.room() is Room.NONE else None),
    ]


class Readiness:
    """The parts as they were a moment ago: however often they are asked for, they are tried out once a second."""

    def __init__(self, instance: Instance, sessions: Sessions, disks: Disks) -> None:
        self._look: Callable[[], list[Part]] = partial(look, instance, sessions, disks)
        self._lock = threading.Lock()
        self._parts: list[Part] = []
        self._looked_at = -FRESH_SECONDS

    def parts(self) -> list[Part]:
        """Every part; what has trouble is in the log, too."""
        with self._lock:
            if ticks() >= self._looked_at + FRESH_SECONDS:
                self._parts = self._look()
                self._looked_at = ticks()
                troubles = {part.name: part.trouble for part in self._parts if part.trouble}
                if troubles:
                    log.error("portal.not_ready", parts=troubles)
            return self._parts


def _tried(name: str, act: Callable[[], str | None]) -> Part:
    try:
        return Part(name, act())
    except (KeyFault, InstanceFault):
        return Part(name, "the keys do not open the data")
    except Exception as error:  # noqa: BLE001 - whatever it is, this part does not work
        return Part(name, outage(error) or "failed")


def _write(instance: Instance, sessions: Sessions) -> None:
    with sessions() as db, suppress(_UndoneOnPurpose), _writes(db, instance) as work:
        work.db.execute(update(InstanceFact).values(name=InstanceFact.name))
        raise _UndoneOnPurpose


def _writes(db: DbSession, instance: Instance) -> AbstractContextManager[Work]:
    return unit_of_work(db, instance.clock, ACTOR, frozen_too=True, patience=WAITS_AT_MOST)


def _open(instance: Instance, sessions: Sessions) -> None:
    with sessions() as db:
        open_canary(db)
    with suppress(_UndoneOnPurpose), writing(instance.vault.engine) as connection:
        connection.execute(update(RING_KEY).values(id=RING_KEY.c.id))
        raise _UndoneOnPurpose


def _late(sessions: Sessions, *, now: datetime) -> str | None:
    with sessions() as db:
        since = oldest_due(db, now=now)
    if since is None or since > now - OVERDUE:
        return None
    return f"mail waits for {(now - since) // timedelta(minutes=1)} minutes: is a worker running?"


def oldest_due(db: DbSession, *, now: datetime) -> datetime | None:
    """Since when the mail waits that should have gone first; None where none is due that may go."""
    return db.scalar(select(func.min(Mail.due_at)).where(*post.due(db, now=now)))
