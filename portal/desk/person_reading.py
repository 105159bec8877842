"""What the export of one person says in words: answers question by question as they were asked, times as clocks show
them, and sessions, councils and packages instead of the numbers under which they are kept."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.booking.intervals import CELL_SECONDS
from portal.models import (
    Attendance,
    Council,
    Hours,
    Leave,
    Occupied,
    Office,
    Package,
    Participation,
    Session,
    SessionNote,
)
from portal.programme import Programme
from privacy import holdings
from privacy.clock import clock_face
from privacy.person_data import Reader
from privacy.processing import Parties
from surveys.models import Respondent, Response, ResponsePast
from surveys.questions import display
from surveys.versions import Published, compiled


def _quarter_hour(cell: int) -> str:
    return filters.day_time(datetime.fromtimestamp(cell * CELL_SECONDS, UTC))


def _spans(spans: Sequence[tuple[int, int]]) -> str:
    return "\n".join(f"{clock_face(starts)} to {clock_face(ends)}" for starts, ends in spans)


COUNTED: Mapping[InstrumentedAttribute[Any], Callable[[Any], str]] = {
    Occupied.cell: _quarter_hour,
    Hours.weekday: lambda number: calendar.day_name[number],
    Hours.spans: _spans,
    Leave.from_minute: clock_face,
    Leave.to_minute: clock_face,
}
"""Numbers that stand for a time or a day, with their words."""


def _reader(of: InstrumentedAttribute[Any], words: Callable[[Any], str]) -> Reader:
    called = holdings.called(of.property.columns[0])
    return lambda db, row: [(called, words(getattr(row, of.key)))]


def readers() -> dict[str, Reader]:
    """What puts which column into words."""
    known: dict[UUID, Published] = {}

    def said(db: DbSession, row: Any) -> Sequence[tuple[str, str]]:
        response = row if isinstance(row, Response) else db.get_one(Response, row.response_id)
        if response.version_id not in known:
            known.update(compiled(db, [response.version_id]))
        published = known[response.version_id].as_of(row.submitted_at)
        role = db.get_one(Respondent, response.respondent_id).audience
        return [
            (question.wording(role), "\n".join(lines))
            for question in published.questionnaire.questions
            if (lines := display(question, row.answers))
        ]

    return {
        f"{Response.__tablename__}.answers": said,
        f"{ResponsePast.__tablename__}.answers": said,
        **{f"{of.class_.__tablename__}.{of.key}": _reader(of, words) for of, words in COUNTED.items()},
        f"{Attendance.__tablename__}.session_id": _session,
        f"{SessionNote.__tablename__}.session_id": _session,
        f"{Office.__tablename__}.council_id": _council,
        f"{Participation.__tablename__}.package_id": _package,
    }


def _session(db: DbSession, row: Any) -> Sequence[tuple[str, str]]:
    held = db.get_one(Session, row.session_id)
    return [("Session", filters.span(held.starts_at, held.ends_at))]


def _council(db: DbSession, row: Any) -> Sequence[tuple[str, str]]:
    return [("Council", db.get_one(Council, row.council_id).name)]


def _package(db: DbSession, row: Any) -> Sequence[tuple[str, str]]:
    return [("Package", db.get_one(Package, row.package_id).ref)]


def parties(programme: Programme) -> Parties:
    """Who processes for whom, from the programme's file."""
    return Parties(
        processor=programme.service_name,
        processor_contact=programme.contacts["team"],
        processor_dpo=programme.contacts["dpo"],
        controller=programme.department,
        controller_contact=programme.contacts["department"],
        controller_dpo=programme.contacts["controller_dpo"],
        contract=programme.reference,
    )
