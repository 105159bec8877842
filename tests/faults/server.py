"""`flask serve` as people run it, a group of processes that can be killed one by one or all at once."""

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tests.conftest import Stack
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
FLASK = Path(sys.executable).with_name("flask")
PATIENCE = 60
"""Seconds in which a server must be there on a busy machine."""


def slowed() -> float:
    """How many times longer things take here now than on a machine that does nothing else; no more than three."""
    return min(3.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def environ_of(stack: Stack) -> dict[str, str]:
    """The instance of a stack, as processes of the product find it."""
    settings = stack.instance.settings
    # Compiled once, as where the software is installed, also if this environment would rather compile at each start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PORTAL_INSTANCE": str(settings.instance),
        "DATABASE_URL": settings.database_url,
        "KEYSTORE_URL": settings.keystore_url,
    }


class Server:
    """Serves the instance of a stack on a port of its own, from `moment` on. A context: at its end all is stopped."""

    def __init__(self, stack: Stack, *, moment: datetime | None = None, **environ: str | None) -> None:
        """`environ` adds to what it finds there; None takes away."""
        self.stack = stack
        self.moment = moment or stack.clock()
        self.port = free_port()
        self.environ = environ
        self.log = stack.instance.settings.instance / f"serve-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> float:
        """Start it; returns after how many seconds a page answered."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [FLASK, "serve", "--port", str(self.port)],
                cwd=ROOT,
                env={name: value for name, value in self._environ().items() if value is not None},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready()
        return time.monotonic() - began

    def _environ(self) -> dict[str, str | None]:
        return {
            **environ_of(self.stack),
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "PORTAL_NOW": self.moment.isoformat(),
            **self.environ,
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until a page answers."""
        until = time.monotonic() + PATIENCE
        while not self.answers():
            assert self._process is not None
            assert self._process.poll() is None, f"the server has ended: {self.said()}"
            assert time.monotonic() < until, f"no page answers: {self.said()}"
            time.sleep(0.02)

    def answers(self, *, seconds: float = 5) -> bool:
        """Whether a page answers now."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            wire.request("GET", "/healthz")
            return wire.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            wire.close()

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-20_000:]

    def children(self) -> list[int]:
        """The processes that serve pages or do the worker's work; not those that only help to start them."""
        return [number for number, words in children_of(self.pid) if "resource_tracker" not in words]

    def pages(self) -> list[int]:
        """Those of them that serve pages."""
        return sorted(set(self.children()) - set(self.workers()))

    def workers(self) -> list[int]:
        return [number for number, words in children_of(self.pid) if " worker " in words]

    @staticmethod
    def kill(process_id: int) -> None:
        """Nothing that it could catch."""
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)

    def kill_everything(self) -> None:
        """All of them at once."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(PATIENCE)

    def hang_up(self) -> None:
        """Ask for a rolling restart."""
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE / 2)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise


def children_of(parent: int) -> list[tuple[int, str]]:
    """The living children of a process, each with its command line."""
    said = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 3) for line in said.splitlines()]
    return [
        (int(row[0]), row[3])
        for row in rows
        if len(row) == 4 and int(row[1]) == parent and not row[2].startswith("Z")
    ]
