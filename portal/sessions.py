"""Group sessions and their places: scheduled by a mentor or the team, booked place by place by the members."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from portal import diary, mail, packages, standing
from portal.availability import Interval, padded
from portal.diary import Refused
from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    Participation,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.programme import Programme
from portal.standing import SessionClosed, SupportClosed
from privacy.audit import Action
from privacy.work import Work

PLACES_AT_MOST = 200


class SessionFull(Refused):
    """Every place is taken."""

    def __init__(self) -> None:
        super().__init__("There are no places left in this session")


class TimePassed(Refused):
    """What is to be scheduled lies behind."""

    def __init__(self) -> None:
        super().__init__("That time has passed. Choose a time in the future")


def schedule(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    session_id: UUID,
    mentor_id: UUID,
    kind: SessionKind,
    title: str,
    starts_at: datetime,
    minutes: int,
    capacity: int,
    place: Place,
    where: str | None = None,
) -> Session:
    """Schedule a group session: it takes the mentor's time, and each member is asked by mail to book a place.

    Any free time ahead will do. The same form again gives the first result. Raises TimeTaken, TimePassed,
    NotServing, TooEarly, SupportClosed, FormUsed and OutsideContract.
    """
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    first = standing.sent_before(work, session_id=session_id, package_id=package_id, starts_at=starts_at)
    if first is not None:
        return first
    if here.package.strand is not Strand.GROUP or kind is SessionKind.ONE_TO_ONE:
        raise SupportClosed
    standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=starts_at)
    if starts_at <= work.now:
        raise TimePassed
    time = Interval(starts_at, starts_at + timedelta(minutes=minutes))
    session = standing.add_session(
        work,
        programme,
        here.package,
        session_id=session_id,
        mentor_id=mentor_id,
        kind=kind,
        time=time,
        place=place,
        where=where,
        title=title,
        capacity=capacity,
    )
    around = padded(time, buffer_minutes=programme.buffer_minutes)
    diary.take(work, session_id=session.id, times={mentor_id: around})
    packages.activate(work, here.package)
    standing.tell(work, session, [mentor_id])
    for member in here.members:
        mail.queue(work, template="group_session", about=session.id, to=member.person_id)
    work.record(
        Action.SESSION_BOOKED,
        object=f"session:{session.id}",
        kind=kind,
        starts_at=starts_at,
        package=package_id,
    )
    return session


def take_place(work: Work, *, session_id: UUID, person_id: UUID) -> Attendance:
    """Book somebody's place in a group session; the same again changes nothing.

    The session's row is locked before places are counted. Raises SessionFull, TimeTaken, BaselineMissing,
    SessionClosed, and SupportClosed for somebody who is not of the group.
    """
    session = standing.reopen(work, session_id=session_id, also=[person_id])
    if session.capacity is None or session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    held = _attendance_of(work, session_id, person_id)
    if held is not None and held.state is AttendanceState.BOOKED:
        return held
    member = _member(work, session.package_id, person_id)
    package = work.db.get_one(Package, session.package_id)
    standing.require_baseline(work.db, package, [member.id])
    if len(standing.live_people(work.db, session_id)) >= session.capacity:
        raise SessionFull
    if held is None:
        held = standing.add_attendance(work, session, member, AttendanceState.BOOKED)
    else:
        # Calendars drop what has the number of the cancellation they saw.
        session.sequence += 1
        held.state, held.booked_at, held.by = AttendanceState.BOOKED, work.now, work.actor
    work.db.flush()
    diary.take(work, session_id=session_id, times={person_id: Interval(session.starts_at, session.ends_at)})
    standing.tell(work, session, [person_id])
    work.record(Action.PLACE_BOOKED, object=f"attendance:{held.id}", holder=person_id, session=session_id)
    return held


def give_up_place(work: Work, *, session_id: UUID, person_id: UUID) -> None:
    """Give somebody's place and time back; without a place nothing changes. Raises SessionClosed."""
    session = standing.reopen(work, session_id=session_id, also=[person_id])
    if session.capacity is None or session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    held = _attendance_of(work, session_id, person_id)
    if held is None or held.state is not AttendanceState.BOOKED:
        return
    held.state = AttendanceState.CANCELLED
    session.sequence += 1
    diary.free(work, session_id=session_id, person_id=person_id)
    standing.tell(work, session, [person_id])
    work.record(Action.PLACE_CANCELLED, object=f"attendance:{held.id}", holder=person_id, session=session_id)


def _attendance_of(work: Work, session_id: UUID, person_id: UUID) -> Attendance | None:
    asked = select(Attendance).where(Attendance.session_id == session_id, Attendance.person_id == person_id)
    return work.db.scalars(asked.execution_options(populate_existing=True)).one_or_none()


def _member(work: Work, package_id: UUID, person_id: UUID) -> Participation:
    for member in standing.members_of(work.db, package_id):
        if member.person_id == person_id:
            return member
    raise SupportClosed
