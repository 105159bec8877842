"""Processes that belong together: a companion that is kept running, and children that end with their parent."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LOOK_EVERY_SECONDS = 0.5
GRACE_SECONDS = 10
FIRST_PAUSE_SECONDS = 1.0
PAUSE_AT_MOST_SECONDS = 10.0


class Pause:
    """How long to wait before a process that ended is started again: not at all for one that was killed, else longer
    from time to time, for one that ends soon after it was started."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE_SECONDS

    def after(self, ran: float, *, killed: bool) -> float:
        """Seconds to wait, for one that ran that many seconds."""
        if ran > PAUSE_AT_MOST_SECONDS:
            self._next = FIRST_PAUSE_SECONDS
        if killed:
            return 0.0
        waits, self._next = self._next, min(self._next * 2, PAUSE_AT_MOST_SECONDS)
        return waits


def end_with(parent: int) -> None:
    """End this process when its parent does, even if that was killed and could tell nobody.

    A process whose parent is gone has another one: that is looked at twice a second, on every system alike.
    """
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


class Companion:
    """Runs a command beside this process and starts it again when it ends, however that came (see Pause)."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environ: Callable[[], dict[str, str]],
        tell: Callable[[str], None],
    ) -> None:
        self.command = command
        self.folder = folder
        self.environ = environ
        self.tell = tell
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="companion", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def renew(self) -> None:
        """End the command, so that it is started anew, with the software that is there now."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def stop(self) -> None:
        """End the command and wait for it; after the grace it is killed."""
        self._ending.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(GRACE_SECONDS)

    def _keep(self) -> None:
        pause = Pause()
        while not self._ending.is_set():
            began = time.monotonic()
            code = self._run()
            if self._ending.is_set():
                return
            waits = pause.after(time.monotonic() - began, killed=code is not None and code < 0)
            self.tell(f"the worker ended with {code}: it starts again in {waits:.0f} s")
            self._ending.wait(waits)

    def _run(self) -> int | None:
        """Its exit code, once it has ended; None where the machine has no room for another process."""
        try:
            self._process = subprocess.Popen(self.command, cwd=self.folder, env=self.environ())
        except OSError:
            return None
        if self._ending.is_set():
            self._process.terminate()
        return self._process.wait()
