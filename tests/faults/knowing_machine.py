"""A Hypothesis machine that acts on the small programme, knows what it did, and has a reason for each refusal."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from hypothesis.stateful import (
    RuleBasedStateMachine,
)

from portal.booking import acts as bookings
from portal.booking.diary import Refused, TimeTaken
from portal.booking.standing import BaselineMissing, SessionClosed, SupportClosed
from portal.mentors.serving import NotServing
from portal.models import Place
from portal.packages.states import PackageRefused
from portal.people.register import PersonRefused
from surveys.responses import AlreadySent
from tests.faults.known import Known, Meeting
from tests.faults.small_programme import Cast, Copies, Running
from tests.faults.trail_of_changes import Rows, rows_of

REFUSALS = (Refused, PackageRefused, PersonRefused, AlreadySent, LookupError)


class KnowingMachine(RuleBasedStateMachine):
    """One run on one copy of the programme."""

    copies: ClassVar[Copies]
    did: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.running = Running(self.copies)
        self.cast: Cast = self.copies.cast
        self.known = Known()
        self.gone: set[UUID] = set()
        self.words = dict(self.cast.words)
        self.backups: list[tuple[str, Known]] = []
        self.replaced = False
        self.refused = False
        self.taken = 0
        with self.running.sessions() as db:
            self.rows: Rows = rows_of(db)

    def teardown(self) -> None:
        self.running.end()

    # ---- helpers

    def act(self, name: str, actor: UUID | str, work: Callable[[Any], Any]) -> Any:
        """One act in a unit of work of its own: what it gave, or the refusal."""
        by = actor if isinstance(actor, str) else f"person:{actor}"
        try:
            with self.running.work(by) as unit:
                given = work(unit)
                # What the rows say is gone with the session; the id is all that a step needs of them.
                given = getattr(given, "id", given)
        except REFUSALS as refusal:
            self.refused = True
            self.did[f"{name}: {type(refusal).__name__}"] += 1
            return refusal
        self.did[name] += 1
        return given

    @property
    def programme(self) -> Any:
        return self.running.instance.programme

    @property
    def present(self) -> list[UUID]:
        return [one for one in self.cast.people if one not in self.gone]

    def at(self, days: int, time: tuple[int, int]) -> datetime:
        """A time on a working day to come."""
        day = self.running.now.replace(hour=time[0], minute=time[1], second=0, microsecond=0)
        for _ in range(days):
            day += timedelta(days=1)
            while day.weekday() > 4:
                day += timedelta(days=1)
        return day

    def edge(self, place: Place) -> timedelta:
        return timedelta(minutes=self.programme.margin_minutes(place))

    def clashes(self, wanted: Meeting, *, but: UUID | None = None) -> bool:
        """Whether somebody whose time it takes has another session then, told from what the machine knows."""
        mine = wanted.takes(self.edge(wanted.place))
        for session_id, other in self.known.meetings.items():
            if other.over or session_id == but:
                continue
            for person_id, (start, end) in other.takes(self.edge(other.place)).items():
                if person_id in mine and person_id not in self.gone:
                    first, last = mine[person_id]
                    if first < end and start < last:
                        return True
        return False

    def upcoming(self, *, group: bool | None = None) -> list[UUID]:
        return [
            session_id
            for session_id, one in self.known.meetings.items()
            if not one.over and group in (None, one.capacity is not None)
        ]

    def group_of(self) -> list[UUID]:
        return [one for one in (self.cast.leaders[0], *self.cast.members) if one not in self.gone]

    def justify(self, refusal: Any, wanted: Meeting, *, leader: UUID, but: UUID | None = None) -> None:
        """Each refusal has a reason that the machine knows too, and a clash is never let through."""
        clash = self.clashes(wanted, but=but)
        assert not clash or isinstance(refusal, Refused), "two things at one time"
        match refusal:
            case TimeTaken():
                assert clash
            case BaselineMissing():
                assert not any(
                    (part, "baseline") in self.known.answers
                    for part, (package, _) in self.cast.parts.items()
                    if package == wanted.package
                )
            case SupportClosed():
                nobody = wanted.capacity is not None and not self.group_of()
                assert wanted.package in self.known.ended or leader in self.gone or nobody
            case NotServing():
                assert wanted.mentor in self.gone
            case bookings.InsideNotice():
                assert but is not None
                assert self.known.meetings[but].starts_at - self.running.now < timedelta(hours=24)
            case SessionClosed():
                assert but is not None
                assert self.known.meetings[but].starts_at <= self.running.now
            case bookings.Full():
                days = Counter(
                    one.starts_at.date()
                    for one in self.known.meetings.values()
                    if one.mentor == wanted.mentor and one.starts_at
                )
                assert days[wanted.starts_at.date()] >= 4
            case bookings.NotOffered() | UUID():
                pass
            case _:
                raise AssertionError(f"refused, and it is not known why: {refusal!r}")
