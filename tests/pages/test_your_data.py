"""Your data: what people see of it, ask, download and put right; and the public page without an account."""

import io
from datetime import date
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.cases import intake
from portal.desk import housekeeping
from portal.models import Mail, NoticeShown, Person, PublicRequest, Role
from portal.own_data import notices as privacy_notices
from portal.own_data import public_requests, self_service
from portal.own_data import requests as own_requests
from portal.own_data.notices import Version
from privacy import erasure, person_exports
from privacy.cases import acts
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.registers import Standing
from privacy.rights import Cause, ExportState, PersonExport, Rectification
from privacy.work import unit_of_work
from surveys import readings
from surveys.readings import Reading
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

LETTER = "DfE/12"


@pytest.fixture
def ada(make: Factory) -> UUID:
    made = make.person("Ada Lead", email="ada@council.example")
    make.package(made)
    person_id = made.id
    make.db.rollback()
    return person_id


@pytest.fixture
def own(client: PageClient, ada: UUID) -> PageClient:
    return client.sign_in(ada)


def allow(db: DbSession, clock: SetClock, *which: Standing) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        self_service.enter(
            work,
            letter=LETTER,
            from_on=date(2023, 1, 1),
            acts=dict.fromkeys(which, True),
            wording="They may do so themselves.",
        )


def sessions(stack: Stack) -> person_exports.Sessions:
    return lambda: DbSession(stack.engine, info={"vault": stack.instance.vault})


def build(stack: Stack) -> None:
    person_exports.run(housekeeping.desk(stack.instance, sessions(stack)))


def the_case(db: DbSession) -> Case:
    db.rollback()
    return db.scalars(select(Case)).one()


def events(db: DbSession) -> list[Event]:
    db.rollback()
    return list(db.scalars(select(CaseEvent.kind).order_by(CaseEvent.number)))


def happen(db: DbSession, clock: SetClock, case_id: UUID, kind: Event, **more: Any) -> None:
    with unit_of_work(db, clock, "person:desk") as work:
        acts.happen(work, case_id=case_id, kind=kind, **more)


def form_id(page: Page) -> str:
    return str(page.all("input", name="case_id")[0].get("value"))


def ask(client: PageClient, word: str, text: str = "") -> Page:
    path = f"/your-data/ask/{word}"
    return client.post(path, {"case_id": form_id(client.get(path)), "text": text})


# ---- the page


def test_the_page_says_what_is_held_in_words(own: PageClient) -> None:
    page = own.get("/your-data")
    words = page.words()
    assert "Your roles, in which council, from when to when" in words
    assert "The support that you take part in 1 To know who is supported in which package until" in words
    assert "Ada Lead" in words
    assert "ada@council.example" in words
    assert "You have not asked for anything yet." in words
    assert "Nobody has opened your answers." in words
    assert "(cl " not in words


def test_everybody_who_is_signed_in_finds_it(make: Factory, stack: Stack) -> None:
    for role in (Role.MENTOR, Role.TEAM, Role.DPO, Role.OBSERVER, Role.ADMINISTRATOR):
        client = PageClient(stack.app, stack.instance).sign_in(make.person(role=role).id)
        page = client.get("/your-data")
        assert page.all("a", href="/your-data"), role
    assert PageClient(stack.app, stack.instance).get("/sign-in").all("a", href="/your-rights")


def test_what_is_held_follows_the_roles(client: PageClient, make: Factory) -> None:
    client.sign_in(make.mentor("Max Mentor").id)
    words = client.get("/your-data").words()
    assert "The hours that you publish 5" in words
    assert "Your answers to questionnaires" not in words


# ---- asking


@pytest.mark.parametrize(
    "word", ["access", "rectification", "erasure", "restriction", "objection", "portability", "complaint"]
)
def test_each_right_opens_a_case_and_sends_its_notice(own: PageClient, db: DbSession, word: str) -> None:
    page = own.follow(ask(own, word, "About my goals"))
    assert "We have it, and tell the Department at once." in page.words()
    assert "About my goals" in page.words()
    case = the_case(db)
    assert (case.kind, case.channel, case.asked) == (CaseKind(word), Channel.PORTAL, "About my goals")
    assert case.contact == {"name": "Ada Lead", "email": "ada@council.example"}
    assert set(db.scalars(select(Mail.template))) == {"notice"}
    page = own.get("/your-data")
    assert f"Number {case.ref}, of 1 March 2023" in page.words()


def test_what_is_unclear_alone_has_to_be_said(own: PageClient, db: DbSession) -> None:
    path = "/your-data/ask/erasure"
    page = own.post(path, {"case_id": form_id(own.get(path)), "text": " "}, status=422)
    assert "Say what you want, in your own words" in page.words()
    assert db.scalars(select(Case)).all() == []
    ask(own, "access")
    assert the_case(db).asked == "Get a copy of what you hold about me"


def test_a_form_that_is_sent_twice_asks_once(own: PageClient, db: DbSession) -> None:
    data = {"case_id": str(uuid4()), "text": "My phone number"}
    places = {own.post("/your-data/ask/objection", data).response.headers["Location"] for _ in range(2)}
    assert len(places) == 1
    assert the_case(db).kind is CaseKind.OBJECTION


SENT_BEFORE = "This page was sent before with something else in it"


def test_a_form_that_is_sent_again_with_something_else_in_it_asks_for_both(
    own: PageClient, db: DbSession
) -> None:
    data = {"case_id": str(uuid4()), "text": "My phone number"}
    own.post("/your-data/ask/objection", data)
    page = own.post("/your-data/ask/objection", {**data, "text": "My address"}, status=409)
    assert SENT_BEFORE in page.words()
    assert "My address" in page.text
    again = page.tree.find(".//input[@name='case_id']").get("value")
    own.post("/your-data/ask/objection", {"case_id": again, "text": "My address"})
    assert sorted(case.asked or "" for case in db.scalars(select(Case))) == ["My address", "My phone number"]


def test_a_detail_that_is_changed_once_more_in_the_same_form_is_not_passed_over(
    own: PageClient, db: DbSession
) -> None:
    data = {"case_id": str(uuid4()), "name": "Ada Leed", "phone": ""}
    for _ in range(2):
        own.post("/your-data/details", data)
    asked = the_case(db).asked
    assert SENT_BEFORE in own.post("/your-data/details", {**data, "name": "Ada Lood"}, status=409).words()
    assert the_case(db).asked == asked


def test_a_made_up_right_is_not_found(own: PageClient) -> None:
    own.get("/your-data/ask/incident", status=404)
    own.get("/your-data/ask/foi", status=404)


def test_the_deadline_is_shown_until_they_have_heard(own: PageClient, db: DbSession, clock: SetClock) -> None:
    ask(own, "objection", "Stop")
    assert "You hear by 3 April 2023" in own.get("/your-data").words()


# ---- seeing it go on


def test_they_see_steps_and_never_a_note(own: PageClient, db: DbSession, clock: SetClock) -> None:
    page = own.follow(ask(own, "restriction", "All of it"))
    case_id = the_case(db).id
    happen(db, clock, case_id, Event.NOTE, body={"text": "A difficult one"})
    happen(db, clock, case_id, Event.ASSIGNED, person_id=db.scalars(select(Person.id)).first())
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED, body={"evidence": "Message 1 of the server"})
    page = own.get(f"/your-data/requests/{case_id}")
    assert "We told the Department" in page.words()
    assert "The Department is deciding" in page.words()
    for word in ("difficult", "Message 1", "note", "given to"):
        assert word not in page.text.split("</main>")[0].split("<main")[1]


def test_they_answer_what_is_asked_and_only_once(own: PageClient, db: DbSession, clock: SetClock) -> None:
    ask(own, "access")
    case_id = the_case(db).id
    happen(db, clock, case_id, Event.CLARIFICATION_ASKED, body={"question": "Which year do you mean?"})
    assert "We wait to hear from you" in own.get("/your-data").words()
    at = f"/your-data/requests/{case_id}"
    assert "Which year do you mean?" in own.get(at).words()
    own.post(f"{at}/answer", {"answer": "All of 2022"})
    assert events(db)[-1] is Event.CLARIFICATION_ANSWERED
    assert "All of 2022" in own.get(at).words()
    page = own.post(f"{at}/answer", {"answer": "And 2021"}, status=409)
    assert "And 2021" in page.text


def test_they_add_to_it_and_nothing_is_closed_by_that(
    own: PageClient, db: DbSession, clock: SetClock
) -> None:
    ask(own, "complaint", "It took too long")
    case = the_case(db)
    at = f"/your-data/requests/{case.id}"
    own.post(f"{at}/more", {"text": "It is solved", "takes_back": "y"})
    page = own.get(at)
    assert "You told us that you do not need it any more" in page.words()
    assert "It is solved" in page.words()
    db.rollback()
    assert acts.count_open(db) == 1
    note = db.scalars(select(CaseEvent)).one()
    assert note.body == {"text": "It is solved", "takes_back": "yes"}


def test_nobody_sees_anothers_request(
    own: PageClient, make: Factory, stack: Stack, db: DbSession, clock: SetClock
) -> None:
    ask(own, "access")
    case_id = the_case(db).id
    for role in (Role.LEAD_MEMBER, Role.DPO, Role.TEAM):
        other = PageClient(stack.app, stack.instance).sign_in(make.person(role=role).id)
        other.get(f"/your-data/requests/{case_id}", status=404)
        other.post(f"/your-data/requests/{case_id}/more", {"text": "x"}, page="/your-devices", status=404)
        path = "/your-data/ask/access"
        token = other.get(path).token()
        answer = other.http.post(path, data={"csrf_token": token, "case_id": str(case_id), "text": ""})
        assert answer.status_code == 404


def test_drills_incidents_and_disclosure_requests_are_not_theirs_to_see(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    hidden = []
    for kind, exercise in (
        (CaseKind.THIRD_PARTY, False),
        (CaseKind.INCIDENT, False),
        (CaseKind.ACCESS, True),
        # Somebody else's complaint, about them.
        (CaseKind.COMPLAINT, False),
    ):
        with unit_of_work(db, clock, "person:desk") as work:
            case_id = intake.take_in(
                work,
                stack.instance.programme,
                kind=kind,
                channel=Channel.EMAIL,
                received_at=clock.now,
                asked="Something",
                subject_id=ada,
                exercise=exercise,
            ).id
        hidden.append(str(case_id))
        own.get(f"/your-data/requests/{case_id}", status=404)
    with unit_of_work(db, clock, "person:desk") as work:
        hidden.append(str(erasure.place_hold(work, person_id=ada, cause=Cause.LEGAL).id))
        hidden.append(str(person_exports.ask(work, person_id=ada).id))
    page = own.get("/your-data").words()
    assert "You have not asked for anything yet." in page
    assert "What you ask about your data" not in page
    allow(db, clock, Standing.OWN_DOWNLOAD)
    own.post("/your-data/copy", page="/your-data")
    build(stack)
    export_id = db.scalars(select(PersonExport.id).where(PersonExport.by == f"person:{ada}")).one()
    db.rollback()
    answer = own.post(f"/your-data/copies/{export_id}", page="/your-data/copy", status=200).response
    with ZipFile(io.BytesIO(answer.get_data())) as archive:
        whole = "\n".join(archive.read(name).decode() for name in archive.namelist())
    # Nor does any trace tell them that there is one.
    assert [one for one in hidden if one in whole] == []
    kinds = ("third_party", '"incident"', r"\"incident\"")
    assert not [word for word in (*kinds, "Something") if word in whole]


# ---- a copy


def test_without_an_instruction_a_copy_is_asked_of_the_department(own: PageClient, db: DbSession) -> None:
    page = own.get("/your-data")
    assert "Your request goes to the Department first" in page.words()
    page = own.post("/your-data/copy", page="/your-data/details")
    assert page.response.headers["Location"] == "/your-data/ask/access"
    assert db.scalars(select(PersonExport)).all() == []


def test_a_copy_is_made_and_downloaded_once(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    allow(db, clock, Standing.OWN_DOWNLOAD)
    page = own.follow(own.post("/your-data/copy", page="/your-data"))
    assert "We are making your copy" in page.words()
    own.post("/your-data/copy", page="/your-data/details")
    case = the_case(db)
    assert case.kind is CaseKind.ACCESS
    assert events(db) == [Event.STANDING]
    build(stack)
    assert events(db) == [Event.STANDING, Event.PACKAGE_MADE]
    page = own.get("/your-data/copy")
    assert "You can download it once, until Wednesday 8 March 2023, 9am" in page.words()
    export_id = db.scalars(select(PersonExport.id)).one()
    db.rollback()
    answer = own.post(f"/your-data/copies/{export_id}", page="/your-data/copy", status=200).response
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'filename="your-data-2023-03-01.zip"' in answer.headers["Content-Disposition"]
    with ZipFile(io.BytesIO(answer.get_data())) as archive:
        text = archive.read("index.html").decode()
    assert "Ada Lead" in text
    assert "Check before" not in text
    assert not list(housekeeping.export_folder(stack.instance).iterdir())
    page = own.follow(own.post(f"/your-data/copies/{export_id}", page="/your-data/copy"))
    assert "This copy is gone" in page.words()
    assert events(db)[-2:] == [Event.SEARCHED, Event.ANSWERED]
    # It is closed by itself, but not before the Department was told.
    assert own_requests.close_done(sessions(stack), clock) == 0
    happen(db, clock, case.id, Event.CONTROLLER_NOTIFIED, body={"evidence": "Message 1"})
    assert own_requests.close_done(sessions(stack), clock) == 1
    assert own_requests.close_done(sessions(stack), clock) == 0
    db.rollback()
    assert acts.read(db, case.id).closed is not None
    assert "We closed it" in own.get(f"/your-data/requests/{case.id}").words()


def test_what_others_wrote_is_looked_at_first(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    allow(db, clock, Standing.OWN_DOWNLOAD)
    ask(own, "objection", "My own words")
    earlier = the_case(db).id
    happen(db, clock, earlier, Event.NOTE, body={"text": "Mrs Quill says otherwise"})
    own.post("/your-data/copy", page="/your-data")
    build(stack)
    export = db.scalars(select(PersonExport)).one()
    export_id = export.id
    assert (export.state, export.left_out) == (ExportState.READY, 1)
    db.rollback()
    assert "1 thing that somebody else wrote about you is not in it yet" in own.get("/your-data").words()
    answer = own.post(f"/your-data/copies/{export_id}", page="/your-data/copy", status=200).response
    with ZipFile(io.BytesIO(answer.get_data())) as archive:
        whole = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert "Quill" not in whole
    assert "My own words" in whole
    assert "Not in this copy" in whole
    db.rollback()
    case_id = db.scalars(select(Case.id).where(Case.kind == CaseKind.ACCESS)).one()
    assert acts.read(db, case_id).first(Event.ANSWERED) is None


def test_a_copy_is_gone_after_seven_days_and_can_be_made_again(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    allow(db, clock, Standing.OWN_DOWNLOAD)
    own.post("/your-data/copy", page="/your-data")
    build(stack)
    export_id = db.scalars(select(PersonExport.id)).one()
    db.rollback()
    clock.pass_time(days=7, minutes=1)
    own.sign_in(ada)
    assert "Make a copy to download" in own.get("/your-data").words()
    page = own.follow(own.post(f"/your-data/copies/{export_id}", page="/your-data/details"))
    assert "This copy is gone" in page.words()


def test_the_officers_export_is_not_theirs_to_fetch(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    with unit_of_work(db, clock, "person:desk") as work:
        export_id = person_exports.ask(work, person_id=ada).id
    build(stack)
    own.post(f"/your-data/copies/{export_id}", page="/your-data/details", status=404)
    db.rollback()
    assert db.get_one(PersonExport, export_id).state is ExportState.READY


# ---- details


def details(**typed: str) -> dict[str, str]:
    """A form of its own, with these fields."""
    return {"case_id": str(uuid4()), **typed}


@pytest.mark.parametrize("allowed", [True, False])
def test_details_sent_twice_are_one_case(
    allowed: bool, own: PageClient, db: DbSession, clock: SetClock
) -> None:
    if allowed:
        allow(db, clock, Standing.OWN_CORRECTION)
    form = details(name="Ada Leed", phone="07700 900123")
    for _ in range(2):
        own.post("/your-data/details", form)
    assert len(db.scalars(select(Case)).all()) == 1
    assert len(db.scalars(select(Mail)).all()) == 2, "one notice to each mailbox"


def test_details_are_put_right_at_once_and_the_history_stays(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock
) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    page = own.follow(own.post("/your-data/details", details(name="Ada Leed", phone="07700 900123")))
    assert "It is put right. The Department is told that you did so." in page.words()
    assert "Ada Leed" in page.words()
    found = db.scalars(select(Rectification).order_by(Rectification.item_column)).all()
    assert [(one.before, one.after) for one in found] == [("Ada Lead", "Ada Leed"), (None, "07700 900123")]
    assert events(db) == [Event.STANDING, Event.ACTED, Event.ANSWERED]
    acted = db.scalars(select(CaseEvent).where(CaseEvent.kind == Event.ACTED)).one()
    assert (acted.entry_id is not None, acted.body) == (True, {"what": "Name, Phone number"})
    assert set(db.scalars(select(Mail.template))) == {"notice"}


def test_without_an_instruction_it_is_asked_for(own: PageClient, ada: UUID, db: DbSession) -> None:
    page = own.get("/your-data/details")
    assert "Your request goes to the Department first" in page.words()
    page = own.follow(own.post("/your-data/details", details(name="Ada Leed", phone="")))
    assert "It is put right when the Department says so." in page.words()
    case = the_case(db)
    assert (case.kind, case.asked) == (CaseKind.RECTIFICATION, "This is right:\nName: Ada Leed")
    assert db.get_one(Person, ada).name == "Ada Lead"


def test_an_instruction_can_be_taken_back(own: PageClient, db: DbSession, clock: SetClock) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    clock.pass_time(minutes=1)
    with unit_of_work(db, clock, "system:test") as work:
        acts_ = {Standing.OWN_CORRECTION: False}
        self_service.enter(work, letter="DfE/13", from_on=date(2023, 3, 1), acts=acts_, wording="No more.")
    assert "Your request goes to the Department first" in own.get("/your-data/details").words()


@pytest.mark.parametrize(
    "typed, said", [({"name": " "}, "Enter your name"), ({"name": "???"}, "Enter a name")]
)
def test_a_bad_detail_is_said_beside_it(
    own: PageClient, db: DbSession, clock: SetClock, typed: dict[str, str], said: str
) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    page = own.post("/your-data/details", details(phone="07700 900123", **typed), status=422)
    assert said in page.words()
    assert page.all("input", name="phone")[0].get("value") == "07700 900123"
    assert db.scalars(select(Case)).all() == []


def test_a_number_that_cannot_be_rung_is_refused(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock
) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    for number in ("abc", "12345", "1234567890123456"):
        page = own.post("/your-data/details", details(name="Ada Lead", phone=number), status=422)
        assert "The phone number must have 6 to 15 digits" in page.words()
    assert db.scalars(select(Case)).all() == [], "and no notice goes out"
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Person, ada).phone = "ask Jo"
    own.post("/your-data/details", details(name="Ada Leed", phone="ask Jo"))
    assert db.get_one(Person, ada).phone == "ask Jo", "what is stored stays as it is"


def test_nothing_new_opens_nothing(own: PageClient, db: DbSession, clock: SetClock) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    page = own.follow(own.post("/your-data/details", details(name="Ada Lead", phone="")))
    assert "Nothing was different" in page.words()
    assert db.scalars(select(Case)).all() == []


def test_another_address_is_asked_for_and_looked_at(
    own: PageClient, ada: UUID, db: DbSession, clock: SetClock
) -> None:
    allow(db, clock, Standing.OWN_CORRECTION)
    path = "/your-data/address"
    data = {"case_id": form_id(own.get(path))}
    page = own.post(path, {**data, "email": "not an address"}, status=422)
    assert "Enter an e-mail address like name@council.gov.uk" in page.words()
    own.post(path, {**data, "email": "ada.new@council.example"})
    assert the_case(db).asked == "My e-mail address should be: ada.new@council.example"
    assert db.get_one(Person, ada).email == "ada@council.example"


# ---- who opened my answers


def test_readings_are_told_by_day_role_and_purpose(
    own: PageClient, ada: UUID, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = db.get_one(Person, ada)
    reader = make.person("Tia Reader", role=Role.TEAM)
    holder = make.package(person).participations[0].id
    for who in (f"person:{reader.id}", f"person:{ada}", f"person:{uuid4()}"):
        with unit_of_work(db, clock, who) as work:
            readings.note(work, Reading(response_id=uuid4(), respondent_id=holder, purpose="verdict"))
    page = own.get("/your-data")
    assert "1 March 2023 Programme team To judge the example that you gave" in page.words()
    assert page.words().count("To judge the example that you gave") == 2
    assert "1 March 2023 Somebody who has left To judge" in page.words()
    assert "Tia" not in page.text


# ---- the privacy notice


def test_the_first_sign_in_after_a_change_shows_the_notice(
    make: Factory, stack: Stack, db: DbSession, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.person("Ada Lead", email="ada@council.example")
    person_id = person.id
    first = privacy_notices.VERSIONS[0]

    def sign_in() -> Page:
        client = PageClient(stack.app, stack.instance)
        with unit_of_work(db, clock, "system:test") as work:
            token = accounts.make_operator_link(work, person_id=person_id)
        client.post(f"/sign-in/o/{token}")
        return client.get("/your-support")

    def pages() -> str:
        client = PageClient(stack.app, stack.instance).sign_in(person_id)
        return client.get("/your-data").words()

    assert "Version of 1 June 2021 " in pages()
    page = sign_in()
    assert "says what we hold about you" in page.words()
    assert "says what we hold about you" not in sign_in().words()
    assert "Version of 1 June 2021, shown to you on 1 March 2023" in pages()
    newer = Version(date(2023, 3, 2), first.template, "f" * 64)
    monkeypatch.setattr(privacy_notices, "VERSIONS", (first, newer))
    assert "says what we hold about you" not in sign_in().words()
    clock.pass_time(days=1)
    assert "says what we hold about you" in sign_in().words()
    assert "Version of 2 March 2023, shown to you on 2 March 2023" in pages()
    assert db.scalars(select(NoticeShown.digest).order_by(NoticeShown.version_on)).all() == [
        first.digest,
        "f" * 64,
    ]
    client = PageClient(stack.app, stack.instance)
    assert "This is an older version" in client.get("/privacy-notice/2021-06-01").words()
    assert "This is an older version" not in client.get("/privacy-notice").words()
    client.get("/privacy-notice/2021-06-02", status=404)


# ---- without an account


def send(client: PageClient, *, status: int = 303, **typed: Any) -> Page:
    data = {
        "case_id": form_id(client.get("/your-rights")),
        "kind": "access",
        "text": "All that you hold",
        "name": "Ida Outside",
        "reach": "ida@example.org",
    }
    return client.post("/your-rights", {**data, **typed}, status=status)


def test_anybody_can_ask(client: PageClient, db: DbSession) -> None:
    page = client.follow(send(client))
    case = the_case(db)
    assert f"We have your request. Its number is {case.ref}. You hear from us." in page.words()
    assert (case.channel, case.kind, case.subject_id) == (Channel.PUBLIC_PAGE, CaseKind.ACCESS, None)
    assert case.contact == {"name": "Ida Outside", "email": "ida@example.org"}
    assert set(db.scalars(select(Mail.template))) == {"notice"}


@pytest.mark.parametrize("reach, way", [("01632 960 001", "phone"), ("1 High Street, Northshire", "address")])
def test_people_are_reached_as_they_like(client: PageClient, db: DbSession, reach: str, way: str) -> None:
    send(client, reach=reach)
    assert (the_case(db).contact or {})[way] == reach


def test_a_known_address_is_answered_as_an_unknown_one(client: PageClient, ada: UUID, db: DbSession) -> None:
    said = [
        client.follow(send(client, reach=address)).words()
        for address in ("ada@council.example", "nobody@council.example")
    ]
    refs = db.scalars(select(Case.ref)).all()
    for ref in refs:
        said = [text.replace(ref, "C-") for text in said]
    assert said[0] == said[1]
    assert db.scalars(select(Case.subject_id)).all() == [None, None]


def test_the_public_form_keeps_what_was_typed(client: PageClient, db: DbSession) -> None:
    page = send(client, name="", text="A long story", status=422)
    assert "Enter your name" in page.words()
    assert "A long story" in page.text
    assert db.scalars(select(Case)).all() == []


def test_the_public_form_sent_twice_counts_once(client: PageClient, db: DbSession) -> None:
    same: dict[str, Any] = {"case_id": str(uuid4())}
    first, second = (client.follow(send(client, **same)).words() for _ in range(2))
    assert first == second
    the_case(db)


def test_the_public_form_sent_again_with_something_else_in_it_says_so(
    client: PageClient, db: DbSession
) -> None:
    same: dict[str, Any] = {"case_id": str(uuid4())}
    send(client, **same)
    page = send(client, **same, text="Another story", status=409)
    assert SENT_BEFORE in page.words()
    assert "Another story" in page.text
    the_case(db)


def test_floods_are_held_back_and_told_how_else(client: PageClient, db: DbSession, clock: SetClock) -> None:
    client.http.environ_base["REMOTE_ADDR"] = "81.2.69.142"
    for _ in range(public_requests.NETWORK_ASKS_AT_MOST):
        send(client)
    page = send(client, text="One more story", status=429)
    assert "Too many requests came from here" in page.words()
    assert "One more story" in page.text
    assert "data-protection@programme.example" in page.words()
    assert db.scalar(select(func.count()).select_from(PublicRequest)) == public_requests.NETWORK_ASKS_AT_MOST
    db.rollback()
    client.http.environ_base["REMOTE_ADDR"] = "81.2.69.143"
    send(client)
    client.http.environ_base["REMOTE_ADDR"] = "81.2.69.142"
    clock.pass_time(hours=1, minutes=1)
    send(client)
