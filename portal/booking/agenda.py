"""Sessions laid on the calendar: a month of whole weeks, days to come, one day on paper. Days are London days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.booking import holidays, leave
from portal.models import Attendance, Package, Session, SessionState
from privacy.clock import add_months, end_of_day, london_date, start_of_day

YEARS = range(2000, 2101)
DAYS_AHEAD = 28


@dataclass(frozen=True)
class Whose:
    """Which sessions: of one mentor, of one council, of both, or all."""

    mentor_id: UUID | None = None
    council_id: UUID | None = None


@dataclass(frozen=True)
class Day:
    """A day of the calendar with its sessions in order; `holiday` is the name of a bank holiday, `away` the leave of
    the mentor whose calendar it is."""

    on: date
    sessions: Sequence[Session]
    holiday: str | None = None
    away: Sequence[str] = ()


@dataclass(frozen=True)
class Month:
    """Whole weeks, Monday first, around a month; the days of its neighbours show their sessions too."""

    first: date
    weeks: Sequence[Sequence[Day]]

    @property
    def before(self) -> date:
        return add_months(self.first, -1)

    @property
    def after(self) -> date:
        return add_months(self.first, 1)

    @property
    def days(self) -> list[Day]:
        """The days of the month itself that have sessions."""
        return [day for week in self.weeks for day in week if self.holds(day) and day.sessions]

    @property
    def count(self) -> int:
        return sum(len(day.sessions) for day in self.days)

    def holds(self, day: Day) -> bool:
        return (day.on.year, day.on.month) == (self.first.year, self.first.month)


def month_of(text: str, *, today: date) -> date:
    """The first day of a month written `2023-03`; of this month where it cannot be read."""
    return day_of(f"{text}-01", today=today.replace(day=1))


def day_of(text: str, *, today: date) -> date:
    """A day written `2023-03-01`; today where it cannot be read."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return found if found.year in YEARS else today


def month(db: DbSession, *, first: date, whose: Whose) -> Month:
    """The month that begins on `first`, in a fixed number of queries."""
    last = add_months(first, 1) - timedelta(days=1)
    starts_on = first - timedelta(days=first.weekday())
    ends_on = last + timedelta(days=6 - last.weekday())
    sessions = _by_day(between(db, first=starts_on, last=ends_on, whose=whose))
    closed = holidays.named(db, first=starts_on, last=ends_on)
    every = [date.fromordinal(number) for number in range(starts_on.toordinal(), ends_on.toordinal() + 1)]
    away = leave.by_day(db, whose.mentor_id, first=starts_on, last=ends_on)
    shown = [Day(day, sessions.get(day, []), closed.get(day), away.get(day, ())) for day in every]
    return Month(first, [shown[start : start + 7] for start in range(0, len(shown), 7)])


def days_from(db: DbSession, *, first: date, whose: Whose) -> list[Day]:
    """The days of four weeks that have sessions or leave."""
    last = first + timedelta(days=DAYS_AHEAD - 1)
    closed = holidays.named(db, first=first, last=last)
    found = _by_day(between(db, first=first, last=last, whose=whose))
    away = leave.by_day(db, whose.mentor_id, first=first, last=last)
    return [
        Day(day, found.get(day, []), closed.get(day), away.get(day, ())) for day in sorted({*found, *away})
    ]


def between(db: DbSession, *, first: date, last: date, whose: Whose) -> Sequence[Session]:
    """What is booked or was held from a day to a day, both included, in order; people and packages loaded."""
    asked = (
        select(Session)
        .where(
            Session.state != SessionState.CANCELLED,
            Session.starts_at >= start_of_day(first),
            Session.starts_at < end_of_day(last),
        )
        .options(
            selectinload(Session.attendances).joinedload(Attendance.person),
            joinedload(Session.package).joinedload(Package.council),
            joinedload(Session.mentor),
        )
        .order_by(Session.starts_at, Session.id)
    )
    if whose.mentor_id is not None:
        asked = asked.where(Session.mentor_id == whose.mentor_id)
    if whose.council_id is not None:
        asked = asked.join(Session.package).where(Package.council_id == whose.council_id)
    return db.scalars(asked).all()


def _by_day(sessions: Sequence[Session]) -> dict[date, list[Session]]:
    grouped = groupby(sessions, key=lambda session: london_date(session.starts_at))
    return {day: list(found) for day, found in grouped}
