"""Row 45: secrets stay out of the code, of representations and of pages; a start that is not safe is refused."""

import base64
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine

from portal.app import create_app
from portal.db import db as flask_db
from portal.instance import InstanceFault, make, open_instance
from portal.settings import Settings, SettingsFaults
from privacy import engines, keys
from privacy.errors import KeyFault
from privacy.keystore import DataKeys
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.shape.test_toolchain import tracked_files

PRODUCTION = {
    "PORTAL_MODE": "production",
    "PUBLIC_URL": "https://portal.example",
    "SMTP_HOST": "mail.example",
    "PORTAL_PROXIES": "1",
}


def settings_for(root: Path, **environ: Any) -> Settings:
    return Settings.from_environ({"PORTAL_INSTANCE": str(root / "instance"), **environ}, root=root)


# ---- starts


@pytest.mark.parametrize("debug", ["1", "true", "on", "yes", "TRUE"])
def test_row_45_debug_is_refused_in_production(tmp_path: Path, debug: str) -> None:
    with pytest.raises(SettingsFaults, match="FLASK_DEBUG is refused"):
        settings_for(tmp_path, **PRODUCTION, FLASK_DEBUG=debug)
    assert settings_for(tmp_path, **PRODUCTION, FLASK_DEBUG="0")


def test_row_45_mail_that_only_lands_in_a_folder_is_refused_in_production(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match="SMTP_HOST is missing"):
        settings_for(tmp_path, **{**PRODUCTION, "SMTP_HOST": ""})


def test_row_45_a_demo_is_refused_in_production(tmp_path: Path) -> None:
    """Neither made there nor opened there."""
    clock = SetClock()
    app = create_app(settings_for(tmp_path), clock)
    production = settings_for(tmp_path, **PRODUCTION)
    with app.app_context():
        options = {"engine": flask_db.engine, "clock": clock}
        with pytest.raises(InstanceFault, match="not for production"):
            make(production, **options, demo=True, migrate=flask_db.create_all)  # type: ignore[arg-type]
        make(app.extensions["settings"], **options, demo=True, migrate=flask_db.create_all)  # type: ignore[arg-type]
        opened = open_instance(app.extensions["settings"], **options)  # type: ignore[arg-type]
        opened.vault.engine.dispose()
        with pytest.raises(InstanceFault, match="not for production"):
            open_instance(production, **options)  # type: ignore[arg-type]
        flask_db.engine.dispose()


WEAK = {
    "all alike": bytes(32),
    "a few bytes over and over": b"\x01\x92\xfe\x44" * 8,
    "a phrase": b"change-me-change-me-change-me-ok",
}


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK)
@pytest.mark.parametrize("name", ["kek-K1", "master-token"])
def test_row_45_a_secret_that_can_be_guessed_is_refused(tmp_path: Path, name: str, key: bytes) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    assert keys.load(folder)
    path = folder / f"{name}.key"
    path.unlink()
    with pytest.raises(KeyFault, match=r"missing|no key-encryption key"):
        keys.load(folder)
    keys.write_key(path, key)
    with pytest.raises(KeyFault, match=rf"{name}\.key is not random"):
        keys.load(folder)


def test_row_45_one_secret_for_two_purposes_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    (folder / "master-token.key").chmod(0o600)
    (folder / "master-token.key").write_bytes((folder / "master-audit.key").read_bytes())
    with pytest.raises(KeyFault, match="the same key as master-audit"):
        keys.load(folder)


def test_row_45_random_keys_are_never_taken_for_weak_ones() -> None:
    assert not any(keys.is_weak(os.urandom(32)) for _ in range(20_000))


def test_row_45_an_sqlite_that_can_lose_pages_gets_the_rollback_journal(tmp_path: Path) -> None:
    """The bug of 3.7.0 to 3.51.2 is one of the write-ahead log. Ours has none of it; the system's may."""
    ours = engines.open_engine(engines.sqlite_url(tmp_path / "ours.sqlite"))
    theirs = create_engine(engines.sqlite_url(tmp_path / "theirs.sqlite"), module=sqlite3)
    engines.prepare(theirs)
    for engine, journal in (
        (ours, "wal"),
        (theirs, "delete" if sqlite3.sqlite_version_info < (3, 51, 3) else "wal"),
    ):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("pragma journal_mode").scalar_one() == journal
            version = connection.exec_driver_sql("select sqlite_version()").scalar_one()
        engine.dispose()
        if engine is ours:
            assert tuple(map(int, version.split("."))) >= (3, 51, 3)


# ---- what is shown


def test_row_45_no_representation_shows_a_secret(tmp_path: Path, stack: Stack, make: Factory) -> None:
    settings = settings_for(
        tmp_path,
        SMTP_HOST="mail.example",
        SMTP_USER="portal",
        SMTP_PASSWORD="hush-mail",
        DATABASE_URL="postgresql://u:hush-data@localhost/d",
        KEYSTORE_URL="postgresql://u:hush-keys@localhost/k",
        LIMITS_STORE="redis://:hush-store@localhost",
    )
    person = make.person("Quirina Hush-Name", email="hush@council.example")
    shown = [
        repr(settings),
        str(settings),
        repr(settings.smtp),
        repr(stack.instance),
        repr(person),
        str(vars(person)),
    ]
    vault = stack.instance.vault
    data_keys = DataKeys(vault)
    data_keys.fetch([person.id])
    shown += [repr(vault), repr(vault.ring), repr(data_keys), repr(stack.instance.settings.key_source)]
    for words in shown:
        assert "hush" not in words.lower(), words[:200]
        for secret in (*vault.ring.keks.values(), *vault.ring.masters.values()):
            assert repr(secret)[2:-1] not in words
            assert base64.b64encode(secret).decode() not in words
            assert secret.hex() not in words


def test_row_45_no_file_of_the_code_holds_a_secret() -> None:
    # Written in parts, so that this file does not hold them either.
    marks = [b"PRIVATE KEY" + b"-----", b"portal-key" + b"-1:"]
    ours = {"privacy/keys.py"}
    root = Path(__file__).resolve().parents[2]
    for path in tracked_files():
        data = path.read_bytes()
        name = str(path.relative_to(root))
        found = [mark for mark in marks if mark in data and name not in ours]
        assert not found or name.startswith("tests/"), f"{name}: {found}"
        assert path.suffix not in {".key", ".sqlite", ".pem"}, name


PROBES = (
    *(
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/.venv/pyvenv.cfg",
        "/wsgi.py",
        "/portal/settings.py",
        "/Makefile",
    ),
    *(
        "/instance/portal.sqlite",
        "/instance/keys/kek-K1.key",
        "/requirements.txt",
        "/programme.toml",
        "/sbom.json",
    ),
    *(
        "/static",
        "/static/",
        "/static/../wsgi.py",
        "/static/..%2fwsgi.py",
        "/static/%2e%2e/wsgi.py",
        "/static/app.scss",
    ),
    *(
        "/metrics",
        "/debug",
        "/console",
        "/admin",
        "/admin/",
        "/server-status",
        "/phpinfo.php",
        "/swagger.json",
    ),
    *(
        "/robots.txt.bak",
        "/backup.zip",
        "/templates/base.html",
    ),
)


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_row_45_nothing_lies_open(client: PageClient, stack: Stack) -> None:
    assert not stack.app.debug
    for probe in PROBES:
        answer = client.http.get(probe)
        assert answer.status_code == 404, f"{probe}: {answer.status}"
        words = answer.get_data(as_text=True)
        for leak in ("[core]", "from portal", "ref:", "Index of", "Werkzeug", "Traceback", "SQLite format"):
            assert leak not in words, probe
        answer.close()
    asked = client.http.get("/?__debugger__=yes&cmd=resource&f=debugger.js").get_data(as_text=True)
    assert "EVALEX" not in asked
    for method in ("TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND"):
        assert client.http.open("/sign-in", method=method).status_code == 405, method


def test_row_45_what_is_served_says_not_what_serves_it(client: PageClient) -> None:
    for path in ("/sign-in", "/nothing", "/healthz"):
        headers = client.http.get(path).headers
        assert "X-Powered-By" not in headers
        assert "Server" not in headers


def test_row_45_the_form_secret_is_made_from_the_keys_of_the_instance(stack: Stack) -> None:
    app: Flask = stack.app
    assert isinstance(app.secret_key, bytes)
    assert len(app.secret_key) == 32
    assert app.secret_key not in stack.instance.vault.ring.masters.values()
    assert app.config.get("SECRET_KEY_FALLBACKS") is None
