"""Answers of somebody whose data is restricted are kept and not used: in no figure, list or export (Article 18).

They themselves go on reading and changing what is theirs. The roof says who is restricted.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from surveys.models import Respondent


def usable() -> ColumnElement[bool]:
    """Of a query that joins the respondent: whose answers may be used."""
    return Respondent.restricted_at.is_(None)


def restrict(db: Session, respondent_ids: Iterable[UUID], *, at: datetime | None) -> None:
    """Restrict the answers of these respondents from a moment on; None frees them."""
    db.execute(
        update(Respondent)
        .where(Respondent.id.in_(list(respondent_ids)))
        .values(restricted_at=at)
        .execution_options(synchronize_session=False)
    )
