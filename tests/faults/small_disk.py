"""A disk with little room, where the databases of an instance lie: filled up when a test says so.

As root it is a tmpfs of its own; for PostgreSQL, a tablespace there. Who may not mount anything (then only SQLite is
tried) gets a limit to how large the server's processes may make a file: for SQLite that is a disk that takes no more,
though it hears of it in other words.
"""

import errno
import io
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.faults.server import Server
from tests.postgres import NOBODY

MOUNTS = os.geteuid() == 0
NAMES = ("small", "small_keys")


class MountedDisk:
    """A tmpfs at `path`. `alert` is what those who run the portal read of it, where and in which words."""

    alert: ClassVar = {"/readyz": "disk: no room is left", "log": "database.full"}

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def full(self, server: Server) -> Iterator[None]:
        """No byte is free within the block."""
        ballast = self.path / "ballast"
        try:
            with ballast.open("wb", buffering=0) as filling:
                _fill(filling)
            yield
        finally:
            ballast.unlink()


class LimitedFiles:
    """A folder whose files the server cannot make any larger for a while."""

    alert: ClassVar = {"log": "database.away"}

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def full(self, server: Server) -> Iterator[None]:
        """No file grows within the block."""
        self._limit(server, max(file.stat().st_size for file in self.path.glob("*.sqlite*")))
        yield
        self._limit(server, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(server: Server, size: int) -> None:
        for process_id in server.children():
            resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _fill(file: io.FileIO) -> None:
    """Write until there is no room for more, not even for little."""
    for piece in (64 * 1024, 512):
        try:
            while file.write(b"x" * piece):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


SmallDisk = MountedDisk | LimitedFiles


@contextmanager
def small_disk(*, megabytes: int) -> Iterator[SmallDisk]:
    """An empty disk; not below pytest's folders, which a database server that runs as somebody else may not enter."""
    path = Path(tempfile.mkdtemp(prefix="small-"))
    try:
        if not MOUNTS:
            yield LimitedFiles(path)
            return
        options = f"size={megabytes}m,mode=0777"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
        try:
            yield MountedDisk(path)
        finally:
            subprocess.run(["umount", path], check=True)
    finally:
        shutil.rmtree(path)


def sqlite_there(disk: SmallDisk) -> dict[str, str]:
    """The settings of databases on the disk."""
    return {
        "DATABASE_URL": f"sqlite:///{disk.path / 'portal.sqlite'}",
        "KEYSTORE_URL": f"sqlite:///{disk.path / 'keystore.sqlite'}",
    }


@contextmanager
def postgres_there(disk: SmallDisk, server_url: str) -> Iterator[dict[str, str]]:
    """The same of a PostgreSQL server whose log of changes has room elsewhere: without any it would stop."""
    url = make_url(server_url)
    os.chown(disk.path, NOBODY, -1)
    space, names = sql.Identifier("small"), [sql.Identifier(name) for name in NAMES]
    with psycopg.connect(f"host={url.query['host']} user=postgres dbname=postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("create tablespace {} location {}").format(space, sql.Literal(str(disk.path))))
        try:
            for name in names:
                admin.execute(sql.SQL("create database {} tablespace {}").format(name, space))
            made = [url.set(database=name).render_as_string(hide_password=False) for name in NAMES]
            yield dict(zip(("DATABASE_URL", "KEYSTORE_URL"), made, strict=True))
        finally:
            for name in names:
                admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            admin.execute(sql.SQL("drop tablespace {}").format(space))
