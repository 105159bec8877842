"""What those who give support see: their day, what waits to be recorded, whom they support. Never an answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.booking import leave
from portal.mentors import serving
from portal.models import (
    Attendance,
    AttendanceState,
    Goal,
    GoalState,
    Hours,
    Package,
    Participation,
    Session,
    SessionState,
)
from portal.packages import acts as packages
from portal.packages.acts import Ledger
from portal.programme import Programme
from privacy.clock import end_of_day, london_date

DAYS_AHEAD = 7


@dataclass(frozen=True)
class Mentee:
    """A package that a mentor serves."""

    package: Package
    members: Sequence[Participation]
    ledger: Ledger
    next_session: Session | None
    goals: int


@dataclass(frozen=True)
class MentorHome:
    """Sessions of today and of the days after it, those to record, the packages, and whether hours are published;
    `away` are the sessions that lie in the mentor's own leave."""

    today: Sequence[Session]
    ahead: Sequence[Session]
    to_record: Sequence[Session]
    mentees: Sequence[Mentee]
    has_hours: bool
    away: Collection[UUID]


def home(db: DbSession, programme: Programme, *, mentor_id: UUID, now: datetime) -> MentorHome:
    """A mentor's start page, in the same number of queries however much there is."""
    served = _served(db, mentor_id, now)
    sessions = _booked(db, mentor_id, [package.id for package in served])
    booked = [session for session in sessions if session.mentor_id == mentor_id]
    today = london_date(now)
    last = today + timedelta(days=DAYS_AHEAD)
    ends = end_of_day(last)
    away = leave.of(db, [mentor_id], first=today, last=last)[mentor_id]
    return MentorHome(
        today=[one for one in booked if london_date(one.starts_at) == today],
        ahead=[one for one in booked if london_date(one.starts_at) > today and one.starts_at < ends],
        to_record=[one for one in booked if one.ends_at <= now],
        mentees=_mentees(db, programme, served, sessions, now),
        has_hours=_has_hours(db, mentor_id, today),
        away={
            one.id
            for one in booked
            if any(one.starts_at < gone.ends_at and gone.starts_at < one.ends_at for gone in away)
        },
    )


def _has_hours(db: DbSession, mentor_id: UUID, today: date) -> bool:
    """Whether any hours are published from today on; days that were closed are none."""
    found = select(Hours.spans).where(
        Hours.person_id == mentor_id, or_(Hours.weekday.is_not(None), Hours.on_day >= today)
    )
    return any(db.scalars(found))


def _served(db: DbSession, mentor_id: UUID, now: datetime) -> Sequence[Package]:
    return db.scalars(
        select(Package)
        .where(Package.id.in_(serving.served_by(db, mentor_id, on=london_date(now))))
        .options(
            joinedload(Package.council),
            selectinload(Package.participations).joinedload(Participation.person),
        )
        .order_by(Package.starts_on, Package.ref)
    ).all()


def _booked(db: DbSession, mentor_id: UUID, package_ids: Sequence[UUID]) -> Sequence[Session]:
    return db.scalars(
        select(Session)
        .where(
            or_(Session.mentor_id == mentor_id, Session.package_id.in_(package_ids)),
            Session.state == SessionState.BOOKED,
        )
        .options(
            selectinload(Session.attendances).joinedload(Attendance.person),
            joinedload(Session.package),
            joinedload(Session.mentor),
        )
        .order_by(Session.starts_at)
    ).all()


def _mentees(
    db: DbSession,
    programme: Programme,
    served: Sequence[Package],
    sessions: Sequence[Session],
    now: datetime,
) -> list[Mentee]:
    ledgers = packages.ledgers(db, programme, served)
    counted = db.execute(
        select(Goal.package_id, func.count())
        .where(Goal.package_id.in_([package.id for package in served]), Goal.state != GoalState.DROPPED)
        .group_by(Goal.package_id)
    )
    goals: dict[UUID, int] = {row[0]: row[1] for row in counted}
    coming = [one for one in sessions if one.starts_at > now]
    return [
        Mentee(
            package=package,
            members=members_now(package),
            ledger=ledgers[package.id],
            next_session=next((one for one in coming if one.package_id == package.id), None),
            goals=goals.get(package.id, 0),
        )
        for package in served
    ]


def members_now(package: Package) -> list[Participation]:
    """Who takes part today, without those who were erased."""
    return [part for part in package.participations if part.to_on is None and part.person_id is not None]


def sessions_of(db: DbSession, package_id: UUID) -> Sequence[Session]:
    """All sessions of a package in order, without those that were cancelled beforehand."""
    return db.scalars(
        select(Session)
        .where(Session.package_id == package_id, happened_or_will())
        .options(selectinload(Session.attendances).joinedload(Attendance.person), joinedload(Session.mentor))
        .order_by(Session.starts_at)
    ).all()


def happened_or_will() -> ColumnElement[bool]:
    """Sessions to come, held, or recorded as not held: what is recorded can be corrected."""
    return or_(Session.state != SessionState.CANCELLED, Session.recorded_at.is_not(None))


def sessions_ahead(db: DbSession, person_id: UUID, *, after: datetime) -> Sequence[Session]:
    """What is booked with somebody, as mentor or with a place, from an instant on, in order."""
    seats = select(Attendance.session_id).where(
        Attendance.person_id == person_id, Attendance.state == AttendanceState.BOOKED
    )
    return db.scalars(
        select(Session)
        .where(
            or_(Session.mentor_id == person_id, Session.id.in_(seats)),
            Session.state == SessionState.BOOKED,
            Session.starts_at >= after,
        )
        .options(joinedload(Session.package))
        .order_by(Session.starts_at, Session.id)
    ).all()


def goals_of(db: DbSession, package_id: UUID) -> Sequence[Goal]:
    """The goals of a package, those that were dropped last."""
    goals = db.scalars(select(Goal).where(Goal.package_id == package_id).order_by(Goal.number)).all()
    return sorted(goals, key=lambda goal: goal.state is GoalState.DROPPED)
