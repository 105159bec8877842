"""Working a request on pages: the search, what is put together, what is taken out, and the letters."""

import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.cases import redaction as case_redaction
from portal.cases.intake import Attachment, attach
from portal.models import Person, Role
from privacy.cases import acts
from privacy.cases import letters as kept
from privacy.cases.folding import TAKEN_OUT
from privacy.cases.letters import LetterState
from privacy.cases.redactions import Round
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TEXT = "Ada sat beside Berta Quillfeather <script>alert(1)</script>. Ring 07700 900123."


class Office:
    """Two officers with browsers of their own, and a case about a lead member."""

    def __init__(self, stack: Stack, make: Factory, db: DbSession) -> None:
        self.stack, self.db = stack, db
        people = [make.person(name, role=Role.DPO).id for name in ("Dee Officer", "Del Deputy")]
        person = make.person("Ada Lead", email="ada@council.example")
        make.person("Berta Quillfeather")
        make.package(person)
        self.person_id: UUID = person.id
        make.db.rollback()
        self.dpo, self.deputy = (PageClient(stack.app, stack.instance).sign_in(one) for one in people)
        self.case_id = self.open(CaseKind.ACCESS)

    def work(self) -> Any:
        return unit_of_work(self.db, self.stack.clock, "person:test")

    def open(self, kind: CaseKind) -> UUID:
        with self.work() as work:
            case = acts.open_case(
                work,
                kind=kind,
                channel=Channel.EMAIL,
                received_at=datetime(2023, 2, 28, 10, tzinfo=UTC),
                asked="Send me all that you hold",
                contact={"name": "Ada Lead", "email": "ada@council.example"},
                subject_id=self.person_id,
            )
            return case.id

    def at(self, path: str) -> str:
        return f"/desk/cases/{self.case_id}/{path}"

    def attach(self) -> UUID:
        with self.work() as work:
            row = attach(work, case_id=self.case_id, file=Attachment("a.txt", "text/plain", TEXT.encode()))
            return row.id

    def decide(self) -> None:
        with self.work() as work:
            entry = enter(work, register=Register.INSTRUCTION, letter="DfE/7", from_on=work.now.date())
            for kind in (Event.CONTROLLER_NOTIFIED, Event.CONTROLLER_DECIDED):
                body = {"evidence": "A mail", "decision": "Give it"}
                acts.happen(work, case_id=self.case_id, kind=kind, body=body, entry_id=entry.id)
                work.db.flush()

    def post(
        self, client: PageClient, path: str, data: dict[str, Any] | None = None, *, status: int = 303
    ) -> Page:
        """Post to a page of the redaction; its token stands on the page itself."""
        return client.post(self.at(f"redaction/{path}"), data or {}, page=self.at("redaction"), status=status)

    def events(self) -> list[Event]:
        self.db.rollback()
        return [event.kind for event in acts.read(self.db, self.case_id).events]


@pytest.fixture
def office(stack: Stack, make: Factory, db: DbSession) -> Office:
    return Office(stack, make, db)


def test_the_search_begins_with_what_the_portal_counted(office: Office) -> None:
    page = office.dpo.get(office.at("search"))
    ticked = {
        box.get("value") for box in page.all("input", type="checkbox") if box.get("checked") is not None
    }
    assert {"table-person", "table-participation"} <= ticked
    assert "The portal counts 1 row" in page.words()
    assert "Who takes part in which package" in page.words()
    assert "Casefile event" not in page.words()
    titles = {page.words(legend) for legend in page.all("legend")}
    assert {"Who people are", "Their answers", "Beside the database"} <= titles
    page = office.dpo.post(office.at("search"), {"places": ["table-person"], "text": "Her name"}, status=422)
    assert "Enter why this search is enough" in page.words()
    assert "Her name" in page.text
    typed = {"places": ["table-person"], "proportionate": "They ask for nothing else"}
    office.dpo.post(office.at("search"), typed)
    assert office.events() == [Event.SEARCHED]
    assert "They ask for nothing else" in office.dpo.get(office.at("search")).text, (
        "the next one begins with it"
    )


def test_each_step_leads_to_where_it_is_done(office: Office) -> None:
    def steps() -> dict[str, str]:
        page = office.dpo.get(f"/desk/cases/{office.case_id}")
        return {
            page.words(link): str(link.get("href"))
            for link in page.all("a")
            if "govuk-task-list__link" in str(link.get("class"))
        }

    search = "Search, and say why that is enough"
    found = steps()
    assert found[search] == office.at("search")
    assert found["Put together what is held"] == office.at("package")
    assert found["Notify the Controller"] == "#next"
    assert "Close the case" not in found, "it comes last, and is done on this page"
    office.dpo.post(office.at("search"), {"places": ["table-person"], "proportionate": "Enough"})
    assert search not in steps()


def test_what_is_held_is_put_together_and_offered(office: Office) -> None:
    page = office.dpo.follow(office.dpo.post(office.at("package")))
    assert page.heading == "Take other people out"
    (box,) = page.all("input", name="files")
    assert box.get("checked") is not None
    assert office.events() == [Event.PACKAGE_MADE]


def test_from_proposals_to_a_copy_that_another_person_approves(office: Office) -> None:
    file_id = office.attach()
    office.post(office.dpo, "begin", {"files": [str(file_id)]})
    page = office.dpo.get(office.at("redaction"))
    assert "Berta Quillfeather" in page.words()
    assert "07700 900123" in page.words()
    assert not page.all("script", src="")
    assert "<script>alert(1)" not in page.text
    typed = {"text": "alert(1)", "ground": "other"}
    page = office.post(office.dpo, "add", typed, status=422)
    assert "Enter the reason" in page.words()
    assert 'value="alert(1)"' in page.text
    office.post(office.dpo, "add", {**typed, "reason": "Not theirs"})
    office.post(office.dpo, "make")
    page = office.post(office.dpo, "approve", status=409)
    assert "You made these copies. Somebody else has to approve them" in page.words()
    assert "Second person (" not in office.dpo.get("/desk").words()
    assert "You made these copies" in office.dpo.get("/second-person").words()
    assert "Second person (1)" in office.deputy.get("/desk").words()
    page = office.deputy.get("/second-person")
    assert page.all("a", href=office.at("redaction"))
    page = office.deputy.get(office.at("redaction"))
    assert "Approve the copies" in page.words()
    office.db.rollback()
    redaction = case_redaction.current(office.db, office.case_id)
    assert redaction is not None
    for one in (redaction.files[0].source_id, redaction.files[0].copy_id):
        assert page.all("a", href=office.at(f"files/{one}"))
    office.post(office.deputy, "approve")
    office.db.rollback()
    redaction = case_redaction.current(office.db, office.case_id)
    assert redaction is not None
    copy_id = redaction.files[0].copy_id
    answer = office.post(office.dpo, f"copies/{copy_id}", status=200).response
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    text = answer.get_data(as_text=True)
    assert text == f"Ada sat beside {TAKEN_OUT} <script>{TAKEN_OUT})</script>. Ring {TAKEN_OUT}."
    assert "Nothing waits" in office.deputy.get("/second-person").words()
    page = office.post(office.deputy, "approve", status=409)
    assert "Somebody was quicker" in page.words()


def test_unticked_marks_stay_and_a_list_can_be_sent_back(office: Office) -> None:
    office.post(office.dpo, "begin", {"files": [str(office.attach())]})
    office.db.rollback()
    redaction = case_redaction.current(office.db, office.case_id)
    assert redaction is not None
    typed = {f"ground_{mark.id.hex}": "confidence" for mark in redaction.marks}
    keep = {f"taken_{mark.id.hex}": "y" for mark in redaction.marks if mark.text != "07700 900123"}
    office.post(office.dpo, "marks", {**typed, **keep})
    page = office.dpo.get(office.at("redaction"))
    assert len([box for box in page.all("input", type="checkbox") if box.get("checked") is not None]) == len(
        keep
    )
    office.post(office.dpo, "make")
    page = office.post(office.deputy, "back", {"reason": ""}, status=422)
    assert "Enter what has to change" in page.words()
    office.post(office.deputy, "back", {"reason": "The number too"})
    office.db.rollback()
    again = case_redaction.current(office.db, office.case_id)
    assert again is not None
    assert (again.state, again.number) == (Round.OPEN, 2)
    office.post(office.dpo, "drop")
    assert "Which files are to be handed over?" in office.dpo.get(office.at("redaction")).words()
    assert office.events() == [Event.REDACTED, Event.REDACTION_RETURNED]


def test_a_copy_that_was_not_approved_is_not_there(office: Office) -> None:
    file_id = office.attach()
    office.post(office.dpo, "begin", {"files": [str(file_id)]})
    office.post(office.dpo, f"copies/{file_id}", status=404)
    page = office.post(office.dpo, "begin", {"files": [str(file_id)]}, status=409)
    assert "A redaction of this case is open" in page.words()
    office.post(office.dpo, "drop")
    page = office.post(office.dpo, "begin", {"files": []}, status=422)
    assert "Choose at least one file" in page.words()


def test_nobody_works_on_what_is_about_themselves(office: Office, make: Factory) -> None:
    own = PageClient(office.stack.app, office.stack.instance).sign_in(office.person_id)
    office.person_id = make.person("Own Officer", role=Role.DPO).id
    make.db.rollback()
    case_id = office.open(CaseKind.ACCESS)
    client = PageClient(office.stack.app, office.stack.instance).sign_in(office.person_id)
    for path in ("search", "package", "redaction", "letters"):
        client.get(f"/desk/cases/{case_id}/{path}", status=404)
        own.get(office.at(path), status=404)
        office.dpo.get(f"/desk/cases/{case_id}/{path}")


def test_a_letter_is_written_looked_at_and_sent(office: Office) -> None:
    office.decide()
    page = office.dpo.get(office.at("letters"))
    assert "Acknowledge the request" in page.words()
    at = office.at("letters/new/refuse")
    page = office.dpo.get(at)
    fields = {name: page.all("input", name=name)[0].get("value") for name in ("name", "email", "title")} | {
        "text": page.all("textarea", name="text")[0].text,
        "address": "",
    }
    page = office.dpo.post(at, {**fields, "word": ""}, status=422)
    assert "Enter the reason" in page.words()
    page = office.dpo.follow(office.dpo.post(at, {**fields, "word": "It is <b>held</b> by another"}))
    assert "It is <b>held</b> by another" in page.words()
    assert "Draft" in page.words()
    letter = kept.of_case(office.db, office.case_id)[0]
    own = office.at(f"letters/{letter.id}")
    answer = office.dpo.http.get(f"{own}/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    page = office.dpo.follow(office.dpo.post(f"{own}/send", page=own))
    assert "On its way by e-mail" in page.words()
    page = office.dpo.post(f"{own}/send", page="/your-devices", status=409)
    assert "This letter has gone already" in page.words()


def test_a_letter_that_was_posted_is_written_down(office: Office) -> None:
    at = office.at("letters/new/acknowledge")
    office.dpo.post(at, {"name": "Ada Lead", "title": "We have it", "text": "Dear Ada\n\n# When\n- Soon"})
    letter = kept.of_case(office.db, office.case_id)[0]
    own = office.at(f"letters/{letter.id}")
    typed = {"way": "post", "on-day": "1", "on-month": "4", "on-year": "2023", "evidence": "Receipt <4711>"}
    page = office.dpo.post(f"{own}/carried", typed, page=own, status=422)
    assert "This lies in the future" in page.words()
    assert "Receipt &lt;4711&gt;" in page.text
    office.dpo.post(f"{own}/carried", {**typed, "on-month": "3"}, page=own)
    page = office.dpo.get(own)
    assert "By post" in page.words()
    office.db.rollback()
    assert kept.of_case(office.db, office.case_id)[0].state is LetterState.SENT
    assert office.events() == [Event.ACKNOWLEDGED]


def test_a_draft_is_changed_and_thrown_away(office: Office) -> None:
    at = office.at("letters/new/acknowledge")
    typed = {"name": "Ada Lead", "title": "We have it", "text": "Dear Ada"}
    office.dpo.post(at, typed)
    letter = kept.of_case(office.db, office.case_id)[0]
    own = office.at(f"letters/{letter.id}")
    office.dpo.post(f"{own}/edit", {**typed, "title": "We have got it"})
    assert "We have got it" in office.dpo.get(own).words()
    assert "Nobody can bring it back" in office.dpo.get(f"{own}/discard").words()
    office.dpo.get(own)
    office.dpo.post(f"{own}/discard")
    office.dpo.get(own, status=404)
    assert "No letter was written yet" in office.dpo.get(office.at("letters")).words()


def test_an_foi_case_offers_no_letter(office: Office) -> None:
    office.case_id = office.open(CaseKind.FOI)
    page = office.dpo.get(office.at("letters"))
    assert "We write nothing before it has authorised a reply (clause 13.4)" in page.words()
    assert not [link for link in page.all("a") if "/letters/new/" in link.get("href", "")]
    office.dpo.get(office.at("letters/new/answer"), status=409)
    office.dpo.get(office.at("letters/new/nothing"), status=404)


def test_templates_are_kept_in_versions(office: Office) -> None:
    page = office.dpo.get("/desk/letter-templates")
    assert "As it came with the portal" in page.words()
    at = "/desk/letter-templates/acknowledge"
    page = office.dpo.post(at, {"title": "New", "text": "Dear {nobody}"}, status=422)
    assert "Nothing is called {nobody}" in page.words()
    office.dpo.post(at, {"title": "New for {case}", "text": "Dear {name}"})
    assert "Version 1" in office.dpo.get("/desk/letter-templates").words()
    page = office.dpo.get(office.at("letters/new/acknowledge"))
    assert page.all("input", name="title")[0].get("value", "").startswith("New for C-")
    assert office.db.get(Person, office.person_id) is not None


def test_the_package_is_a_file_that_opens(office: Office) -> None:
    office.dpo.post(office.at("package"))
    office.db.rollback()
    story = acts.read(office.db, office.case_id)
    content = case_redaction.choices(office.db, story)[0].file.content or b""
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert "index.html" in archive.namelist()
