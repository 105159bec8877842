"""Action learning sets, and whether a session with few people takes place.

A set has fixed members and several dates, booked in one act or not at all. Who leaves is replaced by a named person
for all coming dates.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import diary, standing, telling, timetable
from portal.booking.availability import Interval
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import FormUsed, SupportClosed
from portal.groups import plans as group_plans
from portal.groups import seats
from portal.groups.sessions import TimePassed
from portal.models import (
    Attendance,
    AttendanceState,
    Decision,
    GroupPlan,
    Participation,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import acts as packages
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import day_words, london
from privacy.work import Work

DATES_AT_MOST = 6


class MembersNotReady(Refused):
    """Members whose first questionnaire is missing; the message names them (sch 4 SLAs)."""

    def __init__(self, members: Iterable[Participation]) -> None:
        people = [one.person for one in members if one.person is not None]
        names = ", ".join(sorted(person.name or person.ref for person in people))
        super().__init__(
            f"The first questionnaire comes before the first session. It is missing from: {names}"
        )


class SetTimeTaken(TimeTaken):
    """Somebody of the set has no time on one of its dates; `starts_at` says which."""

    def __init__(self, starts_at: datetime) -> None:
        local = london(starts_at)
        super().__init__(f"Somebody of the set has no time on {day_words(local)}. Choose another time")
        self.starts_at = starts_at


class NotOfTheSet(Refused):
    """Who is to be replaced has no coming date, or who is to follow cannot."""


class NothingToDecide(Refused):
    """The session has no minimum, or it was decided before."""

    def __init__(self) -> None:
        super().__init__("There is nothing to decide about this session any more")


class NoReason(Refused):
    """A session is called off without saying why."""

    def __init__(self) -> None:
        super().__init__("Say why it is called off. Everybody reads it in their mail")


def book_set(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    set_id: UUID,
    mentor_id: UUID,
    title: str,
    starts: Sequence[datetime],
    minutes: int,
    member_ids: Collection[UUID],
    place: Place,
    where: str | None = None,
    travel: str | None = None,
) -> list[Session]:
    """Book all dates of a set for its members, whose and whose mentor's time they take, or none of them.

    The form carries the set's id: the same again gives the first result. Raises SetTimeTaken, TimePassed,
    MembersNotReady, SupportClosed, FormUsed, NotServing, TooEarly and OutsideContract.
    """
    here = standing.enter(work, package_id=package_id, mentor_id=mentor_id)
    before = dates_of(work.db, set_id)
    if before:
        if any(one.package_id != package_id for one in before) or (
            {one.starts_at for one in before} != set(starts)
        ):
            raise FormUsed
        return list(before)
    members = [one for one in standing.members_of(work.db, package_id) if one.person_id in member_ids]
    if here.package.strand is not Strand.GROUP or len(members) != len(set(member_ids)) or not members:
        raise SupportClosed
    _require_ready(work.db, members)
    made = [
        _book_date(
            work,
            programme,
            here,
            members,
            session_id=uuid5(set_id, str(number)),
            set_id=set_id,
            mentor_id=mentor_id,
            title=title,
            time=Interval(starts_at, starts_at + timedelta(minutes=minutes)),
            place=place,
            where=where,
            travel=travel,
        )
        for number, starts_at in enumerate(sorted(starts))
    ]
    packages.activate(work, here.package)
    work.record(
        Action.SET_BOOKED,
        object=f"set:{set_id}",
        package=package_id,
        dates=len(made),
        members=len(members),
    )
    return made


def _book_date(
    work: Work,
    programme: Programme,
    here: standing.Standing,
    members: Sequence[Participation],
    *,
    session_id: UUID,
    set_id: UUID,
    mentor_id: UUID,
    title: str,
    time: Interval,
    place: Place,
    where: str | None,
    travel: str | None,
) -> Session:
    standing.require_open(work, programme, here, mentor_id=mentor_id, starts_at=time.starts_at)
    if time.starts_at <= work.now:
        raise TimePassed
    timetable.require_open(
        work.db,
        programme,
        mentor_id=mentor_id,
        council_id=here.package.council_id,
        time=time,
        now=work.now,
    )
    people = [standing.person_of(member) for member in members]
    try:
        session = standing.add_session(
            work,
            programme,
            here.package,
            session_id=session_id,
            mentor_id=mentor_id,
            kind=SessionKind.ACTION_LEARNING_SET,
            time=time,
            place=place,
            where=where,
            travel=travel,
            title=title,
            capacity=len(members),
            booked_for=members,
            takes=diary.needed(programme, time, place, mentor_id=mentor_id, people=people),
        )
    except TimeTaken as problem:
        raise SetTimeTaken(time.starts_at) from problem
    work.db.add(GroupPlan(session_id=session.id, set_id=set_id))
    work.db.flush()
    telling.tell(work, session, [mentor_id, *people])
    work.record(
        Action.SESSION_BOOKED,
        object=f"session:{session.id}",
        kind=session.kind,
        starts_at=time.starts_at,
        package=here.package.id,
    )
    return session


def _require_ready(db: DbSession, members: Sequence[Participation]) -> None:
    missing = standing.without_baseline(db, members[0].package, [member.id for member in members])
    if missing:
        raise MembersNotReady(one for one in members if one.id in missing)


def dates_of(db: DbSession, set_id: UUID) -> Sequence[Session]:
    """The dates of a set in order, cancelled ones too."""
    return db.scalars(
        select(Session)
        .join(GroupPlan, GroupPlan.session_id == Session.id)
        .where(GroupPlan.set_id == set_id)
        .order_by(Session.starts_at)
    ).all()


def replaceable(
    db: DbSession, set_id: UUID, *, now: datetime
) -> tuple[list[Participation], list[Participation]]:
    """Who has a place on a coming date of a set, and the members of its package who have none there."""
    coming = [one for one in dates_of(db, set_id) if one.state is SessionState.BOOKED and one.starts_at > now]
    if not coming:
        return [], []
    members = seats.members_for(db, coming[0])
    seated = set(
        db.scalars(
            select(Attendance.person_id).where(
                Attendance.session_id.in_([one.id for one in coming]),
                Attendance.state == AttendanceState.BOOKED,
            )
        )
    )
    return (
        [one for one in members if one.person_id in seated],
        [one for one in members if one.person_id not in seated],
    )


def replace(work: Work, *, set_id: UUID, leaver_id: UUID, newcomer_id: UUID) -> list[Session]:
    """Give all coming dates of somebody in a set to another member of the group, in one act; both are persons' ids.

    Dates that were stay the leaver's, with the feedback asked about them. Raises NotOfTheSet, MembersNotReady and
    SetTimeTaken.
    """
    diary.lock(work, {leaver_id, newcomer_id, *(one.mentor_id for one in dates_of(work.db, set_id))})
    dates = _coming(work, set_id)
    held = [seat for one in dates if (seat := _booked(work.db, one, leaver_id)) is not None]
    if not held:
        raise NotOfTheSet("They have no place on a coming date of this set")
    newcomer = next(
        (one for one in seats.members_for(work.db, dates[0]) if one.person_id == newcomer_id), None
    )
    if newcomer is None or any(_booked(work.db, one, newcomer_id) for one in dates):
        raise NotOfTheSet("Choose a member of the group who is not in this set")
    _require_ready(work.db, [newcomer])
    by_id = {one.id: one for one in dates}
    for seat in held:
        session = by_id[seat.session_id]
        seats.take_back(work, session, seat)
        try:
            seats.give(work, session, newcomer)
        except TimeTaken as problem:
            raise SetTimeTaken(session.starts_at) from problem
    work.record(
        Action.SET_MEMBER_REPLACED,
        object=f"set:{set_id}",
        holder=leaver_id,
        package=dates[0].package_id,
        by=newcomer_id,
        dates=len(held),
    )
    return [by_id[seat.session_id] for seat in held]


def _coming(work: Work, set_id: UUID) -> list[Session]:
    """The coming dates of a set, locked in the order of their ids."""
    return sorted(
        work.db.scalars(
            select(Session)
            .join(GroupPlan, GroupPlan.session_id == Session.id)
            .where(
                GroupPlan.set_id == set_id,
                Session.state == SessionState.BOOKED,
                Session.starts_at > work.now,
            )
            .order_by(Session.id)
            .with_for_update(of=Session, key_share=True)
            .execution_options(populate_existing=True)
        ),
        key=lambda one: one.starts_at,
    )


def _booked(db: DbSession, session: Session, person_id: UUID) -> Attendance | None:
    seat = seats.seat_of(db, session.id, person_id)
    return seat if seat is not None and seat.state is AttendanceState.BOOKED else None


def decide(work: Work, *, session_id: UUID, decision: Decision, reason: str | None = None) -> Session:
    """Decide that a session with few people takes place, or call it off and say why; everybody is mailed then.

    Raises NothingToDecide, NoReason and SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    seats.require_open(work, session)
    plan = group_plans.of(work.db, session_id)
    if plan is None or plan.minimum is None or plan.decision is not None:
        raise NothingToDecide
    if decision is Decision.NO_GO:
        if not reason or not reason.strip():
            raise NoReason
        session.called_off = reason
        work.db.flush()
        bookings.cancel(work, session_id=session_id)
    plan.decision, plan.decided_at = decision, work.now
    work.record(
        Action.SESSION_DECIDED,
        object=f"session:{session_id}",
        decision=decision,
        places=len(standing.live_people(work.db, session_id)),
    )
    return session
