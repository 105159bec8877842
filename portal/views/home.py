"""The start page, the pages about the portal, and the health check."""

from flask import Blueprint, abort, redirect, render_template
from flask.typing import ResponseReturnValue

from portal.own_data import notices as privacy_notices
from portal.own_data.notices import Version
from portal.views.context import current_actor, today
from portal.views.guards import public
from portal.views.navigation import home_for

bp = Blueprint("home", __name__)


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
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
