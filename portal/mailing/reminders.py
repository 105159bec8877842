"""Reminders of what is left to answer: few, once each, to nobody who has answered or asked for peace.

    opening   for an interim wave; the invitation opens the baseline, and a mail of its own the post questionnaire
    week      a week after the wave opened
    closing   a week before it closes
    last      on its last day

Beside them the team reminds by hand (sendings.py), at most once a day: that takes no step's place.

The pass of each minute finds the step that somebody's wave has reached and queues it, once per person and step;
whether there is a reason left is asked again when it is sent. A step that was passed over (a window that moved, a
worker that stood still) is not made up for, and none follows a later one. Feedback is never chased: it stands on
"Your support" and is mentioned once, in the next mail.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers import windows
from portal.answers.windows import Opening
from portal.desk import restriction
from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.gathering import MORNING
from portal.models import Mail, Package, PackageState, Participation, Person
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import add_months, london_date, wall
from privacy.records import Keep
from privacy.work import Work, unit_of_work
from surveys.models import Wave
from surveys.standings import standings
from surveys.waves import Window

ACTOR = "system:reminders"
BY_HAND = "hand-"
TEMPLATE = "reminder"
CHASED = frozenset({Wave.BASELINE, Wave.INTERIM, Wave.POST})
WEEK = timedelta(days=7)
QUEUED_WITHIN = timedelta(days=(Keep.MAIL.days or 0) // 2)
"""A step is queued soon after it came or never: its row in the queue, which says that it was, is not kept for ever."""

Sessions = Callable[[], DbSession]


class Step(StrEnum):
    """The steps, in their order."""

    OPENING = "opening"
    WEEK = "week"
    CLOSING = "closing"
    LAST = "last"


ORDER = {step: number for number, step in enumerate(Step)}


@dataclass(frozen=True)
class Reached:
    """A step that somebody's wave has reached and that was not queued yet."""

    participation_id: UUID
    person_id: UUID
    step: str


def steps(window: Window, wave: Wave) -> list[tuple[Step, datetime]]:
    """When each step of a window is due, in order; what would fall together is said once."""
    opened_on = london_date(window.opens_at)
    last_on = window.last_day
    found = [(Step.OPENING, opened_on)] if wave is Wave.INTERIM else []
    if opened_on + WEEK < last_on:
        found.append((Step.WEEK, opened_on + WEEK))
    if opened_on + 2 * WEEK <= last_on - WEEK:
        found.append((Step.CLOSING, last_on - WEEK))
    if opened_on < last_on:
        found.append((Step.LAST, last_on))
    return [(step, wall(day, MORNING)) for step, day in found]


def step_name(opening: Opening, step: Step) -> str:
    """What the queue tells steps apart by: `post:once:week`."""
    return f"{opening.wave}:{opening.occasion}:{step}"


def by_hand(wave: Wave, occasion: str, on: date) -> str:
    """The step of a reminder that the team sends on a London day."""
    return f"{wave}:{occasion}:{BY_HAND}{on.isoformat()}"


def reached(opening: Opening, *, queued: Iterable[str], now: datetime) -> str | None:
    """The step of an open wave to queue now: the latest one that came, unless it or a later one was queued."""
    if opening.wave not in CHASED or now not in opening.window:
        return None
    come = [(step, at) for step, at in steps(opening.window, opening.wave) if at <= now]
    if not come or come[-1][1] < now - QUEUED_WITHIN:
        return None
    latest = come[-1][0]
    prefix = f"{opening.wave}:{opening.occasion}:"
    passed = (name.removeprefix(prefix) for name in queued if name.startswith(prefix))
    done = [ORDER[Step(name)] for name in passed if name in set(Step)]
    if done and max(done) >= ORDER[latest]:
        return None
    return step_name(opening, latest)


def run(instance: Instance, sessions: Sessions) -> int:
    """Queue what is due now; returns how many. Any number of workers may run it at any time."""
    with sessions() as db:
        # Most minutes there is nothing: the write lock is taken only when there is.
        if not find(db, instance.programme, now=instance.clock()):
            return 0
        with unit_of_work(db, instance.clock, ACTOR) as work:
            work.wait_turn("reminders")
            due = find(work.db, instance.programme, now=work.now)
            for one in due:
                mail.queue(
                    work, template=TEMPLATE, about=one.participation_id, to=one.person_id, step=one.step
                )
        return len(due)


def find(db: DbSession, programme: Programme, *, now: datetime) -> list[Reached]:
    """Who is to be reminded of what now; a fixed number of queries."""
    parts = {part.id: part for part in _asked(db, programme, now)}
    if not parts:
        return []
    stands = standings(db, parts)
    queued: dict[UUID, list[str]] = {}
    for about, step in db.execute(select(Mail.about, Mail.step).where(Mail.template == TEMPLATE)):
        queued.setdefault(about, []).append(step)
    found = []
    for opening in windows.openings(db, programme, list(parts.values()), now=now):
        part = parts[opening.participation_id]
        standing = stands.get((part.id, opening.wave, opening.occasion))
        answered = standing is not None and standing.submitted_at is not None
        if answered or (opening.wave is Wave.BASELINE and part.invited_at is None):
            continue
        name = reached(opening, queued=queued.get(part.id, ()), now=now)
        if name is not None and part.person_id is not None:
            found.append(Reached(part.id, part.person_id, name))
    return found


def _asked(db: DbSession, programme: Programme, now: datetime) -> Iterable[Participation]:
    """Whose waves can be open: with support that is begun or ended not long ago."""
    since = add_months(london_date(now), -programme.post_months - 1)
    return db.scalars(
        select(Participation)
        .join(Participation.package)
        .join(Participation.person)
        .where(
            or_(
                Package.state.in_([PackageState.BASELINE, PackageState.ACTIVE]),
                (Package.state == PackageState.ENDED) & (Package.ends_on >= since),
            ),
            Person.disabled_at.is_(None),
            Person.reminders_stopped_at.is_(None),
            restriction.usable(),
        )
        .options(joinedload(Participation.package))
    )


def opening_of(
    db: DbSession, programme: Programme, part: Participation, step: str, *, now: datetime
) -> Opening | None:
    """The wave that a queued step is about, if there is still a reason to write: open and not answered."""
    wave, occasion, _ = step.split(":")
    found = windows.opening(db, programme, part, wave=Wave(wave), occasion=occasion, now=now)
    if found is None or now not in found.window:
        return None
    standing = standings(db, [part.id]).get((part.id, found.wave, occasion))
    return None if standing is not None and standing.submitted_at is not None else found


def stop(work: Work, *, person_id: UUID) -> None:
    """Remind somebody of nothing any more, and drop what waits. Again changes nothing."""
    person = work.db.get_one(Person, person_id, with_for_update={"key_share": True}, populate_existing=True)
    if person.reminders_stopped_at is None:
        person.reminders_stopped_at = work.now
        work.record(Action.REMINDERS_STOPPED, object=f"person:{person.id}", holder=person.id)


def resume(work: Work, *, person_id: UUID) -> None:
    """Remind somebody again of what is left. Again changes nothing."""
    person = work.db.get_one(Person, person_id, with_for_update={"key_share": True}, populate_existing=True)
    if person.reminders_stopped_at is not None:
        person.reminders_stopped_at = None
        work.record(Action.REMINDERS_RESUMED, object=f"person:{person.id}", holder=person.id)
