"""What a test knows by itself of the small programme: who meets whom when, who said what, who may act for whom."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from portal.models import Place

HOUR = timedelta(hours=1)


@dataclass
class Meeting:
    """What the machine knows of a session."""

    package: UUID
    mentor: UUID
    starts_at: datetime
    place: Place
    people: set[UUID]
    capacity: int | None = None
    length: timedelta = HOUR
    over: bool = False

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.length

    def takes(self, edge: timedelta) -> dict[UUID, tuple[datetime, datetime]]:
        spans = dict.fromkeys(self.people, (self.starts_at, self.ends_at))
        return {**spans, self.mentor: (self.starts_at - edge, self.ends_at + edge)}


@dataclass
class Known:
    """What the machine knows of everything; copied with each backup."""

    meetings: dict[UUID, Meeting] = field(default_factory=dict)
    answers: dict[tuple[UUID, str], Any] = field(default_factory=dict)
    assistants: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)  # leader: delegation, assistant
    ended: set[UUID] = field(default_factory=set)
    held: dict[UUID, UUID] = field(default_factory=dict)
    waits: set[UUID] = field(default_factory=set)  # an erasure waits for a hold
