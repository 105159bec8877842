"""What the worker sees to besides mail: erasures that were interrupted, exports that were asked for, retention.

Retention and the rebuilding of SQLite's file run at night; everything else each minute. All of it can run twice,
in any number of processes, and be killed anywhere.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import Session as DbSession

from portal.cases import data_acts as case_acts
from portal.desk import person_reading
from portal.instance import Instance
from portal.models import InstanceFact, Mail
from portal.own_data import copy as own_copy
from portal.own_data import requests as own_requests
from portal.own_data import what_we_hold
from privacy import backup_records, erasure, person_exports, processing, retention
from privacy.backup_folder import copy_tombstones
from privacy.backup_keystore import ledger, reading
from privacy.clock import london
from privacy.erasure import Places
from privacy.person_exports import Desk
from privacy.returns import standstill
from privacy.scrub import vacuum
from privacy.work import unit_of_work

ACTOR = "system:housekeeping"
FRESH = timedelta(hours=1)
NIGHT = range(2, 5)
"""The hours of the London night in which files are rebuilt."""

log = structlog.get_logger("housekeeping")

Sessions = Callable[[], DbSession]


def export_folder(instance: Instance) -> Path:
    """Where exports of one person lie, sealed, until they are fetched."""
    return instance.settings.instance / "person-exports"


def desk(instance: Instance, sessions: Sessions) -> Desk:
    """What building exports of one person needs."""
    return Desk(
        sessions=sessions,
        clock=instance.clock,
        folder=export_folder(instance),
        readers=person_reading.readers(),
        about=processing.told(person_reading.parties(instance.programme)),
        own=own_copy.look,
        called=what_we_hold.called,
    )


def places(instance: Instance, sessions: Sessions) -> Places:
    """What finishing an erasure needs."""

    def sweep() -> None:
        with sessions() as db:
            _sweep(instance, db)

    return Places(
        sessions,
        instance.vault,
        instance.clock,
        spread=lambda: spread_ledger(instance, sessions),
        sweep=sweep,
    )


def spread_ledger(instance: Instance, sessions: Sessions) -> None:
    """Copy the erasure ledger into every folder that backups were made in and that is there now.

    Raises OSError where the worker's own folder cannot be reached.
    """
    asked = instance.settings.backups
    with sessions() as db:
        known = [folder for folder in backup_records.folders(db) if folder.is_dir()]
    for folder in {*known, *([asked.folder] if asked is not None else [])}:
        with reading(instance.vault.engine) as connection:
            copy_tombstones(folder, ledger(connection))


def _sweep(instance: Instance, db: DbSession) -> None:
    person_exports.sweep(db, export_folder(instance), now=instance.clock())
    if instance.settings.smtp is None and instance.outbox.is_dir():
        for path in instance.outbox.glob("*.eml"):
            mail_id = _mail_in(path)
            known = mail_id and db.execute(select(Mail.id).where(Mail.id == mail_id)).first()
            if mail_id is not None and known is None:
                path.unlink(missing_ok=True)


def _mail_in(path: Path) -> UUID | None:
    """The mail that a file of the outbox holds: `<time>-<id>.eml`."""
    try:
        return UUID(path.stem.partition("-")[2])
    except ValueError:
        return None


def each_minute(instance: Instance, sessions: Sessions) -> None:
    """Finish what is *erasing* and build the exports that wait. A folder out of reach is tried again."""
    found = places(instance, sessions)
    try:
        erasure.finish(found)
        with sessions() as db:
            fresh = erasure.is_fresh(db, since=instance.clock() - FRESH)
        if fresh:
            erasure.scrub(found)
    except OSError as error:
        log.error("erasure.unfinished", trouble=type(error).__name__)
    person_exports.run(desk(instance, sessions))
    own_requests.close_done(sessions, instance.clock)
    case_acts.forget_done(sessions, instance.clock)


class Nightly:
    """Once in a night, by whichever worker comes first: what has been kept long enough goes, then the files are
    rebuilt."""

    def __init__(self, instance: Instance, sessions: Sessions, engine: Engine) -> None:
        self._instance = instance
        self._sessions = sessions
        self._engine = engine
        self._done_on: date | None = None

    def __call__(self) -> bool:
        """Whether anything was done: it is night, and the first call of it."""
        now = london(self._instance.clock())
        if now.hour not in NIGHT or self._done_on == now.date():
            return False
        ours = self._takes_the_night(now.date())
        # Not sooner: a database that is busy just now is asked again.
        self._done_on = now.date()
        if not ours:
            return False
        tidy(self._instance, self._sessions, self._engine)
        return True

    def _takes_the_night(self, night: date) -> bool:
        """Whether no worker has had this night, on whatever machine; now it is ours."""
        free = or_(InstanceFact.tidied_on.is_(None), InstanceFact.tidied_on < night)
        asked = update(InstanceFact).where(InstanceFact.canary_sealed.is_not(None), free)
        with (
            self._sessions() as db,
            unit_of_work(db, self._instance.clock, ACTOR, frozen_too=True) as work,
        ):
            taken = work.db.execute(asked.values(tidied_on=night).returning(InstanceFact.id))
            return taken.first() is not None


def tidy(instance: Instance, sessions: Sessions, engine: Engine) -> list[retention.Due]:
    """Retention, then the files without what it left; returns what went, table by table."""
    with sessions() as db:
        frozen = standstill.is_frozen(db)
    # What goes back is what was there when it was frozen.
    went = [] if frozen else list(retention.run(sessions, instance.clock))
    for one in went:
        log.info("retention.done", table=one.table, rows=one.rows)
    with sessions() as db:
        _sweep(instance, db)
    try:
        # A folder that was away when somebody was erased has come back since.
        spread_ledger(instance, sessions)
    except OSError as error:
        log.error("ledger.unspread", trouble=type(error).__name__)
    for one_engine in (engine, instance.vault.engine):
        vacuum(one_engine)
    return went
