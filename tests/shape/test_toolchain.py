"""The tools that tests and set-up stand on, and what no file may name."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import requires as installed_needs
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sqlalchemy import create_engine, text

from tests.browser import launch
from tests.locks import requirements
from tests.postgres import fresh_database, postgres_program, running_postgres

ROOT = Path(__file__).parents[2]

# Written in parts, so that this file doesn't name them either.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
]


def tracked_files() -> list[Path]:
    """What git has or would take: ignored files are not ours."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_postgres_starts_answers_and_is_gone_afterwards() -> None:
    with running_postgres() as server:
        engine = create_engine(fresh_database(server, name="tried out"))
        with engine.connect() as connection:
            assert connection.execute(text("select 1")).scalar() == 1
            assert connection.execute(text("select current_database()")).scalar() == "tried out"
            home = Path(str(engine.url.query["host"]))
            connection.execute(text("create table left_over (id int)"))
            connection.commit()
        engine.dispose()
        again = create_engine(fresh_database(server, name="tried out"))
        with again.connect() as connection:
            assert connection.execute(text("select to_regclass('left_over')")).scalar() is None
        again.dispose()
    assert not home.exists()


def test_pg_dump_is_of_the_same_release_as_the_server() -> None:
    dump, server = (
        subprocess.run(
            [postgres_program(name), "--version"], check=True, capture_output=True, text=True
        ).stdout
        for name in ("pg_dump", "postgres")
    )
    assert dump.split()[-1] == server.split()[-1]


def test_chromium_shows_a_page() -> None:
    with launch() as browser:
        page = browser.new_page()
        page.set_content("<h1>Your support</h1>")
        assert page.inner_text("h1") == "Your support"


def test_no_file_names_a_package_registry() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked_files()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert named == []


def test_every_locked_package_has_a_hash() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        entries = re.split(r"\n(?=[a-z0-9])", lock.read_text())
        unhashed = [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
        assert unhashed == [], lock.name


def test_runtime_and_test_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
@pytest.mark.parametrize("release", ["3.11.0", "3.11.2", "3.11.9", "3.12.3", "3.13.1", "3.14.0"])
def test_a_lock_names_what_each_release_of_python_needs(lock: str, release: str) -> None:
    """Debian 12 has 3.11.2, where redis needs a package that it doesn't need from 3.11.3 on."""
    python = {name: str(value) for name, value in default_environment().items()}
    python |= {"python_full_version": release, "python_version": release.rpartition(".")[0]}
    locked = {canonicalize_name(one.name) for one in requirements(lock) if _is_needed(one, python)}
    assert locked
    missing = {
        f"{name} needs {needed.name}"
        for name in locked
        for needed in _needs(name)
        if _is_needed(needed, python) and canonicalize_name(needed.name) not in locked
    }
    assert missing == set()


def _needs(name: str) -> Iterator[Requirement]:
    """What an installed package says it needs; what another Python alone would install says nothing here."""
    try:
        said = installed_needs(name)
    except PackageNotFoundError:
        return
    yield from map(Requirement, said or [])


def _is_needed(one: Requirement, python: dict[str, str]) -> bool:
    return one.marker is None or one.marker.evaluate(python | {"extra": ""})


def test_the_project_asks_for_the_python_that_types_are_checked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lowest = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["mypy"]["python_version"] == lowest
