"""Files of cases: their content says what they are; what a browser could run is refused in plain words."""

import pytest

from portal.cases import files as case_files
from portal.resources.file_kinds import BYTES_AT_MOST, FileRefused

MAIL = b"\r\n".join(
    (
        b"From: Ada <ada@example.org>",
        b"To: us@example.org",
        b"Date: Mon, 1 Feb 2027 10:00:00 +0000",
        b"Subject: My data,",
        b" all of it",
        b"",
        b"Send it.",
    )
)
OUTLOOK = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "__properties_version1.0".encode("utf-16-le")
HTML = b"<!DOCTYPE html><html><body onload=alert(1)>Hello</body></html>"


@pytest.mark.parametrize(
    "name, content, ending",
    [
        ("scan.pdf", b"%PDF-1.7 x", "pdf"),
        ("scan.jpeg", b"\xff\xd8\xff\xe0", "jpg"),
        ("a picture that is called otherwise.png", b"\xff\xd8\xff\xe0", "jpg"),
        ("note.txt", "A note of a call with Siân".encode(), "txt"),
        ("table.csv", b"a,b\n1,2\n", "txt"),
        ("mail.eml", MAIL, "eml"),
        ("mail saved as text.txt", MAIL, "eml"),
        ("mail.msg", OUTLOOK, "msg"),
        ("without an ending", b"%PDF-1.7 x", "pdf"),
        ("letter.unknown", b"just words", "txt"),
    ],
)
def test_the_content_says_what_it_is(name: str, content: bytes, ending: str) -> None:
    found = case_files.checked(name, content)
    assert case_files.ending_of(found.media_type) == ending
    assert (found.name, found.content) == (name, content)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("letter.pdf", HTML, "This is a web page, whatever its name says"),
        ("letter.txt", b"\xef\xbb\xbf  <HTML>", "This is a web page"),
        ("picture.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "This is a web page"),
        ("letter.pdf", b"only words", "This file is called .pdf, and it is plain text"),
        ("note.txt", b"%PDF-1.7 x", "This file is called .txt, and it is a PDF"),
        ("old.doc", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "This is an old Office file"),
        ("program.exe", b"MZ\x00\x01", "Choose a PDF, a picture, plain text or an e-mail"),
        ("empty.pdf", b"", "This file is empty"),
        ("archive.zip", b"PK\x03\x04 x", "This file is damaged"),
        ("large.pdf", b"%PDF-" + bytes(BYTES_AT_MOST - 4), "This file is larger than 10 MB"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_plain_words(name: str, content: bytes, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        case_files.checked(name, content)


def test_a_file_of_exactly_10_mb_is_taken() -> None:
    whole = b"%PDF-".ljust(BYTES_AT_MOST, b" ")
    assert len(case_files.checked("scan.pdf", whole).content) == BYTES_AT_MOST
