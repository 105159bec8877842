"""How long a process of the server takes until it answers, and how much of that is work."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench.row import Row, of_turns
from tests.bench.world import make_world
from tests.faults.server import Server, environ_of

ROOT = Path(__file__).resolve().parents[2]
TURNS = 7
READY = """\
import wsgi
app = wsgi.application()
heard = []
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "HTTP_HOST": "localhost", "wsgi.url_scheme": "http", "wsgi.input": None}
list(app(environ, lambda status, headers, exc_info=None: heard.append(status)))
assert heard[0].startswith("200"), heard
"""


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        world = make_world(Path(name) / "world", leaders=1)
        world.close()
        environ = {**environ_of(world.stack), "PORTAL_NOW": world.stack.clock().isoformat()}
        seconds, cpu = [], []
        for _ in range(TURNS):
            began, before = perf_counter(), _used_by_children()
            subprocess.run([sys.executable, "-c", READY], cwd=ROOT, env={**os.environ, **environ}, check=True)
            seconds.append(perf_counter() - began)
            cpu.append(_used_by_children() - before)
        served = [_served(Server(world.stack)) for _ in range(TURNS)]
    # The first one compiles what was never imported before.
    yield of_turns("a web process: ready after", seconds[1:], "s", 1.5)
    yield of_turns("a web process: CPU until it is ready", cpu[1:], "s", 1.5)
    yield of_turns("flask serve: a page is answered after", served[1:], "s", 3.0)


def _served(server: Server) -> float:
    seconds = server.start()
    server.stop()
    return seconds


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
