"""What the server gives over the line: pages and saves against ceilings of the same run, the tail of writes, a rush for
the last times, memory after many requests. On SQLite, where one process answers.

Product and ceiling take turns in one run, so that a busy machine slows both; the clients are a process apart.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench.asking import Asker, Leader, request_bytes, ten_answers
from tests.bench.load import Asked, ask
from tests.bench.row import Row, of_turns, quantile
from tests.bench.running import Pages, bare, product
from tests.bench.rush import rush
from tests.bench.world import World, make_world

LEADERS, READERS, WRITERS = 320, 8, 16
TURNS, SECONDS, WARMING = 5, 3.0, 8.0
MANY_REQUESTS = 100_000
SEEKERS, TIMES = 50, 20


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        world = make_world(Path(name) / "world", leaders=LEADERS)
        asker = Asker(world.stack.app.wsgi_app)
        begin(world, asker)
        rounds = [world.add_rush(seekers=SEEKERS, times=TIMES) for _ in range(TURNS)]
        size = len(asker.ask(world.leaders[0].page, cookie=world.leaders[0].cookie).body)
        world.close()
        folder = Path(name) / "ceiling"
        folder.mkdir()
        ceiling = running.enter_context(bare(folder, page_bytes=size))
        pages = running.enter_context(product(world))
        # A process that has answered nothing yet still compiles its templates.
        ask(ceiling.port, [[request_bytes("/page")]], seconds=1.0)
        every = [make(one, asker) for one in world.leaders for make in _REQUESTS.values()]
        ask(pages.port, [every], seconds=WARMING)
        yield from _reading(pages, ceiling, world, asker)
        yield from _saving(pages, ceiling, world, asker)
        yield from _rushing(pages, rounds, asker)
        yield from _lasting(pages, world, asker)


def begin(world: World, asker: Asker) -> None:
    """Everybody saves their ten answers once; from then on the same form can be sent again and again."""
    for one in world.leaders:
        mark = asker.ask(one.page, cookie=one.cookie).field("_revision")
        answer = asker.ask(
            one.page, {"_page": "ten", "_revision": mark, **ten_answers(one)}, cookie=one.cookie
        )
        assert answer.status == 303


def _cookies(leader: Leader, asker: Asker) -> str:
    return f"{asker.form_cookie}; sid={leader.cookie}"


def shared(world: World, clients: int, request: str, asker: Asker) -> list[list[bytes]]:
    """Every leader's request, dealt out to so many clients: no account asks more often than people may."""
    made = [_REQUESTS[request](one, asker) for one in world.leaders]
    return [made[number::clients] for number in range(clients)]


def _page_request(leader: Leader, asker: Asker) -> bytes:
    return request_bytes(leader.page, cookies=_cookies(leader, asker))


def _save_request(leader: Leader, asker: Asker) -> bytes:
    fields = {"csrf_token": asker.token, "_page": "ten", "_revision": "0-", **ten_answers(leader)}
    return request_bytes(leader.page, cookies=_cookies(leader, asker), fields=fields)


def _support_request(leader: Leader, asker: Asker) -> bytes:
    return request_bytes("/your-support", cookies=_cookies(leader, asker))


_REQUESTS = {"page": _page_request, "save": _save_request, "support": _support_request}


def measured(pages: Pages, clients: list[list[bytes]], *, status: str) -> tuple[Asked, float]:
    """What came of some seconds, and milliseconds of the server's CPU for each request."""
    before = pages.cpu_seconds()
    asked = ask(pages.port, clients, seconds=SECONDS)
    assert set(asked.statuses) == {status}, asked.statuses
    return asked, (pages.cpu_seconds() - before) / len(asked.milliseconds) * 1000


def _reading(pages: Pages, ceiling: Pages, world: World, asker: Asker) -> Iterator[Row]:
    ours, plain = shared(world, READERS, "page", asker), [[request_bytes("/page")]] * READERS
    ratios, cpu, rate = [], [], []
    for _ in range(TURNS):
        best, _ = measured(ceiling, plain, status="200")
        asked, milliseconds = measured(pages, ours, status="200")
        ratios.append(asked.per_second / best.per_second)
        cpu.append(milliseconds)
        rate.append(asked.per_second)
    what = f"page with ten statements, {READERS} clients"
    yield of_turns(f"{what}: of the bare page's rate", ratios, "x", 0.4, at_least=True)
    yield of_turns(f"{what}: CPU of the server", cpu, "ms", 1.5)
    yield of_turns(f"{what}: rate", rate, "/s", 0.0, at_least=True)


def _saving(pages: Pages, ceiling: Pages, world: World, asker: Asker) -> Iterator[Row]:
    ours = shared(world, WRITERS, "save", asker)
    # Other answers each time: what is written as it was already is written nowhere.
    plain = [
        [
            request_bytes("/save", fields={"respondent": one.id.hex, **ten_answers(one, turn=turn)})
            for turn in range(2)
        ]
        for one in world.leaders[:WRITERS]
    ]
    ratios, cpu, tails, rate = [], [], [], []
    for _ in range(TURNS):
        best, _ = measured(ceiling, plain, status="303")
        asked, milliseconds = measured(pages, ours, status="303")
        ratios.append(asked.per_second / best.per_second)
        cpu.append(milliseconds)
        rate.append(asked.per_second)
        tails.append(quantile(asked.milliseconds, 0.99) / quantile(asked.milliseconds, 0.5))
    what = f"save of ten answers, {WRITERS} clients"
    yield of_turns(f"{what}: of the barest upsert's rate", ratios, "x", 0.6, at_least=True)
    yield of_turns(f"{what}: CPU of the server", cpu, "ms", 3.0)
    yield of_turns(f"{what}: p99 against p50", tails, "x", 4.0)
    yield of_turns(f"{what}: rate", rate, "/s", 0.0, at_least=True)


def _rushing(pages: Pages, rounds: Sequence[Sequence[Leader]], asker: Asker) -> Iterator[Row]:
    """Round by round fifty leaders want the same twenty times of mentors whom all of them have."""
    outcomes = [rush(pages.port, seekers, asker, times=TIMES) for seekers in rounds]
    assert all(one.won == one.times == TIMES for one in outcomes), outcomes
    yield of_turns(
        f"{SEEKERS} clients for {TIMES} times: all answered", [one.seconds for one in outcomes], "s", 1.0
    )
    yield of_turns(
        f"{SEEKERS} clients for {TIMES} times: booked", [float(one.won) for one in outcomes], "", TIMES
    )


def _lasting(pages: Pages, world: World, asker: Asker) -> Iterator[Row]:
    """Pages, saves and "Your support" until so many were asked for."""
    each = ("page", "page", "support", "save")
    clients = [
        [request for kind in each for request in shared(world, READERS, kind, asker)[number]]
        for number in range(READERS)
    ]
    asked = 0
    while asked < MANY_REQUESTS:
        done = ask(pages.port, clients, seconds=20.0)
        assert set(done.statuses) <= {"200", "303"}, done.statuses
        asked += len(done.milliseconds)
    yield Row(
        f"memory of a web process after {MANY_REQUESTS:,} requests", pages.megabytes(), "MB", 120.0, 0.0
    )
