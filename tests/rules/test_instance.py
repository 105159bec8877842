"""Making and opening an instance."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine

from portal.app import create_app, open_app
from portal.db import db
from portal.instance import InstanceFault, make
from portal.settings import Settings, SettingsFaults
from privacy import keys
from privacy.errors import KeyFault
from privacy.records import Record
from tests.conftest import SetClock


def settings_for(folder: Path, **environ: Any) -> Settings:
    return Settings.from_environ({"PORTAL_INSTANCE": str(folder / "instance"), **environ}, root=folder)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(settings_for(tmp_path), SetClock())
    yield made
    with made.app_context():
        db.engine.dispose()
    if "instance" in made.extensions:
        made.extensions["instance"].vault.engine.dispose()


def make_it(app: Flask, *, demo: bool = False) -> list[Path]:
    with app.app_context():
        return make(
            app.extensions["settings"],
            engine=db.engine,
            clock=app.extensions["clock"],
            demo=demo,
            migrate=upgrade,
        )


def state_of(folder: Path) -> dict[str, str]:
    """Every file and what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_the_first_start_makes_keys_and_says_where(app: Flask) -> None:
    written = make_it(app)
    assert {path.name for path in written} == {
        "kek-K1.key",
        *(f"master-{name}.key" for name in keys.MASTERS),
    }
    assert make_it(app) == [], "a second start changes nothing"
    assert not open_app(app).demo


def test_opening_before_it_is_made_touches_nothing(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(InstanceFault, match="flask init"):
        open_app(app)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", ["kek-K1.key", "master-audit.key"])
def test_a_start_without_a_key_says_which_and_touches_nothing(app: Flask, lost: str) -> None:
    make_it(app)
    settings: Settings = app.extensions["settings"]
    (settings.keys / lost).unlink()
    before = state_of(settings.instance)
    with pytest.raises(KeyFault, match=lost.replace(".", r"\.")):
        open_app(app)
    with pytest.raises((KeyFault, InstanceFault)):
        make_it(app)
    assert state_of(settings.instance) == before


def test_another_key_of_the_same_name_is_refused(app: Flask) -> None:
    make_it(app)
    path = app.extensions["settings"].keys / "kek-K1.key"
    path.unlink()
    keys.write_key(path, os.urandom(32))
    with pytest.raises(KeyFault, match="not the keys of this data"):
        open_app(app)


def test_a_lost_key_store_is_named(app: Flask) -> None:
    make_it(app)
    settings: Settings = app.extensions["settings"]
    (settings.instance / "keystore.sqlite").unlink()
    with pytest.raises(InstanceFault, match="key store is missing"):
        open_app(app)
    assert not (settings.instance / "keystore.sqlite").exists()


def test_real_data_cannot_become_a_demo(app: Flask) -> None:
    make_it(app)
    with pytest.raises(InstanceFault, match="cannot become a demo"):
        make_it(app, demo=True)


def test_settings_report_every_fault_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults) as caught:
        settings_for(
            tmp_path,
            PORTAL_MODE="production",
            PUBLIC_URL="http://portal.example",
            PORTAL_NOW="yesterday",
            SMTP_PORT="many",
            SMTP_HOST="mail.example",
            DATABASE_URL="mysql://x/y",
        )
    text = " ".join(caught.value.faults)
    for word in ("PUBLIC_URL", "PORTAL_NOW", "SMTP_PORT", "DATABASE_URL"):
        assert word in text


def test_secrets_stay_out_of_representations(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, SMTP_HOST="mail.example", SMTP_PASSWORD="hush", DATABASE_URL="postgresql://u:hush@h/d"
    )
    assert "hush" not in repr(settings)
    assert settings.database_url.startswith("postgresql+psycopg://")


def test_migrations_make_the_tables_of_the_models(app: Flask, tmp_path: Path) -> None:
    """Both ways lead to the same database: what migrations build, and what the code declares."""
    make_it(app)
    engine = create_engine(f"sqlite:///{app.extensions['settings'].instance / 'portal.sqlite'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Record.metadata)
    engine.dispose()
    assert differences == []
