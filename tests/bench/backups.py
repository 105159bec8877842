"""What a backup and a restore of 1 GB take: memory, which must not depend on the size, and time."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

from tests.bench import memory
from tests.conftest import make_stack
from tests.readers import make_reader

MEGABYTES = 1024
LOOK_EVERY_SECONDS = 0.02
ROOT = Path(__file__).resolve().parent.parent.parent
Row = tuple[str, float, str, float, float]
"""Name, value, unit, limit, spread."""


def rows() -> Iterator[Row]:
    """Measure and tell, one at a time. Writes about 4 GB into the system's folder for temporary files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = make_stack(folder, {})
        with stack.engine.begin() as connection:
            connection.exec_driver_sql("create table filler (data blob)")
        for _ in range(MEGABYTES // 64):
            with stack.engine.begin() as connection:
                for _ in range(64):
                    connection.exec_driver_sql("insert into filler values (?)", (os.urandom(1024 * 1024),))
        stack.close()
        reader = make_reader(folder)
        environ = {"PORTAL_INSTANCE": str(folder / "instance")}
        yield from _measured(
            "backup", environ, "create", folder / "backups", "--certificate", reader.certificate
        )
        environ = {"PORTAL_INSTANCE": str(folder / "other"), "PORTAL_KEYS": str(folder / "instance" / "keys")}
        yield from _measured("restore", environ, "restore", folder / "backups", "--key", reader.key)


def _measured(what: str, environ: dict[str, str], *args: str | Path) -> Iterator[Row]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "backup", *map(str, args)]
    began, most = perf_counter(), 0.0
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}) as process:
        while process.poll() is None:
            most = max(most, memory.peak(process.pid))
            sleep(LOOK_EVERY_SECONDS)
    seconds = perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"flask backup {args[0]} ended with {process.returncode}")
    yield f"memory of a {what} of 1 GB", most, "MB", 200.0, 0.0
    yield f"time of a {what} of 1 GB", seconds, "s", 120.0, 0.0
