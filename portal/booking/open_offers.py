"""Offered times that wait for an answer: looked up, and taken back together with the mail about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.mailing import queue as mail
from portal.models import Mail, MailState, Offer, OfferState, Person
from privacy.audit import Action
from privacy.clock import end_of_day
from privacy.work import Work


def withdraw(
    work: Work,
    *,
    package_id: UUID | None = None,
    mentor_id: UUID | None = None,
    after: date | None = None,
    by_hand: bool = False,
) -> None:
    """Take back what is still offered in a package, by a mentor, or both, and call off the mail about it.

    `after` keeps what lies on that London day or before it: the last day of a mentor. `by_hand` where somebody took
    them back: whoever follows the link then reads so, and whoever had the mail gets another.
    """
    work.db.flush()
    asked = select(Offer).where(Offer.state == OfferState.OPEN)
    if package_id is not None:
        asked = asked.where(Offer.package_id == package_id)
    if mentor_id is not None:
        asked = asked.where(Offer.mentor_id == mentor_id)
    if after is not None:
        asked = asked.where(Offer.starts_at >= end_of_day(after))
    rows = work.db.scalars(asked.order_by(Offer.id)).all()
    for row in rows:
        row.state, row.taken_back_at = OfferState.WITHDRAWN, work.now if by_hand else None
    for batch_id in dict.fromkeys(row.batch_id for row in rows):
        if not _still_open(work, batch_id):
            mail.drop(work, about=batch_id, template="offers")
        if by_hand:
            _tell(work, batch_id)
        count = sum(row.batch_id == batch_id for row in rows)
        work.record(Action.TIMES_WITHDRAWN, object=f"offers:{batch_id}", count=count)


def _tell(work: Work, batch_id: UUID) -> None:
    """Whom no mail had reached yet hears of nothing: theirs is called off. Where a worker has it, only the worker
    will know; what came of that is looked up once it must have said so."""
    asked = select(Mail.person_id, Mail.claimed_until).where(
        Mail.about == batch_id, Mail.template == "offers", _may_have_gone()
    )
    for person_id, claimed_until in work.db.execute(asked):
        mail.queue(work, template="offers_back", about=batch_id, to=person_id, due_at=claimed_until)


def reached(db: DbSession, batch_id: UUID, person_id: UUID) -> bool:
    """Whether somebody has had the mail about these times, as far as is known."""
    asked = select(Mail.id).where(
        Mail.about == batch_id, Mail.template == "offers", Mail.person_id == person_id, _may_have_gone()
    )
    return db.scalars(asked.limit(1)).first() is not None


def _may_have_gone() -> ColumnElement[bool]:
    """A mail that went, or that a worker took and has not said what came of it."""
    return or_(Mail.state == MailState.SENT, Mail.claimed_until.is_not(None))


def _still_open(work: Work, batch_id: UUID) -> bool:
    work.db.flush()
    left = select(Offer.id).where(Offer.batch_id == batch_id, Offer.state == OfferState.OPEN).limit(1)
    return work.db.scalars(left).first() is not None


def open_for(db: DbSession, package_id: UUID, *, now: datetime) -> list[Offer]:
    """The times that wait for an answer, in order."""
    return list(
        db.scalars(
            select(Offer)
            .where(Offer.package_id == package_id, Offer.state == OfferState.OPEN, Offer.starts_at > now)
            .order_by(Offer.starts_at)
        )
    )


@dataclass(frozen=True)
class Batch:
    """The times of one mail that wait for an answer, in order, and who offers them."""

    mentor: Person
    times: Sequence[Offer]


def batches_for(db: DbSession, package_id: UUID, *, now: datetime) -> list[Batch]:
    """The same by mail: each mentor of the package can have offered some. The earliest first."""
    found: dict[UUID, list[Offer]] = {}
    for one in open_for(db, package_id, now=now):
        found.setdefault(one.batch_id, []).append(one)
    mentor_ids = {times[0].mentor_id for times in found.values()}
    if not mentor_ids:
        return []
    mentors = {one.id: one for one in db.scalars(select(Person).where(Person.id.in_(mentor_ids)))}
    return [Batch(mentors[times[0].mentor_id], times) for times in found.values()]
