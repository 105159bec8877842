"""Certificates that something may be sealed to, and the private keys that open it again.

A file is sealed to the certificates of its readers; only their private keys open it. A certificate that is
no longer valid, too weak, or meant for something else is refused by name before anything is written.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from privacy.clock import day_words, london_date

RSA_BITS = 3072

PrivateKey = RSAPrivateKey
"""What opens an envelope; read it with `read_private_key`."""


class CertificateUnusable(Exception):
    """Nothing can be sealed to this certificate; the message names the file and says why."""


class KeyUnusable(Exception):
    """Nothing can be opened with this private key file; the message names the file and says why."""


class PassphraseMissing(KeyUnusable):
    """The private key is locked with a passphrase, and none was given."""


@dataclass(frozen=True)
class Certificate:
    """A certificate that was checked. `fingerprint` is the SHA-256 of it, `key_sha256` of its public key, in
    hexadecimal digits."""

    path: Path
    name: str
    fingerprint: str
    expires_at: datetime
    key_sha256: str


def read_certificate(path: Path, *, now: datetime | None) -> Certificate:
    """Read and check one PEM certificate. Raises CertificateUnusable.

    `now` None: only who it names and for which key, not whether anything may still be sealed to it.
    """
    data = _read(path, CertificateUnusable)
    if b"PRIVATE KEY" in data:
        raise CertificateUnusable(
            f"{path} holds a private key. Give the certificate alone, and keep the key elsewhere"
        )
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise CertificateUnusable(f"{path} is no PEM certificate") from error
    if len(found) != 1:
        raise CertificateUnusable(f"{path} holds {len(found)} certificates. Give one file for each")
    certificate = found[0]
    fault = _fault(certificate, now) if now is not None else None
    if fault:
        raise CertificateUnusable(f"{path} {fault}")
    return Certificate(
        path=path,
        name=certificate.subject.rfc4514_string(),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        expires_at=certificate.not_valid_after_utc,
        key_sha256=key_digest(certificate.public_key()),
    )


def as_openssl_shows(fingerprint: str) -> str:
    """A fingerprint in hexadecimal digits as openssl prints it, so that the two can be compared by eye."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def key_digest(key: CertificatePublicKeyTypes) -> str:
    """The SHA-256 of a public key: two certificates may be for one key."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def read_certificates(paths: Sequence[Path], *, now: datetime) -> list[Certificate]:
    """Read and check all of them, each once. Raises CertificateUnusable."""
    if not paths:
        raise CertificateUnusable("no certificate was given")
    found = {
        certificate.fingerprint: certificate for certificate in (read_certificate(p, now=now) for p in paths)
    }
    return list(found.values())


def _fault(certificate: x509.Certificate, now: datetime) -> str | None:
    if certificate.not_valid_after_utc < now:
        return f"expired on {_day(certificate.not_valid_after_utc)}"
    if certificate.not_valid_before_utc > now:
        return f"is not valid before {_day(certificate.not_valid_before_utc)}"
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "has a key of a kind that is not known here"
    if not isinstance(key, RSAPublicKey):
        return "has no RSA key, and only RSA keys can be sealed to"
    if key.key_size < RSA_BITS:
        return f"has a key of {key.key_size} bits: at least {RSA_BITS} are needed"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        # Without the extension a key may be used for everything (RFC 5280, 4.2.1.3).
        return None
    return None if usage.key_encipherment else "is not meant for key encipherment"


def read_private_key(path: Path, *, passphrase: bytes | None = None) -> RSAPrivateKey:
    """Read the PEM private key of a reader. Raises PassphraseMissing or KeyUnusable."""
    data = _read(path, KeyUnusable)
    if b"PRIVATE KEY" not in data:
        what = "a certificate" if b"CERTIFICATE" in data else "something else"
        raise KeyUnusable(f"{path} holds {what}, not a private key")
    try:
        key = load_pem_private_key(data, password=passphrase)
    except TypeError as error:
        if passphrase is None:
            raise PassphraseMissing(f"{path} is locked with a passphrase") from error
        # A passphrase for a key that has none does no harm.
        return read_private_key(path)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} does not open: a wrong passphrase, or a damaged file") from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnusable(f"{path} holds no RSA key")
    return key


def _read(path: Path, fault: type[Exception]) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise fault(f"{path} cannot be read: {error.strerror}") from error


def _day(instant: datetime) -> str:
    day = london_date(instant)
    return day_words(day)
