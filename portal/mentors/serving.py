"""Which mentor serves which package on which day: one answer for policies, the list of times and every booking."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import bindparam, select, union
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.access.known import HeldOffice
from portal.booking.diary import Refused
from portal.models import Office, Package, PackageMentor, Person, Role, Session, SessionPackage
from privacy.clock import day_words, london_date
from privacy.statements import run


class NotServing(Refused):
    """The mentor does not serve this package on that day."""

    def __init__(self) -> None:
        super().__init__("This mentor does not give this support on that day. Choose another mentor")


class TooEarly(Refused):
    """The day lies before support starts, or before the mentor's first day in it; the message names the day."""


class Account(Protocol):
    """What decides whether somebody is a mentor on a day."""

    @property
    def disabled_at(self) -> datetime | None: ...

    @property
    def offices(self) -> Sequence[Office | HeldOffice]: ...


class Serving(Protocol):
    """Who serves a package, from a day to a day."""

    @property
    def person_id(self) -> UUID: ...

    @property
    def from_on(self) -> date: ...

    @property
    def to_on(self) -> date | None: ...

    @property
    def person(self) -> Account: ...


class PlainAccount(NamedTuple):
    disabled_at: datetime | None
    offices: list[HeldOffice]


class PlainServing(NamedTuple):
    """The same as a row of the package, without the person behind it."""

    person_id: UUID
    from_on: date
    to_on: date | None
    person: PlainAccount


def serves_on(serving: Serving, day: date) -> bool:
    """Whether a mentor serves on a London day, first and last day included.

    They also need the office of a mentor on that day, and an account that was not closed by then.
    """
    mentor = serving.person
    return (
        serving.from_on <= day
        and (serving.to_on is None or day <= serving.to_on)
        and (mentor.disabled_at is None or day < london_date(mentor.disabled_at))
        and any(office.role is Role.MENTOR and office.held_on(day) for office in mentor.offices)
    )


def serves_from(serving: Serving, day: date) -> bool:
    """Whether a mentor serves on a day, or is to begin after it."""
    return serves_on(serving, max(day, serving.from_on))


def refusal(package: Package, servings: Iterable[Serving], day: date) -> Refused | None:
    """Why no session of the package can be on this day with the mentor whose servings these are; None if it can."""
    if day < package.starts_on:
        return TooEarly(f"Support starts on {day_words(package.starts_on)}. Choose that day or a later one")
    known = list(servings)
    if any(serves_on(serving, day) for serving in known):
        return None
    coming = [one.from_on for one in known if one.from_on > day and serves_on(one, one.from_on)]
    if coming:
        return TooEarly(f"This mentor gives this support from {day_words(min(coming))}. Choose a later day")
    return NotServing()


def servings_of(db: DbSession, package_id: UUID) -> Sequence[PackageMentor]:
    """Everybody who serves, served or will serve a package, longest first; people and offices loaded."""
    return db.scalars(_SERVINGS, {"package": package_id}).all()


_SERVINGS = (
    select(PackageMentor)
    .where(PackageMentor.package_id == bindparam("package"))
    .options(
        joinedload(PackageMentor.person).options(selectinload(Person.offices), joinedload(Person.profile))
    )
    .order_by(PackageMentor.from_on, PackageMentor.id)
)
"""Made once: each booking and each list of times asks it."""


def of_mentor(db: DbSession, package_id: UUID, mentor_id: UUID) -> list[PlainServing]:
    """The servings of one mentor in a package, as rules ask for them; one query."""
    found: dict[UUID, PlainServing] = {}
    for row in run(db, _OF_MENTOR, {"package": package_id, "mentor": mentor_id}):
        one = found.setdefault(
            row.id, PlainServing(mentor_id, row.from_on, row.to_on, PlainAccount(row.disabled_at, []))
        )
        if row.role is not None:
            one.person.offices.append(HeldOffice(row.role, row.held_from, row.held_to))
    return list(found.values())


_OF_MENTOR = (
    select(
        PackageMentor.id,
        PackageMentor.from_on,
        PackageMentor.to_on,
        Person.disabled_at,
        Office.role,
        Office.from_on.label("held_from"),
        Office.to_on.label("held_to"),
    )
    .join(Person, Person.id == PackageMentor.person_id)
    .outerjoin(Office, Office.person_id == Person.id)
    .where(PackageMentor.package_id == bindparam("package"), PackageMentor.person_id == bindparam("mentor"))
)


def mentors_from(db: DbSession, package_id: UUID, *, on: date) -> list[Person]:
    """Who serves a package from a day on, longest first: for what is to come."""
    return people_from(servings_of(db, package_id), on=on)


def people_from(servings: Iterable[PackageMentor], *, on: date) -> list[Person]:
    """The same of servings that were read."""
    return _people(one for one in servings if serves_from(one, on))


def mentors_so_far(db: DbSession, package_id: UUID, *, on: date) -> list[Person]:
    """Who has served a package up to a day, longest first: for what has been."""
    return _people(one for one in servings_of(db, package_id) if one.from_on <= on)


def served_by(db: DbSession, person_id: UUID, *, on: date) -> list[UUID]:
    """The packages that a mentor serves from a day on."""
    found = db.scalars(
        select(PackageMentor)
        .where(PackageMentor.person_id == person_id)
        .options(joinedload(PackageMentor.person).selectinload(Person.offices))
    )
    return [one.package_id for one in found if serves_from(one, on)]


def givers(db: DbSession, package_ids: Iterable[UUID] | None = None) -> dict[UUID, frozenset[UUID]]:
    """Who has a hand in giving each package: its mentors of any time, and those of its sessions. One query.

    They neither interview those they support nor judge what became of it. None asks for all packages.
    """
    mentors, sessions = (
        select(PackageMentor.package_id, PackageMentor.person_id),
        select(Session.package_id, Session.mentor_id),
    )
    joined = select(SessionPackage.package_id, Session.mentor_id).join(
        Session, Session.id == SessionPackage.session_id
    )
    if package_ids is not None:
        wanted = list(package_ids)
        mentors = mentors.where(PackageMentor.package_id.in_(wanted))
        sessions = sessions.where(Session.package_id.in_(wanted))
        joined = joined.where(SessionPackage.package_id.in_(wanted))
    found: dict[UUID, set[UUID]] = {}
    for package_id, person_id in db.execute(union(mentors, sessions, joined)):
        found.setdefault(package_id, set()).add(person_id)
    return {package_id: frozenset(people) for package_id, people in found.items()}


def _people(servings: Iterable[PackageMentor]) -> list[Person]:
    return list({serving.person_id: serving.person for serving in servings}.values())
