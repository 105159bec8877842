"""Files sealed to certificates: openssl opens them, altered ones are refused, and so are unfit certificates."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from privacy.certificates import (
    Certificate,
    CertificateUnusable,
    KeyUnusable,
    PassphraseMissing,
    read_certificate,
    read_certificates,
    read_private_key,
)
from privacy.envelopes import (
    EnvelopeBroken,
    EnvelopeFailed,
    NotForThisKey,
    measured,
    open_file,
    open_stream,
    opened_sha256,
    seal_stream,
)
from tests.readers import START, Reader, make_reader

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = bytes(range(256)) * 3000


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reader, Reader]:
    folder = tmp_path_factory.mktemp("readers")
    return make_reader(folder, "first"), make_reader(folder, "second")


def certificates(*readers: Reader) -> list[Certificate]:
    return read_certificates([reader.certificate for reader in readers], now=START)


def in_pieces(data: bytes, size: int = 50_000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 4096, 4097, len(TEXT)])
def test_every_reader_opens_it_and_so_does_openssl(
    tmp_path: Path, readers: tuple[Reader, Reader], size: int
) -> None:
    out = tmp_path / "a.cms"

    sealed = seal_stream(in_pieces(TEXT[:size]), out, certificates(*readers))

    assert sealed.plain_bytes == size == measured(out)
    assert sealed.sealed_bytes == out.stat().st_size
    assert out.stat().st_mode & 0o077 == 0
    assert TEXT[:64] not in out.read_bytes() or size < 64
    for reader in readers:
        assert b"".join(open_stream(out, reader.key)) == TEXT[:size]
        opened = subprocess.run(
            ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", out, "-inkey", reader.key],
            capture_output=True,
            check=True,
        )
        assert opened.stdout == TEXT[:size]
    assert opened_sha256(out, readers[0].key) == (size, sealed.plain_sha256)
    assert list(tmp_path.iterdir()) == [out]


def test_what_was_altered_or_cut_gives_nothing(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    out, opened = tmp_path / "a.cms", tmp_path / "plain"
    seal_stream(in_pieces(TEXT), out, certificates(readers[0]))
    good = out.read_bytes()
    wrong = [
        good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :] for place in (-1, -10, -30, -5000, 580)
    ]
    wrong += [good[:-1], good[: len(good) // 2], good[:300], b"", good + b"\0"]
    for data in wrong:
        out.write_bytes(data)
        with pytest.raises(EnvelopeBroken, match=r"a\.cms"):
            open_file(out, readers[0].key, opened)
        assert list(tmp_path.iterdir()) == [out]
    out.write_bytes(good)
    assert open_file(out, readers[0].key, opened)
    assert opened.read_bytes() == TEXT


def test_somebody_elses_key_is_told_apart_from_damage(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    seal_stream(in_pieces(TEXT), tmp_path / "a.cms", certificates(readers[0]))
    with pytest.raises(NotForThisKey):
        next(open_stream(tmp_path / "a.cms", readers[1].key))


def test_a_feeder_that_fails_leaves_nothing(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    def breaks() -> Iterator[bytes]:
        yield TEXT
        raise RuntimeError("the disk went away")

    with pytest.raises(RuntimeError):
        seal_stream(breaks(), tmp_path / "a.cms", certificates(readers[0]))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EnvelopeFailed):
        seal_stream(iter(()), tmp_path / "a.cms", certificates(readers[0]))
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_an_unknown_kind_is_named(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    path = tmp_path / "a.cms"
    command: list[str | Path] = [
        "openssl",
        "cms",
        "-encrypt",
        "-binary",
        "-aes-256-cbc",
        "-outform",
        "DER",
        "-out",
        path,
    ]
    subprocess.run([*command, "-recip", readers[0].certificate], input=TEXT, check=True)
    with pytest.raises(EnvelopeBroken, match="another kind"):
        list(open_stream(path, readers[0].key))


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"starts": datetime(2020, 1, 1, tzinfo=UTC), "days": 30}, "expired on 31 January 2020"),
    ({"starts": datetime(2023, 6, 1, tzinfo=UTC)}, "not valid before 1 June 2023"),
    ({"bits": 2048}, "2048 bits"),
    ({"curve": True}, "no RSA key"),
    ({"encipherment": False}, "key encipherment"),
]


@pytest.mark.parametrize("made,said", UNFIT)
def test_unfit_certificates_are_refused(tmp_path: Path, made: dict[str, Any], said: str) -> None:
    reader = make_reader(tmp_path, f"unfit{made.get('bits', '')}", **made)
    with pytest.raises(CertificateUnusable, match=said):
        read_certificate(reader.certificate, now=START)


def test_the_wrong_file_is_said_to_be_that(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    first, second = readers
    with pytest.raises(CertificateUnusable, match="holds a private key"):
        read_certificate(first.key, now=START)
    both = tmp_path / "both.crt"
    both.write_bytes(first.certificate.read_bytes() + second.certificate.read_bytes())
    with pytest.raises(CertificateUnusable, match="2 certificates"):
        read_certificate(both, now=START)
    both.write_text("nothing")
    with pytest.raises(CertificateUnusable, match="no PEM certificate"):
        read_certificate(both, now=START)
    with pytest.raises(CertificateUnusable, match="cannot be read"):
        read_certificate(tmp_path / "away.crt", now=START)
    with pytest.raises(CertificateUnusable, match="no certificate"):
        read_certificates([], now=START)
    with pytest.raises(KeyUnusable, match="holds a certificate"):
        read_private_key(first.certificate)
    assert len(read_certificates([first.certificate, first.certificate], now=START)) == 1


def test_without_a_usage_a_certificate_is_good_for_all(tmp_path: Path) -> None:
    reader = make_reader(tmp_path, "first", encipherment=None)
    assert read_certificate(reader.certificate, now=START).name == "CN=first"


def test_a_key_with_a_passphrase(tmp_path: Path) -> None:
    reader = make_reader(tmp_path, "first", passphrase=b"hush")
    with pytest.raises(PassphraseMissing):
        read_private_key(reader.key)
    with pytest.raises(KeyUnusable, match="wrong passphrase"):
        read_private_key(reader.key, passphrase=b"loud")
    assert read_private_key(reader.key, passphrase=b"hush").key_size == 3072
    assert read_private_key(make_reader(tmp_path, "first").key, passphrase=b"hush").key_size == 3072


BOUND = """
import resource, sys
from pathlib import Path
from privacy.certificates import read_certificates
from privacy.envelopes import opened_sha256, seal_stream
from privacy.clock import clock_from
from datetime import datetime, UTC
out = Path(sys.argv[1])
certificates = read_certificates([Path(sys.argv[2])], now=datetime(2023, 3, 1, tzinfo=UTC))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
piece = bytes(1024 * 1024)
seal_stream((piece for _ in range(int(sys.argv[4]))), out, certificates)
opened_sha256(out, Path(sys.argv[3]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_size(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", BOUND, tmp_path / "a.cms", readers[0].certificate, readers[0].key, "128"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    grown, child = map(int, told.stdout.split())
    assert grown < 20, "megabytes for an envelope of 128"
    assert child < 60, "megabytes of openssl"
