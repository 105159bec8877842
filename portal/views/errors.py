"""Error pages: plain words, no trace, and what was typed stays on the page."""

import re
from collections.abc import Iterable

import structlog
from flask import Flask, current_app, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portal.desk.key_keeping import note_refused
from portal.health.disk import Disks
from portal.views import form_tokens, typed_answers
from portal.views.context import current_actor, work
from portal.views.kept_forms import is_secret, keep_and_lead_back
from portal.views.next_page import keep_next
from portal.views.request_logs import reference
from portal.views.signed_in import load_actor
from portal.views.transport import comes_from_elsewhere
from privacy.errors import Frozen, HolderErased, SealBroken
from privacy.outages import Outage, outage

# What a form carries along or offers to choose from: ids, boxes that are ticked, words of a list.
_CODE = re.compile(r"|y|yes|no|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]+(_[a-z]+)+")
log = structlog.get_logger("pages")

AGAIN_IN = {Outage.BUSY: 5, Outage.AWAY: 10, Outage.FULL: 60}
"""Seconds after which a program that asks may ask again."""
FULL_WORDS = (
    "Sorry, nothing can be saved at the moment",
    [
        "There is no room left where the portal keeps what it is told. Those who run it can see that.",
        "What you saved before is safe, and you can read it. Try again later.",
    ],
)
ERASED_WORDS = (
    "This was erased",
    [
        "Everything about the people whom this was about has been erased, on an instruction of the Department.",
        "Nothing more can be written down about it. Nothing was saved.",
    ],
)
ANOTHERS_WORDS = (
    "Somebody else is signed in here now",
    [
        "This page was open for another person. We saved nothing, and keep nothing of it.",
        "If it is yours, copy what you typed. Then sign out, sign in as yourself, and send it once more.",
    ],
)
PAGES = {400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503}


def typed(*, with_questions: bool = False) -> list[tuple[str, str]]:
    """What was typed into the form that failed, so that it can be copied and is not lost; of a page of questions, with
    the words of its questions where the database can be asked for them (`with_questions`)."""
    if request.method != "POST" or comes_from_elsewhere():
        return []
    try:
        fields = list(request.form.items(multi=True))
        if with_questions and typed_answers.is_sent():
            return typed_answers.in_words(fields, otherwise=words_of)
        return words_of(fields)
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


def _out(why: Outage, error: BaseException) -> ResponseReturnValue:
    """Nothing was written, and the same form can be sent again."""
    tell = log.error if why is Outage.FULL else log.warning
    tell(f"database.{why}", exc_info=error)
    if why is Outage.FULL:
        disks: Disks = current_app.extensions["disks"]
        disks.refused()
    words = {"title": FULL_WORDS[0], "lines": FULL_WORDS[1]} if why is Outage.FULL else {}
    try:
        page = _page(503, typed=typed(), **words)
    except Exception as again:
        if outage(again) is None:
            raise
        # The page greets whoever is signed in, and what they are called cannot be read now either.
        g.actor = None
        page = _page(503, typed=typed(), **words)
    answer = make_response(page)
    answer.headers["Retry-After"] = str(AGAIN_IN[why])
    return answer


def _token_over() -> ResponseReturnValue:
    """What was typed into a form of nobody who is known, or of somebody else: shown once, and kept for nobody."""
    actor = current_actor()
    if actor is not None and form_tokens.issued_to_another(actor.person_id):
        return _page(400, typed=typed(with_questions=True), title=ANOTHERS_WORDS[0], lines=ANOTHERS_WORDS[1])
    if actor is None and _wants_sign_in():
        keep_next(request.path)
        return _page(401, typed=typed(with_questions=True), again=url_for("account.sign_in"))
    return _page(400, typed=typed(with_questions=True), stale=True)


def _wants_sign_in() -> bool:
    """Whether this page is only there for people who are signed in."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(getattr(view, "guard", None), "policy", None) is not None


def _log(exc_info: object) -> None:
    log.error("page.failed", exc_info=exc_info)


def _erased(error: HolderErased) -> ResponseReturnValue:
    log.warning("page.erased", holder=str(error))
    return _page(409, typed=typed(), title=ERASED_WORDS[0], lines=ERASED_WORDS[1])


def install(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(HolderErased, _erased)
    # What breaks outside of a view is logged like the rest: the framework's own line would quote the address.
    app.log_exception = _log  # type: ignore[method-assign]

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        # What breaks outside of a view, such as in the answer to another error, comes here as an error of the server.
        cause = getattr(error, "original_exception", None)
        if cause is not None and (why := outage(cause)) is not None:
            return _out(why, cause)
        if error.code is None or error.code < 400:
            return error
        return _page(error.code, typed=typed())

    @app.errorhandler(CSRFError)
    def _token(error: CSRFError) -> ResponseReturnValue:
        load_actor()
        return keep_and_lead_back() or _token_over()

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
        if (why := outage(error)) is not None:
            return _out(why, error)
        if app.testing:
            raise error
        log.error("page.failed", exc_info=error)
        return _page(500, typed=typed())
