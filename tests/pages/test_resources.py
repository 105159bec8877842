"""Resources through the pages: kept by the team, shown where they are needed, opened without a trace."""

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.models import Clearance, Office, PackageMentor, Participation, Person, Resource, Role
from portal.resources.file_kinds import BYTES_AT_MOST
from privacy.audit import AuditEntry
from privacy.records import new_id
from privacy.work import Work
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.rules.group_world import GroupWorld

PDF = b"%PDF-1.7 a toolkit"


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory) -> GroupWorld:
    return GroupWorld(stack, db, make, members=1)


@pytest.fixture
def team(stack: Stack, make: Factory) -> PageClient:
    return PageClient(stack.app, stack.instance).sign_in(make.person("Tess Team", role=Role.TEAM).id)


def keep(team: PageClient, *, content: bytes = PDF, status: int = 303, **more: Any) -> Page:
    token = team.get("/team/resources/new-file").token()
    form = {"csrf_token": token, "title": "A toolkit", "kind": "toolkit", "crown": "y", **more}
    # Encoded here: the test client would leave a temporary file of a large body open.
    boundary, body = encode_multipart({**form, "file": FileStorage(io.BytesIO(content), "../x.exe")})
    kind = f"multipart/form-data; boundary={boundary}"
    sent = team.http.post("/team/resources/new-file", data=body, content_type=kind)
    page = Page(sent)
    assert page.status == status, page.words()[:800]
    return page


def only(world: GroupWorld) -> UUID:
    world.db.rollback()
    return world.db.scalars(select(Resource.id)).one()


def reader(world: GroupWorld, person_id: UUID) -> PageClient:
    return PageClient(world.stack.app, world.stack.instance).sign_in(person_id)


def test_a_file_reaches_those_who_need_it_and_nobody_else(world: GroupWorld, team: PageClient) -> None:
    keep(team)
    resource_id, session_id = only(world), world.schedule()
    file, member = f"/resources/{resource_id}/file", reader(world, world.members[0])
    member.get(file, status=404)
    page = f"/team/sessions/{session_id}/resources"
    team.post(page, {"resources": str(resource_id)})
    for client in (member, reader(world, world.mentor)):
        shown = client.get(f"/sessions/{session_id}")
        assert shown.all("a", href=file)
        assert "© Crown copyright 2023" in shown.words()
    sent = member.http.get(file)
    assert sent.get_data() == PDF
    assert sent.headers["Content-Type"] == "application/pdf"
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.headers["Content-Disposition"] == 'attachment; filename="a-toolkit.pdf"'
    stranger = world.make.person().id
    reader(world, stranger).get(file, status=404)


def test_whose_part_has_ended_opens_the_file_no_more(world: GroupWorld, team: PageClient) -> None:
    keep(team)
    file = f"/resources/{only(world)}/file"
    team.post(f"/team/packages/{world.group}/resources", {"resources": str(only(world))})
    member, mentor = reader(world, world.members[0]), reader(world, world.mentor)
    assert member.get("/your-support").all("a", href=file)
    assert mentor.get(f"/mentor/packages/{world.group}").all("a", href=file)
    assert [one.http.get(file).status_code for one in (member, mentor)] == [200, 200]

    def leave(work: Work) -> None:
        yesterday = world.make.today - timedelta(days=1)
        part = select(Participation).where(Participation.package_id == world.group)
        work.db.scalars(part).one().to_on = yesterday
        served = select(PackageMentor).where(PackageMentor.package_id == world.group)
        work.db.scalars(served).one().to_on = yesterday

    world.act(leave)
    assert [one.http.get(file).status_code for one in (member, mentor)] == [404, 404]
    assert not member.get("/your-support").all("a", href=file)


def test_whose_office_as_a_mentor_has_ended_opens_no_file_of_a_session(
    world: GroupWorld, team: PageClient
) -> None:
    keep(team)
    file, session_id = f"/resources/{only(world)}/file", world.schedule()
    team.post(f"/team/sessions/{session_id}/resources", {"resources": str(only(world))})
    mentor = reader(world, world.mentor)
    assert mentor.http.get(file).status_code == 200

    def end(work: Work) -> None:
        for office in work.db.get_one(Person, world.mentor).offices:
            office.to_on = world.make.today - timedelta(days=1)
        role = Office(id=new_id(), person_id=world.mentor, role=Role.SCRUTINY_CHAIR, from_on=world.make.today)
        role.council_id = council_id
        work.db.add(role)

    council_id = world.make.council("Ashdown").id
    world.act(end)
    assert mentor.get("/your-support").status == 200, "they are signed in all the same"
    mentor.get(file, status=404)


def test_whose_clearance_as_a_mentor_has_lapsed_opens_no_file_of_a_session(
    world: GroupWorld, team: PageClient
) -> None:
    keep(team)
    file, session_id = f"/resources/{only(world)}/file", world.schedule()
    team.post(f"/team/sessions/{session_id}/resources", {"resources": str(only(world))})
    mentor = reader(world, world.mentor)

    def lapse(work: Work) -> None:
        for cleared in work.db.scalars(select(Clearance).where(Clearance.person_id == world.mentor)):
            cleared.expires_on = world.make.today - timedelta(days=1)

    world.act(lapse)
    mentor.get(file, status=403)


def test_by_role_it_stands_on_your_support_and_on_the_mentors_page(
    world: GroupWorld, team: PageClient
) -> None:
    keep(team, roles="lead_member")
    file = f"/resources/{only(world)}/file"
    assert reader(world, world.members[0]).get("/your-support").all("a", href=file)
    assert reader(world, world.mentor).get(f"/mentor/packages/{world.group}").all("a", href=file)
    chief = world.make.person(role=Role.CHIEF_EXECUTIVE).id
    reader(world, chief).get(file, status=404)


def test_opening_a_file_leaves_no_trace(
    world: GroupWorld, team: PageClient, capfd: pytest.CaptureFixture[str]
) -> None:
    keep(team, roles="lead_member")
    member, resource_id = reader(world, world.members[0]), only(world)
    before = world.db.scalar(select(func.count()).select_from(AuditEntry))
    capfd.readouterr()
    assert member.http.get(f"/resources/{resource_id}/file").status_code == 200
    world.db.rollback()
    assert world.db.scalar(select(func.count()).select_from(AuditEntry)) == before
    assert str(resource_id) not in "".join(capfd.readouterr())


def test_what_is_wrong_with_a_file_is_said_and_the_words_are_kept(team: PageClient) -> None:
    wrong = keep(team, content=b"MZ\x90\x00\x03", status=422, about="In a sentence")
    assert "Choose a PDF" in wrong.words()
    assert "In a sentence" in wrong.text
    large = keep(team, content=b"%PDF-" + b"x" * BYTES_AT_MOST, status=422)
    assert "larger than 10 MB" in large.words()
    keep(team, content=b"%PDF-" + b"x" * (BYTES_AT_MOST + 1024 * 1024), status=413)


def test_a_file_of_ten_megabytes_is_taken(world: GroupWorld, team: PageClient) -> None:
    keep(team, content=PDF.ljust(BYTES_AT_MOST, b"x"))
    assert world.db.get_one(Resource, only(world)).file_bytes == BYTES_AT_MOST


def test_other_forms_stay_small(team: PageClient) -> None:
    token = team.get("/team/resources/new-link").token()
    data = {"csrf_token": token, "title": "x" * (2 * 1024 * 1024)}
    assert team.http.post("/team/resources/new-link", data=data).status_code == 413


def test_links_are_found_changed_retired_and_deleted(world: GroupWorld, team: PageClient) -> None:
    link = {"title": "Guidance", "kind": "case_study", "link": "https://www.council.example/guidance"}
    wrong = team.post("/team/resources/new-link", link | {"link": "javascript:alert(1)"}, status=422)
    assert "Enter an address that begins with https://" in wrong.words()
    team.post("/team/resources/new-link", link)
    resource_id = only(world)
    page = f"/team/resources/{resource_id}"
    assert "Guidance" in team.search("/team/resources", "guid", kind="case_study").words()
    assert "Nothing fits." in team.search("/team/resources", "nothing").words()
    team.post(page, link | {"title": "New guidance"})
    team.post(f"/team/packages/{world.group}/resources", {"resources": str(resource_id)})
    shown = team.get(f"/team/packages/{world.group}")
    assert shown.all("a", href=link["link"])[0].get("rel") == "noopener noreferrer"
    refused = team.post(f"{page}/delete", status=409)
    assert "Retire it instead" in refused.words()
    team.post(f"{page}/retire", page=page)
    assert "New guidance" in team.get("/team/resources?retired=yes").words()
    assert "New guidance" in reader(world, world.members[0]).get("/your-support").words(), "it stays there"
    team.post(f"/team/packages/{world.group}/resources", {})
    team.post(f"{page}/delete")
    team.get(page, status=404)
