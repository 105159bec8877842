"""The closing page: all that a site shows whose data was destroyed. It needs no database, no key and no account."""

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue

from portal import programme as programmes
from portal.db import db
from portal.instance import Instance, programme_path
from portal.returning import closing
from portal.returning.closing import Closing
from portal.settings import Settings

GONE = 410


def install(app: Flask) -> None:
    """Look before anything else whether the site is closed: one look at a file for each request."""
    app.before_request(show)


def show() -> ResponseReturnValue | None:
    """The page, whatever was asked for; None while the site is open."""
    settings: Settings = current_app.extensions["settings"]
    found = closing.read(settings.instance)
    if found is None and "closed" in current_app.extensions:
        # The database says so: the destruction ran on another machine, where more is known of it.
        found = Closing()
    if found is None:
        return None
    _let_go()
    if request.path in {"/healthz", "/readyz"}:
        return "closed\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
    # Without the context of other pages, which would ask for an instance that is not there any more.
    page = current_app.jinja_env.get_template("closing/closed.html")
    return page.render(closing=found, programme=programmes.load(programme_path(settings))), GONE


def _let_go() -> None:
    """Hold neither keys nor a file of the database open any longer."""
    instance: Instance | None = current_app.extensions.pop("instance", None)
    if instance is not None:
        db.session.remove()
        db.engine.dispose()
        instance.vault.engine.dispose()
