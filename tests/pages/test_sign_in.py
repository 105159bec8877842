"""Signing in through pages: the whole way, scanners, enumeration, other sites, devices, demo."""

import re
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, asking
from portal.mailing.contexts import PATHS
from portal.models import BrowserSession, Mail, Office, Person, Role, SignIn
from portal.views.next_page import own_page
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack, otherwise
from tests.factories import Factory
from tests.outbox import Outbox
from tests.pages_client import Page, PageClient

# Measured ways around the common check of where to go next.
ELSEWHERE = (
    "//evil.com",
    "///evil.com",
    "////evil.com",
    "/\\evil.com",
    "\\\\evil.com",
    "\\/evil.com",
    "https:evil.com",
    "https:/evil.com",
    "https:///evil.com",
    "/\t/evil.com",
    "\t//evil.com",
    "/%09/evil.com",
    "//evil.com@good.example",
    "//good.example@evil.com",
    "/\n/evil.com",
    "http://good.example\\@evil.com",
    "http://good.example:80@evil.com",
    "javascript:alert(1)",
    "/ok",
)


@pytest.fixture
def ana(make: Factory) -> Person:
    return make.person("Ana O’Shea-D'Arcy & Team", email="ana@council.example", council=make.council())


@pytest.fixture
def outbox(stack: Stack, tmp_path: Path):
    """Sends what is due and gives the one sign-in mail that went, as plain text; empty if none did."""
    return Outbox(stack, tmp_path).sign_in_mail


@pytest.fixture
def other(stack: Stack) -> PageClient:
    """Another browser."""
    return PageClient(stack.app, stack.instance)


def ask(client: PageClient, address: str = "ana@council.example", **data: Any) -> Page:
    return client.post("/sign-in", {"email": address, **data})


def path_in(text: str) -> str:
    found = re.search(r"http://localhost(/sign-in/l/\S+)", text)
    assert found, text
    return found[1]


def code_in(text: str) -> str:
    assert re.match(r"\d{6} ", text), text
    return text[:6]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def is_in(client: PageClient) -> bool:
    return client.http.get("/your-devices").status_code == 200


def test_by_code_to_the_page_that_was_asked_for(client, ana, outbox):
    page = client.get("/your-devices", status=303)
    assert page.response.headers["Location"] == "/sign-in"
    assert client.post("/sign-in", {"email": ana_address()}).response.location == "/sign-in/code"
    page = client.get("/sign-in/code")
    assert "If that address is known to us" in page.words()
    assert is_in(client) is False
    code = code_in(outbox())
    page = client.post("/sign-in/finish", {"code": f" {code[:3]} {code[3:]} "}, page="/sign-in/code")
    assert page.response.location == "/your-devices"
    assert "Ana O’Shea-D'Arcy & Team" in client.get("/your-devices").words()


def ana_address() -> str:
    return "ana@council.example"


def test_by_link_in_the_same_browser(client, ana, outbox):
    client.get("/your-devices", status=303)
    ask(client)
    path = path_in(outbox())
    page = client.get(path)
    assert [client_words(page, button) for button in page.all("button", type="submit")] == ["Sign in"]
    token = page.all("input", name="token")[0].get("value")
    page = client.post("/sign-in/finish", {"token": token}, page=path)
    assert page.response.location == "/your-devices"
    # People click twice: who is in already goes on to the page.
    assert client.get(path, status=303).response.location == "/your-devices"


def client_words(page: Page, element: object) -> str:
    return page.words(element)


def test_a_scanner_that_opens_everything_twice_gains_and_spends_nothing(
    stack, db, client, other, ana, outbox
):
    ask(client)
    text = outbox()
    path, code = path_in(text), code_in(text)
    before = rows(db)
    for _ in range(2):
        other.http.head(path)
        page = other.get(path)
        assert code in page.words()
        assert page.all("form") == []
        assert page.response.headers["Cache-Control"] == "no-store"
        assert page.response.headers["Referrer-Policy"] == "no-referrer"
    # It may even run scripts, keep cookies and post what it found to where it would belong.
    token = Page(other.http.get("/sign-in")).token()
    for proof in ({"token": path.rsplit("/", 1)[1]}, {"code": code}):
        answer = other.http.post("/sign-in/finish", data={"csrf_token": token, **proof})
        assert answer.status_code == 422
    assert is_in(other) is False
    assert rows(db) == before
    assert client.post("/sign-in/finish", {"code": code}, page="/sign-in/code").status == 303


def rows(db: DbSession) -> list[tuple[object, ...]]:
    db.rollback()
    return [tuple(row) for model in (SignIn, BrowserSession) for row in db.execute(select(model.__table__))]


def test_get_never_writes(stack, client, ana, outbox, db):
    ask(client)
    path = path_in(outbox())
    before = rows(db)
    for _ in range(2):
        client.get(path)
        client.http.head(path)
        client.get("/sign-in/code")
        client.get("/sign-in")
    assert rows(db) == before


def test_dead_links_and_codes_get_one_page(stack, client, other, ana, make, outbox, clock):
    make.person(email="ben@council.example")
    texts = set()

    def dead(page: Page, status: int) -> None:
        assert page.status == status
        texts.add(page.words(page.all("main")[0]))

    dead(client.get("/sign-in/l/mistyped", status=410), 410)
    ask(client)
    text = outbox()
    dead(
        client.post("/sign-in/finish", {"code": wrong(code_in(text))}, page="/sign-in/code", status=422), 422
    )
    assert client.post("/sign-in/finish", {"code": code_in(text)}, page="/sign-in/code").status == 303
    dead(other.get(path_in(text), status=410), 410)
    ask(other, "ben@council.example")
    late = outbox()
    clock.pass_time(minutes=10)
    dead(other.get(path_in(late), status=410), 410)
    dead(other.post("/sign-in/finish", {"code": code_in(late)}, page="/sign-in/code", status=422), 422)
    ask(other, "nobody@council.example")
    dead(other.post("/sign-in/finish", {"code": "123456"}, page="/sign-in/code", status=422), 422)
    assert len(texts) == 1, texts


def test_the_dead_page_offers_a_new_one(client, ana, outbox):
    client.get("/your-devices", status=303)
    ask(client)
    old = outbox()
    page = client.post("/sign-in/finish", {"code": wrong(code_in(old))}, page="/sign-in/code", status=422)
    assert page.all("input", name="again")
    assert client.post("/sign-in", {"again": "y"}, page="/sign-in/code").response.location == "/sign-in/code"
    page = client.post("/sign-in/finish", {"code": code_in(outbox())}, page="/sign-in/code")
    assert page.response.location == "/your-devices"


def test_send_again_without_having_asked_leads_to_the_address(client):
    assert client.post("/sign-in", {"again": "y"}).response.location == "/sign-in"


@pytest.mark.parametrize("typed", ["", "no address", "a@b@c", "x" * 250 + "@council.example"])
def test_an_address_that_is_none(client, typed):
    page = client.post("/sign-in", {"email": typed}, status=422)
    assert page.all("div", class_="govuk-error-summary")


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６"])
def test_a_code_that_is_none(client, ana, typed):
    ask(client)
    page = client.post("/sign-in/finish", {"code": typed}, page="/sign-in/code", status=422)
    assert page.all("div", class_="govuk-error-summary")


# ---- whether an address is known


def answers_for(client: PageClient, address: str) -> list[tuple[object, ...]]:
    asked = client.http.post(
        "/sign-in", data={"csrf_token": client.get("/sign-in").token(), "email": address}
    )
    shown = client.http.get("/sign-in/code")
    return [
        (
            answer.status_code,
            sorted((name, value) for name, value in answer.headers if name != "Set-Cookie"),
            [name.split("=")[0] for name in answer.headers.getlist("Set-Cookie")],
            without_token(answer.text),
        )
        for answer in (asked, shown)
    ]


def without_token(text: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]+"', "", text)


def test_known_unknown_and_disabled_look_the_same(stack, db, clock, ana, make):
    off = make.person(email="off@council.example")
    former = make.person(email="former@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get(Person, off.id).disabled_at = work.now
        work.db.scalars(select(Office).where(Office.person_id == former.id)).one().to_on = (
            make.today - timedelta(1)
        )
    answers = [
        answers_for(PageClient(stack.app, stack.instance), f"{name}@council.example")
        for name in ("ana", "nobody", "off", "former")
    ]
    assert all(answer == answers[0] for answer in answers)


def test_known_and_unknown_take_the_same_time(stack, ana, clock):
    client = PageClient(stack.app, stack.instance)
    token = client.get("/sign-in").token()
    times: dict[str, list[float]] = {"ana": [], "nobody": []}
    for _ in range(40):
        for name, taken in times.items():
            clock.pass_time(minutes=16)
            begun = time.perf_counter()
            client.http.post("/sign-in", data={"csrf_token": token, "email": f"{name}@council.example"})
            taken.append(time.perf_counter() - begun)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) < max(0.3 * known, 0.003), (known, unknown)


# ---- where to go on to


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_never_to_another_site(stack, client, ana, outbox, wanted):
    with stack.app.test_request_context("/"):
        assert own_page(wanted) is None
    client.post("/sign-in", {"email": ana_address(), "to": wanted})
    page = client.post("/sign-in/finish", {"code": code_in(outbox())}, page="/sign-in/code")
    assert page.response.location == "/"


@pytest.mark.parametrize(
    "wanted, own",
    [
        ("/your-devices", True),
        ("/your-support", True),
        ("/sign-in", False),
        ("/sign-out", False),
        ("/sign-in/code", False),
        ("/" + "a" * 400, False),
        (None, False),
        ("", False),
    ],
)
def test_own_pages(stack, wanted, own):
    with stack.app.test_request_context("/"):
        assert (own_page(wanted) == wanted) is (own or wanted is None)


@pytest.mark.parametrize(
    "wanted, kept",
    [
        ("/your-devices?x=1&y=%20", "/your-devices"),
        ("/your-devices?q=Ana+Reed&page=2", "/your-devices?page=2"),
        ("/your-devices?as_of=2023-03-01&from=2023-03-06", "/your-devices?as_of=2023-03-01&from=2023-03-06"),
        ("/your-devices?page=Ana%20Reed", "/your-devices"),
        ("/your-devices?", "/your-devices"),
    ],
)
def test_of_a_query_only_what_names_nobody_is_kept(stack, wanted, kept):
    with stack.app.test_request_context("/"):
        assert own_page(wanted) == kept


def test_too_many_asks_from_one_network_get_a_page(stack, client, ana):
    token = client.get("/sign-in").token()
    data = {"csrf_token": token, "email": ana_address()}
    asked = [
        client.http.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": "81.2.69.142"}).status_code
        for _ in range(asking.NETWORK_ASKS_AT_MOST + 1)
    ]
    assert set(asked[:-1]) == {303}
    assert asked[-1] == 429
    assert client.http.post("/sign-in", data=data).status_code == 303


def test_the_pages_that_mails_name_exist(stack):
    with stack.app.test_request_context("/"):
        for name, path in PATHS.items():
            wanted = path.format(new_id())
            assert (own_page(wanted) == wanted) is (name != "link"), wanted


# ---- cookies, devices, sign-out


def cookie(client: PageClient, name: str):
    return client.http.get_cookie(name)


def come_in(client: PageClient, outbox, address: str = "ana@council.example", **data: Any) -> Page:
    ask(client, address)
    return client.post("/sign-in/finish", {"code": code_in(outbox()), **data}, page="/sign-in/code")


def test_cookies(client, ana, outbox):
    form = cookie_value(client, "form")
    page = come_in(client, outbox, device="y")
    made = {line.split("=")[0]: line for line in page.response.headers.getlist("Set-Cookie")}
    for name in ("sid", "device"):
        assert "HttpOnly" in made[name]
        assert "SameSite=Lax" in made[name]
        assert "Path=/" in made[name]
        assert len(cookie(client, name).value) >= 43
    assert "Max-Age=2592000" in made["device"]
    assert cookie(client, "ask") is None
    assert cookie_value(client, "form") != form, "a token from before the sign-in is of no use after it"


def cookie_value(client: PageClient, name: str) -> str | None:
    client.get("/sign-in", status=303 if is_in(client) else 200)
    found = cookie(client, name)
    return found.value if found else None


def test_known_device_carries_on_with_one_button(client, ana, outbox, clock, db):
    come_in(client, outbox, device="y")
    clock.pass_time(days=3)
    assert is_in(client) is False
    page = client.follow(client.get("/your-devices", status=303))
    button = page.all("button", type="submit")[0]
    assert page.words(button) == "Continue as Ana O’Shea-D'Arcy & Team"
    page = client.post("/sign-in/continue", page="/sign-in")
    assert page.response.location == "/your-devices"
    assert is_in(client)
    clock.pass_time(days=28)
    assert "Continue as" not in client.get("/sign-in").words()
    page = client.post("/sign-in/continue", page="/sign-in")
    assert page.response.location == "/sign-in"


def test_copied_cookies_are_dead_after_sign_out(client, other, ana, outbox):
    come_in(client, outbox, device="y")
    for name in ("sid", "device"):
        other.http.set_cookie(name, cookie(client, name).value)
    assert is_in(other)
    page = client.post("/sign-out", page="/your-devices")
    assert page.response.location == "/sign-in"
    assert cookie(client, "sid") is None
    assert cookie(client, "device") is None
    assert is_in(client) is False
    assert is_in(other) is False
    assert "Continue as" not in other.get("/sign-in").words()


def test_idle_and_seen(client, ana, outbox, clock):
    come_in(client, outbox)
    for _ in range(5):
        clock.pass_time(minutes=59)
        assert is_in(client)
    clock.pass_time(minutes=60)
    assert is_in(client) is False


def test_own_devices(db, client, other, ana, make, outbox):
    ben_id, ana_id = make.person(email="ben@council.example").id, ana.id
    come_in(client, outbox, device="y")
    come_in(other, outbox)
    bens = PageClient(client.app, client.instance).sign_in(ben_id)
    page = client.get("/your-devices")
    assert page.words().count("(this browser)") == 1
    assert len(page.all("tr")) == 1 + 3

    def ids(person_id: UUID, *, device: bool) -> list[UUID]:
        db.rollback()
        asked = select(BrowserSession.id).where(BrowserSession.person_id == person_id)
        return list(db.scalars(asked.where(BrowserSession.device == device)))

    def end(browser_session_id: UUID, *, status: int = 303) -> None:
        client.post(f"/your-devices/{browser_session_id}/end", page="/your-devices", status=status)

    end(ids(ben_id, device=False)[0], status=404)
    assert is_in(bens)
    end(ids(ana_id, device=True)[0])
    assert "Own device" not in client.get("/your-devices").words(client.get("/your-devices").all("table")[0])
    for browser_session_id in ids(ana_id, device=False):
        if is_in(client):
            end(browser_session_id)
    assert not is_in(client)


# ---- by hand, and the demo


def test_operators_link(db, clock, client, other, ana):
    with unit_of_work(db, clock, "system:test") as work:
        token = accounts.make_operator_link(work, person_id=ana.id)
    path = f"/sign-in/o/{token}"
    for _ in range(2):
        client.http.head(path)
        assert client.get(path).all("button", type="submit")
    assert client.post(path).status == 303
    assert is_in(client)
    assert other.get(path, status=410).heading == "That link or code did not work"
    assert other.get("/sign-in/o/made-up", status=410).heading == "That link or code did not work"


def test_no_demo_here(client, ana):
    assert client.get("/sign-in").all("button", name="demo_person") == []
    client.post("/sign-in/demo", {"demo_person": ana_address()}, page="/sign-in", status=404)


def test_demo_enters_as_any_role(stack, client, make):
    council = make.council()
    for role in Role:
        make.person(f"One {role}", role=role, email=f"{role}@demo.example", council=council)
    with otherwise(stack, replace(stack.instance, demo=True)):
        page = client.get("/sign-in")
        buttons = {button.get("value") for button in page.all("button", name="demo_person")}
        assert buttons == {f"{role}@demo.example" for role in Role}
        client.post("/sign-in/demo", {"demo_person": "nobody@demo.example"}, page="/sign-in", status=422)
        page = client.post("/sign-in/demo", {"demo_person": "team@demo.example"}, page="/sign-in")
        assert page.response.location == "/"
        assert is_in(client)


def test_over_https_cookies_are_tied_to_the_host_and_stores_are_cleared(stack, client, ana, outbox):
    settings = replace(stack.instance.settings, public_url="https://localhost")
    with otherwise(stack, replace(stack.instance, settings=settings)):
        page = come_in(client, outbox, device="y")
        made = {line.split("=")[0]: line for line in page.response.headers.getlist("Set-Cookie")}
        for name in ("__Host-sid", "__Host-device", "__Host-ask"):
            assert "Secure" in made[name]
            assert "Path=/" in made[name]
            assert "Domain" not in made[name]
        assert is_in(client)
        page = client.post("/sign-out", page="/your-devices")
        assert page.response.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert is_in(client) is False


# ---- accounts of staff


def test_administrator_disables_and_enables(db, client, other, make, ana):
    ida = make.person("Ida Hale", role=Role.ADMINISTRATOR)
    tom = make.person("Tom Fell", role=Role.TEAM)
    client.sign_in(ida.id)
    other.sign_in(tom.id)
    page = client.get("/accounts")
    assert "Tom Fell" in page.words()
    assert "Ana" not in page.words(page.all("main")[0])
    page = client.get(f"/accounts/{tom.id}/disable")
    assert "They cannot sign in any more" in page.words()
    assert "Nobody else is" not in page.words()
    dee = make.person("Dee Officer", role=Role.DPO)
    assert "Nobody is left to handle incidents" in client.get(f"/accounts/{dee.id}/disable").words()
    client.post(f"/accounts/{tom.id}/disable", page="/accounts")
    assert is_in(other) is False
    assert "Closed" in client.get("/accounts").words()
    client.post(f"/accounts/{tom.id}/enable", page="/accounts")
    other.sign_in(tom.id)
    assert is_in(other)
    client.post(f"/accounts/{ana.id}/disable", page="/accounts", status=404)
    client.post(f"/accounts/{ida.id}/disable", page="/accounts")
    assert is_in(client)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_sees_accounts(client, make, role):
    client.sign_in(make.person(role=role, council=make.council()).id)
    client.get("/accounts", status=404)


def test_mail_about_nobody_is_dropped(db, client, clock: SetClock, outbox, ana):
    ask(client, "nobody@council.example")
    ask(client)
    outbox()
    states = sorted(db.scalars(select(Mail.state)).all())
    assert states == ["dropped", "sent"]
