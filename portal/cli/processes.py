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
PAUSE_AT_MOST_SECONDS = 30.0


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
    """Runs a command beside this process and starts it again, after a pause that grows to half a minute."""

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
        self._thread.join(GRACE_SECONDS)

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._ending.is_set():
            began = time.monotonic()
            self._process = subprocess.Popen(self.command, cwd=self.folder, env=self.environ())
            if self._ending.is_set():
                self._process.terminate()
            code = self._process.wait()
            if self._ending.is_set():
                return
            if time.monotonic() - began > PAUSE_AT_MOST_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.tell(f"the worker ended with {code}: it starts again in {pause:.0f} seconds")
            self._ending.wait(pause)
            pause = min(pause * 2, PAUSE_AT_MOST_SECONDS)
