"""What staff open named answers for: said once a day, before the first are shown (cl 17.4(b); UK GDPR Article 5(1)(b)).

It stands in the trail, and with each reading of that day; whoever answered finds it under "Your data".
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from json import loads
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from privacy.audit import Action, AuditEntry
from privacy.clock import london_date, start_of_day
from privacy.work import Work


class ReadingPurpose(StrEnum):
    """What for."""

    INTERVIEW = "interview"
    SUPPORT = "support"
    CHECKING = "checking"
    JUDGING = "judging"
    SORTING = "sorting"
    QUESTION = "question"
    SAFETY = "safety"


WORDS: Mapping[ReadingPurpose, str] = {
    ReadingPurpose.INTERVIEW: "To fill them in with somebody on the phone",
    ReadingPurpose.SUPPORT: "To plan or give the support",
    ReadingPurpose.CHECKING: "To check that answers are complete",
    ReadingPurpose.JUDGING: "To judge examples of impact",
    ReadingPurpose.SORTING: "To sort what people wrote by themes",
    ReadingPurpose.QUESTION: "To answer a question or a complaint from whoever answered",
    ReadingPurpose.SAFETY: "Because somebody may come to harm",
}


def state(work: Work, *, person_id: UUID, purpose: ReadingPurpose) -> None:
    """Say what one opens answers for, for the rest of the London day; the last one said counts."""
    work.record(Action.PURPOSE_STATED, object=f"person:{person_id}", holder=person_id, purpose=purpose)


def stated(db: DbSession, person_id: UUID, *, now: datetime) -> ReadingPurpose | None:
    """What somebody said today that they open answers for."""
    details = db.scalars(
        select(AuditEntry.details)
        .where(
            AuditEntry.holder == person_id,
            AuditEntry.action == Action.PURPOSE_STATED.word,
            AuditEntry.at >= start_of_day(london_date(now)),
        )
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).first()
    return ReadingPurpose(loads(details)["purpose"]) if details is not None else None
