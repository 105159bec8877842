"""One view, two answers: a page for a browser, a piece of it for htmx. The only place that knows htmx-flask."""

from typing import Any

from flask import Flask, Response, make_response, render_template
from htmx_flask import Htmx, request

htmx = Htmx()


def install(app: Flask) -> None:
    htmx.init_app(app)
    app.after_request(_led_there)


def _led_there(response: Response) -> Response:
    """Where an act leads on, the browser goes there as a whole: followed by htmx, the page would land in a piece."""
    if request.htmx and response.status_code == 303:
        response.headers["HX-Redirect"] = response.headers.pop("Location")
        response.status_code = 204
        response.set_data(b"")
    return response


def wants_fragment() -> bool:
    """True for an htmx request that swaps a piece; boosted and history requests want the page."""
    asked = request.htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **context: Any) -> Response:
    """Render the fragment file alone, and tell it that it is `swapped` in, or the page that includes it."""
    template = fragment if wants_fragment() else page
    shown = {"swapped": True} if template == fragment else {}
    response = make_response(render_template(template, **shown, **context), status)
    response.vary.add("HX-Request")
    return response
