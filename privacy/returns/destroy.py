"""Destroying everything, in steps that can each be repeated: killed anywhere, it goes on where it stopped.

    inventory   what is there: rows of each table, keys by fingerprint, backups, what legal holds keep
    keep        what the law asks for is written into files, without personal data
    traces      what will be looked for afterwards is taken down, and words are planted
    spare       what is under a legal hold gets a key-encryption key of its own; without holds nothing happens
    rows        every row goes that is not kept; what is kept is emptied of sealed values
    keys        every data key is destroyed; the blanked rows are the ledger
    ring        key-encryption keys, index keys and the other secrets are written over and removed
    files       exports, mail, scratch files and whatever else lies in the instance's folder
    backups     every folder of backups that can be reached; the others are outstanding
    scrub       the files of the databases are built anew, so that nothing deleted is left in them

Rows before keys: while there is a row there is its key, so that a destruction that was stopped can be looked at. What
comes after the keys needs none but that of the trail, which opens nothing and stays (cl 17.4(e)).
"""

import secrets
import shutil
import string
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, select, update

from privacy import rotation, scrub
from privacy.backup_folder import Busy, locked
from privacy.clock import london_date
from privacy.keys import file_of
from privacy.keystore import RING_KEY, SUBJECT_KEY
from privacy.returns import kept
from privacy.returns.journal import Entry, Journal
from privacy.returns.kept import Spared
from privacy.returns.places import Places, patient
from privacy.returns.signing import forget_check_key
from privacy.returns.traces import take
from privacy.returns.wiping import wipe, wipe_all

AUDIT = "audit"
"""The master that binds the lines of the trail: it opens nothing, and the trail stays."""
WORD_LETTERS = 24
PLANTED = 3
TRIES = 20
REST_SECONDS = 0.25
IN_USE = "another process still reads the database: stop the portal and the worker, and run this again"
SEEN_BY_OTHERS = (
    "select count(*) from pg_stat_activity where datname = current_database() and pid != pg_backend_pid()"
    " and (backend_xmin is not null or backend_xid is not null)"
)

Facts = Mapping[str, Any]
Tell = Callable[[str], None]


class StillInUse(Exception):
    """Something else still has the database open, so that its files cannot be built anew; stop it and run again."""


def destroy(places: Places, *, tell: Tell = lambda step: None) -> dict[str, Entry]:
    """Do every step that is not done; returns the whole journal. Raises StillInUse, OSError, KeysFixed."""
    journal = Journal(places.folder)
    for step, act in STEPS.items():
        if step not in journal.entries():
            tell(step)
            facts = act(places, journal)
            journal.note(step, at=places.clock(), **facts)
    return journal.entries()


# ---- before anything goes


def _inventory(places: Places, journal: Journal) -> Facts:
    with places.session() as db:
        rows, spared = kept.counts(db), kept.spared(db)
    with places.vault.engine.connect() as connection:
        data_keys = connection.scalar(
            select(func.count()).select_from(SUBJECT_KEY).where(SUBJECT_KEY.c.wrapped.is_not(None))
        )
    return {
        "rows": rows,
        "data_keys": data_keys or 0,
        "ring": places.vault.ring.fingerprints(),
        "kept_rows": {table.name: len(spared.keys(table)) for table in kept.going() if spared.keys(table)},
        "exceptions": [
            [one.table, one.rows, one.cause.value, one.since.isoformat()] for one in spared.exceptions
        ],
        "backups": [
            [
                str(one.folder),
                one.newest_at.isoformat() if one.newest_at else None,
                one.gone_on.isoformat() if one.gone_on else None,
            ]
            for one in places.backups
        ],
    }


def _keep(places: Places, journal: Journal) -> Facts:
    places.kept.mkdir(mode=0o700, exist_ok=True)
    with places.session() as db:
        return {"files": places.hooks.keep(db, places.kept)}


def _traces(places: Places, journal: Journal) -> Facts:
    words = [
        "".join(secrets.choice(string.ascii_lowercase) for _ in range(WORD_LETTERS)) for _ in range(PLANTED)
    ]
    with places.session() as db:
        spared = kept.spared(db)
        found = take(db, places.vault, planted=words, known=places.hooks.known(db), but=spared.holders)
    # Written down before they are planted: no word lies anywhere that nobody looks for.
    found.write(places.folder)
    places.hooks.plant(words)
    return {"marks": len(found.marks), "samples": len(found.samples), "known": len(found.known.digests)}


def _spare(places: Places, journal: Journal) -> Facts:
    holders = _spared(places).holders
    if not holders:
        return {"key": None, "data_keys": 0}
    vault, now = places.vault, places.clock()
    key_id = rotation.begin(vault, places.source, kind="K", now=now)
    row, count = SUBJECT_KEY.c, 0
    with patient(vault.engine) as connection:
        asked = select(row.holder_id, row.version, row.kek_id, row.wrapped)
        for holder, version, kek_id, wrapped in connection.execute(
            asked.where(row.holder_id.in_(holders), row.wrapped.is_not(None))
        ).all():
            count += 1
            if kek_id == key_id:
                continue
            anew = vault.ring_with(kek_id, key_id).rewrap(
                wrapped, kek_id=kek_id, holder=holder, version=version, new_kek_id=key_id
            )
            connection.execute(
                update(SUBJECT_KEY)
                .where(row.holder_id == holder, row.version == version)
                .values(kek_id=key_id, wrapped=anew)
            )
    rotation.settle(vault, key_id, now=now)
    shown = vault.ring.fingerprints()[key_id]
    return {"key": key_id, "fingerprint": shown, "data_keys": count, "holders": sorted(map(str, holders))}


def _spared(places: Places) -> Spared:
    with places.session() as db:
        return kept.spared(db)


# ---- what goes


def _rows(places: Places, journal: Journal) -> Facts:
    spared = _spared(places)
    with patient(places.engine) as connection:
        kept.empty(connection, spared)
    for table in kept.going():
        with patient(places.engine) as connection:
            connection.execute(delete(table).where(kept.to_go(table, spared)))
    with places.session() as db:
        return {"rows": kept.counts(db)}


def _keys(places: Places, journal: Journal) -> Facts:
    spare = journal.facts("spare")
    holders = [UUID(one) for one in spare.get("holders", [])]
    now, row, ring = places.clock(), SUBJECT_KEY.c, RING_KEY.c
    with patient(places.vault.engine) as connection:
        connection.execute(
            update(SUBJECT_KEY)
            .where(row.wrapped.is_not(None), row.holder_id.not_in(holders))
            .values(wrapped=None, destroyed_on=london_date(now), instruction=places.letter)
        )
        connection.execute(
            update(RING_KEY)
            .where(ring.retired_at.is_(None), ring.id != (spare["key"] or ""))
            .values(retired_at=now, instruction=places.letter)
        )
        left = connection.scalar(
            select(func.count()).select_from(SUBJECT_KEY).where(row.wrapped.is_not(None))
        )
    return {"data_keys": left or 0}


def _ring(places: Places, journal: Journal) -> Facts:
    """Wipe the files of the keys; those that a descriptor gives are for whoever gives them (`outside`)."""
    stay = {AUDIT, journal.facts("spare")["key"]}
    shown = journal.facts("inventory")["ring"]
    gone = {key_id: mark for key_id, mark in shown.items() if key_id not in stay}
    if places.key_folder is None:
        return {"destroyed": {}, "outside": gone}
    for key_id in gone:
        wipe(places.key_folder / file_of(key_id))
    forget_check_key(places.key_folder)
    for left in places.key_folder.iterdir():
        if left.is_dir() or left.suffix == ".part":
            wipe_all(left)
    return {"destroyed": gone, "outside": {}}


def _files(places: Places, journal: Journal) -> Facts:
    return {"files": sum(wipe_all(path) for path in places.loose())}


def _backups(places: Places, journal: Journal) -> Facts:
    """Remove the backups in every folder that can be reached; the others are outstanding, each with its day."""
    deleted, outstanding = [], []
    for number, (name, newest_at, gone_on) in enumerate(journal.facts("inventory")["backups"], start=1):
        count = clear_backups(Path(name))
        if count is None:
            outstanding.append([number, newest_at, gone_on])
        else:
            deleted.append([number, newest_at, count])
    return {"deleted": deleted, "outstanding": outstanding}


def clear_backups(folder: Path) -> int | None:
    """Remove every backup in a folder with its copy of the ledger; how many files, or None if it is out of reach."""
    if not folder.is_dir():
        return None
    try:
        with locked(folder):
            there = [one for one in folder.iterdir() if one.name != ".lock"]
            count = sum(path.is_file() for one in there for path in (one, *one.rglob("*")))
            for one in there:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            return count
    except (Busy, OSError):
        return None


def _scrub(places: Places, journal: Journal) -> Facts:
    for engine in places.engines:
        rebuild(engine)
    return {}


def rebuild(engine: Engine) -> None:
    """Build the files of a database anew, without what was deleted. Raises StillInUse."""
    engine.dispose()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _require_unseen(connection)
            connection.exec_driver_sql("set statement_timeout = 0")
            try:
                # Ours alone: to build every table of the server's own anew takes longer, and none holds our rows.
                ours = "select quote_ident(tablename) from pg_tables where schemaname = current_schema()"
                connection.exec_driver_sql(
                    f"vacuum full {', '.join(connection.exec_driver_sql(ours).scalars())}"
                )
            finally:
                connection.exec_driver_sql("reset statement_timeout")
        return
    scrub.vacuum(engine)
    for _ in range(TRIES):
        if scrub.checkpoint(engine):
            return
        time.sleep(REST_SECONDS)
    raise StillInUse(IN_USE)


def _require_unseen(connection: Connection) -> None:
    """Wait until no other transaction may see what was deleted, such as that of a process that was killed: PostgreSQL
    takes such rows along into the new files. Raises StillInUse."""
    for _ in range(TRIES):
        if not connection.exec_driver_sql(SEEN_BY_OTHERS).scalar_one():
            return
        time.sleep(REST_SECONDS)
    raise StillInUse(IN_USE)


STEPS: dict[str, Callable[[Places, Journal], Facts]] = {
    "inventory": _inventory,
    "keep": _keep,
    "traces": _traces,
    "spare": _spare,
    "rows": _rows,
    "keys": _keys,
    "ring": _ring,
    "files": _files,
    "backups": _backups,
    "scrub": _scrub,
}
