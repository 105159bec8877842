"""A successor loads a package into an empty instance, and has the same tables, digest for digest (cl 15)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.app import create_app
from portal.db import db as flask_db
from portal.instance import Instance, open_instance
from portal.models import BrowserSession, Person
from portal.returning import packaging
from portal.returning.taking_over import TakenOver, take_over
from portal.settings import Settings
from privacy import audit, ledger
from privacy.records import Record
from privacy.returns import build, load, signing
from privacy.returns.build import Package
from privacy.returns.course import Scope, ScopeKind
from privacy.returns.load import LoadRefused
from privacy.returns.verify import PackageBroken
from tests.postgres import fresh_database
from tests.returning import World, described, world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server: str | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with world(tmp_path_factory.mktemp("here"), server) as made:
        made.build(made.folder / "package")
        yield made


class Successor:
    """Another contractor: an empty instance with keys of its own, on the same kind of database."""

    def __init__(self, here: World, folder: Path, server: str | None) -> None:
        environ = {"PORTAL_INSTANCE": str(folder / "successor"), "PUBLIC_URL": "http://localhost"}
        if server is not None:
            environ["DATABASE_URL"] = fresh_database(server, name="successor")
            environ["KEYSTORE_URL"] = fresh_database(server, name="successor_keystore")
        self.here = here
        self.settings = Settings.from_environ(environ, root=folder)
        self.app = create_app(self.settings, here.stack.clock)
        with self.app.app_context():
            self.engine = flask_db.engine

    def take_over(self, package: Path, **options: Any) -> TakenOver:
        return take_over(
            self.settings,
            package,
            options.pop("key", self.here.reader.key),
            engine=self.engine,
            clock=self.here.stack.clock,
            migrate=lambda: Record.metadata.create_all(self.engine),
            schema=None,
            **options,
        )

    def open(self) -> Instance:
        return open_instance(self.settings, engine=self.engine, clock=self.here.stack.clock)

    def build(self, instance: Instance, out: Path) -> Package:
        keys = instance.settings.keys
        reader = signing.check_key(keys, contract="con_9887").reader
        return build.build(
            packaging.stores(instance, self.engine, rehearsal=True, schema=None),
            recipients=[reader],
            signer=signing.signing_key(keys, contract="con_9887"),
            out=out,
            direction=None,
            rehearsal=True,
            now=self.here.stack.clock(),
        )


@pytest.fixture
def successor(here: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Successor]:
    server: str | None = request.getfixturevalue("postgres_server") if here.environ else None
    made = Successor(here, tmp_path, server)
    yield made
    with made.app.app_context():
        flask_db.session.remove()
    made.engine.dispose()


def test_what_is_loaded_is_what_was_built_digest_for_digest(
    here: World, successor: Successor, tmp_path: Path
) -> None:
    done = successor.take_over(here.folder / "package")
    instance = successor.open()
    try:
        successor.build(instance, tmp_path / "again")
        before, after = described(here.folder / "package"), described(tmp_path / "again")
        assert after["tables"] == before["tables"]
        assert after["trail"] == before["trail"]
        in_tables = sum(one["rows"] for name, one in before["tables"].items() if name != "erasure_ledger")
        assert done.rows == in_tables
        opens(here, instance, successor)
    finally:
        instance.vault.engine.dispose()


def opens(here: World, instance: Instance, successor: Successor) -> None:
    """The keys are the successor's own, and everything opens with them."""
    shown = instance.vault.ring.fingerprints()
    assert not set(shown.values()) & set(here.stack.instance.vault.ring.fingerprints().values())
    assert instance.demo, "what was a rehearsal stays one"
    with partial(DbSession, successor.engine, info={"vault": instance.vault})() as db:
        lena = accounts.find(db, "lena@northshire.example")
        assert lena is not None
        assert lena.name == "Lena Leader"
        audit.verify(db, instance.vault.ring)
        tokens = {one.token for one in db.scalars(select(BrowserSession))}
    with here.sessions() as db:
        assert not tokens & {one.token for one in db.scalars(select(BrowserSession))}
    for holder in here.erased:
        assert ledger.is_erased(instance.vault.engine, UUID(holder)), "no key is ever made for them"


def test_an_instance_that_is_there_is_never_loaded_into(here: World, successor: Successor) -> None:
    successor.take_over(here.folder / "package")
    with pytest.raises(LoadRefused, match="already"):
        successor.take_over(here.folder / "package")


def test_what_fails_in_the_middle_leaves_no_instance_and_begins_again(
    here: World, successor: Successor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        successor.take_over(here.folder / "package", progress=stop)
    with DbSession(successor.engine) as db:
        assert db.scalars(select(Person.id)).first() is None
    assert not list((successor.settings.instance / "scratch").iterdir()), "nothing stays open"
    successor.take_over(here.folder / "package")


def test_what_reads_otherwise_is_not_kept(
    here: World, successor: Successor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is lost on the way in is noticed before anything is kept."""
    whole = load._lines
    monkeypatch.setattr(load, "_lines", lambda bag, table: iter(list(whole(bag, table))[table == "hours" :]))
    with pytest.raises(LoadRefused, match="hours reads otherwise"):
        successor.take_over(here.folder / "package")
    with DbSession(successor.engine) as db:
        assert db.scalars(select(Person.id)).first() is None


def test_a_part_is_not_loaded(here: World, successor: Successor, tmp_path: Path) -> None:
    with here.sessions() as db:
        lena = next(one.id for one in db.scalars(select(Person)) if one.name == "Lena Leader")
    here.build(tmp_path / "part", scope=Scope(ScopeKind.PERSON, lena))
    with pytest.raises(LoadRefused, match="a part"):
        successor.take_over(tmp_path / "part")


def test_what_does_not_verify_is_not_loaded(here: World, successor: Successor) -> None:
    with pytest.raises(PackageBroken, match="not the one that was given"):
        successor.take_over(here.folder / "package", fingerprint="0" * 64)
    assert successor.settings.key_source.is_empty()
