"""Walks through questionnaires in a browser without JavaScript."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.models import Package, PackageState
from privacy.clock import Clock
from privacy.work import unit_of_work
from tests.pages_client import Page, PageClient

HIDDEN = ("csrf_token", "_page", "_revision", "_then", "_kept")

LONG = "We asked one question again and again. " * 60  # some 400 words

WORDS = """
code: feedback
title: Tiny
waves: [feedback]
sections:
  - code: all
    title: All
    pages:
      - code: words
        title: Your words
        questions:
          - {code: useful, kind: yes_no, text: "Was it of use?"}
          - {code: more, kind: long_text, text: "What else?"}
      - code: end
        title: The end
        questions:
          - {code: last, kind: text, text: "Anything more?"}
"""


def address(package: Package, wave: str = "baseline", occasion: str = "once") -> str:
    return f"/questionnaires/{package.participations[0].id}/{wave}/{occasion}"


def hidden(page: Page) -> dict[str, str]:
    """What the page's own form carries beside answers."""
    return {
        field.get("name"): field.get("value")
        for field in page.all("input", type="hidden")
        if field.get("name") in HIDDEN
    }


def fill(page: Page, **typed: Any) -> dict[str, Any]:
    """The page's form with an answer to everything on it: the second option, or a text."""
    data: dict[str, Any] = dict(hidden(page))
    for kind, number in (("radio", 1), ("checkbox", 0)):
        names = dict.fromkeys(field.get("name") for field in page.all("input", type=kind))
        for name in names:
            data[name] = page.all("input", type=kind, name=name)[number if kind == "radio" else 0].get(
                "value"
            )
    for area in page.all("textarea"):
        data[area.get("name")] = "Because it is so"
    for box in page.all("input", type="text"):
        data[box.get("name")] = "March 2023"
    return {**data, **typed}


def send(client: PageClient, path: str, data: dict[str, Any], *, status: int = 303) -> Page:
    response = client.http.post(path, data=data)
    page = Page(response)
    assert page.status == status, page.words()[:800]
    return page


def answer(client: PageClient, start: str, **typed: Any) -> Page:
    """Walk from wherever somebody left off to the page where answers are checked."""
    page = client.follow(client.get(start, status=303))
    for _ in range(30):
        if page.heading == "Check your answers":
            return page
        here = next(
            form.get("action")
            for form in page.all("form", method="post")
            if "/questionnaires/" in form.get("action")
        )
        shown = {
            name: value
            for name, value in typed.items()
            if page.all("input", name=name) or page.all("textarea", name=name)
        }
        page = client.follow(send(client, here, fill(page, **shown)))
    raise AssertionError("the questionnaire does not end")


def ended(db: DbSession, clock: Clock, package: Package, on: date) -> None:
    with unit_of_work(db, clock, "system:test"):
        package.state, package.ends_on = PackageState.ENDED, on
