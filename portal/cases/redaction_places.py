"""Where the marks of a redaction stand, with a few words around each, for the two people who look them through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from privacy.cases import documents, marks
from privacy.cases.documents import CannotRedact
from privacy.cases.folding import Span, Texts
from privacy.cases.redactions import Redaction, RedactionMark
from privacy.cases.tables import CaseFile

SHOWN_AT_MOST = 3
AROUND = 60


@dataclass(frozen=True)
class Place:
    """A mark where it stands: what comes before it, it, and what comes after."""

    before: str
    text: str
    after: str


@dataclass(frozen=True)
class Found:
    """How often a mark stands in the files of a round, and the first places that differ."""

    count: int
    places: Sequence[Place]


def find(db: DbSession, redaction: Redaction, looked_for: Sequence[RedactionMark]) -> Mapping[UUID, Found]:
    """Where these marks stand; each file is opened once."""
    texts = [text for file in redaction.files if not file.withheld for text in _texts(db, file.source_id)]
    read = Texts(texts)
    return {mark.id: _found(read, mark) for mark in looked_for}


def _texts(db: DbSession, file_id: UUID) -> Sequence[str]:
    file = db.get_one(CaseFile, file_id)
    try:
        return documents.read(file.media_type, file.content or b"").texts
    except CannotRedact:
        return ()


def _found(read: Texts, mark: RedactionMark) -> Found:
    spans = {
        tuple(span)
        for phrase in marks.phrases(mark.kind, mark.text or "", inside=mark.inside)
        for span in read.find(phrase)
    }
    places: dict[Place, None] = {}
    for span in sorted(spans):
        places.setdefault(_place(read.texts, span))
        if len(places) == SHOWN_AT_MOST:
            break
    return Found(len(spans), list(places))


def _place(texts: Sequence[str], spans: Sequence[Span]) -> Place:
    first, last = spans[0], spans[-1]
    before, after = texts[first.text][: first.start], texts[last.text][last.end :]
    return Place(
        before=("…" if len(before) > AROUND else "") + before[-AROUND:],
        text=" ".join(texts[span.text][span.start : span.end] for span in spans),
        after=after[:AROUND] + ("…" if len(after) > AROUND else ""),
    )
