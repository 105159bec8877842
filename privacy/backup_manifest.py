"""What a backup says of itself: its manifest, and that it was written by an instance with the same keys."""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from privacy.envelopes import Envelope, sync_folder
from privacy.keys import KeyRing

FORMAT = 1
MANIFEST = "manifest.json"


class BackupFault(Exception):
    """A backup cannot be made, read or restored; the message says why. Nothing was changed."""


class Kind(StrEnum):
    """What a backup holds: the database, or the key store."""

    DATA = "data"
    KEYS = "keys"

    @property
    def file(self) -> str:
        return "database.cms" if self is Kind.DATA else "keystore.cms"


@dataclass(frozen=True)
class Tombstone:
    """Somebody or something that was erased: a row of the ledger."""

    holder: UUID
    destroyed_on: date
    instruction: str | None


@dataclass(frozen=True)
class LedgerPosition:
    """How far the erasure ledger had come: it only ever grows."""

    erased: int
    newest_on: date | None


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `rows` counts per table; `key_ids` are the keys it needs, with the data keys
    that each of them wraps.

    `source` is the kind and version of what was backed up, such as `sqlite 3.53.4`; `chain` the number of
    lines in the audit trail; `readers` the fingerprints of the certificates it is sealed to.
    """

    number: int
    kind: Kind
    instance: UUID
    made_at: datetime
    source: str
    schema: str | None
    rows: dict[str, int]
    chain: int
    key_ids: dict[str, int]
    ledger: LedgerPosition
    readers: list[str]
    envelope: Envelope

    @property
    def name(self) -> str:
        return f"{self.number:06}-{self.made_at:%Y%m%dT%H%M%SZ}"

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "number": self.number,
            "kind": self.kind.value,
            "instance": str(self.instance),
            "made_at": self.made_at.isoformat(),
            "source": self.source,
            "schema": self.schema,
            "rows": dict(sorted(self.rows.items())),
            "chain": self.chain,
            "key_ids": dict(sorted(self.key_ids.items())),
            "ledger": {
                "erased": self.ledger.erased,
                "newest_on": self.ledger.newest_on.isoformat() if self.ledger.newest_on else None,
            },
            "readers": self.readers,
            "file": {"name": self.kind.file, **self.envelope.as_json()},
        }


def _manifest(document: Mapping[str, Any]) -> Manifest:
    if document["format"] != FORMAT:
        raise BackupFault(f"it is of format {document['format']}, which this release does not read")
    newest_on = document["ledger"]["newest_on"]
    file = document["file"]
    return Manifest(
        number=int(document["number"]),
        kind=Kind(document["kind"]),
        instance=UUID(document["instance"]),
        made_at=datetime.fromisoformat(document["made_at"]),
        source=document["source"],
        schema=document["schema"],
        rows={str(table): int(count) for table, count in document["rows"].items()},
        chain=int(document["chain"]),
        key_ids={str(name): int(count) for name, count in document["key_ids"].items()},
        ledger=LedgerPosition(
            int(document["ledger"]["erased"]), date.fromisoformat(newest_on) if newest_on else None
        ),
        readers=[str(reader) for reader in document["readers"]],
        envelope=Envelope(
            int(file["plain_bytes"]), file["plain_sha256"], int(file["sealed_bytes"]), file["sealed_sha256"]
        ),
    )


@dataclass(frozen=True)
class Backup:
    """A backup in its folder."""

    path: Path
    manifest: Manifest
    mac: str

    @property
    def sealed(self) -> Path:
        return self.path / self.manifest.kind.file

    def require_genuine(self, ring: KeyRing) -> None:
        """Raises BackupFault if the manifest was not written by an instance with these keys, or altered."""
        if not hmac.compare_digest(self.mac, _mac(ring, self.manifest.document())):
            raise BackupFault(
                f"the manifest of {self.path} was altered, or is of an instance with other keys"
            )


def _mac(ring: KeyRing, document: Mapping[str, Any]) -> str:
    body = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return ring.digest("audit", "backup manifest|v1", body).hex()


def write_manifest(folder: Path, manifest: Manifest, ring: KeyRing) -> None:
    """Write the manifest last into the folder of a backup that is being made."""
    document = manifest.document()
    write_whole(folder / MANIFEST, {**document, "mac": _mac(ring, document)})


def write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Write a small JSON file (0600), whole or not at all."""
    write_text(path, json.dumps(document, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a small file (0600), whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)


def read_manifest(path: Path) -> Backup:
    """The backup in a folder. Raises BackupFault if its manifest cannot be read or is another's."""
    try:
        document = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        backup = Backup(path, _manifest(document), str(document["mac"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupFault(f"{path / MANIFEST} cannot be read") from error
    if backup.manifest.name != path.name:
        raise BackupFault(f"{path} holds the manifest of {backup.manifest.name}")
    return backup
