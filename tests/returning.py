"""A world to return: every table has a row, somebody was erased, and the Department has a certificate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session as DbSession

from portal.instance import DEMO
from portal.models import InstanceFact, Person
from portal.returning import packaging
from privacy import erasure
from privacy.audit import Action
from privacy.certificates import read_certificate
from privacy.erasure import Places
from privacy.progress import Progress
from privacy.registers import Register, enter
from privacy.returns import build, signing
from privacy.returns.build import Package
from privacy.returns.course import EVERYTHING, Scope
from privacy.returns.verify import Verified, verify
from privacy.returns.volumes import VOLUME_BYTES
from privacy.work import unit_of_work
from tests.conftest import Stack, make_stack
from tests.every_table import fill
from tests.factories import Factory
from tests.postgres import fresh_database
from tests.readers import Reader, give_return_keys, make_reader


def unheard(done: int, total: int) -> None:
    """Progress that nobody listens to."""


@dataclass
class World:
    """A demo with a row in every table, and the Department as reader."""

    stack: Stack
    environ: dict[str, str]
    folder: Path
    reader: Reader
    erased: list[str] = field(default_factory=list)

    @property
    def sessions(self) -> "partial[DbSession]":
        return partial(DbSession, self.stack.engine, info={"vault": self.stack.instance.vault})

    def stores(self) -> build.Stores:
        return packaging.stores(self.stack.instance, self.stack.engine, rehearsal=True, schema=None)

    def build(
        self,
        out: Path,
        *,
        scope: Scope = EVERYTHING,
        limit: int = VOLUME_BYTES,
        progress: Progress = unheard,
    ) -> Package:
        keys = self.stack.instance.settings.keys
        return build.build(
            self.stores(),
            recipients=[read_certificate(self.reader.certificate, now=self.stack.clock())],
            signer=signing.signing_key(keys, contract="con_9887"),
            check=signing.check_key(keys, contract="con_9887"),
            out=out,
            direction=None,
            scope=scope,
            rehearsal=True,
            now=self.stack.clock(),
            progress=progress,
            limit=limit,
        )

    def opened(self, out: Path, to: Path) -> Path:
        """The bag, once everything holds."""
        self.verified(out, to)
        return to / "bag"

    def verified(self, out: Path, to: Path | None = None) -> Verified:
        return verify(out, key=self.reader.key, out=to)

    def close(self) -> None:
        self.stack.close()


@contextmanager
def world(folder: Path, server: str | None) -> Iterator[World]:
    """Make one, on SQLite or in databases of its own on a PostgreSQL server."""
    environ = {}
    if server is not None:
        environ["DATABASE_URL"] = fresh_database(server, name="returned")
        environ["KEYSTORE_URL"] = fresh_database(server, name="returned_keystore")
    stack = make_stack(folder, environ)
    with stack.engine.begin() as connection:
        connection.execute(update(InstanceFact).values(name=DEMO))
    instance = replace(stack.instance, demo=True)
    stack.app.extensions["instance"] = instance
    stack = replace(stack, instance=instance)
    made = World(stack, environ, folder, make_reader(folder, "department"))
    give_return_keys(folder, stack.instance.settings.keys)
    try:
        with made.sessions() as db:
            make = Factory(db, stack.clock, stack.instance.programme)
            fill(db, stack.clock, make)
            erase(made, db, make.person("Gone Person", email="gone@northshire.example"))
        yield made
    finally:
        made.close()


def erase(made: World, db: DbSession, person: Person) -> None:
    """Somebody is erased, as the Controller ordered."""
    clock, person_id = made.stack.clock, person.id
    with unit_of_work(db, clock, "system:test") as work:
        enter(work, register=Register.INSTRUCTION, letter="DfE-1", from_on=clock().date())
        work.record(Action.PERSON_ADDED, object=f"person:{person_id}", holder=person_id, role="lead_member")
    with unit_of_work(db, clock, "system:test") as work:
        erasure.begin(work, person_id=person_id, letter="DfE-1")
    erasure.finish(Places(made.sessions, made.stack.instance.vault, clock, lambda: None, lambda: None))
    made.erased.append(str(person_id))


def rows(bag: Path, table: str) -> list[dict[str, Any]]:
    with (bag / "data" / "tables" / f"{table}.jsonl").open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def described(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "package.json").read_text(encoding="utf-8"))
    return found


__all__ = ["World", "described", "rows", "world"]
