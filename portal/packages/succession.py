"""How one support passes from somebody to a successor, or ends: the two ways of portal/packages/churn.py, by strand.

Under the locks that churn.py takes: everybody, the sessions, the packages.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from portal.booking import acts as bookings
from portal.booking import diary, standing, telling
from portal.booking.availability import Interval
from portal.booking.diary import Refused
from portal.groups import seats, waiting
from portal.mentors import serving
from portal.models import AttendanceState, Package, PackageState, Participation, Role, Session, Strand
from portal.packages import acts as packages
from portal.packages import endings, ledger
from portal.packages import members as matching
from portal.programme import OutsideContract, Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work


@dataclass(frozen=True)
class Running:
    """Support that somebody has in a role, and their sessions still to come."""

    part: Participation
    coming: Sequence[Session]

    @property
    def package(self) -> Package:
        return self.part.package


@dataclass(frozen=True)
class Newcomer:
    """A successor who is not known yet."""

    name: str
    email: str


@dataclass(frozen=True)
class Successor:
    """Who follows, in which role, from which day on. `who` is a person's id, or somebody to be added."""

    who: UUID | Newcomer
    role: Role
    from_on: date


@dataclass(frozen=True)
class Terms:
    """How support is handed on: the last day of the one before, the support that goes on with the successor (ids of
    participations; the rest ends), what one-to-one support is to achieve for them, and whether sessions go along."""

    on: date
    successor: Successor | None = None
    moves: Collection[UUID] = ()
    goal: str = ""
    with_sessions: bool = True


@dataclass
class Outcome:
    """What came of it: packages that went on, those that ended, sessions that passed on and those cancelled."""

    moved: list[UUID] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    passed_on: int = 0
    cancelled: int = 0


# ---- one-to-one: the package ends, another follows


def one_to_one(
    work: Work, programme: Programme, one: Running, *, terms: Terms, to: UUID | None, outcome: Outcome
) -> UUID:
    own = [session for session in one.coming if session.package_id == one.package.id]
    for session in own:
        bookings.cancel(work, session_id=session.id)
    for session in one.coming:
        if session not in own:
            # A joint workshop of another package goes on without them.
            _take_back(work, session, one.part)
            waiting.fill(work, programme, session)
    work.db.flush()
    old = matching.locked(work, one.package.id)
    _close(work, programme, old, terms)
    if to is None or terms.successor is None:
        outcome.cancelled += len(one.coming)
        return old.id
    new = _follow(work, programme, old, terms, to, terms.successor)
    outcome.cancelled += len(one.coming) - len(own)
    for session in own:
        moved = terms.with_sessions and _rebook(work, programme, session, new, to)
        if moved:
            # Who follows has its time, which is not lost: the ledger counts no late cancellation.
            session.cancelled_at = None
        outcome.passed_on += moved
        outcome.cancelled += not moved
    return new.id


def _close(work: Work, programme: Programme, old: Package, terms: Terms) -> None:
    """Support that has begun ends, with the churn as its reason where it was short; else it is withdrawn."""
    reason = f"It was ended because the leader changed, on {endings.words(terms.on)}"
    if old.state is PackageState.ACTIVE:
        packages.end(work, programme, package_id=old.id, on=terms.on, reason=reason)
    else:
        packages.withdraw(work, package_id=old.id, reason=reason)


def _follow(
    work: Work, programme: Programme, old: Package, terms: Terms, to: UUID, successor: Successor
) -> Package:
    """The package of the successor: what is left of the time, never under the minimum (sch 4 SLAs)."""
    starts_on = max(successor.from_on, old.starts_on)
    today = london_date(work.now)
    time = ledger.ledger(work.db, programme, old.id)
    new = packages.create(
        work,
        programme,
        strand=Strand.ONE_TO_ONE,
        council_id=old.council_id,
        members=[(to, successor.role)],
        mentor_ids=[mentor.id for mentor in serving.mentors_from(work.db, old.id, on=today)],
        goals=[terms.goal],
        planned_minutes=max(programme.minimum_minutes, time.planned - time.delivered),
        starts_on=starts_on,
    )
    new.follows_id = old.id
    work.db.flush()
    work.record(Action.PACKAGE_FOLLOWED, object=f"package:{old.id}", by=new.id)
    if new.state is PackageState.AGREED:
        packages.invite(work, package_id=new.id)
    return new


def _rebook(work: Work, programme: Programme, session: Session, new: Package, to: UUID) -> bool:
    """A session at the same time for the successor; False where they have no time then, or support is not open."""
    part = new.participations[0]
    time = Interval(session.starts_at, session.ends_at)
    mentor_id = session.mentor_id
    try:
        with work.db.begin_nested():
            here = standing.Standing(new, [])
            standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=time.starts_at)
            bookings.require_free(
                work,
                programme,
                package=new,
                time=time,
                place=session.place,
                mentor_id=mentor_id,
                people=[to],
            )
            booked = standing.add_session(
                work,
                programme,
                new,
                session_id=new_id(),
                mentor_id=mentor_id,
                kind=session.kind,
                time=time,
                place=session.place,
                where=session.where,
                travel=session.travel,
                booked_for=[part],
                takes=diary.needed(programme, time, session.place, mentor_id=mentor_id, people=[to]),
            )
    except (Refused, OutsideContract):
        return False
    packages.activate(work, new)
    telling.tell(work, booked, [mentor_id, to])
    work.record(
        Action.SESSION_BOOKED,
        object=f"session:{booked.id}",
        holder=to,
        kind=booked.kind,
        starts_at=time.starts_at,
        package=new.id,
    )
    return True


# ---- a group: one member leaves, another joins


def group(
    work: Work, programme: Programme, one: Running, *, terms: Terms, to: UUID | None, outcome: Outcome
) -> UUID:
    package = matching.locked(work, one.package.id)
    for session in one.coming:
        _take_back(work, session, one.part)
    packages.leave(work, programme, package_id=package.id, participation_id=one.part.id, on=terms.on)
    part = (
        _join(work, package, to, terms.successor) if to is not None and terms.successor is not None else None
    )
    for session in one.coming:
        moved = part is not None and terms.with_sessions and _seat(work, session, part)
        outcome.passed_on += moved
        outcome.cancelled += not moved
        waiting.fill(work, programme, session)
    return package.id


def _take_back(work: Work, session: Session, part: Participation) -> None:
    """The place of who leaves."""
    seat = seats.seat_of(work.db, session.id, standing.person_of(part))
    if seat is not None and seat.state is AttendanceState.BOOKED:
        seats.take_back(work, session, seat)


def _join(work: Work, package: Package, to: UUID, successor: Successor) -> Participation:
    """The successor's part: the one they have in this group already, or a new one, invited with the rest."""
    for part in package.participations:
        if part.person_id == to and part.to_on is None:
            return part
    part = matching.add_member(
        work,
        package_id=package.id,
        person_id=to,
        role=successor.role,
        from_on=max(successor.from_on, package.starts_on),
    )
    work.db.flush()
    if package.state in (PackageState.BASELINE, PackageState.ACTIVE):
        packages.invite_one(work, part)
    return part


def _seat(work: Work, session: Session, part: Participation) -> bool:
    """The place that has become free; False where they have one or have no time then."""
    held = seats.seat_of(work.db, session.id, standing.person_of(part))
    if held is not None and held.state is AttendanceState.BOOKED:
        return False
    try:
        with work.db.begin_nested():
            seats.give(work, session, part)
    except Refused:
        return False
    return True
