"""The register of personnel: who works for the processor, and what clears them for it (cl 17.4(c))."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.mentors import clearances
from portal.mentors.clearances import GATED, PAGES, Gap
from portal.models import Clearance, ClearanceKind, Office, Person, Role
from portal.registers import access_review
from portal.registers.access_review import Unreviewed

SHOWN = (*PAGES, ClearanceKind.DBS)


@dataclass(frozen=True)
class Employed:
    """Somebody who works for the processor: roles, until when each thing holds (None: it does not), what is missing."""

    person: Person
    roles: Sequence[Role]
    until: Sequence[date | None]
    gaps: Sequence[Gap]
    lapsed: Unreviewed | None

    @property
    def name(self) -> str:
        return self.person.name or self.person.ref


def personnel(db: DbSession, *, on: date) -> list[Employed]:
    """Everybody in office on a day who needs clearance, those who lack something first. Four queries."""
    office = Office.holding(GATED, on=on)
    people = db.scalars(
        select(Person)
        .where(Person.disabled_at.is_(None), Person.offices.any(office))
        .options(
            selectinload(Person.offices),
            selectinload(Person.clearances),
            selectinload(Person.access_decisions),
        )
        .order_by(Person.ref)
    )
    found = [_employed(person, on=on) for person in people]
    return sorted(found, key=lambda one: (not one.gaps and one.lapsed is None, one.name.casefold()))


def _employed(person: Person, *, on: date) -> Employed:
    records: list[Clearance] = person.clearances
    return Employed(
        person=person,
        roles=sorted({one.role for one in person.offices if one.role in GATED and one.held_on(on)}),
        until=[clearances.held_until(records, kind, on=on) for kind in SHOWN],
        gaps=clearances.gaps_in(records, clearances.needs(person), on=on),
        lapsed=access_review.lapsed(person, on=on),
    )
