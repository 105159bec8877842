"""Cases as the Controller's auditor sees them: kinds, times, steps and clocks, and no word of anybody (cl 14, 17.9).

Who asks, how to reach them, and files are never shown. What was written is shown only while an instruction lists it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.cases import words as case_words
from portal.cases.clocks import Line
from privacy.cases import acts
from privacy.cases.rules import RULES
from privacy.cases.story import Story
from privacy.clock import london_date
from privacy.registers import DataItem, lists


@dataclass(frozen=True)
class SeenEvent:
    """Something that happened: what, when, when it was written down, and its words, where they may be seen."""

    at: datetime
    entered_at: datetime
    label: str
    words: Sequence[str]


@dataclass(frozen=True)
class SeenCase:
    """A case without anybody in it. `asked` is None unless an instruction lists words."""

    id: UUID
    ref: str
    kind: str
    channel: str
    received_at: datetime
    entered_at: datetime
    exercise: bool
    state: str
    asked: str | None
    events: Sequence[SeenEvent]
    clocks: Sequence[Line]

    @property
    def met(self) -> int:
        """How many of our clocks were met in time."""
        return sum(line.clock.ours and not line.runs and not line.is_late for line in self.clocks)

    @property
    def missed(self) -> int:
        """How many of our clocks ran out, whether the duty was done later or is still to be."""
        return sum(line.clock.ours and line.is_late for line in self.clocks)


def cases(db: DbSession, *, now: datetime) -> list[SeenCase]:
    """Every case, the newest first; those of exercises are marked."""
    words, holidays = lists(db, DataItem.CASE_WORDS, on=london_date(now)), desk_calendars.calendars(db)
    found = [
        _seen(story, case_clocks.of_case(story, now=now, holidays=holidays), words=words)
        for story in acts.stories(db, closed=None)
    ]
    return found[::-1]


def case(db: DbSession, case_id: UUID, *, now: datetime) -> SeenCase | None:
    """One of them."""
    try:
        story = acts.read(db, case_id)
    except LookupError:
        return None
    lines = case_clocks.of_case(story, now=now, holidays=desk_calendars.calendars(db))
    return _seen(story, lines, words=lists(db, DataItem.CASE_WORDS, on=london_date(now)))


def _seen(story: Story, lines: Sequence[Line], *, words: bool) -> SeenCase:
    case = story.case
    return SeenCase(
        id=case.id,
        ref=case.ref,
        kind=case_words.KINDS[case.kind],
        channel=case_words.CHANNELS[case.channel],
        received_at=case.received_at,
        entered_at=case.entered_at,
        exercise=case.exercise,
        state=case_words.STATES[story.state][0],
        asked=(case.asked or "") if words else None,
        events=[
            SeenEvent(event.at, event.entered_at, RULES[event.kind].label, _said(event.body) if words else ())
            for event in story.events
        ],
        clocks=lines,
    )


def _said(body: Any) -> list[str]:
    return [value for value in (body or {}).values() if isinstance(value, str) and value.strip()]


def document(seen: SeenCase) -> dict[str, Any]:
    """The same for machines: `id` is what the trail calls it; of a clock that runs by days, `due_on` is its last day,
    and `due` the first instant that is too late."""
    return {
        "id": str(seen.id),
        "reference": seen.ref,
        "kind": seen.kind,
        "channel": seen.channel,
        "received_at": seen.received_at.isoformat(),
        "entered_at": seen.entered_at.isoformat(),
        "exercise": seen.exercise,
        "state": seen.state,
        "asked": seen.asked,
        "events": [
            {
                "at": event.at.isoformat(),
                "entered_at": event.entered_at.isoformat(),
                "what": event.label,
                "words": list(event.words),
            }
            for event in seen.events
        ],
        "clocks": [
            {
                "what": line.label,
                "ours": line.clock.ours,
                "since": line.clock.since.isoformat(),
                "due_on": line.due_on.isoformat() if line.due_on else None,
                "due": line.due_at.isoformat() if line.due_at else None,
                "met_at": line.clock.met_at.isoformat() if line.clock.met_at else None,
                "late": line.is_late,
            }
            for line in seen.clocks
        ],
    }
