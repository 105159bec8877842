"""Rows 28, 33, 34, 40, 41: what is looked at before a page is, and where a browser is led and what it keeps."""

import io
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.routing import Rule

from portal.access.asking import network_of
from portal.models import Person, Role, SignIn
from portal.settings import Settings, SettingsFaults
from portal.views import files
from portal.views.next_page import own_page
from portal.views.transport import FIELDS_AT_MOST, MAX_BODY_BYTES
from privacy.records import Record
from tests.coming_in import come_in
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.second import second_stack

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
FORM = "application/x-www-form-urlencoded"
ADDRESS = "ana@council.example"


@pytest.fixture
def team(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Tea Member", role=Role.TEAM).id)


# ---- row 28: other sites


def address_of(stack: Stack, rule: Rule) -> str:
    """The address of a route, with made-up things in it."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        kind = type(rule._converters[name]).__name__
        values[name] = {"UUIDConverter": uuid4(), "IntegerConverter": 1}.get(kind, "x")
    return stack.app.url_map.bind("localhost").build(rule.endpoint, values)


def posts(stack: Stack) -> Iterator[tuple[str, str]]:
    for rule in stack.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            yield method, address_of(stack, rule)


def test_row_28_nothing_is_done_without_the_forms_token(stack: Stack, team: PageClient) -> None:
    found = list(posts(stack))
    assert len(found) > 100
    for method, address in found:
        for sent in ({}, {"csrf_token": "x"}):
            answer = team.http.open(address, method=method, data=sent)
            assert answer.status_code == 400, address


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
def test_row_28_other_sites_are_refused_whatever_they_know(
    stack: Stack, team: PageClient, headers: dict[str, str]
) -> None:
    token = team.get("/your-devices").token()
    for method, address in posts(stack):
        answer = team.http.open(address, method=method, data={"csrf_token": token}, headers=headers)
        assert answer.status_code == 403, address


def test_row_28_our_own_pages_are_not(team: PageClient) -> None:
    for headers in (
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {},
    ):
        token = team.get("/your-devices").token()
        answer = team.http.post("/signed-in/stay", data={"csrf_token": token}, headers=headers)
        assert answer.status_code == 200, headers


def test_row_28_what_another_site_wrote_is_not_shown_as_ours(team: PageClient) -> None:
    answer = team.http.post(
        "/team/people/new",
        data={"name": "Send money to me, quickly"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert "Send money" not in answer.get_data(as_text=True)


# ---- row 33: where a sign-in leads


ELSEWHERE = (
    "//evil.com", "///evil.com", "////evil.com", "/\\evil.com", "\\\\evil.com", "\\/evil.com", "https:evil.com",
    "https:/evil.com", "https:///evil.com", "/\t/evil.com", "\t//evil.com", "/%09/evil.com", "//evil.com@localhost",
    "//localhost@evil.com", "/\n/evil.com", "http://localhost\\@evil.com", "http://localhost:80@evil.com",
    "javascript:alert(1)", "/ok",
)  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_row_33_no_page_elsewhere_is_kept(stack: Stack, wanted: str) -> None:
    with stack.app.test_request_context("/"):
        assert own_page(wanted) is None


def test_row_33_nobody_says_from_outside_where_a_sign_in_leads(
    client: PageClient, make: Factory, stack: Stack
) -> None:
    make.person(email=ADDRESS)
    names = ("to", "next", "next_path", "return_to", "url", "continue")
    for wanted in ELSEWHERE:
        given = dict.fromkeys(names, wanted)
        browser = PageClient(stack.app, stack.instance)
        browser.http.get("/sign-in", query_string=given)
        token = Page(browser.http.get("/sign-in", query_string=given)).token()
        answer = browser.http.post(
            "/sign-in", query_string=given, data={"csrf_token": token, "email": "x@y.example", **given}
        )
        assert answer.headers["Location"] == "/sign-in/code", wanted
    leads = come_in(client, ADDRESS).response.headers["Location"]
    assert own_page_in(stack, leads), leads


def own_page_in(stack: Stack, path: str) -> bool:
    return (
        path.startswith("/") and not path.startswith("//") and stack.app.url_map.bind("localhost").test(path)
    )


def test_row_33_what_is_kept_is_signed(client: PageClient, stack: Stack, make: Factory) -> None:
    client.get("/your-devices", status=303)
    cookie = client.http.get_cookie("form")
    assert cookie is not None
    head, _, rest = cookie.value.partition(".")
    client.http.set_cookie("form", f"{head[:-2]}xx.{rest}")
    client.sign_in(make.person().id)
    assert client.get("/sign-in", status=303).response.headers["Location"] == "/"


def test_row_33_a_kept_forms_page_is_checked_too(stack: Stack) -> None:
    with stack.app.test_request_context("/"):
        assert own_page("/your-devices") == "/your-devices"
        assert own_page("/team/people?q=Ana&role=mentor&page=2") == "/team/people?page=2"
        assert own_page("/sign-in") is None


# ---- row 34: files


@pytest.mark.parametrize(
    "name",
    [
        'a"b.csv',
        "a;b.csv",
        "a\nSet-Cookie: x=y.csv",
        "../../etc/passwd",
        "..\\x.csv",
        "Zoë ☕ 🦉.csv",
        "",
        ".",
        'x"; filename="y',
    ],
)
def test_row_34_a_file_name_stays_one_name_in_one_header(stack: Stack, name: str) -> None:
    with stack.app.test_request_context("/"):
        answer = files.attach(Response(b""), name)
    lines = [value for key, value in answer.headers if key == "Content-Disposition"]
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert "\r" not in lines[0]
    assert "Set-Cookie" not in dict(answer.headers)
    read = Message()
    read["Content-Disposition"] = lines[0]
    assert read.get_content_disposition() == "attachment"
    names: list[Any] = [
        value
        for key, value in read.get_params(header="Content-Disposition") or []
        if key.startswith("filename")
    ]
    for one in names:
        got = one[2] if isinstance(one, tuple) else one
        assert got, "a second reader finds a name"
        assert not set(unquote(got)) & set('/\\\n\r";')
    assert len(names) == (1 if name.isascii() else 2), (
        "one in plain letters, and one whole where that is another"
    )
    if name.startswith("Zoë"):
        assert "Zo_ _ _.csv" in lines[0], "what every browser understands"
        assert unquote(lines[0].partition("UTF-8''")[2]) == name, "letters of every script arrive (RFC 6266)"


# ---- row 40: how much


def test_row_40_a_body_of_20_mb_is_refused(client: PageClient) -> None:
    began = time.perf_counter()
    answer = client.http.post("/sign-in", data=b"email=" + b"x" * (20 * 1024 * 1024), content_type=FORM)
    assert answer.status_code == 413
    assert time.perf_counter() - began < 2
    assert "what you typed is still on the page" in Page(answer).words()


def test_row_40_fifty_thousand_fields_are_refused(client: PageClient, stack: Stack) -> None:
    many = b"&".join(b"f%d=1" % number for number in range(50_000))
    assert len(many) < MAX_BODY_BYTES
    assert client.http.post("/sign-in", data=many, content_type=FORM).status_code == 413
    few = {f"f{number}": "1" for number in range(FIELDS_AT_MOST + 5)}
    assert client.http.post("/sign-in", data=few).status_code == 413
    parts = (
        "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n1\r\n' for name in few)
        + "--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x"
    assert client.http.post("/sign-in", data=parts.encode(), content_type=kind).status_code == 413
    enough = dict(list(few.items())[: FIELDS_AT_MOST - 5])
    assert client.http.post("/sign-in", data=enough).status_code == 400, "only its token is missing"


class Endless(io.RawIOBase):
    """A body that says nothing of its length, as a chunked one; it counts what was read of it."""

    def __init__(self) -> None:
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        self.read_so_far += len(room)
        room[:] = b"a" * len(room)
        return len(room)


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x"])
def test_row_40_a_body_without_a_length_is_refused_not_cut(client: PageClient, kind: str) -> None:
    body = Endless()
    answer = client.http.post(
        "/sign-in",
        content_type=kind,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert body.read_so_far <= MAX_BODY_BYTES + 128 * 1024


def test_row_40_large_files_are_for_those_who_are_signed_in(client: PageClient, make: Factory) -> None:
    def send(address: str, name: str, size: int) -> int:
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = head + b"x" * size + b"\r\n--x--\r\n"
        return client.http.post(
            address, data=body, content_type="multipart/form-data; boundary=x"
        ).status_code

    two = 2 * MAX_BODY_BYTES
    for address in ("/team/people/import", "/desk/cases/new", "/team/resources/new-file"):
        assert send(address, "people.csv", two) == 413, address
    client.sign_in(make.person(role=Role.TEAM).id)
    assert send("/team/people/import", "people.csv", two) == 400, "only its token is missing"
    assert send("/team/people/import", "people.csv", 21 * MAX_BODY_BYTES) == 413
    assert send("/team/people/new", "people.csv", two) == 413


def test_row_40_a_page_of_a_list_has_its_length_whatever_is_asked(team: PageClient, make: Factory) -> None:
    for number in range(60):
        make.person(f"Person {number}")
    for asked in (
        "page=1000000000",
        "page=-1",
        "page=1e9",
        "per_page=1000000000",
        "page=99999999999999999999",
        "limit=-1",
    ):
        page = team.get(f"/team/people?{asked}")
        assert len(page.all("tr")) <= 51, asked


# ---- row 41: whom a request comes from


@pytest.fixture
def behind_one(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """An app that stands behind one proxy, reached by HTTPS."""
    environ = {"PUBLIC_URL": "https://portal.example", "PORTAL_PROXIES": "1"}
    with second_stack(stack, tmp_path, environ) as made:
        yield made


FORGED = {
    "X-Forwarded-For": "9.9.9.66",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "4444",
    "Forwarded": "for=9.9.9.66;host=evil.example",
    "X-Real-IP": "9.9.9.66",
    "Client-IP": "9.9.9.66",
}


def asked_from(stack: Stack, headers: dict[str, str], base_url: str) -> bytes | None:
    """The network that is counted for a sign-in that was asked for from 51.140.1.7 with these headers."""
    http = stack.app.test_client()
    given: dict[str, Any] = {
        "headers": headers,
        "environ_overrides": {"REMOTE_ADDR": "51.140.1.7"},
        "base_url": base_url,
    }
    token = Page(http.get("/sign-in", **given)).token()
    address = f"{uuid4().hex}@nobody.example"
    answer = http.post("/sign-in", data={"csrf_token": token, "email": address}, **given)
    assert answer.headers["Location"] == "/sign-in/code"
    with DbSession(stack.engine) as db:
        row = db.scalars(select(SignIn).order_by(SignIn.expires_at.desc())).all()[-1]
        found = row.network
    with stack.engine.begin() as connection:
        connection.execute(Record.metadata.tables["mail"].delete())
        connection.execute(Record.metadata.tables["sign_in"].delete())
    return found


def network(stack: Stack, address: str) -> bytes:
    found = network_of(stack.instance.vault.ring, address)
    assert found is not None, "an address of a public network"
    return found


def test_row_41_without_a_proxy_no_header_is_believed(stack: Stack) -> None:
    assert asked_from(stack, FORGED, "http://localhost") == network(stack, "51.140.1.7")


def test_row_41_behind_one_proxy_only_the_last_address_counts(stack: Stack, behind_one: Stack) -> None:
    # The proxy adds the address that it saw; what the client sent stands before it.
    headers = {**FORGED, "X-Forwarded-For": "9.9.9.66, 10.0.0.1, 81.2.69.55"}
    found = asked_from(behind_one, headers, "https://portal.example")
    assert found == network(behind_one, "81.2.69.55")
    without = asked_from(behind_one, {}, "https://portal.example")
    assert without == network(behind_one, "51.140.1.7")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "portal.example.evil.example", "portal.example@evil.example", "evil.example:443", ""],
)
def test_row_41_a_forged_host_is_refused_and_leads_nowhere(
    stack: Stack, behind_one: Stack, host: str
) -> None:
    http = behind_one.app.test_client()
    for headers in ({"Host": host}, {"Host": host, **FORGED}):
        answer = http.get("/sign-in", headers=headers)
        assert answer.status_code == 400, host
        assert "evil" not in answer.get_data(as_text=True)
        assert "evil" not in str(answer.headers)


def test_row_41_headers_change_no_link_and_no_protocol(stack: Stack, behind_one: Stack) -> None:
    plain = stack.app.test_client().get("/your-devices", headers=FORGED)
    assert plain.headers["Location"] == "/sign-in"
    assert "Strict-Transport-Security" not in plain.headers, "PUBLIC_URL says whether it is HTTPS"
    for proto in ("http", "https"):
        answer = behind_one.app.test_client().get(
            "/your-devices", base_url="https://portal.example", headers={**FORGED, "X-Forwarded-Proto": proto}
        )
        assert answer.headers["Location"] == "/sign-in"
        assert "max-age=63072000; includeSubDomains" in answer.headers["Strict-Transport-Security"]
    with behind_one.app.test_request_context("/", headers={"Host": "portal.example", **FORGED}):
        assert request.host == "portal.example"


def test_row_41_links_of_mails_come_from_the_settings_alone(stack: Stack) -> None:
    """No template or rule asks the request where the portal is."""
    root = Path(__file__).resolve().parents[2]
    for path in [*(root / "portal").rglob("*.py"), *(root / "templates").rglob("*.*")]:
        words = path.read_text()
        for asked in ("_external", "request.host", "request.url", "host_url", "url_root", "request.base_url"):
            assert asked not in words, f"{path.name} asks for {asked}"


def test_row_41_production_wants_to_know_how_many_proxies_there_are(stack: Stack, tmp_path: Path) -> None:
    production = {
        "PORTAL_MODE": "production",
        "PUBLIC_URL": "https://portal.example",
        "SMTP_HOST": "mail.example",
    }
    with pytest.raises(SettingsFaults, match="PORTAL_PROXIES is missing"):
        Settings.from_environ(production, root=tmp_path)
    with pytest.raises(SettingsFaults, match="PORTAL_PROXIES must be a number"):
        Settings.from_environ({**production, "PORTAL_PROXIES": "-1"}, root=tmp_path)


@pytest.fixture
def ana(make: Factory) -> Person:
    return make.person("Ana", email=ADDRESS)


# ---- errors keep what was typed


def test_row_40_an_error_page_keeps_what_was_typed(
    team: PageClient, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = {
        "csrf_token": team.get("/team/people/new").token(),
        "name": "Zoë Short",
        "email": "zoe@council.example",
    }
    monkeypatch.setattr(stack.app, "testing", False)
    monkeypatch.setitem(stack.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(stack.app.view_functions, "people.new", lambda: 1 / 0)
    answer = team.http.post("/team/people/new", data=typed)
    page = Page(answer)
    assert answer.status_code == 500
    shown = " ".join("".join(area.itertext()) for area in page.all("textarea"))
    assert "Zoë Short" in shown
    assert "zoe@council.example" in shown
    for inside in ("Traceback", "ZeroDivisionError", "division", ".py", typed["csrf_token"]):
        assert inside not in "".join("".join(area.itertext()) for area in page.all("main")), inside


def test_row_40_secrets_are_never_shown_again(team: PageClient) -> None:
    for name in ("password", "new_password", "code", "totp", "recovery_code"):
        answer = team.http.post("/team/people/new", data={name: "correct horse battery staple"})
        assert answer.status_code in {303, 400}
        assert "correct horse" not in answer.get_data(as_text=True), name
