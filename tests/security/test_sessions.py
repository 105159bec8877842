"""Rows 12 to 16, 19: what a signed-in browser holds, how long it lasts, and what ends it."""

import base64
import re
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, devices
from portal.mentors.clearances import PAGES
from portal.models import Clearance, Level, Office, ParkedForm, Person, Role, SignIn
from portal.views.signed_in import ASKED_BY_PAGES
from privacy.records import Record
from privacy.work import unit_of_work
from tests.coming_in import come_in, cookie, copied, is_in
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.second import second_stack

# What a cookie holds and what ends a session rest on no database.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
ADDRESS = "ana@council.example"
NAME = "Ana O’Shea"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ana(make: Factory) -> Person:
    return make.person(NAME, email=ADDRESS)


# ---- row 12: the cookie is a reference and nothing else


def test_row_12_the_cookie_is_a_random_reference(client: PageClient, ana: Person, db: DbSession) -> None:
    come_in(client, ADDRESS, device=True)
    client.get("/your-devices")
    values = {name: cookie(client, name) for name in ("sid", "device", "form")}
    for name in ("sid", "device"):
        raw = base64.urlsafe_b64decode(f"{values[name]}=")
        assert len(raw) == 32, "256 bits, nothing beside them"
    told = [raw_text(value) for value in values.values() if value]
    for secret in (str(ana.id), ana.id.hex, NAME, "Ana", ADDRESS, "lead_member", ana.ref):
        assert not any(secret in one for one in told), secret
    assert set(re.findall(r'"(\w+)":', raw_text(values["form"] or ""))) <= {"csrf_token", "next", "_flashes"}


def raw_text(value: str) -> str:
    """A cookie as whoever holds it can read it: its parts, decoded, and unpacked where they are packed."""
    told = [value]
    for part in value.strip(".").split("."):
        try:
            raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            told.append((zlib.decompress(raw) if value.startswith(".") else raw).decode("latin-1"))
        except (ValueError, zlib.error):
            continue
    return "\n".join(told)


def test_row_12_the_database_holds_only_a_digest(client: PageClient, ana: Person, db: DbSession) -> None:
    come_in(client, ADDRESS, device=True)
    for name in ("sid", "device"):
        token = cookie(client, name)
        assert token is not None
        rows = "".join(
            str(row)
            for table in Record.metadata.sorted_tables
            for row in db.execute(select(*table.columns))  # every column as the database gives it
        )
        assert token not in rows
        found = db.execute(
            text("select count(*) from browser_session where token = :t"), {"t": devices.digest(token)}
        )
        assert found.scalar() == 1


def test_row_12_nothing_opens_for_a_reference_that_is_made_up(client: PageClient, ana: Person) -> None:
    come_in(client, ADDRESS)
    right = cookie(client, "sid") or ""
    for wrong in ("", "x", right[:-1], right.swapcase(), right + "A", str(ana.id), "' or 1=1 --"):
        client.http.set_cookie("sid", wrong)
        assert not is_in(client), wrong
    client.http.set_cookie("sid", right)
    assert is_in(client)


# ---- row 13: a new reference for each proof


def test_row_13_a_reference_from_before_the_sign_in_is_worth_nothing(client: PageClient, ana: Person) -> None:
    planted = "A" * 43
    client.http.set_cookie("sid", planted)
    come_in(client, ADDRESS)
    assert cookie(client, "sid") != planted
    thief = PageClient(client.app, client.instance)
    thief.http.set_cookie("sid", planted)
    assert not is_in(thief)


def test_row_13_signing_in_again_ends_the_reference_before(
    client: PageClient, ana: Person, clock: SetClock
) -> None:
    come_in(client, ADDRESS)
    first = copied(client)
    form = cookie(client, "form")
    clock.pass_time(minutes=70)
    come_in(client, ADDRESS)
    assert cookie(client, "sid") != cookie(first, "sid")
    assert cookie(client, "form") != form, "a form token from before may have been seen"
    assert is_in(client)
    assert not is_in(first)


def test_row_13_a_further_proof_gives_a_new_reference(
    client: PageClient, ana: Person, db: DbSession, stack: Stack
) -> None:
    come_in(client, ADDRESS)
    old = copied(client)
    row = devices.live_session(db, cookie(client, "sid") or "", now=stack.clock())
    assert row is not None
    session_id, person_id = row.id, row.person_id
    with unit_of_work(db, stack.clock, f"person:{person_id}") as work:
        new = devices.add_proof(work, browser_session_id=session_id, proof="password", level=Level.PROOF)
    client.http.set_cookie("sid", new)
    assert is_in(client)
    assert not is_in(old), "whoever saw the old one does not profit from the proof"


# ---- row 14: sign-out holds on the server


def test_row_14_copied_cookies_are_dead_after_sign_out(client: PageClient, ana: Person) -> None:
    come_in(client, ADDRESS, device=True)
    thief = copied(client)
    assert is_in(thief)
    client.post("/sign-out", page="/your-devices")
    assert not is_in(thief)
    assert thief.post("/sign-in/continue", page="/sign-in").response.location == "/sign-in"
    assert not is_in(thief), "nor does the kept device open another"


def test_row_14_copied_cookies_leave_no_form_to_whoever_signed_out(
    client: PageClient, ana: Person, db: DbSession, clock: SetClock
) -> None:
    """A form that meets a sign-in which is over is kept for its writer, but where it was ended on purpose."""

    def keeps(browser: PageClient) -> bool:
        before = db.scalars(select(ParkedForm.id)).all()
        browser.http.post("/your-data/ask/access", data={"text": f"Words {len(before)}", "csrf_token": "x"})
        db.rollback()
        return db.scalars(select(ParkedForm.id)).all() != before

    come_in(client, ADDRESS)
    thief = copied(client)
    clock.pass_time(hours=23)
    assert not is_in(thief)
    assert keeps(thief), "it ran out: whoever has it was at work on a form"
    come_in(client, ADDRESS)
    thief = copied(client)
    client.post("/sign-out", page="/your-devices")
    assert not keeps(thief)


def test_row_14_sign_out_everywhere_ends_every_browser_and_device(client: PageClient, ana: Person) -> None:
    come_in(client, ADDRESS, device=True)
    kept, elsewhere = copied(client), PageClient(client.app, client.instance)
    come_in(elsewhere, ADDRESS)
    waiting = PageClient(client.app, client.instance)
    waiting.post("/sign-in", {"email": ADDRESS})
    away = client.post("/your-devices/end-all", page="/your-devices")
    assert away.response.location == "/sign-in"
    assert away.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not any(is_in(one) for one in (client, kept, elsewhere))
    assert "Continue as" not in kept.get("/sign-in").words()


# ---- row 15: how long it lasts


LIVES = [
    (Role.LEAD_MEMBER, 60, 12 * 60),
    (Role.TEAM, 20, 8 * 60),
    (Role.MENTOR, 20, 8 * 60),
    (Role.DPO, 20, 8 * 60),
]


@pytest.mark.parametrize("role, idle, whole", LIVES)
def test_row_15_idle_and_whole_time_end_it(
    client: PageClient, make: Factory, clock: SetClock, role: Role, idle: int, whole: int
) -> None:
    person = make.person(role=role)
    client.sign_in(person.id)
    clock.pass_time(minutes=idle - 1, seconds=59)
    assert is_in(client)
    clock.pass_time(minutes=idle, seconds=1)
    assert not is_in(client), "idle"
    client.sign_in(person.id)
    begun = clock.now
    while clock.now < begun + timedelta(minutes=whole - 10):
        clock.pass_time(minutes=10)
        assert is_in(client)
    clock.now = begun + timedelta(minutes=whole, seconds=-1)
    assert is_in(client)
    clock.now = begun + timedelta(minutes=whole, seconds=1)
    assert not is_in(client), "whole time"


def polls() -> list[str]:
    """Every address that a page asks for again by itself, as the templates write it."""
    found = []
    for path in (ROOT / "templates").rglob("*.html"):
        for tag in re.findall(
            r"<[^>]*hx-trigger=\"every[^>]*>", re.sub(r"\{\{ url_for\(\"", "{{", path.read_text())
        ):
            found += re.findall(r"hx-get=\"\{\{([\w.]+)", tag)
    return found


def test_row_15_what_pages_ask_by_themselves_is_known(stack: Stack) -> None:
    assert polls()
    assert set(polls()) | {"staying.left"} == ASKED_BY_PAGES


def test_row_15_polls_do_not_keep_anybody_signed_in(
    client: PageClient, make: Factory, clock: SetClock
) -> None:
    client.sign_in(make.person(role=Role.DPO).id)
    client.get("/desk")
    asks = {"HX-Request": "true"}
    for _ in range(19):
        clock.pass_time(minutes=1)
        for address in ("/desk/not-told", "/your-data/copy", "/signed-in"):
            assert client.http.get(address, headers=asks).status_code == 200
    assert client.http.get("/signed-in", headers=asks).json == {"idle": 60, "whole": 8 * 3600 - 19 * 60}
    clock.pass_time(minutes=1, seconds=1)
    assert client.http.get("/signed-in", headers=asks).json == {"idle": 0, "whole": 0}
    assert client.http.get("/desk/not-told", headers=asks).status_code == 286
    assert not is_in(client)


def test_row_15_typing_and_the_one_action_keep_somebody_signed_in(
    client: PageClient, ana: Person, clock: SetClock
) -> None:
    client.sign_in(ana.id)
    token = client.get("/your-devices").token()
    for _ in range(11):
        clock.pass_time(minutes=59)
        told = client.http.post("/signed-in/stay", data={"csrf_token": token}).json
        assert told is not None
        assert told["idle"] == 3600 or told["idle"] == told["whole"]
    clock.pass_time(minutes=72)
    assert client.http.post("/signed-in/stay", data={"csrf_token": token}).json == {"idle": 0, "whole": 0}


def test_row_15_every_page_says_so_without_javascript(client: PageClient, make: Factory, ana: Person) -> None:
    client.sign_in(ana.id)
    words = client.get("/your-devices").words()
    assert "You are signed out 60 minutes after you last used a page" in words
    assert "Wednesday 1 March 2023, 9pm at the latest" in words
    client.sign_in(make.person(role=Role.TEAM).id)
    words = client.get("/your-devices").words()
    assert "You are signed out 20 minutes after" in words
    assert "5pm at the latest" in words


def test_row_15_the_shorter_time_counts_from_the_day_somebody_joins_the_staff(
    client: PageClient, ana: Person, db: DbSession, clock: SetClock
) -> None:
    client.sign_in(ana.id)
    assert is_in(client)
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Office(person_id=ana.id, role=Role.OBSERVER, from_on=clock.now.date()))
    clock.pass_time(minutes=21)
    assert not is_in(client)


# ---- row 16: what acts on the next request


def test_row_16_a_closed_account_is_out_on_the_next_request(
    client: PageClient, ana: Person, make: Factory
) -> None:
    come_in(client, ADDRESS, device=True)
    assert is_in(client)
    team = PageClient(client.app, client.instance).sign_in(make.person(role=Role.TEAM).id)
    team.post(f"/team/people/{ana.id}/disable", page=f"/team/people/{ana.id}")
    assert not is_in(client)
    assert "Continue as" not in client.get("/sign-in").words()


def test_row_16_staff_end_somebodys_browsers_and_leave_the_account_open(
    client: PageClient, ana: Person, make: Factory
) -> None:
    come_in(client, ADDRESS, device=True)
    team = PageClient(client.app, client.instance).sign_in(make.person(role=Role.TEAM).id)
    done = team.post(f"/team/people/{ana.id}/sign-out", page=f"/team/people/{ana.id}")
    assert "signed out in every browser" in team.follow(done).words()
    assert not is_in(client)
    come_in(client, ADDRESS)
    assert is_in(client), "the account is open"
    other = PageClient(client.app, client.instance).sign_in(make.person().id)
    token = other.get("/your-devices").token()
    stranger = other.http.post(f"/team/people/{ana.id}/sign-out", data={"csrf_token": token})
    assert stranger.status_code == 404
    assert is_in(client)


def test_row_16_a_role_that_is_taken_away_is_gone_on_the_next_request(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = make.person(role=Role.TEAM)
    council = make.council("Northshire")
    today = clock.now.date()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Office(person_id=person.id, role=Role.LEAD_MEMBER, council_id=council.id, from_on=today))
    client.sign_in(person.id)
    client.get("/team/people")
    with unit_of_work(db, clock, "system:test") as work:
        theirs = select(Office).where(Office.person_id == person.id, Office.role == Role.TEAM)
        work.db.scalars(theirs).one().to_on = today - timedelta(days=1)
    client.get("/team/people", status=404)
    assert is_in(client)


def test_row_16_a_clearance_that_lapses_closes_the_pages_on_the_next_request(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock
) -> None:
    person = make.person(role=Role.TEAM)
    client.sign_in(person.id)
    client.get("/team/people")
    with unit_of_work(db, clock, "system:test") as work:
        theirs = select(Clearance).where(Clearance.person_id == person.id)
        row = work.db.scalars(theirs.where(Clearance.kind.in_(PAGES))).first()
        assert row is not None
        row.expires_on = clock.now.date() - timedelta(days=1)
    page = client.get("/team/people", status=403)
    assert "clearance" in page.words().lower()


def test_row_16_own_browsers_are_listed_and_ended_one_by_one(client: PageClient, ana: Person) -> None:
    come_in(client, ADDRESS)
    other = PageClient(client.app, client.instance)
    come_in(other, ADDRESS)
    page = client.get("/your-devices")
    rows = [row for row in page.all("tr") if row.find(".//form") is not None]
    assert len(rows) == 2
    foreign = next(row for row in rows if "(this browser)" not in page.words(row))
    client.post(foreign.find(".//form").get("action"), page="/your-devices")
    assert is_in(client)
    assert not is_in(other)


# ---- row 28: a token lives as long as the session, and no word is lost where it does not


def test_row_28_a_token_holds_as_long_as_the_session(client: PageClient, ana: Person, stack: Stack) -> None:
    assert stack.app.config["WTF_CSRF_TIME_LIMIT"] is None
    assert stack.app.permanent_session_lifetime >= devices.PARTICIPANT_LIFE.whole


def test_row_28_a_form_that_meets_a_rotated_key_is_kept_for_its_writer(
    client: PageClient, ana: Person, make: Factory, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = PageClient(client.app, client.instance).sign_in(make.person(role=Role.TEAM).id)
    typed = {
        "csrf_token": team.get("/team/people/new").token(),
        "name": "Zoë Typed-in",
        "password": "hush hush",
    }
    monkeypatch.setattr(stack.app, "secret_key", b"another key of thirty-two bytes..")
    away = Page(team.http.post("/team/people/new", data=typed))
    assert away.status == 303
    kept = team.follow(away)
    assert "Zoë Typed-in" in kept.words()
    assert "hush" not in kept.text
    assert client.sign_in(ana.id).http.get(away.response.headers["Location"]).status_code == 404


def test_row_28_what_one_person_typed_is_kept_for_nobody_else(
    client: PageClient, ana: Person, make: Factory, db: DbSession
) -> None:
    make.person("Bo Other", email="bo@council.example")
    come_in(client, ADDRESS)
    typed = {"csrf_token": client.get("/your-data/ask/access").token(), "text": "Ana's own words"}
    client.post("/sign-out", page="/your-devices")
    out = Page(client.http.post("/your-data/ask/access", data=typed))
    assert (out.status, out.heading) == (401, "You are not signed in")
    assert "Ana&#39;s own words" in out.text
    come_in(client, ADDRESS)
    away = Page(client.http.post("/your-data/ask/access", data=typed))
    assert "Ana&#39;s own words" in client.follow(away).text, "to herself it is shown again"
    client.post("/sign-out", page="/your-devices")
    kept = db.scalars(select(ParkedForm.id)).all()
    come_in(client, "bo@council.example")
    page = Page(client.http.post("/your-data/ask/access", data=typed))
    assert (page.status, page.heading) == (400, "Somebody else is signed in here now")
    assert "Ana&#39;s own words" in page.text, "it is in the answer to her own tab"
    db.rollback()
    assert db.scalars(select(ParkedForm.id)).all() == kept


# ---- row 19: every cookie


def test_row_19_every_cookie_is_tied_to_this_host_and_hidden_from_scripts(
    tmp_path: Path, stack: Stack
) -> None:
    with second_stack(stack, tmp_path, {"PUBLIC_URL": "https://portal.example"}) as made:
        with DbSession(made.engine, info={"vault": made.instance.vault}) as db:
            Factory(db, made.clock, made.instance.programme).person(NAME, email=ADDRESS)
        http = made.app.test_client()
        seen: dict[str, str] = {}

        def ask(method: str, path: str, **data: Any) -> Page:
            answer = http.open(path, method=method, data=data or None, base_url="https://portal.example")
            for header in answer.headers.getlist("Set-Cookie"):
                name, _, rest = header.partition("=")
                seen[name] = rest
                parts = {part.strip().lower() for part in rest.split(";")[1:]}
                assert name.startswith("__Host-"), header
                assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts, header
                assert not any(part.startswith("domain") for part in parts), header
            return Page(answer)

        token = ask("GET", "/sign-in").token()
        ask("POST", "/sign-in", csrf_token=token, email=ADDRESS)
        token = ask("GET", "/sign-in/code").token()
        with DbSession(made.engine) as db:
            asked = db.scalars(select(SignIn.id)).one()
        code = accounts.code_of(made.instance.vault.ring, asked)
        ask("POST", "/sign-in/finish", csrf_token=token, code=code, device="y")
        token = ask("GET", "/your-devices").token()
        ask("POST", "/sign-out", csrf_token=token)
        assert {"__Host-form", "__Host-sid", "__Host-device", "__Host-ask"} <= set(seen)
