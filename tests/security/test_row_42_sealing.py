"""Rows 42 and 43: what is sealed opens in its own place alone; keys are turned over; nothing is guessable."""

import ast
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from portal.access import passwords
from portal.desk import key_keeping
from portal.models import Person
from privacy.columns import keys_of, seal, unseal
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.keystore import SUBJECT_KEY, DataKeys, Vault
from privacy.records import new_id
from tests.conftest import Stack, make_stack
from tests.factories import Factory

ROOT = Path(__file__).resolve().parents[2]
PLACE: dict[str, Any] = {"table": "person", "column": "name_sealed"}
WORDS = b"Words that nobody else reads"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose keys this module may turn over."""
    stack = make_stack(tmp_path_factory.mktemp("sealing"), {})
    yield stack
    stack.close()


@pytest.fixture
def keys(own: Stack) -> DataKeys:
    return DataKeys(own.instance.vault)


@pytest.fixture
def holder(keys: DataKeys) -> UUID:
    made = new_id()
    keys.ensure([made])
    return made


def test_row_42_one_flipped_bit_anywhere_is_refused(keys: DataKeys, holder: UUID) -> None:
    row = new_id()
    value = seal(keys, WORDS, **PLACE, row=row, holder=holder)
    assert unseal(keys, value, **PLACE, row=row, holder=holder) == WORDS
    for place in range(len(value)):
        altered = bytearray(value)
        altered[place] ^= 1 << (place % 8)
        with pytest.raises((SealBroken, KeyFault, HolderErased)):
            unseal(keys, bytes(altered), **PLACE, row=row, holder=holder)
    for length in (0, 1, 4, 5, 16, 17, len(value) - 1):
        with pytest.raises((SealBroken, KeyFault, HolderErased)):
            unseal(keys, value[:length], **PLACE, row=row, holder=holder)


def test_row_42_a_value_opens_in_its_own_place_alone(keys: DataKeys, holder: UUID) -> None:
    row, other = new_id(), new_id()
    keys.ensure([other])
    value = seal(keys, WORDS, **PLACE, row=row, holder=holder)
    for moved in (
        {**PLACE, "row": other, "holder": holder},
        {**PLACE, "row": row, "holder": other},
        {**PLACE, "column": "email_sealed", "row": row, "holder": holder},
        {**PLACE, "table": "goal", "row": row, "holder": holder},
    ):
        with pytest.raises(SealBroken):
            unseal(keys, value, **moved)


def test_row_42_no_two_values_are_sealed_alike(keys: DataKeys, holder: UUID) -> None:
    row = new_id()
    values = {seal(keys, WORDS, **PLACE, row=row, holder=holder) for _ in range(1000)}
    nonces = {value[5:17] for value in values}
    assert len(values) == len(nonces) == 1000


def test_row_42_keys_are_turned_over_and_old_rows_still_open(own: Stack) -> None:
    sessions = partial(DbSession, own.engine, info={"vault": own.instance.vault})
    with sessions() as db:
        names = {
            person.id: person.name
            for person in map(Factory(db, own.clock, own.instance.programme).person, "ABC")
        }
    before = own.instance.vault.ring.current
    rotated = key_keeping.rotate(own.instance, sessions)
    assert rotated.key_id != before
    with own.instance.vault.engine.connect() as connection:
        wrapped_with = set(connection.scalars(select(SUBJECT_KEY.c.kek_id)))
    assert wrapped_with == {rotated.key_id}, "every key is wrapped anew"
    source = own.instance.settings.key_source
    fresh = Vault(source.load(), own.instance.vault.engine, own.clock, reload=source.load)
    with DbSession(own.engine, info={"vault": fresh}) as db:
        assert {person.id: person.name for person in db.scalars(select(Person))} == names
        stored = db.scalars(text("select name_sealed from person")).all()
        assert {value[0] for value in stored} == {1}, "each value says how it is sealed, and with which key"
        assert keys_of(db).vault is fresh


def test_row_42_what_seals_is_authenticated_everywhere() -> None:
    """AES-GCM, RSA-OAEP and SHA-256 are all that is taken from the library of ciphers."""
    taken = set()
    for path in source_files():
        words = path.read_text()
        for node in ast.walk(ast.parse(words if "cryptography" in words else "")):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cryptography.hazmat"):
                taken |= {alias.name for alias in node.names}
    ciphers = {"AESGCM", "AES256", "GCM", "OAEP", "MGF1", "SHA256", "HKDF", "hashes", "Cipher"}
    keys = {"RSAPrivateKey", "RSAPublicKey", "CertificatePublicKeyTypes"}
    readers = {"Encoding", "PublicFormat", "load_pem_private_key"}
    assert taken == ciphers | keys | readers
    assert set(re.findall(r"hashes\.(\w+)", (ROOT / "privacy/envelopes.py").read_text())) <= {
        "SHA256",
        "HashAlgorithm",
    }


# ---- row 43


def source_files() -> list[Path]:
    """What is served; the demo makes up its people from a seed."""
    return [
        path
        for folder in ("portal", "surveys", "privacy")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.parent.name != "demo"
    ]


def test_row_43_passwords_are_stored_by_argon2id_with_a_salt_of_their_own() -> None:
    stored = [passwords.hashed("three words in a row") for _ in range(2)]
    assert stored[0] != stored[1]
    for one in stored:
        match = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)", one)
        assert match is not None, one
        memory, passes = int(match[1]), int(match[2])
        assert memory >= 19 * 1024, "KiB: no less than OWASP asks for"
        assert passes >= 2
        assert len(match[4]) * 6 // 8 >= 16, "bytes of salt"
        assert passwords.fits(one, "three words in a row")
        assert not passwords.fits(one, "three words in a roW")


SECRETS = {"token_urlsafe", "token_bytes", "token_hex"}
ID_MAKERS = {
    "portal/instance.py",
    "portal/views/questionnaires.py",
    "portal/views/request_logs.py",
    "privacy/records.py",
}
"""Where ids are made: of rows, of a browser's preview, of a request in the log. None of them opens anything."""


def test_row_43_what_must_not_be_guessed_comes_from_secrets() -> None:
    ids, lengths = set(), []
    for path in source_files():
        name, words = str(path.relative_to(ROOT)), path.read_text()
        if not re.search(r"random|uuid\d|secrets|token_", words):
            continue
        for node in ast.walk(ast.parse(words)):
            if isinstance(node, ast.Import):
                assert "random" not in {alias.name for alias in node.names}, name
            if isinstance(node, ast.ImportFrom):
                assert node.module != "random", name
                if node.module == "uuid" and {alias.name for alias in node.names} & {
                    "uuid1",
                    "uuid3",
                    "uuid4",
                }:
                    ids.add(name)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in SECRETS
            ):
                lengths.append((name, ast.unparse(node.args[0]) if node.args else ""))
    assert ids == ID_MAKERS
    assert lengths
    for name, length in lengths:
        figure = int(length) if length.isdigit() else constant(ROOT / name, length)
        assert figure >= 16, f"{name}: {length} bytes"


def constant(path: Path, name: str) -> int:
    """What a module's constant is."""
    found = re.search(rf"^{re.escape(name)} = (\d+)$", path.read_text(), re.MULTILINE)
    assert found is not None, f"{path}: {name}"
    return int(found[1])


def test_row_43_nothing_that_opens_anything_is_made_of_an_id() -> None:
    """Cookies and links are set from tokens, never from a row's id."""
    for path in source_files():
        words = path.read_text()
        assert not re.search(r"(token|verifier|secret)\w* = (str\()?(new_id|uuid4)\(", words), path
