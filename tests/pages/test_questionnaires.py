"""Questionnaires as people meet them: page by page, in a browser without JavaScript."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import CallRequest, Level, Package, PackageState, Person, Role, Strand
from privacy.audit import AuditEntry
from privacy.clock import Clock
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Mode, Response, ResponseState
from surveys.questionnaires import load_definition
from tests.answering import address, answer, ended, fill, hidden, send
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ada Lead")


@pytest.fixture
def package(make: Factory, leader: Person) -> Package:
    return make.package(leader, mentor=make.mentor("Mo Mentor"), council=make.council("Northshire"))


def the_response(db: DbSession) -> Response:
    db.rollback()
    return db.scalars(select(Response)).one()


def test_from_the_first_page_to_the_receipt_and_the_mentors_times(
    client: PageClient, db: DbSession, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    check = answer(client, address(package))
    receipt = client.follow(client.post(f"{address(package)}/submit", page=f"{address(package)}/check"))
    assert receipt.heading == "Answers sent"
    response = the_response(db)
    assert response.ref in receipt.words()
    assert (response.state, response.mode) == (ResponseState.SUBMITTED, Mode.SELF)
    assert "Only the programme team can read your answers" in receipt.words()
    assert receipt.all("form", action=f"/packages/{package.id}/times"), "the mentor's times stand under it"
    assert receipt.all("input", type="radio", name="time")
    assert "Check your answers" in check.words()


def test_the_first_line_says_who_sees_the_answers(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    page = client.get(f"{address(package)}/1")
    main = page.words(page.all("main")[0])
    assert main.startswith(
        "Only the programme team can read your answers. Your council, your mentor and the Department"
    )
    assert "page 1 of" in main


def test_looking_writes_nothing(client: PageClient, db: DbSession, leader: Person, package: Package) -> None:
    client.sign_in(leader.id)
    client.get(address(package), status=303)
    client.get(f"{address(package)}/1")
    assert db.scalars(select(Response.id)).all() == []
    assert db.scalars(select(AuditEntry.seq).where(AuditEntry.action == "response.opened")).all() == []


def test_each_statement_is_a_fieldset_of_its_own_six_at_most(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    answered = client.get(f"{address(package)}/1")
    second = client.follow(send(client, f"{address(package)}/1", fill(answered)))
    fieldsets = second.all("fieldset")
    assert 1 < len(fieldsets) <= 6
    for fieldset in fieldsets:
        assert len(list(fieldset.iter("legend"))) == 1
        assert len({field.get("name") for field in fieldset.iter("input")}) == 1


def test_somebody_goes_on_where_they_left_off(client: PageClient, leader: Person, package: Package) -> None:
    client.sign_in(leader.id)
    send(client, f"{address(package)}/1", fill(client.get(f"{address(package)}/1")))
    resumed = client.get(address(package), status=303)
    assert resumed.response.headers["Location"].endswith("/2")
    first = client.get(f"{address(package)}/1")
    assert [field for field in first.all("input", type="radio") if field.get("checked") is not None]
    ahead = client.get(f"{address(package)}/4", status=303)
    assert ahead.response.headers["Location"].endswith("/once"), "only answered pages and the next one"


def test_a_missing_answer_is_said_beside_its_question(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    page = client.get(f"{address(package)}/1")
    refused = send(client, f"{address(package)}/1", dict(hidden(page)), status=422)
    assert "Choose how confident you feel in your role" in refused.words()
    (link,) = [a for a in refused.all("a") if a.get("href") == "#role_confidence"]
    assert refused.all("input", id="role_confidence")
    assert refused.words(refused.all("title")[0]).startswith("Error:")
    assert link is not None


def test_answers_are_checked_changed_and_come_back_to_the_check(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    check = answer(client, address(package))
    change = next(a.get("href") for a in check.all("a") if "/1?" in a.get("href", ""))
    page = client.get(change)
    back = send(client, f"{address(package)}/1", fill(page, role_confidence="completely"))
    assert back.response.headers["Location"].endswith("/check")
    assert "Completely confident" in client.follow(back).words()


def test_submit_twice_then_again_then_refresh(
    client: PageClient, db: DbSession, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    check = answer(client, address(package))
    pages = [
        client.follow(send(client, f"{address(package)}/submit", {"csrf_token": check.token()}))
        for _ in range(3)
    ]
    pages.append(client.get(f"{address(package)}/receipt"))
    ref = the_response(db).ref
    assert [ref in page.words() for page in pages] == [True] * 4
    again = client.get(f"{address(package)}/1", status=303)
    assert again.response.headers["Location"].endswith("/receipt")


def test_submitting_too_early_leads_to_the_first_page_that_lacks_an_answer(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    page = client.get(f"{address(package)}/1")
    token = {"csrf_token": page.token()}
    assert send(client, f"{address(package)}/submit", token).response.headers["Location"].endswith("/once")
    send(client, f"{address(package)}/1", fill(page))
    assert send(client, f"{address(package)}/submit", token).response.headers["Location"].endswith("/2")


def test_the_post_questionnaire_follows_yes_and_no(
    client: PageClient, db: DbSession, clock: Clock, leader: Person, package: Package
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    client.sign_in(leader.id)
    check = answer(client, address(package, "post"), impact_have="yes", impact_changed="Fewer moves")
    assert "Fewer moves" in check.words()
    change = next(
        a.get("href") for a in check.all("a", class_="govuk-link") if "an example" in check.words(a)
    )
    no = send(client, change.partition("?")[0], fill(client.get(change), impact_have="no"))
    page = client.follow(no)
    assert page.heading == "What would help", "a page that No brings, before the check"
    check = client.follow(send(client, no.response.headers["Location"], {**hidden(page), "_then": "check"}))
    assert check.heading == "Check your answers"
    assert "Fewer moves" not in check.words()
    yes = send(client, change.partition("?")[0], fill(client.get(change), impact_have="yes"))
    assert "Fewer moves" in client.follow(yes).words(), "switching back restores it"


ODD = {
    "emoji": ("Before 👩‍👩‍👧 after", 303),
    "nul": ("Before \0 after " + "and much more " * 5, 422),
    "too long": ("x" * 10_000, 422),
    "blank": ("\t\u200b \u2060", 422),
    "line ends": ("one\r\ntwo", 303),
}


@pytest.mark.parametrize("what", list(ODD))
def test_odd_text_is_kept_whole_or_refused_with_the_text_kept(
    client: PageClient, db: DbSession, clock: Clock, leader: Person, package: Package, what: str
) -> None:
    typed, status = ODD[what]
    ended(db, clock, package, date(2023, 2, 20))
    client.sign_in(leader.id)
    start = address(package, "post")
    page = client.follow(client.get(start, status=303))
    while page.heading != "What changed":
        here = next(form.get("action") for form in page.all("form") if start in form.get("action"))
        extra = {"impact_have": "yes"} if page.all("input", name="impact_have") else {}
        page = client.follow(send(client, here, fill(page, **extra)))
    here = next(form.get("action") for form in page.all("form") if start in form.get("action"))
    answered = send(client, here, fill(page, impact_changed=typed), status=status)
    if status == 303:
        assert the_response(db).answers["impact_changed"] == typed.replace("\r\n", "\n")
    else:
        (area,) = answered.all("textarea", name="impact_changed")
        assert answered.all("p", id="impact_changed-error")
        if what == "too long":
            assert typed in "".join(area.itertext())


def test_a_stale_tab_shows_both_and_either_can_be_kept(
    client: PageClient, db: DbSession, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    path = f"{address(package)}/1"
    old = client.get(path)
    send(client, path, fill(old, role_confidence="fairly"))
    stale = send(client, path, fill(old, role_confidence="completely"), status=409)
    assert "Fairly confident" in stale.words()
    assert "Completely confident" in stale.words()
    assert the_response(db).answers["role_confidence"] == "fairly"
    kept = {
        field.get("name"): field.get("value")
        for form in stale.all("form", action=path)
        for field in form.iter("input")
    }
    send(client, path, kept)
    assert the_response(db).answers["role_confidence"] == "completely"


def test_two_waves_in_two_tabs_do_not_mix(
    client: PageClient, db: DbSession, make: Factory, clock: Clock, leader: Person, package: Package
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    other = make.package(leader, state=PackageState.ACTIVE)
    client.sign_in(leader.id)
    post, baseline = f"{address(package, 'post')}/1", f"{address(other)}/1"
    post_page, baseline_page = client.get(post), client.get(baseline)
    send(client, post, fill(post_page, role_confidence="completely"))
    send(client, baseline, fill(baseline_page, role_confidence="slightly"))
    db.rollback()
    said = {one.wave.value: one.answers["role_confidence"] for one in db.scalars(select(Response))}
    assert said == {"post": "completely", "baseline": "slightly"}


def test_after_the_window_a_page_says_so_and_what_was_saved_is_kept(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, package: Package
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    client.sign_in(leader.id)
    check = answer(client, address(package, "post"))
    clock.now = clock.now.replace(month=5, day=20, hour=22)
    client.sign_in(leader.id)
    client.get(f"{address(package, 'post')}/check")
    clock.now = clock.now.replace(day=23, hour=23)
    client.sign_in(leader.id)
    closed = send(client, f"{address(package, 'post')}/submit", {"csrf_token": check.token()}, status=409)
    assert closed.heading == "These questions have closed"
    assert "20 May 2023" in closed.words()
    assert the_response(db).state is ResponseState.DRAFT
    assert client.get(f"{address(package, 'post')}/1").heading == "These questions have closed"


def test_what_was_sent_can_be_read_back_for_ever(
    client: PageClient, clock: SetClock, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    answer(client, address(package), role_confidence="completely")
    client.post(f"{address(package)}/submit", page=f"{address(package)}/check")
    clock.pass_time(days=300)
    client.sign_in(leader.id)
    assert "Completely confident" in client.get(f"{address(package)}/receipt").words()


def test_ring_me_asks_for_a_call_and_only_once(
    client: PageClient, db: DbSession, clock: Clock, leader: Person, package: Package
) -> None:
    with unit_of_work(db, clock, "system:test"):
        leader.phone = "07700 900 111"
    client.sign_in(leader.id)
    form = client.get(f"{address(package)}/ring-me")
    assert form.all("input", name="phone")[0].get("value") == "07700 900 111"
    refused = client.post(f"{address(package)}/ring-me", {"phone": "soon", "when": "after four"}, status=422)
    assert refused.all("input", name="when")[0].get("value") == "after four"
    for number in ("07700 900 982", "07700 900 983"):
        client.post(f"{address(package)}/ring-me", {"phone": number, "when": "after four"})
    db.rollback()
    (call,) = db.scalars(select(CallRequest)).all()
    assert (call.phone, call.when, call.wave, call.done_at) == (
        "07700 900 983",
        "after four",
        "baseline",
        None,
    )
    assert len(db.scalars(select(AuditEntry).where(AuditEntry.action == "call.asked")).all()) == 1


def test_a_call_that_was_asked_for_is_shown_changed_and_taken_back(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    ring = f"{address(package)}/ring-me"
    client.post(ring, {"phone": "01632 960 100", "when": "after four"})
    home = client.get("/your-support")
    assert "We will ring you on 01632 960 100. You asked on Wednesday 1 March 2023, 9am" in home.words()
    assert home.all("a", href=ring)
    assert client.get(ring).all("input", name="when")[0].get("value") == "after four"
    clock.pass_time(minutes=30)
    client.post(ring, {"phone": "01632 960 101"})
    assert (
        "on 01632 960 101. You asked on Wednesday 1 March 2023, 9:30am" in client.get("/your-support").words()
    )
    client.sign_in(leader.id, level=Level.MAIL)
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Person, leader.id).mailbox_shared = True
    others = client.get("/your-support").words()
    assert "We will ring you. You asked" in others
    assert "01632 960 101" not in others, "whoever reads the mailbox does not read the number"
    assert "01632 960 101" not in client.get(ring).text
    client.post(f"{ring}/stop", page="/your-support")
    assert "We will ring you" not in client.get("/your-support").words()
    assert client.get("/your-support").all("a", href=ring), "and it can be asked for again"
    db.rollback()
    assert db.scalars(select(CallRequest)).one().done_at is not None


def test_the_team_fills_it_in_as_an_interview(
    client: PageClient, db: DbSession, make: Factory, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    client.post(f"{address(package)}/ring-me", {"phone": "07700 900 982"})
    send(client, f"{address(package)}/1", fill(client.get(f"{address(package)}/1")))
    client.sign_in(make.person("Tia Team", role=Role.TEAM).id).say_why("interview")
    page = client.get(f"{address(package)}/2")
    assert "You are filling this in with Ada Lead" in page.words()
    answer(client, address(package))
    receipt = client.follow(client.post(f"{address(package)}/submit", page=f"{address(package)}/check"))
    assert not receipt.all("input", name="time")
    assert the_response(db).mode is Mode.INTERVIEW
    opened = db.scalars(select(AuditEntry.details).where(AuditEntry.action == "response.opened")).all()
    assert sorted(opened) == [
        '{"purpose":"interview","stated":"interview"}',
        '{"purpose":"reading","stated":"interview"}',
    ], "once a day each"
    assert db.scalars(select(CallRequest)).one().done_at is not None


@pytest.mark.parametrize("role", [Role.MENTOR, Role.OBSERVER, Role.ADMINISTRATOR, Role.DPO, Role.LEAD_MEMBER])
def test_nobody_else_may_know_of_it(client: PageClient, make: Factory, package: Package, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    for page in ("", "/1", "/check", "/receipt", "/ring-me"):
        client.get(address(package) + page, status=404)


def test_the_packages_own_mentor_sees_no_answer(client: PageClient, package: Package) -> None:
    mentor_id: UUID = package.mentors[0].person_id
    client.sign_in(mentor_id)
    client.get(f"{address(package)}/receipt", status=404)


@pytest.mark.parametrize(
    "rest",
    [
        "nothing/once",
        "baseline/twice",
        "post/once",
        "feedback/once",
        "feedback/0b9e3c4e-0000-4000-8000-000000000000",
    ],
)
def test_what_nobody_is_asked_is_not_there(
    client: PageClient, leader: Person, package: Package, rest: str
) -> None:
    client.sign_in(leader.id)
    client.get(f"/questionnaires/{package.participations[0].id}/{rest}", status=404)


def test_no_question_code_stands_in_an_address(client: PageClient, leader: Person, package: Package) -> None:
    client.sign_in(leader.id)
    codes = {question.code for question in load_definition("baseline").questions}
    check = answer(client, address(package))
    for link in check.all("a"):
        assert not any(code in link.get("href", "") for code in codes)


def test_members_of_a_group_get_no_times_under_the_receipt(
    client: PageClient, make: Factory, leader: Person
) -> None:
    group = make.package(leader, strand=Strand.GROUP, mentor=make.mentor())
    client.sign_in(leader.id)
    answer(client, address(group))
    receipt = client.follow(client.post(f"{address(group)}/submit", page=f"{address(group)}/check"))
    assert not receipt.all("input", name="time")
