"""Error pages: plain words, no trace, and what was typed stays on the page."""

import re
from collections.abc import Iterable

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portal.desk.key_keeping import note_refused
from portal.views.context import work
from portal.views.kept_forms import is_secret, keep_and_lead_back
from portal.views.request_logs import reference
from portal.views.signed_in import load_actor
from portal.views.transport import comes_from_elsewhere
from privacy.errors import Frozen, SealBroken

# What a form carries along or offers to choose from: ids, boxes that are ticked, words of a list.
_CODE = re.compile(r"|y|yes|no|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]+(_[a-z]+)+")
log = structlog.get_logger("pages")

PAGES = {400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503}


def typed() -> list[tuple[str, str]]:
    """What was typed into the form that failed, so that it can be copied and is not lost."""
    if request.method != "POST" or comes_from_elsewhere():
        return []
    try:
        return words_of(request.form.items(multi=True))
    except RequestEntityTooLarge:
        # It was not read. The browser has it: the page says how to get back to it.
        return []


def words_of(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What somebody wrote in a form, under labels, and nothing that was chosen, carried along or secret."""
    return [
        (name.replace("_", " ").replace("-", " ").strip().capitalize(), value)
        for name, value in fields
        if not (name.startswith("_") or is_secret(name) or _CODE.fullmatch(value.strip()))
    ]


def _page(status: int, **context: object) -> ResponseReturnValue:
    shown = status if status in PAGES else 500
    if shown >= 500:
        context["reference"] = reference()
    return render_template("errors/error.html", code=shown, **context), status


def _log(exc_info: object) -> None:
    log.error("page.failed", exc_info=exc_info)


def install(app: Flask) -> None:
    """Answer every error with a page."""
    # What breaks outside of a view is logged like the rest: the framework's own line would quote the address.
    app.log_exception = _log  # type: ignore[method-assign]

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error
        return _page(error.code, typed=typed())

    @app.errorhandler(CSRFError)
    def _token(error: CSRFError) -> ResponseReturnValue:
        load_actor()
        return keep_and_lead_back() or _page(400, typed=typed(), stale=True)

    @app.errorhandler(OperationalError)
    def _busy(error: OperationalError) -> ResponseReturnValue:
        # The database is locked or restarting: nothing was written, and the same form can be sent again.
        log.error("database.away", trouble=type(error.orig).__name__)
        return _page(503, typed=typed())

    @app.errorhandler(Frozen)
    def _frozen(error: Frozen) -> ResponseReturnValue:
        return render_template("returns/frozen.html", typed=typed(), sent=True, part=error.part), 503

    @app.errorhandler(SealBroken)
    def _refused(error: SealBroken) -> ResponseReturnValue:
        log.error("seal.broken", trouble=str(error))
        with work("system:seals", frozen_too=True) as unit:
            note_refused(unit, error)
        return _page(500, typed=typed())

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing:
            raise error
        log.error("page.failed", exc_info=error)
        return _page(500, typed=typed())
