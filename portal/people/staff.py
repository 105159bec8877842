"""Accounts of those who run, give or watch the programme: who has one, and the first administrator.

Closing and opening an account is in portal/people/register.py.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.access import accounts
from portal.actors import roles_of, roles_on
from portal.models import STAFF, Office, Person, Role
from portal.people import in_office
from portal.people import register as people
from portal.references import new_reference
from privacy.audit import Action
from privacy.clock import london_date
from privacy.columns import AddressKeys
from privacy.records import new_id
from privacy.work import Work

ACCOUNT_ROLES = STAFF | {Role.MENTOR}
DEMO_EACH = 3


def everyone(db: DbSession) -> Sequence[Person]:
    """Everybody with an account, offices loaded, in the order they were added."""
    return db.scalars(
        select(Person)
        .options(selectinload(Person.offices), selectinload(Person.assists))
        .order_by(Person.created_at, Person.ref)
    ).all()


def staff(db: DbSession) -> Sequence[Person]:
    """Those who hold or held an office of staff or as a mentor, by name; offices loaded."""
    found = db.scalars(
        select(Person)
        .where(Person.offices.any(Office.role.in_(ACCOUNT_ROLES)))
        .options(selectinload(Person.offices))
    ).all()
    return sorted(found, key=lambda person: ((person.name or "").casefold(), person.ref))


def staff_member(db: DbSession, person_id: UUID) -> Person | None:
    """One of `staff`."""
    return db.scalars(
        select(Person).where(Person.id == person_id, Person.offices.any(Office.role.in_(ACCOUNT_ROLES)))
    ).first()


def left_without(db: DbSession, person: Person, *, on: date) -> list[Role]:
    """The offices that nobody else holds who can sign in: data protection officer and administrator."""
    return [
        role
        for role in (Role.DPO, Role.ADMINISTRATOR)
        if role in roles_on(person, on) and set(in_office.ids(db, {role}, on=on)) <= {person.id}
    ]


def demo_people(db: DbSession, *, on: date) -> list[tuple[Role, list[Person]]]:
    """A few people of every role, to enter a demo as. Only for a demo: it tells addresses to anybody."""
    known = [person for person in everyone(db) if person.disabled_at is None]
    return [(role, _few(known, role, on)) for role in Role]


def _few(known: Iterable[Person], role: Role, on: date) -> list[Person]:
    return [person for person in known if role in roles_of(person, on)][:DEMO_EACH]


def add_administrator(work: Work, *, address: str, name: str) -> bool:
    """Give somebody the office of administrator from today, adding the person if need be.

    False if they hold it already. Raises NotAnAddress.
    """
    if not people.is_address(address):
        raise people.NotAnAddress("This is not an e-mail address.")
    today = london_date(work.now)
    person = accounts.find(work.db, address)
    if person is None:
        person = Person(id=new_id(), ref=new_reference("P"), created_at=work.now)
        person.name = name
        person.email = address
        person.email_index = AddressKeys(work.db).index(address)
        work.db.add(person)
        work.db.flush()
        work.record(
            Action.PERSON_ADDED, object=f"person:{person.id}", holder=person.id, role=Role.ADMINISTRATOR
        )
    elif Role.ADMINISTRATOR in roles_on(person, today):
        return False
    work.db.add(Office(id=new_id(), person_id=person.id, role=Role.ADMINISTRATOR, from_on=today))
    work.record(Action.OFFICE_ADDED, object=f"person:{person.id}", holder=person.id, role=Role.ADMINISTRATOR)
    return True
