"""Releases: the team sees what a release would say and makes it; the Department's observer reads what was released."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.releases import ApprovalForm, ReleaseForm
from portal.models import Strand
from portal.packages.strands import STRANDS
from portal.results import pictures, releases, releasing, report_sections, report_themes, service_levels
from portal.results.periods import Kind, NoSuchPeriod
from portal.results.releases import Content, Release
from portal.results.releasing import NotForApproval, NotReleased, ReleasedAlready
from portal.results.report_parts import Quotation
from portal.views.context import programme, session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_release
from portal.views.refusals import status_of

bp = Blueprint("releases", __name__, url_prefix="/reports/releases")
SHOWN = {
    "strands": STRANDS,
    "counters": service_levels.COUNTERS,
    "headline": report_sections.headline,
    "percent": pictures.percent,
}
"""What every page with figures of a release takes."""


@bp.get("")
@guarded(None, policies.may_read_kpi)
def index() -> ResponseReturnValue:
    """Every release, and the newest figures. For the observer this is all there is: nothing is counted anew."""
    return render_template(
        "releases/index.html",
        releases=releases.list_of(session()),
        newest=releases.latest(session()),
        team=policies.may_run_programme(the_actor()),
        **SHOWN,
    )


@bp.get("/new")
@guarded(None, policies.may_run_programme)
def choose() -> ResponseReturnValue:
    """The periods that are over and were not released yet."""
    return render_template(
        "releases/choose.html", periods=releasing.waiting_periods(session(), programme(), today=today())
    )


@bp.route("/new/<kind>/<period>", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new(kind: str, period: str) -> ResponseReturnValue:
    """What the release would say, with what is kept back; released on a press."""
    if kind not in set(Kind):
        abort(404)
    asked, form = Kind(kind), ReleaseForm()
    try:
        if form.validate_on_submit():
            with work() as unit:
                release_id = releasing.make(unit, programme(), kind=asked, period=period)
            flash("The figures are released. The Department can read them now.", "success")
            return redirect(url_for("releases.show", release_id=release_id), 303)
        found = releasing.preview(session(), programme(), kind=asked, period=period, today=today())
    except NoSuchPeriod:
        abort(404)
    except NotReleased as problem:
        flash(str(problem), "notice")
        return redirect(url_for("releases.index" if isinstance(problem, ReleasedAlready) else ".choose"), 303)
    return render_template(
        "releases/new.html",
        found=found,
        form=form,
        **SHOWN,
        quotations=_quotations,
    ), status_of(form)


@bp.get("/<uuid:release_id>")
@guarded(load_release, policies.may_read_release)
def show(release: Release) -> ResponseReturnValue:
    return render_template(
        "releases/show.html",
        release=release,
        **SHOWN,
        quotations=_quotations,
        reads_all=policies.may_read_kpi(the_actor()),
        may_approve=policies.may_approve_release(the_actor(), release),
    )


@bp.route("/<uuid:release_id>/approval", methods=["GET", "POST"])
@guarded(load_release, policies.may_approve_release)
def approve(release: Release) -> ResponseReturnValue:
    """Record that the Department approved that an annual review be passed on (sch 4 Publicity)."""
    form, release_id = ApprovalForm(on=today()), release.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                releasing.approve(unit, release_id=release_id, letter=form.letter.data, on=form.day)
        except NotForApproval as problem:
            form.refuse(form.letter, problem)
        else:
            flash("The approval is recorded. Participants and mentors can read the review now.", "success")
            return redirect(url_for("releases.show", release_id=release_id), 303)
    return render_template("releases/approve.html", form=form, release=release), status_of(form)


def _quotations(content: Content, strand: Strand) -> list[Quotation]:
    return report_themes.quotations(content, strand, programme().roles)


@bp.get("/annual-reviews")
@guarded(None, policies.may_see_own)
def reviews() -> ResponseReturnValue:
    """The annual reviews that the Department lets be passed on, for everybody who is signed in."""
    return render_template(
        "releases/reviews.html",
        reviews=releases.reviews(session()),
    )
