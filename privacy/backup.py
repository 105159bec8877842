"""Backups: the database, then the key store, each sealed to certificates whose private keys are elsewhere.

    create   a moment of the database while it is used, then the key store, so that it has every key of the data
    verify   what lies in the folder is what was written; with a private key also that it opens to the same
    prune    what is not kept goes; the key store's backups sooner, for they undo an erasure as long as they last

Memory stays the same for any size. A process that is killed leaves the folder as it was, but for files ending in
`.part`, which the next one removes (cl 17.4(b), cl 17.4(e)).
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.engine import make_url

from privacy import backup_keystore, backup_postgres, backup_sqlite, found_files
from privacy.backup_folder import (
    Keep,
    backups,
    copy_tombstones,
    key_ids_in_use,
    locked,
    next_number,
    prepare,
    prune,
    sweep,
)
from privacy.backup_keystore import KeyFacts
from privacy.backup_manifest import Backup, BackupFault, Kind, Manifest, Tombstone, write_manifest, write_text
from privacy.backup_records import last
from privacy.backup_sqlite import Snapshot
from privacy.certificates import Certificate, PrivateKey
from privacy.clock import Clock
from privacy.envelopes import file_sha256, measured, opened_sha256, seal_stream, sync_folder
from privacy.keystore import Vault
from privacy.progress import NamedProgress, silent

__all__ = [
    "Backup",
    "BackupFault",
    "Keep",
    "Kind",
    "Made",
    "Plan",
    "Tombstone",
    "copy_tombstones",
    "create",
    "key_ids_in_use",
    "last",
    "verify",
]


@dataclass(frozen=True)
class Plan:
    """What is backed up, and for how long. `contract` is its reference, for whoever finds the folder; `scratch` is a
    private folder with room for a copy of an SQLite file; `programs` the folder of PostgreSQL's programs, None:
    wherever they are."""

    contract: str
    database_url: str
    instance: UUID
    scratch: Path
    certificates: Sequence[Certificate]
    keep: Keep | None
    keep_keys: Keep | None
    programs: Path | None = None


@dataclass(frozen=True)
class Made:
    """What was made, and the names of what was removed because it is no longer kept."""

    data: Manifest
    keys: Manifest
    pruned: list[str]


def create(folder: Path, plan: Plan, vault: Vault, *, clock: Clock, tell: NamedProgress = silent) -> Made:
    """Make a backup of the database and one of the key store, then remove what is too old.

    Raises BackupFault (Busy: another process is at it), EnvelopeFailed, OpensslMissing or OSError; then the folder
    holds the backups that it held before.
    """
    prepare(folder)
    with locked(folder):
        sweep(folder)
        number = next_number(folder)
        _require_same_instance(folder, plan.instance)
        _say_what_it_is(folder, plan)
        data = _database(folder, plan, vault, number=number, now=clock(), tell=tell)
        keys = _keystore(folder, plan, vault, data, now=clock(), tell=tell)
        pruned: list[str] = []
        for kind, keep in ((Kind.DATA, plan.keep), (Kind.KEYS, plan.keep_keys)):
            pruned += prune(folder, kind, keep, now=clock()) if keep else []
    return Made(data, keys, pruned)


def _require_same_instance(folder: Path, instance: UUID) -> None:
    others = {found.manifest.instance for kind in Kind for found in backups(folder, kind)} - {instance}
    if others:
        raise BackupFault(f"{folder} holds the backups of another instance: choose an empty folder")


def _say_what_it_is(folder: Path, plan: Plan) -> None:
    path = folder / found_files.NAME
    text = found_files.beside_backups(contract=plan.contract, to=plan.certificates)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _database(
    folder: Path, plan: Plan, vault: Vault, *, number: int, now: datetime, tell: NamedProgress
) -> Manifest:
    # Before the data: whoever is erased while it is copied may still be in it, and is then in a later ledger.
    with backup_keystore.reading(vault.engine) as connection:
        known = backup_keystore.facts(connection)
    with _snapshot(plan) as moment:
        return _sealed(
            folder,
            plan,
            vault,
            Kind.DATA,
            number=number,
            now=now,
            moment=moment,
            known=known,
            key_ids=dict.fromkeys(known.indexes, 0),
            tell=tell,
        )


def _keystore(
    folder: Path, plan: Plan, vault: Vault, data: Manifest, *, now: datetime, tell: NamedProgress
) -> Manifest:
    with backup_keystore.reading(vault.engine) as connection:
        known = backup_keystore.facts(connection)
        moment = Snapshot(
            source=f"rows of {vault.engine.dialect.name}",
            schema=data.schema,
            rows=known.rows,
            chain=data.chain,
            total=sum(known.rows.values()) * backup_keystore.BYTES_A_ROW,
            pieces=backup_keystore.pieces(connection),
        )
        made = _sealed(
            folder,
            plan,
            vault,
            Kind.KEYS,
            number=data.number + 1,
            now=now,
            moment=moment,
            known=known,
            key_ids=known.key_ids,
            tell=tell,
        )
        copy_tombstones(folder, backup_keystore.ledger(connection))
    return made


def _snapshot(plan: Plan) -> AbstractContextManager[Snapshot]:
    if make_url(plan.database_url).get_backend_name() == "sqlite":
        return backup_sqlite.snapshot(plan.database_url, plan.scratch)
    return backup_postgres.snapshot(plan.database_url, plan.programs)


def _sealed(
    folder: Path,
    plan: Plan,
    vault: Vault,
    kind: Kind,
    *,
    number: int,
    now: datetime,
    moment: Snapshot,
    known: KeyFacts,
    key_ids: dict[str, int],
    tell: NamedProgress,
) -> Manifest:
    part = folder / kind.value / f"{number:06}.part"
    part.mkdir(mode=0o700)
    what = "database" if kind is Kind.DATA else "key store"
    envelope = seal_stream(
        counted(moment.pieces, what, moment.total, tell), part / kind.file, plan.certificates
    )
    manifest = Manifest(
        number=number,
        kind=kind,
        instance=plan.instance,
        made_at=now,
        source=moment.source,
        schema=moment.schema,
        rows=moment.rows,
        chain=moment.chain,
        key_ids=key_ids,
        ledger=known.ledger,
        readers=[certificate.fingerprint for certificate in plan.certificates],
        envelope=envelope,
    )
    write_manifest(part, manifest, vault.ring)
    part.rename(part.with_name(manifest.name))
    sync_folder(part.parent)
    return manifest


def counted(source: Iterator[bytes], what: str, total: int, tell: NamedProgress) -> Iterator[bytes]:
    """The same bytes; `tell` hears of them."""
    done = 0
    for piece in source:
        yield piece
        done += len(piece)
        tell(what, done, total)


def verify(backup: Backup, key: PrivateKey | None = None, *, tell: NamedProgress = silent) -> None:
    """Check that a backup is what its manifest says; with a private key, that it opens to what was backed up.

    The manifest itself is checked by `Backup.require_genuine`. Raises BackupFault or EnvelopeBroken.
    """
    said = backup.manifest.envelope
    tell(f"checking {backup.manifest.name}", 0, said.sealed_bytes)
    if not backup.sealed.is_file():
        raise BackupFault(f"{backup.sealed} is missing")
    if backup.sealed.stat().st_size != said.sealed_bytes or file_sha256(backup.sealed) != said.sealed_sha256:
        raise BackupFault(f"{backup.sealed} is not the file that was written: it was cut or altered")
    if key is None:
        if measured(backup.sealed) != said.plain_bytes:
            raise BackupFault(f"{backup.sealed} holds another number of bytes than its manifest says")
        return
    if opened_sha256(backup.sealed, key) != (said.plain_bytes, said.plain_sha256):
        raise BackupFault(f"{backup.sealed} opens to something else than what was backed up")
