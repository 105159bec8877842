"""Certificates and private keys of made-up readers, and a second instance with the same keys."""

import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from portal.instance import Instance
from portal.settings import Settings
from privacy.returns import signing
from tests.conftest import START, Stack
from tests.postgres import fresh_database, postgres_program


@dataclass(frozen=True)
class Reader:
    """Somebody who can open what was sealed to the certificate."""

    certificate: Path
    key: Path


@cache
def rsa(name: str, bits: int = 3072) -> RSAPrivateKey:
    """The same key each time in one run: making one takes a while."""
    return generate_rsa(public_exponent=65537, key_size=bits)


def usage(*, encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=encipherment,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def make_reader(
    folder: Path,
    name: str = "operator",
    *,
    bits: int = 3072,
    curve: bool = False,
    starts: datetime = datetime(2023, 1, 1, tzinfo=UTC),
    days: int = 3650,
    encipherment: bool | None = True,
    passphrase: bytes | None = None,
    issuer: str = "",
) -> Reader:
    """Write a certificate and its key; what is not said is as it should be. It is signed by itself, or by the key of
    another reader of this run, as by an authority."""
    key = generate_private_key(SECP256R1()) if curve else rsa(name, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(starts + timedelta(days=days))
    )
    if encipherment is not None:
        builder = builder.add_extension(usage(encipherment=encipherment), critical=True)
    reader = Reader(folder / f"{name}.crt", folder / f"{name}.key")
    reader.certificate.write_bytes(
        builder.sign(rsa(issuer) if issuer else key, SHA256()).public_bytes(Encoding.PEM)
    )
    locked = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    reader.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return reader


def signed(data: bytes, by: Reader) -> bytes:
    """A detached CMS signature over some bytes (DER), as the Department would make it."""
    command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", str(by.certificate)]
    made = subprocess.run([*command, "-inkey", str(by.key)], input=data, capture_output=True, check=True)
    return made.stdout


def with_programs(instance: Instance) -> Instance:
    """The instance, knowing where the PostgreSQL programs of the tests are."""
    return replace(
        instance, settings=replace(instance.settings, postgres_programs=postgres_program("psql").parent)
    )


def empty_settings(stack: Stack, folder: Path, server: str | None) -> Settings:
    """Settings of another instance, still empty, with the same keys and the same kind of database."""
    environ = {
        "PORTAL_INSTANCE": str(folder / "other"),
        "PORTAL_KEYS": str(stack.instance.settings.keys),
        "PUBLIC_URL": "http://localhost",
        "POSTGRES_BIN": str(postgres_program("psql").parent),
    }
    if server is not None:
        environ["DATABASE_URL"] = fresh_database(server, name="other")
        environ["KEYSTORE_URL"] = fresh_database(server, name="other_keystore")
    return Settings.from_environ(environ, root=folder)


__all__ = ["START", "Reader", "empty_settings", "make_reader", "rsa", "signed", "with_programs"]


def give_return_keys(folder: Path, keys: Path) -> None:
    """The keys by which an instance signs and checks packages: made once in a run, and not anew for each instance."""
    for name in (signing.SIGNING, signing.CHECK):
        made = make_reader(folder, name)
        (keys / name).write_bytes(made.key.read_bytes() + made.certificate.read_bytes())
        (keys / name).chmod(0o400)
        made.key.unlink()
        made.certificate.unlink()
