"""Every page in every state: filled, empty, in error, along the walk of the canaries; at 1280, 810 and 320 pixels.

`make test` lays every shape of page out at 320 pixels and looks at a fixed share of them with axe, by keyboard and with
its scripts; `make proof` does all of it with all of them, at each width.
"""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.access.conftest import Pages, told
from tests.access.keyboard import walked_by_keyboard
from tests.access.showing import ROOT, WIDTHS, Showing, layout, unfold, violations
from tests.access.states import forms_of
from tests.counts import FULL, count
from tests.node import node

pytestmark = pytest.mark.journey

PARTS = range(count(1, 8))
"""The full count goes in parts, each a test."""
ELSEWHERE = {
    "account.code": "along the walk: a sign-in was asked for",
    "account.link": "along the walk: the link of a mail",
    "account.operator_link": "along the walk: the link that an operator made",
    "profiles.group": "rare: an instruction lists political groups",
    "balance.show": "rare: an instruction lists political groups",
    "questionnaires.check": "along the walk: everything was answered",
    "releases.approve": "along the walk: the figures were agreed",
    "seats.stop_waiting": "along the walk: somebody is on a waiting list",
}
"""Pages that nobody of the filled world is shown, and where they are shown."""
NO_PAGES = {
    "assistants.set_up_first": "leads on to where proofs are set up",
    "calendars.feed": "a file behind a secret address",
    "cases.happen": "leads on to the case",
    "desk_tools.feed": "a file behind a secret address",
    "notes.read": "leads on",
    "questionnaires.start": "leads on to the page where somebody left off",
    "questionnaires.uncover": "leads on to a further proof",
    "returns.receipt_line": "a file",
    "returns.test_volume": "a file",
    "your_support.next_step": "leads on to what comes next",
}
TAKE_ANYTHING = {
    "cases.listing": "a search",
    "councils.index": "a search",
    "packages.index": "a search",
    "people.index": "a search",
    "privacy_desk.trail": "a search",
    "resources.index": "a search",
}
"""Forms that cannot be filled in wrong."""
NEVER_EMPTY = {
    "assistants.end_own": "there is an assistant to end",
    "assistants.index": "whoever sees it has been named by a leader",
    "proofs.prove": "asks the same of everybody",
}
"""Pages that are not there before something has happened."""


# ---- what is looked at


def test_every_page_is_among_them(pages: Pages) -> None:
    """A new route is looked at as soon as access.txt says who sees it."""
    world = pages.world
    asked = {rule.endpoint for rule in world.stack.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    shown = {shot.endpoint for _, shot in pages.shown}
    assert asked - shown - world.no_page == {*ELSEWHERE, *NO_PAGES}
    if FULL:
        assert set(ELSEWHERE) <= {shot.endpoint for shot in pages.shots}


def test_every_page_of_nothing_in_particular_is_among_them_empty(pages: Pages) -> None:
    whole = {rule.endpoint for rule in pages.world.stack.app.url_map.iter_rules() if not rule.arguments}
    filled_in = {shot.endpoint for _, shot in pages.shown} & whole
    assert filled_in - pages.empty == set(NEVER_EMPTY)


def test_every_form_is_among_them_with_its_errors(pages: Pages) -> None:
    sent = {
        shot.endpoint for shot in pages.world.shots if shot.state == "error" and shot.status in (409, 422)
    }
    forms = {
        pages.world.endpoint(urlsplit(form.get("action")).path, "POST") for _, form in forms_of(pages.shown)
    }
    assert forms - sent == set(TAKE_ANYTHING)


def test_every_template_is_among_them(pages: Pages) -> None:
    """In the sample most of them: some pages come about only along the walk, or rarely."""
    folder = ROOT / "templates"
    extended = {
        name for path in folder.rglob("*.html") for name in re.findall(r'extends "([^"]+)"', path.read_text())
    }
    pages_of_ours = {
        name
        for path in folder.rglob("*.html")
        if "{% extends" in path.read_text() and (name := str(path.relative_to(folder))) not in extended
    }
    missing = pages_of_ours - pages.templates
    assert len(missing) <= count(len(pages_of_ours) // 8, 0), missing


# ---- the tools


FAULTS = {
    "too wide": '<table><tr><td><img alt="" width="900" height="9"></td></tr></table>',
    "target of": '<p><a href="/a">i</a><a href="/b">i</a></p>',
    "axe label": '<p><input type="text" name="unnamed"></p>',
    "stops in this order": '<p><button type="button" tabindex="3">First</button></p>',
    "is not seen": '<p><a href="/a" class="govuk-visually-hidden">Hidden link</a></p>',
    "axe image-alt": '<img src="/static/x.svg">',
}


def test_what_is_wrong_is_found(pages: Pages, showing: Showing) -> None:
    """Each tool sees a fault that is put before it, so that none passes because it is blind."""
    with showing.window(320) as page:
        for wanted, fault in FAULTS.items():
            text = pages.shots[0].text.replace("</main>", f"{fault}</main>")
            showing.show(page, replace(pages.shots[0], text=text))
            found = [*layout(page), *violations(page), *walked_by_keyboard(page)]
            assert any(wanted in one for one in found), (wanted, found)
        showing.said()
        bad = pages.shots[0].text.replace("</main>", '<p style="color: red" onclick="x()">No</p></main>')
        showing.show(page, replace(pages.shots[0], text=bad))
        assert any("Content Security Policy" in one for one in showing.said())


# ---- layout


def test_every_shape_of_page_fits_320_pixels(pages: Pages, showing: Showing) -> None:
    """WCAG 1.4.10 and 2.5.8: nothing is wider than the window, cut off, or too small to hit."""
    found = []
    with showing.window(320) as page:
        showing.show(page, pages.shots[0])
        for shot in pages.shots:
            showing.put(page, shot)
            unfold(page)
            found += told(shot, layout(page))
    assert found == []


def test_zoomed_in_four_times(pages: Pages, showing: Showing) -> None:
    """A window of 1280 by 1024 pixels at 400 %: 320 by 256 of CSS, each drawn with four by four."""
    found = []
    with showing.window(320, height=256, scale=4) as page:
        for shot in pages.one_each(of=30):
            showing.show(page, shot)
            assert page.evaluate("[innerWidth, innerHeight, devicePixelRatio]") == [320, 256, 4]
            found += told(shot, layout(page) + showing.said())
    assert found == []


# ---- axe, and what the browser says


@pytest.mark.parametrize("part", PARTS)
def test_pages_are_in_order(pages: Pages, showing: Showing, part: int) -> None:
    """Loaded with headers and scripts as served: nothing against the policy, no error, nothing that axe finds."""
    found = []
    with showing.window(WIDTHS[0]) as page:
        for shot in pages.share(of=count(6, 1))[part :: len(PARTS)]:
            showing.show(page, shot)
            for width in WIDTHS if FULL else WIDTHS[-1:]:
                page.set_viewport_size({"width": width, "height": 1080})
                unfold(page)
                found += told(shot, [f"{width}: {one}" for one in layout(page) + violations(page)])
            found += told(shot, showing.said())
    assert found == []


# ---- after a swap


def test_parts_that_are_exchanged_leave_pages_in_order(exchanged: tuple[set[str], list[str]]) -> None:
    templates, found = exchanged
    assert found == []
    assert templates >= {"bookings/times.html", "cases/show.html", "your_data/copy.html"}


# ---- keyboard


@pytest.mark.parametrize("part", PARTS)
def test_by_keyboard(pages: Pages, showing: Showing, part: int) -> None:
    """Tab meets each control once, in the order of the page, where it is seen; nothing needs a mouse."""
    found = []
    # The menu of a small screen is another one; what is below it is met in the same order.
    for width, shots in ((WIDTHS[0], pages.share(of=25)), (WIDTHS[-1], pages.one_each(of=100))):
        with showing.window(width) as page:
            for shot in shots[part :: len(PARTS)]:
                showing.show(page, shot)
                found += told(shot, [f"{width}: {one}" for one in walked_by_keyboard(page)])
    assert found == []


# ---- markup


def test_markup_is_valid(pages: Pages, tmp_path: Path) -> None:
    """html-validate finds nothing; WAIVED says why some of its rules are changed."""
    named = {f"{number:04}.html": shot for number, shot in enumerate(pages.share(of=2))}
    for name, shot in named.items():
        (tmp_path / name).write_text(shot.text, encoding="utf-8")
    tool = ROOT / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
    config = Path(__file__).with_name("html-validate.json")
    ended = subprocess.run(
        [node(), tool, "--config", config, "--formatter", "json", f"{tmp_path}/*.html"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    answer = json.loads(ended.stdout)
    assert ended.returncode in (0, 1), ended.stderr
    assert [
        f"{one['ruleId']}: {one['message']} (line {one['line']})\n    {named[Path(page['filePath']).name]}"
        for page in answer
        for one in page["messages"]
        if not _carries_a_list(one, named[Path(page["filePath"]).name].text)
    ] == []


def _carries_a_list(message: dict[str, Any], text: str) -> bool:
    """Hidden fields of one name carry a list along, as boxes do; the tool's setting can't name their type."""
    line = text.splitlines()[message["line"] - 1]
    start = line.rfind("<", 0, message["column"])
    return message["ruleId"] == "form-dup-name" and 'type="hidden"' in line[start : line.find(">", start)]


WAIVED = {
    "require-sri": "scripts and styles are our own, from the same host, under names with their hash",
    "no-redundant-role": "a table that is laid out as blocks on a small screen, and a date for JAWS",
    "heading-level": "an error summary or a message stands before the first heading, as GOV.UK has it",
    "long-title": "a title is the page's heading, and some headings are questionnaires' own names",
    "form-dup-name": "choices share a name",
}


def test_each_rule_that_is_changed_has_a_reason() -> None:
    config = json.loads(Path(__file__).with_name("html-validate.json").read_text())
    assert set(config["rules"]) == set(WAIVED)
