"""Backups of this instance: made by hand or by the worker, restored into an empty one, and drilled.

What is specific to the portal about a restore stands here: sign-ins end, mail is held until somebody releases it,
and calendars must not take what comes next for something old (RFC 5546 SEQUENCE).
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import structlog
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as DbSession

from portal.desk.shifts import Shifts
from portal.instance import Instance, open_canary
from portal.models import BrowserSession, InstanceFact, Session, SignIn
from portal.settings import Backups, Settings
from privacy import backup, backup_records, backup_restore
from privacy.backup import Keep, Made, Plan
from privacy.backup_postgres import scratch_database
from privacy.backup_records import BackupRun, RunKind
from privacy.backup_restore import Restored, Target
from privacy.certificates import PrivateKey, read_certificates
from privacy.clock import CLOCKS_DIFFER, Clock
from privacy.engines import sqlite_url
from privacy.keys import KeyRing
from privacy.progress import NamedProgress, silent
from privacy.scratch import scratch
from privacy.work import Work, unit_of_work

ACTOR = "system:backup"
SEQUENCE_STEP = 1000
"""More changes of one session than can have been lost: the next calendar mail is newer than any that went."""
AGAIN_AFTER = timedelta(minutes=10)

log = structlog.get_logger("backup")

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Order:
    """Where a backup goes, whom it is sealed to, and what is kept beside it (None: everything)."""

    folder: Path
    certificates: Sequence[Path]
    keep: Keep | None = None
    keep_keys: Keep | None = None


class _Timed:
    """Notes what was done, with the time it took."""

    def __init__(self, instance: Instance, sessions: Sessions, kind: RunKind) -> None:
        self._instance = instance
        self._sessions = sessions
        self._kind = kind
        self._began_at = instance.clock()
        self._began = perf_counter()

    def note(
        self,
        name: str | None,
        *,
        folder: Path,
        rows: int | None = None,
        size: int | None = None,
        trouble: str | None = None,
    ) -> None:
        with self._sessions() as db, unit_of_work(db, self._instance.clock, ACTOR, frozen_too=True) as work:
            backup_records.note(
                work,
                self._kind,
                name=name,
                folder=folder,
                began_at=self._began_at,
                seconds=perf_counter() - self._began,
                rows=rows,
                size=size,
                trouble=trouble,
            )


def create(instance: Instance, sessions: Sessions, order: Order, *, tell: NamedProgress = silent) -> Made:
    """Make a backup and note it. Raises what `privacy.backup.create` raises, and CertificateUnusable."""
    timed = _Timed(instance, sessions, RunKind.BACKUP)
    try:
        plan = _plan(instance, sessions, order)
        made = backup.create(order.folder, plan, instance.vault, clock=instance.clock, tell=tell)
    except Exception as error:
        timed.note(None, folder=order.folder, trouble=type(error).__name__)
        raise
    data = made.data
    timed.note(data.name, folder=order.folder, rows=sum(data.rows.values()), size=data.envelope.plain_bytes)
    return made


def _plan(instance: Instance, sessions: Sessions, order: Order) -> Plan:
    with sessions() as db:
        fact_id = db.scalars(select(InstanceFact.id)).one()
    return Plan(
        contract=instance.programme.reference,
        database_url=instance.settings.database_url,
        instance=fact_id,
        scratch=instance.settings.instance / "scratch",
        certificates=read_certificates(order.certificates, now=instance.clock()),
        keep=order.keep,
        keep_keys=order.keep_keys,
        programs=instance.settings.postgres_programs,
    )


# ---- Kept how long


@dataclass(frozen=True)
class LastCopies:
    """The days by which backups no longer hold what is erased on a day: `shut`, when no kept backup of the key
    store opens it any more, and `gone`, when the last backup of the data with it is overwritten."""

    shut: date
    gone: date


def last_copies(asked: Backups | None, *, on: date) -> LastCopies | None:
    """For backups that the worker makes; None where it makes none: whoever makes them knows how long they last."""
    if asked is None:
        return None
    shut, gone = (_kept(keep, asked.every) for keep in (asked.keep_keys, asked.keep))
    return LastCopies(on + min(shut, gone), on + gone)


def _kept(keep: Keep, every: timedelta) -> timedelta:
    """Whole days; what is too old goes with the next backup."""
    lasts = (keep.age or every * (keep.count or 1)) + every
    return timedelta(days=-(-lasts // timedelta(days=1)))


# ---- Restoring


def restore(
    settings: Settings,
    folder: Path,
    key: PrivateKey,
    *,
    clock: Clock,
    schema: str | None,
    name: str | None = None,
    tell: NamedProgress = silent,
) -> Restored:
    """Restore into this instance, which must be empty. Raises what `privacy.backup_restore.restore` raises."""
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = _target(
        settings,
        settings.key_source.load(),
        database_url=settings.database_url,
        keystore_url=settings.keystore_url,
        folder=folder,
        clock=clock,
        schema=schema,
    )
    return backup_restore.restore(folder, key, target, name=name, tell=tell)


def _target(
    settings: Settings,
    ring: KeyRing,
    *,
    database_url: str,
    keystore_url: str,
    folder: Path,
    clock: Clock,
    schema: str | None,
) -> Target:
    return Target(
        database_url=database_url,
        keystore_url=keystore_url,
        ring=ring,
        clock=clock,
        settle=partial(settle, folder=folder, began_at=clock(), began=perf_counter()),
        check=open_canary,
        schema=schema,
        programs=settings.postgres_programs,
    )


def settle(
    work: Work, *, name: str, rows: int, size: int, folder: Path, began_at: datetime, began: float
) -> None:
    """End every sign-in, hold the mail, raise every SEQUENCE, and note the restore."""
    work.db.execute(update(BrowserSession).where(BrowserSession.ended_at.is_(None)).values(ended_at=work.now))
    work.db.execute(update(SignIn).where(SignIn.used_at.is_(None)).values(used_at=work.now))
    work.db.execute(update(Session).values(sequence=Session.sequence + SEQUENCE_STEP))
    backup_records.note(
        work,
        RunKind.RESTORE,
        name=name,
        folder=folder,
        began_at=began_at,
        seconds=perf_counter() - began,
        rows=rows,
        size=size,
    )


def drill(
    instance: Instance,
    sessions: Sessions,
    folder: Path,
    key: PrivateKey,
    *,
    schema: str | None,
    name: str | None = None,
    tell: NamedProgress = silent,
) -> Restored:
    """Restore in a scratch place, check everything, remove it, and note how long it took.

    The live key store is not used: what a drill shows is that the backups alone suffice. Raises as `restore` does.
    """
    timed = _Timed(instance, sessions, RunKind.DRILL)
    settings = instance.settings
    try:
        with ExitStack() as stack:
            own = stack.enter_context(scratch(settings.instance / "scratch"))
            url = settings.database_url
            if make_url(url).get_backend_name() == "sqlite":
                url = sqlite_url(own / "drill.sqlite")
            else:
                url = stack.enter_context(scratch_database(url))
            target = _target(
                settings,
                instance.vault.ring,
                database_url=url,
                keystore_url=sqlite_url(own / "keystore.sqlite"),
                folder=folder,
                clock=instance.clock,
                schema=schema,
            )
            done = backup_restore.restore(folder, key, target, name=name, tell=tell)
    except Exception as error:
        timed.note(name, folder=folder, trouble=type(error).__name__)
        raise
    timed.note(done.name, folder=folder, rows=done.rows, size=done.size)
    return done


# ---- By the worker


class Regular:
    """Makes a backup when one is due, in a thread of its own, so that mail does not wait for it."""

    def __init__(self, instance: Instance, sessions: Sessions, shifts: Shifts) -> None:
        self._instance = instance
        self._sessions = sessions
        self._shifts = shifts
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Begin a backup if the settings ask for any, one is due and none is being made."""
        asked = self._instance.settings.backups
        if asked is None or (self._thread is not None and self._thread.is_alive()):
            return
        if self._is_due(asked):
            self._thread = threading.Thread(target=self._make, args=(asked,), name="backup", daemon=True)
            self._thread.start()

    def _is_due(self, asked: Backups) -> bool:
        with self._sessions() as db:
            return is_due(db, now=self._instance.clock(), every=asked.every)

    def finish(self, seconds: float | None = None) -> None:
        """Wait for the one that is being made; what is cut off leaves only a part that the next one removes."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _make(self, asked: Backups) -> None:
        try:
            with self._shifts.claim("backup-made") as ours:
                # Another worker may be at it, or may have been a moment ago.
                if ours and self._is_due(asked):
                    order = Order(asked.folder, asked.certificates, asked.keep, asked.keep_keys)
                    made = create(self._instance, self._sessions, order)
                    log.info("backup.made", name=made.data.name, size=made.data.envelope.sealed_bytes)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is noted, and tried again
            log.error("backup.failed", trouble=type(error).__name__)


def is_due(db: DbSession, *, now: datetime, every: timedelta) -> bool:
    """Whether the last one is long enough ago; after a failure it is tried again sooner."""
    newest = db.scalars(
        select(BackupRun)
        .where(BackupRun.kind == RunKind.BACKUP)
        .order_by(BackupRun.began_at.desc(), BackupRun.id)
        .limit(1)
    ).first()
    if newest is None:
        return True
    pause = every if newest.ok else min(every, AGAIN_AFTER)
    # Also when the clock was set back: by more than clocks of several machines differ.
    return not newest.began_at - CLOCKS_DIFFER <= now < newest.began_at + pause
