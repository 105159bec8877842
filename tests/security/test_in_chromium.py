"""Rows 15, 20, 29, 31 in Chromium: the warning before the end, and that nothing stays behind in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Person, Role
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.journeys.conftest import browser, served
from tests.served import Served

__all__ = ["browser", "served"]

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("stack", ["sqlite"], indirect=True)]
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CANARY = "quincewordthatnobodyelsetypes"
STORES = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])"


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ana Leader")


@pytest.fixture
def package(make: Factory, db: DbSession, leader: Person, stack: Stack) -> Package:
    versions.publish_shipped(db, stack.clock)
    return make.package(leader, mentor=make.mentor(), council=make.council())


class Visit:
    """A page of a browser of its own, with a clock that a test winds on, and what its console said."""

    def __init__(self, browser: Browser, served: Served, person: Person, *, width: int = 810) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=served.url, viewport={"width": width, "height": 1080}
        )
        self.context.add_cookies([served.cookie(person.id)])
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.clock.install(time=served.stack.clock.now)
        self.served = served
        self.messages: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        # That the browser cleared its stores is said as an info.
        if message.type in {"error", "warning"}:
            self.messages.append(message.text)

    def wait(self, *, minutes: float) -> None:
        """Time passes on both sides; the page's own timers run at its end."""
        self.served.stack.clock.pass_time(minutes=minutes)
        self.page.clock.fast_forward(int(minutes * 60_000))
        self.page.clock.run_for(1500)

    @property
    def dialog(self) -> object:
        return self.page.get_by_role("dialog")


@pytest.fixture
def visit(browser: Browser, served: Served, leader: Person) -> Iterator[Visit]:
    made = Visit(browser, served, leader)
    yield made
    made.context.close()
    # The browser itself logs answers such as 404 and 422; those pages are meant.
    assert [text for text in made.messages if "status of 4" not in text] == []


def signed_in_for(served: Served, visit: Visit) -> int:
    """How many seconds the server still knows this browser, asked as a page asks."""
    answer = visit.context.request.get(f"{served.url}/signed-in", headers={"HX-Request": "true"})
    seconds: int = answer.json()["idle"]
    return seconds


# ---- row 15


def test_row_15_the_page_warns_in_time_and_one_action_extends(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto("/your-devices")
    dialog = page.get_by_role("dialog", name="You will be signed out soon")
    visit.wait(minutes=54)
    expect(dialog).to_be_hidden()
    visit.wait(minutes=1.5)
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("We will sign you out in 5 minutes")
    visit.wait(minutes=3)
    expect(dialog).to_contain_text("2 minutes")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document.querySelector('dialog'))")
    assert [one["id"] for one in found["violations"]] == []
    for _ in range(11):
        page.get_by_role("button", name="Stay signed in").click()
        expect(dialog).to_be_hidden()
        assert signed_in_for(served, visit) > 3500
        visit.wait(minutes=56)
        expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_row_15_a_page_left_alone_gives_way_to_the_sign_in_page(visit: Visit, served: Served) -> None:
    visit.page.goto("/your-devices")
    visit.wait(minutes=56)
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    visit.wait(minutes=6)
    expect(visit.page).to_have_url(f"{served.url}/sign-in")
    expect(visit.page.get_by_text("Ana Leader")).to_have_count(0)


def test_row_15_what_somebody_typed_stays_when_the_time_is_over(
    visit: Visit, served: Served, package: Package
) -> None:
    part = package.participations[0].id
    form = f"/questionnaires/{part}/baseline/once/ring-me"
    visit.page.goto(form)
    visit.page.get_by_label("When").first.fill("After the budget meeting")
    visit.wait(minutes=62)
    visit.page.clock.run_for(3000)
    expect(
        visit.page.get_by_text("You are signed out. What you typed is still on this page.")
    ).to_be_visible()
    expect(visit.page.get_by_label("When").first).to_have_value("After the budget meeting")
    visit.page.locator("main form button[type=submit]").first.click()
    expect(visit.page.get_by_text("We have kept what you typed")).to_be_visible()


def test_row_15_typing_keeps_somebody_signed_in(visit: Visit, served: Served, package: Package) -> None:
    visit.page.goto(f"/questionnaires/{package.participations[0].id}/baseline/once/ring-me")
    box = visit.page.get_by_label("When").first
    for _ in range(8):
        visit.wait(minutes=10)
        with visit.page.expect_response("**/signed-in/stay"):
            box.press_sequentially("x")
    assert signed_in_for(served, visit) > 3000, "80 minutes later"


def test_row_15_another_page_of_the_same_browser_keeps_this_one_quiet(visit: Visit, served: Served) -> None:
    visit.page.goto("/your-devices")
    served.stack.clock.pass_time(minutes=50)
    other = visit.context.new_page()
    other.goto("/your-devices")
    served.stack.clock.pass_time(minutes=6)
    with visit.page.expect_response("**/signed-in"):
        visit.page.clock.fast_forward(56 * 60_000)
        visit.page.clock.run_for(1500)
    expect(visit.page.get_by_role("dialog")).to_be_hidden()


def test_row_15_the_whole_time_is_said_to_be_final(
    browser: Browser, served: Served, make: Factory, clock: SetClock
) -> None:
    visit = Visit(browser, served, make.person(role=Role.TEAM), width=390)
    try:
        for _ in range(31):
            visit.page.goto("/your-devices")
            visit.wait(minutes=15)
        visit.page.goto("/your-devices")
        visit.wait(minutes=11)
        dialog = visit.page.get_by_role("dialog")
        expect(dialog).to_contain_text("you cannot put that off")
        visit.page.get_by_role("button", name="Go on").click()
        expect(dialog).to_be_hidden()
        visit.wait(minutes=1)
        expect(dialog).to_be_hidden()
        visit.wait(minutes=5)
        expect(visit.page).to_have_url(f"{served.url}/sign-in")
    finally:
        visit.context.close()


# ---- rows 20 and 31


def test_row_20_nothing_is_left_after_sign_out_and_back_shows_the_sign_in_page(
    visit: Visit, served: Served, package: Package
) -> None:
    page = visit.page
    page.goto("/your-support")
    page.goto("/your-devices")
    expect(page.get_by_text("Signed in as Ana Leader")).to_be_visible()
    with page.expect_response("**/sign-out") as answered:
        page.get_by_role("button", name="Sign out", exact=True).first.click()
    assert answered.value.all_headers()["clear-site-data"] == '"cache", "storage"'
    expect(page).to_have_url(f"{served.url}/sign-in")
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
        expect(page.get_by_text("Ana Leader")).to_have_count(0)
    assert page.evaluate(STORES) == '[[],[],""]'
    kept = {cookie["name"] for cookie in visit.context.cookies()}
    assert kept <= {"form"}, "what is left is the token of the sign-in form"


def test_row_31_nothing_personal_is_kept_by_the_browser(
    visit: Visit, served: Served, package: Package
) -> None:
    page = visit.page
    start = f"/questionnaires/{package.participations[0].id}/baseline/once"
    page.goto(f"{start}/ring-me")
    page.get_by_label("When").first.fill(CANARY)
    page.goto("/your-data")
    page.goto("/your-data/copy")
    page.go_back()
    page.goto(f"{start}/ring-me")
    page.get_by_label("When").first.fill(CANARY)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()
    stores = page.evaluate(STORES)
    assert stores == '[[],[],""]', "no cookie that scripts can read, nothing in either store"
    databases = page.evaluate("indexedDB.databases().then((found) => found.length)")
    assert databases == 0
    assert page.evaluate("caches.keys().then((found) => found.length)") == 0
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((found) => found.length)") == 0


# ---- row 29


def test_row_29_no_page_breaks_the_policy_in_a_browser(
    browser: Browser, served: Served, make: Factory, leader: Person, package: Package
) -> None:
    start = f"/questionnaires/{package.participations[0].id}/baseline/once"
    seen = {
        leader: ["/your-support", "/your-data", "/your-calendar", f"{start}/1", "/nothing"],
        make.person(role=Role.TEAM): ["/team", "/team/people", f"/team/packages/{package.id}", "/reports/kpi"],
        make.person(role=Role.DPO): ["/desk", "/desk/cases/new", "/desk/calculator", "/desk/registers"],
    }  # fmt: skip
    for person, addresses in seen.items():
        visit = Visit(browser, served, person)
        for address in addresses:
            visit.page.goto(address)
            visit.page.wait_for_load_state("networkidle")
        visit.context.close()
        wrong = [text for text in visit.messages if "status of 4" not in text]
        assert wrong == [], addresses


def test_row_29_the_policy_stops_what_would_run(browser: Browser, served: Served) -> None:
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/sign-in")
    page.evaluate(
        """() => {
            window.ran = [];
            const script = document.createElement("script");
            script.textContent = "window.ran.push('inline')";
            document.body.append(script);
            const image = document.createElement("img");
            image.setAttribute("onerror", "window.ran.push('handler')");
            image.src = "/nothing";
            document.body.append(image);
            setTimeout("window.ran.push('eval')", 0);
        }"""
    )
    page.wait_for_load_state("networkidle")
    assert page.evaluate("new Promise((done) => setTimeout(() => done(window.ran), 200))") == []
    assert sum("Content Security Policy" in text for text in said) >= 3
    context.close()
