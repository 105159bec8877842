"""The team takes answers out of the portal: as a file of its own, on record, with names only for a reason."""

import io
import json
from uuid import UUID
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session as DbSession

from portal.models import Approval, Export, Role, SecondAct
from privacy import audit
from privacy.scratch import scratch
from surveys import versions
from surveys.models import Wave
from tests.conftest import SetClock, Stack
from tests.exported import Desk, by_heading, read_csv, read_xlsx
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.seconding import agreed, second_agrees

PAGE = "/team/questionnaires/post/export"
ASKED = {"codes": "post", "format": "csv", "who": "codes", "reason": ""}


@pytest.fixture(autouse=True)
def _world(db: DbSession, clock: SetClock, make: Factory) -> None:
    versions.publish_shipped(db, clock)
    council = make.council("=Northshire")
    package = make.package(make.person("Ada Lead", council=council), council=council)
    answers = {"confidence_change": "much_more"}
    respondent_id = package.participations[0].id
    Desk(db, clock).send(answers, respondent_id=respondent_id, code="post", wave=Wave.POST, occasion="once")


@pytest.fixture
def member(make: Factory) -> UUID:
    """Somebody of the team."""
    return make.person(role=Role.TEAM).id


@pytest.fixture
def team(client: PageClient, member: UUID) -> PageClient:
    return client.sign_in(member)


def test_csv_comes_in_one_archive_with_labels_codebook_and_notes(team: PageClient, db: DbSession) -> None:
    answer = team.post(PAGE, ASKED, status=200).response

    assert answer.headers["Content-Disposition"] == 'attachment; filename="post-2023-03-01.csv.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/zip"
    with ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert list(files) == [
        f"post-2023-03-01{end}" for end in (".csv", ".labels.csv", ".codebook.csv", ".notes.txt")
    ]
    (row,) = read_csv(files["post-2023-03-01.csv"])
    assert row["confidence_change"] == "much_more"
    assert "Ada Lead" not in "".join(files.values())
    db.rollback()
    line = list(audit.entries(db))[-1]
    assert line.action == "export.made"
    assert json.loads(line.details)["rows"] == 1


def test_a_spreadsheet_with_names_once_a_second_person_agreed(
    team: PageClient, stack: Stack, db: DbSession
) -> None:
    asked = {**ASKED, "format": "xlsx", "who": "names", "reason": "To ring those who are silent"}
    assert "A second person has to agree first" in team.follow(team.post(PAGE, asked)).words()
    assert "A second person" in team.follow(team.post(PAGE, asked)).words()
    db.rollback()
    assert db.query(Export).all() == []
    assert [one.reason for one in db.query(Approval)] == ["To ring those who are silent"], "asked once"
    second_agrees(db, stack.clock)
    answer = team.post(PAGE, asked, status=200).response

    assert answer.headers["Content-Disposition"] == 'attachment; filename="post-2023-03-01-named.xlsx"'
    book = load_workbook(io.BytesIO(answer.data))
    assert book.properties.title == "Answers to post, with names"
    assert "with names" in str(book["Answers"].oddHeader.left.text), "who finds it printed knows"
    sheets = read_xlsx(io.BytesIO(answer.data))
    assert list(sheets) == ["Answers", "Labels", "Codebook", "Notes"]
    (row,) = by_heading(sheets["Answers"])
    assert (row["name"], row["council"]) == ("Ada Lead", "=Northshire Council")
    assert list((stack.instance.settings.instance / "scratch").iterdir()) == [], "nothing is left behind"


def test_more_than_one_questionnaire_in_one_file(team: PageClient) -> None:
    answer = team.post(PAGE, {**ASKED, "codes": ["post", "baseline"], "format": "jsonl"}, status=200).response

    assert 'filename="post-baseline-2023-03-01.jsonl.zip"' in answer.headers["Content-Disposition"]
    with ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist()[0] == "post-baseline-2023-03-01.jsonl"
        assert json.loads(archive.read(archive.namelist()[0]))["wave"] == "post"


def test_names_need_a_reason_and_somebody_must_choose(team: PageClient, db: DbSession) -> None:
    page = team.post(PAGE, {**ASKED, "who": "names"}, status=422)
    assert "Say why names are needed" in page.words()
    none = team.post(PAGE, {"format": "csv", "who": "codes"}, status=422)
    assert "Choose at least one questionnaire" in none.words()
    other = team.post(PAGE, {**ASKED, "codes": "nowhere"}, status=422)
    assert "Choose questionnaires from the list" in other.words()
    db.rollback()
    assert db.query(Export).all() == []


def test_it_is_agreed_to_just_what_leaves_and_for_who_asked(
    team: PageClient, stack: Stack, db: DbSession, make: Factory
) -> None:
    asked = {**ASKED, "who": "names", "reason": "To ring those who are silent"}
    team.post(PAGE, asked)
    second_agrees(db, stack.clock)
    wider = {**asked, "partial": "y"}
    assert "A second person has to agree first" in team.follow(team.post(PAGE, wider)).words()
    other = PageClient(stack.app, stack.instance).sign_in(make.person(role=Role.TEAM).id)
    assert "A second person has to agree first" in other.follow(other.post(PAGE, asked)).words()
    officer = PageClient(stack.app, stack.instance).sign_in(make.person(role=Role.DPO).id)
    waiting = officer.get("/second-person").words()
    assert "; also what people began and didn't finish in time" in waiting
    db.rollback()
    assert db.query(Export).all() == []
    team.post(PAGE, asked, status=200)


def test_the_reason_is_kept_for_a_named_export_only(
    team: PageClient, member: UUID, db: DbSession, clock: SetClock
) -> None:
    agreed(db, clock, act=SecondAct.ANSWERS, thing="answers:post:named", by=f"person:{member}")
    team.post(PAGE, {**ASKED, "reason": "No matter"}, status=200)
    team.post(PAGE, {**ASKED, "who": "names", "reason": "The Department asks"}, status=200)

    db.rollback()
    kept = {export.named: export.reason for export in db.query(Export)}
    assert kept == {False: None, True: "The Department asks"}


def test_a_form_that_is_read_only_makes_no_export(team: PageClient, db: DbSession) -> None:
    page = team.get(PAGE)

    (chosen,) = [box.get("value") for box in page.all("input", name="codes") if "checked" in box.attrib]
    assert chosen == "post"
    db.rollback()
    assert db.query(Export).all() == []


def test_a_questionnaire_leads_to_its_export(team: PageClient, db: DbSession) -> None:
    page = team.get(f"/team/questionnaires/{versions.current(db, code='post').id}")
    assert page.all("a", href=PAGE)


def test_unknown_questionnaires_and_other_people(client: PageClient, make: Factory) -> None:
    for role in (Role.OBSERVER, Role.MENTOR, Role.LEAD_MEMBER, Role.DPO, Role.ADMINISTRATOR):
        client.sign_in(make.person(role=role).id)
        client.get(PAGE, status=404)
    client.sign_in(make.person(role=Role.TEAM).id)
    client.get("/team/questionnaires/nowhere/export", status=404)


def test_what_a_killed_process_left_goes_with_the_next_export(stack: Stack) -> None:
    folder = stack.instance.settings.instance / "scratch"
    left = folder / "999999999-left"
    left.mkdir(parents=True)
    (left / "answers.xml").write_text("Ada Lead", encoding="utf-8")

    with scratch(folder) as own:
        assert own.stat().st_mode & 0o777 == 0o700
        with scratch(folder) as other:
            assert own.is_dir(), "whoever is still writing keeps theirs"
            assert other != own

    assert list(folder.iterdir()) == []
