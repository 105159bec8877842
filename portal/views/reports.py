"""The KPI page, for the team and the Department's observer."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies, reports
from portal.views.context import programme, session, the_actor, today
from portal.views.guards import guarded

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("/kpi")
@guarded(None, policies.may_read_kpi)
def kpi() -> ResponseReturnValue:
    """Figures and where they come from; nobody can be found from them."""
    errors = []
    as_of, typed = today(), request.args.get("as_of", "")
    try:
        as_of = date.fromisoformat(typed) if typed else as_of
    except ValueError:
        errors.append(("as_of", "The day must be a real date, written like 2023-03-27"))
    return render_template(
        "reports/kpi.html",
        figures=reports.kpi(session(), programme(), as_of=as_of),
        as_of=as_of,
        typed=typed or as_of.isoformat(),
        errors=errors,
        team=policies.may_run_programme(the_actor()),
    ), 422 if errors else 200
