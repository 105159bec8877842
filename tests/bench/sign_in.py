"""What signing in costs, and whether a stopwatch tells a known address from an unknown one (ASVS 6.3.8).

Known and unknown take turns in one run, so that a busy machine slows both.
"""

import logging
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from uuid import UUID

import structlog
from sqlalchemy.orm import Session as DbSession

from portal.access import passwords
from portal.models import Role
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.pages_client import PageClient

TURNS, NAMINGS = 200, 60
APART_AT_MOST, NAMED_APART_AT_MOST = 0.2, 10.0
"""Milliseconds between the two medians."""
Row = tuple[str, float, str, float, float]


def rows() -> Iterator[Row]:
    """Name, value, unit, limit and spread."""
    with tempfile.TemporaryDirectory() as folder:
        stack = make_stack(Path(folder), {})
        # A line for each of the requests would bury the figures.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
            make = Factory(db, stack.clock, stack.instance.programme)
            make.person(email="known@council.example", role=Role.CHIEF_EXECUTIVE)
            leaders = [make.person(council=make.council()).id for _ in range(NAMINGS * 2)]
        yield _apart("a sign-in: known against unknown", stack, _asking(stack), APART_AT_MOST)
        naming = _naming(stack, leaders)
        yield _apart("naming an assistant: known against unknown", stack, naming, NAMED_APART_AT_MOST)
        yield _hash()
        stack.close()


def _apart(
    name: str, stack: Stack, acts: Iterator[tuple[Callable[[], None], Callable[[], None]]], at_most: float
) -> Row:
    """How far the medians of two acts lie apart; `acts` gives one pair after another."""
    times: tuple[list[float], list[float]] = ([], [])
    for pair in acts:
        for act, taken in zip(pair, times, strict=True):
            stack.clock.pass_time(seconds=1)
            began = perf_counter()
            act()
            taken.append((perf_counter() - began) * 1000)
    known, unknown = (statistics.median(taken) for taken in times)
    spread = max(statistics.quantiles(taken)[2] - statistics.quantiles(taken)[0] for taken in times)
    return name, abs(known - unknown), "ms", at_most, spread


def _asking(stack: Stack) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    client = PageClient(stack.app, stack.instance)
    token = client.get("/sign-in").token()

    def ask(name: str) -> Callable[[], None]:
        data = {"csrf_token": token, "email": f"{name}@council.example"}
        return lambda: _post(client, "/sign-in", data)

    for _ in range(TURNS):
        stack.clock.pass_time(minutes=16)
        yield ask("known"), ask("nobody")


def _naming(stack: Stack, leaders: list[UUID]) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Two leaders each name an assistant: one who has an account, and one who has none yet."""
    for number, (one, other) in enumerate(zip(leaders[::2], leaders[1::2], strict=True)):
        yield _named(stack, one, "known"), _named(stack, other, f"nobody{number}")


def _named(stack: Stack, leader: UUID, name: str) -> Callable[[], None]:
    client = PageClient(stack.app, stack.instance).sign_in(leader)
    data = {
        "csrf_token": client.get("/your-assistant").token(),
        "name": "Pat",
        "email": f"{name}@council.example",
        "sure": f"{name}@council.example",
    }
    return lambda: _post(client, "/your-assistant", data)


def _post(client: PageClient, path: str, data: dict[str, str]) -> None:
    client.http.post(path, data=data)


def _hash() -> Row:
    stored, times = passwords.hashed("slow river orange"), []
    for _ in range(15):
        began = perf_counter()
        passwords.fits(stored, "slow river orange")
        times.append((perf_counter() - began) * 1000)
    return "checking a password", statistics.median(times), "ms", 1000.0, max(times) - min(times)
