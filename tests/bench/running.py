"""Servers to measure: the product as `flask serve` runs it, and the ceiling behind the same server; and what they use.

python -m tests.bench.running PORT    serves tests/bench/ceiling.py
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from granian import Granian
from granian.constants import Interfaces

from portal.cli.serve import ADDRESS, BLOCKING_THREADS
from tests.bench import ceiling, memory
from tests.bench.world import World
from tests.faults.server import Server, children_of
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


class Pages:
    """The processes that answer pages, and where they do."""

    def __init__(self, port: int, pids: Sequence[int]) -> None:
        self.port = port
        self._pids = pids

    def cpu_seconds(self) -> float:
        """What they have used so far, their own time and the system's on their behalf."""
        return sum(map(_cpu_seconds, self._pids))

    def megabytes(self) -> float:
        """What one of them has in memory, its share of pages that others have too: the largest."""
        return max(map(memory.share, self._pids))

    def handles(self) -> int:
        """Their open files and connections."""
        return sum(1 for pid in self._pids for _ in Path(f"/proc/{pid}/fd").iterdir())


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def product(world: World, *, processes: int = 1) -> Iterator[Pages]:
    """`flask serve` on a world's instance, from its clock's moment on; the worker runs beside it."""
    with Server(world.stack, PORTAL_PROCESSES=str(processes)) as server:
        yield Pages(server.port, server.pages())


@contextmanager
def bare(folder: Path, *, page_bytes: int) -> Iterator[Pages]:
    """The ceiling, in a folder of its own, with pages of this size."""
    (folder / ceiling.SIZE).write_text(str(page_bytes))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.running", str(port)],
        cwd=ROOT,
        env={**os.environ, ceiling.FOLDER: str(folder)},
    )
    try:
        _wait(f"http://{ADDRESS}:{port}/page")
        yield Pages(port, [_serving(process.pid)])
    finally:
        process.terminate()
        process.wait(30)


def _serving(pid: int) -> int:
    """The child that answers pages; not the worker, nor what helps to start them."""
    return next(number for number, words in children_of(pid) if "spawn_main" in words)


def _wait(address: str) -> None:
    for _ in range(1000):
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.03)
    raise TimeoutError(address)


def main() -> None:
    multiprocessing.set_start_method("spawn")
    Granian(
        "tests.bench.ceiling:make_app",
        factory=True,
        address=ADDRESS,
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    main()
