"""One request after another in a process whose database is a file of its own.

Threads that compute at the same time take Python from each other at every statement, and a page then costs half as
much again (`make bench`). Threads are there for those who wait: for the disk, or for another process that writes.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from flask import Flask
from sqlalchemy import Engine, event

from portal.db import db
from privacy.transactions import after_each

GOES_ANYWAY_SECONDS = 0.05
"""Who takes longer than that holds nobody up: the next goes beside them."""

App: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]


class OneByOne:
    """An app whose requests wait for each other a moment, until the one before is answered. Who commits waits for the
    disk: the next goes meanwhile, and the first goes on behind it."""

    def __init__(self, app: App, engine: Engine) -> None:
        self._app = app
        self._turn = threading.Lock()
        self._own = threading.local()
        event.listen(engine, "commit", self._leave)
        # Not sooner: whoever has the turn may wait for the one who writes.
        after_each(engine, self._come_back)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._own.serving = True
        self._come()
        try:
            return self._app(environ, start_response)
        finally:
            self._own.serving = False
            self._leave()

    def _come(self) -> None:
        self._own.turn = self._turn.acquire(timeout=GOES_ANYWAY_SECONDS)

    def _come_back(self) -> None:
        if getattr(self._own, "serving", False) and not self._own.turn:
            self._come()

    def _leave(self, *_: object) -> None:
        if getattr(self._own, "turn", False):
            self._own.turn = False
            self._turn.release()


def one_by_one(app: Flask) -> App:
    """The requests of an app take turns, where its database is SQLite; else the app itself."""
    with app.app_context():
        engine = db.engine
    return OneByOne(app, engine) if engine.dialect.name == "sqlite" else app
