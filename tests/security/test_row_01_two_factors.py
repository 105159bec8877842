"""Rows 1 and 2: more than one factor before personal data, and no way in that is not listed."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import levels
from portal.access.levels import Reading
from portal.models import STAFF, BrowserSession, Delegation, Person, Role
from portal.people import delegations
from portal.views.guards import Guard
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Response
from tests.answering import address, answer, fill, hidden, send
from tests.conftest import SetClock, Stack
from tests.counts import FULL
from tests.factories import Factory
from tests.security.coming_in import Browser

ROOT = Path(__file__).resolve().parents[2]
ONE = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
MADE_UP: dict[str, Any] = {"wave": "baseline", "occasion": "once", "number": 1}
BEFORE = {"proofs", "factors", "account"}
"""The blueprints of signing in."""

Browse = Callable[[], Browser]


@ONE
@pytest.mark.parametrize("role", sorted(STAFF | {Role.MENTOR}))
def test_row_01_the_first_step_alone_opens_nothing_to_staff(
    stack: Stack, make: Factory, browse: Browse, role: Role
) -> None:
    make.person(role=role, email="somebody@programme.example")
    browser = browse()
    browser.by_mail("somebody@programme.example")
    routes, opened = stack.app.url_map.bind("localhost"), []
    # In the sample one role opens every route, and the others some.
    rules = sorted(stack.app.url_map.iter_rules(), key=lambda rule: rule.endpoint)
    for rule in rules if FULL or role is Role.TEAM else rules[::12]:
        guard: Guard = vars(stack.app.view_functions[rule.endpoint])["guard"]
        if "GET" not in (rule.methods or ()) or guard.policy is None or rule.endpoint.split(".")[0] in BEFORE:
            continue
        values = {name: MADE_UP.get(name, uuid4()) for name in rule.arguments}
        answered = browser.client.http.get(routes.build(rule.endpoint, values))
        if (answered.status_code, answered.headers.get("Location")) != (303, "/sign-in/prove"):
            opened.append((rule.endpoint, answered.status_code))
    assert opened == []
    # Not even the list of what they are signed in with.
    assert browser.leads("/your-devices") == "/sign-in/prove"
    assert browser.leads("/your-sign-in") == "/sign-in/prove"


@ONE
def test_row_01_staff_come_in_by_password_and_app_after_a_start_code(browse: Browse, team: Person) -> None:
    browser = browse()
    browser.by_mail("tess@programme.example")
    assert browser.leads("/your-sign-in/password") == "/sign-in/start-code"
    assert browser.by_start_code(team.id).response.location == "/your-sign-in"
    browser.set_password()
    assert not browser.opens("/team"), "a password alone is not enough for staff"
    key = browser.set_app()
    assert browser.opens("/team")
    again = browse()
    again.by_mail("tess@programme.example")
    assert again.leads("/team") == "/sign-in/prove"
    again.by_password(status=422)
    browser.stack.clock.pass_time(seconds=30)
    assert again.by_password(key=key).response.location == "/team", "the way back is kept"
    assert again.opens("/team")


@ONE
def test_row_01_people_read_who_hands_them_their_start_code(
    make: Factory, browse: Browse, team: Person
) -> None:
    """As the rule has it (`may_help_sign_in`): of staff an administrator, of mentors the team."""
    mentor = make.person("Mo Mentor", email="mo@mentors.example", role=Role.MENTOR)
    for email, words in (
        (team.email, "An administrator hands it to you"),
        (mentor.email, "The programme team hands it to you"),
    ):
        browser = browse()
        browser.by_mail(email or "")
        assert words in browser.client.get("/sign-in/prove").words()


@ONE
def test_row_01_leaders_book_and_answer_with_the_mail_alone(
    stack: Stack, make: Factory, browse: Browse, chief: Person
) -> None:
    """A relaxation with its reason: what the mailbox's readers can do is book and answer, never read."""
    package = make.package(chief, mentor=make.mentor())
    browser = browse()
    browser.by_mail("chief@council.example")
    assert browser.opens("/your-support")
    assert browser.opens(f"/packages/{package.id}/times")
    closed = [
        rule.rule
        for rule in stack.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.arguments
        and vars(stack.app.view_functions[rule.endpoint])["guard"].reads
    ]
    assert {"/your-data", "/your-data/details", "/your-needs"} <= set(closed)
    for path in closed:
        assert browser.leads(path) == "/sign-in/prove", path


@pytest.fixture
def asked(make: Factory, db: DbSession, clock: SetClock, chief: Person) -> str:
    """The address of a questionnaire of the chief executive."""
    versions.publish_shipped(db, clock)
    return address(make.package(chief, mentor=make.mentor(), role=Role.CHIEF_EXECUTIVE))


@ONE
def test_row_01_the_mailbox_does_not_open_the_answers(
    db: DbSession, browse: Browse, chief: Person, asked: str
) -> None:
    theirs, reader = browse(), browse()
    theirs.by_mail("chief@council.example")
    first = theirs.client.get(f"{asked}/1")
    send(theirs.client, f"{asked}/1", fill(first))
    chosen = [box for box in theirs.client.get(f"{asked}/1").all("input") if box.get("checked") is not None]
    assert chosen, "the browser session sees what it typed"

    reader.by_mail("chief@council.example")
    assert reader.leads(asked) == f"{asked}/2", "a resumed draft shows the first unanswered page"
    page = reader.client.get(f"{asked}/1")
    assert "You answered here before" in page.words()
    assert [box for box in page.all("input") if box.get("checked") is not None] == []
    assert hidden(page)["_revision"].endswith("-covered"), "no digest from which an answer could be guessed"
    assert reader.leads(f"{asked}/1/open") == "/sign-in/prove"
    stored = the_answers(db)
    send(reader.client, f"{asked}/1", dict(hidden(page)))
    assert the_answers(db) == stored, "what is left empty keeps what was answered"


@ONE
def test_row_01_others_finish_and_send_what_they_cannot_read(
    db: DbSession, browse: Browse, chief: Person, asked: str
) -> None:
    theirs, reader = browse(), browse()
    theirs.by_mail("chief@council.example")
    answer(theirs.client, asked)
    reader.by_mail("chief@council.example")
    check = reader.client.get(f"{asked}/check")
    assert "Prove that it is you" in check.words()
    texts = [value for value in the_answers(db).values() if isinstance(value, str) and len(value) > 12]
    assert texts
    for text in texts:
        assert text not in check.text
        assert text in theirs.client.get(f"{asked}/check").text
    receipt = reader.client.follow(reader.client.post(f"{asked}/submit", page=f"{asked}/check"))
    assert receipt.heading == "Answers sent"
    for text in texts:
        assert text not in receipt.text
    for closed in ("copy", "download", "withdraw"):
        assert reader.leads(f"{asked}/{closed}") == "/sign-in/prove"


def the_answers(db: DbSession) -> dict[str, Any]:
    db.rollback()
    return dict(db.scalars(select(Response)).one().answers)


@ONE
def test_row_01_who_needs_more_to_read(
    db: DbSession, clock: SetClock, make: Factory, browse: Browse, stack: Stack
) -> None:
    leader = make.person(email="leader@council.example", council=make.council())
    browser = browse()
    browser.by_mail("leader@council.example")
    assert browser.opens("/your-data"), "whose mailbox nobody shares reads with the mail alone"
    assistant = make.person(role=Role.TEAM)
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(
            Delegation(
                id=new_id(),
                leader_id=leader.id,
                assistant_id=assistant.id,
                from_on=london_date(clock()),
                named_at=work.now,
                named_by="system:test",
            )
        )
    assert browser.leads("/your-data") == "/sign-in/prove", "an assistant reads along from now on"


@ONE
@pytest.mark.parametrize(
    "setting, role, opens",
    [
        ("always", Role.LEAD_MEMBER, False),
        ("always", Role.CHIEF_EXECUTIVE, False),
        ("shared_mailboxes", Role.LEAD_MEMBER, True),
        ("shared_mailboxes", Role.CHIEF_EXECUTIVE, False),
        ("never", Role.LEAD_MEMBER, True),
        ("never", Role.CHIEF_EXECUTIVE, True),
    ],
)
def test_row_01_the_programme_says_who_needs_more(
    make: Factory,
    browse: Browse,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    role: Role,
    opens: bool,
) -> None:
    programme = replace(stack.instance.programme, reading=Reading(setting))
    instance = replace(stack.instance, programme=programme)
    monkeypatch.setitem(stack.app.extensions, "instance", instance)
    make.person(email="leader@council.example", role=role, council=make.council())
    browser = browse()
    browser.by_mail("leader@council.example")
    assert browser.opens("/your-support"), "booking and answering never need it"
    assert browser.opens("/your-data") is opens


@ONE
def test_row_01_a_demos_button_proves_nothing_elsewhere(make: Factory, browse: Browse) -> None:
    make.person(email="chief@council.example", role=Role.CHIEF_EXECUTIVE, council=make.council())
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.client.post("/sign-in/prove/demo", page="/your-devices", status=404)
    assert browser.leads("/your-data") == "/sign-in/prove"


@ONE
def test_row_01_the_question_on_the_first_way_in(
    db: DbSession, clock: SetClock, make: Factory, browse: Browse
) -> None:
    leader = make.person(email="leader@council.example", council=make.council())
    with unit_of_work(db, clock, "system:test") as work:
        new = work.db.get_one(Person, leader.id)
        new.mailbox_shared = new.passkey_offered_at = None
    browser = browse()
    browser.client.get("/your-data", status=303)
    page = browser.by_mail("leader@council.example")
    assert page.response.location == "/sign-in/mailbox"
    page = browser.client.post("/sign-in/mailbox", {"shared": "yes"})
    assert page.response.location == "/sign-in/passkey-offer", "everybody is offered one"
    page = browser.client.post("/sign-in/passkey-offer", {"later": "y"})
    assert page.response.location == "/your-data", "and can skip it"
    assert browser.leads("/your-data") == "/sign-in/prove", "others read the mailbox, as they say"
    browser.client.post("/your-sign-in/mailbox", {"shared": "no"}, page="/your-sign-in")
    assert browser.leads("/your-data") == "/sign-in/prove", "who reads the mailbox cannot take that back"
    again = browse()
    assert again.by_mail("leader@council.example").response.location == "/", "it is asked once"


@ONE
def test_row_01_naming_an_assistant_says_first_what_it_closes(make: Factory, browse: Browse) -> None:
    make.person(email="leader@council.example", council=make.council())
    browser = browse()
    browser.by_mail("leader@council.example")
    page = browser.client.get("/your-assistant")
    assert "answers and notes open only with a passkey or a password" in page.words()
    assert "You have no passkey or password yet" in page.words()
    assert browser.leads("/your-assistant/sign-in") == "/your-sign-in"
    assert browser.set_password().response.location == "/your-assistant", "and back, with a sure proof"
    assert "You have no passkey" not in browser.client.get("/your-assistant").words()
    named = {"name": "Pat", "email": "pat@council.example", "sure": "pat@council.example"}
    browser.client.post("/your-assistant", named)
    assert browser.opens("/your-data"), "what was proved stays proved"
    assert "Once somebody is named" not in browser.client.get("/your-assistant").words()


@ONE
def test_row_01_who_reads_the_mailbox_does_not_open_it_by_ending_the_assistant(
    db: DbSession, clock: SetClock, make: Factory, browse: Browse
) -> None:
    leader = make.person(email="leader@council.example", council=make.council())
    browser = browse()
    browser.by_mail("leader@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        row = delegations.name(work, leader_id=leader.id, called="Pat", email="pat@council.example")
    for path in ("/your-assistant", "/your-data"):
        assert browser.leads(path) == "/sign-in/prove"
    token = browser.client.get("/your-support").token()
    ended = browser.client.http.post("/your-assistant/end", data={"csrf_token": token})
    assert ended.headers["Location"] == "/sign-in/prove"
    with unit_of_work(db, clock, "system:test") as work:
        delegations.end(work, delegation_id=row.id)
    assert browser.leads("/your-data") == "/sign-in/prove", "it stays closed when somebody else ends it"
    assert browse().by_mail("leader@council.example").response.location == "/", "nobody asks the mailbox"


@ONE
def test_row_01_an_assistant_of_before_the_question_counts_until_it_is_answered(
    db: DbSession, make: Factory, clock: SetClock
) -> None:
    leader, today = make.person(council=make.council()), london_date(clock())
    with unit_of_work(db, clock, "system:test") as work:
        row = delegations.name(work, leader_id=leader.id, called="Pat", email="pat@council.example")
        delegations.end(work, delegation_id=row.id)
    db.expire_all()
    person = db.get_one(Person, leader.id)
    for said, shared in ((None, True), (False, False), (True, True)):
        person.mailbox_shared = said
        assert levels.is_shared(person, on=today) is shared


@ONE
def test_row_01_the_mailbox_sets_up_nothing_that_outlasts_it(browse: Browse, chief: Person) -> None:
    """Neither an address of a calendar nor an assistant nor a request over one's data, which others act on."""
    browser = browse()
    browser.by_mail("chief@council.example")
    token = browser.client.get("/your-calendar").token()
    for path in (
        "/your-calendar/address",
        "/your-assistant",
        "/your-assistant/end",
        "/your-data/ask/erasure",
    ):
        sent = {"csrf_token": token, "name": "Pat", "email": "pat@evil.example", "text": "All of it"}
        answer = browser.client.http.post(path, data=sent)
        leads = answer.headers["Location"]
        assert leads == "/sign-in/prove" or leads.startswith("/kept/"), path
    assert browser.leads("/your-data/ask/erasure") == "/sign-in/prove"


# ---- row 2: the ways in

MAKES_A_SESSION = {"let_in", "add_proof", "BrowserSession"}
WAYS = {
    ("portal/access/accounts.py", "finish", "let_in"): "the mailed code or link, in the browser that asked",
    ("portal/access/accounts.py", "use_operator_link", "let_in"): "a link from the command line",
    ("portal/access/accounts.py", "enter_demo", "let_in"): "a button, on a demo only",
    ("portal/access/devices.py", "carry_on", "let_in"): "an own device, level 1 for 30 days",
    ("portal/access/devices.py", "_row", "BrowserSession"): "the one place that makes the row",
    ("portal/access/passkey_sign_in.py", "finish_sign_in", "let_in"): "a passkey",
    ("portal/access/passkey_sign_in.py", "prove", "add_proof"): "a passkey in a browser that is in already",
    ("portal/access/proofs.py", "take", "add_proof"): "password (and app), recovery code, start code",
    ("portal/views/account_factors.py", "_set_up", "add_proof"): "what was set up after a start code",
    ("portal/views/account_prove.py", "prove_in_demo", "add_proof"): "a button, on a demo only",
}


def test_row_02_every_way_in_is_listed() -> None:
    found = set()
    for path in sorted((ROOT / "portal").rglob("*.py")):
        text = path.read_text()
        if not any(f"{name}(" in text for name in MAKES_A_SESSION):
            continue
        for function in ast.walk(ast.parse(text)):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    name = (
                        node.func.attr
                        if isinstance(node.func, ast.Attribute)
                        else getattr(node.func, "id", "")
                    )
                    if name in MAKES_A_SESSION:
                        found.add((str(path.relative_to(ROOT)), function.name, name))
    # The view's own let_in keeps the cookies of a sign-in that a rule made.
    rules = {way for way in found if not (way[0].startswith("portal/views/") and way[2] == "let_in")}
    assert rules == set(WAYS)


def test_row_02_each_way_says_how(
    stack: Stack, db: DbSession, browse: Browse, chief: Person, team: Person
) -> None:
    browser = browse()
    browser.by_mail("chief@council.example", device="y")
    assert method(db, chief.id) == ("mail", 1)
    browser.by_start_code(chief.id)
    assert method(db, chief.id) == ("mail+start", 1)
    browser.set_password()
    assert method(db, chief.id) == ("mail+start+password", 2)
    browser.stack.clock.pass_time(hours=2)
    browser.client.post("/sign-in/continue", page="/sign-in")
    assert method(db, chief.id) == ("device", 1)
    browser.by_password()
    assert method(db, chief.id) == ("device+password", 2)
    staff = browse()
    staff.set_up_staff("tess@programme.example", team.id)
    assert method(db, team.id) == ("mail+start+app", 2)


def method(db: DbSession, person_id: UUID) -> tuple[str | None, int]:
    db.rollback()
    rows = db.scalars(
        select(BrowserSession)
        .where(BrowserSession.person_id == person_id, BrowserSession.device.is_(False))
        .order_by(BrowserSession.created_at.desc())
    ).all()
    return rows[0].method, rows[0].level
