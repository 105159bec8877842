"""Envelopes: files sealed to certificates, so that this machine can write them and cannot read them.

The format is CMS AuthEnvelopedData: AES-256-GCM with a key of its own for each file, that key wrapped for each
reader by RSA-OAEP with SHA-256. `openssl` (3.0 or newer) writes it as a child process, and any `openssl cms
-decrypt` opens it. Opening a big file that way takes several times its size in memory; so it is read here, piece
by piece. What comes out is only good once the end was reached and its tag was right.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from privacy.ber import CONTEXT_0, INTEGER, OBJECT, OCTETS, SEQUENCE, SET, Malformed, Stream, items
from privacy.certificates import Certificate, read_private_key
from privacy.keys import KEY_BYTES

PIECE_BYTES = 256 * 1024
TAG_BYTES = 16
OPENSSL_AT_LEAST = (3, 0)
_VERSION = re.compile(r"OpenSSL (\d+)\.(\d+)")
_AUTH_ENVELOPED = bytes.fromhex("2a864886f70d0109100117")
_RSAES_OAEP = bytes.fromhex("2a864886f70d010107")
_AES_256_GCM = bytes.fromhex("60864801650304012e")
_SHA256 = bytes.fromhex("608648016503040201")


class OpensslMissing(Exception):
    """The program openssl is missing or too old; the message says which one was found."""


class EnvelopeFailed(Exception):
    """The file could not be written whole. Nothing stands under its name."""


class EnvelopeBroken(Exception):
    """The file is no envelope, was altered or cut, or holds something else than was said."""


class NotForThisKey(EnvelopeBroken):
    """The envelope is sound so far, and none of its readers has this private key."""


@dataclass(frozen=True)
class Envelope:
    """What was sealed and how it looks sealed: sizes in bytes, SHA-256 in hexadecimal digits."""

    plain_bytes: int
    plain_sha256: str
    sealed_bytes: int
    sealed_sha256: str

    def as_json(self) -> dict[str, int | str]:
        return asdict(self)


# ---- Writing


@cache
def openssl() -> str:
    """The path of an openssl that can write these files. Raises OpensslMissing."""
    program = shutil.which("openssl")
    if program is None:
        raise OpensslMissing("the program openssl is missing: install OpenSSL 3.0 or newer")
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout.strip()
    match = _VERSION.match(said)
    if match is None or (int(match[1]), int(match[2])) < OPENSSL_AT_LEAST:
        raise OpensslMissing(f"{program} is {said or 'unknown'}: OpenSSL 3.0 or newer is needed")
    return program


def seal_stream(source: Iterable[bytes], out: Path, certificates: Sequence[Certificate]) -> Envelope:
    """Seal the bytes of `source` to the certificates as the file `out` (0600); memory stays the same for any size.

    It is written beside as `.part`, measured, and then renamed: `openssl` finishes a valid file also when its
    feeder dies, so only the name says that a file is whole. If `source` raises, nothing is left behind. Raises
    EnvelopeFailed or OpensslMissing. Certificates come from `read_certificate`.
    """
    part = out.with_name(out.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with _created(part) as file:
            plain_bytes, plain_sha256 = _feed(source, file, certificates)
            os.fsync(file.fileno())
        envelope = Envelope(plain_bytes, plain_sha256, part.stat().st_size, file_sha256(part))
        if measured(part) != plain_bytes:
            raise EnvelopeFailed(f"{out} did not take all of its {plain_bytes} bytes")
        part.rename(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(out.parent)
    return envelope


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _feed(source: Iterable[bytes], file: BinaryIO, certificates: Sequence[Certificate]) -> tuple[int, str]:
    command = [openssl(), "cms", "-encrypt", "-stream", "-binary", "-aes-256-gcm", "-outform", "DER"]
    for certificate in certificates:
        command += ["-recip", str(certificate.path)]
        command += ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]
    digest, count = hashlib.sha256(), 0
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=file,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    assert child.stdin is not None
    try:
        for piece in source:
            digest.update(piece)
            count += len(piece)
            child.stdin.write(piece)
    except BrokenPipeError:
        pass
    except BaseException:
        child.kill()
        child.communicate()
        raise
    said = _finish(child, child.stdin)
    if child.returncode != 0:
        raise EnvelopeFailed(f"openssl ended with {child.returncode}: {said}")
    return count, digest.hexdigest()


def _finish(child: "subprocess.Popen[bytes]", feed: IO[bytes]) -> str:
    with suppress(BrokenPipeError):
        feed.close()
    assert child.stderr is not None
    with child.stderr as errors:
        said = errors.read().decode(errors="replace").strip()
    child.wait()
    return said.splitlines()[-1] if said else "it said nothing"


def sync_folder(folder: Path) -> None:
    """Make sure that names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


# ---- Reading


@dataclass(frozen=True)
class _Front:
    """What stands before the content: the readers, the nonce, and the open elements to step out of."""

    readers: list[bytes]
    nonce: bytes
    content: int | None
    outer: tuple[int | None, ...]


def measured(path: Path) -> int:
    """How many bytes the envelope holds, without opening it; its form is checked to the end.

    Raises EnvelopeBroken.
    """
    with path.open("rb") as file, _named(path):
        stream = Stream(file)
        front = _front(stream)
        count = sum(len(piece) for piece in stream.octets())
        _back(stream, front)
        return count


def open_stream(path: Path, key: Path | RSAPrivateKey) -> Iterator[bytes]:
    """What was sealed, piece by piece; memory stays the same for any size.

    Do nothing with it that cannot be undone before it has ended: that the file was not altered shows only
    there. Raises NotForThisKey, EnvelopeBroken, or what `read_private_key` raises.
    """
    private = key if isinstance(key, RSAPrivateKey) else read_private_key(key)
    with path.open("rb") as file, _named(path):
        stream = Stream(file)
        front = _front(stream)
        opener = Cipher(AES256(_content_key(front.readers, private)), GCM(front.nonce)).decryptor()
        for piece in stream.octets():
            yield opener.update(piece)
        try:
            opener.finalize_with_tag(_back(stream, front))
        except InvalidTag as error:
            raise EnvelopeBroken("it was altered") from error


def opened_sha256(path: Path, key: Path | RSAPrivateKey) -> tuple[int, str]:
    """Size and SHA-256 of what was sealed, once the whole of it was opened. Raises as `open_stream` does."""
    digest, count = hashlib.sha256(), 0
    for piece in open_stream(path, key):
        digest.update(piece)
        count += len(piece)
    return count, digest.hexdigest()


def open_file(path: Path, key: Path | RSAPrivateKey, out: Path) -> str:
    """Open an envelope into the file `out` (0600), which appears only when the whole was right; its SHA-256."""
    part = out.with_name(out.name + ".part")
    part.unlink(missing_ok=True)
    digest = hashlib.sha256()
    try:
        with _created(part) as file:
            for piece in open_stream(path, key):
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(out.parent)
    return digest.hexdigest()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except Malformed as error:
        raise EnvelopeBroken(f"{path} is no whole envelope: {error}") from error
    except EnvelopeBroken as error:
        raise type(error)(f"{path}: {error}") from error


def _front(stream: Stream) -> _Front:
    info = stream.enter(SEQUENCE)
    if stream.whole(OBJECT) != _AUTH_ENVELOPED:
        raise Malformed("it is another kind of file")
    explicit = stream.enter(CONTEXT_0)
    data = stream.enter(SEQUENCE)
    stream.whole(INTEGER)
    readers = [content for tag, content in items(stream.whole(SET)) if tag == SEQUENCE]
    content = stream.enter(SEQUENCE)
    stream.whole(OBJECT)
    algorithm = items(stream.whole(SEQUENCE))
    if len(algorithm) != 2 or algorithm[0] != (OBJECT, _AES_256_GCM):
        raise Malformed("it is sealed with another cipher")
    settings = dict(items(algorithm[1][1]))
    if int.from_bytes(settings.get(INTEGER, b"\x0c"), "big") != TAG_BYTES or OCTETS not in settings:
        raise Malformed("its tag is too short")
    return _Front(readers, settings[OCTETS], content, (data, explicit, info))


def _back(stream: Stream, front: _Front) -> bytes:
    """The tag behind the content; what would need the same tag and is never written here is refused."""
    stream.leave(front.content)
    tag = stream.whole(OCTETS)
    for length in front.outer:
        stream.leave(length)
    stream.end()
    if len(tag) != TAG_BYTES:
        raise Malformed("its tag is too short")
    return tag


def _content_key(readers: Sequence[bytes], private: RSAPrivateKey) -> bytes:
    padding = OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None)
    for reader in readers:
        fields: list[tuple[int, Any]] = list(items(reader))
        if len(fields) != 4 or not _is_oaep(fields[2][1]):
            continue
        try:
            found = private.decrypt(fields[3][1], padding)
        except ValueError:
            continue
        if len(found) == KEY_BYTES:
            return found
    raise NotForThisKey("it was not sealed for this private key")


def _is_oaep(algorithm: bytes) -> bool:
    """Whether a reader's key was wrapped by OAEP with SHA-256 in both of its places."""
    kind, *settings = items(algorithm)
    return kind == (OBJECT, _RSAES_OAEP) and bool(settings) and settings[0][1].count(_SHA256) == 2
