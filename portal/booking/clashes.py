"""Sessions that stand in the way of leave, of a closed day, or of a time without sessions.

Whoever enters one is shown them and asked: nothing is moved or cancelled behind anybody's back.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.booking.availability import Interval, Span, WeeklyHours, open_intervals, stretch
from portal.booking.diary import Refused
from portal.models import Attendance, Hours, Leave, Package, Session, SessionState
from privacy.clock import end_of_day, london_date, start_of_day


class SessionsInTheWay(Refused):
    """Sessions are booked then, and nobody has said yet what is to become of them; `session_ids` in order."""

    def __init__(self, found: Sequence[Session]) -> None:
        many = len(found) > 1
        super().__init__(
            f"{len(found)} sessions are booked then. Say what is to become of them"
            if many
            else "A session is booked then. Say what is to become of it"
        )
        self.session_ids = [session.id for session in found]


def require_none(found: Sequence[Session], *, despite: bool) -> None:
    """Raises SessionsInTheWay, unless somebody has been asked and goes on `despite` them."""
    if found and not despite:
        raise SessionsInTheWay(found)


def of_mentor(db: DbSession, mentor_id: UUID, *, within: Interval, now: datetime) -> Sequence[Session]:
    """The mentor's sessions that are still to come and lie in a stretch, wholly or in part."""
    return [one for one in _ahead(db, [mentor_id], now) if _overlap(one, within)]


def of_council(
    db: DbSession, council_id: UUID | None, *, within: Interval, now: datetime
) -> Sequence[Session]:
    """The sessions of a council's packages, or of all, that lie in a stretch."""
    asked = (
        select(Session)
        .where(
            Session.state == SessionState.BOOKED,
            Session.starts_at > now,
            Session.starts_at < within.ends_at,
            Session.ends_at > within.starts_at,
        )
        .order_by(Session.starts_at, Session.id)
    )
    if council_id is not None:
        asked = asked.join(Package).where(Package.council_id == council_id)
    return db.scalars(asked).all()


def of_day(
    db: DbSession, mentor_id: UUID, *, on: date, spans: Sequence[Span], now: datetime
) -> Sequence[Session]:
    """The mentor's sessions of a day that would lie outside these hours of it."""
    day = Interval(start_of_day(on), end_of_day(on))
    return _outside(of_mentor(db, mentor_id, within=day, now=now), on, spans)


def while_away(db: DbSession, mentor_id: UUID, *, now: datetime) -> list[Session]:
    """The mentor's sessions to come that lie in leave, or outside the hours of a day that has its own."""
    ahead = _ahead(db, [mentor_id], now)
    today = london_date(now)
    leaves = db.scalars(select(Leave).where(Leave.person_id == mentor_id, Leave.to_on >= today))
    away = [stretch(one.from_on, one.from_minute, one.to_on, one.to_minute) for one in leaves]
    found = {one.id for one in ahead if any(_overlap(one, leave) for leave in away)}
    for row in db.scalars(select(Hours).where(Hours.person_id == mentor_id, Hours.on_day >= today)):
        if row.on_day is not None:
            on_that_day = [one for one in ahead if london_date(one.starts_at) == row.on_day]
            found |= {
                one.id
                for one in _outside(on_that_day, row.on_day, [Span(first, last) for first, last in row.spans])
            }
    return [one for one in ahead if one.id in found]


def sessions(db: DbSession, session_ids: Collection[UUID]) -> Sequence[Session]:
    """These sessions in order, with whom they are."""
    return db.scalars(
        select(Session)
        .where(Session.id.in_(session_ids))
        .options(
            selectinload(Session.attendances).joinedload(Attendance.person),
            joinedload(Session.mentor),
            joinedload(Session.package),
        )
        .order_by(Session.starts_at, Session.id)
    ).all()


def _ahead(db: DbSession, mentor_ids: Collection[UUID], now: datetime) -> Sequence[Session]:
    return db.scalars(
        select(Session)
        .where(
            Session.mentor_id.in_(mentor_ids), Session.state == SessionState.BOOKED, Session.starts_at > now
        )
        .options(
            selectinload(Session.attendances).joinedload(Attendance.person),
            joinedload(Session.package),
        )
        .order_by(Session.starts_at, Session.id)
    ).all()


def _outside(found: Iterable[Session], on: date, spans: Sequence[Span]) -> list[Session]:
    hours = WeeklyHours({}, {on: tuple(spans)})
    opened = open_intervals(hours, days=[on], holidays=frozenset())
    return [
        one
        for one in found
        if not any(
            opening.starts_at <= one.starts_at and one.ends_at <= opening.ends_at for opening in opened
        )
    ]


def _overlap(session: Session, stretch_of_time: Interval) -> bool:
    return session.starts_at < stretch_of_time.ends_at and stretch_of_time.starts_at < session.ends_at
