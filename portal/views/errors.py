"""Error pages: plain words, no trace, and what was typed stays on the page."""

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from portal.desk.key_keeping import note_refused
from portal.views.context import work
from portal.views.kept_forms import UNSHOWN, keep_and_lead_back
from portal.views.signed_in import load_actor
from privacy.errors import Frozen, SealBroken

PAGES = {400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503}


def typed() -> list[tuple[str, str]]:
    """What was typed into the form that failed, so that it can be copied and is not lost."""
    if request.method != "POST" or (request.content_length or 0) > 1024 * 1024:
        return []
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in UNSHOWN and len(value.strip()) > 40
    ]


def _page(status: int, **context: object) -> ResponseReturnValue:
    shown = status if status in PAGES else 500
    return render_template("errors/error.html", code=shown, **context), status


def install(app: Flask) -> None:
    """Answer every error with a page."""

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error
        kept = [] if error.code == 413 else typed()
        return _page(error.code, typed=kept)

    @app.errorhandler(CSRFError)
    def _token(error: CSRFError) -> ResponseReturnValue:
        load_actor()
        return keep_and_lead_back() or _page(400, typed=typed(), stale=True)

    @app.errorhandler(OperationalError)
    def _busy(error: OperationalError) -> ResponseReturnValue:
        # The database is locked or restarting: nothing was written, and the same form can be sent again.
        app.logger.error("the database did not answer: %s", type(error.orig).__name__)
        return _page(503, typed=typed())

    @app.errorhandler(Frozen)
    def _frozen(error: Frozen) -> ResponseReturnValue:
        return render_template("returns/frozen.html", typed=typed(), sent=True, part=error.part), 503

    @app.errorhandler(SealBroken)
    def _refused(error: SealBroken) -> ResponseReturnValue:
        app.logger.error("a sealed value does not open: %s", error)
        with work("system:seals", frozen_too=True) as unit:
            note_refused(unit, error)
        return _page(500, typed=typed())

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing:
            raise error
        app.logger.error("unexpected error", exc_info=error)
        return _page(500, typed=typed())
