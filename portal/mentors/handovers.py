"""A mentor cannot go on: all their coming sessions go to another in one act, and the packages with them.

For each session it is all or nothing: the other mentor serves on its day, has the time, with the way there or the
buffer around it, no leave, fewer sessions than they take on, and nothing stops them in that package
(portal/mentors/stops.py). Else the session stays where it is and is listed, to be given to somebody at another time,
moved or cancelled. The preview and the act ask the same function. Where a session keeps its time, a period in which
its council wants none was decided about before and is not asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.access.known import HeldOffice
from portal.booking import diary, moves, standing, telling, timetable
from portal.booking.availability import Interval
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import SessionClosed
from portal.booking.timetable import Away, Full, Timetable
from portal.groups.sessions import TimePassed
from portal.mentors import serving, stops
from portal.mentors.serving import NotServing, PlainAccount, PlainServing, Serving
from portal.models import Package, Participation, Person, Session, SessionState
from portal.packages import members as matching
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work


class SameMentor(Refused):
    """Sessions cannot be handed to whoever gives them."""

    def __init__(self) -> None:
        super().__init__("Choose another mentor than the one who hands over")


@dataclass(frozen=True)
class PackageHanded:
    """A package of the mentor; `stop` is why the other cannot serve it, None if they can."""

    package: Package
    stop: str | None


@dataclass(frozen=True)
class SessionHanded:
    """A coming session of the mentor; `stop` is why the other cannot take it, None if they can."""

    session: Session
    stop: str | None


@dataclass(frozen=True)
class Preview:
    """What a hand-over would do."""

    packages: Sequence[PackageHanded]
    sessions: Sequence[SessionHanded]

    @property
    def going(self) -> list[Session]:
        return [one.session for one in self.sessions if one.stop is None]

    @property
    def left(self) -> list[SessionHanded]:
        return [one for one in self.sessions if one.stop is not None]


def coming(db: DbSession, mentor_id: UUID, *, now: datetime) -> Sequence[Session]:
    """The sessions that a mentor is to give and that have not begun, in order."""
    return db.scalars(
        select(Session)
        .where(Session.mentor_id == mentor_id, Session.state == SessionState.BOOKED, Session.starts_at > now)
        .options(joinedload(Session.package).joinedload(Package.council))
        .order_by(Session.starts_at, Session.id)
        .execution_options(populate_existing=True)
    ).all()


def preview(db: DbSession, programme: Programme, *, from_id: UUID, to_id: UUID, now: datetime) -> Preview:
    """What would go to the other mentor, and what would be left, and why. Raises SameMentor."""
    if from_id == to_id:
        raise SameMentor
    sessions = coming(db, from_id, now=now)
    packages = _packages(db, from_id, sessions, now=now)
    refused = _stops(db, packages, to_id, on=london_date(now))
    servings = _servings(db, packages, to_id, on=london_date(now))
    table = _table(db, programme, to_id, sessions, now=now)
    handed = []
    for one in sessions:
        problem = refused.get(one.package_id, "This support has ended")
        if problem is None:
            time = Interval(one.starts_at, one.ends_at)
            wanted = diary.needed(programme, time, one.place, mentor_id=to_id)
            problem = _why_not(table, servings[one.package_id], one, wanted, to_id=to_id)
            if problem is None:
                table = table.holding(to_id, time, taking=wanted[to_id])
        handed.append(SessionHanded(one, problem))
    return Preview([PackageHanded(one, refused[one.id]) for one in packages], handed)


def hand_over(work: Work, programme: Programme, *, from_id: UUID, to_id: UUID) -> Preview:
    """Give all that can go to the other mentor, tell everybody by calendar mail; returns what went and what is left.

    A package that goes has the other mentor from today, and today is the last day there of the one who hands
    over; a package that cannot go stays as it is. Raises SameMentor.
    """
    diary.lock(work, [from_id, to_id])
    sessions = coming(work.db, from_id, now=work.now)
    ids = sorted(one.id for one in sessions)
    work.db.execute(select(Session.id).where(Session.id.in_(ids)).order_by(Session.id).with_for_update())
    packages = _packages(work.db, from_id, sessions, now=work.now)
    for package_id in sorted(one.id for one in packages):
        matching.locked(work, package_id)
    work.wait_turn(f"mentor:{to_id}")
    plan = preview(work.db, programme, from_id=from_id, to_id=to_id, now=work.now)
    for one in plan.packages:
        if one.stop is None:
            matching.assign_mentor(work, package_id=one.package.id, person_id=to_id)
    for session in plan.going:
        give_time(work, programme, session, to_id=to_id)
    for one in plan.packages:
        if one.stop is None and _still_serves(one.package, from_id):
            matching.unassign_mentor(work, package_id=one.package.id, person_id=from_id)
    work.record(
        Action.MENTORING_HANDED_OVER,
        object=f"person:{from_id}",
        to_mentor=to_id,
        sessions=len(plan.going),
        left=len(plan.left),
    )
    return plan


def give(
    work: Work, programme: Programme, *, session_id: UUID, mentor_id: UUID, starts_at: datetime | None = None
) -> Session:
    """Give one coming session to another mentor of its package, at its time or another.

    Raises SessionClosed, MentorChanged, SameMentor, TimePassed, TimeTaken, NoSessionsThen, Away, Full, and what
    standing.require_open raises: NotServing, TooEarly, SupportClosed, OutsideContract.
    """
    session = standing.reopen(work, session_id=session_id, also=[mentor_id])
    if session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    if session.mentor_id == mentor_id:
        raise SameMentor
    package = matching.locked(work, session.package_id)
    at = starts_at or session.starts_at
    if at <= work.now:
        raise TimePassed
    standing.require_open(work, programme, standing.Standing(package, []), mentor_id=mentor_id, starts_at=at)
    time = Interval(at, at + (session.ends_at - session.starts_at))
    moved = at != session.starts_at
    people = standing.live_people(work.db, session_id) if moved else []
    table = timetable.read(
        work.db,
        programme,
        mentor_ids=[mentor_id],
        person_ids=people,
        council_id=package.council_id if moved else None,
        window=time,
        now=work.now,
        but=session_id,
    )
    table.require_untaken(diary.needed(programme, time, session.place, mentor_id=mentor_id, people=people))
    table.require_open(mentor_id, time)
    give_time(work, programme, session, to_id=mentor_id, time=time)
    return session


def give_time(
    work: Work, programme: Programme, session: Session, *, to_id: UUID, time: Interval | None = None
) -> None:
    """Take the new mentor's time, free the old one's, and tell everybody. Raises TimeTaken."""
    from_id = session.mentor_id
    people = standing.live_people(work.db, session.id)
    moved = time is not None and time.starts_at != session.starts_at
    diary.free(work, session_id=session.id, person_id=None if moved else from_id)
    if moved:
        moves.keep(work, session)
    else:
        moves.hand_over(session)
    if time is not None:
        session.starts_at, session.ends_at = time
    session.mentor_id = to_id
    session.sequence += 1
    work.db.flush()
    now_at = Interval(session.starts_at, session.ends_at)
    others = people if moved else ()
    times = diary.needed(programme, now_at, session.place, mentor_id=to_id, people=others)
    diary.take(work, session_id=session.id, times=times)
    telling.tell(work, session, [from_id, to_id, *people])
    work.record(
        Action.SESSION_HANDED_OVER, object=f"session:{session.id}", from_mentor=from_id, to_mentor=to_id
    )


def _packages(
    db: DbSession, from_id: UUID, sessions: Sequence[Session], *, now: datetime
) -> Sequence[Package]:
    """What the mentor serves, and what their coming sessions belong to, that is not over."""
    today, with_sessions = london_date(now), {one.package_id for one in sessions}
    wanted = {*serving.served_by(db, from_id, on=today), *with_sessions}
    found = db.scalars(
        select(Package)
        .where(Package.id.in_(wanted), Package.state.not_in(matching.OVER))
        .options(
            joinedload(Package.council),
            selectinload(Package.participations).joinedload(Participation.person),
            selectinload(Package.mentors),
        )
        .order_by(Package.starts_on, Package.ref)
    ).all()
    # What they serve today for the last time was handed over already.
    return [one for one in found if one.id in with_sessions or _goes_on(one, from_id, after=today)]


def _goes_on(package: Package, person_id: UUID, *, after: date) -> bool:
    return any(
        one.person_id == person_id and (one.to_on is None or one.to_on > after) for one in package.mentors
    )


def _stops(db: DbSession, packages: Sequence[Package], to_id: UUID, *, on: date) -> dict[UUID, str | None]:
    """Why the other mentor cannot serve each package, the room that the earlier ones take counted in."""
    found: dict[UUID, str | None] = {}
    new = 0
    for package in packages:
        members = [part.person_id for part in package.participations if part.person_id is not None]
        looked = stops.look(
            db,
            [to_id],
            council_id=package.council_id,
            member_ids=members,
            on=max(on, package.starts_on),
            package_id=package.id,
        ).get(to_id)
        serves = _still_serves(package, to_id)
        if looked is None:
            found[package.id] = "There is no such mentor"
        elif looked.stops:
            found[package.id] = looked.stops[0].words
        elif not serves and new >= looked.left:
            found[package.id] = f"{looked.person.name} has no room for another package"
        else:
            found[package.id] = None
            new += not serves
    return found


def _still_serves(package: Package, person_id: UUID) -> bool:
    return any(one.person_id == person_id and one.to_on is None for one in package.mentors)


def _servings(
    db: DbSession, packages: Sequence[Package], to_id: UUID, *, on: date
) -> dict[UUID, Sequence[Serving]]:
    """How the other mentor will serve each package: as they do, or from a day on once it has gone over."""
    other = db.get(Person, to_id, options=[selectinload(Person.offices)])
    if other is None:
        return {package.id: [] for package in packages}
    offices = [HeldOffice(office.role, office.from_on, office.to_on) for office in other.offices]
    account = PlainAccount(other.disabled_at, offices)
    found: dict[UUID, Sequence[Serving]] = {}
    for package in packages:
        known = [one for one in package.mentors if one.person_id == to_id]
        new = PlainServing(to_id, max(on, package.starts_on), None, account)
        found[package.id] = known if _still_serves(package, to_id) else [*known, new]
    return found


def _table(
    db: DbSession, programme: Programme, to_id: UUID, sessions: Sequence[Session], *, now: datetime
) -> Timetable:
    """The other mentor's timetable from the first of these sessions to the last."""
    first = min((one.starts_at for one in sessions), default=now)
    last = max((one.ends_at for one in sessions), default=now)
    return timetable.read(
        db,
        programme,
        mentor_ids=[to_id],
        person_ids=[],
        council_id=None,
        window=Interval(first, last),
        now=now,
    )


def _why_not(
    table: Timetable,
    servings: Sequence[Serving],
    session: Session,
    wanted: Mapping[UUID, Interval],
    *,
    to_id: UUID,
) -> str | None:
    """Why the other mentor cannot take a session at its time; None if they can."""
    problem = serving.refusal(session.package, servings, london_date(session.starts_at))
    if problem is None:
        try:
            table.require_untaken(wanted)
            table.require_open(to_id, Interval(session.starts_at, session.ends_at))
        except Refused as refused:
            problem = refused
    return _words(problem) if problem is not None else None


def _words(problem: Refused) -> str:
    """What keeps the other mentor from a session, in the list of those that are left."""
    match problem:
        case TimeTaken():
            return "The other mentor has something else at that time"
        case Away():
            return "The other mentor is away then"
        case Full():
            return f"The other mentor has as many sessions that {problem.what} as they take on"
        case NotServing():
            return "The other mentor cannot give this support on that day any more"
        case _:
            return str(problem)
