"""The results: the KPI page for the team and the Department's observer, and every question's counts for the team."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers.questionnaires import TITLES
from portal.days import day_in, last_of_month_before
from portal.results import kpi as reports
from portal.results import service_levels, tallies
from portal.views.context import programme, session, the_actor, today
from portal.views.guards import guarded
from surveys.models import Wave

bp = Blueprint("reports", __name__, url_prefix="/reports")
Errors = list[tuple[str, str]]


@bp.get("/kpi")
@guarded(None, policies.may_read_kpi)
def kpi() -> ResponseReturnValue:
    """Figures and where they come from; nobody can be found from them.

    Who is not of the team sees whole months only: two neighbouring days, taken from each other, are one person.
    """
    team = policies.may_run_programme(the_actor())
    as_of, typed, errors = _day() if team else (last_of_month_before(today()), "", [])
    return render_template(
        "reports/kpi.html",
        figures=reports.kpi(session(), programme(), as_of=as_of),
        as_of=as_of,
        typed=typed,
        errors=errors,
        team=team,
    ), 422 if errors else 200


@bp.get("/answers")
@guarded(None, policies.may_run_programme)
def answers() -> ResponseReturnValue:
    """Every question of a wave with the base of its counts."""
    as_of, typed, errors = _day()
    asked = request.args.get("wave", "")
    wave = Wave(asked) if asked in TITLES else Wave.POST
    return render_template(
        "reports/answers.html",
        shown=tallies.of_wave(session(), programme(), wave=wave, as_of=as_of),
        waves=TITLES,
        as_of=as_of,
        typed=typed,
        errors=errors,
    ), 422 if errors else 200


@bp.get("/service-levels")
@guarded(None, policies.may_run_programme)
def sla() -> ResponseReturnValue:
    """What the contract promises for each year, and how far it is."""
    as_of, typed, errors = _day()
    return render_template(
        "reports/sla.html",
        years=service_levels.levels(session(), programme(), as_of=as_of),
        counters=service_levels.COUNTERS,
        as_of=as_of,
        typed=typed,
        errors=errors,
    ), 422 if errors else 200


def _day() -> tuple[date, str, Errors]:
    """The day asked for, as it was typed, and what is wrong with it; today where none or no real day was."""
    typed = request.args.get("as_of", "")
    try:
        as_of = day_in(typed) if typed else today()
    except ValueError as problem:
        return today(), typed, [("as_of", str(problem))]
    return as_of, typed or as_of.isoformat(), []
