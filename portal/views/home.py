"""The start page, the pages about the portal, and what monitors ask."""

from flask import Blueprint, abort, current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from portal.health.readiness import Readiness
from portal.own_data import notices as privacy_notices
from portal.own_data.notices import Version
from portal.views.context import current_actor, today
from portal.views.guards import public
from portal.views.navigation import home_for

bp = Blueprint("home", __name__)

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/")
@public("the front door: says what this is and leads to sign-in")
def start() -> ResponseReturnValue:
    actor = current_actor()
    if actor is not None:
        return redirect(home_for(actor), 303)
    return render_template("home/start.html")


@bp.get("/privacy-notice")
@public("people read it before they sign in")
def privacy_notice() -> ResponseReturnValue:
    return _notice(privacy_notices.newest(on=today()))


@bp.get("/privacy-notice/<version>")
@public("people read again what they were shown before")
def privacy_notice_of(version: str) -> ResponseReturnValue:
    """A version by its date, such as 2021-06-01."""
    found = privacy_notices.version_of(version, on=today())
    if found is None:
        abort(404)
    return _notice(found)


def _notice(version: Version) -> ResponseReturnValue:
    others = [one for one in privacy_notices.until(on=today()) if one.on != version.on]
    newest = privacy_notices.newest(on=today())
    return render_template("pages/privacy_notice.html", version=version, newest=newest, others=others)


@bp.get("/cookies")
@public("people read it before they sign in")
def cookies() -> ResponseReturnValue:
    return render_template("pages/cookies.html")


@bp.get("/accessibility")
@public("people read it before they sign in")
def accessibility() -> ResponseReturnValue:
    return render_template("pages/accessibility.html")


@bp.get("/contact")
@public("help is there for those who cannot sign in")
def contact() -> ResponseReturnValue:
    return render_template("pages/contact.html")


@bp.get("/healthz")
@public("a process monitor has no account; it learns only that the process answers")
def healthz() -> ResponseReturnValue:
    return "ok\n", 200, PLAIN


@bp.get("/readyz")
@public("a monitor has no account; it learns which part works and which does not")
def readyz() -> ResponseReturnValue:
    """`part: ok` or `part: trouble`, a line each; 503 where there is any trouble."""
    readiness: Readiness = current_app.extensions["readiness"]
    parts = readiness.parts()
    lines = "".join(f"{part.name}: {part.trouble or 'ok'}\n" for part in parts)
    return lines, 503 if any(part.trouble for part in parts) else 200, PLAIN
