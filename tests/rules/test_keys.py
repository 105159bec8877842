"""The key ring and the key store."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from privacy import keys
from privacy.engines import open_engine, sqlite_url
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.key_sources import KeyDescriptor, KeysFixed
from privacy.keystore import METADATA, SUBJECT_KEY, DataKeys, Vault

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def vault(folder: Path, tmp_path: Path) -> Vault:
    engine = open_engine(sqlite_url(tmp_path / "keystore.sqlite"))
    METADATA.create_all(engine)
    return Vault(keys.load(folder), engine, lambda: NOW)


def test_new_keys_can_be_read_by_their_owner_only(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o400}
    assert keys.create(folder) == [], "existing keys are left alone"


def test_the_ring_never_shows_a_key(folder: Path) -> None:
    ring = keys.load(folder)
    assert ring.keks["K1"].hex() not in repr(ring)
    assert repr(ring.keks["K1"]) not in repr(ring)


@pytest.mark.parametrize("harm", ["missing", "truncated", "readable"])
def test_a_key_file_that_cannot_be_used_is_refused_by_name(folder: Path, harm: str) -> None:
    path = folder / "master-index.key"
    path.chmod(0o600)
    if harm == "missing":
        path.unlink()
    elif harm == "truncated":
        path.write_text(path.read_text()[:20])
        path.chmod(0o400)
    else:
        path.chmod(0o444)
    with pytest.raises(KeyFault, match=r"master-index\.key"):
        keys.load(folder)


def test_an_open_folder_is_refused(folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(KeyFault, match="can be opened by others"):
        keys.load(folder)


def test_a_wrap_opens_only_for_its_holder_and_version(folder: Path) -> None:
    ring = keys.load(folder)
    holder = uuid4()
    kek_id, wrapped = ring.wrap(b"d" * 32, holder=holder, version=1)
    assert ring.unwrap(wrapped, kek_id=kek_id, holder=holder, version=1) == b"d" * 32
    with pytest.raises(SealBroken):
        ring.unwrap(wrapped, kek_id=kek_id, holder=uuid4(), version=1)
    with pytest.raises(SealBroken):
        ring.unwrap(wrapped, kek_id=kek_id, holder=holder, version=2)
    with pytest.raises(KeyFault, match="K9"):
        ring.unwrap(wrapped, kek_id="K9", holder=holder, version=1)


def test_purposes_have_keys_of_their_own(folder: Path) -> None:
    ring = keys.load(folder)
    derived = {
        ring.derive(master, purpose) for master in keys.MASTERS for purpose in ("chain|v1", "form|v1", "x")
    }
    assert len(derived) == len(keys.MASTERS) * 3


def test_length_prefixes_keep_parts_apart() -> None:
    assert keys.packed(b"a|b", b"c") != keys.packed(b"a", b"b|c")


def test_a_holder_gets_one_key_however_often_it_is_made(vault: Vault) -> None:
    holders = [uuid4() for _ in range(1200)]
    vault.create(holders)
    before = vault.keys(holders)
    vault.create(holders[:3])
    assert len(before) == 1200
    assert vault.status() == [("K1", 1200)]


def test_an_erased_holder_stays_erased(vault: Vault) -> None:
    erased, other = uuid4(), uuid4()
    vault.create([erased, other])
    with vault.engine.begin() as connection:
        connection.execute(
            update(SUBJECT_KEY)
            .where(SUBJECT_KEY.c.holder_id == erased)
            .values(wrapped=None, destroyed_on=NOW.date())
        )
    data_keys = DataKeys(vault)
    data_keys.ensure([erased, other])
    assert data_keys.sealing(other)[0] == 1
    with pytest.raises(HolderErased):
        data_keys.sealing(erased)
    with pytest.raises(HolderErased):
        data_keys.opening(erased, 1)


def test_a_key_that_the_data_needs_is_named(vault: Vault, folder: Path) -> None:
    vault.create([uuid4()])
    (folder / "kek-K1.key").rename(folder / "kek-K2.key")
    with pytest.raises(KeyFault, match="K1"):
        Vault(keys.load(folder), vault.engine, lambda: NOW).require_ring()


def test_a_wrong_key_file_is_named(vault: Vault, folder: Path) -> None:
    vault.create([uuid4()])
    for name in ("kek-K1.key", "master-audit.key", "master-index.key"):
        (folder / name).rename(folder / "put-away")
        keys.write_key(folder / name, os.urandom(32))
        with pytest.raises(KeyFault, match=rf"{name.replace('.', '[.]')} is another key"):
            Vault(keys.load(folder), vault.engine, lambda: NOW).require_ring()
        (folder / "put-away").rename(folder / name)
    Vault(keys.load(folder), vault.engine, lambda: NOW).require_ring()


def test_a_wrap_moved_to_another_holder_does_not_open(vault: Vault) -> None:
    one, other = uuid4(), uuid4()
    vault.create([one, other])
    wrapped = select(SUBJECT_KEY.c.wrapped).where(SUBJECT_KEY.c.holder_id == one)
    with vault.engine.begin() as connection:
        stolen = connection.scalar(wrapped)
        connection.execute(update(SUBJECT_KEY).where(SUBJECT_KEY.c.holder_id == other).values(wrapped=stolen))
    assert vault.keys([one])[one]
    with pytest.raises(SealBroken):
        vault.keys([other])


# ---- from a descriptor


def piped(text: str) -> KeyDescriptor:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        file.write(text)
    return KeyDescriptor(reading)


def test_a_container_is_given_its_keys_by_a_descriptor(folder: Path) -> None:
    """In the form that `grep . *.key` prints."""
    text = "".join(f"{path.name}:{path.read_text()}" for path in folder.iterdir())
    source = piped(text)
    assert source.load().fingerprints() == keys.load(folder).fingerprints()
    assert source.load().current == "K1", "what was read once stays"
    assert source.create() == []
    assert not source.remove("K1")
    with pytest.raises(KeysFixed, match=r"kek-K2\.key"):
        source.add("K2")
    source.add("K1")


def test_children_read_what_a_descriptor_gave_to_their_parent(folder: Path) -> None:
    source = piped(keys.bundle(keys.load(folder)))
    child = (
        "import sys; from privacy.key_sources import KeyDescriptor; "
        "print(KeyDescriptor(sys.argv[1]).load().fingerprints())"
    )
    for _ in range(2):
        said = subprocess.run(
            [sys.executable, "-c", child, source.handed_on()], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == str(keys.load(folder).fingerprints())


@pytest.mark.parametrize("harm", ["kek-K1.key:", "master-token.key:"])
def test_a_descriptor_that_gives_too_little_is_refused_by_name(folder: Path, harm: str) -> None:
    lines = keys.bundle(keys.load(folder)).splitlines()
    with pytest.raises(KeyFault, match=harm[:-5]):
        piped("\n".join(line for line in lines if not line.startswith(harm))).load()
    with pytest.raises(KeyFault, match=harm[:-5]):
        piped("\n".join(line[:-9] if line.startswith(harm) else line for line in lines)).load()
