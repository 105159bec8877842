"""One view, two answers: a page for a browser, a piece of it for htmx. The only place that knows htmx-flask."""

from typing import Any

from flask import Response, make_response, render_template
from htmx_flask import Htmx, request

htmx = Htmx()


def wants_fragment() -> bool:
    """True for an htmx request that swaps a piece; boosted and history requests want the page."""
    asked = request.htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **context: Any) -> Response:
    """Render the fragment file alone, or the page that includes it."""
    template = fragment if wants_fragment() else page
    response = make_response(render_template(template, **context), status)
    response.vary.add("HX-Request")
    return response
