"""What took place: a booked session is recorded, one that nobody booked is logged afterwards.

Only held sessions count as delivered (sch 4 SLAs).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.booking import standing
from portal.booking.availability import Interval
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import SessionClosed
from portal.groups import seats as seats_rules
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
)
from portal.packages import acts as packages
from portal.packages.members import was_emptied
from portal.programme import Programme
from privacy.audit import Action
from privacy.work import Work

MINUTES_AT_MOST = 480
MINUTES_STEP = 5


class NotYet(Refused):
    """What is to be recorded has not happened yet."""

    def __init__(self) -> None:
        super().__init__("This is still to come. Record it once it has taken place")


class NoSuchLength(Refused):
    """A length that no session has."""

    def __init__(self) -> None:
        super().__init__("A session lasts from 5 minutes to 8 hours, in steps of 5 minutes")


class NobodyCame(Refused):
    """A session is said to have taken place with nobody in it."""

    def __init__(self) -> None:
        super().__init__("Say who came. If nobody did, the session did not take place")


class EndedWithLess(Refused):
    """Support has ended, and would end under the minimum with no reason on record (sch 4 SLAs)."""

    def __init__(self, days: int) -> None:
        super().__init__(
            f"This support has ended with at least {days} days. With this it would have less, and no reason is "
            "recorded"
        )


class Outcome(StrEnum):
    """HELD: it took place. NO_SHOW: nobody came. CANCELLED: it was called off without the portal."""

    HELD = "held"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


def log_past(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    session_id: UUID,
    mentor_id: UUID,
    starts_at: datetime,
    minutes: int,
    place: Place,
    kind: SessionKind = SessionKind.ONE_TO_ONE,
    title: str | None = None,
    where: str | None = None,
    attended: Collection[UUID] | None = None,
) -> Session:
    """Log a session that took place without being booked. `attended` are people's ids; None: everybody.

    It takes nobody's time, for that has passed, but it must not lie over another session of the mentor: that
    one is to be recorded instead. Raises TimeTaken, NotYet, NoSuchLength, NobodyCame, BaselineMissing,
    NotServing, TooEarly, SupportClosed, FormUsed and OutsideContract.
    """
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    first = standing.sent_before(work, session_id=session_id, package_id=package_id, starts_at=starts_at)
    if first is not None:
        return first
    standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=starts_at)
    _check_length(minutes)
    time = Interval(starts_at, starts_at + timedelta(minutes=minutes))
    if time.ends_at > work.now:
        raise NotYet
    present = [member for member in here.members if attended is None or member.person_id in attended]
    if not present:
        raise NobodyCame
    standing.require_baseline(work.db, here.package, [member.id for member in present])
    _require_unknown(work, mentor_id, time)
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
        state=SessionState.HELD,
        delivered_minutes=minutes,
        capacity=None if kind is SessionKind.ONE_TO_ONE else max(1, len(here.members)),
    )
    for member in present:
        standing.add_attendance(work, session, member, AttendanceState.ATTENDED)
    packages.activate(work, here.package)
    work.record(
        Action.SESSION_LOGGED,
        object=f"session:{session.id}",
        kind=kind,
        starts_at=starts_at,
        minutes=minutes,
        package=package_id,
    )
    return session


def record(
    work: Work,
    programme: Programme,
    *,
    session_id: UUID,
    outcome: Outcome,
    minutes: int | None = None,
    attended: Collection[UUID] | None = None,
) -> Session:
    """Record what became of a session: how long it was and who came, or that it did not take place.

    `attended` are people's ids; None: everybody who had a place. Members of a group can have come without one.
    What was recorded can be corrected. Nobody is mailed: they were there, or know why not. Raises NotYet,
    NoSuchLength, NobodyCame, BaselineMissing, EndedWithLess, and SessionClosed for a session that was cancelled
    beforehand.
    """
    session = standing.reopen(work, session_id=session_id, also=attended or ())
    package = work.db.get_one(
        Package, session.package_id, populate_existing=True, with_for_update=standing.LOCKED
    )
    if session.state is SessionState.CANCELLED and session.recorded_at is None:
        raise SessionClosed
    if session.starts_at > work.now:
        raise NotYet
    before, held = outcome_of(session), outcome is Outcome.HELD
    if held:
        minutes = minutes if minutes is not None else length_of(session)
        _check_length(minutes)
    session.state = SessionState.HELD if held else SessionState.CANCELLED
    session.delivered_minutes = minutes if held else None
    session.recorded_at = work.now
    session.nobody_came = None if held else outcome is Outcome.NO_SHOW
    seats = _seats(work, session, attended if held else ())
    if held:
        _require_baselines(work, [one for one in seats if attended is None or one.person_id in attended])
    for attendance in seats:
        came = attended is None or attendance.person_id in attended
        attendance.absent_by_name = not came if held else _absent_by_name(attendance, before)
        attendance.state = _state_after(outcome, session, attendance, came=came)
        work.record(
            Action.ATTENDANCE_RECORDED,
            object=f"attendance:{attendance.id}",
            holder=attendance.person_id,
            session=session_id,
            outcome=attendance.state,
        )
    if (
        held
        and session.capacity is not None
        and not any(seat.state is AttendanceState.ATTENDED for seat in seats)
    ):
        raise NobodyCame
    _require_reason(work, programme, package)
    work.record(
        Action.SESSION_RECORDED,
        object=f"session:{session_id}",
        minutes=session.delivered_minutes,
        outcome=outcome,
    )
    return session


def outcome_of(session: Session) -> Outcome | None:
    """What was recorded; None before that, and where it was not asked yet why it did not take place."""
    if session.state is SessionState.HELD:
        return Outcome.HELD
    if session.nobody_came is None:
        return None
    return Outcome.NO_SHOW if session.nobody_came else Outcome.CANCELLED


def came_to(session: Session) -> list[UUID]:
    """Who came, by what was recorded; before that everybody who has a place, so that only absences are said."""
    recorded = session.state is SessionState.HELD or session.recorded_at is not None
    counted = {AttendanceState.ATTENDED} if recorded else set(standing.LIVE)
    return [seat.person_id for seat in session.attendances if seat.state in counted]


def _state_after(outcome: Outcome, session: Session, seat: Attendance, *, came: bool) -> AttendanceState:
    match outcome:
        case Outcome.HELD:
            return AttendanceState.ATTENDED if came else AttendanceState.ABSENT
        case Outcome.NO_SHOW:
            return AttendanceState.ABSENT
        case Outcome.CANCELLED:
            had_place = _had_place(session, seat) and not seat.absent_by_name
            return AttendanceState.BOOKED if had_place else AttendanceState.ABSENT


def _had_place(session: Session, seat: Attendance) -> bool:
    """Who had a place had it when the session began; who came to a group without one was added afterwards."""
    return session.capacity is None or seat.booked_at <= session.starts_at


def _absent_by_name(seat: Attendance, before: Outcome | None) -> bool:
    """Whether it was recorded of this person alone that they did not come, not of everybody; `before` is what was
    recorded until now. That nobody came says it of everybody, and takes back nothing that was said of one."""
    absent = seat.state is AttendanceState.ABSENT
    return absent and (before in {Outcome.HELD, Outcome.CANCELLED} or seat.absent_by_name is True)


def length_of(session: Session) -> int:
    """The planned length in minutes."""
    return int((session.ends_at - session.starts_at).total_seconds()) // 60


def _check_length(minutes: int) -> None:
    if not MINUTES_STEP <= minutes <= MINUTES_AT_MOST or minutes % MINUTES_STEP:
        raise NoSuchLength


def _require_baselines(work: Work, seats: Sequence[Attendance]) -> None:
    """Places can pass to a successor before the first questionnaire; the session is not held without it."""
    parts = work.db.scalars(
        select(Participation)
        .where(Participation.id.in_([seat.participation_id for seat in seats]))
        .options(joinedload(Participation.package))
    )
    by_package: dict[UUID, list[Participation]] = {}
    for part in parts:
        by_package.setdefault(part.package_id, []).append(part)
    for found in by_package.values():
        standing.require_baseline(work.db, found[0].package, [part.id for part in found])


def _require_unknown(work: Work, mentor_id: UUID, time: Interval) -> None:
    others = work.db.scalar(
        select(func.count())
        .select_from(Session)
        .where(
            Session.mentor_id == mentor_id,
            Session.state != SessionState.CANCELLED,
            Session.starts_at < time.ends_at,
            Session.ends_at > time.starts_at,
        )
    )
    if others:
        raise TimeTaken("There is a session of this mentor at that time already. Record that one instead")


def _require_reason(work: Work, programme: Programme, package: Package) -> None:
    """What was said at the end of support still has to hold once a session is corrected."""
    if package.state is PackageState.ENDED and package.short_reason is None and not was_emptied(package):
        work.db.flush()
        if packages.ledger(work.db, programme, package.id).short:
            raise EndedWithLess(programme.minimum_days)


def _seats(work: Work, session: Session, attended: Collection[UUID] | None) -> list[Attendance]:
    """Everybody who kept a place, and of a group also those who came without one."""
    asked = select(Attendance).where(Attendance.session_id == session.id)
    known = list(work.db.scalars(asked.execution_options(populate_existing=True)))
    seats = [seat for seat in known if seat.state is not AttendanceState.CANCELLED]
    if session.capacity is None or not attended:
        return seats
    back = [seat for seat in known if seat.state is AttendanceState.CANCELLED and seat.person_id in attended]
    for seat in back:
        # They gave their place up and came without one.
        seat.booked_at, seat.by = work.now, work.actor
    seats += back
    seated = {seat.person_id for seat in seats}
    others = [
        member
        for member in seats_rules.members_for(work.db, session)
        if member.person_id in attended and member.person_id not in seated
    ]
    seats_rules.require_baselines(work.db, others)
    added = [standing.add_attendance(work, session, one, AttendanceState.ATTENDED) for one in others]
    return [*seats, *added]
