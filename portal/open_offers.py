"""Offered times that wait for an answer: looked up, and taken back together with the mail about them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import mail
from portal.models import Offer, OfferState
from privacy.audit import Action
from privacy.work import Work


def withdraw(work: Work, *, package_id: UUID, mentor_id: UUID | None = None) -> None:
    """Take back what a mentor still offers in a package, or what anybody does, and call off the mail about it."""
    work.db.flush()
    asked = select(Offer).where(Offer.package_id == package_id, Offer.state == OfferState.OPEN)
    if mentor_id is not None:
        asked = asked.where(Offer.mentor_id == mentor_id)
    rows = work.db.scalars(asked.order_by(Offer.id)).all()
    for row in rows:
        row.state = OfferState.WITHDRAWN
    for batch_id in dict.fromkeys(row.batch_id for row in rows):
        mail.drop(work, about=batch_id, template="offers")
        count = sum(row.batch_id == batch_id for row in rows)
        work.record(Action.TIMES_WITHDRAWN, object=f"offers:{batch_id}", count=count)


def open_for(db: DbSession, package_id: UUID, *, now: datetime) -> list[Offer]:
    """The times that wait for an answer, in order."""
    return list(
        db.scalars(
            select(Offer)
            .where(Offer.package_id == package_id, Offer.state == OfferState.OPEN, Offer.starts_at > now)
            .order_by(Offer.starts_at)
        )
    )
