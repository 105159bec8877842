"""The registers' pages: what the officer keeps, what the auditor reads, and access that lapses."""

import io
import zipfile
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import suspicions
from portal.models import AccessDecision, Mail, Mailbox, Person, Role, Suspicion
from privacy import audit_verifier, registers, risks, subprocessors
from privacy.audit import Action, AuditEntry
from privacy.cases import acts, affected
from privacy.cases.tables import Case, CaseKind, Channel, Event
from privacy.records import new_id
from privacy.registers import DataItem, Register
from privacy.work import unit_of_work
from tests.canary_walk import date_of
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import PageClient

REGISTERS = "/desk/registers"
NO_DAYS = {f"{name}-{part}": "" for name in ("agreed_on", "ended_on") for part in ("day", "month", "year")}
SUB_PROCESSOR = {
    "name": "Relay <Ltd>",
    "does": "Carries mail",
    "location": "Leeds",
    "hosts": "SMTP.relay.example, second.relay.example",
    "consent": "DFE 4",
    **date_of("notified_on", 2, 1),
    **date_of("consented_on", 9, 1),
    **NO_DAYS,
}
RISK = {
    "title": "Answers become known",
    "harm": "They are held to them",
    "likelihood": "3",
    "severity": "5",
    "measures": "Sealed",
    "left_likelihood": "1",
    "left_severity": "5",
    "owner": "The officer",
}


@pytest.fixture
def officer(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Dee Pio", role=Role.DPO).id)


@pytest.fixture
def auditor(stack: Stack, make: Factory) -> PageClient:
    browser = PageClient(stack.app, stack.instance)
    return browser.sign_in(make.person("Au Ditor", role=Role.AUDITOR).id)


def test_the_list_leads_to_every_register_and_says_what_to_look_at(
    officer: PageClient, auditor: PageClient
) -> None:
    for reader in (officer, auditor):
        page = reader.get(REGISTERS)
        assert "No version of schedule 3a is entered" in page.words()
        links = [link.get("href") for link in page.all("a", class_="govuk-link")]
        for href in links:
            if href and (href.startswith(("/desk", "/privacy-desk")) or "conflicts" in href):
                reader.get(href)


# ---- instructions


def test_an_instruction_is_entered_with_its_grounds_and_shows_on_its_day(
    officer: PageClient, db: DbSession
) -> None:
    path = "/privacy-desk/instructions/new"
    typed = {
        "letter": "DFE 7",
        "wording": "Dietary needs may be <recorded>",
        "political_group": "silent",
        "adjustments": "silent",
        "dietary": "listed",
        "dietary_basis": "6(1)(a)",
        "dietary_condition": "",
        "case_words": "silent",
        **date_of("from_on", 10),
    }
    page = officer.post(path, typed, status=422)
    assert "choose the lawful basis and the condition of Article 9" in page.words()
    assert "Dietary needs may be <recorded>" in page.words(page.all("textarea", name="wording")[0])
    officer.post(path, typed | {"dietary_condition": "9(2)(a)"})
    db.rollback()
    assert registers.lists(db, DataItem.DIETARY, on=datetime(2023, 3, 10, tzinfo=UTC).date())
    index = "/privacy-desk/instructions"
    assert "9(2)(a) explicit consent" not in officer.get(index).words()
    later = officer.get(f"{index}?on-day=10&on-month=3&on-year=2023").words()
    assert "In force on 10 March 2023" in later
    assert "9(2)(a) explicit consent" in later


def test_schedule_3a_begins_with_the_version_in_force(officer: PageClient) -> None:
    path = "/privacy-desk/instructions/schedule-3a"
    rows = dict.fromkeys(("subject", "duration", "purposes", "data", "people", "plan"), "As signed")
    officer.post(path, {"letter": "CON 1", **rows, **date_of("from_on", 1, 6, 2021)})
    page = officer.get(path)
    assert page.words(page.all("textarea", name="plan")[0]) == "As signed"
    assert "Schedule 3a, as of 1 June 2021 (CON 1)" in officer.get("/privacy-desk/instructions").words()
    officer.post(path, {"letter": "", **rows, **date_of("from_on", 1)}, status=422)


# ---- sub-processors, remarks, risks


def test_a_sub_processor_goes_from_notice_to_agreement(
    officer: PageClient, auditor: PageClient, stack: Stack, db: DbSession
) -> None:
    path = f"{REGISTERS}/sub-processors"
    page = officer.post(f"{path}/new", SUB_PROCESSOR | {"consent": ""}, status=422)
    assert "Enter the reference of the letter of consent" in page.words()
    officer.post(f"{path}/new", SUB_PROCESSOR)
    shown = auditor.get(path)
    assert (
        "Not to be used Missing: a written agreement; what the Department was told about it" in shown.words()
    )
    assert "Relay <Ltd>" in shown.words()
    assert not [link for link in shown.all("a") if link.get("href", "").startswith(f"{path}/")]
    db.rollback()
    [kept] = subprocessors.sub_processors(db)
    entry = kept.entry.id
    db.rollback()
    stack.clock.pass_time(minutes=1)
    page = officer.get(f"{path}/{entry}")
    assert page.all("input", name="hosts")[0].get("value") == "smtp.relay.example, second.relay.example"
    assert page.all("input", name="consented_on-day")[0].get("value") == "9"
    whole = {**SUB_PROCESSOR, "informed": "Its certificates", **date_of("agreed_on", 12, 1)}
    officer.post(f"{path}/{entry}", whole)
    assert "May be used" in officer.get(path).words()
    officer.get(f"{path}/{entry}", status=404)
    auditor.get(f"{path}/new", status=404)


def test_the_record_of_processing_carries_remarks(officer: PageClient, auditor: PageClient) -> None:
    path = f"{REGISTERS}/processing"
    officer.post(f"{path}/response", {"text": "Opened one at a time"})
    page = auditor.get(path).words()
    assert "Opened one at a time" in page
    assert "Browsers that people are or were signed in with" in page, "not the names of tables"
    assert "browser_session" not in page
    assert "E-mail address before the change" in page, "not the names of columns"
    assert "What is needed in a session; Dietary needs; Political group" in page
    officer.get(f"{path}/nothing", status=404)
    auditor.get(f"{path}/response", status=404)


def test_the_pack_is_a_page_and_a_pdf(
    officer: PageClient, auditor: PageClient, stack: Stack, db: DbSession
) -> None:
    path = f"{REGISTERS}/assessment"
    page = officer.post(f"{path}/risks/new", RISK | {"left_likelihood": "4"}, status=422)
    assert "cannot be more than the risk without measures" in page.words()
    officer.post(f"{path}/risks/new", RISK | {"severity": "6"}, status=422)
    officer.post(f"{path}/risks/new", RISK)
    officer.post(f"{path}/words/necessity", {"text": "Nobody can be invited without a name"})
    shown = auditor.get(path).words()
    for words in ("15 (high)", "5 (low)", "Nobody can be invited", "Evidence that the portal has itself"):
        assert words in shown
    response = auditor.http.get(f"{path}/pack.pdf")
    assert response.mimetype == "application/pdf"
    assert response.data.startswith(b"%PDF")
    db.rollback()
    [kept] = risks.risks(db)
    entry = kept.entry.id
    db.rollback()
    stack.clock.pass_time(minutes=1)
    officer.post(f"{path}/risks/{entry}", RISK | {"closed": "y"})
    assert "Answers become known" not in officer.get(path).words()
    officer.get(f"{path}/words/nothing", status=404)


# ---- who can see what


def unreviewed(make: Factory, name: str, role: Role) -> UUID:
    person_id = make.person(name, role=role).id
    with unit_of_work(make.db, make.clock, "system:test") as work:
        for row in work.db.scalars(select(AccessDecision).where(AccessDecision.person_id == person_id)):
            work.db.delete(row)
    return person_id


def test_unconfirmed_access_lapses_in_the_guard_and_is_given_back(
    stack: Stack, make: Factory, officer: PageClient
) -> None:
    member_id = unreviewed(make, "Tess Team", Role.TEAM)
    stack.clock.now = datetime(2023, 4, 14, 22, tzinfo=UTC)
    member = PageClient(stack.app, stack.instance).sign_in(member_id)
    member.get("/team")
    stack.clock.now = datetime(2023, 4, 14, 23, 30, tzinfo=UTC)
    member.sign_in(member_id)
    page = member.get("/team", status=403)
    assert "was not confirmed" in page.words()
    assert "data-protection@programme.example" in page.words()
    officer.sign_in(
        make.db.scalars(select(Person.id).join(Person.offices).where(Person.id != member_id)).first()
    )
    path = f"{REGISTERS}/access"
    assert "Tess Team" in officer.get(path).words()
    assert "Choose at least one person" in officer.post(path, {"act": "confirm"}, status=422).words()
    officer.post(path, {"person": str(member_id), "act": "confirm"})
    member.get("/team")
    stack.clock.pass_time(minutes=1)
    officer.post(path, {"person": str(member_id), "act": "close"})
    assert "was closed in the access review" in member.get("/team", status=403).words()


def test_administrators_confirm_officers_and_nobody_themselves(
    stack: Stack, make: Factory, client: PageClient
) -> None:
    officer_id = unreviewed(make, "Dee Pio", Role.DPO)
    administrator_id = make.person(role=Role.ADMINISTRATOR).id
    stack.clock.now = datetime(2023, 3, 28, 9, tzinfo=UTC)
    path = f"{REGISTERS}/access"
    client.sign_in(officer_id)
    page = client.get(path)
    assert not page.all("input", value=str(officer_id))
    typed = {"person": str(officer_id), "act": "confirm"}
    refused = client.post(path, typed, page="/privacy-desk/people", status=422)
    assert "You cannot confirm what you yourself can see" in refused.words()
    client.sign_in(administrator_id).post(path, typed)
    assert "Confirmed" in client.get(path).words()


# ---- what the auditor reads


@pytest.fixture
def case_id(make: Factory, stack: Stack) -> UUID:
    with unit_of_work(make.db, stack.clock, "person:dpo") as work:
        case = acts.open_case(
            work,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=work.now,
            contact={"name": "Ada Quill"},
            asked="All about Quill",
        )
        work.db.flush()
        acts.happen(work, case_id=case.id, kind=Event.NOTE, body={"text": "Quill rang"})
        return case.id


def test_cases_are_shown_to_the_auditor_without_anybody(
    auditor: PageClient, case_id: UUID, stack: Stack
) -> None:
    stack.clock.pass_time(days=40)
    auditor.sign_in(auditor_id(stack))
    shown = auditor.get("/desk/audit").words()
    assert "clocks missed" in shown
    page = auditor.get(f"/desk/audit/cases/{case_id}").words()
    assert "Answer the request" in page
    assert "Late" in page
    assert "Quill" not in shown + page
    assert "Not shown: no instruction lists it" in page


def auditor_id(stack: Stack) -> UUID:
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        return next(person.id for person in db.scalars(select(Person)) if person.name == "Au Ditor")


def test_words_are_shown_once_an_instruction_lists_them(
    auditor: PageClient, case_id: UUID, make: Factory, stack: Stack
) -> None:
    with unit_of_work(make.db, stack.clock, "person:dpo") as work:
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter="DFE 2",
            from_on=make.today,
            items={DataItem.CASE_WORDS: True},
        )
    page = auditor.get(f"/desk/audit/cases/{case_id}").words()
    assert "All about Quill" in page
    assert "Quill rang" in page
    assert "Ada" not in page


def test_the_auditor_takes_the_package_and_changes_nothing_else(
    auditor: PageClient, case_id: UUID, db: DbSession
) -> None:
    taken = auditor.post("/desk/audit/package", page="/desk/audit", status=200)
    data = taken.response.data
    assert audit_verifier.check(io.BytesIO(data), [])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"Quill" not in archive.read("cases.jsonl")
    last = db.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert last is not None
    assert last.action == "audit.exported"
    for path in (
        "/desk/exercises/new",
        f"{REGISTERS}/assessment/risks/new",
        "/privacy-desk/instructions/new",
    ):
        auditor.get(path, status=404)


# ---- suspicions and incidents


@pytest.fixture
def raised(stack: Stack, make: Factory) -> UUID:
    with unit_of_work(make.db, stack.clock, "system:test") as work:
        work.record(Action.SEAL_REFUSED, object=f"person:{new_id()}", table="person", column="name_sealed")
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    assert suspicions.run(stack.instance, sessions) == 1
    found = make.db.scalars(select(Suspicion.id)).one()
    make.db.rollback()
    return found


def test_a_suspicion_is_confirmed_and_the_controller_notified(
    officer: PageClient, auditor: PageClient, raised: UUID, db: DbSession
) -> None:
    page = officer.get("/desk/suspicions")
    assert "A sealed value did not open" in page.words()
    assert "To be reported by Thursday 2 March 2023" in page.words()
    assert not auditor.get("/desk/suspicions").all("form", method="post")[1:], "the auditor only reads"
    assert (
        "a notice goes to the Department at once" in officer.get(f"/desk/suspicions/{raised}/confirm").words()
    )
    assert db.scalars(select(Mail).where(Mail.template == "notice")).all() == []
    db.rollback()
    done = officer.post(f"/desk/suspicions/{raised}/confirm")
    assert officer.follow(done).heading == "Who is affected"
    told = set(db.scalars(select(Mail.mailbox).where(Mail.template == "notice")))
    assert told == {Mailbox.CONTROLLER_DPO, Mailbox.DEPARTMENT}
    again = officer.post(f"/desk/suspicions/{raised}/confirm", page="/privacy-desk/people")
    assert "has decided about this suspicion already" in officer.follow(again).words()


def test_a_suspicion_is_dismissed_with_a_reason_once(officer: PageClient, raised: UUID) -> None:
    path = f"/desk/suspicions/{raised}/dismiss"
    assert "Enter why it is no incident" in officer.post(path, {"reason": ""}, status=422).words()
    officer.post(path, {"reason": "A disk was being replaced"})
    assert "Dismissed: A disk was being replaced" in officer.get("/desk/suspicions").words()
    late = officer.post(path, {"reason": "Typed in another tab"}, status=409)
    assert "Typed in another tab" in late.words(late.all("textarea", name="reason")[0])


def test_an_exercise_runs_from_its_beginning_to_whom_it_concerns(
    officer: PageClient, make: Factory, db: DbSession
) -> None:
    ada, ben = make.person("Ada Quill", email="ada@quill.example"), make.person("Ben Oak")
    ada_id = ada.id
    package = make.package(ben).ref
    officer.post("/desk/exercises/new", {"scenario": "", "words": ""}, status=422)
    officer.post("/desk/exercises/new", {"scenario": "laptop", "words": "On the 9:15"})
    db.rollback()
    case_id = db.scalars(select(Case.id)).one()
    db.rollback()
    path = f"/desk/cases/{case_id}/affected"
    page = officer.post(path, {"people": "ada@quill.example\nnobody@x.example", "packages": ""}, status=422)
    assert "Nobody has the reference or address nobody@x.example" in page.words()
    assert "nobody@x.example" in page.words(page.all("textarea", name="people")[0])
    officer.post(path, {"people": "ada@quill.example", "packages": package})
    assert "2 people are on the list" in officer.get(path).words()
    officer.post(f"{path}/remove", {"person": str(ada_id)}, page=path)
    db.rollback()
    assert affected.count(db, case_id) == 1
    db.rollback()
    assert officer.post(f"{path}/assess", {"risk": ""}, page=path, status=422).heading == "Who is affected"
    officer.post(f"{path}/assess", {"risk": "They are named", "table": "person"}, page=path)
    db.rollback()
    event = acts.read(db, case_id).last(Event.ASSESSED)
    assert event is not None
    assert (event.body["people"], "E-mail address" in event.body["data"]) == (1, True)
    assert "Exercises" in officer.get("/desk/exercises").words()
    assert officer.get(f"{REGISTERS}/personnel").heading == "Personnel"
