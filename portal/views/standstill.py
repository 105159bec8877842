"""While everything is frozen: a plain page for those who are no staff, and no form but those of duties that go on."""

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue

from portal.returning import duties
from portal.views.context import current_actor
from portal.views.errors import typed


def install(app: Flask) -> None:
    """Look before every request, once it is known who asks; whoever is not signed in meets it when they write."""
    app.before_request(_stand_still)


def _stand_still() -> ResponseReturnValue | None:
    actor, endpoint = current_actor(), request.endpoint
    if actor is None or endpoint is None or not actor.frozen:
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        return None if duties.may_write(endpoint) else frozen_page()
    return None if actor.is_staff or duties.is_shown(endpoint) else frozen_page()


def frozen_page() -> ResponseReturnValue:
    """The plain page, with what was typed, so that it can be copied."""
    return render_template("returns/frozen.html", typed=typed(), sent=request.method == "POST"), 503
