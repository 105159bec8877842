"""Word of what is about to expire: 60 and 14 days before, to whom it concerns and to the team, once each.

The pass of each minute finds what has come within a step; a step that was passed over is not made up for. Whether
there is a reason left is asked again when the mail is sent.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.contexts import Around, Context, Letter
from portal.mailing.gathering import MORNING
from portal.mailing.letters import one_line
from portal.mentors import clearances
from portal.models import Clearance, Mail, Person, Role
from portal.people import in_office
from privacy.clock import london_date, wall
from privacy.work import unit_of_work

ACTOR = "system:reminders"
TEMPLATE = "clearance"

Sessions = Callable[[], DbSession]


class Due(NamedTuple):
    """A mail to queue: about which record, at which step, to whom."""

    clearance_id: UUID
    step: str
    person_id: UUID


def run(instance: Instance, sessions: Sessions) -> int:
    """Queue what is due now; returns how many. Any number of workers may run it at any time."""
    today = london_date(instance.clock())
    with sessions() as db:
        # Most minutes there is nothing: the write lock is taken only when there is.
        if instance.clock() < wall(today, MORNING) or not find(db, on=today):
            return 0
        with unit_of_work(db, instance.clock, ACTOR) as work:
            work.wait_turn("clearance mails")
            due = find(work.db, on=london_date(work.now))
            for one in due:
                mail.queue(work, template=TEMPLATE, about=one.clearance_id, to=one.person_id, step=one.step)
        return len(due)


def step_of(lapses_on: date, *, on: date) -> str | None:
    """The latest step that has come: how many days before; None before the first."""
    left = (lapses_on - on).days
    come = [days for days in clearances.WARNED_DAYS if 0 < left <= days]
    return str(min(come)) if come else None


def find(db: DbSession, *, on: date) -> list[Due]:
    """What is to be queued on a day and was not yet; a fixed number of queries."""
    ending = [
        (one, step)
        for one in clearances.watch(db, on=on)
        if one.clearance is not None and one.on is not None and (step := step_of(one.on, on=on))
    ]
    if not ending:
        return []
    team = in_office.ids(db, {Role.TEAM}, on=on)
    asked = select(Mail.about, Mail.step, Mail.person_id).where(Mail.template == TEMPLATE)
    queued = {tuple(row) for row in db.execute(asked)}
    wanted = [
        Due(one.clearance.id, step, person_id)
        for one, step in ending
        if one.clearance is not None
        for person_id in sorted({one.person.id, *team})
    ]
    return [one for one in dict.fromkeys(wanted) if tuple(one) not in queued]


def clearance(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """What expires, when and whose it is; none once it was renewed, taken back or has lapsed."""
    row = db.get(Clearance, mail.about)
    today = london_date(around.now)
    if row is None or row.lapses_on <= today:
        return None
    # What vetting stands in for is counted under that name.
    kind = next((known for known, also in clearances.ALSO.items() if also is row.kind), row.kind)
    if clearances.held_until(row.person.clearances, kind, on=today) != row.lapses_on:
        return None
    own = reader.id == row.person_id
    if not own and reader.id not in in_office.ids(db, {Role.TEAM}, on=today):
        return None
    what = clearances.WORDS[row.kind]
    return Letter(
        {
            "own": own,
            "what": what[0].lower() + what[1:] if what[1].islower() else what,
            "whose": one_line(row.person.name or row.person.ref),
            "on": row.lapses_on,
            "link": around.link("clearance") if own else around.link("person", row.person_id),
        }
    )


CONTEXTS: Mapping[str, Context] = {TEMPLATE: clearance}
