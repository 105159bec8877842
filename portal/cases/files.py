"""Files of cases: what may be attached, found out from the content; kept sealed, and given out as downloads only."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import defer

from portal.cases.intake import Attachment
from portal.resources import file_kinds
from portal.resources.file_kinds import BYTES_AT_MOST, FileKind, FileRefused
from privacy.cases.tables import Case, CaseFile

AT_ONCE = 5
"""How many files one form takes."""
NAME_AT_MOST = 200

EMAIL = FileKind("eml", "message/rfc822", "e-mail")
OUTLOOK = FileKind("msg", "application/vnd.ms-outlook", "e-mail of Outlook")
TAKEN = {
    kind.ending: kind
    for kind in (
        *(file_kinds.KINDS[ending] for ending in ("pdf", "png", "jpg", "gif", "webp", "txt")),
        EMAIL,
        OUTLOOK,
    )
}
"""What is taken, by ending: PDF, pictures, text and e-mail."""

_MADE = {"application/zip": "zip", "text/html": "html", "text/csv": "csv", "application/json": "json"}
"""What the desk itself makes: what is held, put together, and copies of it."""

_ENDINGS = {kind.media_type: kind.ending for kind in TAKEN.values()} | _MADE
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_OUTLOOK_PART = "__properties_version1.0".encode("utf-16-le")
_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,40}:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)+")
_OF_MAIL = re.compile(rb"^(?:from|date|received|message-id|mime-version|return-path|subject):", re.I | re.M)
_WEB_PAGE = re.compile(
    r"<\s*(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|meta|form)\b", re.I
)
_MEANT = {"jpeg": "jpg", "jpe": "jpg", "text": "txt", "log": "txt", "csv": "txt", "md": "txt"}
_PICTURES = frozenset({"png", "jpg", "gif", "webp"})
_WORDS = {"pdf": "a PDF", "txt": "plain text", "eml": "an e-mail", "msg": "an e-mail of Outlook"}
WHAT_IS_TAKEN = "Choose a PDF, a picture, plain text or an e-mail"


@dataclass(frozen=True)
class Kept:
    """A file of a case as a list shows it; `name` is ours, `came_as` the name it came with."""

    id: UUID
    event_id: UUID | None
    name: str
    came_as: str
    words: str
    size: int


def checked(name: str, content: bytes) -> Attachment:
    """A file with its kind, found from its content; its name only has to agree. Raises FileRefused."""
    kind = _kind_of(content)
    called = name.rpartition(".")[2].lower() if "." in name else ""
    meant = _MEANT.get(called, called)
    alike = (
        meant == kind.ending or {meant, kind.ending} <= _PICTURES or {meant, kind.ending} == {"eml", "txt"}
    )
    if meant in TAKEN and not alike:
        raise FileRefused(
            f"This file is called .{called}, and it is {_what(kind)}. Save it again as what it is, "
            "then choose it once more"
        )
    return Attachment(name=name[-NAME_AT_MOST:], media_type=kind.media_type, content=content)


def _what(kind: FileKind) -> str:
    return _WORDS.get(kind.ending, "a picture")


def _kind_of(content: bytes) -> FileKind:
    if len(content) > BYTES_AT_MOST:
        raise FileRefused("This file is larger than 10 MB. Choose a smaller one, or split it")
    if content.startswith(_COMPOUND):
        if _OUTLOOK_PART in content:
            return OUTLOOK
        raise FileRefused("This is an old Office file. Save it as a PDF, then choose that")
    if _is_mail(content):
        return EMAIL
    kind = _plain_kind(content)
    if kind.ending == "txt" and _WEB_PAGE.search(content.decode("utf-8-sig")):
        raise FileRefused("This is a web page, whatever its name says. Print it to a PDF, then choose that")
    if kind.ending not in TAKEN:
        raise FileRefused(f"This is a file of Office ({kind.words}). Save it as a PDF, then choose that")
    return kind


def _plain_kind(content: bytes) -> FileKind:
    try:
        return file_kinds.kind_of(content)
    except FileRefused as problem:
        said = str(problem)
        raise FileRefused(WHAT_IS_TAKEN if said.startswith("Choose") else said) from problem


def _is_mail(content: bytes) -> bool:
    """Whether it begins with a block of headers, three of which only e-mails have."""
    head = _HEADER.match(content[:65536])
    return head is not None and len(set(map(bytes.lower, _OF_MAIL.findall(head[0])))) >= 3


def ending_of(media_type: str) -> str:
    return _ENDINGS.get(media_type, "bin")


def of_case(db: DbSession, case: Case) -> Sequence[Kept]:
    """The files of a case, oldest first; their content is not read."""
    rows = db.scalars(
        select(CaseFile)
        .where(CaseFile.case_id == case.id)
        .options(defer(CaseFile.content_sealed))
        .order_by(CaseFile.added_at, CaseFile.id)
    ).all()
    return list(_listed(case, rows))


def _listed(case: Case, rows: Iterable[CaseFile]) -> Iterable[Kept]:
    for number, row in enumerate(rows, start=1):
        kind = TAKEN.get(ending_of(row.media_type))
        yield Kept(
            id=row.id,
            event_id=row.event_id,
            name=f"{case.ref}-{number}.{ending_of(row.media_type)}",
            came_as=row.name or "",
            words=kind.words if kind is not None else "file",
            size=row.size,
        )


def content_of(db: DbSession, file_id: UUID) -> tuple[bytes | None, str]:
    """What a file holds, None once it is erased, and its media type. Raises LookupError."""
    row = db.get(CaseFile, file_id)
    if row is None:
        raise LookupError("no such file")
    return row.content, row.media_type
