"""Answering in a real browser: saving while writing, two tabs, a dead sign-in, keyboard only, small screens.

The pages are served from within the test, so that its clock can be moved on under a browser that is open.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Attendance, AttendanceState, Package, Place, Session, SessionKind, SessionState
from portal.models import Person as Leader
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Response
from surveys.questionnaires import load
from tests.answering import LONG, WORDS, address, ended
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.journeys.conftest import Person
from tests.served import Served

pytestmark = pytest.mark.journey

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
EMOJI = "👩‍👩‍👧"  # one picture: five code points, eight units of a browser's string


class Answerer(Person):
    """The leader at a browser; signed in by a cookie, as the sign-in itself has its own tests."""

    def __init__(self, browser: Browser, served: Served, leader: Leader) -> None:
        super().__init__(browser, served, "leader")  # type: ignore[arg-type]  # only the address of the pages is used
        self.served, self.leader_id = served, leader.id
        self.sign_in()

    def sign_in(self) -> None:
        self.context.add_cookies([self.served.cookie(self.leader_id)])

    def said(self, words: str) -> None:
        expect(self.page.locator("#saved")).to_contain_text(words)

    def heading(self, words: str) -> None:
        expect(self.page.locator("h1")).to_have_text(words)

    def box(self) -> Any:
        return self.page.get_by_label("What else?")


@pytest.fixture
def leader(make: Factory) -> Leader:
    return make.person("Ada Lead")


@pytest.fixture
def package(make: Factory, db: DbSession, clock: Clock, leader: Leader) -> Package:
    versions.publish_shipped(db, clock)
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, load(WORDS, name="words"))
    return make.package(leader, mentor=make.mentor("Mo Mentor"), council=make.council("Northshire"))


@pytest.fixture
def words(db: DbSession, clock: SetClock, package: Package, leader: Leader) -> str:
    """The address of a page with a long text box: feedback on a session that was held."""
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
        participation_id=package.participations[0].id,
        state=AttendanceState.ATTENDED,
        booked_at=starts_at,
        by="system:test",
    )
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(held)
        work.db.flush()
        work.db.add(seat)
    return f"{address(package, 'feedback', str(seat.session_id))}/1"


@pytest.fixture
def me(browser: Browser, stack: Stack, leader: Leader) -> Iterator[Answerer]:
    served = Served(stack)
    person = Answerer(browser, served, leader)
    yield person
    person.context.close()
    served.stop()
    assert person.messages == []


def answers(db: DbSession) -> dict[str, dict[str, Any]]:
    """What is stored, by wave."""
    db.rollback()
    return {one.wave.value: one.answers for one in db.scalars(select(Response))}


def violations(page: Page) -> list[str]:
    """What axe finds on the page, in words. The back link stands outside the landmarks on purpose."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run({rules: {region: {enabled: false}}})")
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found["violations"]]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def test_writing_saves_itself_and_the_page_says_when(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.box().press_sequentially("We ask")
    me.said("Saved at 9am")
    assert answers(db)["feedback"]["more"] == "We ask"
    with me.page.expect_response(lambda answer: answer.request.method == "POST"):
        me.box().press_sequentially(" more")
    me.press("Save and continue")
    me.heading("The end")
    assert answers(db)["feedback"]["more"] == "We ask more"


def test_sending_waits_for_a_save_that_is_under_way(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.served.pause = lambda environ: 0.7 if environ.get("HTTP_HX_REQUEST") else 0.0
    with me.page.expect_request(lambda asked: asked.method == "POST"):
        me.box().fill("We ask")
    me.box().press_sequentially(" more")
    me.press("Save and continue")
    me.heading("The end")
    assert answers(db)["feedback"]["more"] == "We ask more"


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_who_is_not_connected_is_told_and_goes_on_afterwards(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.context.set_offline(True)
    me.box().fill("We ask")
    me.press("Save and continue")
    alert = me.page.locator("#alert")
    expect(alert).to_contain_text("You are not connected. Your answer is still on this page.")
    assert me.box().input_value() == "We ask"
    me.context.set_offline(False)
    expect(alert).to_be_empty()
    me.said("Saved at 9am")
    # Within a second, a second press of a button counts as the first.
    me.page.wait_for_timeout(1100)
    me.press("Save and continue")
    me.heading("The end")
    assert answers(db)["feedback"]["more"] == "We ask"
    me.messages.clear()


def test_a_page_survives_its_sign_in(me: Answerer, db: DbSession, clock: SetClock, words: str) -> None:
    me.open(words)
    me.box().fill(LONG)
    clock.pass_time(hours=2)
    me.said("Not saved yet")
    me.press("Save and continue")
    me.heading("Sign in")
    me.sees("We have kept what you typed")
    me.sign_in()
    me.open(words)
    assert me.box().input_value() == LONG
    me.sees("the page was open for a long time")
    me.press("Save and continue")
    me.heading("The end")
    assert answers(db)["feedback"]["more"] == LONG
    me.messages.clear()


def test_a_page_survives_its_token(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.context.clear_cookies(name="form")
    me.box().fill(LONG)
    me.press("Save and continue")
    me.sees("the page was open for a long time")
    assert me.box().input_value() == LONG
    me.press("Save and continue")
    me.heading("The end")
    assert answers(db)["feedback"]["more"] == LONG


def test_two_waves_in_two_tabs_do_not_mix(
    me: Answerer, db: DbSession, make: Factory, clock: Clock, package: Package, leader: Leader
) -> None:
    ended(db, clock, package, date(2023, 2, 20))
    coming = make.package(leader)
    other = me.context.new_page()
    me.open(f"{address(coming)}/1")
    other.goto(f"{address(package, 'post')}/1")
    other.get_by_role("radio", name="Completely confident").check()
    other.get_by_role("button", name="Save and continue").click()
    expect(other.locator("h1")).to_have_text("Your duties")
    me.page.get_by_role("radio", name="Slightly confident").check()
    me.press("Save and continue")
    me.heading("Your duties")
    assert answers(db) == {
        "baseline": {"role_confidence": "slightly"},
        "post": {"role_confidence": "completely"},
    }
    names = {cookie["name"] for cookie in me.context.cookies()}
    assert names <= {"sid", "form"}, "no cookie says which questionnaire is meant"


def test_two_tabs_of_one_page_lose_neither_text(me: Answerer, db: DbSession, words: str) -> None:
    other = me.context.new_page()
    other.goto(words)
    me.open(words)
    me.box().fill("Tea")
    me.said("Saved at 9am")
    other.get_by_label("What else?").fill("Coffee")
    expect(other.locator("#saved")).to_contain_text("changed in another tab")
    assert answers(db)["feedback"]["more"] == "Tea"
    other.get_by_role("button", name="Save and continue").click()
    expect(other.locator("h1")).to_have_text("This page was changed somewhere else")
    assert violations(other) == []
    other.get_by_role("button", name="Keep both together").click()
    expect(other.locator("h1")).to_have_text("The end")
    assert answers(db)["feedback"]["more"] == "Tea\n\nCoffee"


def test_sending_twice_on_a_slow_line_and_again_with_back(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    for _ in range(2):
        me.press("Save and continue")
    me.heading("Check your answers")
    me.served.pause = lambda environ: 0.5 if environ["PATH_INFO"].endswith("/submit") else 0.0
    me.page.get_by_role("button", name="Send my answers").dblclick()
    me.heading("Answers sent")
    first = me.page.locator(".govuk-panel").inner_text()
    me.page.go_back()
    if me.page.get_by_role("button", name="Send my answers").count():
        me.press("Send my answers")
    expect(me.page.locator(".govuk-panel")).to_have_text(first, use_inner_text=True)
    me.page.reload()
    expect(me.page.locator(".govuk-panel")).to_have_text(first, use_inner_text=True)
    db.rollback()
    assert len(db.scalars(select(Response.id)).all()) == 1


def test_browser_and_server_count_alike(me: Answerer, words: str) -> None:
    me.open(words)
    me.box().fill(EMOJI * 10 + "\n" + "x" * 3989)
    count = me.page.locator(".govuk-character-count__status")
    expect(count).to_have_text("You have 40 characters too many")
    me.press("Save and continue")
    me.sees("must be 4,000 characters or fewer. You have written 4,040")
    me.box().fill(EMOJI * 10 + "\n" + "x" * 3949)
    expect(count).to_have_text("You have 0 characters remaining")
    me.press("Save and continue")
    me.heading("The end")


def test_ten_thousand_characters_stay_on_the_page_with_a_clear_message(me: Answerer, words: str) -> None:
    me.open(words)
    me.box().fill("x" * 10_000)
    me.said("must be 4,000 characters or fewer. You have written 10,000")
    me.press("Save and continue")
    expect(me.page.locator(".govuk-error-summary")).to_be_focused()
    assert len(me.box().input_value()) == 10_000
    assert violations(me.page) == []


def test_a_radio_can_be_cleared(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.page.get_by_role("radio", name="Yes").check()
    me.said("Saved at 9am")
    with me.page.expect_response(lambda answer: answer.request.method == "POST"):
        me.page.get_by_role("button", name="Clear my answer").click()
    expect(me.page.get_by_role("radio", name="Yes")).to_be_focused()
    expect(me.page.get_by_role("radio", name="Yes")).not_to_be_checked()
    assert answers(db)["feedback"]["useful"] is None


def test_enter_in_a_text_box_saves_and_clears_nothing(me: Answerer, db: DbSession, words: str) -> None:
    me.open(words)
    me.page.get_by_role("radio", name="Yes").check()
    me.press("Save and continue")
    me.page.get_by_label("Anything more?").fill("No")
    me.page.keyboard.press("Enter")
    me.heading("Check your answers")
    assert answers(db)["feedback"]["useful"] == "yes"


def test_by_keyboard_alone(me: Answerer, db: DbSession, package: Package) -> None:
    me.open(f"{address(package)}/1")
    keys = me.page.keyboard

    def tab_to(selector: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            if me.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    tab_to("input[name=role_confidence]")
    keys.press("Space")
    keys.press("ArrowDown")
    keys.press("Enter")
    me.heading("Your duties")
    names = me.page.locator("fieldset input[type=radio]").evaluate_all(
        "(radios) => [...new Set(radios.map((radio) => radio.name))]"
    )
    for name in names:
        tab_to(f"input[name={name}]")
        keys.press("Space")
    tab_to("button.govuk-button")
    keys.press("Enter")
    me.heading("What good looks like")
    assert answers(db)["baseline"]["role_confidence"] == "slightly"
    assert set(names) <= set(answers(db)["baseline"])


# How a page is laid out rests on no database.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", [(320, 640, 1), (320, 256, 4)], ids=["320 pixels", "400 percent"])
def test_statements_on_a_small_screen(
    browser: Browser, me: Answerer, db: DbSession, package: Package, size: tuple[int, int, int]
) -> None:
    width, height, scale = size
    small = browser.new_context(
        base_url=me.served.url,
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        storage_state=me.context.storage_state(),
    )
    page = small.new_page()
    page.goto(f"{address(package)}/1")
    page.get_by_role("radio", name="Very confident").check()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("h1")).to_have_text("Your duties")
    for _ in range(4):
        groups = page.locator("main fieldset")
        assert sideways(page) == 0
        assert violations(page) == []
        for group in groups.all():
            expect(group.locator("legend")).to_have_count(1)
            group.get_by_role("radio", name="Very confident").check()
        before = page.url
        page.get_by_role("button", name="Save and continue").click()
        page.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]
    small.close()


def test_the_pages_around_answers_are_in_order_for_everybody(
    me: Answerer, package: Package, words: str
) -> None:
    me.page.set_viewport_size({"width": 320, "height": 640})
    start = words.removesuffix("/1")
    me.open(words)
    assert violations(me.page) == []
    for _ in range(2):
        me.press("Save and continue")
    assert violations(me.page) == []
    me.press("Send my answers")
    for page in ("receipt", "copy", "change", "withdraw"):
        me.open(f"{start}/{page}")
        assert (sideways(me.page), violations(me.page)) == (0, []), page
