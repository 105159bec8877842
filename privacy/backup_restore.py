"""Restoring a backup: into an empty instance only, and nobody who was erased comes back.

    choose    a backup of the database, and the newest key store that serves it (or the one that is still there)
    verify    both open to what was backed up, before anything of them is used
    keys      loaded, and the keys of everybody with a tombstone destroyed; refused if the ledger is too old
    data      loaded where nothing opens it, rows counted, the erased purged again, then what the caller settles
    open      the chain and the canary hold: only now does the database get its name

Killed at any point there is no instance, and the same command begins again; at the end there is one that opens.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as DbSession

from privacy import audit, backup_keystore, backup_postgres, backup_sqlite, erasure
from privacy.backup import counted, verify
from privacy.backup_folder import choose, ledger_position, locked, read_tombstones
from privacy.backup_manifest import Backup, BackupFault, Tombstone
from privacy.certificates import PrivateKey
from privacy.clock import Clock
from privacy.engines import open_engine, sqlite_url
from privacy.envelopes import open_stream, sync_folder
from privacy.errors import KeyFault
from privacy.keys import KeyRing
from privacy.keystore import Vault
from privacy.progress import NamedProgress, silent
from privacy.transactions import writing
from privacy.work import Work, unit_of_work

ACTOR = "system:restore"
MARKER = "instance_fact"
"""The table without which a database counts as no instance; it gets its place last."""
UNFINISHED = ".restoring"


class NotEmpty(BackupFault):
    """There is an instance already: nothing is restored over it."""


class LedgerTooOld(BackupFault):
    """Less is known about who was erased than the backups say has happened: somebody would come back."""


class Settle(Protocol):
    """What else a restored database needs before anybody can come in, and a note of what was restored."""

    def __call__(self, work: Work, *, name: str, rows: int, size: int) -> None: ...


@dataclass(frozen=True)
class Target:
    """Where to restore to. `schema` is the one that this release works with, None: not checked.

    `settle` and `check` are called in one transaction once the erased are purged, before anything can open the
    database; `check` raises if the keys do not open the data.
    """

    database_url: str
    keystore_url: str
    ring: KeyRing
    clock: Clock
    settle: Settle
    check: Callable[[DbSession], object]
    schema: str | None = None
    programs: Path | None = None


@dataclass(frozen=True)
class Restored:
    """What was restored. `seconds` is how long it took, `purged` how many people were erased again."""

    name: str
    rows: int
    size: int
    lines: int
    tombstones: int
    purged: int
    seconds: float


@dataclass(frozen=True)
class _Chosen:
    data: Backup
    keys: Backup | None
    tombstones: dict[UUID, Tombstone]
    position: int


def restore(
    folder: Path, key: PrivateKey, target: Target, *, name: str | None = None, tell: NamedProgress = silent
) -> Restored:
    """Restore the newest backup in a folder, or the one of that name.

    Raises NotEmpty, LedgerTooOld, BackupFault, EnvelopeBroken, KeyFault or ChainBroken: then there is no instance.
    """
    began = perf_counter()
    chosen = _choose(folder, target, name)
    with _alone(target.database_url):
        purged, lines = _restore(chosen, key, target, tell)
    manifest = chosen.data.manifest
    return Restored(
        name=manifest.name,
        rows=sum(manifest.rows.values()),
        size=manifest.envelope.plain_bytes,
        lines=lines,
        tombstones=len(chosen.tombstones),
        purged=purged,
        seconds=perf_counter() - began,
    )


def _restore(chosen: _Chosen, key: PrivateKey, target: Target, tell: NamedProgress) -> tuple[int, int]:
    """How many people were erased again, and the lines of the trail."""
    _require_room(target)
    live = _live_keystore(target, chosen)
    _verify(chosen, key, live=live, tell=tell)
    with _keys_in_place(chosen, key, target, live=live, tell=tell) as (engine, publish_keys):
        vault = Vault(target.ring, engine, target.clock)
        vault.require_ring()
        if _is_sqlite(target.database_url):
            return _into_sqlite(chosen, key, target, vault, publish_keys, tell)
        return _into_postgres(chosen, key, target, vault, publish_keys, tell)


def _alone(url: str) -> AbstractContextManager[None]:
    if not _is_sqlite(url):
        return backup_postgres.alone(url)
    folder = backup_sqlite.path_of(url).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return locked(folder)


def _choose(folder: Path, target: Target, name: str | None) -> _Chosen:
    data, keys = choose(folder, name)
    for backup in filter(None, (data, keys)):
        backup.require_genuine(target.ring)
    manifest = data.manifest
    kind = "sqlite" if _is_sqlite(target.database_url) else "postgresql"
    if not manifest.source.startswith(kind):
        raise BackupFault(f"{manifest.name} is a backup of {manifest.source}, and this instance uses {kind}")
    if target.schema is not None and manifest.schema not in {None, target.schema}:
        raise BackupFault(
            f"{manifest.name} has tables of version {manifest.schema}, and this release works with {target.schema}: "
            "restore it with the release that made it, then upgrade"
        )
    return _Chosen(data, keys, read_tombstones(folder), ledger_position(folder))


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _require_room(target: Target) -> None:
    url = target.database_url
    empty = backup_sqlite.is_empty(url) if _is_sqlite(url) else backup_postgres.is_empty(url)
    if not empty:
        raise NotEmpty("there is data in this instance: a backup is restored into an empty one only")


def _live_keystore(target: Target, chosen: _Chosen) -> bool:
    """Whether the key store is still there. It is newer than every backup of it, and so is its ledger."""
    url = target.keystore_url
    if _is_sqlite(url) and not backup_sqlite.path_of(url).is_file():
        return False
    engine = open_engine(url)
    try:
        if backup_keystore.is_empty(engine):
            return False
        if not backup_keystore.knows(engine, chosen.data.manifest.instance):
            raise NotEmpty("the key store that is there belongs to another instance")
    finally:
        engine.dispose()
    return True


def _verify(chosen: _Chosen, key: PrivateKey, *, live: bool, tell: NamedProgress) -> None:
    if not live and chosen.keys is None:
        raise BackupFault(
            f"there is no key store for {chosen.data.manifest.name}: neither here, nor a later backup of it"
        )
    verify(chosen.data, key, tell=tell)
    if chosen.keys is not None and not live:
        verify(chosen.keys, key, tell=tell)


# ---- The key store


@contextmanager
def _keys_in_place(
    chosen: _Chosen, key: PrivateKey, target: Target, *, live: bool, tell: NamedProgress
) -> Iterator[tuple[Engine, Callable[[], None]]]:
    """The key store with every tombstone applied, and what gives it its name.

    An SQLite file is prepared beside its place; on PostgreSQL it is committed at once: keys without data are
    harmless, and the next try finds them as a key store that is still there.
    """
    path = backup_sqlite.path_of(target.keystore_url) if _is_sqlite(target.keystore_url) else None
    staged = path.with_name(path.name + UNFINISHED) if path is not None and not live else None
    if staged is not None:
        backup_sqlite.remove(staged)
        staged.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged.touch(mode=0o600)
    engine = open_engine(sqlite_url(staged) if staged is not None else target.keystore_url)

    def publish() -> None:
        engine.dispose()
        if staged is not None and path is not None:
            _publish(staged, path)

    try:
        _fill(engine, chosen, key, target, live=live, tell=tell)
        yield engine, publish
    finally:
        engine.dispose()
        if staged is not None:
            backup_sqlite.remove(staged)


def _fill(
    engine: Engine, chosen: _Chosen, key: PrivateKey, target: Target, *, live: bool, tell: NamedProgress
) -> None:
    def settle(connection: Connection) -> None:
        for tombstone in backup_keystore.ledger(connection):
            chosen.tombstones.setdefault(tombstone.holder, tombstone)
        if len(chosen.tombstones) < chosen.position:
            raise LedgerTooOld(
                f"{chosen.position} erasures are on record and only {len(chosen.tombstones)} of them are known here. "
                "Bring the newest backup of the key store, or the folder tombstones of another copy"
            )
        backup_keystore.bury(connection, chosen.tombstones.values())
        backup_keystore.reopen_indexes(connection, chosen.data.manifest.key_ids)

    if live or chosen.keys is None:
        with writing(engine) as connection:
            settle(connection)
        return
    manifest = chosen.keys.manifest
    needed = sorted(set(manifest.key_ids) - set(target.ring.keks))
    if needed:
        raise KeyFault(f"{manifest.name} needs {', '.join(needed)}, which is not among the keys")
    source = counted(
        open_stream(chosen.keys.sealed, key), "loading the key store", manifest.envelope.plain_bytes, tell
    )
    backup_keystore.load(engine, source, check=settle)


def _publish(staged: Path, path: Path) -> None:
    """Give a finished file its name; what lies beside an older one of that name must not be taken for its log."""
    backup_sqlite.settle(staged)
    backup_sqlite.remove(path)
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    staged.rename(path)
    sync_folder(path.parent)


# ---- The data


def _into_sqlite(
    chosen: _Chosen,
    key: PrivateKey,
    target: Target,
    vault: Vault,
    publish_keys: Callable[[], None],
    tell: NamedProgress,
) -> tuple[int, int]:
    path = backup_sqlite.path_of(target.database_url)
    staged = path.with_name(path.name + UNFINISHED)
    staged.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        rows = backup_sqlite.load(staged, _opened(chosen, key, tell))
        _require_rows(chosen.data, rows)
        engine = open_engine(sqlite_url(staged))
        try:
            purged = _purge(engine, vault, target, tell)
            lines = _finish(engine, vault, target, chosen.data, aside=False)
        finally:
            engine.dispose()
        publish_keys()
        _publish(staged, path)
    finally:
        backup_sqlite.remove(staged)
    return purged, lines


def _into_postgres(
    chosen: _Chosen,
    key: PrivateKey,
    target: Target,
    vault: Vault,
    publish_keys: Callable[[], None],
    tell: NamedProgress,
) -> tuple[int, int]:
    rows = backup_postgres.load(
        target.database_url,
        _opened(chosen, key, tell),
        programs=target.programs,
        marker=MARKER,
    )
    _require_rows(chosen.data, rows)
    engine = backup_postgres.open_aside(target.database_url)
    try:
        purged = _purge(engine, vault, target, tell)
        publish_keys()
        live = open_engine(target.keystore_url)
        try:
            shown = Vault(target.ring, live, target.clock)
            lines = _finish(engine, shown, target, chosen.data, aside=True)
        finally:
            live.dispose()
    finally:
        engine.dispose()
    return purged, lines


def _opened(chosen: _Chosen, key: PrivateKey, tell: NamedProgress) -> Iterator[bytes]:
    total = chosen.data.manifest.envelope.plain_bytes
    return counted(open_stream(chosen.data.sealed, key), "loading the database", total, tell)


def _require_rows(backup: Backup, rows: Mapping[str, int]) -> None:
    said = backup.manifest.rows
    wrong = sorted(name for name in {*said, *rows} if said.get(name) != rows.get(name))
    if wrong:
        raise BackupFault(f"other rows than the manifest says were loaded into {', '.join(wrong)}")


def _purge(engine: Engine, vault: Vault, target: Target, tell: NamedProgress) -> int:
    tell("erasing again who was erased", 0, 0)

    def sessions() -> DbSession:
        return DbSession(engine, info={"vault": vault})

    with sessions() as db:
        # The chain as it was backed up; what is written from here on goes on from it.
        audit.verify(db, target.ring)
    return erasure.replay(sessions, vault, target.clock)


def _finish(engine: Engine, vault: Vault, target: Target, backup: Backup, *, aside: bool) -> int:
    """Settle, show the instance and check it, in one transaction; returns the lines of the trail."""
    with (
        DbSession(engine, info={"vault": vault}) as db,
        unit_of_work(db, target.clock, ACTOR) as work,
    ):
        if aside:
            backup_postgres.bring_back(work.db, MARKER)
        manifest = backup.manifest
        target.settle(
            work,
            name=manifest.name,
            rows=sum(manifest.rows.values()),
            size=manifest.envelope.plain_bytes,
        )
        target.check(work.db)
        return audit.verify(work.db, target.ring) + len(work.lines)
