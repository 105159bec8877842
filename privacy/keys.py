"""Keys: the ring of key-encryption keys, the master secrets, and what is derived from them.

A key-encryption key only ever wraps data keys. The masters behind the e-mail index, the audit chain and the
tokens are separate, so that rotating one touches none of the others. Key files live in one folder (0700), one
file each (0400), outside the database and its backups. `wrap` and `unwrap` are all that the rest asks of a
key-encryption key, so that a key service can take the file's place.
"""

import base64
import hashlib
import hmac
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacy.errors import KeyFault, SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
MASTERS = ("index", "audit", "token", "export")
_PREFIX = "portal-key-1:"


def packed(*parts: bytes) -> bytes:
    """Length-prefixed parts: `a|b, c` and `a, b|c` never read the same."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@dataclass(frozen=True)
class KeyRing:
    """Key-encryption keys by id, which of them is current, and the master secrets.

    Ids look like `K1`; the newest number is current; `made_at` says when each was made (UTC, from its file).
    The representation never shows a key.
    """

    keks: dict[str, bytes] = field(repr=False)
    masters: dict[str, bytes] = field(repr=False)
    made_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def current(self) -> str:
        return max(self.keks, key=lambda name: int(name[1:]))

    def wrap(self, data_key: bytes, *, holder: UUID, version: int) -> tuple[str, bytes]:
        """Wrap a data key with the current key-encryption key; the wrap is bound to holder and version."""
        nonce = os.urandom(NONCE_BYTES)
        bound = packed(b"subject_key", holder.bytes, version.to_bytes(4, "big"), self.current.encode())
        return self.current, nonce + AESGCM(self.keks[self.current]).encrypt(nonce, data_key, bound)

    def unwrap(self, wrapped: bytes, *, kek_id: str, holder: UUID, version: int) -> bytes:
        """Raises KeyFault if the key is not on the ring, SealBroken if the wrap was altered or moved."""
        if kek_id not in self.keks:
            raise KeyFault(f"key {kek_id} is needed by the data and is not in the key folder")
        bound = packed(b"subject_key", holder.bytes, version.to_bytes(4, "big"), kek_id.encode())
        try:
            return AESGCM(self.keks[kek_id]).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
        except InvalidTag as error:
            raise SealBroken(f"the data key of holder {holder} does not open with {kek_id}") from error

    def derive(self, master: str, purpose: str) -> bytes:
        """A 32-byte key for one purpose, from one of the MASTERS."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(
            self.masters[master]
        )

    def digest(self, master: str, purpose: str, *parts: bytes) -> bytes:
        """A keyed digest (HMAC-SHA256) of the parts."""
        return hmac.digest(self.derive(master, purpose), packed(*parts), "sha256")


def fingerprint(key: bytes) -> str:
    """What may be shown of a key: the start of its digest."""
    return hashlib.sha256(b"fingerprint" + key).hexdigest()[:16]


def create(folder: Path) -> list[Path]:
    """Make the keys that a new instance needs; returns the files written. Existing keys are left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    written = []
    names = [f"master-{name}.key" for name in MASTERS]
    if not list(folder.glob("kek-*.key")):
        names.append("kek-K1.key")
    for name in names:
        path = folder / name
        if not path.exists():
            write_key(path, os.urandom(KEY_BYTES))
            written.append(path)
    return written


def write_key(path: Path, key: bytes) -> None:
    """Write a key file that only its owner can read, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_PREFIX.encode() + base64.b64encode(key) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def load(folder: Path) -> KeyRing:
    """Read the ring. Raises KeyFault naming every file that is missing, truncated or readable by others."""
    faults: list[str] = []
    keks = {}
    masters = {}
    if not folder.is_dir():
        raise KeyFault(f"the key folder {folder} does not exist")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        faults.append(f"{folder} can be opened by others (it should be 0700)")
    for path in sorted(folder.glob("kek-*.key")):
        keks[path.stem.removeprefix("kek-")] = _read(path, faults)
    for name in MASTERS:
        masters[name] = _read(folder / f"master-{name}.key", faults)
    if not keks:
        faults.append(f"{folder} holds no key-encryption key (kek-K1.key)")
    if faults:
        raise KeyFault("; ".join(faults))
    made_at = {
        name: datetime.fromtimestamp((folder / f"kek-{name}.key").stat().st_mtime, UTC) for name in keks
    }
    return KeyRing(keks, masters, made_at)


def _read(path: Path, faults: list[str]) -> bytes:
    if not path.is_file():
        faults.append(f"{path} is missing")
        return b""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        faults.append(f"{path} can be read by others (it should be 0400)")
        return b""
    try:
        text = path.read_text().strip()
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        faults.append(f"{path} is not a whole key file")
    return key
