"""What participants do, tap by tap, in Chromium with JavaScript and without, and in WebKitGTK (`make webkit`).

The pages are served from within the test, so that its clock, its line and its mail are in the test's hands.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import choices, offers
from portal.models import PackageState, Person, Place
from portal.packages import acts as packages
from portal.packages import goals
from privacy.records import new_id
from surveys import versions
from surveys.models import Wave
from surveys.questionnaires import load
from tests.answering import WORDS, address
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.journeys.participants import Support, come_in, invitation, link_in
from tests.journeys.tablets import WEBKIT, Chromium, Gtk, Tablet
from tests.served import Cut, Served
from tests.webdriver import WebKit
from tests.webdriver import launch as launch_webkit

pytestmark = pytest.mark.journey

SCRIPTS = [True] if WEBKIT else [True, False]
DOUBLE_PRESS = 1.1
"""Seconds within which a second press of a button counts as the first."""
BOOK, SAVE = "Book this time", "Save and continue"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An embedded database of its own: what a browser shows rests on no database."""
    made = make_stack(tmp_path_factory.mktemp("participant"), {})
    yield made
    made.close()


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Browser | WebKit]:
    """The engine that runs: one for all of the module."""
    if not WEBKIT:
        yield request.getfixturevalue("browser")
        return
    with launch_webkit() as webkit:
        yield webkit


@pytest.fixture
def tablet(engine: Browser | WebKit, served: Served) -> Iterator[Callable[..., Tablet]]:
    """Makes browsers, each with nothing in it."""
    made: list[Tablet] = []

    def make(*, javascript: bool = True) -> Tablet:
        if isinstance(engine, WebKit):
            made.append(Gtk(engine, served))
        else:
            made.append(Chromium(engine, served, javascript=javascript))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def support(stack: Stack, make: Factory, db: DbSession) -> Support:
    versions.publish_shipped(db, stack.clock)
    leader, mentor = make.person("Ada Lead"), make.mentor("Mo Mentor")
    council = make.council("Northshire")
    package = make.package(leader, mentor=mentor, council=council, state=PackageState.BASELINE)
    made = Support(db, stack, package, leader, mentor)
    made.act(partial(packages.invite, package_id=package.id))
    return made


# ---- taps


@pytest.mark.parametrize("javascript", SCRIPTS)
@pytest.mark.parametrize("device", ["known", "new"])
def test_from_mail_to_the_first_saved_answer(
    tablet: Callable[..., Tablet], served: Served, support: Support, device: str, javascript: bool
) -> None:
    link, me = invitation(served, support), tablet(javascript=javascript)
    if device == "known":
        me.open("/sign-in")
        come_in(me, support, own=True)
        me.heading("Your support")
        support.stack.clock.pass_time(days=2)

    # A known device: link, Continue, option, Continue. A new one has a code more: it is sent for, then typed.
    me.taps = 0
    me.open_mail(link)
    if device == "known":
        me.press("Continue as Ada Lead")
    else:
        come_in(me, support)
    me.heading("Your role")
    me.choose("Slightly confident")
    me.press(SAVE)
    me.heading("Your duties")
    assert support.answers() == {"role_confidence": "slightly"}
    assert me.taps == {"known": 4, "new": 5}[device]


@pytest.mark.parametrize("javascript", SCRIPTS)
def test_from_mail_and_from_the_receipt_to_a_booked_session(
    tablet: Callable[..., Tablet], served: Served, support: Support, javascript: bool
) -> None:
    link, me = invitation(served, support), tablet(javascript=javascript)
    me.open("/sign-in")
    come_in(me, support, own=True)
    me.heading("Your support")
    support.baseline_is_in()

    # The receipt shows times: time, Book.
    me.open(f"{address(support.package)}/receipt")
    me.taps = 0
    me.choose("9am to 10am")
    me.press(BOOK)
    me.sees("Your session is booked")
    assert me.taps == 2

    # The mail: link, Continue, time, Book.
    support.stack.clock.pass_time(days=7)
    me.taps = 0
    me.open_mail(link)
    me.press("Continue as Ada Lead")
    me.heading("Choose a time")
    me.choose("10am to 11am")
    me.press(BOOK)
    me.sees("Your session is booked")
    assert me.taps == 4

    # Offered times: the time is the link; Continue, Book.
    support.stack.clock.pass_time(days=7)
    me.taps = 0
    me.open_mail(link_in(served.mail(support.address, subject=offered(support)), of="/offers/"))
    me.press("Continue as Ada Lead")
    me.press(BOOK)
    me.sees("Your session is booked")
    assert me.taps == 3
    assert len({session.starts_at for session in support.sessions()}) == 3


def offered(support: Support) -> str:
    """The mentor offers three times by mail; words of its subject."""
    programme, now = support.stack.instance.programme, support.stack.clock()
    free = choices.times(support.db, programme, support.package, now=now, limit=3)
    whose: dict[str, Any] = {"package_id": support.package.id, "mentor_id": support.mentor.id}
    starts = [one.starts_at for one in free]
    support.act(lambda work: offers.offer(work, programme, **whose, starts=starts, place=Place.REMOTE))
    return "times to meet"


# ---- times, in place


@pytest.fixture
def me(tablet: Callable[..., Tablet], support: Support) -> Tablet:
    """The leader, in, with the baseline behind them."""
    support.baseline_is_in()
    made = tablet()
    made.enter(support.leader.id)
    return made


def on_times(me: Tablet, support: Support) -> str:
    """Open the times; a mark on the window tells whether the page was loaded anew."""
    path = f"/packages/{support.package.id}/times"
    me.open(path)
    me.heading("Choose a time")
    me.comes("document.body.classList.contains('govuk-frontend-supported') && !!window.htmx")
    me.run("window.stayed = true")
    return path


def assert_in_place(me: Tablet) -> None:
    me.comes("window.stayed")
    # What was put in has its components begun, each once; nothing else in the page was begun anew.
    begun = "(one) => one.hasAttribute(`data-${one.dataset.module}-init`)"
    me.comes(f"[...document.querySelectorAll('[data-module]')].every({begun})")
    me.comes("document.querySelectorAll('h1').length", 1)


def test_other_times_come_in_place(me: Tablet, support: Support) -> None:
    path = on_times(me, support)
    title = me.run("document.title")
    me.press("See times to meet in person")
    me.focus_is("#slots h2")
    me.comes("document.activeElement.innerText", "Times to meet in person")
    me.announces("30 times to choose from")
    assert_in_place(me)
    assert me.run("document.title") == title
    assert me.run("location.pathname + location.search") == f"{path}?place=in_person"
    me.press("More times")
    me.comes("new URLSearchParams(location.search).has('from')")
    assert_in_place(me)
    me.run("history.back()")
    me.comes("location.search", "?place=in_person")
    me.sees("Times to meet in person")


def test_a_time_that_is_missing_or_gone_is_said_in_place(me: Tablet, support: Support, make: Factory) -> None:
    on_times(me, support)
    title = me.run("document.title")
    me.press(BOOK)
    me.focus_is(".govuk-error-summary")
    assert me.run("document.title") == f"Error: {title}"
    assert_in_place(me)

    me.choose("9am to 10am")
    taken = me.run("document.querySelector('input[name=time]:checked').value")
    quicker(support, make, taken)
    me.press(BOOK)
    me.sees("That time has gone")
    me.focus_is(".govuk-error-summary")
    me.announces("30 times to choose from")
    assert_in_place(me)
    assert me.run(f"document.querySelector('input[name=time][value=\"{taken}\"]')") is None

    me.choose("10am to 11am")
    me.press(BOOK)
    me.sees("Your session is booked")
    me.comes("window.stayed ?? null", None)


def quicker(support: Support, make: Factory, value: str) -> None:
    """Somebody else books the time that a radio stands for."""
    mentor = support.db.get_one(Person, support.mentor.id)
    other = make.package(make.person("Bo Quick"), mentor=mentor, council=make.council("Exbourne"))
    other_id = other.id
    chosen = next(
        one
        for one in choices.times(
            support.db, support.stack.instance.programme, other, now=support.stack.clock(), limit=30
        )
        if one.value == value
    )
    support.act(lambda work: packages.waive_baseline(work, package_id=other_id, reason="They rang"))
    booking: dict[str, Any] = {"mentor_id": mentor.id, "starts_at": chosen.starts_at, "place": Place.REMOTE}
    support.act(
        lambda work: bookings.book(
            work, support.stack.instance.programme, package_id=other_id, session_id=new_id(), **booking
        )
    )


def test_a_line_or_server_that_is_away_leaves_the_choice_on_the_page(
    me: Tablet, served: Served, support: Support
) -> None:
    on_times(me, support)
    me.choose("9am to 10am")
    for trouble in ("fails", "cut"):
        setattr(served, trouble, lambda environ: Cut.REQUEST if environ["REQUEST_METHOD"] == "POST" else None)
        me.press(BOOK)
        me.alerts("We could not save. Your answer is still on this page.")
        me.comes("document.querySelector('#slots button').disabled", False)
        assert me.run("document.querySelector('input[name=time]:checked') !== null")
        me.run("document.getElementById('alert').replaceChildren()")
        setattr(served, trouble, lambda environ: None)
        me.wait(DOUBLE_PRESS)
    me.press(BOOK)
    me.sees("Your session is booked")
    assert len(support.sessions()) == 1
    me.forgive()


# ---- a line that is cut in the middle of saving


@pytest.fixture
def words(support: Support) -> str:
    """A page with a long text box."""
    support.act(lambda work: versions.publish(work, load(WORDS, name="words")))
    return f"{support.session_is_held()}/1"


def saves(environ: dict[str, Any]) -> bool:
    return bool(environ["REQUEST_METHOD"] == "POST")


@pytest.mark.parametrize("where", Cut)
def test_what_was_written_outlives_a_cut_line(
    tablet: Callable[..., Tablet], served: Served, support: Support, words: str, where: Cut
) -> None:
    me = tablet()
    me.enter(support.leader.id)
    me.open(words)
    me.comes("document.body.classList.contains('govuk-frontend-supported')")
    me.run("window.stayed = true")
    served.cut = lambda environ: where if saves(environ) else None
    me.fill("What else?", "We ask one question again and again")
    me.press(SAVE)
    me.alerts("We could not save. Your answer is still on this page.")
    me.comes("document.querySelector('#saved').innerText.startsWith('Not saved yet')")
    assert me.run("document.querySelector('textarea').value") == "We ask one question again and again"
    assert me.run("window.stayed"), "the page with the text stays"
    assert not me.run("document.querySelector('main form button.govuk-button').disabled")

    # Once the line is there again it is saved by itself, and the warning goes.
    served.cut = lambda environ: None
    me.comes("document.querySelector('#saved').innerText.startsWith('Saved at')")
    me.comes("document.getElementById('alert').innerText", "")
    me.press(SAVE)
    me.heading("The end")
    assert support.answers(Wave.FEEDBACK)["more"] == "We ask one question again and again"
    me.forgive()


def test_a_text_that_no_script_saves_stays_too(me: Tablet, served: Served, support: Support) -> None:
    goal = support.act(
        lambda work: goals.write(
            work,
            package_id=support.package.id,
            leader=support.package.participations[0].id,
            text="Chair the board",
        )
    )
    me.open(f"/goals/{goal.id}")
    me.comes("document.body.classList.contains('govuk-frontend-supported')")
    served.cut = lambda environ: Cut.REQUEST
    me.fill("How is it going?", "It went well")
    me.press("Save")
    me.alerts("We could not save.")
    assert me.run("document.querySelector('textarea').value") == "It went well"
    served.cut = lambda environ: None
    me.wait(DOUBLE_PRESS)
    me.press("Save")
    me.sees("It went well")
    me.comes("document.getElementById('alert').innerText", "")
    me.forgive()


# ---- a slow line


def test_on_a_slow_line_a_press_counts_once(words: str, me: Tablet, served: Served, support: Support) -> None:
    me.open(words)
    me.comes("document.body.classList.contains('govuk-frontend-supported')")
    served.pause = lambda environ: 0.4
    me.fill("What else?", "We ask")
    me.press(SAVE)
    me.press(SAVE)
    me.heading("The end")
    assert support.answers(Wave.FEEDBACK)["more"] == "We ask"
    before = len(support.sessions())
    on_times(me, support)
    me.choose("9am to 10am")
    me.press(BOOK)
    me.comes("document.querySelector('#slots button').disabled")
    me.sees("Your session is booked")
    assert len(support.sessions()) == before + 1
