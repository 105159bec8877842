"""The data protection officer's desk in a real browser: each kind of case from intake to close.

The pages are served from within the test; the worker's mail is delivered by hand, so that notices leave evidence.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mailing import post
from portal.models import Role
from privacy.cases import acts
from privacy.cases.story import State
from privacy.cases.tables import Case, CaseKind
from privacy.erasure import holds
from privacy.rights import Erasure, ErasureState
from tests.canary_walk import MailBag
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.journeys.conftest import Person
from tests.seconding import second_agrees
from tests.served import Served

pytestmark = pytest.mark.journey

NOW = datetime(2027, 2, 1, 10, tzinfo=UTC)
DECIDED = {"decision": "Do as they ask", "letter": "DfE/77"}
ANSWERED = {"how": "By letter"}
CLOSED = {"outcome": "Done as they asked", "evidence": "Letter of today"}
DECIDE = [("controller_decided", DECIDED), ("answered", ANSWERED)]
ACTED = [DECIDE[0], ("acted", {"what": "Changed as decided", "letter": "DfE/77"}), DECIDE[1]]

# What is written down for each kind, between the notice that goes by itself and the end.
STORIES: dict[CaseKind, list[tuple[str, dict[str, str]]]] = {
    CaseKind.RECTIFICATION: ACTED,
    CaseKind.RESTRICTION: ACTED,
    CaseKind.OBJECTION: ACTED,
    CaseKind.PORTABILITY: [("package_made", {}), *DECIDE],
    CaseKind.COMPLAINT: [("acknowledged", {}), *DECIDE],
    CaseKind.THIRD_PARTY: DECIDE,
    CaseKind.REGULATOR: DECIDE,
    CaseKind.FOI: [
        ("department_asked", {"what": "All records of May"}),
        ("information_given", {"evidence": "Message 18"}),
    ],
    CaseKind.INCIDENT: [
        ("contained", {"how": "The letter came back unopened"}),
        ("assessed", {"risk": "None", "data": "One name"}),
        ("investigated", {"found": "A window envelope"}),
        ("outcome_told", {"evidence": "Message 19"}),
        ("lessons", {"text": "Plain envelopes"}),
    ],
}


class Officer(Person):
    """Somebody of the desk at a browser, signed in by a cookie."""

    def __init__(self, browser: Browser, served: Served, person_id: UUID, *, javascript: bool = True) -> None:
        # Of the portal, only its address is used.
        super().__init__(browser, served, f"officer {person_id}", javascript=javascript)  # type: ignore[arg-type]
        self.context.add_cookies([served.cookie(person_id)])

    def take_in(self, kind: CaseKind, *, about: str = "") -> str:
        """Fill the form of intake in and save it; returns where the case is."""
        self.open("/desk/cases/new")
        page = self.page
        page.locator(f"input[name=kind][value={kind}]").check()
        page.get_by_label("Post", exact=True).check()
        for part, typed in (("day", "1"), ("month", "2"), ("year", "2027")):
            page.locator(f"[name=on-{part}]").fill(typed)
        page.locator("[name=at]").fill("9:50am")
        page.locator("[name=name]").fill("Ada Quill")
        page.locator("[name=asked]").fill("Send me all that you hold")
        page.locator("[name=about]").fill(about)
        self.press("Save, and tell the Controller")
        self.sees("The case is open")
        return page.url

    def happens(self, event: str, **typed: Any) -> None:
        """Open the form of an event, fill it in, and save it."""
        form = self.page.locator(f"#form-{event}")
        if not form.is_visible():
            self.page.locator(f"details:has(#form-{event}) > summary").click()
        for name, text in typed.items():
            form.locator(f"[name={name}]").fill(text)
        form.locator("button").click()
        self.sees("It is written down")

    def is_closed(self) -> None:
        expect(self.page.locator("main .govuk-tag").first).to_have_text("Closed")
        expect(self.page.locator("#form-reopened")).to_be_attached()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An embedded database of its own: what a browser shows rests on no database."""
    made = make_stack(tmp_path_factory.mktemp("desk"), {})
    yield made
    made.close()


@pytest.fixture
def served(stack: Stack) -> Iterator[Served]:
    stack.clock.now = NOW
    running = Served(stack)
    yield running
    running.stop()


def deliver(stack: Stack) -> None:
    """What the worker does each minute with the mail that waits."""
    bag = MailBag()
    while post.deliver(
        stack.instance, partial(DbSession, stack.engine, info={"vault": stack.instance.vault}), bag
    ):
        pass


def test_each_kind_of_case_goes_from_intake_to_close(
    browser: Browser, served: Served, stack: Stack, make: Factory, db: DbSession
) -> None:
    officers = [make.person(name, role=Role.DPO).id for name in ("Dee Officer", "Del Deputy")]
    people = [make.person("Ada Quill"), make.person("Bo Name")]
    make.package(*people[:1])
    (asks, asks_ref), (goes, goes_ref) = [(one.id, one.ref) for one in people]
    db.rollback()
    # Without JavaScript: that everything works then too is half of what is shown here.
    dee = Officer(browser, served, officers[0], javascript=False)

    # Each is taken in; the notices go by themselves, and the minutes stop with their evidence.
    places = {kind: dee.take_in(kind) for kind in STORIES}
    places[CaseKind.ACCESS] = dee.take_in(CaseKind.ACCESS, about=asks_ref)
    places[CaseKind.ERASURE] = dee.take_in(CaseKind.ERASURE, about=goes_ref)
    dee.sees("10 minutes since receipt")
    deliver(stack)
    dee.page.reload()
    expect(dee.page.get_by_text("since receipt")).to_have_count(0)
    dee.open("/desk")
    dee.sees("Nothing is late")

    for kind, story in STORIES.items():
        dee.open(places[kind])
        for event, typed in story:
            dee.happens(event, **typed)
        dee.happens("closed", **CLOSED)
        dee.is_closed()

    # Access: searched, put together, other people taken out and approved by somebody else, decided, answered.
    assert len(holds(db, asks)) == 1
    dee.open(places[CaseKind.ACCESS])
    dee.happens("searched", searched="The portal, and the mailbox", proportionate="Nothing else is held")
    dee.follow("Put together what is held")
    dee.press("Put it together")
    dee.open(f"{places[CaseKind.ACCESS]}/redaction")
    dee.page.get_by_role("checkbox").first.check()
    dee.press("Look for other people in them")
    dee.press("Make the copies")
    del_ = Officer(browser, served, officers[1])
    del_.open(f"{places[CaseKind.ACCESS]}/redaction")
    del_.press("Approve the copies")
    dee.open(places[CaseKind.ACCESS])
    for event, typed in DECIDE:
        dee.happens(event, **typed)
    dee.happens("closed", **CLOSED)
    dee.is_closed()
    db.rollback()
    assert holds(db, asks) == [], "an open request held their data"

    # Erasure: decided, done from the case itself, answered; the case goes on without the person.
    dee.open(places[CaseKind.ERASURE])
    dee.happens(*DECIDE[0][:1], **DECIDE[0][1])
    for said in ("A second person has to agree first", "Their data is erased"):
        dee.open(f"{places[CaseKind.ERASURE]}/act/erase")
        dee.page.locator("[name=entry]").select_option(index=1)
        dee.page.locator("[name=confirm]").fill(goes_ref)
        dee.press("Erase the data")
        dee.sees(said)
        if "second" in said:
            second_agrees(db, stack.clock)
    dee.happens("answered", **ANSWERED)
    dee.happens("closed", **CLOSED)
    dee.is_closed()

    db.rollback()
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED
    stories = acts.stories(db, closed=None)
    assert {story.case.kind for story in stories} == set(CaseKind)
    assert [story.case.kind for story in stories if story.state is not State.CLOSED] == []
    undone = {(story.case.kind, step.code) for story in stories for step in story.steps() if not step.done}
    assert undone == set()
    assert goes not in {story.case.subject_id for story in stories}
    dee.open("/desk/cases?stand=closed")
    dee.sees(f"{len(CaseKind)} cases")
    assert dee.messages == del_.messages == []


def test_minutes_run_on_an_open_page_and_two_tabs_close_a_case_once(
    browser: Browser, served: Served, stack: Stack, make: Factory, db: DbSession
) -> None:
    officer = make.person("Dee Officer", role=Role.DPO).id
    db.rollback()
    dee = Officer(browser, served, officer)
    place = dee.take_in(CaseKind.ACCESS)
    dee.sees("10 minutes since receipt")
    other = dee.context.new_page()
    other.goto(place)
    stack.clock.pass_time(minutes=3)
    # What the page asks for by itself each minute, a little sooner.
    dee.page.evaluate(
        "htmx.trigger('#minutes', 'refresh'); htmx.ajax('GET', location.pathname + '/minutes', '#minutes')"
    )
    dee.sees("13 minutes since receipt")
    dee.happens("closed", **CLOSED, left_out="They took it back")
    other.locator("details:has(#form-closed) > summary").click()
    form = other.locator("#form-closed")
    form.locator("[name=outcome]").fill("Closed in another tab")
    form.locator("[name=evidence]").fill("A call")
    form.locator("[name=left_out]").fill("They took it back")
    form.locator("button").click()
    expect(other.get_by_text("This case was closed on 1 February 2027").first).to_be_visible()
    expect(other.locator("#form-closed [name=outcome]")).to_have_value("Closed in another tab")
    db.rollback()
    (case_id,) = db.scalars(select(Case.id).where(Case.id == UUID(place.rsplit("/", 1)[1])))
    assert len(acts.read(db, case_id).events) == 2, "given to somebody, and closed once"
