"""Keys: the ring of key-encryption keys, the master secrets, and what is derived from them.

A key-encryption key only ever wraps data keys. The masters behind the e-mail index, the audit chain, the tokens
and the exports are separate secrets, and each purpose has a key of its own, derived from its master by HKDF:
rotating one touches none of the others. `wrap` and `unwrap` are all that the rest asks of a key-encryption key,
so that a key service can take its place. Where the keys come from is for privacy/key_sources.py.
"""

import base64
import hashlib
import hmac
import os
import re
import stat
from collections.abc import Iterable, Mapping
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
DIFFERENT_AT_LEAST = 14
NONCE_BYTES = 12
MASTERS = ("index", "audit", "token", "export")
_PREFIX = "portal-key-1:"
_KEK = re.compile(r"kek-(K[1-9][0-9]*)\.key")
_INDEX = re.compile(r"master-index(?:-([2-9]|[1-9][0-9]+))?\.key")


def packed(*parts: bytes) -> bytes:
    """Length-prefixed parts: `a|b, c` and `a, b|c` never read the same."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@dataclass(frozen=True)
class KeyRing:
    """Key-encryption keys by id, and the master secrets; of the index master every number that is there.

    Ids look like `K1`; `current` is the newest of them; which one wraps new data keys is for the key store to
    say. `made_at` says when a key was made, where its source knows (UTC). The representation never shows a key.
    """

    keks: dict[str, bytes] = field(repr=False)
    masters: dict[str, bytes] = field(repr=False)
    made_at: dict[str, datetime] = field(default_factory=dict)
    indexes: dict[int, bytes] = field(default_factory=dict, repr=False)
    _derived: dict[tuple[str, str, int | None], bytes] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def current(self) -> str:
        return max(self.keks, key=number_of)

    def wrap(
        self, data_key: bytes, *, holder: UUID, version: int, kek_id: str | None = None
    ) -> tuple[str, bytes]:
        """Wrap a data key with one key-encryption key (the newest); the wrap is bound to holder and version."""
        name = kek_id or self.current
        nonce = os.urandom(NONCE_BYTES)
        return name, nonce + self._cipher(name).encrypt(nonce, data_key, _bound(holder, version, name))

    def unwrap(self, wrapped: bytes, *, kek_id: str, holder: UUID, version: int) -> bytes:
        """Raises KeyFault if the key is not on the ring, SealBroken if the wrap was altered or moved."""
        cipher = self._cipher(kek_id)
        try:
            return cipher.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(holder, version, kek_id)
            )
        except InvalidTag as error:
            raise SealBroken(f"the data key of holder {holder} does not open with {kek_id}") from error

    def rewrap(self, wrapped: bytes, *, kek_id: str, holder: UUID, version: int, new_kek_id: str) -> bytes:
        """The same data key under another key-encryption key. Raises as `unwrap` does."""
        data_key = self.unwrap(wrapped, kek_id=kek_id, holder=holder, version=version)
        return self.wrap(data_key, holder=holder, version=version, kek_id=new_kek_id)[1]

    def _cipher(self, kek_id: str) -> AESGCM:
        if kek_id not in self.keks:
            raise KeyFault(f"key {kek_id} is needed by the data and is not among the keys")
        return AESGCM(self.keks[kek_id])

    def derive(self, master: str, purpose: str, *, number: int | None = None) -> bytes:
        """A 32-byte key for one purpose, from one of the MASTERS; of the index master, from that number."""
        wanted = (master, purpose, number)
        # Kept: every page needs some, and the purposes are few.
        if wanted not in self._derived:
            secret = self.masters[master] if number is None else self.indexes[number]
            made = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
            self._derived[wanted] = made.derive(secret)
        return self._derived[wanted]

    def digest(self, master: str, purpose: str, *parts: bytes, number: int | None = None) -> bytes:
        """A keyed digest (HMAC-SHA256) of the parts."""
        return hmac.digest(self.derive(master, purpose, number=number), packed(*parts), "sha256")

    def fingerprints(self) -> dict[str, str]:
        """What may be shown of every key, by its id: `K1`, `I1` (the index master's first), `audit` ..."""
        masters = {name: key for name, key in self.masters.items() if name != "index"}
        indexes = {f"I{number}": key for number, key in self.indexes.items()}
        return {name: fingerprint(key) for name, key in (self.keks | indexes | masters).items()}


def _bound(holder: UUID, version: int, kek_id: str) -> bytes:
    return packed(b"subject_key", holder.bytes, version.to_bytes(4, "big"), kek_id.encode())


def number_of(key_id: str) -> int:
    """The number in `K2` or `I2`."""
    return int(key_id[1:])


def file_of(key_id: str) -> str:
    """The name of the file that a key lies in."""
    if key_id[0] == "K":
        return f"kek-{key_id}.key"
    if key_id[0] == "I":
        return "master-index.key" if key_id == "I1" else f"master-index-{key_id[1:]}.key"
    return f"master-{key_id}.key"


def fingerprint(key: bytes) -> str:
    """What may be shown of a key: the start of its digest."""
    return hashlib.sha256(b"fingerprint" + key).hexdigest()[:16]


# ---- a folder of files


def create(folder: Path) -> list[Path]:
    """Make the keys that a new instance needs; returns the files written. Existing keys are left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    written = []
    names = [f"master-{name}.key" for name in MASTERS if name != "index"]
    if not any(_INDEX.fullmatch(path.name) for path in folder.iterdir()):
        names.append("master-index.key")
    if not any(_KEK.fullmatch(path.name) for path in folder.iterdir()):
        names.append("kek-K1.key")
    for name in names:
        path = folder / name
        if not path.exists():
            write_key(path, os.urandom(KEY_BYTES))
            written.append(path)
    return written


def write_key(path: Path, key: bytes) -> None:
    """Write a key file that only its owner can read, whole or not at all, and on the disk when this returns."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_PREFIX.encode() + base64.b64encode(key) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Let the names in a folder reach the disk: a key must not be lost after the data that needs it is written."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(folder: Path) -> KeyRing:
    """Read the ring. Raises KeyFault naming every file that is missing, truncated or readable by others."""
    if not folder.is_dir():
        raise KeyFault(f"the key folder {folder} does not exist")
    faults: list[str] = []
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        faults.append(f"{folder} can be opened by others (it should be 0700)")
    files: dict[str, str] = {}
    made_at = {}
    for path in sorted(folder.glob("*.key")):
        try:
            state, content = path.stat(), path.read_text(errors="replace")
        except FileNotFoundError:
            # Retired by another process this very moment: what still needs it is told below.
            continue
        if stat.S_IMODE(state.st_mode) & 0o077:
            faults.append(f"{path} can be read by others (it should be 0400)")
            continue
        files[path.name] = content
        made_at[path.name] = datetime.fromtimestamp(state.st_mtime, UTC)
    return assemble(files, where=f"{folder}/", faults=faults, made_at=made_at)


def load_left(folder: Path) -> KeyRing:
    """The keys that are still there when others were destroyed for good; nothing is missed, and nothing checked."""
    files = {path.name: _key_in(path.read_text(errors="replace")) for path in sorted(folder.glob("*.key"))}
    keks = {match[1]: key for name, key in files.items() if (match := _KEK.fullmatch(name))}
    indexes = {int(match[1] or 1): key for name, key in files.items() if (match := _INDEX.fullmatch(name))}
    masters = {name: files[found] for name in MASTERS if (found := f"master-{name}.key") in files}
    return KeyRing(keks, masters, {}, indexes)


# ---- from text


def bundle(ring: KeyRing) -> str:
    """The whole ring as text, a line for each key file: `NAME:CONTENT`, as `grep . *.key` prints it."""
    masters = {name: key for name, key in ring.masters.items() if name != "index"}
    indexes = {f"I{number}": key for number, key in ring.indexes.items()}
    return "".join(
        f"{file_of(key_id)}:{_PREFIX}{base64.b64encode(key).decode()}\n"
        for key_id, key in (ring.keks | indexes | masters).items()
    )


def from_bundle(text: str, *, where: str) -> KeyRing:
    """The ring that `bundle` wrote. Raises KeyFault; `where` says in it what was read."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return assemble({name.strip(): content for name, _, content in lines}, where=where, faults=[])


def unpack(ring: KeyRing, folder: Path) -> list[Path]:
    """Write a ring into an empty key folder, as a new machine needs it; returns the files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if any(folder.iterdir()):
        raise KeyFault(f"{folder} is not empty: keys are never written over others")
    written = []
    for line in bundle(ring).splitlines():
        name, _, content = line.partition(":")
        write_key(folder / name, _key_in(content))
        written.append(folder / name)
    return written


def assemble(
    files: Mapping[str, str],
    *,
    where: str,
    faults: Iterable[str],
    made_at: Mapping[str, datetime] | None = None,
) -> KeyRing:
    """A ring from the contents of key files by name. Raises KeyFault with every fault, each by the file's name."""
    found = list(faults)
    keks, indexes, masters = {}, {}, {}
    used: dict[bytes, str] = {}
    for name, content in files.items():
        key = _key_in(content)
        if (fault := _fault(key, used)) is not None:
            found.append(f"{where}{name} {fault}")
        elif match := _KEK.fullmatch(name):
            keks[match[1]] = key
        elif match := _INDEX.fullmatch(name):
            indexes[int(match[1] or 1)] = key
        elif name in {f"master-{master}.key" for master in MASTERS}:
            masters[name.removeprefix("master-").removesuffix(".key")] = key
        used[key] = name
    broken = " ".join(found)
    for master in MASTERS:
        there = indexes if master == "index" else masters.get(master)
        if not there and f"{where}master-{master}" not in broken:
            found.append(f"{where}master-{master}.key is missing")
    if not keks and f"{where}kek-" not in broken:
        found.append(f"{where} holds no key-encryption key (kek-K1.key)")
    if found:
        raise KeyFault("; ".join(found))
    masters["index"] = indexes[max(indexes)]
    times = {match[1]: at for name, at in (made_at or {}).items() if (match := _KEK.fullmatch(name))}
    return KeyRing(keks, masters, times, indexes)


def _fault(key: bytes, used: Mapping[bytes, str]) -> str | None:
    """Why a key cannot be used; `used` are the keys before it, with the names of their files."""
    if len(key) != KEY_BYTES:
        return "is not a whole key file"
    if is_weak(key):
        return "is not random: it can be guessed"
    if key in used:
        return f"is the same key as {used[key]}: each purpose has its own"
    return None


def is_weak(key: bytes) -> bool:
    """Whether somebody made a key up: few different bytes, or letters alone. Of random keys not one in 10^13 is."""
    return len(set(key)) < DIFFERENT_AT_LEAST or all(0x20 <= byte < 0x7F for byte in key)


def _key_in(content: str) -> bytes:
    text = content.strip()
    try:
        return (
            base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
        )
    except ValueError:
        return b""
