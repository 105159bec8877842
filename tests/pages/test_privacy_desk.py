"""The audit trail as the data protection officer and the auditor read it."""

from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Person, Role
from privacy.audit import Action, AuditEntry
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient


@pytest.fixture
def auditor(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Au Ditor", role=Role.AUDITOR).id)


@pytest.fixture
def unknown(db: DbSession, clock: SetClock, make: Factory) -> UUID:
    """Three lines: about a person, about a package, and about what has no reference."""
    mentor, package = make.mentor(), make.package(make.person("Ada Lead"))
    gone = new_id()
    with unit_of_work(db, clock, f"person:{mentor.id}") as work:
        work.record(Action.MENTOR_ASSIGNED, object=f"package:{package.id}", mentor=mentor.id)
        work.record(Action.PERSON_DISABLED, object=f"person:{gone}", holder=gone)
        work.record(Action.INSTANCE_MADE, object="instance:portal", demo=True)
    return gone


def rows(client: PageClient, about: str = "", area: str = "") -> list[list[str]]:
    page = client.search("/privacy-desk/trail", about, area=area)
    cells = [[page.words(cell) for cell in row if cell.tag in ("td", "th")] for row in page.all("tr")]
    return [[*line[2:3], *line[3:]] for line in cells[1:]]


def test_lines_name_people_and_packages_by_their_references(
    auditor: PageClient, db: DbSession, make: Factory, unknown: UUID
) -> None:
    shown = {line[0]: line[1:] for line in rows(auditor)}
    actor, thing, details = shown["mentor.assigned"]
    mentor_ref = details.removeprefix("mentor: ")
    assert actor == f"person {mentor_ref}"
    assert thing.startswith("package ")
    refs = {person.ref for person in db.query(Person)}
    assert mentor_ref in refs
    assert shown["person.disabled"][1:] == [f"person {str(unknown)[:8]}", ""]
    assert shown["instance.made"][1:] == ["instance:portal", "demo: yes"]
    text = auditor.get("/privacy-desk/trail").text
    assert str(unknown) not in text
    assert "{" not in " ".join(cell for line in rows(auditor) for cell in line)


def test_the_chain_is_checked_by_a_button_and_nothing_is_recorded(
    auditor: PageClient, db: DbSession, unknown: UUID
) -> None:
    before = len(rows(auditor))
    page = auditor.follow(auditor.post("/privacy-desk/trail/check", page="/privacy-desk/trail"))
    assert f"All {before} lines hold" in page.words()
    assert len(rows(auditor)) == before
    db.execute(update(AuditEntry).where(AuditEntry.action == "mentor.assigned").values(object="package:x"))
    db.commit()
    page = auditor.get("/privacy-desk/trail")
    assert "does not hold" not in page.words(), "looking alone checks nothing"
    page = auditor.follow(auditor.post("/privacy-desk/trail/check", page="/privacy-desk/trail"))
    assert "The audit trail does not hold" in page.words()


@pytest.mark.parametrize("role", [Role.TEAM, Role.OBSERVER, Role.ADMINISTRATOR, Role.MENTOR])
def test_nobody_else_checks_it(client: PageClient, make: Factory, unknown: UUID, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.post("/privacy-desk/trail/check", page="/your-devices", status=404)


def test_lines_are_found_by_a_reference_and_by_what_they_are_about(
    auditor: PageClient, db: DbSession, make: Factory, unknown: UUID
) -> None:
    package = db.query(Package).one()
    for about, found in (
        (package.ref, {"mentor.assigned"}),
        (package.ref.lower(), {"mentor.assigned"}),
        (str(unknown)[:8], {"person.disabled"}),
        ("P-NOBODY", set()),
        ("%", set()),
    ):
        assert {line[0] for line in rows(auditor, about=about)} == found, about
    assert {line[0] for line in rows(auditor, area="mentor")} == {"mentor.assigned"}
    assert {line[0] for line in rows(auditor, area="mentor", about=str(unknown))} == set()
    page = auditor.search("/privacy-desk/trail", package.ref)
    assert "1 line fits" in page.words()
    assert page.all("input", name="q")[0].get("value") == package.ref
    assert "No line fits" in auditor.search("/privacy-desk/trail", "P-NOBODY").words()
