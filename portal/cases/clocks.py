"""The clocks of all open cases: by time left, in words, for machines, and as a calendar with references only.

List, page, file, feed and command show the same lines; each is computed from what happened, and nothing is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
from sqlalchemy.orm import Session as DbSession

from portal.cases import calendars as desk_calendars
from portal.cases import words as case_words
from portal.filters import by_when, count, day, day_time, minutes
from portal.mailing.calendar import FEED_REFRESH
from privacy.cases import acts
from privacy.cases.rules import RULES
from privacy.cases.story import Clock, ClockName, Holidays, Story
from privacy.clock import as_utc, london_date

PRODUCT = "-//Leadership support portal//Deadlines//EN"
MINUTE = timedelta(minutes=1)
AT_ONCE = 15
"""Minutes after which what is due at once counts as late, and people are told whom to ring."""


@dataclass(frozen=True)
class Line:
    """One clock of a case at a moment. `number` tells apart clocks of one name, from 1."""

    story: Story
    clock: Clock
    number: int
    now: datetime

    @property
    def label(self) -> str:
        return case_words.CLOCKS[self.clock.name]

    @property
    def runs(self) -> bool:
        """Whether its duty still has to be done."""
        return self.clock.met_at is None

    @property
    def is_late(self) -> bool:
        """Past its end, or met only after it. Of a suspicion that nobody has confirmed the Controller is not told."""
        if self.clock.deadline is not None:
            return self.clock.is_late(now=self.now)
        if self.story.is_draft:
            return False
        return self._days > 0 if self.story.by_day else self.minutes >= AT_ONCE

    @property
    def minutes(self) -> int:
        return self.clock.minutes(now=self.now)

    @property
    def _days(self) -> int:
        return (london_date(self.clock.met_at or self.now) - london_date(self.clock.since)).days

    @property
    def waited(self) -> str:
        """How long it has waited, in words; of what came on a day without a time, in days."""
        if not self.story.by_day:
            return how_long((self.clock.met_at or self.now) - self.clock.since)
        return count(self._days, "day", "days") if self._days else "less than a day"

    @property
    def due_at(self) -> datetime | None:
        """The first instant that is too late; None for what is due at once."""
        return self.clock.deadline.due_at if self.clock.deadline is not None else None

    @property
    def due_on(self) -> date | None:
        """The last day in time; None for what is due at an instant or at once."""
        return self.clock.deadline.due_on if self.clock.deadline is not None else None

    @property
    def due(self) -> str:
        """When it is due: the last day in time, or the instant."""
        deadline = self.clock.deadline
        if deadline is None:
            return "At once"
        return day(deadline.due_on) if deadline.due_on is not None else by_when(deadline.due_at)

    @property
    def left(self) -> str:
        """The time that is left or was overrun, in words; when it was done, once it was."""
        if self.clock.met_at is not None:
            done = "Counts as passed on" if self.clock.name is ClockName.FOI_PASS_ON else "Done"
            return f"{done} {day_time(self.clock.met_at)}{', late' if self.is_late else ''}"
        if self.story.closed is not None:
            return "Not done when the case was closed"
        deadline = self.clock.deadline
        if deadline is None:
            return f"Waits for {self.waited}"
        if self.is_late:
            return f"Late by {how_long(self.now - deadline.due_at)}"
        if deadline.due_on == london_date(self.now):
            return "Today"
        return f"{how_long(deadline.due_at - self.now)} left"


def how_long(span: timedelta) -> str:
    """`3 days`, `5 hours 20 minutes`."""
    if span >= timedelta(days=2):
        return count(span.days, "day", "days")
    return minutes(int(span / MINUTE))


def of_case(story: Story, *, now: datetime, holidays: Holidays) -> list[Line]:
    """The clocks of one case, those that are met included."""
    seen: dict[ClockName, int] = {}
    lines = []
    for clock in story.clocks(now=now, holidays=holidays):
        seen[clock.name] = seen.get(clock.name, 0) + 1
        lines.append(Line(story, clock, seen[clock.name], now))
    return lines


def running(stories: Sequence[Story], *, now: datetime, holidays: Holidays) -> list[Line]:
    """Every clock that runs in these cases, what is due first at the front."""
    lines = [
        line
        for story in stories
        if story.closed is None
        for line in of_case(story, now=now, holidays=holidays)
        if line.runs
    ]
    return sorted(lines, key=_order)


def _order(line: Line) -> tuple[datetime, str, str]:
    # What is due at once has been due since its first minute.
    return (line.due_at or line.clock.since, line.story.case.ref, line.clock.name)


def not_told(story: Story, *, now: datetime) -> Line | None:
    """The clock that counts minutes, while there is no evidence that the Controller was told (cl 17.5)."""
    if story.closed is not None or story.is_draft:
        return None
    lines = of_case(story, now=now, holidays=Holidays())
    return next((line for line in lines if line.clock.name is ClockName.NOTIFY and line.runs), None)


def soonest(lines: Sequence[Line]) -> Line | None:
    """Of one case: the clock of ours that runs out first; the Controller's own where we have none left."""
    open_ones = [line for line in lines if line.runs]
    return min(open_ones, key=lambda line: (not line.clock.ours, *_order(line)), default=None)


def why_late(story: Story) -> list[str]:
    """Why a case is late, as far as what happened tells: what is waited for, what is not done, what was explained."""
    step = story.next_step()
    found = [f"Not done yet: {step.label}"] if step is not None else []
    return found + [f"Since {day(event.at)}: {RULES[event.kind].label}" for event in story.waiting_for]


# ---- for machines


def document(db: DbSession, *, now: datetime) -> dict[str, Any]:
    """`{as_of, clocks: [{case, kind, clock, ours, since, due, due_on, target_on, notice_by, late, ...}]}`.

    References and times only; `due` is None for what is due at once, of which `minutes` tells how long it waits.
    """
    found = running(acts.stories(db), now=now, holidays=desk_calendars.calendars(db))
    return {"as_of": _stamp(now), "clocks": [_as_document(line) for line in found]}


def _as_document(line: Line) -> dict[str, Any]:
    deadline = line.clock.deadline
    return {
        "case": line.story.case.ref,
        "kind": line.story.case.kind.value,
        "clock": line.clock.name.value,
        "ours": line.clock.ours,
        "exercise": line.story.case.exercise,
        "state": line.story.state.value,
        "since": _stamp(line.clock.since),
        "minutes": line.minutes,
        "due": _stamp(deadline.due_at) if deadline else None,
        "due_on": _stamp(deadline.due_on) if deadline else None,
        "target_on": _stamp(deadline.target_on) if deadline else None,
        "notice_by": _stamp(deadline.notice_by) if deadline else None,
        "late": line.is_late,
        "paused": deadline.paused if deadline else False,
        "holidays_known": deadline.known if deadline else True,
        "rule": deadline.rule if deadline else "notify-at-once",
        "derivation": list(deadline.steps) if deadline else [],
    }


def _stamp(value: Any) -> str | None:
    if isinstance(value, datetime):
        return as_utc(value).isoformat(timespec="seconds")
    return None if value is None else str(value.isoformat())


# ---- as a calendar


def calendar(lines: Sequence[Line], *, name: str, public_url: str) -> bytes:
    """Deadlines to subscribe to (RFC 5545): references and what is due, nothing about anybody.

    A deadline that is a day stands on that day, one that is an instant at its instant. Equal lines give equal bytes.
    """
    found = icalendar.Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", name)
    found.add("refresh-interval", FEED_REFRESH, parameters={"value": "DURATION"})
    for line in lines:
        if line.clock.deadline is not None:
            found.add_component(_entry(line, public_url))
    return bytes(found.to_ical(sorted=False))


def _entry(line: Line, public_url: str) -> icalendar.Event:
    deadline, case = line.clock.deadline, line.story.case
    assert deadline is not None
    entry = icalendar.Event()
    entry.add("uid", f"{case.id}-{line.clock.name}-{line.number}")
    written = [event.entered_at for event in line.story.events]
    entry.add("dtstamp", max([case.entered_at, *written]))
    if deadline.due_on is not None:
        entry.add("dtstart", deadline.due_on)
    else:
        entry.add("dtstart", as_utc(deadline.due_at))
    mark = "Exercise " if case.exercise else ""
    entry.add("summary", f"{mark}{case.ref}: {line.label}")
    entry.add("transp", "TRANSPARENT")
    entry.add("url", f"{public_url}/desk/cases/{case.id}")
    return entry
