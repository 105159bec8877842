"""Who is acting: found out before every request, through Flask-Login and our own cookie."""

from flask import Flask, Request, g, request
from flask_login import LoginManager, current_user
from sqlalchemy.exc import OperationalError

from portal.access import devices
from portal.access.browsers import browser_words
from portal.actors import Actor, actor_of
from portal.people import former
from portal.views import cookies
from portal.views.context import clock_now, programme, session, today, work

NOBODY_ACTS = {"home.healthz"}
ASKED_BY_PAGES = {"cases.minutes", "cases.not_told"}
"""What an open page asks for by itself: that somebody has left it open is no use of the portal."""


def install(app: Flask) -> None:
    """Set `g.actor` before every request; None for nobody."""
    logins = LoginManager()
    # Its own cookies would outlive a sign-out, so it only ever asks the loader.
    logins.session_protection = None
    logins.anonymous_user = lambda: None
    logins.init_app(app, add_context_processor=False)
    logins.request_loader(_signed_in_browser)
    app.before_request(load_actor)


def load_actor() -> None:
    """Find out who is acting; a form whose token does not hold is met before that, and asks for it itself."""
    g.actor = None
    if request.endpoint not in NOBODY_ACTS:
        bool(current_user)


def _signed_in_browser(asked: Request) -> Actor | None:
    token = cookies.read(cookies.SESSION)
    row = devices.live_session(session(), token, now=clock_now(), programme=programme()) if token else None
    if row is None:
        return None
    returned = former.comes_back(session(), programme(), row.person, now=clock_now())
    actor = actor_of(row, on=today(), former=returned)
    g.actor = actor
    if asked.endpoint not in ASKED_BY_PAGES and devices.is_unseen(row, now=clock_now()):
        try:
            with work(frozen_too=True) as unit:
                devices.see(unit, browser_session_id=actor.browser_session_id)
        except OperationalError:
            # A busy database must not keep anybody from a page: the next request notes it.
            session().rollback()
    return actor


def browser() -> str:
    """What this browser is called in the list of devices."""
    return browser_words(request.user_agent.string)
