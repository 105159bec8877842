"""Which resources are shown where: on "Your support", on a session's page, on a mentor's page of a package.

A resource is shown where it is attached and, unless it was retired, to the roles and in the kinds of session that it
names. Who opens one is noted nowhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.models import (
    PARTICIPANT,
    Attendance,
    Package,
    PackageMentor,
    Participation,
    Resource,
    ResourceUse,
    Role,
    Session,
    SessionPackage,
)


@dataclass(frozen=True)
class Shown:
    """A resource with those whom it reaches because it is attached to something of theirs: who takes part, and who
    gives the support, for which they need the role of a mentor besides."""

    resource: Resource
    members: frozenset[UUID]
    mentors: frozenset[UUID]

    def is_for(self, roles: Iterable[Role]) -> bool:
        """Whether it is shown to one of these roles without being attached."""
        held = set(roles)
        if Role.MENTOR in held:
            return bool(self.resource.roles or self.resource.session_kinds)
        if self.resource.roles:
            return bool({role.value for role in held} & set(self.resource.roles))
        return bool(self.resource.session_kinds and held & PARTICIPANT)


def of_package(db: DbSession, package_id: UUID, *, roles: Iterable[Role] = ()) -> list[Resource]:
    """What is attached to a package, and what is for everybody of these roles."""
    return for_packages(db, [package_id], roles=roles)[package_id]


def for_packages(
    db: DbSession, package_ids: Sequence[UUID], *, roles: Iterable[Role] = ()
) -> dict[UUID, list[Resource]]:
    """The same for several packages, in one query whatever there is; what is for a role stands with each."""
    held = {role.value for role in roles}
    found = db.scalars(_OF_PACKAGES, {"packages": list(package_ids)}).unique().all()
    return {
        package_id: _sorted(
            one
            for one in found
            if any(use.package_id == package_id for use in one.uses)
            or (not one.retired_at and not one.session_kinds and held & set(one.roles))
        )
        for package_id in package_ids
    }


def of_session(db: DbSession, session: Session, *, roles: Iterable[Role] | None) -> list[Resource]:
    """What is attached to a session, and what is for sessions of its kind: for these roles, or (None) for any."""
    held = None if roles is None else {role.value for role in roles}
    return _sorted(
        one
        for one in _in_use(db, ResourceUse.session_id == session.id)
        if any(use.session_id == session.id for use in one.uses)
        or (
            not one.retired_at
            and session.kind.value in one.session_kinds
            and (not one.roles or held is None or held & set(one.roles))
        )
    )


def _in_use(db: DbSession, attached: ColumnElement[bool]) -> Sequence[Resource]:
    return db.scalars(_used(attached)).unique().all()


def _used(attached: ColumnElement[bool]) -> Select[Resource]:
    uses = select(ResourceUse.resource_id).where(attached)
    return (
        select(Resource)
        .where(or_(Resource.retired_at.is_(None), Resource.id.in_(uses)))
        .options(joinedload(Resource.uses))
    )


# Made once, for the page that everybody comes to.
_OF_PACKAGES = _used(ResourceUse.package_id.in_(bindparam("packages", expanding=True)))


def _sorted(found: Iterable[Resource]) -> list[Resource]:
    return sorted(found, key=lambda one: ((one.title or "").casefold(), str(one.id)))


def shown(db: DbSession, resource_id: UUID, *, on: date) -> Shown | None:
    """A resource and whom it reaches on a day by being attached: members and mentors of those packages and sessions.

    Nobody whose part in them has ended by then; whoever gave a session keeps what is attached to it, as its page.
    """
    resource = db.get(Resource, resource_id)
    if resource is None:
        return None
    uses = db.scalars(select(ResourceUse).where(ResourceUse.resource_id == resource_id)).all()
    sessions = [use.session_id for use in uses if use.session_id is not None]
    packages = {use.package_id for use in uses if use.package_id is not None}
    packages |= set(db.scalars(select(Session.package_id).where(Session.id.in_(sessions))))
    packages |= set(
        db.scalars(select(SessionPackage.package_id).where(SessionPackage.session_id.in_(sessions)))
    )
    members = db.scalars(
        select(Participation.person_id).where(
            Participation.to_on.is_(None),
            or_(
                Participation.package_id.in_(packages),
                Participation.id.in_(
                    select(Attendance.participation_id).where(Attendance.session_id.in_(sessions))
                ),
            ),
        )
    )
    mentors = [
        *db.scalars(
            select(PackageMentor.person_id).where(
                PackageMentor.package_id.in_(packages),
                or_(PackageMentor.to_on.is_(None), PackageMentor.to_on >= on),
            )
        ),
        *db.scalars(select(Session.mentor_id).where(Session.id.in_(sessions))),
    ]
    return Shown(
        resource,
        members=frozenset(person_id for person_id in members if person_id is not None),
        mentors=frozenset(mentors),
    )


def places_of(db: DbSession, resource_id: UUID) -> tuple[Sequence[Package], Sequence[Session]]:
    """What a resource is attached to."""
    packages = select(ResourceUse.package_id).where(ResourceUse.resource_id == resource_id)
    sessions = select(ResourceUse.session_id).where(ResourceUse.resource_id == resource_id)
    return (
        db.scalars(select(Package).where(Package.id.in_(packages)).order_by(Package.ref)).all(),
        db.scalars(select(Session).where(Session.id.in_(sessions)).order_by(Session.starts_at)).all(),
    )
