"""New keys while the site runs: nobody notices, a kill leaves before or after, and the old key goes when it may."""

import random
import signal
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, addresses
from portal.councils import allocations
from portal.councils.facts import Agreement
from portal.desk import key_keeping, key_report
from portal.models import Ground, Person
from portal.packages import file as packages_file
from portal.packages.rows import COLUMNS
from privacy import audit, keys, rotation
from privacy.columns import AddressKeys
from privacy.errors import KeyFault
from privacy.key_sources import KeyFolder
from privacy.keystore import RING_KEY, SUBJECT_KEY, Vault
from privacy.records import new_id
from privacy.rotation import KeyNeeded, NoSuchKey
from privacy.work import unit_of_work
from tests.conftest import Stack, stack_on
from tests.counts import FULL, count
from tests.factories import Factory
from tests.key_processes import start

PEOPLE = 60
HOLDERS = 4000
KILLS = count(1, 25)  # on each database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose keys this module may turn over."""
    with stack_on(request, tmp_path_factory, "rotated") as stack:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
            make = Factory(db, stack.clock, stack.instance.programme)
            for _ in range(PEOPLE):
                make.person()
        yield stack


def sessions_of(stack: Stack) -> "partial[DbSession]":
    return partial(DbSession, stack.engine, info={"vault": stack.instance.vault})


def rotate(stack: Stack, **options: Any) -> key_keeping.Rotated:
    return key_keeping.rotate(stack.instance, sessions_of(stack), **options)


def fresh_vault(stack: Stack) -> Vault:
    """What a process that starts now has."""
    source = stack.instance.settings.key_source
    return Vault(source.load(), stack.instance.vault.engine, stack.clock, reload=source.load)


def everything_opens(stack: Stack) -> None:
    """Every data key unwraps, and every person is found by the address that opens for them."""
    vault = fresh_vault(stack)
    vault.require_ring()
    with vault.engine.connect() as connection:
        holders = connection.scalars(select(SUBJECT_KEY.c.holder_id)).all()
    assert all(vault.keys(holders).values())
    with DbSession(stack.engine, info={"vault": vault}) as db:
        for person in db.scalars(select(Person)):
            assert person.email_index in AddressKeys(db).indexes(str(person.email))


# ---- while the site runs


def test_a_writer_in_another_process_notices_nothing_of_two_rotations(own: Stack) -> None:
    """Case P-g. It also wraps with the newest key at once, without being started again."""
    writer = start(own, "write")
    assert writer.stdout is not None
    writer.stdout.readline()
    made = [rotate(own).key_id for _ in range(2)]
    time.sleep(0.2)
    said, _ = writer.communicate("", timeout=60)
    lines = said.splitlines()
    assert writer.returncode == 0, said
    assert lines[-1].split()[1] == made[-1]
    with sessions_of(own)() as db:
        assert all(accounts.find(db, line.split()[0]) for line in lines)
        raw = db.execute(text("select email_sealed, name_sealed from person")).all()
        people = db.scalars(select(Person)).all()
        words = [str(word).encode() for person in people for word in (person.name, person.email)]
    assert not [word for word in words for row in raw for value in row if word in bytes(value)]
    everything_opens(own)


def test_people_are_found_by_either_index_while_addresses_are_indexed_anew(own: Stack) -> None:
    found: list[bool] = []

    def look(_: int) -> None:
        with sessions_of(own)() as db:
            # Half-way: the next batch still has the old index.
            people = db.scalars(select(Person).limit(200)).all()
            found.extend(accounts.find(db, str(person.email)) is not None for person in people)

    before = own.instance.vault.index_numbers()
    addresses.index_anew(own.instance, sessions_of(own), actor="system:test", progress=look)
    assert found
    assert all(found)
    assert own.instance.vault.index_numbers() == [before[0] + 1]
    old = keys.file_of(f"I{before[0]}")
    assert not (own.instance.settings.keys / old).exists(), "the old index key is gone"


def test_an_index_key_that_is_retired_while_another_process_reads_is_not_missed(own: Stack) -> None:
    """It was in force when its name was read, and its file is gone when its key is."""
    source = own.instance.settings.key_source

    class PowerCut(Exception):
        pass

    def cut(_: int) -> None:
        raise PowerCut

    late = Vault(source.load(), own.instance.vault.engine, own.clock)
    before = own.instance.vault.index_numbers()[0]
    with pytest.raises(PowerCut):
        addresses.index_anew(own.instance, sessions_of(own), actor="system:test", progress=cut)

    def reload() -> keys.KeyRing:
        addresses.index_anew(own.instance, sessions_of(own), actor="system:test")
        return source.load()

    late = Vault(late.ring, late.engine, own.clock, reload=reload)
    assert late.index_numbers() == [before + 1]


def test_a_backup_keeps_the_file_of_an_old_index_key(own: Stack) -> None:
    number = own.instance.vault.index_numbers()[0]
    path = own.instance.settings.keys / keys.file_of(f"I{number}")
    rotate(own, kept={f"I{number}"})
    assert path.exists()
    rotate(own)
    assert not path.exists()


def test_a_key_that_another_process_made_is_read_when_it_is_met(own: Stack) -> None:
    other, stale = fresh_vault(own), own.instance.vault.ring
    rotate(own)
    holder = new_id()
    own.instance.vault.create([holder])
    assert other.keys([holder])[holder], "it reads its keys again"
    with pytest.raises(KeyFault, match=rf"kek-K{len(stale.keks) and keys.number_of(stale.current) + 1}\.key"):
        Vault(stale, other.engine, own.clock).keys([holder])


def test_the_trail_and_the_register_say_what_was_done(own: Stack) -> None:
    done = own.app.test_cli_runner().invoke(args=["keys", "rotate"])
    assert done.exit_code == 0, done.output
    key_id, index_id = (line.split()[0] for line in done.stderr.splitlines()[:2])
    with sessions_of(own)() as db:
        assert audit.verify(db, own.instance.vault.ring)
        document = key_report.status_document(own.instance, db, now=own.clock())
    current = [row for row in document["keys"] if row["state"] == "current"]
    assert [row["id"] for row in current] == [key_id]
    assert current[0]["wraps"] == sum(row["wraps"] for row in document["keys"])
    assert f"{current[0]['wraps']} holders" in current[0]["lost_with_it"]
    assert document["acts"]["rotation"]["keys"] == [key_id]
    assert document["acts"]["indexing"]["keys"] == [index_id]


# ---- killed


@pytest.mark.proof
@pytest.mark.parametrize("turn", range(KILLS))
def test_killed_anywhere_a_rotation_is_gone_on_with_and_no_row_lacks_its_key(own: Stack, turn: int) -> None:
    """A writer is killed with it. A data key is committed before the row that needs it: a key without a row may
    be left over, which harms nobody, and a row without its key cannot come about."""
    vault = own.instance.vault
    with vault.engine.connect() as connection:
        missing = HOLDERS - (connection.scalar(select(func.count()).select_from(SUBJECT_KEY)) or 0)
    vault.create(new_id() for _ in range(missing))
    chance = random.Random() if FULL else random.Random(turn)
    rotating, writing = start(own, "rotate"), start(own, "write")
    assert rotating.stdout is not None
    assert writing.stdout is not None
    writing.stdout.readline()
    for _ in range(chance.randrange(50)):
        rotating.stdout.readline()
    time.sleep(chance.uniform(0, 0.01))
    for process in (rotating, writing):
        process.send_signal(signal.SIGKILL)
        process.communicate()
    everything_opens(own)
    waiting = [key.id for key in rotation.ring_keys(vault) if not key.settled_at and key.id[0] == "K"]
    done = rotate(own)
    assert not waiting or done.key_id == waiting[0], "what was begun is ended before another begins"
    assert [name for name, _ in vault.status()] == [done.key_id]
    assert all(key.settled_at for key in rotation.ring_keys(vault))
    everything_opens(own)


def test_a_key_that_was_written_and_not_entered_is_taken_up(own: Stack) -> None:
    newest = max(keys.number_of(name) for name in own.instance.vault.ring.keks)
    path = own.instance.settings.keys / f"kek-K{newest + 1}.key"
    KeyFolder(own.instance.settings.keys).add(f"K{newest + 1}")
    written = path.read_bytes()
    assert rotate(own).key_id == f"K{newest + 1}"
    assert path.read_bytes() == written


def test_addresses_go_on_where_they_were_left(own: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "BATCH", 10)
    seen: list[int] = []

    class PowerCut(Exception):
        pass

    def cut(_: int) -> None:
        seen.append(1)
        if len(seen) == 3:
            raise PowerCut

    with pytest.raises(PowerCut):
        addresses.index_anew(own.instance, sessions_of(own), actor="system:test", progress=cut)
    assert len(own.instance.vault.index_numbers()) == 2
    everything_opens(own)
    with sessions_of(own)() as db:
        people = db.scalar(select(func.count()).select_from(Person)) or 0
    done = addresses.index_anew(own.instance, sessions_of(own), actor="system:test")
    assert done.count == people - 30
    assert len(own.instance.vault.index_numbers()) == 1
    everything_opens(own)


def test_a_file_of_support_is_known_again_after_the_addresses_were_indexed_anew(own: Stack) -> None:
    with sessions_of(own)() as db:
        make = Factory(db, own.clock, own.instance.programme)
        council = make.council("Eastshire")
        leader, mentor = make.person(council=council), make.mentor()
        agreed = Agreement(date(2022, 1, 1), "Dee Partment", Ground.DECLINE, "Report")
        with unit_of_work(db, own.clock, "system:test") as work:
            allocations.agree(work, council_id=council.id, agreed=agreed)
        text = "\n".join(
            (
                ",".join(COLUMNS),
                "A1,package,Eastshire,group,Cabinet,,,2022-09-01,,2,,,,,,",
                "A1,goal,,,,,,,,,,,,,,Read the data well",
                f"A1,member,,,,{leader.email},lead_member,,,,,,,,,",
                f"A1,mentor,,,,{mentor.email},,,,,,,,,,",
                f"A1,session,,,,{mentor.email},,2022-09-10,,,10:00,120,workshop,remote,,",
            )
        )
    taken = []
    for _ in range(2):
        with sessions_of(own)() as db, unit_of_work(db, own.clock, "person:team") as work:
            found = packages_file.import_file(work, own.instance.programme, text.encode())
            taken.append((found.packages, found.sessions))
        addresses.index_anew(own.instance, sessions_of(own), actor="system:test")
    assert taken == [(1, 1), (0, 0)]


# ---- retired


def test_an_old_key_is_retired_only_when_nothing_needs_it(own: Stack) -> None:
    vault = own.instance.vault
    retire = partial(key_keeping.retire, own.instance, sessions_of(own), instruction="INS-7")
    old = vault.status()[0][0]
    with pytest.raises(KeyNeeded, match="in force"):
        retire(key_id=old, kept_in=[])
    new = rotate(own).key_id
    holder = new_id()
    vault.create([holder])
    with vault.engine.begin() as connection:
        name, wrapped = vault.ring.wrap(b"d" * 32, holder=holder, version=1, kek_id=old)
        connection.execute(
            update(SUBJECT_KEY).where(SUBJECT_KEY.c.holder_id == holder).values(kek_id=name, wrapped=wrapped)
        )
    with pytest.raises(KeyNeeded, match="wraps 1 data keys"):
        retire(key_id=old, kept_in=[])
    rotation.rewrap(vault, new)
    with pytest.raises(KeyNeeded, match="000008-20230301T090000Z"):
        retire(key_id=old, kept_in=["000008-20230301T090000Z"])
    with pytest.raises(NoSuchKey):
        retire(key_id="K999", kept_in=[])
    with pytest.raises(audit.LooseDetail):
        key_keeping.retire(own.instance, sessions_of(own), key_id=old, instruction="as we said", kept_in=[])
    path: Path = own.instance.settings.keys / keys.file_of(old)
    assert path.exists(), "what was refused destroyed nothing"
    assert retire(key_id=old, kept_in=[])
    assert not path.exists()
    assert retire(key_id=old, kept_in=[]), "given again, it finishes what was killed"
    everything_opens(own)
    with vault.engine.connect() as connection:
        row = connection.execute(select(RING_KEY).where(RING_KEY.c.id == old)).one()
    assert (row.instruction, row.retired_at) == ("INS-7", own.clock())
