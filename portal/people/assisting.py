"""What an assistant sees of those they book for: sessions, times, offers and places, and nothing that tells more.

Whether somebody can be booked for is one yes or no. Why not (no mentor yet, support that has not begun, a questionnaire
that is missing) is the same to an assistant, here and in what a page refuses.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.actors import roles_on
from portal.booking import standing
from portal.booking.diary import Refused
from portal.mentors import serving
from portal.models import (
    PARTICIPANT,
    Delegation,
    Offer,
    OfferState,
    Package,
    PackageMentor,
    Participation,
    Person,
    Session,
    SessionPackage,
    SessionState,
    Strand,
)
from portal.people import delegations
from privacy.clock import london_date

NOT_OPEN = "Booking is not open at the moment. The programme team will say when it opens"


class NotOpenNow(Refused):
    """What an assistant is told instead of why nothing can be booked."""

    def __init__(self) -> None:
        super().__init__(NOT_OPEN)


@dataclass(frozen=True)
class Seen:
    """A session to come: `has_place` where the leader is in it, `places_left` for a group session."""

    session: Session
    has_place: bool
    places_left: int | None


@dataclass(frozen=True)
class OneToOne:
    """A package in which sessions can be booked, or not now."""

    package: Package
    is_open: bool
    offers: Sequence[Offer]


@dataclass(frozen=True)
class BookedFor:
    """One leader, as their assistant sees them."""

    delegation: Delegation
    in_office: bool
    sessions: Sequence[Seen]
    one_to_one: Sequence[OneToOne]


def overview(db: DbSession, *, assistant_id: UUID, now: datetime) -> list[BookedFor]:
    """Everybody whom somebody books for, by name; the same number of queries however many there are."""
    today = london_date(now)
    rows = delegations.of_assistant(db, assistant_id, today)
    leaders = [row.leader_id for row in rows if _in_office(row.leader, today)]
    parts = _parts(db, leaders)
    sessions = _sessions(db, {part.package_id for part in parts}, now=now)
    singles = [part for part in parts if part.package.strand is Strand.ONE_TO_ONE]
    closed = _closed(db, singles, on=today)
    offers = _offers(db, {part.package_id for part in singles}, now=now)
    return [
        BookedFor(
            delegation=row,
            in_office=row.leader_id in leaders,
            sessions=_seen(row.leader_id, [one for one in parts if one.person_id == row.leader_id], sessions),
            one_to_one=[
                OneToOne(
                    part.package,
                    part.id not in closed,
                    [] if part.id in closed else [one for one in offers if one.package_id == part.package_id],
                )
                for part in singles
                if part.person_id == row.leader_id
            ],
        )
        for row in rows
    ]


def is_open(db: DbSession, package: Package, *, on: date) -> bool:
    """Whether a one-to-one session can be booked now, as an assistant may know it."""
    members = standing.members_of(db, package.id)
    return bool(members) and members[0].id not in _closed(db, members[:1], on=on)


def _in_office(leader: Person, today: date) -> bool:
    return leader.disabled_at is None and bool(roles_on(leader, today) & PARTICIPANT)


def _parts(db: DbSession, leaders: Collection[UUID]) -> Sequence[Participation]:
    mentors = joinedload(Participation.package).selectinload(Package.mentors)
    return db.scalars(
        select(Participation)
        .join(Participation.package)
        .where(
            Participation.person_id.in_(leaders),
            Participation.to_on.is_(None),
            Package.state.in_(standing.OPEN),
        )
        .options(mentors.joinedload(PackageMentor.person).selectinload(Person.offices))
        .order_by(Package.starts_on, Package.id)
    ).all()


def _closed(db: DbSession, parts: Sequence[Participation], *, on: date) -> set[UUID]:
    """The parts in which nothing can be booked, for whatever reason."""
    waived = {part.id for part in parts if part.package.baseline_waived_at is not None}
    unserved = {
        part.id
        for part in parts
        if part.package.state not in standing.OPEN
        or not any(serving.serves_from(one, on) for one in part.package.mentors)
    }
    return unserved | standing.awaited(db, [part.id for part in parts if part.id not in waived])


def _sessions(db: DbSession, packages: Collection[UUID], *, now: datetime) -> Sequence[Session]:
    joined = select(SessionPackage.session_id).where(SessionPackage.package_id.in_(packages))
    found = db.scalars(
        select(Session)
        .where(
            or_(Session.package_id.in_(packages), Session.id.in_(joined)),
            Session.state == SessionState.BOOKED,
            Session.ends_at > now,
        )
        .options(selectinload(Session.attendances), selectinload(Session.joined), joinedload(Session.mentor))
        .order_by(Session.starts_at, Session.id)
    )
    return found.all()


def _offers(db: DbSession, packages: Collection[UUID], *, now: datetime) -> Sequence[Offer]:
    return db.scalars(
        select(Offer)
        .where(Offer.package_id.in_(packages), Offer.state == OfferState.OPEN, Offer.starts_at > now)
        .order_by(Offer.starts_at)
    ).all()


def _seen(leader_id: UUID, parts: Sequence[Participation], sessions: Sequence[Session]) -> list[Seen]:
    own = {part.package_id for part in parts}
    found = []
    for session in sessions:
        of = {session.package_id, *(one.package_id for one in session.joined)}
        live = [seat.person_id for seat in session.attendances if seat.state in standing.LIVE]
        if of & own and (session.capacity is not None or leader_id in live):
            left = None if session.capacity is None else max(0, session.capacity - len(live))
            found.append(Seen(session, leader_id in live, left))
    return found
