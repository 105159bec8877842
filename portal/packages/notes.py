"""Notes on sessions. Shared: the leader and the mentors of the package read them. Private: the mentor who wrote them.

Nobody else reads either: not the team, not an assistant, not a successor, whose support is another package or another
part in it (portal/packages/churn.py). Whoever wrote a note can change or delete it, and then nothing of it stays.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking.diary import Refused
from portal.models import NoteKind, Session, SessionNote
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

AT_MOST = 4000


class NoNote(Refused):
    """Nothing was written, or far too much."""


class NoteSent(Refused):
    """The form has made a note already, and is sent again with something else in it."""

    def __init__(self) -> None:
        super().__init__("This page has saved a note already. If this is another note, save it once more")


class NoteGone(Refused):
    """The note was deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__("This note was deleted")


def write(
    work: Work,
    *,
    session_id: UUID,
    author_id: UUID,
    kind: NoteKind,
    text: str,
    note_id: UUID | None = None,
) -> SessionNote:
    """Add a note to a session; the view has asked whether its author may. `note_id` is its own id, where the form
    carries one: the same form again gives the first. Raises NoNote and NoteSent."""
    _require_words(text)
    # Under the session's lock, so that of two forms at one moment the second finds what the first has made.
    session = work.db.get_one(
        Session, session_id, populate_existing=True, with_for_update={"key_share": True}
    )
    first = work.db.get(SessionNote, note_id, populate_existing=True) if note_id is not None else None
    if first is not None:
        if (first.session_id, first.author_id, first.kind, first.text) != (session_id, author_id, kind, text):
            raise NoteSent
        return first
    note = SessionNote(
        id=note_id or new_id(),
        session_id=session_id,
        package_id=session.package_id,
        # A group has no one leader whose key could seal it.
        participation_id=(
            session.attendances[0].participation_id
            if session.capacity is None and session.attendances
            else None
        ),
        author_id=author_id,
        kind=kind,
        written_at=work.now,
    )
    note.text = text
    work.db.add(note)
    _note(work, Action.NOTE_WRITTEN, note)
    return note


def change(work: Work, *, note_id: UUID, text: str) -> SessionNote:
    """Put another text in the place of a note's. Raises NoNote and NoteGone."""
    _require_words(text)
    note = _locked(work, note_id)
    if note.text != text:
        note.text, note.changed_at = text, work.now
        _note(work, Action.NOTE_CHANGED, note)
    return note


def take_back(work: Work, *, note_id: UUID) -> None:
    """Delete a note. Raises NoteGone."""
    note = _locked(work, note_id)
    _note(work, Action.NOTE_DELETED, note)
    work.db.delete(note)


def of_session(db: DbSession, session_id: UUID) -> Sequence[SessionNote]:
    """All notes on a session in the order of writing; who may read which is for the policy to say."""
    return db.scalars(
        select(SessionNote)
        .where(SessionNote.session_id == session_id)
        .options(joinedload(SessionNote.author), joinedload(SessionNote.session))
        .order_by(SessionNote.written_at, SessionNote.id)
    ).all()


def _locked(work: Work, note_id: UUID) -> SessionNote:
    note = work.db.get(SessionNote, note_id, populate_existing=True, with_for_update=True)
    if note is None:
        raise NoteGone
    return note


def _require_words(text: str) -> None:
    if not any(letter.isalnum() for letter in text):
        raise NoNote("Write a note")
    if len(text) > AT_MOST:
        raise NoNote(f"A note has {AT_MOST:,} characters at most")


def _note(work: Work, action: Action, note: SessionNote) -> None:
    holder = note.holder_id
    work.record(
        action, object=f"session_note:{note.id}", holder=holder, kind=note.kind, session=note.session_id
    )
