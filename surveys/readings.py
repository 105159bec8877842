"""Readings of somebody's answers by staff: each leaves a line in the audit trail, once a day per reader."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.audit import Action, AuditEntry
from privacy.clock import london_date, start_of_day
from privacy.work import Work


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A response that is about to be opened: on which kind of page, and what the reader said that they open answers
    for, where they were asked (words of the caller's own)."""

    response_id: UUID
    respondent_id: UUID
    purpose: str
    stated: str | None = None

    @property
    def details(self) -> dict[str, str | None]:
        return {"purpose": self.purpose, "stated": self.stated}


def noted_today(db: Session, reading: Reading, *, reader: str, now: datetime) -> bool:
    """Whether this reading is in the trail for the London day of `now`."""
    lines = select(AuditEntry.seq).where(
        AuditEntry.holder == reading.respondent_id,
        AuditEntry.object == f"response:{reading.response_id}",
        AuditEntry.action == Action.RESPONSE_OPENED.word,
        AuditEntry.actor == reader,
        AuditEntry.at >= start_of_day(london_date(now)),
        AuditEntry.details == json.dumps(reading.details, separators=(",", ":")),
    )
    return db.scalars(lines.limit(1)).first() is not None


def noted_among(db: Session, found: Sequence[Reading], *, reader: str, now: datetime) -> set[UUID]:
    """Of these readings, which are all for one purpose, the responses whose line is in the day's trail."""
    if not found:
        return set()
    lines = select(AuditEntry.object).where(
        AuditEntry.holder.in_({one.respondent_id for one in found}),
        AuditEntry.action == Action.RESPONSE_OPENED.word,
        AuditEntry.actor == reader,
        AuditEntry.at >= start_of_day(london_date(now)),
        AuditEntry.details == json.dumps(found[0].details, separators=(",", ":")),
    )
    return {UUID(line.partition(":")[2]) for line in db.scalars(lines)}


def note(work: Work, reading: Reading) -> None:
    """Put a reading in the trail. Call it before the answers are shown."""
    work.record(
        Action.RESPONSE_OPENED,
        object=f"response:{reading.response_id}",
        holder=reading.respondent_id,
        **reading.details,
    )
