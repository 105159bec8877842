"""Rows 5 to 7: codes are good once, for minutes, in one browser; guessing ends, and locks nobody out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, asking, codes, factors, passwords, proofs
from portal.models import BrowserSession, Factor, FactorKind, Person, SignIn
from privacy.records import Record
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.security.coming_in import PASSWORD, Browser, code_in, path_in, start_code, wrong

ONE = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
Browse = Callable[[], Browser]


@ONE
def test_row_05_a_mailed_code_is_good_once_and_for_ten_minutes(
    browse: Browse, chief: Person, clock: SetClock
) -> None:
    browser = browse()
    code = code_in(browser.ask("chief@council.example"))
    browser.client.post("/sign-in/finish", {"code": code}, page="/sign-in/code")
    other = browse()
    other.client.http.set_cookie("ask", "whatever")
    other.client.post("/sign-in/finish", {"code": code}, page="/sign-in/code", status=422)
    late = browse()
    code = code_in(late.ask("chief@council.example"))
    clock.pass_time(minutes=10, seconds=1)
    late.client.post("/sign-in/finish", {"code": code}, page="/sign-in/code", status=422)


@ONE
def test_row_05_no_code_stands_in_the_database(
    stack: Stack, db: DbSession, browse: Browse, chief: Person, team: Person
) -> None:
    browser = browse()
    text = browser.ask("chief@council.example")
    browser.client.post("/sign-in/finish", {"code": code_in(text)}, page="/sign-in/code")
    printed = start_code(stack, chief.id)
    browser.client.post("/sign-in/start-code", {"recovery": printed}, page="/sign-in/start-code")
    browser.set_password()
    page = browser.client.post("/your-sign-in/codes", page="/your-sign-in", status=200)
    recovery = [page.words(code) for code in page.all("code")]
    assert len(set(recovery)) == 10
    staff = browse()
    key = staff.set_up_staff("tess@programme.example", team.id)
    secrets = {code_in(text), path_in(text).rsplit("/", 1)[1], printed, PASSWORD, key, *recovery}
    secrets |= {codes.normal(one) for one in (printed, *recovery)}
    db.rollback()
    stored = [
        repr(value)
        for table in Record.metadata.sorted_tables
        for row in db.execute(select(table))
        for value in row
    ]
    assert [secret for secret in secrets if any(secret in value for value in stored)] == []
    kept = {
        one.kind: one.secret for one in db.scalars(select(Factor).where(Factor.secret_sealed.is_not(None)))
    }
    assert kept[FactorKind.PASSWORD]["hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@ONE
def test_row_05_a_code_of_an_app_is_good_once(browse: Browse, team: Person, clock: SetClock) -> None:
    key = browse().set_up_staff("tess@programme.example", team.id)
    clock.pass_time(seconds=30)
    first, second = browse(), browse()
    first.by_mail("tess@programme.example")
    second.by_mail("tess@programme.example")
    first.by_password(key=key)
    second.by_password(key=key, status=422)
    clock.pass_time(seconds=30)
    second.by_password(key=key)


@ONE
@pytest.mark.parametrize("steps, good", [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_row_05_a_clock_that_is_off_by_half_a_minute_is_no_fault(
    clock: SetClock, steps: int, good: bool
) -> None:
    key = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    shown = pyotp.TOTP(key).at(int(clock().timestamp()) + 30 * steps)
    assert (proofs.step_of(key, shown, now=clock()) is not None) is good


def test_row_05_paper_codes_are_long_enough_and_forgiving(stack: Stack) -> None:
    ring = stack.instance.vault.ring
    one, other = UUID(int=1), UUID(int=2)
    start, recovery = (codes.code_of(ring, kind, one) for kind in (FactorKind.START, FactorKind.RECOVERY))
    assert (len(codes.normal(start)), len(codes.normal(recovery))) == (8, 12)
    assert codes.is_code(ring, FactorKind.START, one, start.lower().replace("-", " "))
    assert not codes.is_code(ring, FactorKind.START, other, start)
    assert not codes.is_code(ring, FactorKind.RECOVERY, one, start)
    assert codes.normal("o0Il-1") == "00111"


# ---- row 6


@ONE
def test_row_06_a_code_belongs_to_the_browser_that_asked(browse: Browse, chief: Person) -> None:
    one, other = browse(), browse()
    first = code_in(one.ask("chief@council.example"))
    second = code_in(other.ask("chief@council.example"))
    if first != second:
        other.client.post("/sign-in/finish", {"code": first}, page="/sign-in/code", status=422)
    one.client.post("/sign-in/finish", {"code": first}, page="/sign-in/code")


@ONE
def test_row_06_the_newest_alone_is_good(browse: Browse, chief: Person) -> None:
    browser = browse()
    first = code_in(browser.ask("chief@council.example"))
    second = code_in(browser.ask("chief@council.example"))
    assert first != second
    browser.client.post("/sign-in/finish", {"code": first}, page="/sign-in/code", status=422)
    browser.client.post("/sign-in/finish", {"code": second}, page="/sign-in/code")


# ---- row 7


@ONE
def test_row_07_five_wrong_codes_kill_that_code_and_nothing_else(browse: Browse, chief: Person) -> None:
    signed_in, stranger = browse(), browse()
    signed_in.by_mail("chief@council.example")
    code = code_in(stranger.ask("chief@council.example"))
    for _ in range(5):
        stranger.client.post("/sign-in/finish", {"code": wrong(code)}, page="/sign-in/code", status=422)
    stranger.client.post("/sign-in/finish", {"code": code}, page="/sign-in/code", status=422)
    assert signed_in.opens("/your-support"), "who is in goes on"
    again = browse()
    again.by_mail("chief@council.example")
    assert again.opens("/your-support"), "and comes in anew"


def test_row_07_of_a_hundred_at_once_five_are_looked_at(
    stack: Stack, db: DbSession, clock: SetClock, chief: Person
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        asked = asking.ask(work, address="chief@council.example", next_path=None)
    code = wrong(accounts.code_of(stack.instance.vault.ring, asked.sign_in_id))

    def guess(_: int) -> None:
        own = DbSession(stack.engine, info={"vault": stack.instance.vault})
        with own, unit_of_work(own, clock, "system:test") as work:
            accounts.finish(work, verifier=asked.verifier, browser="test", code=code)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(100)))
    db.rollback()
    assert db.get_one(SignIn, asked.sign_in_id).tries == 5


def test_row_07_of_thirty_passwords_at_once_ten_are_looked_at(
    stack: Stack, db: DbSession, clock: SetClock, chief: Person
) -> None:
    chief_id = chief.id

    def guess(_: int) -> bool:
        own = DbSession(stack.engine, info={"vault": stack.instance.vault})
        with own, unit_of_work(own, clock, "system:test") as work:
            return proofs.reserve(work, person_id=chief_id)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(30))) == proofs.TRIES_AT_MOST


@ONE
def test_row_07_many_wrong_passwords_pause_passwords_alone(
    stack: Stack, db: DbSession, browse: Browse, chief: Person, clock: SetClock
) -> None:
    first = browse()
    first.by_mail("chief@council.example")
    first.by_start_code(chief.id)
    first.set_password()
    thief = browse()
    thief.by_mail("chief@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        for _ in range(proofs.TRIES_AT_MOST - 1):
            proofs.reserve(work, person_id=chief.id)
    first.outbox.new()
    thief.by_password("one more guess", status=422)
    assert "many wrong passwords" in " ".join(text for _, text in first.outbox.told())
    page = thief.by_password(PASSWORD, status=429)
    assert "Wait 15 minutes" in page.words(), "not even the right one, for that would tell"
    assert first.opens("/your-data"), "who is in goes on"
    clock.pass_time(minutes=15)
    thief.by_password(PASSWORD)


@ONE
def test_row_07_a_right_password_takes_the_count_back(
    db: DbSession, browse: Browse, chief: Person, clock: SetClock
) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        factors.set_password(
            work, person_id=chief.id, hashed=passwords.hashed(PASSWORD), browser="test", sure=True
        )
    for _ in range(3):
        browser.by_password("a wrong one", status=422)
    browser.by_password()
    with unit_of_work(db, clock, "system:test") as work:
        assert sum(proofs.reserve(work, person_id=chief.id) for _ in range(20)) == proofs.TRIES_AT_MOST
    db.rollback()
    assert db.scalars(select(BrowserSession.level).where(BrowserSession.person_id == chief.id)).all() == [2]
