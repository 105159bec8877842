"""Clients that ask a server one request after another, each on a connection of its own: a process apart, so that what
they cost is no part of what is measured.

    python -m tests.bench.load PORT FILE    FILE: {"seconds": 3, "clients": [[request, ...], ...]}, requests in base64

Each client goes through its requests in turn until the time is up. Tells statuses and how long each answer took.
"""

import asyncio
import base64
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What came of a load: answers by status, and milliseconds of each; `seconds` it took in all."""

    statuses: dict[str, int]
    milliseconds: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds


def ask(
    port: int, clients: Sequence[Sequence[bytes]], *, seconds: float, per_second: float | None = None
) -> Asked:
    """Ask for some seconds: as fast as it goes, or at a steady rate of all clients together."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        requests = [[base64.b64encode(one).decode() for one in mine] for mine in clients]
        json.dump({"seconds": seconds, "clients": requests, "per_second": per_second}, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load", str(port), file.name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    return Asked(**json.loads(done.stdout))


async def _client(
    port: int,
    requests: Sequence[bytes],
    until: float,
    pause: float | None,
    into: tuple[Counter[str], list[float]],
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses, times = into
    due = perf_counter()
    for request in cycle(requests):
        if pause is not None:
            due += pause
            await asyncio.sleep(max(0.0, due - perf_counter()))
        began = perf_counter()
        if began >= until:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None:
            await reader.readexactly(int(length[1]))
        times.append((perf_counter() - began) * 1000)
        statuses[head[9:12].decode()] += 1
    writer.close()


async def _all(port: int, told: dict[str, object]) -> None:
    clients: list[list[bytes]] = [
        [base64.b64decode(one) for one in mine]
        for mine in told["clients"]  # type: ignore[attr-defined]  # lists of lists
    ]
    rate, seconds = told["per_second"], float(str(told["seconds"]))
    pause = len(clients) / float(str(rate)) if rate else None
    into: tuple[Counter[str], list[float]] = (Counter(), [])
    began = perf_counter()
    await asyncio.gather(*(_client(port, mine, began + seconds, pause, into) for mine in clients))
    took = perf_counter() - began
    print(json.dumps({"statuses": into[0], "milliseconds": into[1], "seconds": took}))


if __name__ == "__main__":
    asyncio.run(_all(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
