"""Rows 18, 28 to 32: what holds on every page, whoever opens it, and on every error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.headers import CONTENT_POLICY, Protected
from portal.models import Role
from privacy import retention
from surveys import versions
from tests.conftest import Stack, make_stack
from tests.counts import FULL
from tests.factories import Factory
from tests.pages.test_access import addresses, digest, tables
from tests.pages_client import BINARY, PageClient, parsed
from tests.two_sides import TYPED, Side

ROLES = (Role.TEAM, Role.DPO, Role.AUDITOR, Role.ADMINISTRATOR, Role.OBSERVER)
ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LONGER_KEPT = {"calendars.feed", "desk_tools.feed"}
"""What calendars fetch by a secret address, and may keep for a while."""


@dataclass(frozen=True)
class Seen:
    """One answer to one visitor."""

    row: str
    address: str
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Crawl:
    """Every page, opened by everybody, and what was in the databases before and after."""

    stack: Stack
    side: Side
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawl]:
    stack = make_stack(tmp_path_factory.mktemp("every-page"), {})
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        side = Side(make, "first")
        visitors = {"nobody": None, "leader": side.leader}
        if FULL:
            visitors |= {"assistant": side.assistant, "mentor": side.mentor}
        visitors |= {role.value: make.person(role=role).id for role in (ROLES if FULL else ROLES[:2])}
    clients = {name: PageClient(stack.app, stack.instance) for name in visitors}
    for name, person_id in visitors.items():
        if person_id is not None:
            clients[name].sign_in(person_id)
    made = Crawl(stack, side, before=digest(stack))
    for name, client in clients.items():
        chosen = theirs(name, addresses(stack, side))
        made.seen[name] = [_open(client, row, address) for row, address in chosen.items()]
    made.after = digest(stack)
    yield made
    stack.close()


def theirs(who: str, found: dict[str, str]) -> dict[str, str]:
    """What somebody opens: in the sample what they see by the table of the pages, and some of what they do not."""
    if FULL:
        return found
    lines = [re.split(r"\s{2,}", line) for line in tables()[0].splitlines()]
    cells = {line[0]: dict(zip(lines[0][1:], line[1:], strict=True)) for line in lines[1:]}
    refused = [row for row in found if cells[row][who] != "sees"]
    return {row: address for row, address in found.items() if row not in refused or row in refused[::20]}


def _open(client: PageClient, row: str, address: str) -> Seen:
    answer = client.http.get(address)
    readable = not answer.mimetype.startswith(BINARY)
    text = answer.get_data(as_text=True) if readable else ""
    return Seen(row, address, answer.status_code, dict(answer.headers), text)


def everything(crawl: Crawl) -> Iterator[tuple[str, Seen]]:
    for who, answers in crawl.seen.items():
        for seen in answers:
            yield who, seen


def pages(crawl: Crawl, *, of: str | None = None) -> Iterator[tuple[str, Seen]]:
    """Whole pages, not files, pieces or redirects."""
    for who, seen in everything(crawl):
        html = seen.headers.get("Content-Type", "").startswith("text/html")
        if html and "<html" in seen.text and seen.status not in {303, 308} and of in {None, who}:
            yield who, seen


# ---- row 18


def test_row_18_every_page_of_somebody_signed_in_offers_to_sign_out(crawl: Crawl) -> None:
    counted = 0
    for who, seen in pages(crawl):
        forms = seen.text.count('<form method="post" action="/sign-out"')
        assert forms == (0 if who == "nobody" else 1), f"{who}: {seen.row}"
        counted += forms
    assert counted > 100


# ---- row 28


def test_row_28_looking_at_every_page_changes_nothing(crawl: Crawl) -> None:
    assert {name for name, rows in crawl.after.items() if rows != crawl.before[name]} == set()


# ---- row 29: text and htmx


def outside(element: Any, words: list[str], *, off: bool = False) -> Iterator[str]:
    """Where a word stands in an element in which htmx would heed what is written."""
    off = off or element.get("hx-disable") is not None or element.tag in {"title", "textarea", "option"}
    here = [element.text, *(child.tail for child in element)]
    if not off and any(word in (text or "") for text in here for word in words):
        yield f"<{element.tag}> {' '.join(''.join(element.itertext()).split())[:80]}"
    for child in element:
        if isinstance(child.tag, str):
            yield from outside(child, words, off=off)


def test_row_29_what_people_typed_stands_where_htmx_is_off(crawl: Crawl) -> None:
    words = [f"first{word}" for word in TYPED]
    using, found = set(), set()
    for _who, seen in pages(crawl):
        if re.search(
            r'<div class="govuk-width-container">\s*(?:<a[^>]*govuk-back-link|<nav|<div id="alert")',
            seen.text,
        ):
            using.add(seen.row.split(",")[0])
            tree = parsed(seen.text)
            found |= {(seen.row, where) for where in outside(tree, words)}
    assert using == {
        "bookings.times",
        "cases.index",
        "cases.show",
        "your_data.copy",
        "your_data.index",
    }
    assert found == set()


# ---- rows 29 to 31: headers


def test_row_29_every_answer_carries_the_policy(crawl: Crawl) -> None:
    """None of it is inline, evaluated, framed, or from elsewhere."""
    for name in ("unsafe-inline", "unsafe-eval", "http:", "https:", "data:", "*"):
        assert name not in CONTENT_POLICY
    for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert f"{name} 'none'" in CONTENT_POLICY
    for who, seen in everything(crawl):
        assert seen.headers["Content-Security-Policy"] == CONTENT_POLICY, f"{who}: {seen.row}"


INLINE = re.compile(
    r"<[a-z][^>]*\s(?:on[a-z]+|style)\s*=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
)


def test_row_29_no_page_needs_more_than_the_policy_allows(crawl: Crawl) -> None:
    assert INLINE.search('<p class="a" onclick="x">')
    for who, seen in pages(crawl):
        assert not INLINE.search(seen.text), f"{who}: {seen.row}: {INLINE.search(seen.text)}"


def test_row_30_every_answer_carries_the_other_headers(crawl: Crawl) -> None:
    for who, seen in everything(crawl):
        for name, value in ALWAYS.items():
            assert seen.headers.get(name) == value, f"{who}: {seen.row}: {name}"
        assert "Access-Control-Allow-Origin" not in seen.headers, "nobody else may read it"
        kind = seen.headers["Content-Type"]
        assert not kind.startswith("text/") or "charset=utf-8" in kind, f"{seen.row}: {kind}"


def test_row_31_nothing_of_a_page_is_kept(crawl: Crawl) -> None:
    for who, seen in everything(crawl):
        kept = seen.headers["Cache-Control"]
        feed = seen.row.split(",")[0] in LONGER_KEPT and seen.status == 200
        assert kept == "no-store" or feed, f"{who}: {seen.row}: {kept}"
        assert "ETag" not in seen.headers or feed, f"{who}: {seen.row}"


@pytest.fixture(scope="module")
def errors(crawl: Crawl) -> dict[str, dict[str, str]]:
    """The headers of answers that no page gives."""
    http = crawl.stack.app.test_client()
    asset = crawl.stack.app.extensions["assets"].url("app.js")
    answers = {
        "not found": http.get("/nothing/here"),
        "method": http.put("/sign-in"),
        "method TRACE": http.open("/", method="TRACE"),
        "token": http.post("/sign-in", data={}),
        "elsewhere": http.post("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}),
        "too large": http.post(
            "/sign-in", data=b"x" * 2_000_000, content_type="application/x-www-form-urlencoded"
        ),
        "host": http.get("/", headers={"Host": "evil.example"}),
        "not found below static": http.get("/static/nothing.js"),
        "static": http.get(asset),
        "static again": http.get(asset, headers={"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        "options": http.options("/sign-in"),
        "health": http.get("/healthz"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "not found": 404,
        "method": 405,
        "method TRACE": 405,
        "token": 400,
        "elsewhere": 403,
        "too large": 413,
        "host": 400,
        "not found below static": 404,
        "static": 200,
        "static again": 304,
        "options": 200,
        "health": 200,
    }
    for answer in answers.values():
        answer.close()
    return {name: dict(answer.headers) for name, answer in answers.items()}


def test_row_30_errors_and_static_files_carry_the_headers_too(errors: dict[str, dict[str, str]]) -> None:
    for name, headers in errors.items():
        for header, value in ALWAYS.items():
            assert headers.get(header) == value, f"{name}: {header}"
        kept = headers["Cache-Control"]
        assert kept.endswith("immutable") if name.startswith("static") else kept == "no-store", name


def test_row_29_an_app_that_fails_with_no_answer_gives_a_plain_one_with_the_headers() -> None:
    def fails(environ: dict[str, Any], start_response: object) -> list[bytes]:
        raise RuntimeError("secret inside")

    told: list[tuple[str, dict[str, str]]] = []
    app = Protected(fails, secure=True)
    body = b"".join(app({}, lambda status, headers, exc_info: told.append((status, dict(headers)))))
    status, headers = told[0]
    assert status.startswith("500")
    assert b"secret" not in body
    for header, value in ALWAYS.items():
        assert headers[header] == value
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


# ---- row 32: addresses


IN_ADDRESSES = re.compile(r"""(?:href|action|src|hx-get|hx-post|content)=["']([^"']*)["']""")


def test_row_32_no_address_on_any_page_names_anybody(crawl: Crawl) -> None:
    """Neither what people typed nor an e-mail address stands in a link, an action, or what a page fetches."""
    words = [f"first{word}" for word in TYPED]
    found = 0
    for who, seen in pages(crawl):
        for address in IN_ADDRESSES.findall(seen.text):
            if not address.startswith(("/", "?")):
                continue
            found += 1
            plain = unquote(address)
            assert "@" not in plain, f"{who}: {seen.row}: {plain}"
            assert not any(word in plain for word in words), f"{who}: {seen.row}: {plain}"
    assert found > 5000


def test_row_32_no_form_that_stands_in_an_address_takes_words(crawl: Crawl) -> None:
    """Only what is chosen, and days: in figures, or as a month or a day of a calendar."""
    found = 0
    for who, seen in pages(crawl):
        for form in re.findall(r'<form method="get".*?</form>', seen.text, re.DOTALL):
            found += 1
            for tag in re.findall(r"<(?:input|textarea)[^>]*>", form):
                chosen = re.search(
                    r'type="(?:hidden|radio|checkbox|date|month|number)"|inputmode="numeric"| name="(?:on|as_of|at)"',
                    tag,
                )
                assert chosen, f"{who}: {seen.row}: {tag}"
    assert found


def test_row_32_a_search_stands_in_no_address_and_opens_for_nobody_else(crawl: Crawl) -> None:
    stack = crawl.stack
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        make = Factory(db, stack.clock, stack.instance.programme)
        make.person("Quirin Findable")
        mine, theirs = (make.person(role=Role.TEAM).id for _ in range(2))
    client = PageClient(stack.app, stack.instance).sign_in(mine)
    led = client.post("/team/people", {"q": "Findable", "role": "lead_member"})
    address = led.response.headers["Location"]
    assert re.fullmatch(r"/team/people\?role=lead_member&search=[0-9a-f-]{36}", address)
    page = client.follow(led)
    assert "Quirin Findable" in page.words()
    assert page.all("input", name="q")[0].get("value") == "Findable"
    for part in page.tree.iter():
        for name in ("href", "action"):
            assert "Findable" not in str(part.get(name)), part.get(name)
    other = PageClient(stack.app, stack.instance).sign_in(theirs)
    assert other.get(address).all("input", name="q")[0].get("value") in {None, ""}
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"/team/people?search={wrong}").all("input", name="q")[0].get("value") in {None, ""}
    assert client.get("/team/people?q=Findable").all("input", name="q")[0].get("value") in {None, ""}


def test_row_32_a_search_ends_with_its_day(crawl: Crawl) -> None:
    assert "kept_search" in {table.name for table in retention.timed()}
