"""Resources: what a file is by its content, whom they are shown to, and retiring instead of deleting."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    PackageMentor,
    Participation,
    Resource,
    ResourceFile,
    ResourceKind,
    Role,
    SessionKind,
)
from portal.resources import file_kinds, shelves
from portal.resources import shelf as resources
from portal.resources.file_kinds import BYTES_AT_MOST, FileRefused
from portal.resources.shelf import Described, ResourceRefused
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.rules.group_world import GroupWorld

T = TypeVar("T")


def office(*names: str, mimetype: str | None = None) -> bytes:
    """An Office file with these parts."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as parts:
        if mimetype is not None:
            parts.writestr("mimetype", mimetype)
        for name in names:
            parts.writestr(name, "x")
    return held.getvalue()


@pytest.mark.parametrize(
    "content, ending",
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0....", "jpg"),
        (b"GIF89a....", "gif"),
        (b"RIFF....WEBPVP8 ", "webp"),
        (office("[Content_Types].xml", "word/document.xml"), "docx"),
        (office("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (office("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
        (office("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "odt"),
        ("Plain words, even é".encode(), "txt"),
        (b"<script>alert(1)</script>", "txt"),
    ],
)
def test_a_file_is_what_is_in_it(content: bytes, ending: str) -> None:
    assert file_kinds.kind_of(content).ending == ending


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "empty"),
        (b"x" * (BYTES_AT_MOST + 1), "larger than 10 MB"),
        (b"MZ\x90\x00\x03", "Choose a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Choose a PDF"),
        (b"PK\x03\x04 and nothing else", "damaged"),
        (office("notes.txt"), "archive"),
        (office("word/document.xml", "word/vbaProject.bin"), "macros"),
    ],
)
def test_what_is_not_taken_is_said_plainly(content: bytes, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        file_kinds.kind_of(content)


class Shelf:
    """The team at its resources."""

    def __init__(self, stack: Stack, db: DbSession) -> None:
        self.stack, self.db = stack, db

    def act(self, rule: Callable[..., T], **typed: Any) -> T:
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return rule(work, **typed)

    def link(self, title: str = "A toolkit", **more: Any) -> UUID:
        return self.act(
            resources.add_link, described=described(title, **more), link="https://www.council.example/x?y=1"
        ).id

    def file(self, content: bytes = b"%PDF-1.7 words", title: str = "A case study", **more: Any) -> UUID:
        return self.act(resources.add_file, described=described(title, **more), content=content).id

    def get(self, resource_id: UUID) -> Resource:
        self.db.rollback()
        return self.db.get_one(Resource, resource_id)


def described(title: str, **more: Any) -> Described:
    known: dict[str, Any] = {
        "about": "What it is",
        "kind": ResourceKind.TOOLKIT,
        "roles": [],
        "session_kinds": [],
        "crown": True,
    }
    return Described(title=title, **known | more)


@pytest.fixture
def shelf(stack: Stack, db: DbSession) -> Shelf:
    return Shelf(stack, db)


def test_a_file_comes_back_as_it_was_and_lies_sealed(shelf: Shelf) -> None:
    content = b"%PDF-1.7 " + b"a sentence that nobody else may read " * 4000
    resource_id = shelf.file(content)
    assert resources.content_of(shelf.db, shelf.get(resource_id)) == content
    raw = shelf.db.scalars(select(ResourceFile.content_sealed)).one()
    assert raw is not None
    assert b"a sentence" not in raw


@pytest.mark.parametrize(
    "title, name",
    [
        ("Asking the right questions", "asking-the-right-questions.pdf"),
        ('../../etc/passwd"\r\nX-Evil: 1', "etc-passwd-x-evil-1.pdf"),
        ("Siân Ŵyn-Žák’s notes", "sian-wyn-zaks-notes.pdf"),
        ("日本", "resource.pdf"),
        ("x" * 120, "x" * 60 + ".pdf"),
    ],
)
def test_downloads_get_names_of_ours(shelf: Shelf, title: str, name: str) -> None:
    assert resources.file_name(shelf.get(shelf.file(title=title))) == name


@pytest.mark.parametrize(
    "link", ["http://council.example/", "javascript:alert(1)", "https://a b", "https://x", ""]
)
def test_only_whole_addresses_are_kept(shelf: Shelf, link: str) -> None:
    with pytest.raises(ResourceRefused):
        shelf.act(resources.add_link, described=described("A link"), link=link)
    assert shelf.db.scalars(select(Resource)).all() == []


def test_searching_and_filtering(shelf: Shelf) -> None:
    data = shelf.link("Reading data", roles=[Role.SCRUTINY_CHAIR])
    study = shelf.file(title="Northshire: a case", kind=ResourceKind.CASE_STUDY, about="How data helped")
    retired = shelf.link("Old data")
    shelf.act(resources.retire, resource_id=retired)

    def found(**asked: Any) -> list[UUID]:
        return [one.id for one in resources.listing(shelf.db, **asked)]

    assert found() == [study, data]
    assert found(text="DATA") == [study, data]
    assert found(text="reading DATA") == [data]
    assert found(kind=ResourceKind.CASE_STUDY) == [study]
    assert found(role=Role.SCRUTINY_CHAIR) == [data]
    assert found(session_kind=SessionKind.VISIT) == []
    assert found(retired=True) == [retired]


def test_what_is_attached_is_retired_and_not_deleted(shelf: Shelf, make: Factory) -> None:
    package = make.package(make.person()).id
    resource_id = shelf.file()
    shelf.act(resources.attach, resource_ids=[resource_id], package_id=package)
    with pytest.raises(ResourceRefused, match="Retire it instead"):
        shelf.act(resources.remove, resource_id=resource_id)
    shelf.act(resources.retire, resource_id=resource_id)
    assert [one.id for one in shelves.of_package(shelf.db, package)] == [resource_id], "there it stays"
    shelf.act(resources.attach, resource_ids=[resource_id], package_id=package)
    other = make.package(make.person()).id
    with pytest.raises(ResourceRefused, match="retired"):
        shelf.act(resources.attach, resource_ids=[resource_id], package_id=other)
    shelf.act(resources.attach, resource_ids=[], package_id=package)
    shelf.act(resources.remove, resource_id=resource_id)
    assert shelf.db.scalars(select(ResourceFile)).all() == []


def test_it_is_shown_where_it_is_needed(shelf: Shelf, stack: Stack, make: Factory) -> None:
    world = GroupWorld(stack, shelf.db, make, members=1)
    session = world.session(world.schedule())
    by_role = shelf.link("B for a role", roles=[Role.LEAD_MEMBER])
    by_kind = shelf.link("C for a kind", session_kinds=[SessionKind.WORKSHOP])
    both = shelf.link("D for both", roles=[Role.CHIEF_EXECUTIVE], session_kinds=[SessionKind.WORKSHOP])
    here = shelf.link("A attached")
    shelf.link("E for nobody yet")
    shelf.act(resources.attach, resource_ids=[here], session_id=session.id)
    session = world.session(session.id)

    def on_session(*roles: Role) -> list[UUID]:
        return [one.id for one in shelves.of_session(shelf.db, session, roles=roles or None)]

    assert on_session(Role.LEAD_MEMBER) == [here, by_kind]
    assert on_session(Role.CHIEF_EXECUTIVE) == [here, by_kind, both]
    assert on_session() == [here, by_kind, both], "those who run it see all of it"
    group = [one.id for one in shelves.of_package(shelf.db, world.group, roles=[Role.LEAD_MEMBER])]
    assert group == [by_role]


def test_whom_an_attachment_reaches(shelf: Shelf, stack: Stack, make: Factory) -> None:
    world = GroupWorld(stack, shelf.db, make, members=2)
    resource_id = shelf.file()
    shelf.act(resources.attach, resource_ids=[resource_id], session_id=world.schedule())
    found = shelves.shown(shelf.db, resource_id, on=make.today)
    assert found is not None
    assert (found.members, found.mentors) == (frozenset(world.members), frozenset({world.mentor}))
    assert shelves.shown(shelf.db, uuid4(), on=make.today) is None


def test_whose_part_has_ended_is_reached_no_more(shelf: Shelf, stack: Stack, make: Factory) -> None:
    world = GroupWorld(stack, shelf.db, make, members=2)
    resource_id, session_id = shelf.file(), world.schedule()
    shelf.act(resources.attach, resource_ids=[resource_id], package_id=world.group)
    yesterday = make.today - timedelta(days=1)
    with unit_of_work(shelf.db, stack.clock, "person:test") as work:
        left = select(Participation).where(Participation.person_id == world.members[0])
        work.db.scalars(left).one().to_on = yesterday
        served = select(PackageMentor).where(PackageMentor.package_id == world.group)
        work.db.scalars(served).one().to_on = yesterday
    found = shelves.shown(shelf.db, resource_id, on=make.today)
    assert found is not None
    assert (found.members, found.mentors) == (frozenset({world.members[1]}), frozenset())
    shelf.act(resources.attach, resource_ids=[resource_id], session_id=session_id)
    found = shelves.shown(shelf.db, resource_id, on=make.today)
    assert found is not None
    assert found.members == {world.members[1]}
    assert found.mentors == {world.mentor}, "who gives the session"
