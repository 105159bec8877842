"""Group sessions and their places: scheduled by a mentor or the team, booked place by place by the members."""

from datetime import datetime, timedelta
from uuid import UUID

from portal.booking import diary, standing, telling, timetable
from portal.booking.availability import Interval
from portal.booking.diary import Refused
from portal.booking.standing import SupportClosed
from portal.groups import plans as group_plans
from portal.groups import seats, waiting
from portal.groups.plans import Plan
from portal.mailing import queue as mail
from portal.models import (
    Attendance,
    AttendanceState,
    Place,
    Session,
    SessionKind,
    Strand,
    WaitingState,
)
from portal.packages import acts as packages
from portal.programme import Programme
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
    travel: str | None = None,
    plan: Plan | None = None,
) -> Session:
    """Schedule a group session: it takes the mentor's time, and each member is asked by mail to book a place.

    Any free time ahead will do. The same form again gives the first result. Raises TimeTaken, TimePassed, WrongPlan,
    NoSessionsThen, Away, Full, NotServing, TooEarly, SupportClosed, FormUsed and OutsideContract.
    """
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    first = standing.sent_before(work, session_id=session_id, package_id=package_id, starts_at=starts_at)
    if first is not None:
        return first
    if here.package.strand is not Strand.GROUP or kind is SessionKind.ONE_TO_ONE or not here.members:
        raise SupportClosed
    standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=starts_at)
    if starts_at <= work.now:
        raise TimePassed
    time = Interval(starts_at, starts_at + timedelta(minutes=minutes))
    timetable.require_open(
        work.db,
        programme,
        mentor_id=mentor_id,
        council_id=here.package.council_id,
        time=time,
        now=work.now,
    )
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
        travel=travel,
        title=title,
        capacity=capacity,
        takes=diary.needed(programme, time, place, mentor_id=mentor_id),
    )
    group_plans.write(work, session, plan or Plan())
    packages.activate(work, here.package)
    telling.tell(work, session, [mentor_id])
    for member in seats.members_for(work.db, session):
        mail.queue(work, template="group_session", about=session.id, to=member.person_id)
    work.record(
        Action.SESSION_BOOKED,
        object=f"session:{session.id}",
        kind=kind,
        starts_at=starts_at,
        package=package_id,
    )
    return session


def take_place(work: Work, programme: Programme, *, session_id: UUID, person_id: UUID) -> Attendance:
    """Book somebody's place in a group session; the same again changes nothing.

    The session's row is locked before places are counted, and those who wait come first. Raises SessionFull,
    TimeTaken, BaselineMissing, SessionClosed, SetIsFixed, and SupportClosed for somebody who may not come.
    """
    session = standing.reopen(work, session_id=session_id, also=[person_id])
    seats.require_open(work, session)
    waiting.fill(work, programme, session)
    held = seats.seat_of(work.db, session_id, person_id)
    if held is not None and held.state is AttendanceState.BOOKED:
        return held
    if held is None and waiting.fixed(work.db, session_id):
        raise waiting.SetIsFixed
    member = waiting.member_of(work, session, person_id)
    seats.require_baselines(work.db, [member])
    if seats.free_places(work, session) <= 0:
        raise SessionFull
    held = seats.give(work, session, member)
    entry = waiting.entry_of(work.db, session_id, person_id)
    if entry is not None and entry.state is WaitingState.WAITING:
        waiting.settle(work, entry, WaitingState.PROMOTED)
    return held


def give_up_place(work: Work, programme: Programme, *, session_id: UUID, person_id: UUID) -> bool:
    """Give somebody's place and time back; the place goes to who waits for it. Without a place nothing changes,
    and it returns False.

    Raises SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id, also=[person_id])
    seats.require_open(work, session)
    held = seats.seat_of(work.db, session_id, person_id)
    if held is None or held.state is not AttendanceState.BOOKED:
        return False
    seats.take_back(work, session, held)
    entry = waiting.entry_of(work.db, session_id, person_id)
    if entry is not None and entry.state is WaitingState.PROMOTED:
        waiting.settle(work, entry, WaitingState.DECLINED)
    waiting.fill(work, programme, session)
    return True
