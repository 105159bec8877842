"""The end of the contract, walked whole on both databases: from the direction to the closing page, by the commands and
pages that people have; the Department opens what it gets with plain `openssl`, in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.app import create_app, show_closed
from portal.db import db as flask_db
from portal.models import Person, Role
from portal.returning import destruction, destruction_places
from privacy.returns import acts
from privacy.returns.course import Course, Step
from surveys import versions
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.postgres import fresh_database
from tests.readers import make_reader
from tests.two_sides import Side

SAID = ("--by", "Systems engineer", "--witness", "Information officer", "--on", "2023-03-01")


@dataclass(frozen=True)
class Department:
    """The Department's own machine: a folder with a key, and a certificate by an authority that is thrown away."""

    folder: Path

    @classmethod
    def with_certificate(cls, folder: Path) -> "Department":
        folder.mkdir()
        make_reader(folder, "authority", encipherment=False)
        make_reader(folder, "department", issuer="authority")
        return cls(folder)

    @property
    def certificate(self) -> Path:
        return self.folder / "department.crt"

    def run(self, *words: str | Path) -> str:
        """A program there, which knows nothing of ours."""
        ended = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{words}: {ended.stderr or ended.stdout}"
        return ended.stdout

    def fingerprint(self) -> str:
        return self.run("openssl", "x509", "-in", "department.crt", "-noout", "-sha256", "-fingerprint")

    def open(self, sealed: Path, out: str) -> bytes:
        decrypt = ("openssl", "cms", "-decrypt", "-inform", "DER", "-in", sealed, "-inkey", "department.key")
        self.run(*decrypt, "-out", out)
        return (self.folder / out).read_bytes()

    def sign(self, name: str) -> Path:
        sign = ("openssl", "cms", "-sign", "-binary", "-in", name, "-outform", "DER", "-out", "receipt.p7s")
        self.run(*sign, "-signer", "department.crt", "-inkey", "department.key")
        return self.folder / "receipt.p7s"


@dataclass(frozen=True)
class World:
    """A portal with two of everyone, whose contract ends."""

    stack: Stack
    sides: tuple[Side, Side]
    officer: UUID
    deputy: UUID
    folder: Path

    def command(self, *words: str | Path, fails: bool = False) -> str:
        """`flask return ...`, in an app of its own, as far as one can be: nothing of an earlier command is open."""
        app = create_app(self.stack.instance.settings, self.stack.clock)
        try:
            ended = app.test_cli_runner().invoke(args=["return", *map(str, words)])
        finally:
            with app.app_context():
                flask_db.session.remove()
                flask_db.engine.dispose()
                if (instance := app.extensions.get("instance")) is not None:
                    instance.vault.engine.dispose()
        assert (ended.exit_code != 0) is fails, f"{words}: {ended.output}"
        return ended.output

    def step(self, name: str, *words: str | Path) -> str:
        return self.command("step", name, *words)

    def refused(self, name: str, *words: str | Path) -> str:
        return self.command("step", name, *words, fails=True)

    @property
    def course(self) -> Course:
        with self.session() as db:
            course = acts.courses(db)[0]
            db.expunge_all()
        return course

    def session(self) -> DbSession:
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def ref(self, person_id: UUID) -> str:
        with self.session() as db:
            return db.get_one(Person, person_id).ref

    def browser(self, person_id: UUID) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(person_id)

    def let_go(self) -> None:
        """Stop what serves the pages: files that are open cannot be built anew."""
        self.stack.close()

    def by_hand(self) -> list[str]:
        """What has to be confirmed one by one, since no program reaches it."""
        left = destruction_places.left_of(self.stack.instance, self.stack.engine)
        with self.session() as db:
            return [line.store.name for line in destruction.to_confirm(left, db, self.course)]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    environ = {}
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        names = {"DATABASE_URL": "returned", "KEYSTORE_URL": "returned_keys"}
        environ = {setting: fresh_database(server, name=name) for setting, name in names.items()}
    stack = make_stack(tmp_path, environ)
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        sides = Side(make, "first"), Side(make, "second")
        # What the sides hold of returns is no part of this one.
        for course in acts.courses(db):
            for row in (*course.events, course.of):
                db.delete(row)
        db.commit()
        officer, deputy = (make.person(name, role=Role.DPO).id for name in ("Ingrid", "Joel"))
    made = World(stack, sides, officer, deputy, tmp_path)
    yield made
    made.let_go()


def test_the_data_goes_back_whole_and_nothing_is_left_here(world: World, tmp_path: Path) -> None:
    department = Department.with_certificate(tmp_path / "department")
    package = tmp_path / "package"
    _direct_and_test(world, department)
    _freeze(world)
    _build(world, department, package)
    receipt = _hand_over(world, department, package)
    _destroy(world, receipt)
    _look_at_what_is_left(world)


def _direct_and_test(world: World, department: Department) -> None:
    assert "takes --letter, --on and --words" in world.refused("direction", "--letter", "DFE 31")
    letter = ("--letter", "DFE 31", "--on", "2023-03-01", "--words", "Return it all, then delete it.")
    world.step("direction", *letter, "--certificate", department.certificate)
    assert "First comes" in world.refused("freeze")
    heard = ("--fingerprint", department.fingerprint().strip(), "--words", "Rang 020 7946 0000")
    world.step("fingerprint", *heard, "--person", world.ref(world.officer))
    assert "somebody else" in world.refused("fingerprint", *heard, "--person", world.ref(world.officer))
    assert "no data protection officer" in world.refused(
        "fingerprint", *heard, "--person", world.ref(world.sides[0].mentor)
    )
    world.step("fingerprint", *heard, "--person", world.ref(world.deputy))
    world.step("test-volume")
    sealed = world.stack.instance.settings.instance / "returns" / world.course.of.ref / "test-volume.cms"
    code = department.open(sealed, "test.txt").decode().split("code in it is ")[1].split()[0]
    world.step("test-read-back", "--code", code, "--words", "Told by telephone")


def _freeze(world: World) -> None:
    leader = world.browser(world.sides[0].leader)
    leader.get("/your-support")
    world.step("freeze")
    assert leader.get("/your-support", status=503).heading == "The programme's data is being handed back"
    assert "being handed back" in world.browser(world.officer).get("/desk").words()


def _build(world: World, department: Department, package: Path) -> None:
    assert "First comes" in world.refused("hand-over", "--how", "media", "--words", "Nobody")
    certificate = ("--certificate", department.certificate)
    world.command("build", *certificate, "--out", package)
    world.command("verify", package)
    assert world.course.next is Step.HAND_OVER


def _hand_over(world: World, department: Department, package: Path) -> Path:
    """The Department gets a copy of the folder, opens it with what it has, and signs for it."""
    copy = department.folder / "package"
    shutil.copytree(package, copy)
    world.step("hand-over", "--how", "media", "--words", "Signed for at the front desk", "--on", "2023-03-01")
    found = json.loads((copy / "package.json").read_text())
    names = set()
    for name in found["volumes"]:
        department.open(copy / name, "opened.zip")
        with zipfile.ZipFile(department.folder / "opened.zip") as volume:
            assert volume.testzip() is None
            names |= set(volume.namelist())
            people = [one for one in volume.namelist() if one.endswith("tables/person.jsonl")]
            for one in people:
                assert "firstleadername" in volume.read(one).decode()
    assert any(name.endswith("readable/index.html") for name in names)
    checked = department.run(
        sys.executable, "-I", copy / "verify_return.py", copy, "--key", "department.key", "--json"
    )
    assert json.loads(checked)["digest"] == world.course.package
    line = department.run("sha256sum", "package/package.json").replace("package/", "")
    (department.folder / "receipt.txt").write_text(line)
    receipt = department.sign("receipt.txt")
    assert "not the signature" in world.refused("receipt", "--receipt", _by_a_stranger(department))
    world.step("receipt", "--receipt", receipt)
    return receipt


def _by_a_stranger(department: Department) -> Path:
    """A signature over the same line by the authority's key, which is nobody's who was named."""
    out = department.folder / "stranger.p7s"
    sign = ("openssl", "cms", "-sign", "-binary", "-in", "receipt.txt", "-outform", "DER", "-out", out)
    department.run(*sign, "-signer", "authority.crt", "-inkey", "authority.key")
    return out


def _destroy(world: World, receipt: Path) -> None:
    go = ("destroy", "--receipt", receipt, "--yes", "--witness", "Information officer")
    assert "First comes: the Department's written authority" in world.command(*go, fails=True)
    for person_id in (world.officer, world.deputy):
        letter = ("--letter", "DFE 40", "--words", "The copies may be deleted")
        world.step("authority", *letter, "--person", world.ref(person_id))
    for person_id in (world.officer, world.deputy):
        world.step("destroy", "--person", world.ref(person_id))
    for store in world.by_hand():
        world.command("store", store, "--method", "delete", *SAID, "--evidence", "T-1")
    world.let_go()
    world.command(*go)


def _look_at_what_is_left(world: World) -> None:
    with DbSession(world.stack.engine) as db:
        assert db.scalar(select(func.count()).select_from(Person)) == 0
        course = acts.courses(db)[0]
        assert course.done(Step.CERTIFICATE)
        assert not course.may(Step.BUILD)
        assert {event.body_sealed for event in course.events} == {None}
    app = create_app(world.stack.instance.settings, world.stack.clock)
    show_closed(app)
    for path in ("/", "/sign-in", "/your-support"):
        answer = app.test_client().get(path)
        assert "firstleadername" not in answer.get_data(as_text=True)
        assert answer.status_code in (200, 404, 410, 503)
    with app.app_context():
        flask_db.engine.dispose()
