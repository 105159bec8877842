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


class SingleFile:
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
        turn = self._turn
        if not turn.acquire(timeout=GOES_ANYWAY_SECONDS):
            # Whoever comes from now on waits for this one, and no more for the one that takes long.
            turn = self._turn = threading.Lock()
            turn.acquire()
        self._own.turn = turn

    def _come_back(self) -> None:
        if getattr(self._own, "serving", False) and self._own.turn is None:
            self._come()

    def _leave(self, *_: object) -> None:
        turn: threading.Lock | None = getattr(self._own, "turn", None)
        if turn is not None:
            self._own.turn = None
            turn.release()


def in_single_file(app: Flask) -> App:
    """The app, one request after another, where its database is SQLite; else the app itself."""
    with app.app_context():
        engine = db.engine
    return SingleFile(app, engine) if engine.dialect.name == "sqlite" else app
