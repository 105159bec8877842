"""An instance with somebody and something of everything, and a return that has come as far as destroying."""

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session as DbSession

from portal.db import db as flask_db
from portal.desk import backups
from portal.desk.backups import Order as BackupOrder
from portal.instance import Instance
from portal.models import Person
from portal.returning import closing, destruction, destruction_course, destruction_last, destruction_places
from portal.returning.destruction_checks import Order
from portal.returning.destruction_places import Left
from portal.settings import Settings
from privacy import outside
from privacy.backup_folder import Keep
from privacy.holdings import Store
from privacy.keystore import Vault
from privacy.returns import acts
from privacy.returns.course import EVERYTHING, Act, Course, Scope, Step
from privacy.returns.signing import receipt_lines
from privacy.returns.stores import Method, Said
from privacy.returns.tables import ReturnKind, Wanted
from privacy.work import Work, unit_of_work
from surveys import versions
from tests.conftest import SetClock, Stack, make_stack
from tests.factories import Factory
from tests.readers import Reader, give_return_keys, make_reader, with_programs
from tests.two_sides import Side

PACKAGE = hashlib.sha256(b"package.json").hexdigest()
LETTER = "DfE 2024/7"
NAMES = ("Hettie Longbottom", "Wilfred Ashdown")
PHONE = "01632 960777"


@dataclass
class Ended:
    """The world of a return. `sides` are two of everyone, in a large one; `people` two with ordinary names."""

    stack: Stack
    folder: Path
    reader: Reader
    sides: tuple[Side, ...]
    people: tuple[UUID, UUID]
    return_id: UUID
    order: Order
    _opened: list[Left] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.stack.instance.settings

    @property
    def clock(self) -> SetClock:
        return self.stack.clock

    @property
    def instance(self) -> Instance:
        return self.stack.instance

    @property
    def left(self) -> Left:
        """As the command opens it: whole while the site is open, else with whichever keys are left."""
        if closing.read(self.settings.instance) is None:
            return destruction_places.left_of(self.stack.instance, self.stack.engine)
        opened = destruction_places.open_left(self.settings, engine=self.stack.engine, clock=self.clock)
        self._opened.append(opened)
        return opened

    @staticmethod
    def let_go(app: Flask) -> None:
        """Close what a command opened."""
        flask_db.session.remove()
        flask_db.engine.dispose()
        if (instance := app.extensions.get("instance")) is not None:
            instance.vault.engine.dispose()

    def end(self) -> None:
        """Let go of every connection."""
        for engine in (
            self.stack.engine,
            self.instance.vault.engine,
            *(one.vault.engine for one in self._opened),
        ):
            engine.dispose()

    @property
    def vault(self) -> Vault:
        return self.left.vault

    @property
    def course(self) -> Course:
        with self.session() as db:
            course = acts.read(db, self.return_id)
            db.expunge_all()
        return course

    @property
    def reference(self) -> str:
        return self.course.of.ref

    @property
    def result(self) -> Path:
        """The folder of the journal, the certificate and what is kept."""
        return destruction_places.folder_of(self.settings, self.reference)

    def session(self) -> DbSession:
        return self.left.session()

    @contextmanager
    def work(self) -> Iterator[Work]:
        with self.session() as db, unit_of_work(db, self.clock, "system:test", frozen_too=True) as work:
            yield work

    def happen(self, step: Step, act: Act = Act.DONE, **evidence: Any) -> None:
        with self.work() as work:
            acts.happen(work, return_id=self.return_id, step=step, act=act, **evidence)

    def to_confirm(self) -> list[str]:
        with self.session() as db:
            return [line.store.name for line in destruction.to_confirm(self.left, db, self.course)]

    def confirm(self, *but: str, **said: Any) -> None:
        """Somebody says of every store that it was destroyed by hand."""
        for name in self.to_confirm():
            if name not in but:
                self.confirm_one(name, **said)

    def confirm_one(self, name: str, **said: Any) -> None:
        today = self.clock.pass_time(seconds=1).date()
        words = {"who": "Systems engineer", "witness": "Information officer", "evidence": "T-12", **said}
        with self.session() as db:
            known = destruction.to_confirm(self.left, db, self.course)
        with self.work() as work:
            destruction.confirm(
                work,
                self.return_id,
                store=name,
                said=Said(**{"method": Method.DELETE, "done_on": today, **words}),
                known=known,
            )

    def begin(self) -> None:
        destruction.begin(self.left, self.course, self.order)

    def destroy(self) -> destruction_course.Certified:
        """What the command does."""
        left = self.left
        destruction.begin(left, self.course, self.order)
        done = destruction_course.go_on(left, self.reference)
        destruction_last.settle(left)
        return done


def ended(
    folder: Path,
    environ: dict[str, str],
    *,
    large: bool = False,
    scope: Scope = EVERYTHING,
    walk: bool = True,
) -> Ended:
    """Make one: two people, or in a large one somebody and something of everything besides."""
    stack = make_stack(folder, environ)
    stack = replace(stack, instance=with_programs(stack.instance))
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    with sessions() as db:
        make = Factory(db, stack.clock, stack.instance.programme)
        sides: tuple[Side, ...] = ()
        if large:
            versions.publish_shipped(db, stack.clock)
            sides = Side(make, "first"), Side(make, "second")
        people = _people(make)
        with unit_of_work(db, stack.clock, "system:test") as work:
            outside.describe(
                work, Store("shared mailbox", "the team's mail", "a password", "a year", outside=True)
            )
            kind = ReturnKind.FULL if scope == EVERYTHING else ReturnKind.PARTIAL
            return_id = acts.open_return(work, kind=kind, wanted=Wanted.BOTH, scope=scope).id
    reader = make_reader(folder, "department")
    give_return_keys(folder, stack.instance.settings.keys)
    stack.instance.outbox.mkdir(parents=True)
    (stack.instance.outbox / "1-mail.eml").write_text(f"Dear {NAMES[0]}")
    ordered = Order(folder / "receipt.p7s", "Operator of the portal", "Information officer")
    made = Ended(stack, folder, reader, sides, people, return_id, ordered)
    backed_up(made)
    if walk:
        walk_to_destroy(made)
    return made


def backed_up(made: Ended, *, keep: int | None = None) -> None:
    """Make a backup; `keep` is how many stay."""
    kept = Keep(count=keep) if keep else None
    order = BackupOrder(made.folder / "backups", [made.reader.certificate], kept, kept)
    sessions = partial(DbSession, made.stack.engine, info={"vault": made.instance.vault})
    backups.create(made.instance, sessions, order)


def _people(make: Factory) -> tuple[UUID, UUID]:
    council = make.council()
    first, second = (make.person(name, council=council) for name in NAMES)
    with unit_of_work(make.db, make.clock, "system:test") as work:
        work.db.get_one(Person, first.id).phone = PHONE
    return first.id, second.id


def sign_receipt(made: Ended) -> str:
    """The Department's signature over the digest of the package; returns the digest of the signature."""
    signed = made.folder / "package.json.sha256"
    signed.write_bytes(receipt_lines(PACKAGE)[0])
    command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", signed]
    command += [
        "-signer",
        made.reader.certificate,
        "-inkey",
        made.reader.key,
        "-out",
        made.folder / "receipt.p7s",
    ]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return hashlib.sha256((made.folder / "receipt.p7s").read_bytes()).hexdigest()


def walk_to_destroy(made: Ended) -> None:
    """Every step before destroying, by two people where it takes two."""
    pem = made.reader.certificate.read_text()
    two = [f"person:{one}" for one in made.people]
    made.happen(
        Step.DIRECTION, letter=LETTER, digests=["ab"], body={"certificates": [pem], "words": "Return it."}
    )
    for one in two:
        made.happen(Step.FINGERPRINT, Act.CONFIRMED, by=one, digests=["ab"])
    made.happen(Step.TEST_VOLUME, digests=["cd"])
    made.happen(Step.TEST_READ_BACK)
    made.happen(Step.FREEZE)
    for step in (Step.BUILD, Step.VERIFY, Step.HAND_OVER):
        made.happen(step, digests=[PACKAGE])
    made.happen(Step.RECEIPT, digests=[PACKAGE, sign_receipt(made)], body={"words": "By their own key."})
    for one in two:
        made.happen(Step.AUTHORITY, Act.CONFIRMED, by=one, letter=LETTER)
    for one in two:
        made.happen(Step.DESTROY, Act.CONFIRMED, by=one)
    made.clock.pass_time(minutes=1)
