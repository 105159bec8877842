"""A few times that a mentor offers to one leader by mail; choosing one books it and withdraws the others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.booking import acts as bookings
from portal.booking import open_offers, standing
from portal.booking.availability import Interval, cells
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import SupportClosed
from portal.mailing import queue as mail
from portal.models import Offer, OfferState, Package, Place, Session, Strand
from portal.programme import Programme
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

AT_LEAST = 3
AT_MOST = 5


class OfferGone(Refused):
    """Another time of the batch was chosen, or the mentor offered newer ones."""

    def __init__(self) -> None:
        super().__init__("This time is no longer offered. Choose another time")


class OfferChosen(Refused):
    """One of the times was chosen before they were taken back."""

    def __init__(self) -> None:
        super().__init__("One of these times has just been chosen, so there is nothing to take back")


class TooFewOrMany(Refused):
    """Not three to five different times."""

    def __init__(self) -> None:
        super().__init__(f"Offer {AT_LEAST} to {AT_MOST} different times")


class OfferClashes(TimeTaken):
    """One of the times is not free; `starts_at` says which."""

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("You or the leader have something else at this time. Choose another time")
        self.starts_at = starts_at


class OfferPassed(Refused):
    """One of the times lies behind; `starts_at` says which."""

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("This time has passed. Choose a time in the future")
        self.starts_at = starts_at


class OfferShut(Refused):
    """One of the times is shut by leave, by a period without sessions, or by the mentor's limits."""

    def __init__(self, starts_at: datetime, why: Refused) -> None:
        super().__init__(str(why))
        self.starts_at = starts_at


def offer(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    mentor_id: UUID,
    starts: Sequence[datetime],
    place: Place,
    where: str | None = None,
    travel: str | None = None,
) -> UUID:
    """Offer three to five times, inside the mentor's hours or not, and mail them; returns the batch's id.

    Times that were offered before and not chosen are withdrawn: there is one mail to answer. Nothing is held
    for an offer; a time that is booked by somebody else is gone. Each time keeps the rules of a booking. Raises
    TooFewOrMany, OfferClashes, OfferPassed, OfferShut, BaselineMissing, NotServing, TooEarly, SupportClosed,
    OutsideContract and NotQuarterHours.
    """
    if len(set(starts)) != len(starts) or not AT_LEAST <= len(starts) <= AT_MOST:
        raise TooFewOrMany
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    if here.package.strand is not Strand.ONE_TO_ONE:
        raise SupportClosed
    standing.require_baseline(work.db, here.package, [here.leader.id])
    person_id = standing.person_of(here.leader)
    for starts_at in starts:
        standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=starts_at)
        _require_free(work, programme, here.package, _time(programme, starts_at), place, mentor_id, person_id)
    open_offers.withdraw(work, package_id=package_id, mentor_id=mentor_id)
    batch_id = new_id()
    for time in (_time(programme, starts_at) for starts_at in sorted(starts)):
        row = Offer(
            id=new_id(),
            batch_id=batch_id,
            package_id=package_id,
            mentor_id=mentor_id,
            starts_at=time.starts_at,
            ends_at=time.ends_at,
            place=place,
            state=OfferState.OPEN,
            made_at=work.now,
        )
        row.where, row.travel = where, travel
        work.db.add(row)
    mail.queue(work, template="offers", about=batch_id, to=person_id)
    work.record(Action.TIMES_OFFERED, object=f"offers:{batch_id}", holder=person_id, count=len(starts))
    return batch_id


def choose(work: Work, programme: Programme, *, offer_id: UUID, session_id: UUID) -> Session:
    """Book an offered time and withdraw the rest of its batch; the same form again gives the first result.

    Raises OfferGone, and what `bookings.book` raises for a time that need not lie in the hours.
    """
    offered = work.db.get_one(Offer, offer_id)
    # Books under the locks of both people, so what is read of the offers afterwards is the last word.
    standing.enter(work, package_id=offered.package_id, mentor_id=offered.mentor_id)
    work.db.refresh(offered)
    again = work.db.get(Session, session_id, populate_existing=True)
    if offered.state is not OfferState.OPEN:
        if again is None or again.package_id != offered.package_id:
            raise OfferGone
        return again
    session = bookings.book(
        work,
        programme,
        package_id=offered.package_id,
        session_id=session_id,
        mentor_id=offered.mentor_id,
        starts_at=offered.starts_at,
        place=offered.place,
        where=offered.where,
        travel=offered.travel,
        free_time=True,
        minutes=int((offered.ends_at - offered.starts_at).total_seconds()) // 60,
    )
    offered.state = OfferState.TAKEN
    open_offers.withdraw(work, package_id=offered.package_id, mentor_id=offered.mentor_id)
    return session


def take_back(work: Work, *, offer_id: UUID) -> None:
    """Take back the times of one mail that nobody has chosen; whoever had the mail is told. The same again changes
    nothing. Raises OfferChosen."""
    offered = work.db.get_one(Offer, offer_id)
    # The same locks as for choosing, so that one of the two comes first.
    standing.enter(work, package_id=offered.package_id, mentor_id=offered.mentor_id)
    states = set(work.db.scalars(select(Offer.state).where(Offer.batch_id == offered.batch_id)))
    if OfferState.TAKEN in states:
        raise OfferChosen
    if OfferState.OPEN in states:
        open_offers.withdraw(work, package_id=offered.package_id, mentor_id=offered.mentor_id, by_hand=True)


def _time(programme: Programme, starts_at: datetime) -> Interval:
    return Interval(starts_at, starts_at + timedelta(minutes=programme.session_minutes))


def _require_free(
    work: Work,
    programme: Programme,
    package: Package,
    time: Interval,
    place: Place,
    mentor_id: UUID,
    person_id: UUID,
) -> None:
    if time.starts_at <= work.now:
        raise OfferPassed(time.starts_at)
    cells(*time)
    try:
        bookings.require_free(
            work,
            programme,
            package=package,
            time=time,
            place=place,
            mentor_id=mentor_id,
            people=[person_id],
        )
    except TimeTaken as problem:
        raise OfferClashes(time.starts_at) from problem
    except Refused as problem:
        raise OfferShut(time.starts_at, problem) from problem
