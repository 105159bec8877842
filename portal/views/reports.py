"""The results for the team: the two KPIs with the lists behind them, every statement, every question."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers.questionnaires import TITLES
from portal.models import PARTICIPANT, Role, Strand
from portal.packages.strands import STRANDS
from portal.results import behind, board, items_page, kpi_page, tallies
from portal.results.groups import GROUPS
from portal.views.behind import show
from portal.views.context import programme, session, the_actor, today, work
from portal.views.day_asked import day_asked
from portal.views.guards import guarded
from portal.views.numbers import page_asked
from surveys.models import Wave

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("/kpi")
@guarded(None, policies.may_read_kpi)
def kpi() -> ResponseReturnValue:
    """The figures as they are kept, or of another day. The Department's observer reads what was released."""
    if not policies.may_run_programme(the_actor()):
        return redirect(url_for("releases.index"), 303)
    as_of, form = day_asked()
    kept = board.kept(session()) if form.asked is None and not form.errors else None
    document = kept.document if kept else board.count(session(), programme(), as_of=as_of)
    return render_template(
        "reports/kpi.html",
        boards=kpi_page.boards(document),
        digest=document["hash"],
        kept=kept,
        as_of=kept.as_of if kept else as_of,
        form=form,
    ), 422 if form.errors else 200


@bp.post("/kpi/count")
@guarded(None, policies.may_run_programme)
def count() -> ResponseReturnValue:
    """Count the figures again and keep them."""
    document = board.count(session(), programme(), as_of=today())
    with work() as unit:
        board.keep(unit, document)
    flash("The figures have been counted again.", "success")
    return redirect(url_for("reports.kpi"), 303)


@bp.get("/kpi/<strand>/<group>")
@guarded(None, policies.may_run_programme)
def people(strand: str, group: str) -> ResponseReturnValue:
    """Who is behind a number of a KPI."""
    found = GROUPS.get(group)
    if found is None or strand not in set(Strand):
        abort(404)
    as_of, form = day_asked()
    if form.errors:
        abort(404)
    listed = behind.of_kpi(session(), programme(), strand=strand, group=found, as_of=as_of, page=page_asked())
    return show(listed, STRANDS[Strand(strand)], back=("reports.kpi", "Confidence and impact"))


@bp.get("/change")
@guarded(None, policies.may_run_programme)
def change() -> ResponseReturnValue:
    """How each statement moved, by strand and role."""
    as_of, form = day_asked()
    strand, role = request.args.get("strand", ""), request.args.get("role", "")
    return render_template(
        "reports/change.html",
        shown=items_page.page(
            session(),
            programme(),
            strand=Strand(strand) if strand in set(Strand) else Strand.ONE_TO_ONE,
            role=Role(role) if role in PARTICIPANT else None,
            as_of=as_of,
        ),
        strands=STRANDS,
        roles=[role for role in Role if role in PARTICIPANT],
        as_of=as_of,
        form=form,
    ), 422 if form.errors else 200


@bp.get("/answers")
@guarded(None, policies.may_run_programme)
def answers() -> ResponseReturnValue:
    """Every question of a wave with the base of its counts."""
    as_of, form = day_asked()
    asked = request.args.get("wave", "")
    wave = Wave(asked) if asked in TITLES else Wave.POST
    return render_template(
        "reports/answers.html",
        shown=tallies.of_wave(session(), programme(), wave=wave, as_of=as_of),
        waves=TITLES,
        as_of=as_of,
        form=form,
    ), 422 if form.errors else 200
