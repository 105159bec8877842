"""The report of a release on the site, and risks and lessons, which reports carry."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.models import ProgrammeNote, ProgrammeNoteKind, Role
from portal.programme import Period, Programme
from portal.results import programme_notes, reports
from portal.results.programme_notes import ClosedAlready, NothingSaid
from portal.results.releases import ReleaseAltered
from portal.results.reports import Format
from privacy import audit
from privacy.work import unit_of_work
from surveys.models import Release as ReleaseRow
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.released import a_release, store

NOTES = "/reports/risks-and-lessons"
Sign = Callable[[Role], PageClient]


@pytest.fixture
def signed_in(client: PageClient, make: Factory) -> Sign:
    return lambda role: client.sign_in(make.person(role=role).id)


@pytest.fixture
def release_id(db: DbSession, clock: SetClock) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        return store(work, a_release())


@pytest.mark.parametrize("role", [Role.TEAM, Role.OBSERVER])
def test_team_and_observer_read_the_report(signed_in: Sign, release_id: UUID, role: Role) -> None:
    page = signed_in(role).get(f"/reports/releases/{release_id}/report")
    assert page.heading == "Leadership support: quarterly report, October to December 2022"
    words = page.words()
    assert "15 of 20 leaders, 75%" in words
    assert "© Crown Copyright 2023" in words
    assert "con_9887" in words
    # Each picture is named by its finding and described; its table stands below.
    for picture in page.all("svg", class_="lp-picture"):
        assert picture.get("role") == "img"
        named = picture.get("aria-labelledby").split()
        assert [page.words(one) for one in picture if one.get("id") in named]


def test_nobody_else_knows_of_it(signed_in: Sign, release_id: UUID) -> None:
    client = signed_in(Role.MENTOR)
    for path in ("report", "files/csv"):
        client.get(f"/reports/releases/{release_id}/{path}", status=404)


@pytest.mark.parametrize("format", list(Format))
def test_a_download_is_what_the_command_writes(
    signed_in: Sign, release_id: UUID, programme: Programme, format: Format
) -> None:
    answer = signed_in(Role.OBSERVER).http.get(f"/reports/releases/{release_id}/files/{format}")
    assert answer.status_code == 200
    assert answer.mimetype == reports.MIME[format]
    name = f"quarterly-2022-Q4.{format}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.data == dict(reports.files(a_release(), programme))[name]


def test_other_formats_are_not_there(signed_in: Sign, release_id: UUID) -> None:
    signed_in(Role.TEAM).get(f"/reports/releases/{release_id}/files/exe", status=404)


def test_what_was_altered_is_not_shown_as_released(
    signed_in: Sign, release_id: UUID, db: DbSession, clock: SetClock
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(ReleaseRow, release_id).hash = "0" * 64
    client = signed_in(Role.OBSERVER)
    for path in ("report", "files/csv"):
        with pytest.raises(ReleaseAltered):
            client.http.get(f"/reports/releases/{release_id}/{path}")


def test_a_risk_is_noted_carried_and_closed(signed_in: Sign, db: DbSession, clock: SetClock) -> None:
    client = signed_in(Role.TEAM)
    page = client.get(f"{NOTES}/new")
    typed = {"csrf_token": page.token(), "kind": "risk", "text": "Elections in May\r\nmay end support"}
    page = client.follow(client.post(f"{NOTES}/new", typed, status=303))
    assert "Elections in May may end support" in page.words()
    db.rollback()
    note = db.query(ProgrammeNote).one()
    days = Period(clock().date(), clock().date())
    carried = programme_notes.for_report(db, days)
    assert [one["text"] for one in carried["risk"]] == ["Elections in May\nmay end support"]
    assert carried["lesson"] == []
    close = {
        "csrf_token": client.get(f"{NOTES}/{note.id}/close").token(),
        "outcome": "Support was brought forward",
    }
    page = client.follow(client.post(f"{NOTES}/{note.id}/close", close, status=303))
    assert "What came of it: Support was brought forward" in page.words()
    again = client.post(f"{NOTES}/{note.id}/close", close, status=409)
    assert "Somebody else closed it" in again.words()
    db.rollback()
    # The report of a period in which it was closed still has it, with what came of it; later ones have not.
    assert programme_notes.for_report(db, days)["risk"][0]["outcome"] == "Support was brought forward"
    later = clock().date().replace(year=2024)
    assert programme_notes.for_report(db, Period(later, later))["risk"] == []
    acts = [line.action for line in audit.entries(db)]
    assert acts[-2:] == ["programme_note.made", "programme_note.closed"]


def test_an_empty_note_is_refused(signed_in: Sign, db: DbSession, clock: SetClock) -> None:
    client = signed_in(Role.TEAM)
    token = client.get(f"{NOTES}/new").token()
    page = client.post(f"{NOTES}/new", {"csrf_token": token, "text": "\u200b"}, status=422)
    assert "Say what it is" in page.words()
    with pytest.raises(NothingSaid), unit_of_work(db, clock, "system:test") as work:
        programme_notes.add(work, kind=ProgrammeNoteKind.LESSON, text=" \u200b ")


def test_it_is_closed_once(db: DbSession, clock: SetClock) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        note_id = programme_notes.add(work, kind=ProgrammeNoteKind.LESSON, text="A lesson").id
    with unit_of_work(db, clock, "system:test") as work:
        programme_notes.close(work, note_id=note_id, outcome="Done")
    with pytest.raises(ClosedAlready), unit_of_work(db, clock, "system:test") as work:
        programme_notes.close(work, note_id=note_id, outcome="Done again")
