"""What the server gives over the line on PostgreSQL, where each core has a process that answers.

The database runs on the same cores, with syncing on. There is no ceiling beside it: what a page costs the server is
measured, and how many a second come of it.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.asking import Asker, Leader
from tests.bench.load import ask
from tests.bench.row import Row, of_turns
from tests.bench.running import Pages, product
from tests.bench.rush import rush
from tests.bench.serving import LEADERS, READERS, SEEKERS, TIMES, TURNS, WRITERS, begin, measured, shared
from tests.bench.world import World, make_world
from tests.postgres import fresh_database, running_postgres

PROCESSES = os.cpu_count() or 1
WARMING = 4.0
KINDS = (
    ("page", "page with ten statements", READERS, "200"),
    ("save", "save of ten answers", WRITERS, "303"),
)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, running_postgres(throwaway=False) as server:
        environ = {
            "DATABASE_URL": fresh_database(server, name="bench"),
            "KEYSTORE_URL": fresh_database(server, name="bench_keys"),
        }
        world = make_world(Path(name) / "world", leaders=LEADERS, environ=environ)
        asker = Asker(world.stack.app.wsgi_app)
        begin(world, asker)
        rounds = [world.add_rush(seekers=SEEKERS, times=TIMES) for _ in range(TURNS)]
        world.close()
        with product(world, processes=PROCESSES) as pages:
            yield from _asked(pages, world, asker)
            yield from _rushed(pages, rounds, asker)


def _asked(pages: Pages, world: World, asker: Asker) -> Iterator[Row]:
    for kind, name, clients, status in KINDS:
        requests = shared(world, clients, kind, asker)
        ask(pages.port, requests, seconds=WARMING)
        turns = [measured(pages, requests, status=status) for _ in range(TURNS)]
        what = f"PostgreSQL, {PROCESSES} processes: {name}, {clients} clients"
        yield of_turns(f"{what}: rate", [asked.per_second for asked, _ in turns], "/s", 0.0, at_least=True)
        limit = 1.5 if kind == "page" else 3.0
        yield of_turns(f"{what}: CPU of the server", [cpu for _, cpu in turns], "ms", limit)


def _rushed(pages: Pages, rounds: Sequence[Sequence[Leader]], asker: Asker) -> Iterator[Row]:
    outcomes = [rush(pages.port, seekers, asker, times=TIMES) for seekers in rounds]
    assert all(one.won == one.times == TIMES for one in outcomes), outcomes
    what = f"PostgreSQL, {PROCESSES} processes: {SEEKERS} clients for {TIMES} times: all answered"
    yield of_turns(what, [one.seconds for one in outcomes], "s", 1.0)
