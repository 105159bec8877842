"""The access review: each quarter the data protection officer confirms who can see what (cl 17.4(c)).

The review of a quarter opens two weeks before its last day. Whoever held an office then, and is not confirmed two weeks
after it, sees no page of that office from the next day on, until they are confirmed; who is not confirmed on purpose
sees none at once. Nobody confirms themselves: administrators confirm the data protection officers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.access.known import Account, HeldOffice
from portal.models import STAFF, AccessDecision, Office, Person, Role
from privacy.audit import Action
from privacy.clock import add_months, day_words, london_date
from privacy.records import new_id
from privacy.work import Work

REVIEWED = STAFF | {Role.MENTOR}
"""The roles with which somebody sees what is about others."""

OPENS = timedelta(days=14)
"""How long before the quarter's last day its review opens."""
GRACE = timedelta(days=14)
"""How long after it access goes on unconfirmed."""

SEES = {
    Role.MENTOR: "Their own mentees: names, goals, sessions, and answers that are shared with them",
    Role.TEAM: "Everybody's names, support, sessions and answers; never private notes or self-assessments",
    Role.DPO: "Registers, cases, the audit trail, and exports of one person's data",
    Role.OBSERVER: "Released figures without names; agrees councils",
    Role.AUDITOR: "Registers, cases without names, and the audit trail, to read alone",
    Role.ADMINISTRATOR: "Accounts of staff: names, addresses and roles",
}


class OwnAccess(Exception):
    """Nobody confirms what they themselves can see."""


class NotTheirs(Exception):
    """Administrators decide about data protection officers alone, and these about everybody else."""


@dataclass(frozen=True)
class Unreviewed:
    """Somebody's access has lapsed from a day on: nobody confirmed it, or it was closed on purpose."""

    since: date
    refused: bool
    ask = "dpo"

    @property
    def words(self) -> str:
        day = day_words(self.since)
        if self.refused:
            return f"Your access was closed in the access review on {day}"
        return f"Your access was not confirmed in the quarter's access review and lapsed on {day}"


@dataclass(frozen=True)
class Reviewed:
    """One person in the review of a quarter. `decision` is what was decided in it, None so far."""

    person: Person
    roles: Sequence[Role]
    decision: AccessDecision | None
    lapsed: Unreviewed | None

    @property
    def name(self) -> str:
        return self.person.name or self.person.ref

    @property
    def waits(self) -> bool:
        return self.decision is None


# ---- pure


def quarter_end(day: date) -> date:
    """The last day of the calendar quarter that a day lies in."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return add_months(first, 3) - timedelta(days=1)


def before(quarter_on: date) -> date:
    """The last day of the quarter before."""
    return quarter_end(quarter_on.replace(day=1) - timedelta(days=80))


def due(on: date) -> date:
    """The last day of the newest quarter whose review has to be done by now."""
    ended = before(quarter_end(on))
    return ended if on > ended + GRACE else before(ended)


def open_on(on: date) -> date:
    """The last day of the quarter that is under review on a day."""
    running = quarter_end(on)
    return running if on >= running - OPENS else before(running)


def word(quarter_on: date) -> str:
    """`2023-Q1`."""
    return f"{quarter_on.year}-Q{(quarter_on.month + 2) // 3}"


def lapses_on(quarter_on: date) -> date:
    """The first day on which who is not confirmed sees nothing."""
    return quarter_on + GRACE + timedelta(days=1)


def lapsed(person: Account, *, on: date) -> Unreviewed | None:
    """Why somebody's offices open nothing on a day; None where they do, or there are none."""
    offices = [one for one in person.offices if one.role in REVIEWED and one.held_on(on)]
    if not offices:
        return None
    newest = max(person.access_decisions, key=lambda one: one.decided_at, default=None)
    if newest is not None and not newest.kept:
        return Unreviewed(london_date(newest.decided_at), refused=True)
    wanted = due(on)
    if since(person, offices) > wanted or (newest is not None and newest.quarter_on >= wanted):
        return None
    return Unreviewed(lapses_on(wanted), refused=False)


def since(person: Account, offices: Collection[Office | HeldOffice]) -> date:
    """From which day on somebody could see anything with these offices here."""
    return max(london_date(person.created_at), min(one.from_on for one in offices))


# ---- read


def review(db: DbSession, *, quarter_on: date, on: date) -> list[Reviewed]:
    """Everybody whose access a quarter's review is about, as they stand on a day: those who wait first."""
    held = Office.holding(REVIEWED, on=on)
    people = db.scalars(
        select(Person)
        .where(Person.disabled_at.is_(None), Person.offices.any(held))
        .options(selectinload(Person.offices), selectinload(Person.access_decisions))
        .order_by(Person.ref)
    ).all()
    found = [_reviewed(person, quarter_on=quarter_on, on=on) for person in people]
    return sorted(
        (one for one in found if one is not None), key=lambda one: (not one.waits, one.name.casefold())
    )


def _reviewed(person: Person, *, quarter_on: date, on: date) -> Reviewed | None:
    offices = [one for one in person.offices if one.role in REVIEWED and one.held_on(on)]
    if since(person, offices) > quarter_on:
        return None
    made = [one for one in person.access_decisions if one.quarter_on >= quarter_on]
    return Reviewed(
        person,
        sorted({one.role for one in offices}),
        made[-1] if made else None,
        lapsed(person, on=on),
    )


def may_decide(roles: Collection[Role], *, about: Collection[Role]) -> bool:
    """Data protection officers decide, but about one another an administrator does."""
    return (Role.ADMINISTRATOR if Role.DPO in about else Role.DPO) in roles


def decide(work: Work, *, person_ids: Collection[UUID], kept: bool, roles: Collection[Role]) -> int:
    """Confirm, or close, what people can see, in the review that is open; returns for how many.

    `roles` are those of who decides. Raises OwnAccess, and NotTheirs for people who are another's to decide about.
    """
    today = london_date(work.now)
    quarter_on = open_on(today)
    known = {one.person.id: one for one in review(work.db, quarter_on=quarter_on, on=today)}
    wanted = [known[person_id] for person_id in person_ids if person_id in known]
    for one in wanted:
        if work.actor == f"person:{one.person.id}":
            raise OwnAccess("You cannot confirm what you yourself can see. Ask an administrator")
        if not may_decide(roles, about=one.roles):
            raise NotTheirs(
                "Administrators decide about data protection officers, and these about everybody else"
            )
    for one in wanted:
        _enter(work, one, quarter_on=quarter_on, kept=kept)
    return len(wanted)


def _enter(work: Work, one: Reviewed, *, quarter_on: date, kept: bool) -> None:
    row = AccessDecision(
        id=new_id(),
        person_id=one.person.id,
        quarter_on=quarter_on,
        kept=kept,
        decided_at=work.now,
        by=work.actor,
    )
    row.roles = [role.value for role in one.roles]
    work.db.add(row)
    work.record(
        Action.ACCESS_REVIEWED,
        object=f"person:{one.person.id}",
        holder=one.person.id,
        quarter=word(quarter_on),
        kept=kept,
    )
