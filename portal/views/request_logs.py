"""A line in the log for every request: what, by whom, how it went and how long it took, by references alone.

Neither addresses nor what a browser sends are logged as they came: an address may hold a token, a name of a browser
anything. One reference per request ties its lines together; the page of an error shows it.
"""

from uuid import UUID, uuid4

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from portal.access.browsers import browser_words
from portal.health.counts import Counts
from portal.views.context import current_actor
from privacy.clock import ticks

SILENT = frozenset({"home.healthz", "home.readyz"})
"""Pages of monitors: nobody acts there, and they ask all day."""
UNTOLD = {"resources.download"}
"""Nobody is to know who opened which toolkit."""
METHODS = {"GET", "HEAD", "OPTIONS", "POST"}

log = structlog.get_logger("pages")


def install(app: Flask) -> None:
    """Log and count each request. Stands before everything else that looks at one."""
    counts: Counts = app.extensions["counts"]

    @app.before_request
    def _begin() -> None:
        clear_contextvars()
        g.began_at = ticks()
        bind_contextvars(request=reference())

    @app.after_request
    def _end(response: Response) -> Response:
        seconds = ticks() - g.get("began_at", ticks())
        method = request.method if request.method in METHODS else "other"
        counts.request(
            route=request.endpoint or "none", method=method, status=response.status_code, seconds=seconds
        )
        if request.endpoint not in SILENT:
            actor = current_actor()
            tell = log.warning if response.status_code >= 500 else log.info
            tell(
                "page.answered",
                page=request.endpoint,
                method=method,
                things={name: str(value) for name, value in _things().items()},
                status=response.status_code,
                actor=actor.ref if actor is not None else None,
                browser=browser_words(request.user_agent.string),
                ms=round(seconds * 1000),
            )
        return response


def reference() -> str:
    """By which this request is called, in the log and to whoever tells us that something went wrong."""
    if "reference" not in g:
        g.reference = uuid4().hex[:12]
    return str(g.reference)


def _things() -> dict[str, UUID]:
    """The ids in an address. Words and tokens in it stay out."""
    if request.endpoint in UNTOLD:
        return {}
    return {name: value for name, value in (request.view_args or {}).items() if isinstance(value, UUID)}
