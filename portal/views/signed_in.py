"""Who is acting: found out before every request, through Flask-Login and our own cookie."""

from flask import Flask, Request, g, request
from flask_login import LoginManager, current_user

from portal.access import devices
from portal.access.browsers import browser_words
from portal.actors import Actor, actor_of
from portal.people import former
from portal.views import cookies
from portal.views.context import clock_now, programme, session, today, work
from portal.views.request_logs import SILENT
from privacy.outages import outage

ASKED_BY_PAGES = {"cases.minutes", "cases.not_told", "sent_files.show", "staying.left", "your_data.copy"}
"""What an open page asks for again by itself."""
NOTE_WITHIN = 0.25
"""Seconds in which it is noted that a browser was used, or left to its next request."""


def install(app: Flask) -> None:
    """Set `g.actor` before every request; None for nobody."""
    logins = LoginManager()
    # Its own cookies would outlive a sign-out, so it only ever asks the loader.
    logins.session_protection = None
    logins.anonymous_user = lambda: None
    logins.init_app(app, add_context_processor=False)
    logins.request_loader(_signed_in_browser)
    app.before_request(load_actor)


def asked_by_a_page() -> bool:
    """Whether a page that was left open asks, and nobody: that is no use of the portal, and keeps nobody signed in."""
    return (
        request.method == "GET"
        and request.endpoint in ASKED_BY_PAGES
        and request.headers.get("HX-Request") == "true"
    )


def load_actor() -> None:
    """Find out who is acting, once a request, for whoever needs to know it first."""
    if "actor" in g:
        return
    g.actor = None
    if request.endpoint not in SILENT:
        bool(current_user)


def _signed_in_browser(asked: Request) -> Actor | None:
    token = cookies.read(cookies.SESSION)
    row = devices.signed_in(session(), token, now=clock_now(), programme=programme()) if token else None
    if row is None:
        return None
    returned = former.comes_back(session(), programme(), row.person, now=clock_now())
    actor = actor_of(row, on=today(), former=returned, at=clock_now(), reading=programme().reading)
    g.actor = actor
    used = not asked_by_a_page() and devices.is_unseen(row, now=clock_now())
    g.time_left = devices.left(row, seen_at=clock_now() if used else row.seen_at, now=clock_now())
    if used:
        try:
            with work(frozen_too=True, patience=NOTE_WITHIN) as unit:
                devices.see(unit, browser_session_id=actor.browser_session_id)
        except Exception as error:
            # A database that cannot be written to must not keep anybody from a page: the next request notes it.
            if outage(error) is None:
                raise
            session().rollback()
    return actor


def browser() -> str:
    """What this browser is called in the list of devices."""
    return browser_words(request.user_agent.string)
