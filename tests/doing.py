"""Commands in real processes of their own that can be killed: forked from one that has imported the portal."""

import multiprocessing
import os
import sys
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import monotonic

from flask.cli import ScriptInfo

from portal.app import create_app
from portal.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.doing"])


def _act(environ: Mapping[str, str], args: list[str], told: Connection, log: Path) -> None:
    os.environ.update(environ)
    with log.open("w", encoding="utf-8") as output:
        sys.stdout = sys.stderr = output
        app = create_app(Settings.from_environ(environ, root=ROOT))
        told.send("begins")
        try:
            app.cli.main(args=args, prog_name="flask", obj=ScriptInfo(create_app=lambda: app))
        except Exception:
            # Told further up it would be told to a file that is closed by then.
            traceback.print_exc()
            raise


class Doing:
    """One command. It has begun, but for what starting costs, when this is made."""

    def __init__(self, environ: Mapping[str, str], *args: str | Path, log: Path) -> None:
        self.log = log
        ours, theirs = _FORKS.Pipe()
        self._process: ForkServerProcess = _FORKS.Process(
            target=_act, args=(dict(environ), [str(part) for part in args], theirs, log)
        )
        self._process.start()
        theirs.close()
        ours.recv()
        ours.close()
        self._since = monotonic()

    def finish(self) -> float:
        """Wait until it is done; returns how many seconds it took."""
        self._process.join()
        seconds = monotonic() - self._since
        code = self._process.exitcode
        self._process.close()
        assert code == 0, f"ended with {code}: {self.log.read_text(encoding='utf-8')}"
        return seconds

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """Nothing it could catch."""
        self._process.kill()
        self._process.join()
        self._process.close()
