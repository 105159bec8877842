"""Files read as texts, and built anew from texts: what a redacted copy is made with.

A copy has nothing of the file but what stands in its texts: no attribute, no comment, no script, no property, no
entry that was not read. What cannot be read as texts, such as a picture, is withheld whole.

    text, CSV    as they are
    JSON         every text and number in it; names of fields too
    HTML         headings, paragraphs, lists and tables; all else is left out
    e-mail       head and words as a text file; what was attached is named as left out
    zip          each entry as above
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from typing import Any, Protocol

from privacy.cases import pages
from privacy.cases.folding import Phrase, Texts, without

TEXT, CSV, JSON, HTML, EMAIL, ZIP = (
    "text/plain",
    "text/csv",
    "application/json",
    "text/html",
    "message/rfc822",
    "application/zip",
)
ENDINGS = {"txt": TEXT, "csv": CSV, "json": JSON, "html": HTML, "eml": EMAIL}
BYTES_AT_MOST = 200 * 1024 * 1024
"""Of an archive, unpacked."""
ENTRIES_AT_MOST = 5000
_DEPTH = 12
_PLAIN_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
# A line end in a list that stands in a cell: its letter belongs to no word.
_ESCAPE = re.compile(r"\\[nrtbf]")
_WHY = {
    "application/pdf": "a PDF can keep words where nobody sees them",
    "image/": "words in a picture cannot be read here",
}


class CannotRedact(Exception):
    """The file cannot be built anew from its texts; the message says why, and it is withheld."""


class Reading(Protocol):
    """A file that was read: its texts in order, and how a copy is built from others in their place."""

    @property
    def texts(self) -> Sequence[str]: ...

    def build(self, texts: Sequence[str]) -> bytes: ...


@dataclass(frozen=True)
class Copy:
    """A redacted copy. `counts`: how often each phrase was taken out."""

    media_type: str
    ending: str
    content: bytes
    counts: Sequence[int]


def read(media_type: str, content: bytes) -> Reading:
    """Read a file as texts. Raises CannotRedact."""
    if (why := why_not(media_type)) is not None:
        raise CannotRedact(why)
    return _READERS[_plain(media_type)](content)


def why_not(media_type: str) -> str | None:
    """Why no file of this type can be redacted here; None if it can."""
    plain = _plain(media_type)
    if plain in _READERS:
        return None
    known = (said for kind, said in _WHY.items() if plain.startswith(kind))
    return f"It cannot be redacted here: {next(known, 'its words cannot be read here')}"


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def ending_of(media_type: str) -> str:
    """What the name of a copy ends in."""
    plain = _plain(media_type)
    endings = {TEXT: "txt", EMAIL: "txt", CSV: "csv", JSON: "json", HTML: "html", ZIP: "zip"}
    return endings[plain]


def redact(media_type: str, content: bytes, phrases: Sequence[Phrase]) -> Copy:
    """A copy without the phrases, built anew. Raises CannotRedact."""
    reading = read(media_type, content)
    remaining, counts = without(reading.texts, phrases)
    plain = _plain(media_type)
    made = TEXT if plain == EMAIL else plain
    return Copy(made, ending_of(plain), reading.build(remaining), counts)


def still_there(media_type: str, content: bytes, phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases that stand in a copy, in its texts or in its bytes as they are: it must not be released then.

    Raises CannotRedact for what is no copy of ours.
    """
    texts = Texts(list(_every_text(media_type, content)))
    return [phrase for phrase in phrases if texts.holds(phrase)]


def _every_text(media_type: str, content: bytes) -> Iterator[str]:
    plain = _plain(media_type)
    if plain == ZIP:
        with _archive(content) as archive:
            for entry in archive.infolist():
                yield entry.filename
                yield (entry.comment + b" " + entry.extra).decode("latin-1")
                kind = ENDINGS.get(entry.filename.rpartition(".")[2], TEXT)
                yield from _every_text(kind, archive.read(entry))
            yield archive.comment.decode("latin-1")
        return
    yield from read(media_type, content).texts
    # JSON has nothing but its texts and its own signs.
    if plain == HTML:
        yield from (_ESCAPE.sub(" ", text) for text in pages.bare(content.decode()))
    elif plain in (TEXT, CSV):
        yield _ESCAPE.sub(" ", content.decode())


# ---- text and CSV


@dataclass(frozen=True)
class _Text:
    text: str

    @property
    def texts(self) -> Sequence[str]:
        return [self.text]

    def build(self, texts: Sequence[str]) -> bytes:
        return texts[0].encode()


def _decoded(content: bytes) -> str:
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(coding)
    except UnicodeDecodeError as error:
        raise CannotRedact("It cannot be redacted here: it is not text that can be read (UTF-8)") from error


def _read_text(content: bytes) -> Reading:
    return _Text(_decoded(content))


@dataclass(frozen=True)
class _Csv:
    rows: Sequence[Sequence["_Cell"]]

    @property
    def texts(self) -> Sequence[str]:
        return [text for row in self.rows for cell in row for text in cell.texts]

    def build(self, texts: Sequence[str]) -> bytes:
        out, left = io.StringIO(), iter(texts)
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerows([cell.build(left) for cell in row] for row in self.rows)
        return ("\ufeff" + out.getvalue()).encode()


def _read_csv(content: bytes) -> Reading:
    text = _decoded(content)
    before = csv.field_size_limit(max(len(text), 131072))
    try:
        return _Csv([[_Cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))])
    except csv.Error as error:
        raise CannotRedact("It cannot be redacted here: it is no table that can be read") from error
    finally:
        csv.field_size_limit(before)


# ---- JSON, and JSON within other texts


def _walk(node: Any, change: Callable[[str], str], depth: int = 0) -> Any:
    """The same document with every text and number put through `change`; a number that changes becomes a text."""
    match node:
        case str():
            return _inner(node, change, depth)
        case bool() | None:
            return node
        case int() | float():
            said = json.dumps(node)
            changed = change(said)
            return node if changed == said else changed
        case list():
            return [_walk(one, change, depth + 1) for one in node]
    made: dict[str, Any] = {}
    for name, value in node.items():
        key, number = (plain := change(name)), 1
        while key in made:
            number += 1
            key = f"{plain} {number}"
        made[key] = _walk(value, change, depth + 1)
    return made


def _inner(text: str, change: Callable[[str], str], depth: int) -> str:
    """A text; one that is a document in itself, such as a cell with a list, is changed within: its escapes would
    hide what stands in it."""
    found = _document(text) if depth < _DEPTH else None
    return change(text) if found is None else _dumped(_walk(found, change, depth + 1))


def _document(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _dumped(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


class _Cell:
    """One text of a table or page, which may be a document in itself."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.texts = _texts_of(text)

    def build(self, left: Iterator[str]) -> str:
        return str(_walk(self._text, lambda old: next(left)))


def _texts_of(node: Any) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _walk(node, note)
    return found


@dataclass(frozen=True)
class _Json:
    document: Any

    @property
    def texts(self) -> Sequence[str]:
        return _texts_of(self.document)

    def build(self, texts: Sequence[str]) -> bytes:
        left = iter(texts)
        made = _walk(self.document, lambda old: next(left))
        return (json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode()


def _read_json(content: bytes) -> Reading:
    try:
        document = json.loads(_decoded(content))
        _texts_of(document)
    except (ValueError, RecursionError) as error:
        raise CannotRedact("It cannot be redacted here: it is no JSON that can be read") from error
    return _Json(document)


# ---- HTML


@dataclass(frozen=True)
class _Html:
    page: pages.Page
    cells: Sequence[_Cell]

    @property
    def texts(self) -> Sequence[str]:
        return [text for cell in self.cells for text in cell.texts]

    def build(self, texts: Sequence[str]) -> bytes:
        left = iter(texts)
        return pages.write(self.page, [cell.build(left) for cell in self.cells]).encode()


def _read_html(content: bytes) -> Reading:
    page = pages.read(_decoded(content))
    return _Html(page, [_Cell(text) for text in page.texts])


# ---- e-mail


def _read_email(content: bytes) -> Reading:
    try:
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return _Text("\n".join(_lines(mail)))
    except (LookupError, ValueError, AssertionError) as error:
        raise CannotRedact("It cannot be redacted here: it is no e-mail that can be read") from error


def _lines(mail: EmailMessage) -> Iterator[str]:
    for name in ("From", "To", "Cc", "Date", "Subject"):
        if (value := mail.get(name)) is not None:
            yield f"{name}: {value}"
    yield ""
    body = mail.get_body(("plain", "html"))
    if body is not None:
        text = str(body.get_content())
        yield from pages.read(text).texts if body.get_content_subtype() == "html" else text.splitlines()
    for part in mail.walk():
        if part is not body and _is_attached(part):
            yield f"A file was attached to this e-mail and is left out here ({part.get_content_type()})."


def _is_attached(part: MIMEPart) -> bool:
    return not part.is_multipart() and (part.is_attachment() or part.get_content_maintype() != "text")


# ---- archives


@dataclass(frozen=True)
class _Zip:
    entries: Sequence[tuple[_Cell, str, Reading]]

    @property
    def texts(self) -> Sequence[str]:
        return [text for cell, _, reading in self.entries for text in (*cell.texts, *reading.texts)]

    def build(self, texts: Sequence[str]) -> bytes:
        left, out, taken = iter(texts), io.BytesIO(), set[str]()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (cell, ending, reading) in enumerate(self.entries, 1):
                name = cell.build(left)
                inside = [next(left) for _ in reading.texts]
                fits = _PLAIN_NAME.fullmatch(name) and name.endswith(f".{ending}") and name not in taken
                entry = zipfile.ZipInfo(name if fits else f"entry-{number:02d}.{ending}")
                taken.add(entry.filename)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, reading.build(inside))
        return out.getvalue()


def _archive(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise CannotRedact("It cannot be redacted here: the archive is damaged") from error
    entries = archive.infolist()
    if len(entries) > ENTRIES_AT_MOST or sum(one.file_size for one in entries) > BYTES_AT_MOST:
        raise CannotRedact("It cannot be redacted here: the archive is too large")
    return archive


def _read_zip(content: bytes) -> Reading:
    """An archive with an entry that cannot be read is withheld whole: nothing goes unread."""
    entries = []
    with _archive(content) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            ending = entry.filename.rpartition(".")[2].lower()
            kind = ENDINGS.get(ending)
            if kind is None or entry.flag_bits & 1:
                raise CannotRedact(
                    "It cannot be redacted here: the archive holds a file that cannot be read here"
                )
            try:
                inside = read(kind, archive.read(entry))
            except zipfile.BadZipFile as error:
                raise CannotRedact("It cannot be redacted here: the archive is damaged") from error
            entries.append((_Cell(entry.filename), ending if kind != EMAIL else "txt", inside))
    return _Zip(entries)


_READERS: dict[str, Callable[[bytes], Reading]] = {
    TEXT: _read_text,
    CSV: _read_csv,
    JSON: _read_json,
    HTML: _read_html,
    EMAIL: _read_email,
    ZIP: _read_zip,
}
