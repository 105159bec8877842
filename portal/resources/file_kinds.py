"""What a file is, by what is in it: its name and what the browser says of it count for nothing.

Office files with macros are refused, as is everything that a browser could run.
"""

import io
import zipfile
from dataclasses import dataclass

BYTES_AT_MOST = 10 * 1024 * 1024
_ENTRIES_AT_MOST = 5000


class FileRefused(Exception):
    """A file that is not taken; the message can be shown."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file: `ending` without its dot, the media type it is served as, and what people call it."""

    ending: str
    media_type: str
    words: str


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
KINDS = {
    kind.ending: kind
    for kind in (
        FileKind("pdf", "application/pdf", "PDF"),
        FileKind("png", "image/png", "picture"),
        FileKind("jpg", "image/jpeg", "picture"),
        FileKind("gif", "image/gif", "picture"),
        FileKind("webp", "image/webp", "picture"),
        FileKind("docx", f"{_OFFICE}wordprocessingml.document", "Word document"),
        FileKind("xlsx", f"{_OFFICE}spreadsheetml.sheet", "Excel spreadsheet"),
        FileKind("pptx", f"{_OFFICE}presentationml.presentation", "PowerPoint slides"),
        FileKind("odt", f"{_OPEN}text", "OpenDocument text"),
        FileKind("ods", f"{_OPEN}spreadsheet", "OpenDocument spreadsheet"),
        FileKind("odp", f"{_OPEN}presentation", "OpenDocument slides"),
        FileKind("txt", "text/plain; charset=utf-8", "text"),
    )
}
_BEGINNINGS = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"))
_MAIN_PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}


def kind_of(content: bytes) -> FileKind:
    """The kind of a file. Raises FileRefused."""
    if not content:
        raise FileRefused("This file is empty. Choose another file")
    if len(content) > BYTES_AT_MOST:
        raise FileRefused("This file is larger than 10 MB. Choose a smaller file, or add a link instead")
    for beginning, ending in _BEGINNINGS:
        if content.startswith(beginning):
            return KINDS[ending]
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return KINDS["webp"]
    if content.startswith(b"PK\x03\x04"):
        return KINDS[_office(content)]
    if _is_text(content):
        return KINDS["txt"]
    raise FileRefused(
        "Choose a PDF, a picture, a Word, Excel, PowerPoint or OpenDocument file, or plain text"
    )


def _office(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = parts.namelist()
            if len(names) > _ENTRIES_AT_MOST:
                raise FileRefused("This file has too many parts. Save it as a PDF and choose that")
            lowered = {name.lower() for name in names}
            if any(name.endswith("vbaproject.bin") or name.startswith("basic/") for name in lowered):
                raise FileRefused("This file has macros. Save it without them, or as a PDF")
            declared = parts.read("mimetype") if _small(parts, "mimetype") else b""
    except zipfile.BadZipFile as problem:
        raise FileRefused("This file is damaged. Save it again and choose it once more") from problem
    ending = next((ending for part, ending in _MAIN_PARTS.items() if part in names), None)
    ending = ending or next(
        (kind.ending for kind in KINDS.values() if declared.strip() == kind.media_type.encode()), None
    )
    if ending is None:
        raise FileRefused("This is an archive. Choose the files in it one by one")
    return ending


def _small(parts: zipfile.ZipFile, name: str) -> bool:
    return name in parts.namelist() and parts.getinfo(name).file_size < 200


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in "\t\n\r\f" for letter in text)
