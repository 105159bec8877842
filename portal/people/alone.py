"""Roles that one person holds in a council at a time: who else holds one is said, and asked about once.

It is not forbidden, for in a handover two can hold it for some days.
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.models import Office, Person, Role
from portal.people.register import PersonRefused, overlap
from portal.programme import Programme
from portal.sureness import Sure
from privacy.clock import day_words

ALONE = frozenset({Role.LEAD_MEMBER, Role.COUNCIL_LEADER, Role.CHIEF_EXECUTIVE})


class HeldByAnother(PersonRefused):
    """Somebody else holds the role in that council in these days, and nobody has said that this is right."""

    field = "sure"

    def __init__(self, programme: Programme, others: Sequence[Office]) -> None:
        named = ", and ".join(f"{held.person.name or held.person.ref}, {since(held)}" for held in others)
        super().__init__(f"{words(programme, others[0])}: {named}. Say if this is right")


def require(
    db: DbSession,
    programme: Programme,
    *,
    person_id: UUID,
    role: Role,
    council_id: UUID | None,
    starts_on: date,
    ends_on: date | None,
    sure: Sure,
) -> None:
    """Raises HeldByAnother where somebody holds the role in these days besides, unless that is meant (`sure`)."""
    if role not in ALONE or council_id is None:
        return
    others = [
        held
        for held in held_in(db, {council_id})
        if held.person_id != person_id
        and held.role is role
        and overlap((held.from_on, held.to_on), (starts_on, ends_on))
    ]
    if others and not sure(str(held_already := HeldByAnother(programme, others))):
        raise held_already


def held_in(db: DbSession, council_ids: Collection[UUID]) -> list[Office]:
    """The offices of that kind in these councils, of people whose account is open, the first begun first."""
    asked = (
        select(Office)
        .join(Office.person)
        .where(Office.role.in_(ALONE), Office.council_id.in_(council_ids), Person.disabled_at.is_(None))
        .options(joinedload(Office.person), joinedload(Office.council))
        .order_by(Office.from_on, Office.id)
    )
    return list(db.scalars(asked))


def words(programme: Programme, held: Office) -> str:
    """`Kent has a Chief Executive already`, without the name of who it is."""
    council = held.council.short_name if held.council is not None else "The council"
    return f"{council} has a {programme.roles[held.role]} already"


def since(held: Office) -> str:
    """From when to when it is held."""
    until = f" to {day_words(held.to_on)}" if held.to_on is not None else ""
    return f"from {day_words(held.from_on)}{until}"
