"""Whether people answered, in clear: no answer is opened to know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from privacy.clock import start_of_day
from privacy.statements import run
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.restriction import usable


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one respondent stands in one wave; there is none before the first save. `reopened`: it was sent and is
    open for a correction."""

    respondent_id: UUID
    wave: Wave
    occasion: str
    state: ResponseState
    mode: Mode
    saved_at: datetime
    submitted_at: datetime | None
    answered_on: date | None
    reopened: bool

    @property
    def said_at(self) -> datetime | None:
        """When it was said, to hold against a window: paper was filled in before somebody typed it in."""
        typed_later = self.submitted_at is not None and self.answered_on is not None
        return start_of_day(self.answered_on) if typed_later and self.answered_on else self.submitted_at


Standings = Mapping[tuple[UUID, Wave, str], Standing]
"""By respondent, wave and occasion."""


_STANDINGS = select(
    Response.respondent_id,
    Response.wave,
    Response.occasion,
    Response.state,
    Response.mode,
    Response.saved_at,
    Response.submitted_at,
    Response.answered_on,
    Response.reopened_at.is_not(None).label("reopened"),
).where(Response.respondent_id.in_(bindparam("respondents", expanding=True)))


def standings(db: Session, respondent_ids: Iterable[UUID]) -> Standings:
    """How these respondents stand, by respondent, wave and occasion; one query."""
    rows = run(db, _STANDINGS, {"respondents": list(respondent_ids)})
    found = (Standing(**row) for row in rows.mappings())
    return {(standing.respondent_id, standing.wave, standing.occasion): standing for standing in found}


def drafts(db: Session, wave: Wave, *, until: datetime) -> frozenset[tuple[UUID, str]]:
    """Who had begun a wave by an instant and has not sent it, by respondent and occasion; one query. Nobody who is
    restricted."""
    rows = db.execute(
        select(Response.respondent_id, Response.occasion)
        .join(Response.respondent)
        .where(
            Response.wave == wave,
            Response.state == ResponseState.DRAFT,
            Response.started_at < until,
            usable(),
        )
    )
    return frozenset((row[0], row[1]) for row in rows)
