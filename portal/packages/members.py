"""Who may be in a package: participants by their office, and mentors whom nothing stops (portal/mentors/stops.py)."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.booking import diary, open_offers
from portal.mentors.stops import ConflictOfInterest, NotAMentor, concerned_councils, require_mentors
from portal.models import (
    PARTICIPANT,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Role,
    Strand,
)
from portal.packages.states import Act, PackageRefused, after
from privacy.audit import Action
from privacy.clock import day_words, london_date
from privacy.records import new_id
from privacy.work import Work
from surveys.models import Respondent

__all__ = [
    "ConflictOfInterest",
    "NotAMentor",
    "NotInOffice",
    "SupportedAlready",
    "WrongMembers",
    "add_member",
    "assign_mentor",
    "conflicts_of_office",
    "enrol",
    "lock_people",
    "locked",
    "require_members",
    "require_mentors",
    "serve",
    "unassign_mentor",
    "was_emptied",
]

OVER = (PackageState.ENDED, PackageState.WITHDRAWN)


class WrongMembers(PackageRefused):
    """One-to-one support is for one leader; a group has at least one member."""

    field = "members"


class NotInOffice(PackageRefused):
    """Somebody does not hold that role, in that council, on the day that support starts for them."""

    field = "members"


class SupportedAlready(PackageRefused):
    """The leader has one-to-one support in this role already, or is in this group."""

    field = "members"


def locked(work: Work, package_id: UUID) -> Package:
    """The package as it is under its lock. LookupError where there is none."""
    package = work.db.scalars(
        select(Package)
        .where(Package.id == package_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if package is None:
        raise LookupError("no such package")
    return package


def lock_people(work: Work, *of: ColumnElement[bool]) -> None:
    """Lock the people of some participations, before the package: who takes a place holds the lock of the person."""
    people = work.db.scalars(select(Participation.person_id).where(Participation.person_id.is_not(None), *of))
    diary.lock(work, [person_id for person_id in people if person_id is not None])


def require_members(
    db: DbSession,
    *,
    strand: Strand,
    council_id: UUID | None,
    members: Sequence[tuple[UUID, Role]],
    on: date,
) -> None:
    """Raises WrongMembers, NotInOffice or SupportedAlready. Without a council, members come from any."""
    if strand is Strand.ONE_TO_ONE and len(members) != 1:
        raise WrongMembers("One-to-one support is for one leader. Choose one person")
    if not members:
        raise WrongMembers("Choose the members of the group")
    if len({person_id for person_id, _ in members}) != len(members):
        raise WrongMembers("Somebody is chosen twice")
    people = _people(db, [person_id for person_id, _ in members])
    for person_id, role in members:
        person = people.get(person_id)
        if person is None or role not in PARTICIPANT or not _holds(person, role, council_id, on):
            who = person.name if person is not None else "Somebody"
            raise NotInOffice(f"{who} does not hold this role on {day_words(on)}")
        if person.disabled_at is not None:
            raise NotInOffice(f"The account of {person.name} is closed")
        if person.restricted_at is not None:
            raise NotInOffice(f"The data of {person.ref} is restricted, so they cannot be put into a package")
    if strand is Strand.ONE_TO_ONE:
        _require_no_other(db, council_id, *members[0])


def _require_no_other(db: DbSession, council_id: UUID | None, person_id: UUID, role: Role) -> None:
    other = db.scalars(
        select(Package.ref)
        .join(Participation)
        .where(
            Participation.person_id == person_id,
            Participation.role == role,
            Package.council_id == council_id,
            Package.strand == Strand.ONE_TO_ONE,
            Package.state.not_in(OVER),
        )
    ).first()
    if other is not None:
        raise SupportedAlready(f"They have one-to-one support in this role already: package {other}")


def conflicts_of_office(
    db: DbSession, *, on: date, person_ids: Sequence[UUID] | None = None
) -> dict[tuple[UUID, UUID], str]:
    """Whom an office in which council would put into a conflict of interest, and the package concerned (annex 2).

    That is a mentor of a package that is not over, in its council or in those of its members where it is
    national; and there a member, in a council where a mentor holds or held an office. None asks for everybody.
    """
    found: dict[tuple[UUID, UUID], str] = {}
    asked = select(Package).where(Package.state.not_in(OVER), Package.mentors.any(_serves_from(on)))
    if person_ids is not None:
        theirs = PackageMentor.person_id.in_(person_ids)
        member = Participation.person_id.in_(person_ids) & Package.council_id.is_(None)
        asked = asked.where(or_(Package.mentors.any(theirs), Package.participations.any(member)))
    whole = selectinload(Package.mentors).joinedload(PackageMentor.person).selectinload(Person.offices)
    part_of = selectinload(Package.participations).joinedload(Participation.person)
    for package in db.scalars(asked.options(whole, part_of.selectinload(Person.offices))):
        mentors = [one.person for one in package.mentors if one.to_on is None or one.to_on >= on]
        members = [part.person for part in package.participations if part.person is not None]
        councils = {package.council_id} if package.council_id is not None else _offices(members, on=on)
        pairs = {(mentor.id, council) for mentor in mentors for council in councils}
        if package.council_id is None:
            pairs |= {(member.id, council) for member in members for council in _offices(mentors)}
        found |= dict.fromkeys(pairs, package.ref)
    return found


def _serves_from(on: date) -> ColumnElement[bool]:
    return or_(PackageMentor.to_on.is_(None), PackageMentor.to_on >= on)


def _offices(people: Iterable[Person], *, on: date | None = None) -> set[UUID]:
    """The councils in which these people hold an office on a day or later, or ever."""
    return {
        office.council_id
        for person in people
        for office in person.offices
        if office.council_id is not None and (on is None or office.to_on is None or office.to_on >= on)
    }


def _people(db: DbSession, ids: Sequence[UUID]) -> dict[UUID, Person]:
    found = db.scalars(select(Person).where(Person.id.in_(ids)).options(selectinload(Person.offices)))
    return {person.id: person for person in found}


def _holds(person: Person, role: Role, council_id: UUID | None, on: date) -> bool:
    return any(
        office.role is role and office.held_on(on) and (council_id is None or office.council_id == council_id)
        for office in person.offices
    )


def enrol(work: Work, *, package: Package, person_id: UUID, role: Role, from_on: date) -> Participation:
    """Put somebody into a package: the respondent first, since the participation has its id."""
    respondent = Respondent(id=new_id(), audience=role.value)
    work.db.add(respondent)
    work.db.flush()
    participation = Participation(
        id=respondent.id, package_id=package.id, person_id=person_id, role=role, from_on=from_on
    )
    work.db.add(participation)
    work.record(
        Action.MEMBER_ADDED,
        object=f"package:{package.id}",
        holder=participation.id,
        participation=participation.id,
    )
    return participation


def add_member(work: Work, *, package_id: UUID, person_id: UUID, role: Role, from_on: date) -> Participation:
    """Add a member to a group. Raises NotPossible or another PackageRefused."""
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    if package.strand is Strand.ONE_TO_ONE:
        raise WrongMembers("One-to-one support is for one leader")
    if from_on < package.starts_on:
        raise NotInOffice("They cannot join before support starts")
    if any(part.person_id == person_id for part in package.participations):
        raise SupportedAlready("They are in this group already")
    require_members(
        work.db,
        strand=package.strand,
        council_id=package.council_id,
        members=[(person_id, role)],
        on=from_on,
    )
    mentors = [one.person for one in package.mentors if one.to_on is None or one.to_on >= from_on]
    if any(mentor.id == person_id for mentor in mentors):
        raise ConflictOfInterest("A mentor of this package cannot be its member")
    if concerned_councils(work.db, package.council_id, [person_id], from_on) & _offices(mentors):
        raise ConflictOfInterest(
            "A mentor of this package holds or held an office in their council (annex 2)"
        )
    return enrol(work, package=package, person_id=person_id, role=role, from_on=from_on)


def serve(work: Work, *, package: Package, person_id: UUID, from_on: date) -> PackageMentor:
    """Let a mentor whom `require_mentors` has passed serve a package from a day on."""
    serving = PackageMentor(id=new_id(), package_id=package.id, person_id=person_id, from_on=from_on)
    work.db.add(serving)
    work.record(Action.MENTOR_ASSIGNED, object=f"package:{package.id}", mentor=person_id)
    return serving


def assign_mentor(
    work: Work,
    *,
    package_id: UUID,
    person_id: UUID,
    from_on: date | None = None,
    setting_aside: bool = False,
) -> PackageMentor:
    """Add a mentor from a day on (today). Raises NotPossible and what `require_mentors` raises.

    Choosing one on a page goes through portal/mentors/choosing.py, which also records why.
    """
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    today = london_date(work.now)
    from_on = from_on or max(today, package.starts_on)
    for mentor in package.mentors:
        if mentor.person_id == person_id and mentor.to_on is None:
            return mentor
    members = [part.person_id for part in package.participations if part.person_id is not None]
    # Who is put on two packages at once must not slip past their capacity.
    work.wait_turn(f"mentor:{person_id}")
    require_mentors(
        work.db,
        mentor_ids=[person_id],
        council_id=package.council_id,
        member_ids=members,
        on=max(from_on, today),
        package_id=package_id,
        setting_aside=setting_aside,
    )
    for mentor in package.mentors:
        if mentor.person_id == person_id and mentor.from_on == from_on:
            # Taken off and put back on one day: one stretch, since a day is the smallest there is.
            mentor.to_on = None
            work.record(Action.MENTOR_ASSIGNED, object=f"package:{package.id}", mentor=person_id)
            return mentor
    return serve(work, package=package, person_id=person_id, from_on=from_on)


def unassign_mentor(work: Work, *, package_id: UUID, person_id: UUID, on: date | None = None) -> None:
    """The last day of a mentor in a package (today). Sessions that are booked with them stay, what they offer does not.

    Raises NotPossible. LookupError if they do not serve it.
    """
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    serving = next((m for m in package.mentors if m.person_id == person_id and m.to_on is None), None)
    if serving is None:
        raise LookupError("no such mentor in this package")
    serving.to_on = max(on or london_date(work.now), serving.from_on)
    open_offers.withdraw(work, package_id=package_id, mentor_id=person_id)
    work.record(Action.MENTOR_UNASSIGNED, object=f"package:{package.id}", mentor=person_id)


def was_emptied(package: Package) -> bool:
    """Whether everybody who was ever in it was erased: what was written of it went with the last of them, and its key
    too, so nothing can be written of it any more. It stays, can end, and counts."""
    return all(part.person_id is None for part in package.participations)
