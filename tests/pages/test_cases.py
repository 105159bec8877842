"""The desk: a case is taken in, goes on step by step, and ends; nothing that was typed is lost on the way."""

import io
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.models import BrowserSession, Role
from portal.resources.file_kinds import BYTES_AT_MOST
from privacy import registers
from privacy.audit import AuditEntry
from privacy.cases import acts
from privacy.cases.story import State
from privacy.cases.tables import Case, CaseEvent, CaseFile, CaseKind, Channel, Event, Notice
from privacy.erasure import holds
from privacy.registers import Register
from privacy.rights import Cause, Erasure, ErasureState, LegalHold
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.seconding import second_agrees

NOW = datetime(2027, 2, 1, 10, tzinfo=UTC)
SMALL = "/your-devices"
"""A small page to take the form token from: the page of a case holds a form for everything that can happen."""
DAY: dict[str, Any] = {"on-day": "1", "on-month": "2", "on-year": "2027"}


@pytest.fixture(autouse=True)
def _today(clock: SetClock) -> None:
    clock.now = NOW


@pytest.fixture
def officer(make: Factory, clock: SetClock) -> UUID:
    found = make.person("Dee Officer", role=Role.DPO).id
    make.db.rollback()
    return found


@pytest.fixture
def dpo(client: PageClient, officer: UUID) -> PageClient:
    return client.sign_in(officer)


def intake(**typed: Any) -> dict[str, Any]:
    return {
        "case_id": str(uuid4()),
        "kind": "access",
        "channel": "email",
        "asked": "Send me all that you hold",
        "name": "Ada Quill",
        "email": "ada@example.org",
        "owner": "",
        "deputy": "",
        **DAY,
        **typed,
    }


def take_in(dpo: PageClient, **typed: Any) -> str:
    """Take a case in; returns where its page is."""
    page = dpo.post("/desk/cases/new", intake(**typed), page=SMALL)
    return str(page.response.headers["Location"])


def happen(dpo: PageClient, where: str, event: str, *, status: int = 303, **typed: Any) -> Page:
    data = {"event": event, "event_id": str(uuid4()), **typed}
    return dpo.post(f"{where}/events", data, page=SMALL, status=status)


def file(name: str, content: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def sent_large(dpo: PageClient, path: str, data: dict[str, Any], name: str, content: bytes) -> Page:
    """Send a form with a file too large for the test client, which would spool it to a file."""
    fields = {"csrf_token": dpo.get(SMALL).token(), **data}
    fields["files"] = FileStorage(io.BytesIO(content), filename=name, name="files")
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    return Page(dpo.http.post(path, data=body, content_type=kind))


# ---- taking in


def test_the_desk_begins_empty_and_says_so(dpo: PageClient) -> None:
    page = dpo.get("/desk")
    assert page.heading == "Desk"
    assert "Nothing is late" in page.words()
    assert "Audit trail checked" in page.words()
    assert "No case fits" in dpo.get("/desk/cases").words()
    assert page.all("a", href="/privacy-desk/holdings")
    assert page.all("a", href="/privacy-desk/trail")


def test_each_kind_is_taken_in_and_its_notice_is_saved_with_it(dpo: PageClient, db: DbSession) -> None:
    places = {kind: take_in(dpo, kind=kind.value, channel="post") for kind in CaseKind}
    cases = {case.kind: case for case in db.scalars(select(Case))}
    assert db.scalar(select(func.count()).select_from(Notice)) == len(cases) == len(CaseKind)
    desk, listed = dpo.get("/desk").words(), dpo.get("/desk/cases").words()
    for kind, case in cases.items():
        assert (case.channel, case.received_at) == (Channel.POST, datetime(2027, 2, 1, tzinfo=UTC))
        assert case.ref in desk
        assert case.ref in listed
        page = dpo.get(places[kind])
        assert page.heading == f"Case {case.ref}"
        assert "Less than a day since receipt" in page.words()


@pytest.mark.parametrize("phone", ["ring the desk", "12345", "0" * 16])
def test_a_phone_number_is_one_that_can_be_rung(dpo: PageClient, db: DbSession, phone: str) -> None:
    page = dpo.post("/desk/cases/new", intake(phone=phone), page=SMALL, status=422)
    assert "The phone number must have 6 to 15 digits" in page.words()
    assert phone in page.text
    assert db.scalars(select(Case)).all() == []


@pytest.mark.parametrize("channel", ["email", "post", "phone", "in_person"])
def test_every_channel_can_be_written_down(dpo: PageClient, db: DbSession, channel: str) -> None:
    take_in(dpo, channel=channel, at="9:07am", taken_by="The front desk")
    case = db.scalars(select(Case)).one()
    assert case.channel.value == channel
    assert case.received_at == datetime(2027, 2, 1, 9, 7, tzinfo=UTC)
    assert case.entered_at == NOW
    assert case.contact == {"name": "Ada Quill", "email": "ada@example.org", "taken_by": "The front desk"}


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"on-day": "2"}, "This lies in the future"),
        ({"on-day": "29"}, "The day must be a real date"),
        ({"on-day": ""}, "must include a day"),
        ({"on-day": "", "on-month": "", "on-year": ""}, "Enter the day on which it reached us"),
        ({"kind": ""}, "Choose what it is"),
        ({"email": "not valid at all"}, "Enter an e-mail address like"),
        ({"channel": "portal"}, "Choose how it reached us"),
        ({"asked": " "}, "Enter what they ask, or what happened"),
        ({"about": "P-222222"}, "Nobody has this reference or address"),
        ({"copy_of": "C-222222"}, "No case has this reference"),
        ({"at": "25:10"}, "Enter a time such as 2:30pm"),
    ],
)
def test_what_cannot_be_is_told_beside_the_field_and_nothing_typed_is_lost(
    dpo: PageClient, db: DbSession, wrong: dict[str, str], said: str
) -> None:
    typed = intake(name="Ada Quill of Exbourne", **wrong)
    page = dpo.post("/desk/cases/new", typed, page=SMALL, status=422)
    assert said in page.words()
    assert page.all("input", value="Ada Quill of Exbourne")
    assert db.scalar(select(func.count()).select_from(Case)) == 0


def test_the_29th_of_february_is_a_day_in_a_leap_year(
    dpo: PageClient, db: DbSession, clock: SetClock, officer: UUID
) -> None:
    clock.now = datetime(2028, 3, 1, 10, tzinfo=UTC)
    dpo.sign_in(officer)
    take_in(dpo, **{"on-day": "29", "on-month": "2", "on-year": "2028"})
    assert db.scalars(select(Case.received_at)).one() == datetime(2028, 2, 29, tzinfo=UTC)
    assert "29 March 2028" in dpo.get("/desk").words()


def test_the_same_form_twice_is_one_case(dpo: PageClient, db: DbSession) -> None:
    typed = intake()
    first = dpo.post("/desk/cases/new", typed)
    second = dpo.post("/desk/cases/new", typed)
    assert first.response.headers["Location"] == second.response.headers["Location"]
    assert db.scalar(select(func.count()).select_from(Case)) == 1


def test_earlier_cases_of_the_same_person_or_address_are_shown(
    dpo: PageClient, db: DbSession, make: Factory
) -> None:
    person = make.person("Ada Quill", email="ada@example.org")
    person_id, ref = person.id, person.ref
    make.db.rollback()
    first = take_in(dpo, about=ref)
    page = dpo.post("/desk/cases/new", intake(email=" ADA@example.org ", name="", check="yes"), status=200)
    db.rollback()
    earlier = db.scalars(select(Case)).one()
    assert earlier.subject_id == person_id
    assert earlier.ref in page.words()
    assert "The same address" in page.words()
    assert "May be the same request" in page.words()
    assert f"belongs to the account of {ref}" in page.words()
    assert db.scalar(select(func.count()).select_from(Case)) == 1, "looking opens nothing"
    db.rollback()
    second = take_in(dpo, email="", name="quill, ADA", phone="07700 900123", copy_of=earlier.ref.lower())
    assert "The same name" in dpo.get(second).words()
    assert "Repeats" in dpo.get(second).words()
    db.rollback()
    assert db.scalars(select(Case.copy_of).where(Case.copy_of.is_not(None))).one()
    assert "Other cases of the same person" in dpo.get(first).words()


def test_nobody_takes_in_what_is_about_themselves(
    dpo: PageClient, officer: UUID, make: Factory, stack: Stack, db: DbSession
) -> None:
    with unit_of_work(db, stack.clock, "system:test") as work:
        own = acts.open_case(
            work,
            kind=CaseKind.ACCESS,
            channel=Channel.PORTAL,
            received_at=NOW,
            asked="Mine",
            subject_id=officer,
        ).id
    dpo.get(f"/desk/cases/{own}", status=404)
    other = make.person(role=Role.DPO)
    deputy = PageClient(stack.app, stack.instance).sign_in(other.id)
    assert "Mine" in deputy.get(f"/desk/cases/{own}").words()


# ---- files


def test_files_are_sealed_and_given_out_as_downloads_under_our_names(dpo: PageClient, db: DbSession) -> None:
    at = take_in(
        dpo,
        files=[file("<b>scan & letter</b>.pdf", b"%PDF-1.7 secret"), file("note.html.txt", b"A word")],
    )
    page = dpo.get(at)
    case = db.scalars(select(Case)).one()
    kept = db.scalars(select(CaseFile).order_by(CaseFile.media_type)).all()
    assert [(one.name, one.size) for one in kept] == [("<b>scan & letter</b>.pdf", 15), ("note.html.txt", 6)]
    raw = db.execute(select(CaseFile.__table__.c.content_sealed)).scalars().all()
    assert not [value for value in raw if b"secret" in value]
    links = [one.get("href") for one in page.all("a") if "/files/" in (one.get("href") or "")]
    assert len(links) == 2
    names = set()
    for link in links:
        answer = dpo.http.get(link)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=")
        names.add(disposition.split("=")[1].strip('"'))
        assert answer.mimetype in ("application/pdf", "text/plain")
    assert {name.split(".")[0] for name in names} == {f"{case.ref}-1", f"{case.ref}-2"}
    assert {name.split(".")[1] for name in names} == {"pdf", "txt"}
    assert "<b>scan" not in page.text


@pytest.mark.parametrize(
    "sent, said",
    [
        (("letter.pdf", b"<!doctype html><script>alert(1)</script>"), "This is a web page"),
        (("letter.docx", b"PK\x03\x04 x"), "This file is damaged"),
    ],
)
def test_a_file_that_cannot_be_taken_loses_nothing_else(
    dpo: PageClient, db: DbSession, sent: tuple[str, bytes], said: str
) -> None:
    page = dpo.post("/desk/cases/new", intake(files=[file(*sent)]), status=422)
    assert said in page.words()
    assert "Choose your files again" in page.words()
    assert "Send me all that you hold" in page.words()
    assert page.all("input", value="ada@example.org")
    at = take_in(dpo)
    page = happen(dpo, at, "note", status=422, text="A long talk with Ada", files=[file(*sent)])
    assert said in page.words()
    assert "A long talk with Ada" in page.words()
    assert db.scalar(select(func.count()).select_from(CaseEvent)) == 0


@pytest.mark.parametrize("size", [BYTES_AT_MOST + 1, 3 * BYTES_AT_MOST])
def test_a_file_that_is_too_large_loses_nothing_else(dpo: PageClient, db: DbSession, size: int) -> None:
    large = b"%PDF-".ljust(size, b" ")
    page = sent_large(dpo, "/desk/cases/new", intake(), "big.pdf", large)
    assert page.status == 422
    assert "big.pdf: This file is larger than 10 MB" in page.words()
    assert "Send me all that you hold" in page.words()
    at = take_in(dpo)
    note = {"event": "note", "event_id": str(uuid4()), "text": "A long talk with Ada"}
    page = sent_large(dpo, f"{at}/events", note, "big.pdf", large)
    assert page.status == 422
    assert "A long talk with Ada" in page.words()
    page = sent_large(dpo, f"{at}/events", note, "big.pdf", large[:BYTES_AT_MOST])
    assert page.status == 303
    assert db.scalars(select(CaseFile.size)).one() == BYTES_AT_MOST


def test_a_file_of_another_case_is_not_found_under_this_one(dpo: PageClient, db: DbSession) -> None:
    first = take_in(dpo, files=[file("note.txt", b"A word")])
    second = take_in(dpo)
    file_id = db.scalars(select(CaseFile.id)).one()
    assert dpo.http.get(f"{first}/files/{file_id}").status_code == 200
    assert dpo.http.get(f"{second}/files/{file_id}").status_code == 404


# ---- going on


def test_a_request_goes_on_step_by_step_to_its_end(
    dpo: PageClient, db: DbSession, officer: UUID, clock: SetClock
) -> None:
    at = take_in(dpo, kind="rectification", owner=str(officer))
    case_id = db.scalars(select(Case.id)).one()
    page = dpo.get(at)
    assert "Next" in page.words()
    assert "One month ends on Monday 1 March 2027" in page.words()
    happen(dpo, at, "controller_notified", evidence="Message 17", files=[file("receipt.txt", b"250 OK")])
    assert "since receipt" not in dpo.get(at).words()
    happen(dpo, at, "identity_asked", reason="The address is new")
    clock.pass_time(days=2)
    dpo.sign_in(officer)
    happen(dpo, at, "identity_received", what="A call back", **(DAY | {"on-day": "3"}))
    page = dpo.get(at)
    assert "The month begins with proof of identity, on Wednesday 3 February 2027" in page.words()
    page = happen(dpo, at, "acted", what="Name put right", letter="DfE/77", status=409)
    assert "First comes" in page.words()
    assert "Name put right" in page.words(), "what was typed is still there"
    happen(dpo, at, "controller_decided", decision="Put it right", letter="DfE/77")
    db.rollback()
    entry = registers.entries(db, Register.INSTRUCTION)[0]
    # More people read the register than the case: the words stay there.
    assert entry.letter == "DfE/77"
    assert entry.body == f"A decision in case {acts.read(db, case_id).case.ref}. Its words stand in the case."
    page = happen(dpo, at, "acted", what="Name put right", letter="DfE/78", status=422)
    assert "The register holds no instruction with this reference" in page.words()
    happen(dpo, at, "acted", what="Name put right", letter="DfE/77")
    happen(dpo, at, "answered", how="By letter")
    page = happen(dpo, at, "closed", outcome="Put right", status=422)
    assert "What shows it: this cannot be empty" in page.words()
    happen(dpo, at, "closed", outcome="Put right", evidence="Letter of today")
    db.rollback()
    story = acts.read(db, case_id)
    assert story.state is State.CLOSED
    assert all(step.done for step in story.steps())
    page = dpo.get(at)
    assert "Rests on instruction DfE/77" in page.words()
    assert "Dee Officer" in page.words()
    assert "No case fits" in dpo.get("/desk/cases").words()
    assert story.case.ref in dpo.get("/desk/cases?stand=closed").words()


def test_closing_with_something_left_out_says_what_and_asks_why(dpo: PageClient, db: DbSession) -> None:
    at = take_in(dpo, kind="incident")
    assert "Not done yet: Report it to the Controller, Contain it" in dpo.get(at).words()
    page = happen(dpo, at, "closed", outcome="Done", evidence="None", status=422)
    assert "Do that first, or enter why it is left out" in page.words()
    happen(dpo, at, "closed", outcome="Done", evidence="None", left_out="Nothing had happened.")
    assert "Nothing had happened. Left out: Report it to the Controller" in dpo.get(at).words()


def test_a_request_that_was_closed_without_an_answer_is_not_answered(dpo: PageClient) -> None:
    at = take_in(dpo)
    happen(dpo, at, "closed", outcome="Done", evidence="None", left_out="No time")
    words = dpo.get(at).words()
    assert "Answer the request One month ends" in words or "Not done when the case was closed" in words
    assert "Done 1 February" not in words


def test_of_two_tabs_that_close_a_case_the_second_is_told(dpo: PageClient, db: DbSession) -> None:
    at = take_in(dpo)
    happen(dpo, at, "closed", outcome="Taken back", evidence="Call", left_out="Taken back")
    page = happen(dpo, at, "closed", outcome="Taken back by phone", evidence="Call of Ada", status=409)
    assert "This case was closed on 1 February 2027" in page.words()
    assert "Taken back by phone" in page.words()
    assert "Call of Ada" in page.words()
    assert db.scalar(select(func.count()).select_from(CaseEvent)) == 1
    happen(dpo, at, "reopened", reason="They wrote again")
    assert "Close the case" in dpo.get(at).words()


def test_the_same_form_twice_is_one_event(dpo: PageClient, db: DbSession) -> None:
    at = take_in(dpo)
    event_id = str(uuid4())
    for _ in range(2):
        happen(dpo, at, "note", text="A call", event_id=event_id)
    assert db.scalar(select(func.count()).select_from(CaseEvent)) == 1


@pytest.mark.parametrize(
    "event, typed, said",
    [
        ("note", {"text": "x", **DAY, "on-day": "2"}, "This lies in the future"),
        ("note", {"text": "x", **DAY, "on-month": "1"}, "1 January 2027 is earlier than 1 February 2027"),
        ("note", {"text": "x", **DAY, "on-day": "30"}, "The day must be a real date"),
        ("note", {"text": "x", "at": "2pm"}, "Enter the day as well"),
        ("note", {"text": "x", **DAY, "at": "8:59am"}, "earlier than the case was received"),
        ("note", {"text": ""}, "this cannot be empty"),
        ("subject_known", {"who": "nobody@example.org"}, "Nobody has this reference or address"),
        ("assigned", {"person_id": str(UUID(int=7))}, "Choose somebody"),
    ],
)
def test_an_event_that_cannot_be_is_told_beside_its_field(
    dpo: PageClient, db: DbSession, event: str, typed: dict[str, str], said: str
) -> None:
    at = take_in(dpo, at="9am")
    page = happen(dpo, at, event, status=422, **typed)
    assert said in page.words()
    assert page.all("a", href=f"#{event}-{_field(event, typed)}")
    assert db.scalar(select(func.count()).select_from(CaseEvent)) == 0


def _field(event: str, typed: dict[str, str]) -> str:
    if event != "note":
        return "who" if event == "subject_known" else "person_id"
    if typed["text"] == "":
        return "text"
    return "at" if set(typed) == {"text", "at"} else "on-day"


def test_waits_that_overlap_and_answers_before_questions_are_refused(
    dpo: PageClient, clock: SetClock, officer: UUID
) -> None:
    at = take_in(dpo)
    clock.pass_time(days=20)
    dpo.sign_in(officer)
    page = happen(dpo, at, "clarification_answered", answer="All", status=409)
    assert "First comes: We asked what is meant" in page.words()
    happen(dpo, at, "clarification_asked", question="Which?", **(DAY | {"on-day": "10"}))
    page = happen(dpo, at, "clarification_answered", answer="All", status=422, **(DAY | {"on-day": "9"}))
    assert "9 February 2027 is earlier than 10 February 2027" in page.words()
    happen(dpo, at, "clarification_answered", answer="All", **(DAY | {"on-day": "17"}))
    page = happen(dpo, at, "clarification_asked", question="And?", status=422, **(DAY | {"on-day": "15"}))
    assert "Ask one at a time" in page.words()
    page = dpo.get(at)
    assert "8 days of waiting for an answer" in page.words()
    assert "Safer to plan for: 8 March 2027" in page.words()
    assert "9 March 2027" in page.words()


def test_a_case_is_given_to_an_officer_and_a_deputy(
    dpo: PageClient, db: DbSession, make: Factory, officer: UUID
) -> None:
    deputy = make.person("Del Deputy", role=Role.DPO).id
    make.person("Tess Team", role=Role.TEAM)
    make.db.rollback()
    at = take_in(dpo)
    assert "Tess Team" not in dpo.get(at).words()
    happen(dpo, at, "assigned", person_id=str(officer))
    happen(dpo, at, "deputised", person_id=str(deputy))
    story = acts.read(db, db.scalars(select(Case.id)).one())
    assert (story.owner_id, story.deputy_id) == (officer, deputy)
    assert "Del Deputy" in dpo.get(at).words()
    assert story.case.ref in dpo.get(f"/desk/cases?owner={officer}").words()
    assert story.case.ref not in dpo.get("/desk/cases?owner=nobody").words()


def test_a_refused_form_that_is_loaded_anew_leads_to_the_case(dpo: PageClient) -> None:
    at = take_in(dpo)
    happen(dpo, at, "closed", outcome="", status=422)
    assert dpo.get(f"{at}/events", status=303).response.headers["Location"] == at


def test_an_incident_stands_on_the_desk_until_it_is_closed(dpo: PageClient, db: DbSession) -> None:
    at = take_in(dpo, kind="incident")
    happen(dpo, at, "controller_notified", evidence="Message 1")
    ref = db.scalars(select(Case.ref)).one()
    page = dpo.get("/desk")
    (table,) = page.all("table", id="open-cases")
    assert f"{ref} Incident" in page.words(table)
    assert "Contain it" in page.words(table)
    happen(dpo, at, "closed", outcome="Done", evidence="None", left_out="Nothing to contain")
    assert ref not in dpo.get("/desk").words()


def test_an_event_that_nobody_knows_is_not_found(dpo: PageClient) -> None:
    at = take_in(dpo)
    happen(dpo, at, "nonsense", status=404)
    dpo.post(f"/desk/cases/{uuid4()}/events", {"event": "note"}, page=at, status=404)


# ---- minutes


def test_minutes_run_until_there_is_evidence_and_are_no_use_of_the_portal(
    dpo: PageClient, db: DbSession, clock: SetClock
) -> None:
    at = take_in(dpo, at="9:50am")
    assert "10 minutes since receipt" in dpo.get(f"{at}/minutes").words()
    seen = db.scalars(select(BrowserSession.seen_at)).one()
    for _ in range(3):
        clock.pass_time(minutes=5)
        fragment = dpo.http.get(f"{at}/minutes", headers={"HX-Request": "true"})
        assert "every 60s" in fragment.get_data(as_text=True)
        dpo.http.get("/desk/not-told", headers={"HX-Request": "true"})
    db.rollback()
    assert db.scalars(select(BrowserSession.seen_at)).one() == seen
    clock.pass_time(minutes=6)
    gone = dpo.http.get(f"{at}/minutes", headers={"HX-Request": "true"})
    assert gone.status_code == 286, "the asking ends, and nobody is led away from what they typed"
    assert "HX-Redirect" not in gone.headers
    assert "You are signed out" in gone.get_data(as_text=True)
    dpo.get(f"{at}/minutes", status=303)


def test_the_minutes_stop_with_the_evidence(dpo: PageClient) -> None:
    at = take_in(dpo)
    assert "hx-trigger" in dpo.get("/desk").text
    assert "The Controller does not know yet" in dpo.get("/desk/not-told").words()
    happen(dpo, at, "controller_notified", evidence="By phone, then by mail")
    assert dpo.get(f"{at}/minutes").words() == ""
    assert "does not know yet" not in dpo.get("/desk/not-told").words()


# ---- holds


@pytest.mark.parametrize("kind, cause", [("access", Cause.ACCESS), ("foi", Cause.FOI)])
def test_an_open_request_holds_the_data_until_it_is_closed(
    dpo: PageClient, db: DbSession, make: Factory, kind: str, cause: Cause
) -> None:
    person = make.person("Ada Quill")
    person_id, ref = person.id, person.ref
    make.db.rollback()
    at = take_in(dpo, kind=kind, about=ref)
    (hold,) = holds(db, person_id)
    assert (hold.cause, hold.item_table) == (cause, None)
    db.rollback()
    page = dpo.get(at)
    assert f"Closing the case lifts its hold on the data of {ref}. No erasure waits for it" in page.words()
    assert "erases" not in page.text
    happen(dpo, at, "closed", outcome="Answered", evidence="Letter", left_out="By post")
    assert f"The hold on the data of {ref} is lifted." in dpo.get(at).words()
    assert holds(db, person_id) == []
    db.rollback()
    happen(dpo, at, "reopened", reason="More to find")
    assert len(holds(db, person_id)) == 1


def test_an_erasure_that_waited_goes_on_when_the_case_is_closed(
    dpo: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    person = make.person("Ada Quill")
    person_id, ref = person.id, person.ref
    make.db.rollback()
    dpo.post("/privacy-desk/people/instructions", {"letter": "INSTR 1", "wording": "Erase"})
    at = take_in(dpo, about=ref)
    dpo.post(f"/privacy-desk/people/{person_id}/erase", {"letter": "INSTR 1", "confirm": ref})
    second_agrees(db, clock)
    dpo.post(f"/privacy-desk/people/{person_id}/erase", {"letter": "INSTR 1", "confirm": ref})
    assert db.scalars(select(Erasure.state)).one() is ErasureState.HELD
    db.rollback()
    said: dict[str, Any] = {"outcome": "Answered", "evidence": "Letter", "left_out": "By post"}
    assert f"lifts the hold on the data of {ref}. An erasure waits for it" in dpo.get(at).words()
    refused = happen(dpo, at, "closed", status=422, **said)
    assert f"An erasure of the data of {ref} waits for this. Tick the box" in refused.words()
    db.rollback()
    assert db.scalars(select(Erasure.state)).one() is ErasureState.HELD
    db.rollback()
    happen(dpo, at, "closed", erases="y", **said)
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED
    page = dpo.get(at)
    assert f"The hold is lifted, and the data of {ref} is erased." in page.words()
    assert "Ada Quill" not in page.text
    assert "Erased" in page.words()


def test_an_erasure_goes_on_waiting_for_another_hold(
    dpo: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    person = make.person("Ada Quill")
    person_id, ref = person.id, person.ref
    make.db.rollback()
    dpo.post("/privacy-desk/people/instructions", {"letter": "INSTR 1", "wording": "Erase"})
    first, second = take_in(dpo, about=ref), take_in(dpo, about=ref, kind="foi")
    dpo.post(f"/privacy-desk/people/{person_id}/erase", {"letter": "INSTR 1", "confirm": ref})
    second_agrees(db, clock)
    dpo.post(f"/privacy-desk/people/{person_id}/erase", {"letter": "INSTR 1", "confirm": ref})
    said: dict[str, Any] = {"outcome": "Answered", "evidence": "Letter", "left_out": "By post"}
    waits = "goes on waiting: 1 other hold keeps it."
    assert f"The erasure that was asked for {waits}" in dpo.get(first).words()
    happen(dpo, first, "closed", **said)
    assert f"The erasure of the data of {ref} {waits}" in dpo.get(first).words()
    happen(dpo, second, "closed", status=422, **said)
    db.rollback()
    assert db.scalars(select(Erasure.state)).one() is ErasureState.HELD


def test_a_drill_and_other_kinds_hold_nobody(dpo: PageClient, db: DbSession, make: Factory) -> None:
    person = make.person("Ada Quill")
    ref = person.ref
    make.db.rollback()
    take_in(dpo, about=ref, exercise="y")
    take_in(dpo, about=ref, kind="erasure")
    assert db.scalars(select(LegalHold)).all() == []


def test_whom_it_is_about_can_be_found_later_and_put_right(
    dpo: PageClient, db: DbSession, make: Factory
) -> None:
    first, second = (make.person(name, email=f"{name}@example.org") for name in ("ada", "bo"))
    ids = first.id, second.id
    make.db.rollback()
    at = take_in(dpo)
    happen(dpo, at, "subject_known", who="ada@example.org")
    assert [len(holds(db, one)) for one in ids] == [1, 0]
    db.rollback()
    happen(dpo, at, "subject_known", who="bo@example.org")
    assert [len(holds(db, one)) for one in ids] == [0, 1]
    assert db.scalars(select(Case.subject_id)).one() == ids[1]


# ---- lists, files, calendar, calculator


def test_the_list_is_searched_and_taken_out_without_names(dpo: PageClient, db: DbSession) -> None:
    take_in(dpo)
    take_in(dpo, kind="foi", name="Bo Name", at="9am")
    foi = db.scalars(select(Case.ref).where(Case.kind == CaseKind.FOI)).one()
    page = dpo.search("/desk/cases", foi[2:].lower())
    assert foi in page.words()
    assert "1 case." in page.words()
    assert "1 case." in dpo.get("/desk/cases?kind=foi&stand=all&late=yes").words()
    answer = dpo.http.get("/desk/cases.csv?kind=foi")
    assert answer.mimetype == "text/csv"
    assert re.search(r'filename="cases-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    text = answer.get_data(as_text=True)
    assert foi in text
    assert "Bo Name" not in text
    assert len(text.splitlines()) == 2


def test_deadlines_come_as_a_calendar_by_a_secret_that_can_be_ended(
    dpo: PageClient, db: DbSession, stack: Stack, make: Factory
) -> None:
    take_in(dpo)
    ref = db.scalars(select(Case.ref)).one()
    assert f"SUMMARY:{ref}: Answer the request" in dpo.http.get("/desk/deadlines.ics").get_data(as_text=True)
    page = dpo.post("/desk/calendar/address", page="/desk/calendar", status=200)
    found = re.search(r"http://localhost(/desk/deadlines/\S+\.ics)", page.words())
    assert found
    anybody = PageClient(stack.app, stack.instance)
    feed = anybody.http.get(found[1])
    text = feed.get_data(as_text=True)
    assert ref in text
    assert "DTSTART;VALUE=DATE:20270301" in text
    assert "Ada" not in text
    assert anybody.http.get(found[1], headers={"If-None-Match": feed.headers["ETag"]}).status_code == 304
    dpo.post("/desk/calendar/address/end", page="/desk/calendar")
    assert anybody.http.get(found[1]).status_code == 404
    assert anybody.http.get("/desk/deadlines/made-up.ics").status_code == 404


def test_the_feed_of_somebody_who_is_no_officer_shows_no_deadlines(
    client: PageClient, make: Factory, stack: Stack
) -> None:
    client.sign_in(make.person(role=Role.LEAD_MEMBER).id)
    page = client.post("/your-calendar/address", page="/your-calendar", status=200)
    found = re.search(r"/calendar/(\S+)\.ics", page.words())
    assert found
    assert client.http.get(f"/calendar/{found[1]}.ics").status_code == 200
    assert client.http.get(f"/desk/deadlines/{found[1]}.ics").status_code == 404


def test_the_calculator_shows_each_step(dpo: PageClient) -> None:
    assert "Nothing is kept" in dpo.get("/desk/calculator").words()
    dates = "received-day=31&received-month=1&received-year=2027"
    page = dpo.get(f"/desk/calculator?kind=access&{dates}")
    assert "Due: Monday 1 March 2027" in page.words()
    assert "since February has no day 31" in page.words()
    page = dpo.get(
        "/desk/calculator?kind=incident&received-day=24&received-month=10&received-year=2026&at=6pm"
    )
    assert "Due: Sunday 25 October 2026, 5pm" in page.words()
    waits = "asked_1-day=10&asked_1-month=2&asked_1-year=2027&answered_1-day=9&answered_1-month=2&answered_1-year=2027"
    page = dpo.get(f"/desk/calculator?kind=access&{dates}&{waits}", status=422)
    assert "is earlier than the question" in page.words()
    page = dpo.get(f"/desk/calculator?kind=access&{dates.replace('31', '32')}", status=422)
    assert "must be a real date" in page.words()
    assert page.all("input", value="32")
    page = dpo.get(f"/desk/calculator?kind=complaint&{dates.replace('2027', '2026')}", status=422)
    assert "No law set a time" in page.words()


def test_a_holiday_that_was_proclaimed_moves_every_deadline(dpo: PageClient) -> None:
    take_in(dpo)
    assert "1 March 2027" in dpo.get("/desk").words()
    typed = {"on-day": "1", "on-month": "3", "on-year": "2027", "name": "A proclaimed day"}
    dpo.post("/desk/working-days", typed)
    assert "A proclaimed day" in dpo.get("/desk/working-days").words()
    assert "2 March 2027" in dpo.get("/desk").words()
    page = dpo.post("/desk/working-days", typed, status=422)
    assert "This day is a bank holiday already" in page.words()
    assert "known until 31 December 2028" in page.words()
    dpo.post("/desk/working-days/change", {"day": "2027-03-01"}, page="/desk/working-days")
    assert "1 March 2027" in dpo.get("/desk").words()


def test_a_deadline_beyond_the_known_holidays_is_told(
    dpo: PageClient, clock: SetClock, officer: UUID
) -> None:
    clock.now = datetime(2028, 12, 15, 10, tzinfo=UTC)
    dpo.sign_in(officer)
    at = take_in(dpo, **{"on-day": "15", "on-month": "12", "on-year": "2028"})
    assert "not announced yet" in dpo.get(at).words()
    assert "beyond the holidays that are announced" in dpo.get("/desk").words()


def test_the_desk_lists_what_is_late_and_what_waits_for_the_controller(
    dpo: PageClient, clock: SetClock, officer: UUID
) -> None:
    late = take_in(dpo, kind="incident")
    waiting = take_in(dpo, kind="erasure")
    for at in (late, waiting):
        happen(dpo, at, "controller_notified", evidence="Message 1")
    clock.pass_time(days=40)
    page = dpo.sign_in(officer).get("/desk")
    assert "Late by" in page.words()
    assert "Not done yet: Get the Controller's decision" in page.words()
    assert "Waits since" in page.words()


@pytest.mark.parametrize("role", [Role.TEAM, Role.AUDITOR, Role.CHIEF_EXECUTIVE])
def test_nobody_else_gets_near_the_desk(
    client: PageClient, make: Factory, stack: Stack, db: DbSession, role: Role
) -> None:
    officer = PageClient(stack.app, stack.instance).sign_in(make.person(role=Role.DPO).id)
    make.db.rollback()
    at = take_in(officer, files=[file("note.txt", b"A word")])
    file_id = db.scalars(select(CaseFile.id)).one()
    client.sign_in(make.person(role=role).id)
    for path in (
        *(
            "/desk",
            "/desk/cases",
            "/desk/cases.csv",
            "/desk/cases/new",
            "/desk/not-told",
            "/desk/deadlines.ics",
        ),
        *("/desk/calculator", "/desk/calendar", "/desk/working-days", at, f"{at}/minutes"),
        f"{at}/files/{file_id}",
    ):
        client.get(path, status=404)
    client.post(f"{at}/events", {"event": "note", "text": "x"}, page="/your-devices", status=404)


def test_events_stand_in_the_trail_and_name_nobody(dpo: PageClient, db: DbSession) -> None:
    at = take_in(dpo)
    happen(dpo, at, "note", text="Ada rang")
    lines = db.scalars(select(AuditEntry)).all()
    assert {"case.opened", "case.went_on"} <= {line.action for line in lines}
    assert not [line for line in lines if "Ada" in f"{line.details}{line.object}"]
    assert db.scalars(select(CaseEvent.kind)).one() is Event.NOTE
