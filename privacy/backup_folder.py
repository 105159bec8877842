"""A folder of backups: what lies where, what belongs to what, and what is too old.

    data/000007-20230301T090000Z/    manifest.json, database.cms
    keys/000008-20230301T090000Z/    manifest.json, keystore.cms
    tombstones/HOLDER.json           who was erased: read at each restore
    .lock

Numbers only rise. A key-store backup serves every data backup with a lower number: it was read later, so it
has all its keys, but for those destroyed since. So few of them are kept, and not for long. A backup is written
into a folder ending in `.part`, which gets its name when everything in it is whole.
"""

import fcntl
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from privacy.backup_manifest import Backup, BackupFault, Kind, Tombstone, read_manifest, write_whole

TOMBSTONES = "tombstones"
_NAME = re.compile(r"(\d{6,})-\d{8}T\d{6}Z")
_KEEP = re.compile(r"(\d{1,6})([dh]?)")


class Busy(BackupFault):
    """Another process works on this folder."""


def backups(folder: Path, kind: Kind) -> list[Backup]:
    """The backups of one kind, oldest first. Raises BackupFault if a manifest cannot be read."""
    found = [
        read_manifest(path)
        for path in (folder / kind.value).glob("*")
        if path.is_dir() and _NAME.fullmatch(path.name)
    ]
    return sorted(found, key=lambda backup: backup.manifest.number)


def next_number(folder: Path) -> int:
    """One more than the highest number in the folder."""
    return 1 + max((backup.manifest.number for kind in Kind for backup in backups(folder, kind)), default=0)


def ledger_position(folder: Path) -> int:
    """How many erasures this folder knows to have happened, by what its manifests say."""
    return max(
        (backup.manifest.ledger.erased for kind in Kind for backup in backups(folder, kind)), default=0
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the folder to this process; a killed process gives it up. Raises Busy."""
    with (folder / ".lock").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"another process is at work in {folder}") from error
        yield


def prepare(folder: Path) -> None:
    """Make the folder where it is missing. What other people own is left with its rights."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (*(kind.value for kind in Kind), TOMBSTONES):
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def sweep(folder: Path) -> None:
    """Remove what a killed process left. Call it under the lock."""
    for name in (*(kind.value for kind in Kind), TOMBSTONES):
        for path in (folder / name).glob("*.part"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


# ---- Keeping


@dataclass(frozen=True)
class Keep:
    """How many of the newest are kept, or for how long."""

    count: int | None = None
    age: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> "Keep":
        """`10`: the ten newest. `35d`, `48h`: what is not older than that. Raises ValueError."""
        match = _KEEP.fullmatch(text.strip())
        if match is None or not int(match[1]):
            raise ValueError(f"{text} is neither a number of backups nor a time such as 35d or 48h")
        number = int(match[1])
        if not match[2]:
            return cls(count=number)
        return cls(age=timedelta(days=number) if match[2] == "d" else timedelta(hours=number))


def prune(folder: Path, kind: Kind, keep: Keep, *, now: datetime) -> list[str]:
    """Remove what is not kept, oldest first; the newest one always stays. Returns the names removed."""
    found = backups(folder, kind)
    old = found[: -keep.count] if keep.count is not None else []
    if keep.age is not None:
        old = [backup for backup in found[:-1] if backup.manifest.made_at < now - keep.age]
    for backup in old:
        # Renamed first: whatever happens, nobody takes half of it for a backup.
        going = backup.path.with_name(backup.path.name + ".part")
        backup.path.rename(going)
        shutil.rmtree(going)
    return [backup.manifest.name for backup in old]


# ---- Tombstones


def copy_tombstones(folder: Path, tombstones: Iterable[Tombstone]) -> int:
    """Write who was erased into a folder of backups; returns how many were new there. Harmless to repeat."""
    prepare(folder)
    added = 0
    for tombstone in tombstones:
        path = folder / TOMBSTONES / f"{tombstone.holder}.json"
        if path.exists():
            continue
        write_whole(
            path,
            {
                "holder": str(tombstone.holder),
                "destroyed_on": tombstone.destroyed_on.isoformat(),
                "instruction": tombstone.instruction,
            },
        )
        added += 1
    return added


def read_tombstones(folder: Path) -> dict[UUID, Tombstone]:
    """Who was erased, by the folder's own copies. Raises BackupFault if one cannot be read."""
    found = {}
    for path in sorted((folder / TOMBSTONES).glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            tombstone = Tombstone(
                UUID(document["holder"]),
                date.fromisoformat(document["destroyed_on"]),
                document["instruction"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupFault(f"{path} is no tombstone: whom it means would come back") from error
        found[tombstone.holder] = tombstone
    return found


def key_ids_in_use(folder: Path) -> dict[str, list[str]]:
    """Each key that a retained backup needs, with the names of those backups.

    Key-encryption keys (`K1`) are needed by backups of the key store, index masters (`I1`) by those of the data.
    """
    found: dict[str, list[str]] = {}
    for kind in Kind:
        for backup in backups(folder, kind):
            for key_id in backup.manifest.key_ids:
                found.setdefault(key_id, []).append(backup.manifest.name)
    return dict(sorted(found.items()))


def choose(folder: Path, name: str | None) -> tuple[Backup, Backup | None]:
    """The newest data backup, or the one of that name, and the newest key store that serves it.

    Raises BackupFault.
    """
    if not folder.is_dir():
        raise BackupFault(f"{folder} does not exist")
    found: Sequence[Backup] = backups(folder, Kind.DATA)
    if name is not None:
        found = [backup for backup in found if backup.manifest.name == name]
    if not found:
        raise BackupFault(f"{folder} holds no backup" + (f" called {name}" if name else ""))
    data = found[-1]
    keys = [backup for backup in backups(folder, Kind.KEYS) if backup.manifest.number > data.manifest.number]
    return data, keys[-1] if keys else None
