"""Rows 8 and 9: the mailbox alone replaces no lost proof, and no account comes with the product."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, factors
from portal.access.factors import TooMany
from portal.access.passkeys import Made
from portal.models import Factor, FactorKind, Person, Role
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.security.coming_in import PASSWORD, Browser, start_code

ONE = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
Browse = Callable[[], Browser]
OTHER = "quiet green harbour"


@pytest.fixture
def known(browse: Browse, chief: Person) -> Browser:
    """The chief executive's own browser, in which a password was set after a start code."""
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    browser.set_password()
    return browser


def the_waiting(db: DbSession, person: Person) -> Factor:
    db.rollback()
    return db.scalars(
        select(Factor).where(
            Factor.person_id == person.id, Factor.confirmed_at.is_(None), Factor.ended_at.is_(None)
        )
    ).one()


@ONE
def test_row_08_a_reset_by_the_mailbox_keeps_what_was_written_closed_until_staff_confirm(
    db: DbSession, stack: Stack, known: Browser, browse: Browse, chief: Person, make: Factory
) -> None:
    known.outbox.new()
    reader = browse()
    reader.by_mail("chief@council.example")
    page = reader.client.follow(reader.set_password(OTHER))
    assert "We ring you" in page.words()
    assert reader.leads("/your-data") == "/sign-in/prove"
    reader.by_password(OTHER)
    assert reader.leads("/your-data") == "/sign-in/prove", "the new one opens no more than the mailbox"
    told = dict(reader.outbox.told())
    assert "stays closed until we have rung you" in next(v for k, v in told.items() if "chief@" in k)
    assert any(chief.ref in text for text in told.values()), "staff are told"
    assert known.opens("/your-data")
    old = browse()
    old.by_mail("chief@council.example")
    old.by_password(PASSWORD)
    assert old.opens("/your-data"), "nobody who reads the mailbox locks its owner out"

    team = browse().client.sign_in(make.person(role=Role.TEAM).id)
    page = team.get(f"/team/people/{chief.id}/sign-in")
    assert "Waits to be confirmed" in page.words()
    waiting = the_waiting(db, chief)
    team.post(
        f"/team/people/{chief.id}/sign-in/{waiting.id}/confirm", page=f"/team/people/{chief.id}/sign-in"
    )
    again = browse()
    again.by_mail("chief@council.example")
    again.by_password(OTHER)
    assert again.opens("/your-data")
    last = browse()
    last.by_mail("chief@council.example")
    last.by_password(PASSWORD, status=422)


@ONE
def test_row_08_what_was_not_them_is_taken_away(
    db: DbSession, known: Browser, browse: Browse, chief: Person, make: Factory
) -> None:
    reader = browse()
    reader.by_mail("chief@council.example")
    reader.set_password(OTHER)
    team = browse().client.sign_in(make.person(role=Role.TEAM).id)
    waiting = the_waiting(db, chief)
    team.post(f"/team/people/{chief.id}/sign-in/{waiting.id}/refuse", page=f"/team/people/{chief.id}/sign-in")
    assert reader.leads("/your-support") == "/sign-in"
    again = browse()
    again.by_mail("chief@council.example")
    again.by_password(OTHER, status=422)


@ONE
def test_row_08_what_waits_is_said_and_leads_round_in_no_circle(browse: Browse, chief: Person) -> None:
    reader = browse()
    reader.by_mail("chief@council.example")
    reader.set_password(OTHER)
    page = reader.client.follow(reader.client.get("/your-data", status=303))
    assert "We have not rung you yet" in page.words()
    assert page.all("input", type="password") == [], "what opens nothing is not offered"
    here = reader.client.get("/your-sign-in")
    [remove] = [form.get("action") for form in here.all("form") if form.get("action", "").endswith("/end")]
    for path in (remove, "/your-sign-in/codes"):
        assert reader.client.post(path, page="/your-sign-in").response.location == "/sign-in/prove", path
    reader.by_start_code(chief.id)
    said = reader.client.get("/your-sign-in").words()
    assert "The code is right" in said
    assert "once we have rung you" not in said


@ONE
def test_row_08_a_proof_of_a_button_leads_back_to_its_page(
    known: Browser, chief: Person, stack: Stack
) -> None:
    stack.clock.pass_time(minutes=11)
    known.client.post("/your-sign-in/codes", page="/your-sign-in")
    assert known.by_password().response.location == "/your-sign-in"


@ONE
def test_row_08_what_was_confirmed_is_not_refused(
    db: DbSession, known: Browser, browse: Browse, chief: Person, make: Factory
) -> None:
    team = browse().client.sign_in(make.person(role=Role.TEAM).id)
    password = db.scalars(select(Factor.id).where(Factor.kind == FactorKind.PASSWORD)).one()
    page = f"/team/people/{chief.id}/sign-in"
    team.post(f"{page}/{password}/refuse", page=page, status=404)
    assert known.opens("/your-data")
    assert "We hold no number" not in team.get(page).words()
    reader = browse()
    reader.by_mail("chief@council.example")
    reader.set_password(OTHER)
    assert "We hold no number of theirs" in team.get(page).words(), "nobody rings a number from a mail"


@ONE
def test_row_08_a_start_code_resets_at_once(known: Browser, browse: Browse, chief: Person) -> None:
    browser = browse()
    browser.by_mail("chief@council.example")
    browser.by_start_code(chief.id)
    browser.set_password(OTHER)
    assert browser.opens("/your-data")
    again = browse()
    again.by_mail("chief@council.example")
    again.by_password(PASSWORD, status=422)


@ONE
def test_row_08_a_start_code_is_good_once_for_thirty_days_and_the_newest_alone(
    stack: Stack, browse: Browse, chief: Person, clock: SetClock
) -> None:
    first, second = start_code(stack, chief.id), start_code(stack, chief.id)
    browser = browse()
    browser.by_mail("chief@council.example")
    path = "/sign-in/start-code"
    browser.client.post(path, {"recovery": first}, status=422)
    browser.client.post(path, {"recovery": second.lower()})
    browser.client.post(path, {"recovery": second}, status=422)
    late = start_code(stack, chief.id)
    clock.pass_time(days=30)
    browser.by_mail("chief@council.example")
    browser.client.post(path, {"recovery": late}, status=422)


@ONE
def test_row_08_a_mailbox_and_a_start_code_are_no_way_in_for_staff(browse: Browse, team: Person) -> None:
    browser = browse()
    browser.by_mail("tess@programme.example")
    browser.by_start_code(team.id)
    assert browser.leads("/team") == "/sign-in/prove"
    browser.set_password()
    assert browser.leads("/team") == "/sign-in/prove"


@ONE
def test_row_08_recovery_codes_are_good_once(browse: Browse, team: Person) -> None:
    browser = browse()
    browser.set_up_staff("tess@programme.example", team.id)
    page = browser.client.post("/your-sign-in/codes", page="/your-sign-in", status=200)
    made = [page.words(code) for code in page.all("code")]
    lost = browse()
    lost.by_mail("tess@programme.example")
    path = "/sign-in/recovery-code"
    lost.client.post(path, {"recovery": made[0]})
    assert lost.opens("/team")
    again = browse()
    again.by_mail("tess@programme.example")
    again.client.post(path, {"recovery": made[0]}, status=422)
    again.client.post(path, {"recovery": made[1].replace("-", " ").lower()})
    browser.client.post("/your-sign-in/codes", page="/your-sign-in", status=200)
    third = browse()
    third.by_mail("tess@programme.example")
    third.client.post(path, {"recovery": made[2]}, status=422)


@ONE
def test_row_08_a_second_administrator_restores_and_both_are_told(
    db: DbSession, browse: Browse, make: Factory, stack: Stack
) -> None:
    lost = make.person("Ada Lost", email="ada@programme.example", role=Role.ADMINISTRATOR)
    second = make.person("Bo Second", email="bo@programme.example", role=Role.ADMINISTRATOR)
    team = make.person(role=Role.TEAM)
    browser = browse()
    key = browser.set_up_staff("ada@programme.example", lost.id)
    path = f"/team/people/{lost.id}/sign-in"
    browse().client.sign_in(lost.id).get(path, status=404)
    browse().client.sign_in(team.id).get(path, status=404)
    helper = browse().client.sign_in(second.id)
    token = helper.get(path).token()
    assert helper.http.post(f"{path}/start-code", data={"csrf_token": token}).status_code == 409, (
        "no short cut"
    )
    browser.outbox.new()
    page = helper.post(f"{path}/restore", page=path, status=200)
    assert page.heading == "Start code"
    told = browser.outbox.told()
    assert any("ada@" in to and "took away all ways" in text for to, text in told)
    assert any("bo@" in to and "you restored" in text for to, text in told)
    assert browser.leads("/accounts") == "/sign-in"
    again = browse()
    again.by_mail("ada@programme.example")
    stack.clock.pass_time(seconds=60)
    again.client.post("/sign-in/prove", {"password": PASSWORD, "totp": again.app_code(key)}, status=422)
    code = page.words(page.all("p", class_="govuk-heading-xl")[0])
    again.client.post("/sign-in/start-code", {"recovery": code}, page="/sign-in/start-code")
    again.set_password(OTHER)
    again.set_app()
    assert again.opens("/accounts")


@ONE
def test_row_25_restoring_somebody_takes_the_two_of_them(browse: Browse, make: Factory, stack: Stack) -> None:
    """The administrator who restores, and whoever lost their proofs: the start code opens nothing without the mailbox
    of whom it was made for. So it takes no third person who agrees."""
    lost = make.person("Ada Lost", email="ada@programme.example", role=Role.ADMINISTRATOR)
    second = make.person("Bo Second", email="bo@programme.example", role=Role.ADMINISTRATOR)
    browse().set_up_staff("ada@programme.example", lost.id)
    path = f"/team/people/{lost.id}/sign-in"
    helper = browse()
    helper.client.sign_in(second.id)
    page = helper.client.post(f"{path}/restore", page=path, status=200)
    code = page.words(page.all("p", class_="govuk-heading-xl")[0])
    alone = browse()
    alone.client.http.post("/sign-in/start-code", data={"recovery": code})
    assert alone.leads("/accounts") == "/sign-in", "whoever holds the code alone is nobody"
    alone.by_mail("bo@programme.example")
    alone.client.post("/sign-in/start-code", {"recovery": code}, status=422)
    owner = browse()
    owner.by_mail("ada@programme.example")
    assert owner.leads("/accounts") == "/sign-in/prove", "nor does the mailbox alone open it"
    owner.client.post("/sign-in/start-code", {"recovery": code}, page="/sign-in/start-code")
    owner.set_password(OTHER)
    owner.set_app()
    assert owner.opens("/accounts")


@ONE
def test_row_08_nobody_has_more_than_twenty_passkeys(db: DbSession, clock: SetClock, chief: Person) -> None:
    def add(number: int) -> None:
        made = Made(credential=bytes([number]) * 16, public_key=b"key", count=0)
        with unit_of_work(db, clock, "system:test") as work:
            factors.add_passkey(work, person_id=chief.id, made=made, browser="Firefox", sure=True)

    for number in range(factors.AT_MOST):
        add(number)
    with pytest.raises(TooMany, match="Remove one"):
        add(factors.AT_MOST)
    with unit_of_work(db, clock, "system:test") as work:
        one = work.db.scalars(select(Factor.id).limit(1)).one()
        factors.end(work, person_id=chief.id, factor_id=one, strong=False)
    add(factors.AT_MOST)


@ONE
def test_row_08_a_link_of_the_command_line_resets_nobody_who_has_a_way(
    db: DbSession, clock: SetClock, browse: Browse, team: Person
) -> None:
    def come() -> Browser:
        with unit_of_work(db, clock, "system:test") as work:
            token = accounts.make_operator_link(work, person_id=team.id)
        browser = browse()
        browser.client.post(f"/sign-in/o/{token}")
        return browser

    first = come()
    assert first.leads("/team") == "/sign-in/prove"
    first.set_password()
    first.set_app()
    assert first.opens("/team")
    second = come()
    assert second.leads("/team") == "/sign-in/prove"
    assert second.leads("/your-sign-in/password") == "/sign-in/start-code"


@ONE
def test_row_08_what_is_taken_away_leaves_no_secret(
    db: DbSession, clock: SetClock, known: Browser, chief: Person
) -> None:
    db.rollback()
    row = db.scalars(select(Factor).where(Factor.kind == FactorKind.PASSWORD)).one()
    with unit_of_work(db, clock, "system:test") as work:
        factors.end(work, person_id=chief.id, factor_id=row.id, strong=False)
    db.rollback()
    assert db.scalars(select(Factor.secret_sealed).where(Factor.id == row.id)).one() is None


@ONE
def test_row_08_staff_cannot_remove_their_last_way(db: DbSession, browse: Browse, team: Person) -> None:
    browser = browse()
    browser.set_up_staff("tess@programme.example", team.id)
    db.rollback()
    app = db.scalars(select(Factor).where(Factor.kind == FactorKind.APP)).one()
    page = browser.client.post(f"/your-sign-in/{app.id}/end", page="/your-sign-in")
    assert "You need this one to sign in" in browser.client.follow(page).words()


# ---- row 9


@ONE
def test_row_09_no_account_comes_with_the_product(db: DbSession, stack: Stack, client: object) -> None:
    assert db.scalars(select(Person.id)).all() == []
    assert db.scalars(select(Factor.id)).all() == []


@ONE
def test_row_09_no_page_makes_an_administrator(make: Factory, browse: Browse, db: DbSession) -> None:
    administrator = make.person(role=Role.ADMINISTRATOR)
    client = browse().client.sign_in(administrator.id)
    page = client.get("/team/people/new")
    assert "administrator" not in {option.get("value") for option in page.all("option")}
    assert "administrator" not in {box.get("value") for box in page.all("input", type="radio")}
    data = {"name": "Mal Lory", "email": "mal@programme.example", "role": "administrator"}
    client.http.post("/team/people/new", data={"csrf_token": page.token(), **data})
    db.rollback()
    assert len(db.scalars(select(Person.id)).all()) == 1
