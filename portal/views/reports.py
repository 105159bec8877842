"""The KPI page, for the team and the Department's observer."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies, reports
from portal.days import day_in, last_of_month_before
from portal.views.context import programme, session, the_actor, today
from portal.views.guards import guarded

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("/kpi")
@guarded(None, policies.may_read_kpi)
def kpi() -> ResponseReturnValue:
    """Figures and where they come from; nobody can be found from them.

    Who is not of the team sees whole months only: two neighbouring days, taken from each other, are one person.
    """
    team = policies.may_run_programme(the_actor())
    errors = []
    as_of, typed = today(), request.args.get("as_of", "") if team else ""
    try:
        as_of = day_in(typed) if typed else as_of
    except ValueError as problem:
        errors.append(("as_of", str(problem)))
    if not team:
        as_of = last_of_month_before(as_of)
    return render_template(
        "reports/kpi.html",
        figures=reports.kpi(session(), programme(), as_of=as_of),
        as_of=as_of,
        typed=typed or as_of.isoformat(),
        errors=errors,
        team=team,
    ), 422 if errors else 200
