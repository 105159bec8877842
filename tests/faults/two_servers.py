"""Two PostgreSQL servers on this machine: one that is written to, and a standby that has everything it acknowledged."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psycopg

from tests.postgres import KEEPER, PostgresFailed, _initialise, _runnable

SECONDS = 60
COMMON = {
    "fsync": "off",  # processes are killed here, not the machine
    "full_page_writes": "off",
    "max_connections": "60",
    "listen_addresses": "",
    "timezone": "UTC",
    "wal_level": "replica",
    "hot_standby": "on",
}


class Postgres:
    """One of them, with its data and its socket in a folder of its own."""

    def __init__(self, home: Path, programs: Path, user: int | None) -> None:
        self.home, self.programs, self.user = home, programs, user
        self.data = home / "data"
        self._keeper: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *args: str | Path) -> None:
        """One of PostgreSQL's programs, as the user whose data it is."""
        done = subprocess.run(
            [self.programs / program, *args],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PostgresFailed(f"{program} failed:\n{done.stderr}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"--{name}={value}" for name, value in COMMON.items()]
        with (self.home / "log").open("ab") as log:
            # The server lives as long as the pipe to this shell is open.
            self._keeper = subprocess.Popen(
                [
                    "/bin/sh",
                    "-c",
                    KEEPER,
                    "keeper",
                    self.programs / "postgres",
                    "-D",
                    self.data,
                    "-k",
                    self.home,
                    *options,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.home,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
            )
        until = time.monotonic() + SECONDS
        while not self.answers():
            if time.monotonic() > until:
                raise PostgresFailed((self.home / "log").read_text()[-2000:])
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            self.ask("select 1")
        except psycopg.Error:
            return False
        return True

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(f"host={self.home} user=postgres dbname=postgres", autocommit=True) as wire:
            cursor = wire.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def end(self, how: signal.Signals) -> None:
        """SIGQUIT is an end without warning, SIGINT one that breaks every connection in good order."""
        if self._keeper is None:
            return
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        subprocess.run(["kill", f"-{how.value}", str(pid)], check=True)
        until = time.monotonic() + SECONDS
        while (self.data / "postmaster.pid").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        self._keeper.communicate()
        self._keeper = None


class Pair:
    """The first is written to; the second follows it, and nothing is acknowledged that it does not have."""

    def __init__(self, first: Postgres, second: Postgres) -> None:
        self.first, self.second = first, second

    def follow(self) -> None:
        """Make the second follow the first, and every commit wait for it."""
        self.second.run(
            "pg_basebackup",
            *("-h", self.first.home, "-U", "postgres", "-D", self.second.data),
            *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        )
        self.second.start()
        self.first.ask("alter system set synchronous_standby_names = '*'")
        self.first.ask("select pg_reload_conf()")
        until = time.monotonic() + SECONDS
        while self.first.ask("select sync_state from pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < until
            time.sleep(0.02)

    def promote(self) -> None:
        """Write to the second from now on."""
        self.second.ask("select pg_promote()")

    def url(self, database: str) -> str:
        """By which a program finds whichever is written to."""
        hosts = f"{self.first.home},{self.second.home}"
        return f"postgresql+psycopg://postgres@/{database}?host={hosts}&target_session_attrs=read-write"

    def __enter__(self) -> "Pair":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self.second, self.first):
            one.end(signal.SIGQUIT)


@contextmanager
def two_servers() -> Iterator[Pair]:
    """A server that runs and one that is still to follow it; both are gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="pg2-"))
    try:
        programs, user = _runnable(home)
        made = []
        for name in ("a", "b"):
            folder = home / name
            folder.mkdir()
            if user is not None:
                shutil.chown(folder, user)
            made.append(Postgres(folder, programs, user))
        _initialise(programs / "initdb", data=made[0].data, user=user)
        made[0].start()
        with Pair(*made) as pair:
            yield pair
    finally:
        shutil.rmtree(home)
