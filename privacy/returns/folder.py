"""The folder of a package: kept to one builder, swept of what an unfinished one left, finished by one rename.

    vol-0001.zip.cms ...  HOW-TO-OPEN.txt  signer.pem  verify_return.py  package.json.p7s  SHA256SUMS  package.json

A folder without `package.json` is no package.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from privacy.certificates import Certificate, read_private_key
from privacy.envelopes import Envelope, EnvelopeFailed, file_sha256, opened_sha256, seal_stream, sync_folder
from privacy.returns import how_to_open, signing
from privacy.returns.about import About
from privacy.returns.signing import OwnKey

PACKAGE, SIGNATURE, SUMS, SIGNER, VERIFIER = (
    "package.json",
    "package.json.p7s",
    "SHA256SUMS",
    "signer.pem",
    "verify_return.py",
)
_OWN = re.compile(r"(REHEARSAL-)?vol-\d{4}\.zip\.cms(\.unchecked)?(\.part)?|package\.json\.part")
_ALSO_OWN = frozenset({how_to_open.NAME, SIGNATURE, SUMS, SIGNER, VERIFIER})


class BuildFailed(Exception):
    """The package could not be built; the folder holds none."""


class AlreadyThere(BuildFailed):
    """The folder holds a package, or something else, already."""


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Keep the folder to this process, empty at first; without a package at the end it is empty again.

    No file stands for it, and a killed process gives it up. Raises BuildFailed, or AlreadyThere.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        if (folder / PACKAGE).exists():
            raise AlreadyThere(f"{folder} holds a package already: choose another folder")
        _sweep(folder)
        try:
            yield
        finally:
            if not (folder / PACKAGE).exists():
                _sweep(folder)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BuildFailed(f"another process builds in {folder}") from error


def _sweep(folder: Path) -> None:
    """Remove what an unfinished build left. Raises AlreadyThere for anything else."""
    there = sorted(folder.iterdir())
    strange = [path.name for path in there if not (_OWN.fullmatch(path.name) or path.name in _ALSO_OWN)]
    if strange:
        raise AlreadyThere(f"{folder} is not empty: it holds {strange[0]}")
    for path in there:
        path.unlink()


def volume_name(number: int, *, rehearsal: bool) -> str:
    return f"{'REHEARSAL-' if rehearsal else ''}vol-{number:04}.zip.cms"


def seal(
    volume: Iterator[bytes], out: Path, name: str, readers: Sequence[Certificate], check: OwnKey | None
) -> Envelope:
    """Seal a volume, open it again with the check key, and only then give it its name. Raises EnvelopeFailed."""
    path = out / f"{name}.unchecked"
    envelope = seal_stream(volume, path, readers)
    if check is not None:
        wanted = (envelope.plain_bytes, envelope.plain_sha256)
        if opened_sha256(path, read_private_key(check.path)) != wanted:
            raise EnvelopeFailed(f"{name} opens to something else than was written")
    path.rename(out / name)
    return envelope


def companions(out: Path, about: About, signer: OwnKey, volumes: Sequence[str]) -> dict[str, str]:
    """The files beside the volumes, and their digests."""
    text = how_to_open.text(
        contract=about.contract,
        fingerprint=signer.fingerprint,
        volumes=volumes,
        rehearsal=about.rehearsal,
    )
    _write(out / how_to_open.NAME, text.encode())
    _write(out / SIGNER, signer.certificate.encode())
    _write(out / VERIFIER, files("privacy.returns").joinpath(VERIFIER).read_bytes())
    return {name: file_sha256(out / name) for name in (how_to_open.NAME, SIGNER, VERIFIER)}


def finish(out: Path, document: Mapping[str, Any], signer: OwnKey) -> str:
    """Write, sign and list; the name of `package.json` is the last thing that is done."""
    part = out / f"{PACKAGE}.part"
    data = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
    _write(part, data)
    signing.sign(part, signer, out / SIGNATURE)
    digests = {path.name: file_sha256(path) for path in out.iterdir() if path != part}
    digests[PACKAGE] = hashlib.sha256(data).hexdigest()
    _write(out / SUMS, "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode())
    sync_folder(out)
    part.rename(out / PACKAGE)
    sync_folder(out)
    return digests[PACKAGE]


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
