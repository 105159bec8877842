"""Whether a text names somebody who is held here: what is kept for years afterwards must name nobody (cl 17.4(e))."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import CallRequest, Delegation, Person
from privacy.cases.tables import Case
from privacy.returns.traces import KeyedSet

CONTACT = ("name", "email", "phone")


def known_by(db: DbSession) -> Iterator[str]:
    """Every e-mail address, phone number and full name that is held."""
    for person in db.scalars(select(Person)):
        yield from filter(None, (person.name, person.email, person.phone))
    for case in db.scalars(select(Case)):
        contact = case.contact if isinstance(case.contact, dict) else {}
        yield from (str(contact[name]) for name in CONTACT if contact.get(name))
    for call in db.scalars(select(CallRequest)):
        yield from filter(None, (call.phone,))
    for named in db.scalars(select(Delegation)):
        yield from filter(None, (named.called, named.address))


def names_somebody(db: DbSession, text: str) -> bool:
    """Whether a text holds the address, number or full name of anybody."""
    return bool(text.strip()) and KeyedSet.of(known_by(db)).hits(text) > 0
