"""Answers in words, for the export of one person: question by question as they were asked, not in codes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.programme import Programme
from privacy.person_data import Reader
from privacy.processing import Parties
from surveys.models import Respondent, Response, ResponsePast
from surveys.questions import display
from surveys.versions import Published, compiled


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

    return {f"{Response.__tablename__}.answers": said, f"{ResponsePast.__tablename__}.answers": said}


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
