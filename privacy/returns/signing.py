"""Signing a package, and checking the signature on a receipt: detached CMS signatures, made and read by `openssl`.

The Processor's key for it is made when it is first needed and lies with the other keys, for its owner alone (0400).
Its certificate is signed by itself: what it is worth is the fingerprint, told to the Department by another way than
the package. Beside it lies, until the package has been handed over, a *check key*: a package is sealed to it too, so
that the package can be opened and checked here before it leaves (cl 15, 17.4(e)).
"""

import hashlib
import os
import re
import ssl
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from privacy.certificates import Certificate, CertificateUnusable
from privacy.envelopes import EnvelopeFailed, openssl
from privacy.keys import sync
from privacy.scratch import scratch

SIGNING = "return-signing.pem"
CHECK = "return-check.pem"
SCRATCH = "return-scratch"
_DAYS = 3650
_UNNAMED = re.compile(r"[^A-Za-z0-9 ._-]")


class SignatureWrong(Exception):
    """A signature is not over this content, or not by this certificate; the message says which file."""


@dataclass(frozen=True)
class OwnKey:
    """A private key of ours with its certificate, both in one PEM file. `certificate` is the certificate's own PEM
    text, `fingerprint` its SHA-256 in hexadecimal digits."""

    path: Path
    certificate: str
    fingerprint: str

    @property
    def reader(self) -> Certificate:
        """As one of those that something is sealed to."""
        return Certificate(self.path, "", self.fingerprint, datetime.max.replace(tzinfo=UTC), "")

    def certificate_in(self, folder: Path, name: str) -> Path:
        """The certificate alone, as a file of that name."""
        path = folder / name
        path.write_text(self.certificate, encoding="ascii")
        return path


def signing_key(keys: Path, *, contract: str) -> OwnKey:
    """The key that packages are signed with, made on first use. Raises OpensslMissing or EnvelopeFailed."""
    return _own_key(keys, SIGNING, name=f"Return of data {contract}", usage="digitalSignature")


def check_key(keys: Path, *, contract: str) -> OwnKey:
    """The key by which a package is opened here before it is handed over, made on first use."""
    return _own_key(keys, CHECK, name=f"Check before handing over {contract}", usage="keyEncipherment")


def known_check_key(keys: Path) -> OwnKey | None:
    """The check key, if one is there."""
    return _read(keys / CHECK) if (keys / CHECK).is_file() else None


def forget_check_key(keys: Path) -> None:
    """Destroy the check key once a package is handed over: from then on nobody opens the package here."""
    path = keys / CHECK
    with suppress(FileNotFoundError):
        path.chmod(0o600)
        path.write_bytes(os.urandom(path.stat().st_size))
        path.unlink()
        sync(keys)


def sign(path: Path, key: OwnKey, out: Path) -> None:
    """Write the detached signature over a file (DER, 0600); it holds no certificate. Raises EnvelopeFailed."""
    command = [openssl(), "cms", "-sign", "-binary", "-nocerts", "-md", "sha256", "-outform", "DER"]
    _run([*command, "-signer", str(key.path), "-inkey", str(key.path), "-in", str(path), "-out", str(out)])
    out.chmod(0o600)


def check_signature(path: Path, signature: Path, certificate: Path) -> None:
    """Check a detached signature (DER or PEM) over a file by the key of one certificate (PEM), as the bytes stand.

    Whether the certificate may still be used is not asked: whom it belongs to was settled by its fingerprint. Raises
    SignatureWrong or OpensslMissing.
    """
    for form in ("DER", "PEM"):
        command = [openssl(), "cms", "-verify", "-binary", "-nointern", "-noverify", "-inform", form]
        files = ["-in", signature, "-content", path, "-certfile", certificate, "-out", os.devnull]
        done = subprocess.run([*command, *map(str, files)], capture_output=True, check=False, env=_environ())
        if done.returncode == 0:
            return
    raise SignatureWrong(f"{signature} is no signature over {path.name} by the key of {certificate.name}")


def receipt_lines(digest: str) -> tuple[bytes, ...]:
    """What a receipt is signed over: the digest of `package.json`, as the usual programs write it into a file."""
    line = f"{digest}  package.json"
    return tuple(text.encode() for text in (f"{line}\n", f"{line}\r\n", line, f"{digest} *package.json\n"))


def check_receipt(signature: Path, certificate: Path, *, digest: str, folder: Path) -> None:
    """Check the Department's receipt: its signature over the digest of `package.json`.

    `folder` is one for files of a moment. Raises SignatureWrong or OpensslMissing.
    """
    with scratch(folder) as own:
        content = own / "package.json.sha256"
        for text in receipt_lines(digest):
            content.write_bytes(text)
            with suppress(SignatureWrong):
                return check_signature(content, signature, certificate)
    raise SignatureWrong(f"{signature} is no signature over the digest of this package by {certificate.name}")


# ---- keys of our own


def _own_key(keys: Path, file: str, *, name: str, usage: str) -> OwnKey:
    path = keys / file
    if not path.is_file():
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        with scratch(keys / SCRATCH) as own:
            _make(own, file, name=_UNNAMED.sub("", name)[:60], usage=usage)
            # Whoever comes second takes the first one's: a link never replaces a file.
            with suppress(FileExistsError):
                os.link(own / file, path)
        sync(keys)
    return _read(path)


def _make(folder: Path, file: str, *, name: str, usage: str) -> None:
    key, certificate = folder / "key", folder / "certificate"
    command = [openssl(), "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-sha256", "-days", str(_DAYS)]
    command += ["-subj", f"/CN={name}", "-addext", f"keyUsage=critical,{usage}"]
    _run([*command, "-keyout", str(key), "-out", str(certificate)])
    descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as target:
        target.write(key.read_bytes() + certificate.read_bytes())
        target.flush()
        os.fsync(target.fileno())


def _read(path: Path) -> OwnKey:
    text = path.read_text(encoding="ascii")
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if begin < 0 or "PRIVATE KEY" not in text:
        raise CertificateUnusable(
            f"{path} holds no key with its certificate: remove it, and one is made anew"
        )
    der = ssl.PEM_cert_to_DER_cert(text[begin:])
    return OwnKey(path, text[begin:], hashlib.sha256(der).hexdigest())


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environ())
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise EnvelopeFailed(f"openssl {command[1]} ended with {done.returncode}: {said[-1]}")


def _environ() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
