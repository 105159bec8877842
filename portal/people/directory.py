"""The directory of people as the team sees it: found by name or address, which are opened in memory to search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.csv_files import csv_of, yes_no
from portal.desk import restriction
from portal.mailing import bounces
from portal.models import (
    PARTICIPANT,
    Mail,
    Office,
    Package,
    PackageMentor,
    Participation,
    Person,
    Refusal,
    Role,
)
from portal.programme import Programme
from privacy.columns import keys_of, unseal_column

T = TypeVar("T")
PER_PAGE = 50
MAILS_SHOWN = 20


@dataclass(frozen=True)
class Entry:
    """Somebody in the list; the name is empty once it was erased."""

    id: UUID
    ref: str
    name: str
    email: str
    disabled: bool
    restricted: bool


@dataclass(frozen=True)
class Listing:
    """A page of the list, by name, with the offices of those on it."""

    entries: Sequence[Entry]
    offices: Mapping[UUID, Sequence[Office]]
    page: int
    pages: int
    total: int


@dataclass(frozen=True)
class PersonPage:
    """All that the team sees of one person: never an answer."""

    person: Person
    offices: Sequence[Office]
    taking_part: Sequence[Participation]
    mentoring: Sequence[PackageMentor]
    mails: Sequence[Mail]
    refusal: Refusal | None


def page_of(total: int, page: int) -> tuple[int, int]:
    """The nearest page there is, and how many there are."""
    pages = max(1, -(-total // PER_PAGE))
    return min(max(page, 1), pages), pages


def cut(found: Sequence[T], page: int | None) -> tuple[Sequence[T], int, int]:
    """What stands on a page, which page that is, and how many there are; without a page everything."""
    if page is None:
        return found, 1, 1
    page, pages = page_of(len(found), page)
    return found[(page - 1) * PER_PAGE : page * PER_PAGE], page, pages


def as_csv(shown: Listing, programme: Programme) -> bytes:
    """The list as a file: by reference, without names and addresses."""
    return csv_of(
        ("Reference", "Roles", "Councils", "Account closed", "Restricted"),
        (
            (
                entry.ref,
                "; ".join(programme.roles[office.role] for office in shown.offices[entry.id]),
                "; ".join(office.council.name for office in shown.offices[entry.id] if office.council),
                yes_no(entry.disabled),
                yes_no(entry.restricted),
            )
            for entry in shown.entries
        ),
    )


def listing(db: DbSession, *, text: str = "", role: Role | None = None, page: int | None = 1) -> Listing:
    """People whose name, address or reference holds every word of the text, in the same number of queries; without a
    page all of them."""
    words = text.casefold().split()
    found = [
        entry
        for entry in _entries(db, role)
        if all(word in f"{entry.name} {entry.email} {entry.ref}".casefold() for word in words)
    ]
    found.sort(key=lambda entry: (entry.name.casefold(), entry.ref))
    shown, page, pages = cut(found, page)
    return Listing(shown, _offices(db, [entry.id for entry in shown]), page, pages, len(found))


def _entries(db: DbSession, role: Role | None) -> list[Entry]:
    asked = select(
        Person.id,
        Person.ref,
        Person.name_sealed,
        Person.email_sealed,
        Person.disabled_at,
        Person.restricted_at,
    )
    if role is not None:
        asked = asked.where(Person.offices.any(Office.role == role))
    rows = db.execute(asked).all()
    keys = keys_of(db)
    keys.fetch(row.id for row in rows)

    def opened(attribute: object, value: bytes | None, person_id: UUID) -> str:
        if value is None:
            return ""
        text: str = unseal_column(keys, attribute, value, row=person_id, holder=person_id)  # type: ignore[arg-type]  # an instrumented attribute
        return text

    return [
        Entry(
            id=row.id,
            ref=row.ref,
            name=opened(Person.name_sealed, row.name_sealed, row.id),
            email=opened(Person.email_sealed, row.email_sealed, row.id),
            disabled=row.disabled_at is not None,
            restricted=row.restricted_at is not None,
        )
        for row in rows
    ]


def _offices(db: DbSession, person_ids: Sequence[UUID]) -> dict[UUID, list[Office]]:
    found: dict[UUID, list[Office]] = {person_id: [] for person_id in person_ids}
    rows = db.scalars(
        select(Office)
        .where(Office.person_id.in_(person_ids))
        .options(joinedload(Office.council))
        .order_by(Office.from_on.desc(), Office.id)
    )
    for office in rows:
        found[office.person_id].append(office)
    return found


def person_page(db: DbSession, person: Person) -> PersonPage:
    """Offices newest first, packages, and the newest mails with what became of them."""
    package = joinedload(Participation.package).joinedload(Package.council)
    served = joinedload(PackageMentor.package).joinedload(Package.council)
    return PersonPage(
        person=person,
        offices=_offices(db, [person.id])[person.id],
        taking_part=db.scalars(
            select(Participation)
            .where(Participation.person_id == person.id)
            .options(package)
            .order_by(Participation.from_on.desc())
        ).all(),
        mentoring=db.scalars(
            select(PackageMentor)
            .where(PackageMentor.person_id == person.id)
            .options(served)
            .order_by(PackageMentor.from_on.desc())
        ).all(),
        mails=db.scalars(
            select(Mail)
            .where(Mail.person_id == person.id)
            .order_by(Mail.queued_at.desc(), Mail.id)
            .limit(MAILS_SHOWN)
        ).all(),
        refusal=bounces.of(db, person.id),
    )


def office_holders(db: DbSession, council_id: UUID | None, *, on: date) -> list[Office]:
    """Who can be supported in a council, now or soon, by name; without a council, in any."""
    asked = (
        select(Office)
        .join(Person)
        .where(
            Office.role.in_(PARTICIPANT),
            or_(Office.to_on.is_(None), Office.to_on >= on),
            Person.disabled_at.is_(None),
            restriction.usable(),
        )
        .options(joinedload(Office.person), joinedload(Office.council))
    )
    if council_id is not None:
        asked = asked.where(Office.council_id == council_id)
    return sorted(db.scalars(asked), key=lambda office: ((office.person.name or "").casefold(), office.role))


def mentors(db: DbSession, *, on: date) -> list[Person]:
    """Who can mentor on a day, by name."""
    found = db.scalars(
        select(Person)
        .where(
            Person.disabled_at.is_(None),
            restriction.usable(),
            Person.offices.any(Office.holding({Role.MENTOR}, on=on)),
        )
        .options(selectinload(Person.offices))
    )
    return sorted(found, key=lambda person: (person.name or "").casefold())
