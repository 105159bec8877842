"""What the data protection officer and the Controller's auditor read: what is held, and what was done with it."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.desk import trail as desk
from portal.views.context import instance, session
from portal.views.guards import guarded
from portal.views.numbers import page_asked

bp = Blueprint("privacy_desk", __name__, url_prefix="/privacy-desk")


@bp.get("/holdings")
@guarded(None, policies.may_read_register)
def data_map() -> ResponseReturnValue:
    return render_template(
        "privacy_desk/holdings.html", tables=desk.tables_held(), stores=desk.stores_held(session())
    )


@bp.get("/trail")
@guarded(None, policies.may_read_trail)
def trail() -> ResponseReturnValue:
    page = page_asked()
    return render_template("privacy_desk/trail.html", trail=desk.trail(session(), page=page))


@bp.post("/trail/check")
@guarded(None, policies.may_read_trail)
def check_trail() -> ResponseReturnValue:
    """Recompute the whole chain; nothing is recorded of it."""
    flash(desk.chain_state(session(), instance().vault.ring), "notice")
    return redirect(url_for("privacy_desk.trail"), 303)
