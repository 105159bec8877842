"""The worker beside the server: started again when it dies, ended with it, and after it even when it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from portal.cli.processes import Companion

ROOT = Path(__file__).resolve().parent.parent.parent


def wait_until(holds: Callable[[], bool], seconds: float = 15) -> bool:
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        time.sleep(0.05)
    return holds()


def runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def companion(tmp_path: Path, code: str, told: list[str]) -> Companion:
    command = [sys.executable, "-c", code, str(tmp_path / "ran")]
    return Companion(command, folder=tmp_path, environ=lambda: dict(os.environ), tell=told.append)


def test_started_again_and_ended(tmp_path):
    told: list[str] = []
    code = (
        "import os, sys, time; log = open(sys.argv[1], 'a'); log.write(f'{os.getpid()}\\n'); log.close(); "
        "lines = len(open(sys.argv[1]).readlines()); time.sleep(60 if lines > 2 else 0); sys.exit(3)"
    )
    beside = companion(tmp_path, code, told)
    beside.start()

    def started() -> list[int]:
        path = tmp_path / "ran"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    assert wait_until(lambda: len(started()) == 3)
    beside.stop()
    assert not runs(started()[-1])
    assert [words.split(":")[0] for words in told] == ["the worker ended with 3"] * 2


def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    child = (
        "import os, sys, time; from portal.cli.processes import end_with; end_with(int(sys.argv[1])); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time; "
        f"subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())]); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child_id = int(process.stdout.readline())
        assert runs(child_id)
        process.send_signal(signal.SIGKILL)
        assert wait_until(lambda: not runs(child_id) or is_zombie(child_id))


def is_zombie(process_id: int) -> bool:
    """Where nobody collects orphans, an ended process keeps its id."""
    said = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return said.stdout.strip().startswith("Z")
