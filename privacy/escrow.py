"""Escrow: all keys in one small file, sealed to the certificates of two different people.

Either of them can open it, on any machine, with `openssl cms -decrypt`; nobody else can, this machine included.
Losing the keys is losing everything, so an escrow that was never opened is a hope: the drill opens it.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from privacy import found_files
from privacy.backup_manifest import write_text
from privacy.certificates import (
    Certificate,
    CertificateUnusable,
    key_digest,
    read_certificate,
    read_private_key,
)
from privacy.envelopes import file_sha256, open_stream, seal_stream
from privacy.errors import KeyFault
from privacy.keys import KeyRing, bundle, from_bundle, number_of

PEOPLE_AT_LEAST = 2


class EscrowFault(Exception):
    """An escrow cannot be made or opened as asked; the message says why. Nothing was written."""


def readers(paths: Sequence[Path], *, now: datetime) -> list[Certificate]:
    """The certificates of the people who will be able to open it, checked.

    Raises CertificateUnusable (expired, weak, a private key by mistake), or EscrowFault unless they are of at
    least two different people.
    """
    found = [read_certificate(path, now=now) for path in paths]
    if len(found) < PEOPLE_AT_LEAST:
        raise EscrowFault("give the certificates of two different people: one of them may be away or ill")
    for what, of in (
        ("the same certificate", [one.fingerprint for one in found]),
        ("the same key", [one.key_sha256 for one in found]),
        ("the same person", [one.name.casefold() for one in found]),
    ):
        twice = next((place for place, value in enumerate(of) if value in of[:place]), None)
        if twice is not None:
            raise EscrowFault(f"{found[of.index(of[twice])].path} and {found[twice].path} are of {what}")
    return found


def seal(ring: KeyRing, *, contract: str, to: Sequence[Certificate], folder: Path, now: datetime) -> Path:
    """Write the escrow into the folder (made if missing, 0700), and beside it a text that says what it is and how it
    is opened; returns the file. Raises as `seal_stream` does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"keys-{now:%Y-%m-%d-%H%M%S}-{ring.current}.cms"
    seal_stream([bundle(ring).encode()], path, to)
    text = found_files.beside_escrow(
        contract=contract,
        name=path.name,
        keys=sorted(ring.fingerprints()),
        to=to,
        digest=file_sha256(path),
        now=now,
    )
    write_text(path.with_suffix(".txt"), text)
    return path


def opened(
    path: Path, *, key: Path, certificate: Path, passphrase: bytes | None = None
) -> tuple[KeyRing, str]:
    """The keys in an escrow, and the name of the person who opened it.

    Raises EscrowFault if the private key is not the certificate's, else what `open_stream` and
    `read_private_key` raise.
    """
    private = read_private_key(key, passphrase=passphrase)
    try:
        # It may have expired since: what was sealed to it opens all the same.
        person = read_certificate(certificate, now=None)
    except CertificateUnusable as fault:
        raise EscrowFault(str(fault)) from fault
    if key_digest(private.public_key()) != person.key_sha256:
        raise EscrowFault(f"{key} is not the private key of {certificate}")
    text = b"".join(open_stream(path, private)).decode(errors="replace")
    try:
        return from_bundle(text, where=f"{path.name}: "), person.name
    except KeyFault as fault:
        raise EscrowFault(f"the escrow does not hold all keys: {fault}") from fault


def lacking(ring: KeyRing, *, needed: Sequence[str]) -> list[str]:
    """The ids among `needed` that an escrow does not hold, oldest first."""
    return sorted(set(needed) - set(ring.fingerprints()), key=number_of)
