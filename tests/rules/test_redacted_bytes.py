"""No text that was taken out is left in any byte of a copy: across tags, entities, cells, case and Unicode forms."""

import html
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from privacy.cases import documents, pages
from privacy.cases.documents import CSV, EMAIL, HTML, JSON, TEXT, ZIP, CannotRedact
from privacy.cases.folding import TAKEN_OUT, Phrase, Texts, fold_phrase, without
from privacy.cases.marks import Known, Own, phrases, propose
from privacy.cases.redactions import MarkKind
from tests.counts import count

LETTERS = st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc", "Cs"])
NAMES = (
    "Niamh O'Shea-D'Arcy",
    "Siân Ŵyn-Žák",
    "Berta Quillfeather",
    "Straße Ökonom",
    "ada.quill@council.example",
    "07700 900123",
    "Đorđe Łukasz",
    "李小龍",
    "Ελένη Παπά",
    "ﬁnlay",
)


def disguises(text: str) -> Iterator[str]:
    """The same text as people, keyboards and programs write it."""
    yield text
    yield text.upper()
    yield text.lower()
    yield from (unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKD"))
    yield text.replace("'", "’").replace("-", "\u2011").replace(" ", "\u00a0")
    yield text.replace(" ", "\n")
    yield "\u200b".join(text)
    yield "\u00ad".join(text)
    yield "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def split_by_tags(text: str) -> str:
    """Each half of it in another sign, with its letters as entities."""
    entities = [f"&#x{ord(one):x};" if number % 2 else html.escape(one) for number, one in enumerate(text)]
    half = len(entities) // 2
    return f"<b>{''.join(entities[:half])}</b><i>{''.join(entities[half:])}</i>"


def forms(text: str, around: str) -> dict[str, tuple[str, bytes]]:
    """Files of every kind in which it stands in every disguise."""
    said = [f"{around} {one} {around}" for one in disguises(text)]
    tables = io.StringIO()
    tables.write("\r\n".join(f'"{one.replace(chr(34), chr(34) * 2)}","{around}"' for one in said))
    page = "".join(
        f"<h2>{html.escape(one)}</h2><p title='{html.escape(one)}'>{split_by_tags(one)}</p>"
        f"<table><tr><td>{html.escape(json.dumps({one: [one]}))}</td></tr></table><!-- {one} -->"
        for one in said
    )
    parts = text.split()
    page += "<table><tr>" + "".join(f"<td>{html.escape(part)}</td>" for part in parts) + "</tr></table>"
    document = {"rows": [{one: one, "list": [one, {"in": json.dumps([one])}]} for one in said], "n": 1.5}
    found = {
        "text": (TEXT, "\n".join(said).encode()),
        "utf-16": (TEXT, "\n".join(said).encode("utf-16")),
        "csv": (CSV, ("\ufeff" + tables.getvalue()).encode()),
        "json": (JSON, json.dumps(document).encode()),
        "html": (HTML, page.encode()),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, (kind, content) in found.items():
            entry = zipfile.ZipInfo(f"{name}.{documents.ending_of(kind)}")
            entry.comment = text.encode()
            archive.writestr(entry, content)
        archive.comment = text.encode()
    return {**found, "zip": (ZIP, out.getvalue())}


def every_byte(content: bytes) -> Iterator[str]:
    """What a copy holds, read as anybody might who knows nothing of how it was made."""
    if content[:2] == b"PK":
        # What is packed looks like chance, and holds any short text sooner or later.
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive.comment.decode("latin-1")
            for entry in archive.infolist():
                yield entry.filename
                yield (entry.comment + b" " + entry.extra).decode("latin-1")
                yield from every_byte(archive.read(entry))
        return
    text = content.decode()
    yield text
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    for tags in ("", " "):
        bare = html.unescape(re.sub(r"<[^>]*>", tags, re.sub(r"<style>.*?</style>", "", plain)))
        yield bare
        yield re.sub(r"\\[nrt]", " ", bare)


@cache
def own_signs() -> list[str]:
    """What copies hold when all that was typed is taken out of them."""
    looked_for = [Phrase(fold_phrase("ΩΨΩ"), inside=True)]
    copies = [documents.redact(kind, content, looked_for) for kind, content in forms("ΩΨΩ", "").values()]
    return [seen for copy in copies for seen in every_byte(copy.content)]


def plainest(text: str) -> str:
    """Without case, accents, forms and anything between words: another way than the product's own."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = unicodedata.normalize("NFKD", folded)
    return "".join(one for one in kept if one.isalnum() or one == TAKEN_OUT[0])


def check_nothing_is_left(text: str, around: str) -> None:
    looked_for = [Phrase(fold_phrase(text), inside=True)]
    for kind, (media_type, content) in forms(text, around).items():
        copy = documents.redact(media_type, content, looked_for)
        assert sum(copy.counts) > 0, kind
        assert documents.still_there(copy.media_type, copy.content, looked_for) == []
        for seen in every_byte(copy.content):
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                assert text.casefold() not in unicodedata.normalize(form, seen).casefold(), kind
            assert plainest(text) not in plainest(seen), kind


@pytest.mark.parametrize("text", NAMES)
def test_nothing_is_left_of_a_name(text: str) -> None:
    check_nothing_is_left(text, "a word")


@given(text=st.text(LETTERS, min_size=4, max_size=14), around=st.text(LETTERS, max_size=6))
@example(text="aab b", around="a")
@example(text="<b>bold", around="&amp;")
@example(text='"quoted"', around="{")
@example(text="ﬁﬁﬁﬁ", around="f")
@settings(max_examples=count(40, 1500))
def test_nothing_is_left_of_any_text(text: str, around: str) -> None:
    assume(len(fold_phrase(text)) >= 3)
    # A text that is part of our own signs cannot be told from them.
    assume(
        not any(plainest(text) in plainest(own) or text.casefold() in own.casefold() for own in own_signs())
    )
    check_nothing_is_left(text, around)


@given(
    texts=st.lists(st.text("ab ■-é'B", max_size=12), max_size=5),
    sought=st.text("abé", min_size=1, max_size=4),
)
@settings(max_examples=count(150, 3000))
def test_what_remains_holds_nothing_that_was_looked_for(texts: list[str], sought: str) -> None:
    for inside in (True, False):
        looked_for = [Phrase(fold_phrase(sought), inside)]
        remaining, _ = without(texts, looked_for)
        assert not Texts(remaining).holds(looked_for[0])
        # Nothing else goes: every letter that is left is one of theirs, in order.
        for before, after in zip(texts, remaining, strict=True):
            letters = iter(before)
            assert all(one in letters for one in after.replace(TAKEN_OUT, ""))


def test_short_names_go_as_whole_words_only() -> None:
    remaining, counts = without(
        ["Lee slept. LEE’s leeks, O’Lee and Lee-Ann; s\u00adlee\u00adp"],
        phrases(MarkKind.WORDS, "Lee", inside=False),
    )
    assert remaining == [
        f"{TAKEN_OUT} slept. {TAKEN_OUT}’s leeks, O’{TAKEN_OUT} and {TAKEN_OUT}-Ann; s\u00adlee\u00adp"
    ]
    assert counts == [4]


@pytest.mark.parametrize(
    "written",
    ["+44 7700 900123", "0044 7700 900 123", "(07700) 900-123", "+44 (0)7700 900123", "07700900123"],
)
def test_a_phone_number_goes_however_it_is_written(written: str) -> None:
    looked_for = phrases(MarkKind.PHONE, "07700 900123", inside=True)
    assert not re.search(r"\d{3}", without([f"Ring {written} at 9"], looked_for)[0][0])


@pytest.mark.parametrize(
    "written", ["Quillfeather, Berta", "B. Quillfeather", "berta  quillfeather", "BertaQuillfeather"]
)
def test_a_name_goes_in_its_usual_forms(written: str) -> None:
    looked_for = phrases(MarkKind.NAME, "Cllr Berta Quillfeather OBE", inside=False)
    assert without([f"As {written} said"], looked_for)[0] == [f"As {TAKEN_OUT} said"]


def test_names_addresses_and_numbers_are_proposed() -> None:
    texts = [
        "Cllr Berta Quillfeather sat beside O’Shea. Berta said she would ring +44 7700 900123.",
        "Write to b.quill@council.example or ada@council.example, not on 2023-03-01 09:00.",
        "May I say that Lead and Ada agreed. Charles came too.",
    ]
    known = [
        Known("Berta Quillfeather", "Mentor"),
        Known("Niamh O'Shea", "Chair"),
        Known("Ada Lead", "herself"),
        Known("Charles Somebody", "in her group", near=True),
        Known("Nobody Here", "elsewhere"),
    ]
    own = Own(names=["Ada Lead"], addresses=["ada@council.example"], phones=["01632 960100"])
    found = [(one.kind, one.text) for one in propose(texts, known, own)]
    assert found == [
        (MarkKind.NAME, "Berta Quillfeather"),
        (MarkKind.WORDS, "Quillfeather"),
        (MarkKind.WORDS, "Berta"),
        (MarkKind.WORDS, "O'Shea"),
        (MarkKind.WORDS, "Charles"),
        (MarkKind.EMAIL, "b.quill@council.example"),
        (MarkKind.PHONE, "+44 7700 900123"),
    ]


@pytest.mark.parametrize(
    "media_type, content",
    [
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG"),
        ("text/plain; charset=utf-8", b"\xff\xfe\xfa\xff\x00"),
        ("application/json", b"{"),
        ("application/zip", b"PK\x03\x04"),
        ("application/vnd.ms-outlook", b"\xd0\xcf"),
    ],
)
def test_what_cannot_be_read_is_not_copied(media_type: str, content: bytes) -> None:
    with pytest.raises(CannotRedact, match="It cannot be redacted here"):
        documents.redact(media_type, content, [])


def test_an_archive_with_a_picture_is_not_copied() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "words")
        archive.writestr("b.png", b"\x89PNG")
    with pytest.raises(CannotRedact, match="the archive holds a file that cannot be read here"):
        documents.redact(ZIP, out.getvalue(), [])


def test_entries_have_plain_names() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("../../etc/passwd.txt", "data/one.txt", "of Berta Quillfeather.txt", "letter.eml"):
            archive.writestr(name, "From: a@b.example\n\nwords")
    copy = documents.redact(ZIP, out.getvalue(), phrases(MarkKind.NAME, "Berta Quillfeather", inside=True))
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        assert archive.namelist() == ["entry-01.txt", "data/one.txt", "entry-03.txt", "entry-04.txt"]


def test_an_e_mail_becomes_its_words() -> None:
    mail = (
        b"From: =?utf-8?q?Berta_Quillfe=C3=A4ther?= <berta@council.example>\r\nTo: ada@council.example\r\n"
        b"X-Secret: Berta\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nQmVydGEgc2F5cyBoZWxsbw==\r\n--x\r\n"
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=Berta.pdf\r\n\r\n%PDF\r\n--x--\r\n"
    )
    copy = documents.redact(EMAIL, mail, phrases(MarkKind.WORDS, "Berta", inside=False))
    assert (copy.media_type, copy.ending) == (TEXT, "txt")
    text = copy.content.decode()
    assert "Berta" not in text
    assert f"{TAKEN_OUT} says hello" in text
    assert "A file was attached to this e-mail and is left out here (application/pdf)." in text


def test_a_scan_finds_what_was_only_covered() -> None:
    looked_for = phrases(MarkKind.NAME, "Berta Quillfeather", inside=True)
    covered = pages.HEAD + "<p><span class='black'>Berta</span> Quillfeather</p>" + pages.FOOT
    assert documents.still_there(HTML, covered.encode(), looked_for)
    hidden = pages.HEAD + '<p title="Berta Quillfeather">x</p>' + pages.FOOT
    assert documents.still_there(HTML, hidden.encode(), looked_for)
    assert documents.still_there(JSON, b'{"a": "Berta\\u0020Quillfeather"}', looked_for)
