"""Word of the access review: to the data protection officers while it is open, and to whoever is about to lose access.

Each once. Whether there is a reason left is asked again when the mail is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.contexts import Around, Context, Letter
from portal.mailing.gathering import MORNING
from portal.models import Mail, Person, Role
from portal.people import in_office
from portal.registers import access_review
from portal.registers.access_review import GRACE, Reviewed
from privacy.clock import london_date, wall
from privacy.work import unit_of_work

ACTOR = "system:reminders"
REVIEW, LAPSING = "access_review", "access_lapsing"
LAST = timedelta(days=7)
"""How long before access lapses those whom it concerns are warned, and the officers once more."""

Sessions = Callable[[], DbSession]


class Due(NamedTuple):
    """A mail to queue."""

    template: str
    about: UUID
    step: str
    person_id: UUID


def about(quarter_on: date) -> UUID:
    """What stands for a quarter's review where a mail says what it is about."""
    return uuid5(NAMESPACE_URL, f"access-review:{quarter_on.isoformat()}")


def run(instance: Instance, sessions: Sessions) -> int:
    """Queue what is due now; returns how many. Any number of workers may run it at any time."""
    today = london_date(instance.clock())
    with sessions() as db:
        if instance.clock() < wall(today, MORNING) or not find(db, on=today):
            return 0
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            work.wait_turn("access mails")
            due = find(work.db, on=today)
            for one in due:
                mail.queue(work, template=one.template, about=one.about, to=one.person_id, step=one.step)
        return len(due)


def find(db: DbSession, *, on: date) -> list[Due]:
    """What is to be queued on a day and was not yet; a fixed number of queries."""
    quarter_on = access_review.open_on(on)
    step = "last" if on > quarter_on + GRACE - LAST else "open"
    if on > quarter_on + GRACE:
        return []
    waits = [one for one in access_review.review(db, quarter_on=quarter_on, on=on) if one.waits]
    if not waits:
        return []
    word = access_review.word(quarter_on)
    wanted = [Due(REVIEW, about(quarter_on), f"{word} {step}", one) for one in _deciders(db, waits, on=on)]
    if step == "last":
        wanted += [
            Due(LAPSING, about(quarter_on), word, one.person.id) for one in waits if one.lapsed is None
        ]
    asked = select(Mail.template, Mail.about, Mail.step, Mail.person_id).where(
        Mail.template.in_([REVIEW, LAPSING])
    )
    queued = {tuple(row) for row in db.execute(asked)}
    return [one for one in wanted if tuple(one) not in queued]


def _deciders(db: DbSession, waits: list[Reviewed], *, on: date) -> Sequence[UUID]:
    """Officers, and administrators where an officer waits."""
    roles = {Role.DPO} | ({Role.ADMINISTRATOR} if any(Role.DPO in one.roles for one in waits) else set())
    return in_office.ids(db, roles, on=on)


def _waiting(db: DbSession, mail_row: Mail, around: Around) -> tuple[date, list[Reviewed]] | None:
    today = london_date(around.now)
    quarter_on = access_review.open_on(today)
    if about(quarter_on) != mail_row.about or today > quarter_on + GRACE:
        return None
    return quarter_on, [one for one in access_review.review(db, quarter_on=quarter_on, on=today) if one.waits]


def review(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """How many wait and until when; none once nobody does."""
    found = _waiting(db, mail, around)
    mine = found and [
        one
        for one in found[1]
        if one.person.id != reader.id
        and access_review.may_decide(
            [office.role for office in reader.offices if office.held_on(london_date(around.now))],
            about=one.roles,
        )
    ]
    if not found or not mine:
        return None
    return Letter(
        {
            "quarter_on": found[0],
            "count": len(mine),
            "lapses_on": access_review.lapses_on(found[0]),
            "link": around.link("access_review"),
        }
    )


def lapsing(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """When the reader's access lapses; none once it was confirmed."""
    found = _waiting(db, mail, around)
    if not found or reader.id not in {one.person.id for one in found[1]}:
        return None
    return Letter({"lapses_on": access_review.lapses_on(found[0]), "dpo": around.programme.contacts["dpo"]})


CONTEXTS: Mapping[str, Context] = {REVIEW: review, LAPSING: lapsing}
