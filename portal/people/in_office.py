"""Who holds an office of the programme today, to be asked or told."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Office, Person, Role


def holders(db: DbSession, roles: Collection[Role], *, on: date) -> Sequence[Person]:
    """Whose account is open and who holds one of these roles on a London day, by name."""
    found = db.scalars(select(Person).where(*_holding(roles, on)))
    return sorted(found, key=lambda person: ((person.name or person.ref).casefold(), person.id.bytes))


def ids(db: DbSession, roles: Collection[Role], *, on: date) -> Sequence[UUID]:
    """The same by ids alone, in their order."""
    return db.scalars(select(Person.id).where(*_holding(roles, on)).order_by(Person.id)).all()


def _holding(roles: Collection[Role], on: date) -> tuple[ColumnElement[bool], ...]:
    return Person.disabled_at.is_(None), Person.offices.any(Office.holding(roles, on=on))
