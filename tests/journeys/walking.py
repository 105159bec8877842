"""Somebody who walks the whole path, with what they do more than once; and where the path begins."""

import re
from pathlib import Path

import pyotp
from playwright.sync_api import expect
from pysqlite3 import dbapi2
from sqlalchemy import create_engine
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.models import Level
from privacy import keys
from privacy.clock import system_clock
from privacy.engines import open_engine
from privacy.keystore import Vault
from tests.journeys.conftest import Person, Portal, text_of
from tests.pages_client import signed_in

PASSWORD = "slow river orange"
COUNCILS = Path(__file__).resolve().parents[1] / "data" / "councils.csv"


class Walker(Person):
    """Somebody who walks the path."""

    def sign_in(self, path: str = "/", *, own_device: bool = False) -> None:
        """Ask in the browser, read the code in the mail, type it."""
        self.open(path)
        if path == "/":
            self.follow("Sign in")
        before = len([m for m in self.portal.mails(self.address) if "Sign in" in str(m["Subject"])])
        self.fill("E-mail", self.address)
        self.press("Send me a link and a code")
        message = self.portal.mail(self.address, subject="Sign in", count=before + 1)
        found = re.search(r"\b(\d{6})\b", text_of(message))
        assert found
        self.fill("code", found[1])
        if own_device:
            self.page.get_by_label("This is my own device").check()
        self.press("Sign in")
        expect(self.page.get_by_role("button", name="Sign out").first).to_be_attached()
        self.settle()

    def settle(self) -> None:
        """Answer what is asked on the first way in."""
        for _ in range(3):
            heading = self.page.locator("h1").inner_text()
            if "read this mailbox" in heading:
                self.page.get_by_label("No, only I read it").check()
                self.press("Continue")
            elif heading.startswith("Use your face"):
                self.press("Not now")
            elif heading == "Prove that it is you":
                self.set_up()
            else:
                return

    def is_in(self) -> None:
        """Signed in with every proof, without walking it again."""
        engine = create_engine(f"sqlite:///{self.portal.folder / 'portal.sqlite'}", module=dbapi2)
        store = open_engine(f"sqlite:///{self.portal.folder / 'keystore.sqlite'}")
        vault = Vault(keys.load(self.portal.folder / "keys"), store, system_clock)
        with DbSession(engine, info={"vault": vault}) as db:
            person = accounts.find(db, self.address)
            assert person is not None
            row, token = signed_in(person.id, level=Level.PROOF, now=self.portal.now())
            db.add(row)
            db.commit()
        engine.dispose()
        store.dispose()
        self.context.add_cookies([{"name": "sid", "value": token, "url": self.portal.url}])

    def set_up(self) -> None:
        """The first way in of staff: by a link that is handed over, to a password and an app."""
        self.open(self.portal.command("people", "link", self.address).strip())
        self.press("Sign in")
        self.follow("Set it up now")
        self.follow("Set a password")
        self.fill("New password", PASSWORD)
        self.press("Save the password")
        self.follow("Set up an app")
        key = self.page.locator("main code").inner_text()
        self.fill("Code that the app shows now", pyotp.TOTP(key).at(self.portal.now()))
        self.press("Continue")
        self.sees("The app is set up.")
        self.open("/")

    def choose(self, label: str, option: str) -> None:
        """Choose the option of a list that holds these words."""
        control = self.page.get_by_label(label, exact=True)
        value = control.locator("option", has_text=option).first.get_attribute("value")
        control.select_option(value=value)

    def fill_date(self, name: str, day: str, month: str, year: str) -> None:
        for part, value in (("day", day), ("month", month), ("year", year)):
            self.page.locator(f"[name={name}-{part}]").fill(value)

    def answer_all(self, *, option: str, text: str = "We will ask better questions.") -> None:
        """Answer page after page: the named option where there is one, else the first."""
        for _ in range(20):
            if "Check your answers" in self.page.locator("h1").inner_text():
                return
            for group in self.page.locator("main fieldset").all():
                named = group.get_by_role("radio", name=option, exact=True)
                any_of = group.get_by_role("radio").or_(group.get_by_role("checkbox"))
                (named if named.count() else any_of).first.check()
            for box in self.page.locator("main textarea, main input[type=text]").all():
                if box.is_visible() and not box.input_value():
                    box.fill(text)
            self.send("Save and continue")
        raise AssertionError("the questionnaire did not end")


def record_mentor(team: Walker, mentor: str) -> None:
    """What a mentor brings, without which nobody can choose them."""
    team.open("/team/people")
    team.follow(mentor)
    team.page.locator("a[href$='/profile']").click()
    team.page.get_by_role("checkbox", name="Lead Member for children's services").check()
    team.page.locator("[name=public_sector]").fill("Twelve years in councils")
    team.page.locator("[name=one_to_one]").fill("Mentored eight leaders")
    team.page.locator("[name=capacity]").fill("9")
    team.fill_date("trained_on", "10", "1", "2022")
    team.send("Save profile")


def make_package(
    team: Walker, *, kind: str, council: str, people: list[str], mentor: str, goal: str, title: str = ""
) -> None:
    """Step 2 of the path: council agreed with the Department, mentor, goals, days, start; then the invitation."""
    team.open("/team/packages/new")
    team.page.get_by_role("radio", name=kind).check()
    team.choose("Council", council)
    team.press("Continue")
    team.page.locator("[name=goal_1]").wait_for()
    if team.page.get_by_role("radio", name="Yes").count():
        team.page.get_by_role("radio", name="Yes").first.check()
        team.fill_date("agreed_on", "15", "2", "2023")
        team.page.locator("[name=agreed_with]").fill("the contract manager")
        team.page.get_by_role("radio", name=re.compile("Requires improvement", re.IGNORECASE)).check()
        team.page.locator("[name=evidence]").fill("Inspection report of January 2023")
    if title:
        team.page.locator("[name=title]").fill(title)
    for person in people:
        team.page.get_by_role("checkbox" if title else "radio", name=person).first.check()
    team.page.locator("[name=goal_1]").fill(goal)
    team.page.locator("[name=planned_days]").fill("5")
    team.fill_date("starts_on", "1", "3", "2023")
    team.send("Make package")
    expect(team.page.locator("h1")).to_have_text("Choose a mentor")
    team.page.get_by_role("radio", name=mentor).check()
    team.page.locator("[name=why]").fill("Chaired a board that came out of intervention.")
    team.press("Add mentor")
    invite = re.compile("invit", re.IGNORECASE)
    link = team.page.get_by_role("link", name=invite)
    link.or_(team.page.get_by_role("button", name=invite)).first.click()
    send = team.page.get_by_role("button", name=re.compile("Send|Invite", re.IGNORECASE))
    if send.count():
        send.first.click()


def set_up(portal: Portal, people: str, *, cleared: list[str]) -> None:
    """An instance with councils and people; before any page opens, staff and mentors are cleared from the command line
    (annex 1)."""
    portal.command("init")
    portal.command("councils", "import", str(COUNCILS))
    file = portal.folder.parent / "people.csv"
    file.write_text(people, encoding="utf-8")
    portal.command("people", "import", str(file), "--dry-run")
    assert "@" not in portal.command("people", "list")
    portal.command("people", "import", str(file))
    kinds = [word for kind in ("bpss", "undertaking", "training") for word in ("--kind", kind)]
    for address in cleared:
        portal.command("people", "clear", address, *kinds, "--on", "2023-01-10", "--expires", "2025-01-09")
