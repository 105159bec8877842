"""What keeps a mentor from a package: hard stops, asked by the matching page and by every assignment alike.

    not a mentor, or the account is closed      supported by the package itself
    holds or held an office in its council      holds one in a council next to it (a person may set this aside)
    a declared interest in its council          clearance, undertaking, training or, where needed, DBS missing
    no experience or mentor training on record  serves as many packages as they have room for

annex 1, annex 2, sch 6. A national group has no council of its own: its members' councils count, and no neighbours.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.councils import register as councils
from portal.mentors import clearances, interests, profiles
from portal.mentors.profiles import Profile
from portal.models import Office, Package, PackageMentor, PackageState, Person, Role
from portal.packages.states import PackageRefused
from privacy.clock import day_words


class Stop(StrEnum):
    """Why somebody cannot mentor a package. NEIGHBOUR alone can be set aside, with a reason."""

    NOT_A_MENTOR = "not_a_mentor"
    SUPPORTED = "supported"
    OWN_COUNCIL = "own_council"
    NEIGHBOUR = "neighbour"
    INTEREST = "interest"
    CLEARANCE = "clearance"
    EXPERIENCE = "experience"
    CAPACITY = "capacity"


class NotAMentor(PackageRefused):
    """Somebody who was chosen as a mentor is not one, or their account is closed."""

    field = "mentors"


class ConflictOfInterest(PackageRefused):
    """A mentor is supported by the package, holds or held an office in its council, or has an interest (annex 2)."""

    field = "mentors"


class NeighbouringCouncil(ConflictOfInterest):
    """A mentor holds an office in a council next to the package's, and nobody has set that aside."""


class NotCleared(PackageRefused):
    """A mentor's clearance, undertaking or training is missing or has lapsed (annex 1, cl 17.4(c))."""

    field = "mentors"


class NotReady(PackageRefused):
    """A mentor's experience or mentor training is not on record (sch 6)."""

    field = "mentors"


class NoCapacity(PackageRefused):
    """A mentor serves as many packages as they have room for."""

    field = "mentors"


@dataclass(frozen=True)
class Stopped:
    """One stop of one mentor, in words that can be shown."""

    stop: Stop
    words: str

    @property
    def can_be_set_aside(self) -> bool:
        return self.stop is Stop.NEIGHBOUR


@dataclass(frozen=True)
class Looked:
    """A mentor as they stand for a package: profile, how many more packages they have room for, and stops."""

    person: Person
    profile: Profile
    left: int
    stops: Sequence[Stopped]

    @property
    def is_free(self) -> bool:
        return not self.stops

    @property
    def can_be_allowed(self) -> bool:
        """Whether all that stops them can be set aside."""
        return bool(self.stops) and all(one.can_be_set_aside for one in self.stops)


_REFUSALS: Mapping[Stop, type[PackageRefused]] = {
    Stop.NOT_A_MENTOR: NotAMentor,
    Stop.SUPPORTED: ConflictOfInterest,
    Stop.OWN_COUNCIL: ConflictOfInterest,
    Stop.NEIGHBOUR: NeighbouringCouncil,
    Stop.INTEREST: ConflictOfInterest,
    Stop.CLEARANCE: NotCleared,
    Stop.EXPERIENCE: NotReady,
    Stop.CAPACITY: NoCapacity,
}


def require_mentors(
    db: DbSession,
    *,
    mentor_ids: Sequence[UUID],
    council_id: UUID | None,
    member_ids: Sequence[UUID],
    on: date,
    package_id: UUID | None = None,
    setting_aside: bool = False,
) -> None:
    """Raises NotAMentor, ConflictOfInterest, NeighbouringCouncil, NotCleared, NotReady or NoCapacity.

    Any recorded office in the council counts, past ones too. `package_id` is one they may be serving already.
    """
    looked = look(db, mentor_ids, council_id=council_id, member_ids=member_ids, on=on, package_id=package_id)
    for mentor_id in mentor_ids:
        mentor = looked.get(mentor_id)
        if mentor is None:
            raise NotAMentor(f"Somebody is not a mentor on {day_words(on)}")
        for one in mentor.stops:
            if not (setting_aside and one.can_be_set_aside):
                raise _REFUSALS[one.stop](one.words)


def look(
    db: DbSession,
    mentor_ids: Collection[UUID],
    *,
    council_id: UUID | None,
    member_ids: Collection[UUID],
    on: date,
    package_id: UUID | None = None,
) -> dict[UUID, Looked]:
    """How each of these people stands for a package on a day, in a fixed number of queries."""
    people = db.scalars(
        select(Person)
        .where(Person.id.in_(mentor_ids))
        .options(selectinload(Person.offices), selectinload(Person.clearances))
    ).all()
    concerned = concerned_councils(db, council_id, member_ids, on)
    near = councils.neighbours(db, council_id) if council_id is not None else set()
    tied = interests.held_in(db, mentor_ids, council_ids=concerned, on=on)
    rows = profiles.rows(db, mentor_ids)
    serving = serving_now(db, mentor_ids, on=on, but=package_id)
    found = {}
    for person in people:
        profile = profiles.read(rows.get(person.id))
        left = profile.capacity - serving.get(person.id, 0)
        stops = [
            *_as_a_mentor(person, on),
            *_of_interest(person, member_ids, concerned, near, tied, on),
            *_of_record(person, profile, left, on),
        ]
        found[person.id] = Looked(person, profile, max(left, 0), stops)
    return found


def _as_a_mentor(person: Person, on: date) -> list[Stopped]:
    holds = any(office.role is Role.MENTOR and office.held_on(on) for office in person.offices)
    if person.restricted_at is not None:
        words = f"The data of {person.ref} is restricted, so they cannot be put into a package"
        return [Stopped(Stop.NOT_A_MENTOR, words)]
    if holds and person.disabled_at is None:
        return []
    return [Stopped(Stop.NOT_A_MENTOR, f"{person.name} is not a mentor on {day_words(on)}")]


def _of_interest(
    person: Person,
    member_ids: Collection[UUID],
    concerned: set[UUID],
    near: set[UUID],
    tied: set[UUID],
    on: date,
) -> list[Stopped]:
    found = []
    held = {office.council_id for office in person.offices if office.council_id is not None}
    holds = {
        office.council_id
        for office in person.offices
        if office.council_id is not None and (office.to_on is None or office.to_on >= on)
    }
    if person.id in member_ids:
        words = f"{person.name} is supported by this package and cannot be its mentor"
        found.append(Stopped(Stop.SUPPORTED, words))
    if held & concerned:
        words = f"{person.name} holds or held an office in this council. Choose another mentor (annex 2)"
        found.append(Stopped(Stop.OWN_COUNCIL, words))
    if holds & near:
        words = f"{person.name} holds an office in a neighbouring council"
        found.append(Stopped(Stop.NEIGHBOUR, words))
    if person.id in tied:
        words = f"{person.name} has declared an interest in this council (annex 2)"
        found.append(Stopped(Stop.INTEREST, words))
    return found


def _of_record(person: Person, profile: Profile, left: int, on: date) -> list[Stopped]:
    gaps = clearances.gaps_in(person.clearances, clearances.needs(person), on=on)
    found = [Stopped(Stop.CLEARANCE, f"{person.name}: {gap.words}") for gap in gaps]
    found += [Stopped(Stop.EXPERIENCE, f"{person.name}: {words}") for words in profile.lacks(on=on)]
    if profile.capacity == 0:
        found.append(Stopped(Stop.CAPACITY, f"{person.name}: no capacity is recorded"))
    elif left <= 0:
        words = f"{person.name} serves {profile.capacity - left} packages and has room for {profile.capacity}"
        found.append(Stopped(Stop.CAPACITY, words))
    return found


def serving_now(
    db: DbSession, mentor_ids: Collection[UUID], *, on: date, but: UUID | None = None
) -> dict[UUID, int]:
    """How many packages that are not over each of these people serves on a day or later; `but` is left out."""
    asked = (
        select(PackageMentor.person_id, func.count(PackageMentor.package_id.distinct()))
        .join(Package)
        .where(
            PackageMentor.person_id.in_(mentor_ids),
            or_(PackageMentor.to_on.is_(None), PackageMentor.to_on >= on),
            Package.state.not_in([PackageState.ENDED, PackageState.WITHDRAWN]),
        )
        .group_by(PackageMentor.person_id)
    )
    if but is not None:
        asked = asked.where(PackageMentor.package_id != but)
    return {row[0]: row[1] for row in db.execute(asked)}


def concerned_councils(
    db: DbSession, council_id: UUID | None, member_ids: Collection[UUID], on: date
) -> set[UUID]:
    """The councils a package concerns: its own, or those of its members where it is national."""
    if council_id is not None:
        return {council_id}
    found = db.scalars(
        select(Office.council_id).where(
            Office.person_id.in_(member_ids),
            Office.from_on <= on,
            or_(Office.to_on.is_(None), Office.to_on >= on),
        )
    )
    return {council for council in found if council is not None}
