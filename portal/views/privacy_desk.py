"""What the data protection officer and the Controller's auditor read: what is held, and what was done with it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
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
    """A page of it, narrowed by a reference and by what lines are about, which stand in the address: neither names
    anybody."""
    about, area = request.args.get("about", "").strip(), request.args.get("area", "")
    chosen: dict[str, Any] = {name: value for name, value in (("about", about), ("area", area)) if value}
    return render_template(
        "privacy_desk/trail.html",
        trail=desk.trail(session(), page=page_asked(), about=about, area=area),
        asked=chosen,
        areas=desk.AREAS,
        here=url_for("privacy_desk.trail", **chosen, page=""),
    )


@bp.post("/trail/check")
@guarded(None, policies.may_read_trail)
def check_trail() -> ResponseReturnValue:
    """Recompute the whole chain; nothing is recorded of it."""
    flash(desk.chain_state(session(), instance().vault.ring), "notice")
    return redirect(url_for("privacy_desk.trail"), 303)
