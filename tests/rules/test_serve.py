"""`flask serve` for real: its processes come back, their counts add up, it renews itself, and it ends whole."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session as DbSession

from portal.cli.processes import GRACE_SECONDS
from portal.models import Level
from tests.conftest import Stack, make_stack
from tests.counts import FULL
from tests.factories import Factory
from tests.faults.clients import Client, Tally, filled, form_at
from tests.faults.server import FLASK, ROOT, Server, children_of, environ_of
from tests.journeys.conftest import free_port
from tests.pages_client import signed_in
from tests.postgres import fresh_database

SECONDS = 60
"""Within which whatever died has to be there again."""


@pytest.fixture(scope="module")
def stack(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, where several processes serve."""
    environ = {
        "DATABASE_URL": fresh_database(postgres_server, name="serve"),
        "KEYSTORE_URL": fresh_database(postgres_server, name="serve_keys"),
    }
    made = make_stack(tmp_path_factory.mktemp("serve"), environ)
    yield made
    made.close()


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(stack: Stack, metrics_port: int) -> Iterator[Server]:
    with Server(stack, PORTAL_PROCESSES="2", PORTAL_METRICS_PORT=str(metrics_port)) as running:
        wait_until(lambda: (len(pages_of(running)), len(workers_of(running))) == (2, 1))
        yield running


def wait_until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "not in time"
        time.sleep(0.05)


def pages_of(server: Server) -> set[int]:
    return set(server.pages())


def started_anew(server: Server) -> set[int]:
    return {number for number, words in children_of(server.pid) if "spawn_main" in words}


def workers_of(server: Server) -> set[int]:
    return set(server.workers())


def ask(server: Server, path: str = "/cookies") -> int:
    """The status; a connection of its own each time."""
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    try:
        wire.request("GET", path, headers={"Host": f"localhost:{server.port}"})
        answer = wire.getresponse()
        answer.read()
        return answer.status
    finally:
        wire.close()


def told(port: int) -> dict[tuple[str, ...], float]:
    """What Prometheus reads, by name and values of labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counts_of_all_processes_add_up_even_of_those_that_were_killed(
    server: Server, metrics_port: int
) -> None:
    name = ("portal_requests_total", "GET", "home.cookies", "200")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: ask(server), range(60))) == {200}
        first = pages_of(server)
        assert not first & started_anew(server), "the first are copies of the server"
        for process_id in first:
            Server.kill(process_id)
        wait_until(lambda: len(pages_of(server) - first) == 2)
        assert set(threads.map(lambda _: ask(server), range(60))) == {200}
        assert started_anew(server) == pages_of(server)
    wait_until(lambda: told(metrics_port).get(name) == 120)
    found = told(metrics_port)
    assert found["portal_request_seconds_count", "home.cookies"] == 120
    assert found["portal_restarts_total", "pages"] == 2
    assert found["portal_ready", "database"] == 1
    # The worker has a mail of the day to send at first.
    wait_until(lambda: told(metrics_port)["portal_mail", "due"] == 0)
    assert found["portal_disk_free_bytes", "instance"] > 0
    assert ("portal_requests_total", "GET", "none", "404") not in found
    assert ask(server, "/nothing") == 404
    wait_until(lambda: told(metrics_port).get(("portal_requests_total", "GET", "none", "404")) == 1)


def test_its_addresses_have_the_port_it_serves_on(tmp_path: Path) -> None:
    stack = make_stack(tmp_path, {})
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        leader = Factory(db, stack.clock, stack.instance.programme).person("Lea Der")
        row, cookie = signed_in(leader.id, level=Level.PROOF, now=stack.clock())
        db.add(row)
        db.commit()
    stack.close()
    with Server(stack, PUBLIC_URL=None) as server, Tally() as tally:
        client, renew = Client(server.port, cookie, tally), "/your-calendar/address"
        page = client.post(renew, filled(form_at(client.get("/your-calendar"), renew), words=""))
        assert f"http://localhost:{server.port}/calendar/" in page.body


def test_copies_end_with_a_server_that_was_killed(tmp_path: Path) -> None:
    stack = make_stack(tmp_path, {})
    stack.close()
    with Server(stack) as server:
        left = pages_of(server) | workers_of(server)
        assert left
        assert not started_anew(server)
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, left)))


def test_pages_and_metrics_need_two_ports(stack: Stack) -> None:
    port = str(free_port())
    ended = subprocess.run(
        [FLASK, "serve", "--port", port],
        cwd=ROOT,
        env=environ_of(stack) | {"PORTAL_METRICS_PORT": port},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (ended.returncode, f"port {port} is in use" in ended.stderr) == (1, True)


def serving(stack: Stack, before: str, port: int, **environ: str) -> subprocess.Popen[str]:
    """`flask serve` on a port, after lines of Python that change a part of it (`serve`)."""
    lines = f"from portal.cli import serve\n{before}\nfrom flask.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", lines, "serve", "--port", str(port)],
        cwd=ROOT,
        env=environ_of(stack) | {"PORTAL_NOW": stack.clock().isoformat()} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_metrics_port_that_is_taken_after_the_look_ends_it_whole(tmp_path: Path) -> None:
    """The copies run already: none of them is left to answer on a port that nobody looks after."""
    stack = make_stack(tmp_path, {})
    stack.close()
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        metrics = str(other.getsockname()[1])
        looked = "serve._is_free = lambda port: True"
        process = serving(stack, looked, port, PORTAL_METRICS_PORT=metrics)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert f"port {metrics} is in use: choose another for PORTAL_METRICS_PORT" in said
    assert "Traceback" not in said
    with socket.create_server(("127.0.0.1", port)):
        """Nobody has it any more."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_also_before_a_copy_is_ready(tmp_path: Path, number: signal.Signals) -> None:
    """A copy has the server's own handlers at first, which would hear the signal and do nothing with it."""
    stack = make_stack(tmp_path, {})
    stack.close()
    slow = """
import time
load = serve.load_application
def slowly(parent, target):
    time.sleep(2)
    return load(parent, target)
serve.load_application = slowly
"""
    process = serving(stack, slow, free_port())
    wait_until(lambda: any("resource_tracker" not in words for _, words in children_of(process.pid)))
    children = {one for one, _ in children_of(process.pid)}
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS)
    assert (process.returncode, "Traceback" in said) == (0, False)
    assert time.monotonic() - began < GRACE_SECONDS - 2, "nothing had to be killed"
    wait_until(lambda: not any(map(runs, children)))


if FULL:
    # The faults sample these on SQLite (tests/faults, rows 1, 2 and 11); here on several processes.

    def test_who_comes_while_every_process_is_dead_waits_and_is_not_turned_away(server: Server) -> None:
        for process_id in pages_of(server):
            Server.kill(process_id)
        assert ask(server) == 200

    def test_a_worker_that_dies_is_there_again(server: Server) -> None:
        first = workers_of(server)
        for process_id in first:
            Server.kill(process_id)
        wait_until(lambda: bool(workers_of(server) - first))

    def test_it_renews_itself_without_a_request_that_fails(server: Server) -> None:
        statuses, stop = [], threading.Event()

        def go_on() -> None:
            while not stop.is_set():
                statuses.append(ask(server))

        asking = [threading.Thread(target=go_on) for _ in range(6)]
        for thread in asking:
            thread.start()
        try:
            for _ in range(4):
                first = pages_of(server) | workers_of(server)
                server.hang_up()
                wait_until(partial(is_renewed, server, first))
        finally:
            stop.set()
            for thread in asking:
                thread.join()
        assert set(statuses) == {200}


def is_renewed(server: Server, first: set[int]) -> bool:
    return not first & (pages_of(server) | workers_of(server)) and len(pages_of(server)) == 2


def test_nothing_of_it_is_left_when_it_is_killed(server: Server) -> None:
    left = pages_of(server) | workers_of(server)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(runs, left)))


def runs(process_id: int) -> bool:
    """Whether it is more than an entry that nobody has collected."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return False
