"""Six-monthly reviews of councils in the Department's intervention, while they get support (sch 4 SLAs).

The next date is computed: so many months after the last review, or after support began in intervention.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.councils import qualifying
from portal.models import Council, Package, PackageState, Review
from portal.packages.states import PackageRefused
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import add_months, london_date
from privacy.records import new_id
from privacy.work import Work

SUPPORTED = (PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE)


class WrongReview(PackageRefused):
    """A review cannot have been held on that day."""

    field = "held_on"


@dataclass(frozen=True)
class NextReview:
    """When the next review of a council is due, and since when it has been in intervention."""

    council: Council
    due_on: date
    since: date
    overdue: bool

    def is_near(self, day: date) -> bool:
        """Whether the team has something to do about it: it is overdue, or due within a month."""
        return self.due_on <= add_months(day, 1)


def coming(
    db: DbSession, programme: Programme, *, on: date, council_ids: Iterable[UUID] | None = None
) -> list[NextReview]:
    """The next review of each council that is in intervention and gets support, soonest first."""
    standing = qualifying.of_councils(db, on=on, council_ids=council_ids)
    since = {one: found.intervention.from_on for one, found in standing.items() if found.intervention}
    begun = {
        council_id: first
        for council_id, first in db.execute(
            select(Package.council_id, func.min(Package.starts_on))
            .where(Package.council_id.in_(since), Package.state.in_(SUPPORTED))
            .group_by(Package.council_id)
        )
        if council_id is not None
    }
    last = {
        row[0]: row[1]
        for row in db.execute(
            select(Review.council_id, func.max(Review.held_on))
            .where(Review.council_id.in_(begun))
            .group_by(Review.council_id)
        )
    }
    found = []
    for council in db.scalars(select(Council).where(Council.id.in_(begun))):
        start = max(since[council.id], begun[council.id], last.get(council.id, date.min))
        due_on = add_months(start, programme.review_months)
        found.append(NextReview(council, due_on, since[council.id], due_on < on))
    return sorted(found, key=lambda one: (one.due_on, one.council.name))


def next_of(db: DbSession, programme: Programme, council_id: UUID, *, on: date) -> NextReview | None:
    """The next review of one council; None where none is due."""
    return next(iter(coming(db, programme, on=on, council_ids=[council_id])), None)


def held(db: DbSession, council_id: UUID) -> list[Review]:
    """The reviews of a council that were held, newest first."""
    return list(
        db.scalars(
            select(Review)
            .where(Review.council_id == council_id)
            .order_by(Review.held_on.desc(), Review.recorded_at.desc())
        )
    )


def record(work: Work, *, council_id: UUID, held_on: date, notes: str = "") -> Review:
    """Note a review that was held. Raises WrongReview for a day to come."""
    if held_on > london_date(work.now):
        raise WrongReview("The day is still to come. Record it once it was held")
    review = Review(id=new_id(), council_id=council_id, held_on=held_on, recorded_at=work.now, by=work.actor)
    review.notes = notes or None
    work.db.add(review)
    work.record(Action.REVIEW_HELD, object=f"council:{council_id}", on=held_on)
    return review
