"""How a package is sealed, what stands against building one, and how it is written down: on one database, since none of
this asks which."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result
from sqlalchemy import select, update

from portal.models import Person
from portal.returning import chapters, packaging
from privacy.certificates import CertificateUnusable, read_certificate, read_private_key
from privacy.envelopes import EnvelopeFailed, open_stream
from privacy.returns import acts, signing, table_files
from privacy.returns.course import EVERYTHING, Act, ReturnKind, Step, Wanted
from privacy.returns.folder import AlreadyThere, BuildFailed
from privacy.returns.verify import PackageBroken, verify
from privacy.work import unit_of_work
from tests.readers import make_reader
from tests.returning import World, described, rows, world


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("here"), None) as made:
        yield made


@pytest.fixture(scope="module")
def package(here: World) -> Path:
    here.build(here.folder / "package")
    return here.folder / "package"


# ---- how it is sealed


def test_it_opens_as_how_to_open_says_with_plain_programs(here: World, package: Path, tmp_path: Path) -> None:
    """The four commands as they are written, in another process with an environment of its own."""
    commands = "\n".join(
        line for line in (package / "HOW-TO-OPEN.txt").read_text().splitlines() if line.startswith("    ")
    )
    assert "Lena" not in commands
    copy = tmp_path / "handed-over"
    copy.mkdir()
    for path in package.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (tmp_path / "YOUR-KEY.pem").write_bytes(here.reader.key.read_bytes())
    (tmp_path / "YOUR-CERTIFICATE.pem").write_bytes(here.reader.certificate.read_bytes())
    script = commands.replace("YOUR-", f"{tmp_path}/YOUR-").replace("../opened", "../again", 1)
    if shutil.which("unzip") is None:
        # A small machine has none: Python does the same.
        script = f'unzip() {{ python3 -m zipfile -e "$2" "$4"; }}\n{script}'
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("--out ../opened", "--out ../checked")],
        cwd=copy,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "checked/bag/data/readable/index.html").is_file()
    digest = hashlib.sha256((copy / "package.json").read_bytes()).hexdigest()
    signing.check_receipt(
        tmp_path / "receipt.p7s", here.reader.certificate, digest=digest, folder=tmp_path / "scratch"
    )


def test_it_is_cut_into_volumes_that_stay_below_the_limit(here: World, tmp_path: Path) -> None:
    limit = 60_000
    made = here.build(tmp_path / "package", limit=limit)
    assert len(made.volumes) > 1
    names = []
    for name, envelope in made.volumes.items():
        assert envelope.plain_bytes <= limit
        opened = tmp_path / "volume.zip"
        opened.write_bytes(b"".join(open_stream(tmp_path / "package" / name, here.reader.key)))
        with zipfile.ZipFile(opened) as archive:
            assert archive.testzip() is None
            names += archive.namelist()
    assert len(names) == len(set(names))
    assert here.verified(tmp_path / "package").rows == made.counts["rows"]


def test_big_tables_come_in_parts(here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "PART_ROWS", 1)
    monkeypatch.setattr(chapters, "AT_ONCE", 1)
    here.build(tmp_path / "package")
    bag = here.opened(tmp_path / "package", tmp_path / "opened")
    assert len(rows(bag, "person")) < len(list((bag / "data/tables").glob("person*.csv"))) * 250
    assert (bag / "data/tables/audit_entry.csv").is_file()
    answers = (bag / "data/readable/answers.html").read_text(encoding="utf-8")
    assert answers.count("<section") == len(rows(bag, "response")) > 1


def test_our_check_key_opens_it_until_it_is_forgotten(here: World, package: Path) -> None:
    keys = here.stack.instance.settings.keys
    own = signing.known_check_key(keys)
    assert own is not None
    assert described(package)["check_key"] == own.fingerprint
    assert verify(package, key=own.path).opened
    saved = own.path.read_bytes()
    signing.forget_check_key(keys)
    assert signing.known_check_key(keys) is None
    own.path.write_bytes(saved)
    read_private_key(own.path)


# ---- what stands against it


@pytest.mark.parametrize(
    "fault", [{"days": 1}, {"bits": 2048}, {"curve": True}, {"encipherment": False}], ids=str
)
def test_a_certificate_that_will_not_do_is_refused(
    here: World, tmp_path: Path, fault: dict[str, int]
) -> None:
    reader = make_reader(tmp_path, "other", **fault)  # type: ignore[arg-type]  # each is a keyword of its own kind
    with pytest.raises(CertificateUnusable):
        make(here, tmp_path / "package", reader.certificate)
    assert not (tmp_path / "package").exists()


def test_a_private_key_given_by_mistake_is_refused(here: World, tmp_path: Path) -> None:
    with pytest.raises(CertificateUnusable, match="private key"):
        make(here, tmp_path / "package", here.reader.key)


def make(here: World, out: Path, certificate: Path) -> None:
    packaging.make(
        here.stack.instance,
        here.stack.engine,
        here.sessions,
        certificates=[certificate],
        out=out,
        course=None,
        scope=EVERYTHING,
        schema=None,
        progress=lambda done, total: None,
    )


def test_a_row_that_does_not_open_ends_it_without_a_package(here: World, tmp_path: Path) -> None:
    with here.sessions() as db:
        person = db.scalars(select(Person).where(Person.name_sealed.is_not(None))).first()
        assert person is not None
        whole, person_id = person.name_sealed, person.id
    spoil(here, person_id, bytes([1]) + b"\0" * 60)
    try:
        with pytest.raises(BuildFailed, match="person"):
            here.build(tmp_path / "package")
    finally:
        spoil(here, person_id, whole)
    assert list((tmp_path / "package").iterdir()) == []
    with pytest.raises(PackageBroken, match="no finished package"):
        verify(tmp_path / "package")
    here.build(tmp_path / "package")
    here.verified(tmp_path / "package")


def spoil(here: World, person_id: object, value: bytes | None) -> None:
    with here.stack.engine.begin() as connection:
        connection.execute(update(Person).where(Person.id == person_id).values(name_sealed=value))


def test_a_full_disk_leaves_no_package(here: World, tmp_path: Path) -> None:
    """The limit on a file's size stands for it: whoever writes beyond gets an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises((EnvelopeFailed, OSError)):
            here.build(tmp_path / "package")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "package").iterdir()) == []


def test_a_package_is_never_written_over(here: World, package: Path, tmp_path: Path) -> None:
    with pytest.raises(AlreadyThere, match="holds a package already"):
        here.build(package)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(AlreadyThere, match="not empty"):
        here.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_two_builders_do_not_share_a_folder(here: World, tmp_path: Path) -> None:
    def second(done: int, total: int) -> None:
        if done == total:
            with pytest.raises(BuildFailed, match="another process"):
                here.build(tmp_path / "package")

    here.build(tmp_path / "package", progress=second)
    here.verified(tmp_path / "package")


def test_progress_ends_where_it_said(here: World, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    here.build(tmp_path / "package", progress=lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1]
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


# ---- by its commands, in its course


def run(here: World, *args: str | Path) -> Result:
    return here.stack.app.test_cli_runner().invoke(args=["return", *map(str, args)])


def test_on_a_demo_the_commands_work_by_themselves(here: World, tmp_path: Path) -> None:
    built = run(here, "build", "--certificate", here.reader.certificate, "--out", tmp_path / "package")
    assert built.exit_code == 0, built.output
    verified = run(here, "verify", tmp_path / "package", "--json")
    assert verified.exit_code == 0, verified.output
    said = json.loads(verified.stdout)
    assert said["opened"]
    assert said["rehearsal"]
    digest = hashlib.sha256((tmp_path / "package/package.json").read_bytes()).hexdigest()
    assert said["digest"] == digest
    assert digest in built.output
    whole = (tmp_path / "package/SHA256SUMS").read_bytes()
    (tmp_path / "package/SHA256SUMS").write_bytes(whole[:-1])
    broken = run(here, "verify", tmp_path / "package")
    assert broken.exit_code == 1
    assert "was altered" in broken.output


def test_a_part_can_be_rehearsed(here: World, tmp_path: Path) -> None:
    built = run(
        here,
        *("build", "--certificate", here.reader.certificate, "--out", tmp_path / "package"),
        *("--about", "lena@northshire.example"),
    )
    assert built.exit_code == 0, built.output
    assert described(tmp_path / "package")["scope"].startswith("person:")
    nobody = run(
        here,
        *("build", "--certificate", here.reader.certificate, "--out", tmp_path / "other"),
        *("--about", "nobody@northshire.example"),
    )
    assert nobody.exit_code == 1
    assert not (tmp_path / "other").exists()


@pytest.fixture
def real(here: World) -> Iterator[None]:
    """The same instance, taken for a real one."""
    instance = here.stack.instance
    here.stack.app.extensions["instance"] = replace(instance, demo=False)
    yield
    here.stack.app.extensions["instance"] = instance


@pytest.mark.usefixtures("real")
def test_a_real_package_is_built_only_in_its_course(here: World, tmp_path: Path) -> None:
    early = run(here, "build", "--certificate", here.reader.certificate, "--out", tmp_path / "package")
    assert early.exit_code == 1
    assert "First comes" in early.output
    course_id = directed(here)
    again = run(here, "build", "--certificate", here.reader.certificate, "--out", tmp_path / "package")
    assert again.exit_code == 1
    assert "First comes" in again.output
    go_on(here, course_id)
    other = make_reader(tmp_path, "other")
    wrong = run(here, "build", "--certificate", other.certificate, "--out", tmp_path / "package")
    assert wrong.exit_code == 1
    assert "not a certificate that came with the direction" in wrong.output
    built = run(here, "build", "--certificate", here.reader.certificate, "--out", tmp_path / "package")
    assert built.exit_code == 0, built.output
    with pytest.raises(packaging.NotOpened):
        packaging.note_verified(here.stack.instance, here.sessions, verify(tmp_path / "package"))
    verified = run(here, "verify", tmp_path / "package")
    assert verified.exit_code == 0, verified.output
    said = described(tmp_path / "package")
    assert (said["direction"], said["rehearsal"]) == ("DfE-7", False)
    with here.sessions() as db:
        course = acts.read(db, course_id)
        event = course.event(Step.BUILD)
        assert event is not None
        assert (event.numbers or {})[packaging.TRAIL_LINES] == said["trail"]["lines"]
        assert course.done(Step.VERIFY)
        assert course.package == hashlib.sha256((tmp_path / "package/package.json").read_bytes()).hexdigest()
    with here.sessions() as db, unit_of_work(db, here.stack.clock, "system:test", frozen_too=True) as work:
        acts.happen(work, return_id=course_id, step=Step.HAND_OVER, digests=[course.package])
    packaging.taken(here.stack.instance, Step.HAND_OVER)
    outside = run(here, "verify", tmp_path / "package")
    assert "nothing was opened" in outside.output
    with here.sessions() as db, unit_of_work(db, here.stack.clock, "system:test", frozen_too=True) as work:
        acts.withdraw(work, return_id=course_id, letter="DfE-8", reason="The contract was extended")


def directed(here: World) -> UUID:
    """A direction, with the Department's certificate."""
    certificate = read_certificate(here.reader.certificate, now=here.stack.clock())
    with here.sessions() as db, unit_of_work(db, here.stack.clock, "system:test") as work:
        made = acts.open_return(work, kind=ReturnKind.FULL, wanted=Wanted.BOTH)
        acts.happen(
            work,
            return_id=made.id,
            step=Step.DIRECTION,
            letter="DfE-7",
            digests=[certificate.fingerprint],
            body={"words": "Return it"},
        )
        return made.id


def go_on(here: World, course_id: UUID) -> None:
    """Everything up to the freeze."""
    with here.sessions() as db, unit_of_work(db, here.stack.clock, "system:test", frozen_too=True) as work:
        for who in ("person:one", "person:two"):
            acts.happen(work, return_id=course_id, step=Step.FINGERPRINT, act=Act.CONFIRMED, by=who)
        for step in (Step.TEST_VOLUME, Step.TEST_READ_BACK, Step.FREEZE):
            acts.happen(work, return_id=course_id, step=step)
