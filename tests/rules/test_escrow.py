"""The escrow of the keys: for two different people, opened by either, and tried out."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy.orm import Session as DbSession

from portal.desk import key_keeping, key_report
from portal.desk.key_keeping import DrillFailed
from portal.models import SecondAct
from privacy import audit, escrow, keys
from privacy.certificates import CertificateUnusable, KeyUnusable
from privacy.envelopes import EnvelopeBroken, NotForThisKey
from privacy.errors import KeyFault
from privacy.escrow import EscrowFault
from privacy.safekeeping import KeyAct, last_of_each
from tests.conftest import Stack
from tests.readers import Reader, make_reader
from tests.seconding import agreed


@pytest.fixture
def people(tmp_path: Path) -> tuple[Reader, Reader]:
    return make_reader(tmp_path, "Ada Lead"), make_reader(tmp_path, "Bo Second")


@pytest.fixture
def sessions(stack: Stack) -> "partial[DbSession]":
    return partial(DbSession, stack.engine, info={"vault": stack.instance.vault})


@pytest.fixture
def made(stack: Stack, sessions: Any, people: tuple[Reader, Reader], tmp_path: Path) -> Path:
    certificates = [one.certificate for one in people]
    return key_keeping.make_escrow(
        stack.instance, sessions, certificates=certificates, folder=tmp_path / "escrow"
    )


def test_either_of_the_two_opens_it_and_nobody_else(
    stack: Stack, sessions: Any, people: tuple[Reader, Reader], made: Path, tmp_path: Path
) -> None:
    raw = made.read_bytes()
    assert not [key for key in stack.instance.vault.ring.keks.values() if key in raw]
    for one, name in zip(people, ("Ada Lead", "Bo Second"), strict=True):
        done = key_keeping.drill(
            stack.instance, sessions, path=made, key=one.key, certificate=one.certificate
        )
        assert done.person == f"CN={name}"
    stranger = make_reader(tmp_path, "Stranger")
    with pytest.raises(NotForThisKey):
        key_keeping.drill(
            stack.instance, sessions, path=made, key=stranger.key, certificate=stranger.certificate
        )
    assert list((stack.instance.settings.instance / "drill").iterdir()) == [], "no key is left lying about"


def test_a_page_beside_it_says_who_opens_it_and_how(
    stack: Stack, people: tuple[Reader, Reader], made: Path
) -> None:
    page = made.with_suffix(".txt")
    assert page.stat().st_mode & 0o077 == 0
    said = page.read_text(encoding="utf-8")
    assert {path.name for path in made.parent.iterdir()} == {made.name, page.name}
    assert made.name in said
    assert hashlib.sha256(made.read_bytes()).hexdigest() in said
    for one in escrow.readers([reader.certificate for reader in people], now=stack.clock()):
        assert one.name in said
        assert one.fingerprint.upper() in re.sub(r"[:\s]", "", said)
    assert "openssl cms -decrypt -inform DER -in FILE -inkey PRIVATE-KEY.pem" in said
    assert not [key for key in stack.instance.vault.ring.keks.values() if key.hex() in said]


def test_plain_openssl_opens_it_into_what_a_descriptor_takes(
    stack: Stack, people: tuple[Reader, Reader], made: Path
) -> None:
    """What a machine without this software does, with the line that README gives."""
    opened = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", made, "-inkey", people[1].key],
        capture_output=True,
        text=True,
        check=True,
    )
    assert keys.from_bundle(opened.stdout, where="").keks == stack.instance.vault.ring.keks


def test_who_and_when_is_noted_and_left_in_the_trail(
    stack: Stack, db: DbSession, sessions: Any, people: tuple[Reader, Reader], made: Path
) -> None:
    warned = " ".join(key_report.report(stack.instance, db, now=stack.clock()).warnings)
    assert "Drill it" in warned
    stack.clock.pass_time(days=3)
    key_keeping.drill(
        stack.instance, sessions, path=made, key=people[0].key, certificate=people[0].certificate
    )
    db.rollback()
    noted = last_of_each(db)
    assert noted[KeyAct.ESCROW].people == "CN=Ada Lead; CN=Bo Second"
    assert noted[KeyAct.DRILL].people == "CN=Ada Lead"
    assert noted[KeyAct.DRILL].at == stack.clock()
    assert {"escrow.drilled", "keys.escrowed"} <= {entry.action for entry in audit.entries(db)}
    found = key_report.report(stack.instance, db, now=stack.clock())
    assert not [warning for warning in found.warnings if "escrow" in warning.lower()]
    later = key_report.report(stack.instance, db, now=stack.clock() + timedelta(days=200))
    assert "Drill it" in " ".join(later.warnings)


def test_it_is_refused_unless_two_different_people_can_open_it(
    stack: Stack, people: tuple[Reader, Reader], tmp_path: Path
) -> None:
    ada, bo = people
    read = partial(escrow.readers, now=stack.clock())
    other = tmp_path / "other"
    other.mkdir()
    same_person = make_reader(other, "Ada Lead")  # another certificate, for the same key and name
    weak = make_reader(tmp_path, "weak", bits=2048)
    old = make_reader(tmp_path, "old", days=30)
    for paths, why in (
        ([ada.certificate], "two different people"),
        ([ada.certificate, ada.certificate], "same certificate"),
        ([ada.certificate, same_person.certificate], "same key"),
    ):
        with pytest.raises(EscrowFault, match=why):
            read(paths)
    for path, why in ((weak.certificate, "2048 bits"), (old.certificate, "expired"), (bo.key, "private key")):
        with pytest.raises(CertificateUnusable, match=why):
            read([ada.certificate, path])
    assert [one.name for one in read([ada.certificate, bo.certificate])] == ["CN=Ada Lead", "CN=Bo Second"]


def test_a_drill_that_fails_says_why(
    stack: Stack, db: DbSession, sessions: Any, people: tuple[Reader, Reader], made: Path, tmp_path: Path
) -> None:
    ada, bo = people
    drill = partial(key_keeping.drill, stack.instance, sessions)
    with pytest.raises(EscrowFault, match="not the private key"):
        drill(path=made, key=ada.key, certificate=bo.certificate)
    with pytest.raises(KeyUnusable):
        drill(path=made, key=ada.certificate, certificate=ada.certificate)
    altered = bytearray(made.read_bytes())
    altered[-40] ^= 1
    made.write_bytes(altered)
    with pytest.raises(EnvelopeBroken):
        drill(path=made, key=ada.key, certificate=ada.certificate)
    keys.create(tmp_path / "others")
    foreign = escrow.seal(
        keys.load(tmp_path / "others"),
        contract="con_9887",
        to=escrow.readers([ada.certificate, bo.certificate], now=stack.clock()),
        folder=tmp_path,
        now=stack.clock(),
    )
    with pytest.raises(DrillFailed, match="not the keys of this data"):
        drill(path=foreign, key=ada.key, certificate=ada.certificate)
    assert not last_of_each(db, passed=False)[KeyAct.DRILL].passed
    assert KeyAct.DRILL not in last_of_each(db)


def test_the_commands(stack: Stack, db: DbSession, people: tuple[Reader, Reader], tmp_path: Path) -> None:
    def run(*words: object) -> Result:
        return stack.app.test_cli_runner().invoke(args=["keys", *map(str, words)])

    pair = [word for one in people for word in ("--certificate", one.certificate)]
    done = run("escrow", *pair, "--out", tmp_path / "escrow")
    assert done.exit_code == 0, done.output
    path = Path(done.stdout.strip())
    assert path.is_file()
    opener = ("--escrow", path, "--key", people[1].key, "--certificate", people[1].certificate)
    assert "CN=Bo Second opened the escrow" in run("drill", *opener).stderr
    assert run("restore", *opener, "--out", tmp_path / "keys").exit_code == 0
    assert keys.load(tmp_path / "keys").fingerprints() == stack.instance.vault.ring.fingerprints()
    again = run("restore", *opener, "--out", tmp_path / "keys")
    assert again.exit_code == 1
    assert "not empty" in again.stderr
    assert run("status", "--json").exit_code == 0
    agreed(db, stack.clock, act=SecondAct.KEY, thing="key:K1", letter="INS-7")
    assert "in force: rotate first" in run("retire", "K1", "--instruction", "INS-7", "--yes").stderr
    refused = run("escrow", "--certificate", people[0].certificate, "--out", tmp_path / "none")
    assert refused.exit_code == 1
    assert not (tmp_path / "none").exists()


# ---- the canary, read anew each day


@pytest.fixture
def hidden(stack: Stack) -> Iterator[Path]:
    """The key folder, put away for the length of a test that asks for it."""
    folder = stack.instance.settings.keys
    away = folder.with_name("away")
    folder.rename(away)
    yield folder
    away.rename(folder)


def test_the_canary_is_opened_once_a_day(stack: Stack, db: DbSession, sessions: Any) -> None:
    look = partial(key_keeping.check_canary, stack.instance, sessions)
    assert look()
    first = last_of_each(db)[KeyAct.CANARY].at
    stack.clock.pass_time(hours=23)
    assert look()
    db.rollback()
    assert last_of_each(db)[KeyAct.CANARY].at == first
    stack.clock.pass_time(hours=2)
    assert look()
    db.rollback()
    assert last_of_each(db)[KeyAct.CANARY].at == stack.clock()


def test_a_lost_key_folder_is_found_while_the_site_runs(
    stack: Stack, db: DbSession, sessions: Any, hidden: Path
) -> None:
    assert not hidden.exists()
    assert not key_keeping.check_canary(stack.instance, sessions)
    assert [entry.action for entry in audit.entries(db)] == ["canary.failed"]
    assert "keys_unreadable" in next(entry.details for entry in audit.entries(db))
    warnings = " ".join(key_report.report(stack.instance, db, now=stack.clock()).warnings)
    assert "did not open the data" in warnings


def test_other_keys_of_the_same_names_are_found_by_name(
    stack: Stack, db: DbSession, sessions: Any, hidden: Path
) -> None:
    keys.create(hidden)
    try:
        assert not key_keeping.check_canary(stack.instance, sessions)
        with pytest.raises(KeyFault, match=r"master-audit\.key is another key"):
            stack.instance.vault.__class__(
                keys.load(hidden), stack.instance.vault.engine, stack.clock
            ).require_ring()
    finally:
        for path in hidden.iterdir():
            path.unlink()
        hidden.rmdir()
    assert "keys_do_not_fit" in next(entry.details for entry in audit.entries(db))


def test_the_escrow_is_for_its_owner_only(made: Path) -> None:
    assert os.stat(made).st_mode & 0o077 == 0  # noqa: PTH116 - the mode alone
