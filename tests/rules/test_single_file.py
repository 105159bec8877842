"""Requests of one process take turns; nobody is held up by who takes long, or waits for the disk."""

import gc
import threading
import time
import weakref
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from portal.cli import single_file
from portal.cli.single_file import SingleFile, in_single_file
from privacy.transactions import turn
from tests.conftest import Stack

SECONDS = 20


@pytest.fixture
def engine() -> Engine:
    return create_engine("sqlite://")


class Counting:
    """An app that notes how many of its requests ran at once, at most."""

    def __init__(self) -> None:
        self.running, self.most = 0, 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Event().wait(0.002)
        with self._lock:
            self.running -= 1
        return [b"done"]


def ask(app: Any, **environ: Any) -> bytes:
    return b"".join(app(environ, lambda *_: None))


def test_one_goes_after_another(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_file, "GOES_ANYWAY_SECONDS", SECONDS)
    counting = Counting()
    app = SingleFile(counting, engine)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: ask(app), range(60))) == {b"done"}
    assert counting.most == 1


def waiting_for(other: threading.Event, engine: Engine | None = None) -> Any:
    """An app whose request "first" commits on an engine, if any, and then ends after the request "second"."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["name"] == "second":
            other.set()
            return [b"done"]
        if engine is not None:
            with engine.begin() as connection:
                connection.exec_driver_sql("select 1")
        return [b"done" if other.wait(SECONDS) else b"held up"]

    return app


def both(app: Any) -> set[bytes]:
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(ask, app, name="first")
        threading.Event().wait(0.01)
        second = threads.submit(ask, app, name="second")
        return {first.result(SECONDS), second.result(SECONDS)}


def test_who_takes_long_holds_nobody_up(engine: Engine) -> None:
    assert both(SingleFile(waiting_for(threading.Event()), engine)) == {b"done"}


def test_who_takes_long_is_waited_for_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    long, ended = threading.Event(), threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["name"] == "long":
            long.set()
            ended.wait(SECONDS)
        return [b"done"]

    monkeypatch.setattr(single_file, "GOES_ANYWAY_SECONDS", 0.5)
    asked = SingleFile(app, engine)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(ask, asked, name="long")
        assert long.wait(SECONDS)
        began = time.monotonic()
        answers = {ask(asked, name="short") for _ in range(20)}
        took = time.monotonic() - began
        ended.set()
        assert {*answers, slow.result(SECONDS)} == {b"done"}
    assert 0.5 <= took < 20 * 0.5 / 2


def test_who_has_committed_goes_on_behind_the_next(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_file, "GOES_ANYWAY_SECONDS", 2 * SECONDS)
    committed, begun, order = threading.Event(), threading.Event(), []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["name"] == "first":
            with turn(engine):
                with engine.begin() as connection:
                    connection.exec_driver_sql("select 1")
                committed.set()
                assert begun.wait(SECONDS)
        else:
            begun.set()
            threading.Event().wait(0.1)
        order.append(environ["name"])
        return [b"done"]

    asked = SingleFile(app, engine)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, asked, name="first")
        assert committed.wait(SECONDS)
        assert {ask(asked, name="second"), first.result(SECONDS)} == {b"done"}
    assert order == ["second", "first"]


def test_who_commits_lets_the_next_go_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_file, "GOES_ANYWAY_SECONDS", 2 * SECONDS)
    assert both(SingleFile(waiting_for(threading.Event(), engine), engine)) == {b"done"}


def test_a_failure_gives_the_turn_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise LookupError

    monkeypatch.setattr(single_file, "GOES_ANYWAY_SECONDS", SECONDS)
    app = SingleFile(fail, engine)
    for _ in range(3):
        with pytest.raises(LookupError):
            ask(app)


def test_only_where_the_database_is_in_the_process(stack: Stack) -> None:
    alone = isinstance(in_single_file(stack.app), SingleFile)
    assert alone == (stack.engine.dialect.name == "sqlite")


def test_an_engine_that_nobody_has_any_more_is_gone() -> None:
    """Whoever is told of its turns may have it themselves, as the app that is served does."""
    engine = create_engine("sqlite://")
    has_it = partial(waiting_for, threading.Event(), engine)
    app = SingleFile(has_it(), engine)
    with turn(engine):
        pass
    left = weakref.ref(engine)
    del engine, has_it, app
    gc.collect()
    assert left() is None
