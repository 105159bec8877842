"""Risks and lessons: noted as they come up, carried on by every report until they are closed (sch 5).

A report takes a copy when its figures are released, so that it can be made again as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import ProgrammeNote, ProgrammeNoteKind
from portal.programme import Period
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work
from surveys.questions import blank

AT_MOST = 1000
"""The characters of a note, and of what came of it."""


class NothingSaid(Exception):
    """A note, or what came of it, is empty."""


class ClosedAlready(Exception):
    """Somebody else has closed it."""


@dataclass(frozen=True)
class Kept:
    """A risk or a lesson as a report has it; not closed while `closed_on` is None."""

    text: str
    noted_on: date
    closed_on: date | None
    outcome: str


def add(work: Work, *, kind: ProgrammeNoteKind, text: str) -> ProgrammeNote:
    """Note a risk or a lesson. Raises NothingSaid."""
    if blank(text):
        raise NothingSaid
    note = ProgrammeNote(id=new_id(), kind=kind, noted_at=work.now, by=work.actor)
    note.text = text
    work.db.add(note)
    work.record(Action.PROGRAMME_NOTED, object=f"programme_note:{note.id}", kind=kind)
    return note


def close(work: Work, *, note_id: UUID, outcome: str) -> ProgrammeNote:
    """Close it with what came of it. Raises NothingSaid or ClosedAlready; LookupError for none."""
    note = work.db.get(ProgrammeNote, note_id, with_for_update=True, populate_existing=True)
    if note is None:
        raise LookupError("no such note")
    if note.closed_on is not None:
        raise ClosedAlready
    if blank(outcome):
        raise NothingSaid
    note.closed_on, note.closed_by, note.outcome = london_date(work.now), work.actor, outcome
    work.record(Action.PROGRAMME_NOTE_CLOSED, object=f"programme_note:{note.id}")
    return note


def listed(db: DbSession) -> Sequence[ProgrammeNote]:
    """All of them: the open ones first, then the newest first."""
    found = db.scalars(select(ProgrammeNote).order_by(ProgrammeNote.noted_at.desc(), ProgrammeNote.id)).all()
    return sorted(found, key=lambda one: one.closed_on is not None)


def for_report(db: DbSession, days: Period) -> dict[str, Any]:
    """What a report of these days carries: what is open now, and what was closed since its first day. As plain data
    for a release; `read` makes it whole again."""
    found = db.scalars(
        select(ProgrammeNote)
        .where(or_(ProgrammeNote.closed_on.is_(None), ProgrammeNote.closed_on >= days.starts_on))
        .order_by(ProgrammeNote.noted_at, ProgrammeNote.id)
    ).all()
    return {
        kind.value: [
            {
                "text": one.text or "",
                "noted_on": london_date(one.noted_at).isoformat(),
                "closed_on": one.closed_on.isoformat() if one.closed_on else None,
                "outcome": one.outcome or "",
            }
            for one in found
            if one.kind is kind
        ]
        for kind in ProgrammeNoteKind
    }


def read(texts: Any, kind: ProgrammeNoteKind) -> list[Kept]:
    """The notes of a kind in a release's texts, oldest first."""
    return [
        Kept(
            text=one["text"],
            noted_on=date.fromisoformat(one["noted_on"]),
            closed_on=date.fromisoformat(one["closed_on"]) if one["closed_on"] else None,
            outcome=one["outcome"],
        )
        for one in texts.get(kind.value, [])
    ]
