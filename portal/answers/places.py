"""Where answers come from: the office, the council and the kind of support, without the name."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mentors import serving
from portal.models import Council, Package, Participation, Role, Strand


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an answer comes from: `person_id` is None once erased; `given_by` had a hand in giving the support."""

    role: Role
    council: str
    council_words: tuple[str, ...]
    strand: Strand
    person_id: UUID | None
    given_by: frozenset[UUID]


def of(db: DbSession, *, participation_id: UUID | None = None) -> dict[UUID, Place]:
    """By participation, of one or all; a fixed number of queries."""
    asked = (
        select(Participation, Council.name, Council.short_name, Package.strand)
        .join(Package, Package.id == Participation.package_id)
        .outerjoin(Council, Council.id == Package.council_id)
    )
    if participation_id is not None:
        asked = asked.where(Participation.id == participation_id)
    rows = db.execute(asked).all()
    given = serving.givers(db, None if participation_id is None else [row[0].package_id for row in rows])
    return {
        part.id: Place(
            role=part.role,
            council=short_name or "No council",
            council_words=tuple(word for word in (name, short_name) if word),
            strand=strand,
            person_id=part.person_id,
            given_by=given.get(part.package_id, frozenset()),
        )
        for part, name, short_name, strand in rows
    }
