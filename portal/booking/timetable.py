"""Whose time is free when: everything that decides it, read at once, for the list of times and for each check.

    hours, leave, limits, sessions, quarter hours of the mentors + blackouts of the council + bank holidays
        -> one agenda for each mentor -> portal/booking/availability.py

What a participant books lies in the hours, after the notice and before the horizon. Those who serve the package
may agree any quarter hour with the leader; what keeps a time shut for them too is in `require_open`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session as DbSession

from portal.booking import blackouts, diary, holidays, hours, leave
from portal.booking.availability import Agenda, Interval, Rules, Times, offered
from portal.booking.blackouts import NoSessionsThen
from portal.booking.diary import Refused, TimeTaken
from portal.models import Blackout, Place, Session, SessionState
from portal.programme import Programme
from privacy.clock import london_date
from privacy.statements import run

# Margins and whole weeks reach less far than this, so that what counts just outside a window is seen too.
AROUND = timedelta(days=7)


class Away(Refused):
    """The mentor has leave then; the message can be shown."""

    def __init__(self) -> None:
        super().__init__("The mentor is away then. Choose another time")


class Full(Refused):
    """The mentor has as many sessions that day, or that week, as they take on; `what` is the word, the message can be
    shown."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The mentor has as many sessions that {what} as they take on. Choose another day")
        self.what = what


@dataclass(frozen=True)
class Timetable:
    """What is known of some mentors, and of whom they would meet, in a window of time."""

    programme: Programme
    now: datetime
    window: Interval
    agendas: Mapping[UUID, Agenda]
    busy: Mapping[UUID, Sequence[Interval]]
    blackouts: Sequence[Blackout]

    def offered(
        self, mentor_id: UUID, *, minutes: int, place: Place, within: Interval | None = None
    ) -> Times:
        """What can be booked with a mentor in the window, or in a part of it; `place` decides how far apart sessions
        lie."""
        rules = Rules(
            minutes=minutes,
            margin_minutes=self.programme.margin_minutes(place),
            notice_hours=self.programme.notice_hours,
            horizon_days=self.programme.horizon_days,
        )
        return offered(self.agendas[mentor_id], rules, now=self.now, within=within or self.window)

    def holding(self, mentor_id: UUID, time: Interval, *, taking: Interval) -> "Timetable":
        """The same with one more session of a mentor, that takes their time from before it to after it: for who plans
        several at once."""
        agenda, day = self.agendas[mentor_id], london_date(time.starts_at)
        fuller = replace(
            agenda,
            taken=[*agenda.taken, taking],
            held={**agenda.held, day: agenda.held.get(day, 0) + 1},
        )
        return replace(
            self,
            agendas={**self.agendas, mentor_id: fuller},
            busy={**self.busy, mentor_id: [*self.busy[mentor_id], taking]},
        )

    def require_untaken(self, wanted: Mapping[UUID, Interval]) -> None:
        """Raises TimeTaken where somebody has something else in what is wanted of their time."""
        for person_id, interval in wanted.items():
            if any(_overlap(taken, interval) for taken in self.busy[person_id]):
                raise TimeTaken

    def require_open(self, mentor_id: UUID, time: Interval) -> None:
        """What holds for whoever books: raises NoSessionsThen, which names the period, Away or Full."""
        for blackout in self.blackouts:
            if _overlap(blackouts.span_of(blackout), time):
                raise NoSessionsThen(blackout)
        agenda = self.agendas[mentor_id]
        if any(_overlap(away, time) for away in agenda.away):
            raise Away
        day = london_date(time.starts_at)
        if agenda.per_day is not None and agenda.held.get(day, 0) >= agenda.per_day:
            raise Full("day")
        full = agenda.full()
        if full is not None and full(day):
            raise Full("week")


def read(
    db: DbSession,
    programme: Programme,
    *,
    mentor_ids: Collection[UUID],
    person_ids: Sequence[UUID],
    council_id: UUID | None,
    window: Interval,
    now: datetime,
    but: UUID | None = None,
) -> Timetable:
    """The timetable of some mentors with some people; `but` is a session left out, that is being moved.

    The number of queries is the same however many mentors and sessions there are.
    """
    wide = Interval(window.starts_at - AROUND, window.ends_at + AROUND)
    first, last = london_date(wide.starts_at), london_date(wide.ends_at)
    weeks = hours.of(db, mentor_ids)
    busy = diary.taken(db, [*mentor_ids, *person_ids], within=wide, but=but)
    away = leave.of(db, mentor_ids, first=first, last=last)
    limits = leave.limits(db, programme, mentor_ids)
    held = _held(db, mentor_ids, within=wide, but=but)
    closed = blackouts.of(db, council_id, first=first, last=last)
    closed_spans = [blackouts.span_of(one) for one in closed]
    free_days = holidays.days(db, first=first, last=last)
    theirs = [interval for person_id in person_ids for interval in busy[person_id]]
    return Timetable(
        programme,
        now,
        window,
        {
            mentor_id: Agenda(
                hours=weeks[mentor_id],
                holidays=free_days,
                taken=[*busy[mentor_id], *theirs],
                away=[*away[mentor_id], *closed_spans],
                held=held[mentor_id],
                per_day=limits[mentor_id].per_day,
                per_week=limits[mentor_id].per_week,
            )
            for mentor_id in mentor_ids
        },
        busy,
        closed,
    )


def require_open(
    db: DbSession,
    programme: Programme,
    *,
    mentor_id: UUID,
    council_id: UUID | None,
    time: Interval,
    now: datetime,
) -> None:
    """What keeps a time shut for whoever books it, groups too: raises NoSessionsThen, Away or Full."""
    table = read(
        db,
        programme,
        mentor_ids=[mentor_id],
        person_ids=[],
        council_id=council_id,
        window=time,
        now=now,
    )
    table.require_open(mentor_id, time)


_HELD = select(Session.mentor_id, Session.starts_at).where(
    Session.mentor_id.in_(bindparam("mentors", expanding=True)),
    Session.state != SessionState.CANCELLED,
    Session.starts_at >= bindparam("first"),
    Session.starts_at < bindparam("past"),
)
_HELD_BUT = _HELD.where(Session.id != bindparam("but"))


def _held(
    db: DbSession, mentor_ids: Collection[UUID], *, within: Interval, but: UUID | None
) -> dict[UUID, dict[date, int]]:
    """How many sessions each mentor has on each London day, in one query."""
    found: dict[UUID, dict[date, int]] = {mentor_id: {} for mentor_id in mentor_ids}
    asked = {"mentors": list(mentor_ids), "first": within.starts_at, "past": within.ends_at}
    rows = run(db, _HELD, asked) if but is None else run(db, _HELD_BUT, {**asked, "but": but})
    for mentor_id, starts_at in rows:
        day = london_date(starts_at)
        found[mentor_id][day] = found[mentor_id].get(day, 0) + 1
    return found


def _overlap(one: Interval, other: Interval) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
