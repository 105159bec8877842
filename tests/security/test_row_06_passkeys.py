"""Rows 6 and 7 for passkeys, in Chromium: made, used, skipped; and robots that press everything."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import BrowserSession, Factor, FactorKind, Person, Role
from tests.browser import launch
from tests.conftest import Stack
from tests.factories import Factory
from tests.outbox import Outbox
from tests.security.authenticator import Authenticator
from tests.security.coming_in import code_in, path_in, start_code
from tests.served import Served

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("stack", ["sqlite"], indirect=True)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with launch() as running:
        yield running


@pytest.fixture
def served(stack: Stack) -> Iterator[Served]:
    made = Served(stack)
    # A passkey belongs to the address that people type.
    settings, before = stack.instance.settings, stack.instance.settings.public_url
    object.__setattr__(settings, "public_url", made.url)
    yield made
    object.__setattr__(settings, "public_url", before)
    made.stop()


@pytest.fixture
def context(chromium: Chromium, served: Served) -> Iterator[BrowserContext]:
    made = chromium.new_context(base_url=served.url)
    made.set_default_timeout(10_000)
    yield made
    made.close()


def by_mail(page: Page, outbox: Outbox, address: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Your e-mail address").fill(address)
    page.get_by_role("button", name="Send me a link and a code").click()
    page.get_by_label("Code").fill(code_in(outbox.sign_in_mail()))
    page.get_by_role("button", name="Sign in", exact=True).click()


def sees(page: Page, heading: str) -> None:
    expect(page.locator("h1")).to_have_text(heading)


def test_row_06_a_passkey_from_the_offer_to_reading(
    stack: Stack, context: BrowserContext, outbox: Outbox, make: Factory, db: DbSession
) -> None:
    chief = make.person(
        "Chris Chief", email="chief@council.example", role=Role.CHIEF_EXECUTIVE, council=make.council()
    )
    new = db.get_one(Person, chief.id)
    new.passkey_offered_at = None
    db.commit()
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    device = Authenticator(context, page)
    by_mail(page, outbox, "chief@council.example")
    sees(page, "Use your face, fingerprint or PIN next time")
    page.get_by_role("button", name="Set up a passkey").click()
    sees(page, "Your sign-in")
    page.get_by_role("link", name="start code").click()
    page.get_by_label("Start code").fill(start_code(stack, chief.id))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Set up a passkey on this device").click()
    expect(page.get_by_text("The passkey is set up.")).to_be_visible()
    assert device.count() == 1
    page.goto("/your-data")
    sees(page, "Your data")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.goto("/your-data")
    sees(page, "Your data")
    db.rollback()
    last = db.scalars(select(BrowserSession).order_by(BrowserSession.created_at.desc())).all()
    assert ("passkey", 2) in {(row.method, row.level) for row in last}
    counter = db.scalars(select(Factor.counter).where(Factor.kind == FactorKind.PASSKEY)).one()
    assert counter is not None
    assert trouble == []


def test_row_06_a_passkey_proves_more_in_a_browser_that_is_in(
    stack: Stack, context: BrowserContext, outbox: Outbox, make: Factory
) -> None:
    team = make.person("Tess Team", email="tess@programme.example", role=Role.TEAM)
    page = context.new_page()
    device = Authenticator(context, page)
    by_mail(page, outbox, "tess@programme.example")
    sees(page, "Prove that it is you")
    page.get_by_role("link", name="Use a start code").click()
    page.get_by_label("Start code").fill(start_code(stack, team.id))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Set up a passkey on this device").click()
    sees(page, "Your sign-in")
    page.get_by_role("button", name="Make ten new codes").click()
    sees(page, "Your recovery codes")
    page.goto("/team")
    sees(page, "What needs a hand")
    page.get_by_role("button", name="Sign out").click()
    # The address field offers the passkey by itself; here nobody takes it.
    device.touch(at_once=False)
    by_mail(page, outbox, "tess@programme.example")
    sees(page, "Prove that it is you")
    device.touch(at_once=True)
    device.know(verified=False)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("That did not work")).to_be_visible()
    device.know(verified=True)
    page.wait_for_timeout(1100)  # a button takes a second press within a second for a slip
    page.get_by_role("button", name="Use a passkey").click()
    sees(page, "What needs a hand")


def test_row_06_a_robot_that_presses_every_button_gains_and_spends_nothing(
    chromium: Chromium, served: Served, context: BrowserContext, outbox: Outbox, make: Factory, db: DbSession
) -> None:
    """Scanners run scripts, keep cookies, and press what they find (fleet 26976, next-auth 1840)."""
    make.person(
        "Chris Chief", email="chief@council.example", role=Role.CHIEF_EXECUTIVE, council=make.council()
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Your e-mail address").fill("chief@council.example")
    page.get_by_role("button", name="Send me a link and a code").click()
    text = outbox.sign_in_mail()
    robot = chromium.new_context(base_url=served.url)
    scanner = robot.new_page()
    Authenticator(robot, scanner)
    for _ in range(2):
        scanner.goto(path_in(text.replace(served.url, "http://localhost")))
        _press_everything(scanner)
    assert "sid" not in {cookie["name"] for cookie in robot.cookies()}
    db.rollback()
    assert db.scalars(select(BrowserSession.id)).all() == []
    robot.close()
    page.get_by_label("Code").fill(code_in(text))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def _press_everything(page: Page) -> None:
    """Every link and button of the page that a mail led to, and of the page for signing in, where fields are filled
    with the code that was found."""
    [code] = re.findall(r"\b\d{6}\b", page.locator("main").inner_text())
    for start in (page.url, "/sign-in", "/sign-in/code"):
        page.goto(start)
        for number in range(page.locator("main a:visible, main button:visible").count()):
            page.goto(start)
            for box in page.locator("main input:visible:not([type=checkbox])").all():
                box.fill(code)
            page.locator("main a:visible, main button:visible").nth(number).click()
            page.wait_for_load_state("networkidle")
