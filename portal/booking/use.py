"""How much of the mentors' time is used: hours published, booked and delivered, by month. Minutes throughout.

Published hours are counted as they stand now, less leave and bank holidays: what hours were before they were
changed is not kept. What is booked can lie outside them, so the share can pass the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import holidays, hours, leave
from portal.booking.availability import Interval, free, open_intervals
from portal.booking.opening import WeeklyHours
from portal.models import Session, SessionState
from privacy.clock import add_months, end_of_day, london_date, start_of_day

MONTHS_SHOWN = 6
MONTHS_BACK = 3


@dataclass(frozen=True)
class Use:
    """Of one mentor in one month, or of several together. `booked` counts what was held too."""

    published: int = 0
    booked: int = 0
    delivered: int = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.published + other.published,
            self.booked + other.booked,
            self.delivered + other.delivered,
        )

    @property
    def share(self) -> float | None:
        """Of the published hours, what is booked; None where none are published."""
        return self.booked / self.published if self.published else None


def months_around(today: date) -> list[date]:
    """The first days of the months that are shown: three that were, this one, and two to come."""
    first = add_months(today.replace(day=1), -MONTHS_BACK)
    return [add_months(first, number) for number in range(MONTHS_SHOWN)]


def by_month(
    db: DbSession, mentor_ids: Sequence[UUID], *, months: Sequence[date]
) -> dict[UUID, dict[date, Use]]:
    """Of each mentor in each of these months, given by their first days; a fixed number of queries."""
    first, last = months[0], _last_of(months[-1])
    closed = holidays.days(db, first=first, last=last)
    week = hours.of(db, mentor_ids)
    away = leave.of(db, mentor_ids, first=first, last=last)
    found = {
        mentor_id: {
            month: Use(published=_published(week[mentor_id], away[mentor_id], month, closed))
            for month in months
        }
        for mentor_id in mentor_ids
    }
    rows = db.execute(
        select(
            Session.mentor_id, Session.starts_at, Session.ends_at, Session.state, Session.delivered_minutes
        ).where(
            Session.mentor_id.in_(mentor_ids),
            Session.state != SessionState.CANCELLED,
            Session.starts_at >= start_of_day(first),
            Session.starts_at < end_of_day(last),
        )
    )
    for mentor_id, starts_at, ends_at, state, minutes in rows:
        month = london_date(starts_at).replace(day=1)
        if month in found[mentor_id]:
            delivered = (minutes or 0) if state is SessionState.HELD else 0
            found[mentor_id][month] += Use(0, _minutes(Interval(starts_at, ends_at)), delivered)
    return found


def total(uses: Sequence[Use]) -> Use:
    return sum(uses, Use())


def _published(week: WeeklyHours, away: Sequence[Interval], month: date, closed: frozenset[date]) -> int:
    days = [month + timedelta(days=number) for number in range((_last_of(month) - month).days + 1)]
    return sum(map(_minutes, free(open_intervals(week, days=days, holidays=closed), away)))


def _minutes(interval: Interval) -> int:
    return int((interval.ends_at - interval.starts_at).total_seconds()) // 60


def _last_of(month: date) -> date:
    return add_months(month, 1) - timedelta(days=1)
