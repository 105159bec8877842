"""When mentors can be booked: spans of each weekday, and single days that are opened or closed instead.

Spans are minutes of the London day, in quarter hours (see portal/booking/availability.py).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import pairwise
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session as DbSession

from portal.booking import clashes
from portal.booking.availability import Span, WeeklyHours
from portal.booking.diary import Refused
from portal.models import Hours, Person
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

SPANS_AT_MOST = 3


class SpansOverlap(ValueError):
    """Two spans of one day overlap; the message can be shown."""


class DayPassed(Refused):
    """A single day that lies behind; the message can be shown beside `field`."""

    field = "on"

    def __init__(self) -> None:
        super().__init__("This day has passed")


_HOURS = select(Hours.person_id, Hours.on_day, Hours.weekday, Hours.spans).where(
    Hours.person_id.in_(bindparam("mentors", expanding=True))
)


def of(db: DbSession, mentor_ids: Collection[UUID]) -> dict[UUID, WeeklyHours]:
    """The hours of these mentors, in one query; those who published none have an empty week."""
    weekly: dict[UUID, dict[int, tuple[Span, ...]]] = {mentor_id: {} for mentor_id in mentor_ids}
    exceptions: dict[UUID, dict[date, tuple[Span, ...]]] = {mentor_id: {} for mentor_id in mentor_ids}
    for row in run(db, _HOURS, {"mentors": list(mentor_ids)}):
        spans = tuple(Span(starts, ends) for starts, ends in row.spans)
        if row.on_day is not None:
            exceptions[row.person_id][row.on_day] = spans
        elif row.weekday is not None:
            weekly[row.person_id][row.weekday] = spans
    return {mentor_id: WeeklyHours(weekly[mentor_id], exceptions[mentor_id]) for mentor_id in mentor_ids}


def publish_week(work: Work, *, mentor_id: UUID, weekly: Mapping[int, Sequence[Span]]) -> None:
    """Put these spans in place of the mentor's week; a weekday that is not named is closed.

    Sessions that are booked stay as they are. Raises SpansOverlap.
    """
    for spans in weekly.values():
        _check(spans)
    _lock(work, mentor_id)
    work.db.execute(delete(Hours).where(Hours.person_id == mentor_id, Hours.on_day.is_(None)))
    for weekday, spans in sorted(weekly.items()):
        if spans:
            work.db.add(
                Hours(id=new_id(), person_id=mentor_id, weekday=weekday, on_day=None, spans=_stored(spans))
            )
    _note(work, mentor_id)


def set_day(work: Work, *, mentor_id: UUID, on: date, spans: Sequence[Span], despite: bool = False) -> None:
    """Let these spans hold on one day instead of its weekday's, on a bank holiday too; none closes the day.

    Sessions that are booked stay as they are: without `despite`, those that would lie outside the day's hours raise
    SessionsInTheWay. Raises SpansOverlap and DayPassed.
    """
    _check(spans)
    if on < london_date(work.now):
        raise DayPassed
    _lock(work, mentor_id)
    found = clashes.of_day(work.db, mentor_id, on=on, spans=spans, now=work.now)
    clashes.require_none(found, despite=despite)
    work.db.execute(delete(Hours).where(Hours.person_id == mentor_id, Hours.on_day == on))
    work.db.add(Hours(id=new_id(), person_id=mentor_id, weekday=None, on_day=on, spans=_stored(spans)))
    _note(work, mentor_id)


def forget_day(work: Work, *, mentor_id: UUID, on: date) -> None:
    """Let the weekday's hours hold again on this day."""
    _lock(work, mentor_id)
    work.db.execute(delete(Hours).where(Hours.person_id == mentor_id, Hours.on_day == on))
    _note(work, mentor_id)


def days_ahead(hours: WeeklyHours, *, today: date) -> list[tuple[date, tuple[Span, ...]]]:
    """The single days from today on, in order."""
    return sorted((day, spans) for day, spans in hours.exceptions.items() if day >= today)


def _check(spans: Sequence[Span]) -> None:
    ordered = sorted(spans)
    if any(later.starts < earlier.ends for earlier, later in pairwise(ordered)):
        raise SpansOverlap("Two times on one day overlap. Change one of them")


def _stored(spans: Sequence[Span]) -> list[list[int]]:
    return [[span.starts, span.ends] for span in sorted(spans)]


def _lock(work: Work, mentor_id: UUID) -> None:
    # Two windows with the same week would otherwise leave the spans of both.
    work.db.execute(select(Person.id).where(Person.id == mentor_id).with_for_update(key_share=True))


def _note(work: Work, mentor_id: UUID) -> None:
    work.record(Action.HOURS_PUBLISHED, object=f"person:{mentor_id}", holder=mentor_id)
