"""Resources: links and files that the team keeps, for whom they are shown, and where they are attached.

A resource is shown where it is attached (a package, a session) and, unless it was retired, to the roles and in the
kinds of session that it names. Who opens one is noted nowhere.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.models import (
    Resource,
    ResourceFile,
    ResourceKind,
    ResourceUse,
    Role,
    SessionKind,
)
from portal.resources import file_kinds
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

TITLE_AT_MOST = 120
ABOUT_AT_MOST = 500
LINK_AT_MOST = 500
WORDS = {
    ResourceKind.TOOLKIT: "Toolkit",
    ResourceKind.CASE_STUDY: "Case study",
    ResourceKind.PRE_READING: "Pre-reading",
}


class ResourceRefused(Exception):
    """What cannot be done with a resource; `field` names what it concerns."""

    def __init__(self, words: str, *, field: str | None = None) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class Described:
    """What the team says of a resource."""

    title: str
    about: str
    kind: ResourceKind
    roles: Sequence[Role]
    session_kinds: Sequence[SessionKind]
    crown: bool


def file_name(resource: Resource) -> str:
    """The name that a download gets: ours, of plain letters, whatever the title is."""
    plain = unicodedata.normalize("NFKD", resource.title or "").encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{words or 'resource'}.{resource.file_kind}"


def content_of(db: DbSession, resource: Resource) -> bytes | None:
    """A file's content; None for a link."""
    held = db.scalars(select(ResourceFile).where(ResourceFile.resource_id == resource.id)).first()
    return held.content if held is not None else None


def listing(
    db: DbSession,
    *,
    text: str = "",
    kind: ResourceKind | None = None,
    role: Role | None = None,
    session_kind: SessionKind | None = None,
    retired: bool = False,
) -> list[Resource]:
    """Resources by title, with what they are attached to: in use, or retired. All words of `text` are looked for."""
    asked = select(Resource).options(selectinload(Resource.uses))
    asked = asked.where(Resource.retired_at.is_not(None) if retired else Resource.retired_at.is_(None))
    if kind is not None:
        asked = asked.where(Resource.kind == kind)
    wanted = text.casefold().split()
    found = [
        one
        for one in db.scalars(asked)
        if (role is None or role.value in one.roles)
        and (session_kind is None or session_kind.value in one.session_kinds)
        and all(word in f"{one.title} {one.about or ''}".casefold() for word in wanted)
    ]
    return sorted(found, key=lambda one: ((one.title or "").casefold(), str(one.id)))


def add_link(work: Work, *, described: Described, link: str) -> Resource:
    """Keep a link. Raises ResourceRefused."""
    resource = _new(work, described)
    resource.link = _checked(link)
    return resource


def add_file(work: Work, *, described: Described, content: bytes) -> Resource:
    """Keep a file of up to 10 MB; its content says of what kind it is. Raises FileRefused."""
    kind = file_kinds.kind_of(content)
    resource = _new(work, described)
    _fill(work, resource, kind.ending, content)
    return resource


def change(
    work: Work,
    *,
    resource_id: UUID,
    described: Described,
    link: str | None = None,
    content: bytes | None = None,
) -> Resource:
    """Describe a resource anew and, where given, replace its link or its file. Raises ResourceRefused, FileRefused."""
    resource = _locked(work, resource_id)
    if content is not None:
        if resource.file_kind is None:
            raise ResourceRefused("This is a link. Add the file as a resource of its own", field="file")
        _fill(work, resource, file_kinds.kind_of(content).ending, content)
    if link is not None and resource.file_kind is None:
        resource.link = _checked(link)
    _describe(resource, described)
    work.record(Action.RESOURCE_CHANGED, object=f"resource:{resource.id}")
    return resource


def retire(work: Work, *, resource_id: UUID) -> None:
    """Offer it no more; where it is attached it stays. Again changes nothing."""
    resource = _locked(work, resource_id)
    if resource.retired_at is None:
        resource.retired_at = work.now
        work.record(Action.RESOURCE_RETIRED, object=f"resource:{resource.id}")


def offer_again(work: Work, *, resource_id: UUID) -> None:
    """Take a retirement back. Again changes nothing."""
    resource = _locked(work, resource_id)
    if resource.retired_at is not None:
        resource.retired_at = None
        work.record(Action.RESOURCE_OFFERED_AGAIN, object=f"resource:{resource.id}")


def remove(work: Work, *, resource_id: UUID) -> None:
    """Delete it with its file. Raises ResourceRefused while it is attached to anything."""
    resource = _locked(work, resource_id)
    if work.db.scalars(select(ResourceUse.id).where(ResourceUse.resource_id == resource.id)).first():
        raise ResourceRefused(
            "It is attached to a session or a package. Retire it instead, or take it off first"
        )
    held = work.db.scalars(select(ResourceFile).where(ResourceFile.resource_id == resource.id)).first()
    if held is not None:
        work.db.delete(held)
        work.db.flush()
    work.db.delete(resource)
    work.record(Action.RESOURCE_DELETED, object=f"resource:{resource_id}")


def attach(
    work: Work,
    *,
    resource_ids: Collection[UUID],
    package_id: UUID | None = None,
    session_id: UUID | None = None,
) -> None:
    """Attach exactly these to a package or a session; retired ones only stay where they are. LookupError for one
    that is not there."""
    place = ResourceUse.package_id == package_id if package_id else ResourceUse.session_id == session_id
    before = {use.resource_id: use for use in work.db.scalars(select(ResourceUse).where(place))}
    wanted = set(resource_ids)
    for resource_id in sorted(wanted - set(before)):
        resource = _locked(work, resource_id)
        if resource.retired_at is not None:
            raise ResourceRefused("It was retired. Offer it again before you attach it")
        work.db.add(
            ResourceUse(
                id=new_id(),
                resource_id=resource.id,
                package_id=package_id,
                session_id=session_id,
                added_at=work.now,
                by=work.actor,
            )
        )
    for resource_id in set(before) - wanted:
        work.db.delete(before[resource_id])
    about = f"package:{package_id}" if package_id else f"session:{session_id}"
    work.record(Action.RESOURCES_ATTACHED, object=about, count=len(wanted))


def _new(work: Work, described: Described) -> Resource:
    resource = Resource(id=new_id(), added_at=work.now, by=work.actor)
    _describe(resource, described)
    work.db.add(resource)
    work.db.flush()
    work.record(Action.RESOURCE_ADDED, object=f"resource:{resource.id}", kind=described.kind)
    return resource


def _describe(resource: Resource, described: Described) -> None:
    resource.title, resource.about = described.title, described.about or None
    resource.kind, resource.crown = described.kind, described.crown
    resource.roles = [role.value for role in described.roles]
    resource.session_kinds = [kind.value for kind in described.session_kinds]


def _fill(work: Work, resource: Resource, ending: str, content: bytes) -> None:
    held = work.db.scalars(select(ResourceFile).where(ResourceFile.resource_id == resource.id)).first()
    if held is None:
        held = ResourceFile(id=new_id(), resource_id=resource.id)
        work.db.add(held)
    held.content = content
    resource.file_kind, resource.file_bytes = ending, len(content)


def _checked(link: str) -> str:
    if not re.fullmatch(r"https://[^\s/?#@]+\.[^\s/?#@]+(?:[/?#]\S*)?", link):
        raise ResourceRefused("Enter an address that begins with https://", field="link")
    return link


def _locked(work: Work, resource_id: UUID) -> Resource:
    resource = work.db.get(Resource, resource_id, populate_existing=True, with_for_update={"key_share": True})
    if resource is None:
        raise LookupError("no such resource")
    return resource
