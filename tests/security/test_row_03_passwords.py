"""Rows 3 and 4: which passwords are taken, and that managers and pasting work."""

from collections.abc import Callable
from pathlib import Path

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from portal.access import passwords
from portal.models import Person
from tests.security.coming_in import PASSWORD, Browser

ROOT = Path(__file__).resolve().parents[2]
ONE = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
Browse = Callable[[], Browser]


@pytest.mark.parametrize(
    "typed, taken",
    [
        ("ab cdef", False),
        ("ab cdefg", True),
        ("x7 " * 21 + "y", True),
        ("q7 " * 66 + "zz", True),
        ("q7 " * 67, False),
        ("🦊🌲🪵🍂🐌🌧🧤🛶", True),
        ("just lower case", True),
        (" leading and trailing ", True),
        ("password", False),
        ("Password1234567", False),
        ("1234567890", False),
        ("qwertyuiop", False),
        ("!!letmein!!", False),
        ("liverpool2023", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("chris.chief", False),
    ],
)
def test_row_03_what_may_be_a_password(typed: str, taken: bool) -> None:
    fault = passwords.fault(typed, own_words=["Chris Chief", "chris.chief@council.example"])
    assert (fault is None) is taken, fault


def test_row_03_nothing_is_cut_or_trimmed() -> None:
    stored = passwords.hashed("q7 " * 60 + "end ")
    assert passwords.fits(stored, "q7 " * 60 + "end ")
    for other in ("q7 " * 60 + "end", "q7 " * 60 + "End "):
        assert not passwords.fits(stored, other)
    assert passwords.fits(passwords.hashed("caf\u00e9 noir"), "cafe\u0301 noir"), "typed on another keyboard"


def test_row_03_the_commonest_three_thousand_are_refused() -> None:
    common = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.AT_LEAST][:3000]
    assert len(common) == 3000
    assert [word for word in common if passwords.fault(word) is None] == []


@ONE
def test_row_03_a_change_wants_the_password_of_before(browse: Browse, chief: Person) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    browser.set_password()
    again = browse()
    again.by_mail("chief@council.example")
    again.by_password()
    page = again.set_password("quiet green harbour", status=422)
    assert "Enter your password" in page.words()
    again.set_password("quiet green harbour", password_now="not the one", status=422)
    again.set_password("password1", password_now=PASSWORD, status=422)
    again.set_password("quiet green harbour", password_now=PASSWORD)
    third = browse()
    third.by_mail("chief@council.example")
    third.by_password(PASSWORD, status=422)
    third.by_password("quiet green harbour")
    assert third.opens("/your-data")


@ONE
def test_row_03_a_password_is_never_shown_again(browse: Browse, chief: Person) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    assert "short1" not in browser.set_password("short1", status=422).text
    browser.set_password()
    again = browse()
    again.by_mail("chief@council.example")
    assert "not this one" not in again.by_password("not this one", status=422).text


@ONE
def test_row_04_managers_and_pasting_work(browse: Browse, chief: Person, team: Person) -> None:
    browser = browse()
    field = browser.client.get("/sign-in").all("input", name="email")[0]
    assert field.get("autocomplete") == "username webauthn"
    browser.ask("tess@programme.example")
    code = browser.client.get("/sign-in/code").all("input", name="code")[0]
    assert (code.get("autocomplete"), code.get("inputmode")) == ("one-time-code", "numeric")
    browser.set_up_staff("tess@programme.example", team.id)
    again = browse()
    again.by_mail("tess@programme.example")
    page = again.client.get("/sign-in/prove")
    now = page.all("input", name="password")[0]
    assert (now.get("type"), now.get("autocomplete")) == ("password", "current-password")
    assert page.all("input", name="totp")[0].get("autocomplete") == "one-time-code"
    new = browser.client.get("/your-sign-in/password").all("input", name="new_password")[0]
    assert (new.get("type"), new.get("autocomplete")) == ("password", "new-password")


def test_row_04_nothing_stands_against_pasting() -> None:
    for path in [*(ROOT / "static").glob("*.js"), *(ROOT / "templates").rglob("*.html")]:
        text = path.read_text()
        assert "onpaste" not in text, path
        assert "paste" not in text if path.suffix == ".js" else True, path
