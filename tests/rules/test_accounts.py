"""Coming in: asking, completing once in the browser that asked, sessions that end, and links by hand."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, asking, devices
from portal.models import BrowserSession, Mail, MailState, Office, Person, Role, SignIn
from portal.people import register as people
from portal.people import staff
from privacy.audit import AuditEntry
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

BROWSER = "Safari on iPad"


@pytest.fixture
def act(db: DbSession, clock: SetClock) -> Callable[..., object]:
    """Run a rule in a unit of work of its own."""

    def run(rule: Callable[..., object], **arguments: Any) -> object:
        with unit_of_work(db, clock, "system:test") as work:
            return rule(work, **arguments)

    return run


def ask(
    act, address: str = "ana@council.example", next_path: str | None = None, **browser: Any
) -> asking.Asked:
    return act(asking.ask, address=address, next_path=next_path, **browser)


def code_for(stack: Stack, asked: asking.Asked) -> str:
    return accounts.code_of(stack.instance.vault.ring, asked.sign_in_id)


def link_for(stack: Stack, asked: asking.Asked) -> str:
    return accounts.link_token(stack.instance.vault.ring, asked.sign_in_id)


def finish(act, asked: asking.Asked, **proof: Any):
    return act(accounts.finish, verifier=asked.verifier, browser=BROWSER, **proof)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.fixture
def ana(make: Factory) -> Person:
    return make.person("Ana Reed", email="ana@council.example", council=make.council())


@pytest.mark.parametrize("by", ["code", "token"])
def test_completes_once(stack, db, clock, act, ana, by):
    asked = ask(act, next_path="/your-support")
    proof = {"code": code_for(stack, asked)} if by == "code" else {"token": link_for(stack, asked)}
    signed_in = finish(act, asked, **proof)
    assert signed_in.next_path == "/your-support"
    row = devices.live_session(db, signed_in.tokens.session, now=clock())
    assert (row.person_id, row.level, row.browser) == (ana.id, 1, BROWSER)
    assert finish(act, asked, **proof) is None


def test_address_is_found_however_it_is_written(db, act, ana):
    asked = ask(act, " ANA@Council.example ")
    assert db.get(SignIn, asked.sign_in_id).person_id == ana.id


def test_nothing_in_the_database_opens_an_account(stack, db, act, ana):
    asked = ask(act)
    signed_in = finish(act, asked, code=code_for(stack, asked), keep_device=True)
    secrets = {
        asked.verifier,
        code_for(stack, asked),
        link_for(stack, asked),
        signed_in.tokens.session,
        signed_in.tokens.device,
    }
    stored = [
        value
        for model in (SignIn, BrowserSession, Mail, AuditEntry)
        for row in db.execute(select(model.__table__))
        for value in row
    ]
    found = {secret for secret in secrets for value in stored if secret.encode() in repr(value).encode()}
    assert not found


def test_another_browser_cannot_complete(stack, act, ana, make):
    asked = ask(act)
    make.person(email="mallory@council.example")
    other = ask(act, "mallory@council.example")
    for proof in ({"code": code_for(stack, asked)}, {"token": link_for(stack, asked)}):
        assert act(accounts.finish, verifier=other.verifier, browser=BROWSER, **proof) is None
        assert act(accounts.finish, verifier=None, browser=BROWSER, **proof) is None
    assert finish(act, asked, code=code_for(stack, asked)) is not None


def test_five_wrong_codes_kill_it(stack, db, act, ana):
    asked = ask(act)
    code = code_for(stack, asked)
    for _ in range(4):
        assert finish(act, asked, code=wrong(code)) is None
    assert db.get(SignIn, asked.sign_in_id).tries == 4
    assert finish(act, asked, code=wrong(code)) is None
    assert finish(act, asked, code=code) is None
    assert finish(act, asked, token=link_for(stack, asked)) is None


def test_ten_minutes(stack, clock, act, ana):
    asked = ask(act)
    clock.pass_time(minutes=9, seconds=59)
    again = ask(act, verifier=asked.verifier)
    assert finish(act, asked, code=code_for(stack, asked)) is None, "a newer one replaces it"
    clock.pass_time(minutes=10)
    assert finish(act, again, code=code_for(stack, again)) is None


def test_of_many_at_once_one_wins(stack, clock, act, ana):
    asked = ask(act)
    code = code_for(stack, asked)

    def come_in(_: int) -> bool:
        own = DbSession(stack.engine, info={"vault": stack.instance.vault})
        with own, unit_of_work(own, clock, "system:test") as work:
            return accounts.finish(work, verifier=asked.verifier, browser=BROWSER, code=code) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(come_in, range(8))) == 1


@pytest.mark.parametrize("address", ["nobody@council.example", "gone@council.example", "off@council.example"])
def test_unknown_disabled_and_former_get_the_same_and_no_mail(db, clock, act, ana, make, address):
    gone = make.person(email="gone@council.example")
    off = make.person(email="off@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        work.db.scalars(select(Office).where(Office.person_id == gone.id)).one().to_on = (
            make.today - timedelta(1)
        )
        work.db.get(Person, off.id).disabled_at = work.now
    asked = ask(act, address)
    mail = db.scalars(select(Mail).where(Mail.about == asked.sign_in_id)).one()
    assert (mail.person_id, mail.state) == (None, MailState.WAITING)
    assert db.get(SignIn, asked.sign_in_id).person_id is None


def test_asking_runs_the_same_statements_for_known_and_unknown(stack, act, ana, count_statements):
    ask(act)  # the first line of the audit trail is written otherwise than the rest
    known = count_statements(lambda: ask(act))
    unknown = count_statements(lambda: ask(act, "nobody@council.example"))
    assert known == unknown


@pytest.fixture
def count_statements(stack: Stack):
    def count(act: Callable[[], object]) -> list[str]:
        seen: list[str] = []

        def note(connection, cursor, statement, *rest) -> None:
            seen.append(" ".join(statement.split()[:3]))

        event.listen(stack.engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(stack.engine, "before_cursor_execute", note)
        return seen

    return count


def mailed(db: DbSession, person: Person) -> int:
    db.rollback()
    return db.scalar(select(func.count()).select_from(Mail).where(Mail.person_id == person.id))


def ask_often(act, times: int) -> list[asking.Asked]:
    """One browser asks again and again."""
    asked = [ask(act)]
    while len(asked) < times:
        asked.append(ask(act, verifier=asked[-1].verifier))
    return asked


def test_after_five_asks_a_browser_gets_no_more_mail_and_its_last_one_stays_good(stack, db, act, ana):
    asked = ask_often(act, 7)
    assert mailed(db, ana) == 5
    browser = asked[-1]
    for dead in (asked[3], asked[5], asked[6]):
        assert finish(act, browser, code=code_for(stack, dead)) is None
    assert finish(act, asked[4], code=code_for(stack, asked[4])) is None, "only the newest cookie is good"
    assert finish(act, browser, code=code_for(stack, asked[4])) is not None


def test_send_again_works_once_the_limit_has_passed(stack, db, clock, act, ana):
    asked = ask_often(act, 6)
    clock.pass_time(minutes=16)
    again = act(asking.ask_again, verifier=asked[-1].verifier)
    assert mailed(db, ana) == 6
    assert finish(act, again, code=code_for(stack, again)) is not None


def test_a_stranger_ends_nothing_and_keeps_nobody_out(stack, db, act, ana):
    mine = ask(act)
    ask_often(act, 7)
    for _ in range(3):
        ask(act)
    again = ask(act, verifier=mine.verifier)
    assert mailed(db, ana) == 1 + 5 + 3 + 1
    assert finish(act, again, code=code_for(stack, again)) is not None


def test_a_flooded_mailbox_gets_twenty_and_those_that_wait_stay_good(stack, db, clock, act, ana):
    mine = ask(act)
    strangers = [ask(act) for _ in range(25)]
    assert mailed(db, ana) == 20
    assert finish(act, strangers[-1], code=code_for(stack, strangers[-1])) is None, "it was not mailed"
    again = ask(act, verifier=mine.verifier)
    assert finish(act, again, code=code_for(stack, again)) is None, "it was not mailed"
    assert finish(act, again, code=code_for(stack, mine)) is not None
    clock.pass_time(minutes=16)
    ask(act)
    assert mailed(db, ana) == 21


def test_what_becomes_of_ones_own_sign_in_does_not_tell_who_is_known(stack, db, act, ana, make):
    make.person(email="mallory@council.example")
    for _ in range(20):
        ask(act)
    assert mailed(db, ana) == 20
    for address in ("ana@council.example", "nobody@council.example"):
        own = ask(act, "mallory@council.example")
        after = ask(act, address, verifier=own.verifier)
        assert finish(act, after, code=code_for(stack, own)) is None
        assert finish(act, own, code=code_for(stack, own)) is None


def test_after_twenty_wrong_codes_in_a_day_links_go_on_and_codes_do_not(stack, clock, act, ana):
    for _ in range(4):
        guessed = ask(act)
        for _ in range(5):
            assert finish(act, guessed, code=wrong(code_for(stack, guessed))) is None
    for proof in ("code", "token"):
        mine = ask(act)
        value = code_for(stack, mine) if proof == "code" else link_for(stack, mine)
        assert (finish(act, mine, **{proof: value}) is None) is (proof == "code")
    clock.pass_time(hours=25)
    mine = ask(act)
    assert finish(act, mine, code=code_for(stack, mine)) is not None


@pytest.mark.parametrize("address", ["ana@council.example", "nobody@council.example"])
def test_a_network_asks_a_hundred_times_in_ten_minutes(stack, db, clock, act, ana, address):
    def of(ip: str) -> bytes | None:
        return asking.network_of(stack.instance.vault.ring, ip)

    for number in range(asking.NETWORK_ASKS_AT_MOST):
        ask(act, address, network=of(f"2a00:1450:4009:81f::{number:x}"))
    with pytest.raises(asking.TooManyAsks):
        ask(act, address, network=of("2a00:1450:4009:81f::ffff"))
    assert db.scalar(select(func.count()).select_from(SignIn)) == asking.NETWORK_ASKS_AT_MOST
    ask(act, address, network=of("2a00:1450:4009:820::1"))
    clock.pass_time(minutes=10)
    ask(act, address, network=of("2a00:1450:4009:81f::1"))


def test_relays_are_no_network(stack):
    for address in (None, "", "not an address", "127.0.0.1", "::1", "10.1.2.3"):
        assert asking.network_of(stack.instance.vault.ring, address) is None


def test_sign_ins_that_were_completed_do_not_count(stack, act, ana):
    for _ in range(7):
        asked = ask(act)
        assert finish(act, asked, code=code_for(stack, asked)) is not None


def test_send_again_keeps_the_page_and_replaces_the_code(stack, act, ana):
    asked = ask(act, next_path="/your-support")
    again = act(asking.ask_again, verifier=asked.verifier)
    assert finish(act, asked, code=code_for(stack, asked)) is None
    assert finish(act, again, code=code_for(stack, again)).next_path == "/your-support"
    with pytest.raises(accounts.LinkDead):
        act(asking.ask_again, verifier="made up")


def test_looking_changes_nothing(stack, db, clock, act, ana):
    asked = ask(act)
    token = link_for(stack, asked)
    assert accounts.look(db, token, verifier=asked.verifier, now=clock()).mine
    other = accounts.look(db, token, verifier=None, now=clock())
    assert (other.mine, other.code) == (False, code_for(stack, asked))
    assert not db.dirty
    assert finish(act, asked, token=token) is not None
    with pytest.raises(accounts.LinkDead):
        accounts.look(db, token, verifier=asked.verifier, now=clock())


@pytest.mark.parametrize("token", ["", "x", "Å" * 43, "A" * 43, "A" * 42, "A" * 44, "=" * 43, "A" * 4000])
def test_mistyped_links_are_dead(db, clock, token):
    with pytest.raises(accounts.LinkDead):
        accounts.look(db, token, verifier=None, now=clock())


def test_an_altered_link_is_dead(stack, db, clock, act, ana):
    token = link_for(stack, ask(act))
    for place in range(0, len(token), 7):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(accounts.LinkDead):
            accounts.look(db, altered, verifier=None, now=clock())


# ---- signed-in browsers


def signed_in(stack: Stack, act, address: str, *, keep_device: bool = False) -> devices.Tokens:
    asked = ask(act, address)
    return finish(act, asked, code=code_for(stack, asked), keep_device=keep_device).tokens


@pytest.mark.parametrize(
    "role, idle, whole",
    [(Role.LEAD_MEMBER, 60, 12), (Role.MENTOR, 20, 8), (Role.TEAM, 20, 8), (Role.ADMINISTRATOR, 20, 8)],
)
def test_idle_and_whole_time(stack, db, clock, act, make, role, idle, whole):
    make.person(email="p@x.example", role=role)
    token = signed_in(stack, act, "p@x.example").session
    begun = clock()
    clock.pass_time(minutes=idle, seconds=-1)
    row = devices.live_session(db, token, now=clock())
    assert devices.is_unseen(row, now=clock())
    clock.pass_time(seconds=1)
    assert devices.live_session(db, token, now=clock()) is None
    while clock() < begun + timedelta(hours=whole) - timedelta(minutes=15):
        act(devices.see, browser_session_id=row.id)
        assert devices.live_session(db, token, now=clock()) is not None
        clock.pass_time(minutes=15)
    clock.pass_time(minutes=15)
    act(devices.see, browser_session_id=row.id)
    assert devices.live_session(db, token, now=clock()) is None


def test_one_query(stack, db, clock, act, ana, count_statements):
    token = signed_in(stack, act, "ana@council.example").session
    db.expunge_all()
    db.rollback()
    statements = count_statements(
        lambda: [office.role for office in devices.live_session(db, token, now=clock()).person.offices]
    )
    assert [statement.split()[0] for statement in statements if statement != "BEGIN"] == ["SELECT"]


def test_disabling_and_the_end_of_office_count_at_once(stack, db, clock, act, ana, make):
    token = signed_in(stack, act, "ana@council.example", keep_device=True)
    act(people.disable, person_id=ana.id)
    assert devices.live_session(db, token.session, now=clock()) is None
    with pytest.raises(devices.DeviceUnknown):
        act(devices.carry_on, device_token=token.device, browser=BROWSER)
    ben = make.person("Ben", email="ben@council.example")
    token = signed_in(stack, act, "ben@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        work.db.scalars(select(Office).where(Office.person_id == ben.id)).one().to_on = make.today
    assert devices.live_session(db, token.session, now=clock()) is not None
    later = clock() + timedelta(minutes=50)
    assert devices.live_session(db, token.session, now=later) is not None
    assert devices.live_session(db, token.session, now=clock() + timedelta(days=1)) is None


def test_own_device_for_thirty_days(stack, db, clock, act, ana):
    tokens = signed_in(stack, act, "ana@council.example", keep_device=True)
    assert devices.live_session(db, tokens.device, now=clock()) is None, "a device alone opens nothing"
    clock.pass_time(days=29, hours=23)
    assert devices.live_session(db, tokens.session, now=clock()) is None
    again = act(devices.carry_on, device_token=tokens.device, browser=BROWSER)
    assert devices.live_session(db, again.session, now=clock()).level == 1
    clock.pass_time(hours=1)
    with pytest.raises(devices.DeviceUnknown):
        act(devices.carry_on, device_token=tokens.device, browser=BROWSER)


@pytest.mark.parametrize("role", [Role.MENTOR, Role.TEAM, Role.DPO])
def test_no_device_is_kept_for_staff(stack, act, make, role):
    make.person(email="p@x.example", role=role)
    assert signed_in(stack, act, "p@x.example", keep_device=True).device is None


def test_signing_out_ends_the_browser_and_its_device(stack, db, clock, act, ana):
    tokens = signed_in(stack, act, "ana@council.example", keep_device=True)
    other = signed_in(stack, act, "ana@council.example")
    row = devices.live_session(db, tokens.session, now=clock())
    act(devices.sign_out, browser_session_id=row.id, device_token=tokens.device)
    assert devices.live_session(db, tokens.session, now=clock()) is None
    assert devices.live_device(db, tokens.device, now=clock()) is None
    assert devices.live_session(db, other.session, now=clock()) is not None


def test_own_devices_are_listed_and_ended_and_nobody_elses(stack, db, clock, act, ana, make):
    make.person(email="ben@council.example")
    signed_in(stack, act, "ana@council.example", keep_device=True)
    bens = signed_in(stack, act, "ben@council.example")
    bens_row = devices.live_session(db, bens.session, now=clock())
    assert {row.device for row in devices.own(db, ana.id, now=clock())} == {True, False}
    for row in devices.own(db, ana.id, now=clock()):
        act(devices.end_device, browser_session_id=row.id, person_id=ana.id)
    assert devices.own(db, ana.id, now=clock()) == []
    for unknown in (bens_row.id, new_id()):
        with pytest.raises(devices.DeviceUnknown):
            act(devices.end_device, browser_session_id=unknown, person_id=ana.id)
    assert devices.live_session(db, bens.session, now=clock()) is not None


# ---- by hand


def use(act, token: str):
    return act(accounts.use_operator_link, token=token, browser=BROWSER)


def test_operators_link_works_once_for_a_day(db, clock, act, ana):
    token = act(accounts.make_operator_link, person_id=ana.id)
    late = act(accounts.make_operator_link, person_id=ana.id)
    ask(act)
    accounts.look_at_operator_link(db, token, now=clock())
    signed_in = use(act, token)
    assert devices.live_session(db, signed_in.tokens.session, now=clock()).person_id == ana.id
    for dead in (token, "made up"):
        with pytest.raises(accounts.LinkDead):
            use(act, dead)
        with pytest.raises(accounts.LinkDead):
            accounts.look_at_operator_link(db, dead, now=clock())
    clock.pass_time(hours=24)
    with pytest.raises(accounts.LinkDead):
        use(act, late)


def test_the_cookie_of_a_browser_that_asked_is_no_operators_link(db, act, ana):
    asked = ask(act)
    with pytest.raises(accounts.LinkDead):
        use(act, asked.verifier)


def test_no_link_for_the_disabled_or_unknown(act, ana):
    act(people.disable, person_id=ana.id)
    unknown: UUID = new_id()
    for person_id in (ana.id, unknown):
        with pytest.raises(accounts.NoAccount):
            act(accounts.make_operator_link, person_id=person_id)


def test_the_first_administrator(db, act, make):
    def add(work: Work, address: str) -> bool:
        return staff.add_administrator(work, address=address, name="Ida Hale")

    assert act(add, address="ida@programme.example") is True
    assert act(add, address="ida@programme.example") is False
    [person] = staff.staff(db)
    assert (person.name, person.offices[0].role) == ("Ida Hale", Role.ADMINISTRATOR)
    with pytest.raises(people.NotAnAddress):
        act(add, address="no address")
