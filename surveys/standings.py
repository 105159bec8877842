"""Whether people answered, in clear: no answer is opened to know it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveys.models import Response, ResponseState, Wave


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one respondent stands in one wave; there is none before the first save."""

    respondent_id: UUID
    wave: Wave
    occasion: str
    state: ResponseState
    saved_at: datetime
    submitted_at: datetime | None


def standings(db: Session, respondent_ids: Iterable[UUID]) -> dict[tuple[UUID, Wave, str], Standing]:
    """How these respondents stand, by respondent, wave and occasion; one query."""
    rows = db.execute(
        select(
            Response.respondent_id,
            Response.wave,
            Response.occasion,
            Response.state,
            Response.saved_at,
            Response.submitted_at,
        ).where(Response.respondent_id.in_(list(respondent_ids)))
    )
    found = (Standing(**row) for row in rows.mappings())
    return {(standing.respondent_id, standing.wave, standing.occasion): standing for standing in found}
