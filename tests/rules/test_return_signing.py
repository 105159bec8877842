"""Our signature on a package, the Department's on its receipt, and the key that opens a package here for a while."""

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from privacy import keys
from privacy.certificates import read_certificate
from privacy.envelopes import open_stream, seal_stream
from privacy.returns import signing
from privacy.returns.signing import SignatureWrong, check_receipt, check_signature
from tests.readers import Reader, make_reader

DIGEST = "0123456789abcdef" * 4


def test_the_key_is_made_once_and_lies_with_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    made = signing.signing_key(folder, contract="con_9887")
    assert signing.signing_key(folder, contract="con_9887") == made
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o400
    assert (
        read_certificate(made.certificate_in(tmp_path, "signer.pem"), now=None).fingerprint
        == made.fingerprint
    )
    # The ring is read from the same folder, and takes no notice of it.
    keys.load(folder)


def test_many_who_need_it_first_get_the_same_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: signing.signing_key(tmp_path, contract="con_9887"), range(3)))
    assert len({one.fingerprint for one in made}) == 1


def test_a_signature_is_over_every_byte_and_by_one_key(tmp_path: Path) -> None:
    key, other = (signing.signing_key(tmp_path / name, contract="con_9887") for name in ("one", "other"))
    content = tmp_path / "content"
    content.write_bytes(b"a line\nand another\r\n")
    signing.sign(content, key, tmp_path / "signature")
    check_signature(content, tmp_path / "signature", key.certificate_in(tmp_path, "one.pem"))
    with pytest.raises(SignatureWrong):
        check_signature(content, tmp_path / "signature", other.certificate_in(tmp_path, "other.pem"))
    content.write_bytes(b"a line\nand another\n")
    with pytest.raises(SignatureWrong):
        check_signature(content, tmp_path / "signature", tmp_path / "one.pem")


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return make_reader(tmp_path_factory.mktemp("department"), "department")


def signed(department: Reader, folder: Path, text: bytes, *options: str) -> Path:
    """What the Department does, with what it has."""
    (folder / "receipt.txt").write_bytes(text)
    out = folder / "receipt.p7s"
    command: list[str | Path] = [
        "openssl",
        "cms",
        "-sign",
        "-in",
        folder / "receipt.txt",
        "-signer",
        department.certificate,
    ]
    command += ["-inkey", department.key, "-out", out, *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.mark.parametrize(
    "text, options",
    [
        (f"{DIGEST}  package.json\n", ("-binary", "-outform", "DER")),
        (f"{DIGEST}  package.json\n", ("-binary", "-outform", "PEM")),
        (f"{DIGEST}  package.json\n", ("-outform", "DER")),
        (f"{DIGEST} *package.json\n", ("-binary", "-outform", "DER")),
        (f"{DIGEST}  package.json\r\n", ("-binary", "-outform", "DER")),
    ],
    ids=[
        "as told",
        "as PEM",
        "ends of lines changed by openssl",
        "as openssl dgst -r",
        "as Windows writes lines",
    ],
)
def test_a_receipt_counts_as_the_usual_programs_write_it(
    department: Reader, tmp_path: Path, text: str, options: tuple[str, ...]
) -> None:
    receipt = signed(department, tmp_path, text.encode(), *options)
    check = partial(check_receipt, receipt, department.certificate, folder=tmp_path / "scratch")
    check(digest=DIGEST)
    with pytest.raises(SignatureWrong):
        check(digest=DIGEST[::-1])


def test_a_receipt_by_somebody_else_does_not_count(department: Reader, tmp_path: Path) -> None:
    other = make_reader(tmp_path, "somebody")
    receipt = signed(other, tmp_path, f"{DIGEST}  package.json\n".encode(), "-binary", "-outform", "DER")
    with pytest.raises(SignatureWrong):
        check_receipt(receipt, department.certificate, digest=DIGEST, folder=tmp_path / "scratch")


def test_what_was_sealed_to_the_check_key_opens_until_it_is_forgotten(tmp_path: Path) -> None:
    key = signing.check_key(tmp_path / "keys", contract="con_9887")
    seal_stream([b"inside"], tmp_path / "sealed", [key.reader])
    assert b"".join(open_stream(tmp_path / "sealed", key.path)) == b"inside"
    signing.forget_check_key(tmp_path / "keys")
    signing.forget_check_key(tmp_path / "keys")
    assert signing.known_check_key(tmp_path / "keys") is None
    assert signing.check_key(tmp_path / "keys", contract="con_9887").fingerprint != key.fingerprint
