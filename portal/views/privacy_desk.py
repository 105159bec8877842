"""What the data protection officer and the Controller's auditor read: what is held, and what was done with it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.desk import trail as desk
from portal.views import searches_kept
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


@bp.route("/trail", methods=["GET", "POST"])
@guarded(None, policies.may_read_trail)
def trail() -> ResponseReturnValue:
    """A page of it, narrowed by a reference and by what lines are about."""
    if request.method == "POST":
        return searches_kept.to_results()
    text, area = searches_kept.words(), request.args.get("area", "")
    return render_template(
        "privacy_desk/trail.html",
        trail=desk.trail(session(), page=page_asked(), about=text, area=area),
        text=text,
        area=area,
        areas=desk.AREAS,
    )


@bp.post("/trail/check")
@guarded(None, policies.may_read_trail)
def check_trail() -> ResponseReturnValue:
    """Recompute the whole chain; nothing is recorded of it."""
    flash(desk.chain_state(session(), instance().vault.ring), "notice")
    return redirect(url_for("privacy_desk.trail"), 303)
