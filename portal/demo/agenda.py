"""The demo's agenda: acts with their moments, done in the order of time, each in a unit of work of its own.

So the trail, the mail and the states come out as they would have, had it all happened.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy.orm import Session as DbSession

from portal.booking.availability import bank_holidays
from portal.demo.cast import Somebody
from privacy.clock import Clock, london_date, minute_of_day, wall
from privacy.work import Work, unit_of_work

SYSTEM = "system:demo"
Act = Callable[[Work], None]


@dataclass(order=True)
class _Entry:
    moment: datetime
    number: int
    act: Act = field(compare=False)
    by: Somebody | None = field(compare=False)


@dataclass
class Agenda:
    """What will have happened by `now`: nothing on it lies later."""

    now: datetime
    _entries: list[_Entry] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._entries)

    def at(self, moment: datetime, act: Act, *, by: Somebody | None = None) -> None:
        """Put an act down; `by` is who does it, the demo itself if left out. What would lie ahead is done now."""
        heapq.heappush(self._entries, _Entry(min(moment, self.now), len(self._entries), act, by))

    def run(self, db: DbSession) -> Iterator[datetime]:
        """Do everything in order; yields the moment of each act once it is committed."""
        while self._entries:
            entry = heapq.heappop(self._entries)
            actor = f"person:{entry.by.known}" if entry.by is not None else SYSTEM
            with unit_of_work(db, standing_at(entry.moment), actor) as work:
                entry.act(work)
            yield entry.moment


def standing_at(moment: datetime) -> Clock:
    """A clock that shows one moment."""
    return lambda: moment


@dataclass
class Diary:
    """Finds days for the cast: working days, and for a session one on which nobody has another."""

    now: datetime
    rng: Random
    taken: set[tuple[Somebody, date]] = field(default_factory=set)

    @property
    def today(self) -> date:
        return london_date(self.now)

    def ago(self, days: int) -> date:
        """A working day, that many days ago or a little more."""
        return self.before(self.today - timedelta(days=days))

    def before(self, day: date) -> date:
        """That day, or the last working day before it."""
        while not works(day):
            day -= timedelta(days=1)
        return day

    def ahead(self, count: int) -> date:
        """The working day that many working days from today; 0 is today, or the next one."""
        day = self.after(self.today)
        for _ in range(count):
            day = self.after(day + timedelta(days=1))
        return day

    def after(self, day: date) -> date:
        """That day, or the next working day."""
        while not works(day):
            day += timedelta(days=1)
        return day

    def session(self, people: list[Somebody], near: date, *, week: bool = False) -> tuple[date, datetime]:
        """The first day from `near` on which these people, the mentor first, have no session; and when it starts.

        `week`: in the mentor's weekly hours, at their beginning.
        """
        mentor = people[0]
        day = self.after(near)
        while any((person, day) in self.taken for person in people) or (
            week and day.weekday() not in mentor.week
        ):
            day = self.after(day + timedelta(days=1))
        self.taken.update((person, day) for person in people)
        spans = mentor.week.get(day.weekday(), ((600, 720),))
        minute = spans[0][0] if week else self.rng.choice((540, 570, 600))
        if day == self.today and not week:
            # Still to come while the day allows it, so that there is something to see when the demo opens.
            next_hour = -(-minute_of_day(self.now) // 60) * 60 + 60
            minute = next_hour if minute < next_hour <= 15 * 60 else minute
        return day, wall(day, minute)

    def moment(self, day: date) -> datetime:
        """Some moment in the working hours of a day."""
        return wall(day, self.rng.randint(8 * 60, 17 * 60)) + timedelta(seconds=self.rng.randint(0, 59))


def works(day: date) -> bool:
    """Whether people work on that day."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)
