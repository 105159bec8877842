"""What monitors are told: each part that works, the numbers, and how full the disks are."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.access import passwords
from portal.health import numbers, readiness
from portal.health.counts import Counts
from portal.health.disk import Disks, Room, _room
from portal.health.metering import Meter
from portal.health.readiness import OVERDUE
from portal.instance import Instance
from portal.mailing import queue as mail
from portal.models import Mail
from privacy import keys
from privacy.keystore import Vault
from privacy.outages import Outage, outage
from privacy.transactions import TurnNotCome
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

GIB = 1024**3


@pytest.fixture
def disks(stack: Stack) -> Disks:
    return Disks(stack.instance.settings)


def troubles(instance: Instance, stack: Stack, disks: Disks) -> dict[str, str]:
    sessions = partial(DbSession, stack.engine, info={"vault": instance.vault})
    return {
        part.name: part.trouble
        for part in readiness.look(instance, sessions, disks)
        if part.trouble is not None
    }


def test_all_is_well_and_nothing_is_left_of_the_look(stack: Stack, db: DbSession, disks: Disks) -> None:
    assert troubles(stack.instance, stack, disks) == {}
    assert len(readiness.look(stack.instance, partial(DbSession, stack.engine, info=db.info), disks)) == 4


def test_mail_that_nobody_sends_is_noticed(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock, disks: Disks
) -> None:
    person_id = make.person("Ada Lead").id
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="test_mail", about=person_id, to=person_id)
        mail.queue(
            work,
            template="test_mail",
            about=person_id,
            to=person_id,
            step="later",
            due_at=clock() + timedelta(days=9),
        )
    clock.now += OVERDUE - timedelta(minutes=1)
    assert troubles(stack.instance, stack, disks) == {}
    clock.pass_time(minutes=1)
    assert troubles(stack.instance, stack, disks) == {
        "outbox": "mail waits for 30 minutes: is a worker running?"
    }
    with unit_of_work(db, clock, "system:test") as work:
        for one in work.db.query(Mail):
            one.claimed_until = clock() + timedelta(minutes=15)
    assert troubles(stack.instance, stack, disks) == {}, "a worker has it"


def test_keys_that_open_nothing_are_noticed(stack: Stack, tmp_path: Path, disks: Disks) -> None:
    keys.create(tmp_path / "keys")
    foreign = Vault(keys.load(tmp_path / "keys"), stack.instance.vault.engine, stack.clock)
    instance = Instance(stack.instance.settings, stack.instance.programme, foreign, stack.clock, demo=False)
    assert troubles(instance, stack, disks) == {"key store": "the keys do not open the data"}


@pytest.mark.parametrize(
    "free, total, room",
    [
        (500 * GIB, 1000 * GIB, Room.ENOUGH),
        (2 * GIB, 1000 * GIB, Room.ENOUGH),
        (GIB - 1, 1000 * GIB, Room.LITTLE),
        (GIB // 32, 1000 * GIB, Room.NONE),
        (GIB // 4, 2 * GIB, Room.ENOUGH),
        (GIB // 12, 2 * GIB, Room.LITTLE),
        (GIB // 60, 2 * GIB, Room.NONE),
        (0, 2 * GIB, Room.NONE),
    ],
)
def test_how_much_room_is_enough(free: int, total: int, room: Room) -> None:
    assert _room(free, total) is room


def test_the_numbers_say_how_much_waits(stack: Stack, db: DbSession, make: Factory, clock: SetClock) -> None:
    person_id = make.person("Ada Lead").id
    with unit_of_work(db, clock, "system:test") as work:
        for step, days in (("now", 0), ("then", 1)):
            due_at = clock() + timedelta(days=days)
            mail.queue(work, template="test_mail", about=person_id, to=person_id, step=step, due_at=due_at)
    clock.pass_time(minutes=2)
    found = {gauge.name: gauge.values for gauge in numbers.read(db, now=clock())}
    assert found["portal_mail"] == {"due": 1, "later": 1, "failed": 0}
    assert found["portal_mail_oldest_due_seconds"] == {"": 120}
    assert found["portal_units"] == {"person_export": 0, "erasure": 0}
    assert found["portal_clocks"] == {"late": 0, "day": 0, "week": 0, "later": 0}
    assert found["portal_age_seconds"] == {}


def test_what_is_sent_is_added_up_and_what_is_not_ours_is_not() -> None:
    meter = Meter()
    for _ in range(3):
        meter._take(b'["request", "home.start", "GET", 200, 0.02]')
    meter._take(b'["job", "night", "done", 2.5]')
    for strange in (b"", b"\xff", b"{}", b"[]", b'["request"]', b'["request", 1, 2, 3, 4]', b'["job", "x"]'):
        meter._take(strange)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in meter.counted.collect()
        for sample in family.samples
        if not sample.name.endswith(("_created", "_bucket"))
    }
    assert found == {
        ("portal_requests_total", "home.start", "GET", "200"): 3,
        ("portal_request_seconds_count", "home.start"): 3,
        ("portal_request_seconds_sum", "home.start"): pytest.approx(0.06),
        ("portal_jobs_total", "night", "done"): 1,
        ("portal_job_seconds_total", "night"): 2.5,
    }
    meter.close()


def test_nobody_waits_for_whoever_counts() -> None:
    meter = Meter()
    counts = Counts(meter.port)
    meter.close()
    for _ in range(3):
        counts.request(route="home.start", method="GET", status=200, seconds=0.1)
    counts.close()


@pytest.fixture
def somebody_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "TURN_WITHIN_SECONDS", 0.05)
    with passwords._ONE:
        yield


def test_one_password_at_a_time_is_hashed(somebody_hashing: None) -> None:
    for act in (lambda: passwords.hashed("three words here"), lambda: passwords.fits("$argon2id$", "x")):
        with pytest.raises(TurnNotCome) as refused:
            act()
        assert outage(refused.value) is Outage.BUSY
