"""What has to hold before time is booked: who takes part, who serves, what is open, whether the baseline is in.

The locks are taken here, always in one order: people by ascending id, the session, the package. What is read
after them is what the rule decides on.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, union
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import diary
from portal.booking.availability import Interval
from portal.booking.diary import Refused
from portal.mentors import clearances, serving
from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    PackageState,
    Participation,
    Place,
    Session,
    SessionKind,
    SessionState,
    Waiting,
    WaitingState,
)
from portal.programme import Programme, require_inside
from privacy.clock import london_date
from privacy.constraints import refused_as
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work
from surveys.models import Wave
from surveys.responses import submitted

OPEN = frozenset({PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE})
LIVE = (AttendanceState.BOOKED, AttendanceState.ATTENDED)
LOCKED = {"key_share": True}
UIDS_END = ".leadership-support"
"""What the names end in by which calendars know our sessions."""
NOBODYS: Mapping[UUID, Interval] = MappingProxyType({})


class BaselineMissing(Refused):
    """No first session without the baseline questionnaire, unless the team waived it (sch 4 SLAs)."""

    def __init__(self) -> None:
        super().__init__(
            "The first questionnaire comes before the first session. They have not answered it yet"
        )


class SupportClosed(Refused):
    """The package is not agreed yet, or has ended."""

    def __init__(self) -> None:
        super().__init__("This support is not open, so no session can be booked")


class SessionClosed(Refused):
    """The session has taken place, was cancelled, or has begun."""

    def __init__(self) -> None:
        super().__init__("This session has begun, is over or was cancelled, so it cannot be changed")


class MentorChanged(Refused):
    """The session was given to another mentor at this very moment, so the locks are the wrong ones."""

    def __init__(self) -> None:
        super().__init__(
            "This session has just been given to another mentor. Look at it again, and try once more"
        )


class FormUsed(Refused):
    """The id that the form carries belongs to another session."""

    def __init__(self) -> None:
        super().__init__("This page was used before for another time. Choose the time again")


_REFUSALS: Mapping[str, Callable[[], Exception]] = {
    "pk_session": FormUsed,
    "uq_session_uid": FormUsed,
    **diary.CLASHES,
}


class Member(NamedTuple):
    """Somebody who takes part in a package today, by ids alone; `id` is that of their participation."""

    id: UUID
    person_id: UUID


@dataclass(frozen=True)
class Standing:
    """A package under lock with those who take part in it today."""

    package: Package
    members: Sequence[Member]

    @property
    def leader(self) -> Member:
        """The one participant of one-to-one support. Raises SupportClosed when nobody is left."""
        if not self.members:
            raise SupportClosed
        return self.members[0]


def members_of(db: DbSession, package_id: UUID) -> list[Participation]:
    """Who takes part today, without those who were erased; people loaded."""
    return list(db.scalars(_MEMBERS, {"package": package_id}))


def lasts_to(package: Package, day: date) -> bool:
    """Whether support is open, or ended on that London day or after it: what has been can be recorded later."""
    if package.state is PackageState.ENDED:
        return package.ends_on is not None and day <= package.ends_on
    return package.state in OPEN


def taking_part(db: DbSession, package_id: UUID) -> list[Member]:
    """The same by ids alone, for those who ask who and not what they are called."""
    return [Member(*row) for row in run(db, _TAKING_PART, {"package": package_id})]


# Made once: each booking asks them.
_TODAY = (
    Participation.package_id == bindparam("package"),
    Participation.to_on.is_(None),
    Participation.person_id.is_not(None),
)
_IN_ORDER = (Participation.from_on, Participation.id)
_MEMBERS = select(Participation).where(*_TODAY).options(joinedload(Participation.person)).order_by(*_IN_ORDER)
_TAKING_PART = select(Participation.id, Participation.person_id).where(*_TODAY).order_by(*_IN_ORDER)
_SENT = select(Session.package_id, Session.starts_at).where(Session.id == bindparam("session"))
_PEOPLE = select(Participation.person_id).where(
    Participation.package_id == bindparam("package"), Participation.to_on.is_(None)
)


def person_of(participation: Participation | Member) -> UUID:
    """The person who takes part; those who were erased take part in nothing."""
    if participation.person_id is None:
        raise SupportClosed
    return participation.person_id


def enter(work: Work, *, package_id: UUID, mentor_id: UUID) -> Standing:
    """Lock mentor, members and package, and read them again. Raises SupportClosed."""
    people = run(work.db, _PEOPLE, {"package": package_id}).scalars()
    diary.lock(work, {mentor_id, *(person_id for person_id in people if person_id is not None)})
    package = work.db.get(Package, package_id, populate_existing=True, with_for_update=LOCKED)
    if package is None:
        raise SupportClosed
    return Standing(package, taking_part(work.db, package_id))


def reopen(work: Work, *, session_id: UUID, also: Iterable[UUID] = ()) -> Session:
    """Lock the people of a session and the session, and read it again. Raises SessionClosed and MentorChanged."""
    mentor_id = work.db.scalar(select(Session.mentor_id).where(Session.id == session_id))
    if mentor_id is None:
        raise SessionClosed
    diary.lock(work, {mentor_id, *coming_to(work.db, [session_id]), *also})
    session = work.db.get(Session, session_id, populate_existing=True, with_for_update=LOCKED)
    if session is None:
        raise SessionClosed
    if session.mentor_id != mentor_id:
        # To lock the new mentor now would be out of order.
        raise MentorChanged
    return session


def coming_to(db: DbSession, session_ids: Collection[UUID]) -> set[UUID]:
    """Who has, had or waits for a place in these sessions."""
    return set(
        db.scalars(
            union(
                select(Attendance.person_id).where(Attendance.session_id.in_(session_ids)),
                select(Waiting.person_id).where(
                    Waiting.session_id.in_(session_ids), Waiting.state == WaitingState.WAITING
                ),
            )
        )
    )


def require_open(
    work: Work, programme: Programme, standing: Standing, *, mentor_id: UUID, starts_at: datetime
) -> None:
    """Raises SupportClosed, NotServing, and TooEarly or OutsideContract, which name the dates (cl 2.1)."""
    if standing.package.state not in OPEN:
        raise SupportClosed
    day, today = london_date(starts_at), london_date(work.now)
    require_inside(work.db, programme, day, what="The session", on=today)
    known = serving.of_mentor(work.db, standing.package.id, mentor_id)
    problem = serving.refusal(standing.package, known, day)
    if problem is not None:
        raise problem
    if day >= today and clearances.gaps(work.db, [mentor_id], on=today).get(mentor_id):
        # What has been can be logged; nobody delivers from now on without clearance (annex 1).
        raise serving.NotServing


def without_baseline(db: DbSession, package: Package, participation_ids: Collection[UUID]) -> set[UUID]:
    """Whose first session has to wait for the baseline questionnaire (sch 4 SLAs).

    Nobody's when the team waived it with a reason; not theirs who have had a session of this package. A place that
    passed to them from somebody before them is no session that they had.
    """
    if package.baseline_waived_at is not None or not participation_ids:
        return set()
    return awaited(db, participation_ids)


def awaited(db: DbSession, participation_ids: Collection[UUID]) -> set[UUID]:
    """The same for participations of several packages, waived or not, in two queries."""
    missing = set(participation_ids) - submitted(db, list(participation_ids), Wave.BASELINE)
    if not missing:
        return set()
    begun = db.scalars(
        select(Attendance.participation_id)
        .join(Session, Session.id == Attendance.session_id)
        .join(Participation, Participation.id == Attendance.participation_id)
        .where(
            Attendance.participation_id.in_(missing),
            Attendance.state == AttendanceState.ATTENDED,
            Session.package_id == Participation.package_id,
            Session.state != SessionState.CANCELLED,
        )
    )
    return missing - set(begun)


def require_baseline(db: DbSession, package: Package, participation_ids: Collection[UUID]) -> None:
    """Raises BaselineMissing where `without_baseline` finds anybody."""
    if without_baseline(db, package, participation_ids):
        raise BaselineMissing


def sent_before(work: Work, *, session_id: UUID, package_id: UUID, starts_at: datetime) -> Session | None:
    """The session that the same form made before. Raises FormUsed when the id is another session's."""
    sent = run(work.db, _SENT, {"session": session_id}).one_or_none()
    if sent is None:
        return None
    if (sent.package_id, sent.starts_at) != (package_id, starts_at):
        raise FormUsed
    return work.db.get_one(Session, session_id, populate_existing=True)


def uid_of(session_id: UUID, programme: Programme) -> str:
    """What calendars know the session by, for ever: its id in a name of this programme's own."""
    programme_word = "".join(letter for letter in programme.reference.lower() if letter.isalnum())[:16]
    return f"{session_id}@{programme_word}{UIDS_END}"


def place_uid(attendance_id: UUID, session: Session) -> str | None:
    """What calendars know a place in a group session by, for ever; None for one-to-one, which has the session's."""
    return None if session.capacity is None else f"{attendance_id}@{session.uid.partition('@')[2]}"


def add_session(
    work: Work,
    programme: Programme,
    package: Package,
    *,
    session_id: UUID,
    mentor_id: UUID,
    kind: SessionKind,
    time: Interval,
    place: Place,
    where: str | None,
    travel: str | None = None,
    state: SessionState = SessionState.BOOKED,
    title: str | None = None,
    capacity: int | None = None,
    delivered_minutes: int | None = None,
    booked_for: Iterable[Participation | Member] = (),
    takes: Mapping[UUID, Interval] = NOBODYS,
) -> Session:
    """Write the session row, the places of those whom it is booked for, and the time that it takes, as `diary.needed`
    tells it: all or nothing. Raises FormUsed when the id is taken, and TimeTaken."""
    session = Session(
        id=session_id,
        package_id=package.id,
        mentor_id=mentor_id,
        kind=kind,
        state=state,
        starts_at=time.starts_at,
        ends_at=time.ends_at,
        place=place,
        capacity=capacity,
        delivered_minutes=delivered_minutes,
        recorded_at=work.now if state is SessionState.HELD else None,
        uid=uid_of(session_id, programme),
        sequence=0,
        created_at=work.now,
        # Whoever books a session tells the calendars of it (`tell`): said here, it is no change of the row.
        told_at=work.now if state is SessionState.BOOKED else None,
        by=work.actor,
    )
    session.title, session.where, session.travel = title, where, travel
    with refused_as(work.db, _REFUSALS):
        work.db.add(session)
        for member in booked_for:
            add_attendance(work, session, member, AttendanceState.BOOKED)
        if takes:
            diary.fill(work, session_id=session_id, times=takes)
    return session


def add_attendance(
    work: Work, session: Session, participation: Participation | Member, state: AttendanceState
) -> Attendance:
    """Give somebody a place in a session."""
    attendance_id = new_id()
    attendance = Attendance(
        id=attendance_id,
        session_id=session.id,
        person_id=person_of(participation),
        participation_id=participation.id,
        state=state,
        booked_at=work.now,
        by=work.actor,
        uid=place_uid(attendance_id, session),
    )
    work.db.add(attendance)
    return attendance


def live_people(db: DbSession, session_id: UUID) -> list[UUID]:
    """Who has a place in the session."""
    return list(
        db.scalars(
            select(Attendance.person_id).where(
                Attendance.session_id == session_id, Attendance.state.in_(LIVE)
            )
        )
    )
