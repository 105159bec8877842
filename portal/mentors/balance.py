"""Mentors and leaders by political group, so that neutrality can be shown (annex 2, 3): counts that give nobody away.

Only while an instruction under schedule 3a lists political groups. A count under five is not told from none; every
other is rounded to the nearest five, totals too, so that nothing follows from taking counts from each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mentors import profiles
from portal.mentors.profiles import GROUPS, PoliticalGroup
from portal.models import PARTICIPANT, Office, Participation, Person, Role

SMALLEST = 5
STEP = 5


@dataclass(frozen=True)
class Row:
    """A group with its counts, as words."""

    group: str
    mentors: str
    leaders: str


@dataclass(frozen=True)
class Balance:
    """All groups, then who is not recorded; the totals."""

    rows: Sequence[Row]
    mentors: str
    leaders: str


def protected(count: int) -> str:
    """A count that gives nobody away."""
    if count < SMALLEST:
        return f"fewer than {SMALLEST}"
    return f"about {(count + STEP // 2) // STEP * STEP}"


def balance(db: DbSession, *, on: date) -> Balance | None:
    """Those who mentor on a day and those who were ever supported; None while no instruction lists the groups."""
    if not profiles.may_hold_groups(db, on=on):
        return None
    mentoring = Person.offices.any(Office.holding({Role.MENTOR}, on=on))
    mentors = _groups(db.scalars(select(Person).where(mentoring)).all())
    supported = select(Participation.person_id).where(Participation.role.in_(PARTICIPANT))
    leaders = _groups(db.scalars(select(Person).where(Person.id.in_(supported))).all())
    named = [
        Row(words, protected(mentors[group.value]), protected(leaders[group.value]))
        for group, words in GROUPS.items()
    ]
    unknown = Row("Not recorded", protected(mentors[""]), protected(leaders[""]))
    return Balance([*named, unknown], protected(mentors.total()), protected(leaders.total()))


def _groups(people: Sequence[Person]) -> Counter[str]:
    return Counter(PoliticalGroup(one.political_group).value if one.political_group else "" for one in people)
