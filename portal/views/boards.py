"""How waves went, who has not answered, and the service levels with what is behind them; for the team."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers.questionnaires import TITLES
from portal.mailing import queue as mail
from portal.models import Strand
from portal.packages.strands import STRANDS
from portal.results import behind, funnel, funnel_page, levels_behind, outstanding, service_levels
from portal.results.funnel import STAGES
from portal.views import files
from portal.views.behind import show
from portal.views.context import clock_now, programme, session, today
from portal.views.day_asked import day_asked
from portal.views.guards import guarded
from portal.views.numbers import page_asked
from surveys.models import Wave

bp = Blueprint("boards", __name__, url_prefix="/reports")


@bp.get("/waves")
@guarded(None, policies.may_run_programme)
def waves() -> ResponseReturnValue:
    """A wave from those it was open to, to those whose answers can be compared."""
    wave = _wave() or Wave.POST
    found = funnel.funnels(session(), programme(), wave=wave, now=clock_now())
    return render_template(
        "reports/waves.html",
        wave=wave,
        shown=[funnel_page.page(one) for one in found],
        waves={one: TITLES[one] for one in funnel.WAVES},
        strands=STRANDS,
    )


@bp.get("/waves/<wave>/<strand>/<stage>")
@guarded(None, policies.may_run_programme)
def people(wave: str, strand: str, stage: str) -> ResponseReturnValue:
    """Who has come to a step of a wave."""
    if wave not in funnel.WAVES or strand not in set(Strand) or stage not in STAGES:
        abort(404)
    listed = behind.of_funnel(
        session(),
        programme(),
        wave=Wave(wave),
        strand=strand,
        stage=STAGES[stage],
        now=clock_now(),
        page=page_asked(),
    )
    return show(
        listed, f"{TITLES[Wave(wave)]}: {STRANDS[Strand(strand)].lower()}", back=("boards.waves", "Waves")
    )


@bp.get("/outstanding")
@guarded(None, policies.may_run_programme)
def waiting() -> ResponseReturnValue:
    """Who can answer and has not, and what was sent to them."""
    return render_template(
        "reports/outstanding.html",
        listed=_outstanding(page=page_asked()),
        wave=_wave(),
        strand=request.args.get("strand", ""),
        waves={one: TITLES[one] for one in outstanding.WAVES},
        strands=STRANDS,
        stands=outstanding.STANDS,
        called=mail.called_briefly,
    )


@bp.get("/outstanding/list.csv")
@guarded(None, policies.may_run_programme)
def download() -> ResponseReturnValue:
    """The same list, as it is narrowed, as a file."""
    data = outstanding.as_csv(_outstanding(page=None), programme())
    return files.csv_file(data, f"not-answered-{today().isoformat()}")


def _outstanding(*, page: int | None) -> outstanding.Listing:
    strand = request.args.get("strand", "")
    return outstanding.listing(
        session(),
        programme(),
        wave=_wave(),
        strand=Strand(strand) if strand in set(Strand) else None,
        now=clock_now(),
        page=page,
    )


@bp.get("/service-levels")
@guarded(None, policies.may_run_programme)
def sla() -> ResponseReturnValue:
    """What the contract promises for each year, and how far it is."""
    as_of, form = day_asked()
    return render_template(
        "reports/sla.html",
        years=service_levels.levels(session(), programme(), as_of=as_of),
        counters=service_levels.COUNTERS,
        as_of=as_of,
        form=form,
    ), 422 if form.errors else 200


@bp.get("/service-levels/<year>/<name>")
@guarded(None, policies.may_run_programme)
def level(year: str, name: str) -> ResponseReturnValue:
    """The packages or sessions that a service level counts."""
    as_of, form = day_asked()
    shown = (
        None if form.errors else levels_behind.page(session(), programme(), year=year, name=name, as_of=as_of)
    )
    if shown is None:
        abort(404)
    return render_template("reports/level.html", shown=shown)


def _wave() -> Wave | None:
    asked = request.args.get("wave", "")
    return Wave(asked) if asked in funnel.WAVES else None
