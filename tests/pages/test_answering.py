"""What people write is never lost; what they sent can be read, changed, withdrawn and shared. No JavaScript here."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    Attendance,
    AttendanceState,
    CallRequest,
    Package,
    ParkedForm,
    Person,
    Place,
    Reopening,
    Role,
    Session,
    SessionKind,
    SessionState,
    Share,
)
from privacy.audit import AuditEntry
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Mode, Response, ResponseState
from surveys.questionnaires import load, load_definition
from tests.answering import LONG, WORDS, address, answer, ended, fill, hidden, send
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

TOOL = """
code: scrutiny_review
title: How we scrutinise
sections:
  - code: all
    title: All
    pages:
      - code: first
        title: Asking
        questions:
          - {code: asks, kind: yes_no, required: true, text: "Do you ask for data?"}
"""


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, load(WORDS, name="words"))
        versions.publish(work, load(TOOL, name="tool"))


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ada Lead")


@pytest.fixture
def mentor(make: Factory) -> Person:
    return make.mentor("Mo Mentor")


@pytest.fixture
def package(make: Factory, leader: Person, mentor: Person) -> Package:
    return make.package(leader, mentor=mentor, council=make.council("Northshire"))


@pytest.fixture
def team(make: Factory) -> Person:
    return make.person("Tia Team", role=Role.TEAM)


@pytest.fixture
def words(db: DbSession, clock: SetClock, make: Factory, package: Package, leader: Person) -> str:
    """The address of a page with a long text box: feedback on a session that was held."""
    part = package.participations[0]
    starts_at = clock.now - timedelta(days=1)
    held = Session(
        id=new_id(),
        package_id=package.id,
        mentor_id=package.mentors[0].person_id,
        kind=SessionKind.ONE_TO_ONE,
        state=SessionState.HELD,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        place=Place.REMOTE,
        uid="held@test",
        sequence=0,
        created_at=starts_at,
        by="system:test",
    )
    seat = Attendance(
        id=new_id(),
        session_id=held.id,
        person_id=leader.id,
        participation_id=part.id,
        state=AttendanceState.ATTENDED,
        booked_at=starts_at,
        by="system:test",
    )
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(held)
        work.db.flush()
        work.db.add(seat)
    return f"{address(package, 'feedback', str(seat.session_id))}/1"


def the_response(db: DbSession) -> Response:
    db.rollback()
    return db.scalars(select(Response)).one()


def actions(db: DbSession, action: str) -> list[str]:
    db.rollback()
    return list(db.scalars(select(AuditEntry.actor).where(AuditEntry.action == action)))


def text_in(page: Page, name: str) -> str:
    (area,) = page.all("textarea", name=name)
    return "".join(area.itertext()).strip("\n")


def send_all(client: PageClient, package: Package, wave: str = "baseline", **typed: Any) -> Page:
    """Answer a whole questionnaire and send it; returns the receipt."""
    here = address(package, wave)
    answer(client, here, **typed)
    return client.follow(client.post(f"{here}/submit", page=f"{here}/check"))


# ---- Q-a: no text is lost to an expired sign-in or token


def test_a_page_comes_back_with_its_text_after_the_sign_in_was_over(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG, "useful": "yes"}
    clock.pass_time(hours=2)
    away = send(client, words, form)
    assert away.response.headers["Location"] == "/sign-in"
    assert "We have kept what you typed" in client.follow(away).words()
    client.sign_in(leader.id)
    page = client.get(words)
    assert text_in(page, "more") == LONG
    assert page.all("input", name="useful", value="yes")[0].get("checked") is not None
    assert "We could not save it, because the page was open for a long time" in page.words()
    send(client, words, {**hidden(page), "more": LONG, "useful": "yes"})
    assert the_response(db).answers["more"] == LONG
    assert db.scalars(select(ParkedForm.id)).all() == [], "once it is saved it isn't kept"
    assert text_in(client.get(words), "more") == LONG


def test_a_page_comes_back_with_its_text_when_its_token_does_not_hold(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG, "csrf_token": "old"}
    back = client.follow(send(client, words, form))
    assert text_in(back, "more") == LONG
    assert db.scalars(select(Response.id)).all() == [], "nothing is saved without its writer"
    send(client, words, {**hidden(back), "more": LONG})
    assert the_response(db).answers["more"] == LONG


def test_with_sign_in_and_token_both_over(
    client: PageClient, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG, "csrf_token": "old"}
    clock.pass_time(hours=2)
    assert send(client, words, form).response.headers["Location"] == "/sign-in"
    client.sign_in(leader.id)
    assert text_in(client.get(words), "more") == LONG


def test_what_was_saved_meanwhile_is_not_written_over_by_what_was_kept(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    old = {**hidden(client.get(words)), "more": LONG}
    send(client, words, {**hidden(client.get(words)), "more": "Written on the iPad"})
    clock.pass_time(hours=2)
    send(client, words, old)
    client.sign_in(leader.id)
    page = client.get(words)
    stale = send(client, words, {**hidden(page), "more": text_in(page, "more")}, status=409)
    assert "Written on the iPad" in stale.words()
    assert "one question again and again" in stale.words()
    assert the_response(db).answers["more"] == "Written on the iPad"


def test_what_does_not_fit_any_more_is_shown_to_be_copied(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG}
    clock.pass_time(hours=2)
    send(client, words, form)
    client.sign_in(leader.id)
    with unit_of_work(db, clock, "system:test"):
        parked = db.scalars(select(ParkedForm)).one()
        parked.fields = [["_page", "gone"], *parked.fields[1:]]
    shown = client.follow(client.get(words, status=303))
    assert shown.heading == "What you typed is here"
    assert LONG.strip() in "".join(shown.all("textarea")[0].itertext())


def test_any_other_form_is_shown_to_be_copied(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, package: Package
) -> None:
    form = f"{address(package)}/ring-me"
    client.sign_in(leader.id)
    typed = {"csrf_token": client.get(form).token(), "phone": "07700 900 982", "when": "After the budget"}
    clock.pass_time(hours=2)
    send(client, form, typed)
    client.sign_in(leader.id)
    shown = client.follow(client.get("/sign-in", status=303))
    assert "After the budget" in shown.words()
    assert shown.all("a", href=form), "and the form can be opened again"
    forget = next(one.get("action") for one in shown.all("form") if one.get("action").endswith("/forget"))
    client.post(forget, page=forget.removesuffix("/forget"))
    client.get(forget.removesuffix("/forget"), status=404)


def test_nobody_else_finds_what_was_kept(
    client: PageClient, clock: SetClock, make: Factory, leader: Person, package: Package
) -> None:
    form = f"{address(package)}/ring-me"
    client.sign_in(leader.id)
    typed = {"csrf_token": client.get(form).token(), "phone": "07700 900 982"}
    clock.pass_time(hours=2)
    send(client, form, typed)
    client.sign_in(make.person("Bo Other").id)
    client.get(client.get("/sign-in", status=303).response.headers["Location"], status=404)


def test_without_anybody_known_the_error_page_keeps_the_text(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG}
    client.http.delete_cookie("sid")
    page = send(client, words, form, status=401)
    assert LONG.strip() in page.text
    more = {"useful": "yes", "useful.detail": "Each month", "useful.quote": "yes", "gone_since": "Old words"}
    token = send(client, words, {**form, **more, "csrf_token": "old"}, status=401)
    assert LONG.strip() in token.text
    assert token.heading == "You are not signed in"
    assert token.all("a", href="/sign-in")
    said = [("".join(label.itertext()), text_in(token, label.get("for"))) for label in token.all("label")]
    assert sorted(said) == [
        ("Gone since", "Old words"),
        ("Was it of use?", "Each month"),
        ("Was it of use?", "Yes"),
        ("What else?", LONG.strip("\n")),
    ], "in the words of the questions"
    assert db.scalars(select(ParkedForm.id)).all() == []


def test_what_another_site_sends_is_not_kept(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    response = client.http.post(
        words, data={"_page": "words", "more": LONG}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403
    assert db.scalars(select(ParkedForm.id)).all() == []


def test_codes_are_not_kept(client: PageClient, db: DbSession, leader: Person) -> None:
    client.sign_in(leader.id)
    assert client.http.post("/sign-in/finish", data={"code": "123456"}).status_code == 400
    assert db.scalars(select(ParkedForm.id)).all() == []


# ---- saving while somebody writes


def autosave(client: PageClient, path: str, form: dict[str, Any], *, status: int = 200) -> dict[str, str]:
    response = client.http.post(path, data={**form, "_writing": "yes"}, headers={"HX-Request": "true"})
    assert response.status_code == status, response.get_data(as_text=True)[:500]
    answered: dict[str, str] = response.get_json()
    return answered


def test_writing_is_saved_and_the_form_goes_on_with_its_new_mark(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    clock.pass_time(hours=5, minutes=5)
    client.sign_in(leader.id)
    form = hidden(client.get(words))
    told = autosave(client, words, {**form, "more": "We ask"})
    assert told["said"] == "Saved at 2:05pm"
    assert the_response(db).answers["more"] == "We ask"
    told = autosave(client, words, {**form, "_revision": told["mark"], "more": "We ask mo"})
    resumed = client.get(words.removesuffix("/1"), status=303)
    assert resumed.response.headers["Location"] == words, "writing does not lead on"
    send(client, words, {**form, "_revision": told["mark"], "more": "We ask more"})
    assert the_response(db).answers["more"] == "We ask more"


def test_writing_that_cannot_be_saved_says_what(client: PageClient, leader: Person, words: str) -> None:
    client.sign_in(leader.id)
    said = autosave(client, words, {**hidden(client.get(words)), "more": "x" * 10_000})["said"]
    assert "but not this: ‘What else’ must be 4,000 characters or fewer. You have written 10,000" in said


def test_writing_in_a_second_tab_says_so_and_overwrites_nothing(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    first, second = hidden(client.get(words)), hidden(client.get(words))
    autosave(client, words, {**first, "more": "Tea"})
    told = autosave(client, words, {**second, "more": "Coffee"}, status=409)
    assert "changed in another tab" in told["said"]
    assert the_response(db).answers["more"] == "Tea"


def test_writing_after_the_sign_in_is_over_says_so_and_keeps_nothing_twice(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": LONG, "_writing": "yes"}
    clock.pass_time(hours=2)
    response = client.http.post(words, data=form, headers={"HX-Request": "true"})
    assert response.status_code == 401, "the text is still on the page"
    assert db.scalars(select(ParkedForm.id)).all() == []


def test_saving_asks_the_database_few_times_from_the_cookie_on(
    client: PageClient, stack: Stack, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = hidden(client.get(words))
    mark = autosave(client, words, {**form, "more": "Te"})["mark"]
    said: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(stack.engine, "before_cursor_execute", count)
    try:
        autosave(client, words, {**form, "_revision": mark, "more": "Tea"})
    finally:
        event.remove(stack.engine, "before_cursor_execute", count)
    # One of them asks whether a return has frozen everything.
    assert len(said) <= 9, "\n".join(one[:150] for one in said)


def test_a_tab_that_is_older_than_what_was_sent_is_told_so_once(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    here = address(package)
    old = hidden(client.get(f"{here}/1"))
    send_all(client, package, role_confidence="completely")
    away = send(client, f"{here}/1", {**old, "role_confidence": "not_very"})
    receipt = client.follow(away)
    assert "What you have just chosen is not in them" in receipt.words()
    assert "These answers were sent on Wednesday 1 March 2023" in receipt.words()
    assert len(receipt.all("a", href=f"{here}/change")) == 2, "in the notice, and where it always stands"
    assert "What you have just chosen" not in client.get(f"{here}/receipt").words()
    lost = send(client, f"{here}/1", {**old, "role_confidence_why": LONG}, status=409)
    assert lost.heading == "These answers were sent before"
    assert LONG[:40] in lost.words()
    lost = send(client, f"{here}/1", {**old, "role_confidence_why": "Too new"}, status=409)
    assert "Too new" in lost.words(), "however short it is"


# ---- stale tabs, clearing, odd text


def test_both_texts_of_a_stale_tab_can_be_put_together(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    old = hidden(client.get(words))
    send(client, words, {**old, "more": "Theirs", "useful": "no"})
    stale = send(client, words, {**old, "more": "Ours", "useful": "yes"}, status=409)
    (together,) = [form for form in stale.all("form", action=words) if list(form.iter("textarea"))]
    data = {field.get("name"): field.get("value") for field in together.iter("input")}
    (area,) = together.iter("textarea")
    send(client, words, {**data, area.get("name"): "".join(area.itertext()).strip("\n")})
    assert the_response(db).answers["more"] == "Theirs\n\nOurs"
    assert the_response(db).answers["useful"] == "yes"


def test_an_answer_that_is_not_required_can_be_cleared(
    client: PageClient, db: DbSession, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    send(client, words, {**hidden(client.get(words)), "useful": "yes", "more": "Tea"})
    page = client.get(words)
    (clear,) = page.all("button", name="_clear")
    form = {**hidden(page), "useful": "yes", "more": "Coffee", "_clear": clear.get("value")}
    back = send(client, words, form)
    assert back.response.headers["Location"] == words, "clearing stays on the page"
    response = the_response(db)
    assert (response.answers["useful"], response.answers["more"]) == (None, "Coffee")
    assert not [
        one for one in client.get(words).all("input", name="useful") if one.get("checked") is not None
    ]


def test_clearing_one_answer_loses_no_other_that_cannot_be_saved(
    client: PageClient, leader: Person, words: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "useful": "yes", "more": "x" * 10_000, "_clear": "useful"}
    refused = send(client, words, form, status=422)
    assert text_in(refused, "more") == "x" * 10_000
    assert not [one for one in refused.all("input", name="useful") if one.get("checked") is not None]


def test_a_press_of_enter_does_not_clear(client: PageClient, leader: Person, words: str) -> None:
    client.sign_in(leader.id)
    (form,) = client.get(words).all("form", action=words)
    first = next(iter(form.iter("button")))
    assert first.get("name") is None, "Enter presses the first button of a form"


def test_required_answers_have_no_button_to_clear_them(
    client: PageClient, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    assert not client.get(f"{address(package)}/1").all("button", name="_clear")


ODD = {
    "emoji": "Before 👩‍👩‍👧 after",
    "nul": "Before \0 after " * 5,
    "blank": "\t\u200b \u2060",
    "too long": "x" * 10_000,
}


@pytest.mark.parametrize("what", list(ODD))
@pytest.mark.parametrize("kind", ["save", "writing", "dead sign-in"])
def test_odd_text_is_never_an_error_page(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, words: str, what: str, kind: str
) -> None:
    client.sign_in(leader.id)
    form = {**hidden(client.get(words)), "more": ODD[what]}
    if kind == "dead sign-in":
        clock.pass_time(hours=2)
        send(client, words, form)
        client.sign_in(leader.id)
        assert client.get(words).heading == "Your words"
        return
    extra = {"_writing": "yes"} if kind == "writing" else {}
    response = client.http.post(words, data={**form, **extra})
    fine = what in ("emoji", "blank")
    assert response.status_code == (200 if kind == "writing" else 303 if fine else 422)
    if what == "emoji":
        assert the_response(db).answers["more"] == ODD[what]


def test_a_lone_surrogate_is_no_error(client: PageClient, leader: Person, words: str) -> None:
    client.sign_in(leader.id)
    form = hidden(client.get(words))
    body = "&".join(f"{name}={value}" for name, value in form.items()) + "&more=before%ED%A0%80after"
    response = client.http.post(words, data=body, content_type="application/x-www-form-urlencoded")
    assert response.status_code in (303, 422)


# ---- after sending


def test_own_answers_can_be_read_printed_and_taken_along(
    client: PageClient, db: DbSession, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    client.get(f"{address(package)}/copy", status=404)
    send_all(client, package, role_confidence="completely")
    ref = the_response(db).ref
    copy = client.get(f"{address(package)}/copy")
    assert "Completely confident" in copy.words()
    response = client.http.get(f"{address(package)}/download")
    assert response.headers["Content-Disposition"] == f'attachment; filename="answers-2023-03-01-{ref}.txt"'
    assert response.mimetype == "text/plain"
    assert "Completely confident" in response.get_data(as_text=True)


def test_answers_are_opened_changed_and_both_can_be_read(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, team: Person, package: Package
) -> None:
    here = address(package)
    client.sign_in(leader.id)
    send_all(client, package, role_confidence="slightly")
    client.post(f"{here}/change", {"wish": "I meant very"})
    assert "You asked to change your answers on 1 March 2023" in client.get(f"{here}/receipt").words()
    client.get(f"{here}/reopen", status=404)
    client.sign_in(team.id)
    assert "I meant very" in client.get("/team").words()
    client.post(f"{here}/reopen", {"reason": ""}, status=422)
    client.post(f"{here}/reopen", {"reason": "A slip, they rang"})
    assert "I meant very" not in client.get("/team").words()
    client.sign_in(leader.id)
    clock.pass_time(minutes=5)
    assert "Slightly confident" in client.get(f"{here}/copy").words(), "it can be read while it is open"
    assert the_response(db).state is ResponseState.SUBMITTED
    support = client.get("/your-support").words()
    assert "Change and send again: Questions before your support starts" in support
    assert "Sent on 1 March 2023. You can change it and send it again Open for changes" in support
    send(client, f"{here}/1", fill(client.get(f"{here}/1"), role_confidence="very"))
    client.post(f"{here}/submit", page=f"{here}/check")
    copy = client.get(f"{here}/copy").words()
    assert "Very confident" in copy
    assert "What was sent before" in copy
    assert "Slightly confident" in copy
    db.rollback()
    wish = db.scalars(select(Reopening)).one()
    assert (wish.wish, wish.reason, wish.by) == ("I meant very", "A slip, they rang", f"person:{team.id}")


def test_a_wish_that_needs_nothing_leaves_the_list(
    client: PageClient, db: DbSession, leader: Person, team: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    send_all(client, package)
    client.post(f"{address(package)}/change", {"wish": "Never mind"})
    client.sign_in(team.id)
    settle = next(
        form.get("action") for form in client.get("/team").all("form") if "/settled" in form.get("action", "")
    )
    client.post(settle, page="/team")
    assert "Never mind" not in client.get("/team").words()


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_receipt_speaks_of_an_example_only_where_there_is_one(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, package: Package, answer: str
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    client.sign_in(leader.id)
    send_all(client, package, "post", impact_have=answer)
    told = "reads your example" in client.get(f"{address(package, 'post')}/receipt").words()
    assert told is (answer == "yes")


def test_what_was_reopened_can_be_sent_after_the_window(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, team: Person, package: Package
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    here = address(package, "post")
    client.sign_in(leader.id)
    send_all(client, package, "post")
    clock.pass_time(days=200)
    client.sign_in(team.id)
    client.post(f"{here}/reopen", {"reason": "A slip"})
    client.sign_in(leader.id)
    send(client, f"{here}/1", fill(client.get(f"{here}/1")))
    client.post(f"{here}/submit", page=f"{here}/check")
    assert the_response(db).reopened_at is None


def test_withdrawn_answers_leave_and_can_still_be_read(
    client: PageClient, db: DbSession, leader: Person, mentor: Person, package: Package
) -> None:
    here = address(package)
    client.sign_in(leader.id)
    send_all(client, package, role_confidence="completely")
    client.post(f"{here}/share", page=f"{here}/receipt")
    assert "From then on your answers count in no figure" in client.get(f"{here}/withdraw").words()
    assert the_response(db).state is ResponseState.SUBMITTED
    receipt = client.follow(client.post(f"{here}/withdraw"))
    assert receipt.heading == "Answers withdrawn"
    assert "Completely confident" in receipt.words()
    assert the_response(db).state is ResponseState.WITHDRAWN
    client.post(f"{here}/withdraw", page=f"{here}/receipt")
    assert len(actions(db, "response.withdrawn")) == 1
    client.sign_in(mentor.id)
    client.get(f"{here}/shared", status=404)


def test_a_mentor_reads_what_is_shared_and_nothing_else(
    client: PageClient,
    db: DbSession,
    clock: Clock,
    make: Factory,
    leader: Person,
    mentor: Person,
    package: Package,
) -> None:
    here = address(package)
    client.sign_in(leader.id)
    assert "Share with my mentor" in send_all(client, package, role_confidence="completely").words()
    client.sign_in(mentor.id)
    client.get(f"{here}/shared", status=404)
    client.sign_in(leader.id)
    assert "Not your council, not your mentor" in client.get("/your-support").words()
    client.post(f"{here}/share", page=f"{here}/receipt")
    home = client.get("/your-support").words()
    assert "and your mentor those that you share" in home
    assert "not your mentor" not in home
    assert "You share this with Mo Mentor" in client.get(f"{here}/receipt").words()
    client.sign_in(mentor.id)
    listed = client.get(f"/mentor/packages/{package.id}")
    assert listed.all("a", href=f"{here}/shared")
    assert "Completely confident" in client.get(f"{here}/shared").words()
    client.get(f"{here}/receipt", status=404)
    assert actions(db, "response.opened") == [f"person:{mentor.id}"]
    other = make.mentor("Ola Other")
    client.sign_in(other.id)
    client.get(f"{here}/shared", status=404)
    client.sign_in(leader.id)
    client.post(f"{here}/unshare", page=f"{here}/receipt")
    client.sign_in(mentor.id)
    client.get(f"{here}/shared", status=404)
    assert not client.get(f"/mentor/packages/{package.id}").all("a", href=f"{here}/shared")
    assert actions(db, "answers.shared") == actions(db, "answers.unshared") == [f"person:{leader.id}"]


def test_a_mentor_who_stops_reads_no_more_and_the_next_one_nothing(
    client: PageClient, db: DbSession, clock: Clock, leader: Person, mentor: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    send_all(client, package)
    client.post(f"{address(package)}/share", page=f"{address(package)}/receipt")
    with unit_of_work(db, clock, "system:test"):
        package.mentors[0].to_on = date(2023, 2, 28)
    client.sign_in(mentor.id)
    client.get(f"{address(package)}/shared", status=404)
    assert len(db.scalars(select(Share.id)).all()) == 1


def test_before_and_after_stand_side_by_side(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, mentor: Person, package: Package
) -> None:
    page = f"/questionnaires/{package.participations[0].id}/before-and-after"
    client.sign_in(leader.id)
    send_all(client, package, role_confidence="slightly")
    client.get(page, status=404)
    ended(db, clock, package, date(2023, 3, 1))
    assert "nothing to compare yet" in client.get(page).words()
    receipt = send_all(client, package, "post", role_confidence="very")
    assert receipt.all("a", href=page)
    shown = client.get(page)
    assert "What you said on 1 March 2023, before support" in shown.words()
    assert "Of 14 of your answers 1 went up, 13 stayed the same and 0 went down" in shown.words()
    assert len(shown.all("svg", role="img")) == 1
    row = next(row for row in shown.all("tr") if "your role in improving" in shown.words(row))
    assert [shown.words(cell) for cell in row.iter("td")] == ["Slightly confident", "Very confident"]
    client.sign_in(mentor.id)
    client.get(page, status=404)
    client.sign_in(leader.id)
    client.post(f"{page}/share", page=page)
    client.sign_in(mentor.id)
    assert client.get(f"/mentor/packages/{package.id}").all("a", href=page)
    assert "Very confident" in client.get(page).words()
    assert "Of 14 of their answers" in client.get(page).words()
    client.get(f"{address(package)}/shared", status=404)
    client.sign_in(leader.id)
    client.post(f"{page}/unshare", page=page)
    client.sign_in(mentor.id)
    client.get(page, status=404)


# ---- interviews, paper


def test_notes_of_a_call_are_kept_and_the_call_is_done(
    client: PageClient, db: DbSession, leader: Person, team: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    client.post(f"{address(package)}/ring-me", {"phone": "07700 900 982"})
    client.sign_in(team.id)
    db.rollback()
    call_id: UUID = db.scalars(select(CallRequest.id)).one()
    client.post(f"/team/calls/{call_id}", {"notes": "Ring again on Friday"})
    assert "Ring again on Friday" in client.get("/team").words()
    db.rollback()
    assert db.scalars(select(CallRequest)).one().done_at is None
    client.post(f"/team/calls/{call_id}", {"notes": "Done together", "made": "yes"})
    db.rollback()
    call = db.scalars(select(CallRequest)).one()
    assert (call.notes, call.done_at is None) == ("Done together", False)
    assert len(actions(db, "call.done")) == 1


def test_paper_answers_are_typed_in_with_date_and_source(
    client: PageClient, db: DbSession, leader: Person, team: Person, package: Package
) -> None:
    start = f"/team/answers/{package.participations[0].id}/baseline"
    client.sign_in(leader.id)
    client.get(start, status=404)
    client.sign_in(team.id).say_why()
    day = {"answered_on-day": "3", "answered_on-month": "11", "answered_on-year": "2022"}
    later = {**day, "answered_on-year": "2023", "source": "Paper"}
    assert "still to come" in client.post(start, later, status=422).words()
    client.post(start, {**day, "source": "The paper form of November"})
    page = client.follow(client.get(address(package), status=303))
    assert "You are typing in what Ada Lead said on 3 November 2022" in page.words()
    send_all(client, package)
    response = the_response(db)
    assert (response.mode, response.answered_on, response.source) == (
        Mode.PAPER,
        date(2022, 11, 3),
        "The paper form of November",
    )
    again = client.post(start, {**day, "source": "Paper"})
    assert again.response.headers["Location"] == address(package), "there are answers already"


HEAD = "email,package,answered_on,source,"
CODES = [question.code for question in load_definition("baseline").questions if question.required]
ANSWERED = ",".join(["Very confident"] * len(CODES))


def a_file(*rows: str, head: str = HEAD + ",".join(CODES)) -> dict[str, Any]:
    return {"wave": "baseline", "file": (io.BytesIO("\n".join([head, *rows]).encode()), "answers.csv")}


def test_earlier_answers_are_taken_from_a_file(
    client: PageClient, db: DbSession, leader: Person, team: Person, package: Package
) -> None:
    row = f"{leader.email},{package.ref},2022-11-03,=1+1,{ANSWERED}"
    client.sign_in(team.id)
    client.post("/team/answers/import", a_file(row))
    response = the_response(db)
    assert response.answers["role_confidence"] == "very"
    assert (response.mode, response.state) == (Mode.PAPER, ResponseState.SUBMITTED)
    assert (response.source, response.answered_on) == ("=1+1", date(2022, 11, 3))
    assert "There are answers of this person already" in (
        client.post("/team/answers/import", a_file(row), status=422).words()
    )


def test_a_file_of_answers_is_taken_whole_or_not_at_all(
    client: PageClient, db: DbSession, make: Factory, leader: Person, team: Person, package: Package
) -> None:
    other = make.person("Bo Second")
    make.package(other)
    rest = ",".join(["Very confident"] * (len(CODES) - 1))
    good = f"{leader.email},,2022-11-03,Old survey,{ANSWERED}"
    rows = (
        good,
        f"{other.email},,soon,Old survey,{ANSWERED}",
        f"{other.email},,2022-11-03,,perhaps,{rest}",
        f"{other.email},,2022-11-03,Old survey,,{rest}",
        f"nobody@council.example,,2022-11-03,Old survey,{ANSWERED}",
        good,
    )
    client.sign_in(team.id)
    refused = client.post("/team/answers/import", a_file(*rows), status=422).words()
    for fault in (
        "“soon” is not a date",
        "The source is missing",
        "role_confidence: Choose one of the listed answers",
        "role_confidence: Choose how confident you feel in your role",
        "Nobody with the address “nobody@council.example” takes part",
        "The same person and package stand in line 2",
    ):
        assert fault in refused, fault
    assert db.scalars(select(Response.id)).all() == []
    unknown = a_file(f"{good},y", head=f"{HEAD}{','.join(CODES)},other")
    assert "“other” is no question" in client.post("/team/answers/import", unknown, status=422).words()
    checked = client.post("/team/answers/import", {**a_file(good), "check": "yes"}, status=200)
    assert "the answers of 1 person" in checked.words()
    assert db.scalars(select(Response.id)).all() == []


# ---- self-assessment tools


def test_a_tool_is_answered_as_often_as_somebody_likes(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, package: Package
) -> None:
    client.sign_in(leader.id)
    for turn in (1, 2):
        client.get(address(package, "tool", f"scrutiny_review-{turn + 1}"), status=404)
        here = address(package, "tool", f"scrutiny_review-{turn}")
        answer(client, here, asks="yes" if turn == 1 else "no")
        receipt = client.follow(client.post(f"{here}/submit", page=f"{here}/check"))
        clock.pass_time(minutes=10)
    assert receipt.all("a", href=f"{address(package, 'tool', 'scrutiny_review-1')}/receipt"), "own history"
    first = client.get(f"{address(package, 'tool', 'scrutiny_review-1')}/receipt")
    assert "How we scrutinise" in client.get(f"{here}/copy").words()
    assert "Yes" in first.words()
    third = client.get(f"{address(package, 'tool', 'scrutiny_review-3')}/1")
    assert not [one for one in third.all("a") if one.get("href", "").endswith("/ring-me")]


def test_a_tool_is_for_oneself_alone(
    client: PageClient, leader: Person, team: Person, mentor: Person, package: Package
) -> None:
    here = address(package, "tool", "scrutiny_review-1")
    client.sign_in(leader.id)
    assert "Only you can read your answers" in client.get(f"{here}/1").words()
    answer(client, here, asks="yes")
    receipt = client.follow(client.post(f"{here}/submit", page=f"{here}/check"))
    assert not receipt.all("a", href=f"{here}/change"), "it is answered again instead"
    client.sign_in(team.id)
    for page in ("/receipt", "/copy", "/1", "/reopen"):
        client.get(here + page, status=404)
    client.sign_in(leader.id)
    client.post(f"{here}/share", page=f"{here}/receipt")
    client.sign_in(mentor.id)
    assert "Do you ask for data" in client.get(f"{here}/shared").words()


@pytest.mark.parametrize("occasion", ["once", "scrutiny_review", "scrutiny_review-0", "feedback-1", "none-1"])
def test_what_is_no_tool_is_not_there(
    client: PageClient, leader: Person, package: Package, occasion: str
) -> None:
    client.sign_in(leader.id)
    client.get(address(package, "tool", occasion), status=404)


def test_nobody_else_may_do_any_of_it(
    client: PageClient, make: Factory, leader: Person, package: Package, mentor: Person
) -> None:
    client.sign_in(leader.id)
    send_all(client, package)
    pages: list[Callable[[], Page]] = [
        lambda end=end: client.get(f"{address(package)}/{end}", status=404)  # type: ignore[misc]
        for end in ("copy", "download", "change", "reopen", "withdraw", "shared")
    ]
    for person in (mentor, make.person("Bo Other"), make.person(role=Role.OBSERVER)):
        client.sign_in(person.id)
        for look in pages:
            look()
