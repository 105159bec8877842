"""Row 14 of what must hold: twenty minutes at a steady rate, and nothing grows: memory, handles, the write-ahead log.

BENCH_SOAK_MINUTES shortens it. What a process learns in its first minutes, such as compiled statements, is no growth.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.asking import Asker
from tests.bench.load import ask
from tests.bench.row import Row, of_turns, quantile
from tests.bench.running import Pages, product
from tests.bench.serving import begin, shared
from tests.bench.world import World, make_world

MINUTES = float(os.environ.get("BENCH_SOAK_MINUTES", "20"))
LEADERS, CLIENTS, PER_SECOND = 320, 8, 60.0
LOOKS, LEARNING = 20, 5
"""How often it is looked at, and how many of the first looks are no yardstick."""


@dataclass(frozen=True)
class Look:
    megabytes: float
    handles: int
    log_megabytes: float
    p95: float


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        world = make_world(Path(name) / "world", leaders=LEADERS)
        asker = Asker(world.stack.app.wsgi_app)
        begin(world, asker)
        world.close()
        with product(world) as pages:
            looks = [_look(pages, world, asker) for _ in range(LOOKS)]
    settled, last = looks[LEARNING:], looks[-1]
    first = min(one.megabytes for one in settled[:3])
    grown = (last.megabytes - first) / first * 100
    what = f"soak of {MINUTES:g} minutes at {PER_SECOND:g} a second"
    yield Row(f"{what}: memory grew", grown, "%", 10.0, last.megabytes - first)
    yield Row(f"{what}: handles grew", last.handles - max(one.handles for one in settled[:3]), "", 0.0, 0.0)
    yield Row(f"{what}: write-ahead log at most", max(one.log_megabytes for one in looks), "MB", 64.0, 0.0)
    yield of_turns(f"{what}: p95 of a request", [one.p95 for one in settled], "ms", 250.0)


def _look(pages: Pages, world: World, asker: Asker) -> Look:
    kinds = ("page", "support", "page", "save")
    clients = [
        [request for kind in kinds for request in shared(world, CLIENTS, kind, asker)[number]]
        for number in range(CLIENTS)
    ]
    asked = ask(pages.port, clients, seconds=MINUTES * 60 / LOOKS, per_second=PER_SECOND)
    assert set(asked.statuses) <= {"200", "303"}, asked.statuses
    logs = world.stack.instance.settings.instance.glob("*-wal")
    return Look(
        pages.megabytes(),
        pages.handles(),
        max((one.stat().st_size for one in logs), default=0) / 1e6,
        quantile(asked.milliseconds, 0.95),
    )
