"""The main job from end to end, in a real browser, on the real server, worker and mail.

Two sides walk it in one portal, step by step: one with JavaScript, one without. On the way the pages of participants
are weighed.
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys import weighing
from tests.journeys.conftest import Portal, links_of
from tests.journeys.walking import Walker, make_package, record_mentor, set_up

pytestmark = pytest.mark.journey

DOWNLOADS = (".ics", ".zip", ".pdf", ".csv")
ONE_TO_ONE, GROUP = "One-to-one support for a leader", "Support for a group"


@dataclass(frozen=True)
class Side:
    """Those who walk the path together; `names` has what each is called, and a word of it that nobody else has. Team
    and mentor are the same people for both sides, at another browser."""

    browser: Browser
    portal: Portal
    javascript: bool
    council: str
    elsewhere: str
    names: dict[str, tuple[str, str]]
    walkers: dict[str, Walker] = field(default_factory=dict)

    def address(self, who: str) -> str:
        return f"{who}@{'programme' if who in STAFF else self.council}.example".lower()

    def called(self, who: str) -> str:
        return {**STAFF, **self.names}[who][1]

    @property
    def group(self) -> str:
        return f"Scrutiny in {self.council}"

    def __getitem__(self, who: str) -> Walker:
        if who not in self.walkers:
            address = self.address(who)
            self.walkers[who] = Walker(self.browser, self.portal, address, javascript=self.javascript)
        return self.walkers[who]

    def people(self) -> str:
        """Rows of the file of people."""
        offices = {
            "leader": ("lead_member", self.council),
            "chief": ("chief_executive", self.elsewhere),
            "member": ("committee_member", self.council),
            "other": ("committee_member", self.council),
        }
        return "".join(
            f"{self.names[who][0]},{self.address(who)},{role},{council},2021-06-01,\n"
            for who, (role, council) in offices.items()
        )


STAFF = {"team": ("Tess Team", "Tess"), "mentor": ("Mo Mentor", "Mo Mentor")}
PEOPLE = """name,email,role,council,starts_on,ends_on
Tess Team,team@programme.example,team,,2021-06-01,
Mo Mentor,mentor@programme.example,mentor,,2021-06-01,
"""
WITH_SCRIPT = {
    "leader": ("Cllr Niamh O’Shea-D'Arcy", "Niamh"),
    "chief": ("Siân Ŵyn-Žák", "Siân"),
    "member": ("Cllr Ada First", "Ada"),
    "other": ("Cllr Bo Second", "Bo"),
}
WITHOUT = {
    "leader": ("Cllr Łukasz Ó Baoill", "Łukasz"),
    "chief": ("مريم Haddad", "Haddad"),
    "member": ("Cllr Cy Third", "Cy"),
    "other": ("Cllr Di Fourth", "Di"),
}


@pytest.fixture
def sides(browser: Browser, portal: Portal) -> list[Side]:
    made = [
        Side(browser, portal, True, "Northshire", "Exbourne", WITH_SCRIPT),
        Side(browser, portal, False, "Exbourne", "Northshire", WITHOUT),
    ]
    people = PEOPLE + "".join(side.people() for side in made)
    set_up(portal, people, cleared=[made[0].address(who) for who in STAFF])
    portal.serve()
    return made


def test_the_whole_path(sides: list[Side], portal: Portal) -> None:
    for side in sides:
        make_packages(side)
        publish_hours(side)
        answer_and_book(side)
    for side in sides:
        ask_for_a_call(side)
        take_a_place(side)
    with_script = sides[0]
    weigh_views(with_script)

    portal.at("2023-03-20T09:00:00+00:00")
    for side in sides:
        deliver(side)
        end_support(side)

    portal.at("2023-06-21T09:00:00+00:00")
    read_figures(portal, sides)
    assert "lines hold" in portal.command("privacy", "audit", "verify")
    for side in sides:
        for person in side.walkers.values():
            assert person.messages == [], person.address


def make_packages(side: Side) -> None:
    """1 and 2: the team records a mentor, makes packages, invites."""
    team = side["team"]
    if side.javascript:
        team.sign_in()
    else:
        team.is_in()
    record_mentor(team, side.called("mentor"))
    alone = {"kind": ONE_TO_ONE, "mentor": side.called("mentor")}
    board, one = "Chair the improvement board with confidence", "Work as one with the director"
    make_package(team, **alone, council=side.council, people=[side.called("leader")], goal=board)
    make_package(team, **alone, council=side.elsewhere, people=[side.called("chief")], goal=one)
    make_package(
        team,
        kind=GROUP,
        mentor=side.called("mentor"),
        council=side.council,
        people=[side.called("member"), side.called("other")],
        goal="Ask better questions",
        title=side.group,
    )


def publish_hours(side: Side) -> None:
    mentor = side["mentor"]
    mentor.is_in()
    mentor.open("/mentor/hours")
    for weekday in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        selects = mentor.page.locator(f"fieldset:has(legend:text-is('{weekday}')) select")
        selects.nth(0).select_option(label="9am")
        selects.nth(1).select_option(label="5pm")
    mentor.press("Save your week")


def answer_and_book(side: Side) -> None:
    """3 to 5: the invitation, the baseline in two sittings, the receipt, a session."""
    leader, portal = side["leader"], side.portal
    # The invitation carries no credential and opens the page it names, after a sign-in.
    invitation = portal.mail(leader.address, subject="ready")
    (link,) = [address for address in links_of(invitation) if "/your-support" in address]
    leader.sign_in(link, own_device=True)
    expect(leader.page.locator("h1")).to_have_text("Your role")
    leader.open("/your-support")
    said = leader.reads().split("\n\n")[1 if leader.reads().startswith("Your support") else 0]
    assert said.startswith("Only the programme team can read your answers")

    # A known device: link, Continue, option, Continue; and the answer is saved.
    leader.context.clear_cookies(name="sid")
    leader.taps = 1
    leader.open(link)
    leader.tap_button(re.compile("Continue as"))
    leader.tap_radio("Slightly confident")
    leader.tap_button("Save and continue")
    expect(leader.page.locator("h1")).to_have_text("Your duties")
    assert leader.taps <= 4

    # Resumed where they left off, checked, sent once.
    leader.open("/your-support")
    leader.follow("Continue")
    expect(leader.page.locator("h1")).to_have_text("Your duties")
    leader.answer_all(option="Slightly confident", text="I want to read the data better.")
    leader.press("Send my answers")
    leader.sees("Answers sent")
    reference = leader.page.locator(".govuk-panel strong").inner_text()
    leader.page.reload()
    assert leader.page.locator(".govuk-panel strong").inner_text() == reference

    # From the receipt to a booked session in two taps; both get a calendar invitation.
    leader.taps = 0
    leader.tap_radio(re.compile("[ap]m to "))
    leader.tap_button("Book this time")
    leader.sees("When")
    assert leader.taps <= 2
    assert "/sessions/" in leader.page.url
    for address in (leader.address, side.address("mentor")):
        message = portal.mail(address, subject="One-to-one")
        calendars = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        assert calendars
        assert calendars[0].get_param("method") == "REQUEST"


def ask_for_a_call(side: Side) -> None:
    """The chief executive would rather talk; before the baseline is in nothing can be booked."""
    chief, team = side["chief"], side["team"]
    phone = f"07700 900 {100 + len(side.council)}"
    chief.sign_in(links_of(side.portal.mail(chief.address, subject="ready"))[0])
    chief.follow("I'd rather talk: ring me")
    chief.fill("Phone number", phone)
    chief.press("Ring me")
    chief.open("/your-support")
    chief.sees("You can book as soon as your first questionnaire is in")
    team.open("/team")
    team.sees(phone)
    team.page.get_by_role("link", name=re.compile(side.called("chief"))).first.click()


def take_a_place(side: Side) -> None:
    """A group session has places; a member answers and books one."""
    team, member = side["team"], side["member"]
    team.open("/team/packages?strand=group")
    team.follow(side.group)
    team.follow("Plan a group session")
    team.page.locator("[name=title]").fill("Reading performance data")
    team.fill_date("on", "15", "3", "2023")
    team.page.locator("[name=at]").fill("2pm" if side.javascript else "10am")
    team.page.locator("[name=capacity]").fill("1")
    team.press("Schedule this session")
    team.sees("The session is scheduled")
    member.sign_in(links_of(side.portal.mail(member.address, subject="ready"))[0])
    member.answer_all(option="Fairly confident")
    member.press("Send my answers")
    member.open("/your-support/next")
    member.press("Book a place")
    member.sees("You have a place")


def weigh_views(side: Side) -> None:
    """The pages of participants, each in a browser that has nothing yet; one also in a browser that has its files."""
    url = side.portal.url
    weights: dict[str, int] = {}
    for who, start in (
        ("leader", "/your-support"),
        ("member", "/your-support/next"),
        ("chief", "/your-support/next"),
    ):
        person = side[who]
        person.open(start)
        cookies = person.context.cookies()
        links = person.page.locator("main a[href^='/'], footer a[href^='/']").evaluate_all(
            "(links) => links.map((link) => link.getAttribute('href'))"
        )
        pages = {urlsplit(person.page.url).path, *(href for href in links if not href.endswith(DOWNLOADS))}
        for path in sorted(pages - weights.keys()):
            weights[path] = weighing.first_view(side.browser, url, path, cookies)
    assert len(weights) > 10, sorted(weights)
    print(sorted((weight, path) for path, weight in weights.items()))
    assert (
        weighing.second_view(side.browser, url, start, cookies) < weights[urlsplit(person.page.url).path] / 2
    )


def deliver(side: Side) -> None:
    """6: the mentor records that the session took place; then logs the rest of five days, or some of it."""
    mentor = side["mentor"]
    mentor.is_in()
    mentor.open("/mentor")
    mentor.page.get_by_role("link", name=re.compile(side.called("leader"))).first.click()
    if mentor.page.get_by_role("link", name="Record what happened").count():
        mentor.follow("Record what happened")
    mentor.page.get_by_role("radio", name="Yes").check()
    mentor.page.locator("[name=minutes]").fill("60")
    mentor.press("Save")
    mentor.open("/mentor")
    named = re.compile(side.called("leader"))
    mentor.page.get_by_role("table").get_by_role("link", name=named).first.click()
    package_page = mentor.page.url
    days = range(6, 11) if side.javascript else range(13, 14)
    for day in days:
        mentor.open(package_page)
        mentor.follow("Log a session that took place")
        mentor.fill_date("on", str(day), "3", "2023")
        mentor.page.locator("[name=at]").fill("9am")
        mentor.page.locator("[name=minutes]").fill("420")
        mentor.press("Log this session")
    mentor.open(package_page)
    mentor.sees(f"{len(days)}.1 of 5 days")


def end_support(side: Side) -> None:
    """7: the team ends support; the post questionnaire opens; answered, with an example; a verdict is given."""
    team, leader, example = side["team"], side["leader"], "Scrutiny now gets the data before the meeting"
    team.is_in()
    team.open("/team/packages?strand=one_to_one")
    team.follow(side.called("leader"))
    team.follow("End support")
    team.fill_date("on", "20", "3", "2023")
    if not side.javascript:
        team.page.locator("[name=reason]").fill("The council asked for less.")
    team.press("End support")
    leader.open(links_of(side.portal.mail(leader.address, subject="left"))[0])
    leader.press(f"Continue as {side.names['leader'][0]}")
    leader.answer_all(option="Very confident", text=f"{example}, and asks about it.")
    leader.press("Send my answers")
    leader.sees("Answers sent")
    leader.press("Sign out")
    leader.sees("You have signed out")
    team.open("/team/verdicts")
    team.page.get_by_role("table").get_by_role("link").first.click()
    if side.javascript:
        # The first of the day: they are asked once.
        team.sees("What do you open answers for today?")
        team.page.get_by_role("radio", name="To judge examples of impact").check()
        team.press("Continue")
    team.sees(example)
    team.page.get_by_role("radio", name="Accepted").check()
    team.page.locator("[name=note]").fill("All four points are there.")
    team.send("Save verdict")


def read_figures(portal: Portal, sides: list[Side]) -> None:
    """8: the figures, once the window has closed."""
    report = json.loads(portal.command("report", "kpi", "--json"))
    first = report["kpis"][0]
    assert (first["supported"], first["closed"], first["answered"], first["confident"]) == (2, 2, 2, 2)
    assert (first["impact"], first["both"], first["share"]) == (2, 2, 1.0)
    assert report["kpis"][1]["supported"] in (0, 4)
    # Who may see what was to be confirmed after the quarter's end; without that the team would have lost its pages.
    portal.command("privacy", "access-review", "--confirm", sides[0].address("team"))
    team = sides[0]["team"]
    team.is_in()
    team.open_until("/reports/kpi", "As it stood on 21 June 2023")
    team.sees("2 of 2 leaders feel more confident and can show impact")
