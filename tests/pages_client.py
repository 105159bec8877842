"""A test client that checks every page it fetches, and can sign people in."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from portal.db import db as flask_db
from portal.instance import Instance
from portal.models import BrowserSession, Level
from privacy.records import new_id

BINARY = ("application/zip", "application/pdf", "application/vnd.")
"""Downloads that are no text."""

TITLE = re.compile(r"(?P<wrong>Error: )?(?P<heading>.+) - Leadership support")
"""A title is the page's heading, and the service; it says first when something is wrong."""

_PARSER = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
"""libxml2's, which reads HTML as browsers do, at a fiftieth of the cost of a parser in Python."""


def parsed(text: str) -> Any:
    """The tree of a page, or of a part of one."""
    return html.document_fromstring(text.encode(), parser=_PARSER) if text.strip() else html.Element("html")


class Page:
    """An answer that was HTML: parsed, with a few ways to look at it."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.text = "" if (response.mimetype or "").startswith(BINARY) else response.get_data(as_text=True)
        self.tree = parsed(self.text)

    def all(self, tag: str, **attributes: Any) -> list[Any]:
        """Elements of a tag whose attributes have these values (`class_` holds as one of several)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.tree.iter(tag)
            if all(
                value in element.get(name, "").split()
                if name == "class"
                # An attribute that is only there, such as selected, may read as its own name.
                else element.get(name) == value or (not value and element.get(name) == name)
                for name, value in wanted.items()
            )
        ]

    def words(self, element: Any = None) -> str:
        """The text a person reads, white space folded."""
        return " ".join("".join(map(str, (self.tree if element is None else element).itertext())).split())

    def value(self, name: str) -> str:
        """What a control is sent with."""
        return str(self.all("input", name=name)[0].get("value"))

    @property
    def heading(self) -> str:
        return self.words(self.all("h1")[0])

    def token(self) -> str:
        """The form token of the page."""
        return self.value("csrf_token")


def signed_in(person_id: UUID, *, level: Level, now: datetime) -> tuple[BrowserSession, str]:
    """What is stored of a browser in which somebody gave every proof of a level, and its cookie."""
    token = secrets.token_urlsafe(32)
    row = BrowserSession(
        id=new_id(),
        person_id=person_id,
        token=hashlib.sha256(token.encode()).digest(),
        level=level,
        method="mail" if level is Level.MAIL else "passkey",
        proved_at=now,
        device=False,
        browser="test",
        created_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=12),
    )
    return row, token


class PageClient:
    """Fetches pages as a browser without JavaScript would."""

    def __init__(self, app: Flask, instance: Instance) -> None:
        self.app = app
        self.instance = instance
        self.http: FlaskClient = app.test_client()

    def sign_in(self, person_id: UUID, *, level: Level = Level.PROOF) -> "PageClient":
        """Sign somebody in without the mail, as if they had come the whole way and given every proof."""
        row, token = signed_in(person_id, level=level, now=self.instance.clock())
        with self.app.app_context(), DbSession(flask_db.engine) as db:
            db.add(row)
            db.commit()
        self.http.set_cookie("sid", token)
        return self

    def get(self, path: str, *, status: int = 200, **headers: Any) -> Page:
        response = self.http.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return self._checked(response, status, path)

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, page: str | None = None, status: int = 303
    ) -> Page:
        """Post a form; its token is taken from the page at `page` (default: the path itself)."""
        token = Page(self.http.get(page or path)).token()
        response = self.http.post(path, data={"csrf_token": token, **(data or {})})
        return self._checked(response, status, path)

    def say_why(self, purpose: str = "checking") -> "PageClient":
        """Say what answers are opened for today, as the team is asked before the first."""
        self.post("/team/why-you-read", {"purpose": purpose})
        return self

    def search(self, path: str, words: str, **chosen: Any) -> Page:
        """Look for words in a list, as its form does."""
        return self.follow(self.post(path, {"q": words, **chosen}))

    def follow(self, page: Page) -> Page:
        """Go where a redirect leads."""
        return self.get(page.response.headers["Location"])

    def _checked(self, response: TestResponse, status: int, path: str) -> Page:
        page = Page(response)
        assert page.status == status, f"{path}: {page.status} instead of {status}\n{page.words()[:1500]}"
        if (
            response.mimetype == "text/html"
            and page.status >= 200
            and page.status not in (301, 302, 303)
            and "<html" in page.text
        ):
            check_page(page, path)
        return page


def check_page(page: Page, path: str) -> None:
    """What holds on every page: one heading, a title that matches it, unique ids, whole forms, a language."""
    headings = page.all("h1")
    assert len(headings) == 1, f"{path}: {len(headings)} headings of level 1"
    title = page.words(page.all("title")[0])
    found = TITLE.fullmatch(title)
    assert found is not None, f"{path}: title {title!r}"
    assert found["heading"] == page.heading, f"{path}: title {title!r} does not match {page.heading!r}"
    told = page.all("div", class_="govuk-error-summary")
    assert found["wrong"] or not told, f"{path}: title {title!r} does not say that something is wrong"
    ids = [element.get("id") for element in page.tree.iter() if element.get("id")]
    doubled = {name for name in ids if ids.count(name) > 1}
    assert not doubled, f"{path}: ids used twice: {doubled}"
    for form in page.all("form"):
        assert form.get("method") in {"post", "get"}, f"{path}: a form without a method"
        assert form.get("action"), f"{path}: a form without an action"
        assert any(button.get("type") == "submit" for button in form.iter("button")), f"{path}: no button"
        if form.get("method") == "post":
            assert any(field.get("name") == "csrf_token" for field in form.iter("input")), f"{path}: no token"
        else:
            # A form that is sent by GET stands in the address with all its fields.
            fields = [field.get("name") for field in form.iter("input")]
            assert "csrf_token" not in fields, f"{path}: a token in an address"
        for method in ("get", "post"):
            # A form that is sent by script goes where it goes without.
            sent = form.get(f"hx-{method}")
            assert sent is None or (form.get("method"), form.get("action")) == (method, sent), (
                f"{path}: {sent}"
            )
    inside = {part for form in page.all("form", method="post") for part in form.iter()}
    for part in page.tree.iter():
        posts = [name for name in ("hx-post", "hx-put", "hx-patch", "hx-delete") if part.get(name)]
        assert not posts or part in inside, f"{path}: {posts} outside a form with a token"
    for option in page.all("option"):
        assert page.words(option) or not option.get("value"), f"{path}: a list offers an option without words"
    assert page.all("html")[0].get("lang"), f"{path}: no language"
    check_tables(page, path)
    check_landmarks(page, path)


def check_tables(page: Page, path: str) -> None:
    """What a small screen shows beside a value is the heading of its column, in plain words."""
    for table in page.all("table"):
        heads = {page.words(cell) for cell in table.iter("th") if cell.get("scope") == "col"}
        named = {cell.get("data-name") for cell in table.iter("td") if cell.get("data-name") is not None}
        assert named <= heads, f"{path}: values with other names than {heads}: {named - heads}"


def check_landmarks(page: Page, path: str) -> None:
    """One header, one main part and one footer, in order; a first link that skips to the main part; no two sections of
    one name, for those who go from one to the next by name."""
    landmarks = [part.tag for part in page.tree.iter("header", "main", "footer")]
    assert landmarks == ["header", "main", "footer"], f"{path}: landmarks {landmarks}"
    links = page.all("a")
    assert links[0].get("href") == "#main-content", f"{path}: the first link does not skip to the main part"
    assert page.all("main", id="main-content"), f"{path}: the main part is not where the first link leads"
    names = [part.get("aria-label") or part.get("aria-labelledby") for part in page.all("nav")]
    assert all(names), f"{path}: navigation without a name"
    assert len(set(names)) == len(names), f"{path}: two navigations of one name"
    called = {element.get("id"): page.words(element) for element in page.tree.iter() if element.get("id")}
    by = [section.get("aria-labelledby") for section in page.all("section")]
    sections = [" ".join(called[name] for name in names.split()) for names in by if names]
    doubled = {name for name in sections if sections.count(name) > 1}
    assert not doubled, f"{path}: sections of one name: {doubled}"
