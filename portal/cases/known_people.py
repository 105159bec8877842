"""The names that the product knows, for the proposals of what to take out of a file; opened in batches, kept nowhere.

People and partners; those who have to do with the requester are near, so that a first name alone may mean them.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking.standing import UIDS_END
from portal.models import Attendance, Office, PackageMentor, Participation, Partner, Person, Role, Session
from portal.programme import Programme
from privacy.cases.marks import Known, Own
from privacy.cases.tables import Case
from privacy.columns import keys_of, unseal_column
from privacy.keystore import DataKeys
from privacy.records import Record

BATCH = 500


def known(db: DbSession, programme: Programme, case: Case) -> Iterator[Known]:
    """Everybody but the requester whose name is known, with what they are."""
    yield from everybody(db, programme, around=case.subject_id, but=case.subject_id)


def everybody(
    db: DbSession, programme: Programme, *, around: UUID | None = None, but: UUID | None = None
) -> Iterator[Known]:
    """Whose name is known, with what they are; those who have to do with `around` are near."""
    near = _near(db, around) if around is not None else frozenset()
    roles = _roles(db)
    asked = select(Person.id, Person.ref, Person.name_sealed).where(Person.name_sealed.is_not(None))
    if but is not None:
        asked = asked.where(Person.id != but)
    for rows in db.execute(asked.execution_options(yield_per=BATCH)).partitions():
        keys = DataKeys(keys_of(db).vault)
        keys.fetch(row.id for row in rows)
        for row in rows:
            name = unseal_column(keys, Person.name_sealed, row.name_sealed, row=row.id, holder=row.id)
            role = roles.get(row.id)
            who = f"{programme.roles[role]}, {row.ref}" if role is not None else row.ref
            yield Known(name, who, near=row.id in near)
    yield from _partners(db)


def _partners(db: DbSession) -> Iterator[Known]:
    asked = select(Partner.id, Partner.name_sealed).where(Partner.name_sealed.is_not(None))
    for rows in db.execute(asked.execution_options(yield_per=BATCH)).partitions():
        keys = DataKeys(keys_of(db).vault)
        keys.fetch(row.id for row in rows)
        for row in rows:
            name = unseal_column(keys, Partner.name_sealed, row.name_sealed, row=row.id, holder=row.id)
            yield Known(name, "Partner of a council or a package")


def _roles(db: DbSession) -> dict[UUID, Role]:
    """The role that somebody came to last."""
    rows = db.execute(select(Office.person_id, Office.role).order_by(Office.from_on, Office.id))
    return {row.person_id: row.role for row in rows}


def _near(db: DbSession, person_id: UUID) -> frozenset[UUID]:
    """Who is in a package or a session with somebody, or gives it to them."""
    packages = select(Participation.package_id).where(Participation.person_id == person_id)
    sessions = select(Attendance.session_id).where(Attendance.person_id == person_id)
    found = set[UUID | None]()
    for asked in (
        select(Participation.person_id).where(Participation.package_id.in_(packages)),
        select(PackageMentor.person_id).where(PackageMentor.package_id.in_(packages)),
        select(Attendance.person_id).where(Attendance.session_id.in_(sessions)),
        select(Session.mentor_id).where(Session.id.in_(sessions)),
    ):
        found |= set(db.scalars(asked))
    return frozenset(one for one in found if one is not None and one != person_id)


def own(db: DbSession, programme: Programme, case: Case) -> Own:
    """What is the requester's, a representative's for them, or the programme's own."""
    contact = case.contact or {}
    subject = db.get(Person, case.subject_id) if case.subject_id is not None else None
    names = [str(contact.get("name") or ""), (subject.name or "") if subject is not None else ""]
    addresses = [str(contact.get("email") or ""), (subject.email or "") if subject is not None else ""]
    phones = [str(contact.get("phone") or ""), (subject.phone or "") if subject is not None else ""]
    offices = [value for name, value in programme.contacts.items() if name != "phone"]
    tables = Record.metadata.tables.values()
    fields = {
        name.removesuffix("_sealed") for table in tables for name in (table.name, *table.columns.keys())
    }
    return Own(
        names=[one for one in names if one],
        addresses=[one for one in (*addresses, *offices) if one],
        phones=[one for one in (*phones, programme.contacts["phone"]) if one],
        ids_at=[UIDS_END],
        fields=fields,
    )
