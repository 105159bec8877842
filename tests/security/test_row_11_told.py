"""Rows 11 and 17: people are told what happens to their sign-in, and changing it wants a fresh proof."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Factor, Person, Role
from portal.people import delegations
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.security.coming_in import PASSWORD, Browser, path_in

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
Browse = Callable[[], Browser]
SAFARI = "Mozilla/5.0 (iPad; CPU OS 16_3) AppleWebKit/605.1 Version/16.3 Safari/604.1"


def texts(browser: Browser) -> str:
    return " ".join(text for _, text in browser.outbox.told())


def test_row_11_a_new_browser_and_a_kept_device(browse: Browse, chief: Person) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    assert texts(browser) == "", "the first browser is no news"
    other = browse()
    other.client.http.environ_base["HTTP_USER_AGENT"] = SAFARI
    other.by_mail("chief@council.example", device="y")
    said = texts(other)
    assert "a browser that we had not met before: Safari on iPad" in said
    assert "kept as your own for 30 days" in said
    again = browse()
    again.client.http.environ_base["HTTP_USER_AGENT"] = SAFARI
    again.by_mail("chief@council.example")
    assert texts(again) == ""


def test_row_11_what_is_set_up_used_and_taken_away(browse: Browse, chief: Person, db: DbSession) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    browser.set_password()
    said = texts(browser)
    assert "your start code was used" in said
    assert "a password was set up" in said
    browser.client.post("/your-sign-in/codes", page="/your-sign-in", status=200)
    assert "recovery codes were set up" in texts(browser)
    db.rollback()
    password = next(one for one in db.scalars(select(Factor)) if one.secret)
    browser.client.post(f"/your-sign-in/{password.id}/end", page="/your-sign-in")
    assert "a password was taken out" in texts(browser)


def test_row_11_a_changed_address_is_told_to_both_mailboxes(
    browse: Browse, chief: Person, make: Factory
) -> None:
    browser = browse()
    team = browser.client.sign_in(make.person(role=Role.TEAM).id)
    team.post(f"/team/people/{chief.id}/edit", {"name": "Chris Chief", "email": "new@council.example"})
    told = {to.split("<")[-1].rstrip(">"): text for to, text in browser.outbox.told()}
    assert "changed to another one" in told["chief@council.example"]
    assert "new@council.example" not in told["chief@council.example"]
    assert "was changed to this one" in told["new@council.example"]


def test_row_11_a_leader_is_told_who_books_for_them(
    browse: Browse, make: Factory, db: DbSession, clock: SetClock
) -> None:
    leader = make.person("Lee Der", email="lee@council.example", council=make.council())
    with unit_of_work(db, clock, "system:test") as work:
        delegations.name(work, leader_id=leader.id, called="Pat", email="pat@council.example")
    told = {to.split("<")[-1].rstrip(">"): text for to, text in browse().outbox.told()}
    assert "somebody was named who books sessions for you" in told["lee@council.example"]


# ---- row 17


def test_row_17_factors_change_only_within_ten_minutes_of_a_proof(
    browse: Browse, chief: Person, clock: SetClock, db: DbSession
) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    browser.set_password()
    clock.pass_time(minutes=9)
    assert browser.opens("/your-sign-in/password")
    clock.pass_time(minutes=2)
    assert browser.leads("/your-sign-in/password") == "/sign-in/prove"
    token = browser.client.get("/your-sign-in").token()
    db.rollback()
    row = db.scalars(select(Factor.id).where(Factor.ended_at.is_(None))).first()
    for path in ("/your-sign-in/codes", f"/your-sign-in/{row}/end", "/your-sign-in/password"):
        answer = browser.client.http.post(path, data={"csrf_token": token, "new_password": "quite another"})
        assert answer.headers.get("Location") == "/sign-in/prove", path
    assert (
        browser.client.http.post("/your-sign-in/passkeys/begin", data={"csrf_token": token}).status_code
        == 409
    )
    browser.client.get("/your-sign-in/password", status=303)
    assert browser.by_password(PASSWORD).response.location == "/your-sign-in/password"


def test_row_17_an_address_changes_only_within_ten_minutes_of_a_proof(
    browse: Browse, chief: Person, make: Factory, clock: SetClock
) -> None:
    client = browse().client.sign_in(make.person(role=Role.TEAM).id)
    path = f"/team/people/{chief.id}/edit"
    token = client.get(path).token()
    clock.pass_time(minutes=11)
    client.get(path, status=303)
    sent = {"csrf_token": token, "name": "Chris Chief", "email": "mallory@evil.example"}
    assert client.http.post(path, data=sent).headers["Location"] == "/sign-in/prove"
    assert browse().ask("mallory@evil.example") == ""


def test_row_17_who_proves_themselves_by_the_mail_alone_does_so_anew(
    browse: Browse, make: Factory, clock: SetClock
) -> None:
    make.person("Lee Der", email="lee@council.example", council=make.council())
    browser = browse()
    browser.by_mail("lee@council.example")
    clock.pass_time(minutes=11)
    assert browser.leads("/your-sign-in/password") == "/sign-in/prove"
    browser.client.post("/sign-in/prove/mail", page="/sign-in/prove")
    code = browser.outbox.sign_in_mail()[:6]
    page = browser.client.post("/sign-in/finish", {"code": code}, page="/sign-in/code")
    assert page.response.location == "/your-sign-in/password"
    browser.set_password()
    assert "We ring you" not in browser.client.get("/your-sign-in").words(), "nobody else reads that mailbox"


def test_row_17_a_new_proof_by_mail_takes_the_link_and_a_second_mail_too(
    browse: Browse, make: Factory, clock: SetClock
) -> None:
    make.person("Lee Der", email="lee@council.example", council=make.council())
    browser = browse()
    browser.by_mail("lee@council.example")
    clock.pass_time(minutes=11)
    browser.client.get("/your-sign-in/password", status=303)
    browser.client.post("/sign-in/prove/mail", page="/sign-in/prove")
    first = browser.outbox.sign_in_mail()
    browser.client.post("/sign-in", {"again": "y"}, page="/sign-in/code")
    second = browser.outbox.sign_in_mail()
    assert second, "it is sent again to who is signed in too"
    assert second[:6] != first[:6]
    assert browser.leads(path_in(first)) == "/your-sign-in/password", "an old link just goes on"
    link = path_in(second)
    page = browser.client.get(link)
    assert page.all("input", name="token"), "the newest asks for the button, as at the first sign-in"
    token = link.rsplit("/", 1)[1]
    led = browser.client.post("/sign-in/finish", {"token": token}, page=link)
    assert led.response.location == "/your-sign-in/password"
    assert browser.opens("/your-sign-in/password")
    assert browser.leads(link) == "/your-sign-in/password", "people click twice"


def test_row_17_one_sees_and_ends_ones_own_browsers(browse: Browse, chief: Person) -> None:
    one, other = browse(), browse()
    one.by_mail("chief@council.example")
    other.by_mail("chief@council.example")
    page = one.client.get("/your-devices")
    assert len(page.all("tr")) == 3
    ends = [form.get("action") for form in page.all("form") if form.get("action", "").endswith("/end")]
    assert len(ends) == 2
    here = page.words(page.all("tr")[1])
    theirs = ends[1] if "this browser" in here else ends[0]
    one.client.post(theirs, page="/your-devices")
    assert other.leads("/your-support") == "/sign-in"
    assert one.opens("/your-support")
