"""Councils: the list, one council, its neighbours and reviews, and the published file they come from."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.councils import facts as council_facts
from portal.councils import lists as council_lists
from portal.councils import partners, qualifying, refusals, reviews
from portal.councils import register as councils
from portal.councils.lists import Wanted
from portal.councils.qualifying import GROUNDS
from portal.forms.councils import FACTS, VALUES, NeighboursForm, ReviewForm
from portal.models import Council, CouncilKind
from portal.packages import lists as package_lists
from portal.packages.strands import KINDS
from portal.people import directory
from portal.views import files, searches_kept
from portal.views.context import programme, session, today, work
from portal.views.day_asked import day_asked
from portal.views.guards import guarded
from portal.views.loaders import load_council
from portal.views.refusals import carry_out, status_of

bp = Blueprint("councils", __name__, url_prefix="/team/councils")


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    if request.method == "POST":
        return searches_kept.to_results()
    wanted = _wanted()
    return render_template(
        "councils/index.html",
        lines=council_lists.listing(session(), wanted, on=today()),
        wanted=wanted,
        regions=council_lists.regions(session()),
        grounds=GROUNDS,
    )


@bp.get("/list.csv")
@guarded(None, policies.may_run_programme)
def download() -> ResponseReturnValue:
    """The list as it is narrowed, as a file."""
    lines = council_lists.listing(session(), _wanted(), on=today())
    return files.csv_file(council_lists.as_csv(lines), f"councils-{today().isoformat()}")


@bp.get("/<uuid:council_id>")
@guarded(load_council, policies.may_see_team_page)
def show(council: Council) -> ResponseReturnValue:
    on, form = day_asked()
    db, council_id = session(), council.id
    history = refusals.of_council(db, council_id)
    return render_template(
        "councils/show.html",
        council=council,
        heirs=councils.heirs(db, council),
        standing=qualifying.qualifies(db, council_id, on),
        on=on,
        form=form,
        facts=council_facts.history(db, council_id),
        agreement=council_facts.agreement(db, council_id, on=today()),
        refused=refusals.standing(db, council_id),
        history=history,
        names=refusals.names(db, history),
        neighbours=councils.neighbours_of(db, council_id),
        partners=partners.of_council(db, council_id),
        next_review=reviews.next_of(db, programme(), council_id, on=today()),
        reviews=reviews.held(db, council_id),
        holders=directory.office_holders(db, council_id, on=today()),
        packages=package_lists.of_council(db, council_id),
        called=package_lists.called,
        grounds=GROUNDS,
        kinds=FACTS,
        strands=KINDS,
        values=VALUES,
    ), 422 if form.errors else 200


@bp.route("/<uuid:council_id>/neighbours", methods=["GET", "POST"])
@guarded(load_council, policies.may_see_team_page)
def neighbours(council: Council) -> ResponseReturnValue:
    council_id = council.id
    form = NeighboursForm(neighbours=[str(one) for one in councils.neighbours(session(), council_id)])
    form.offer(one for one in councils.live_or_coming(session(), on=today()) if one.id != council_id)
    if form.validate_on_submit():
        with work() as unit:
            councils.set_neighbours(unit, council_id=council_id, neighbour_ids=form.chosen)
        return _done("The neighbours are saved.", council_id)
    return render_template("councils/neighbours.html", form=form, council=council), status_of(form)


@bp.route("/<uuid:council_id>/reviews", methods=["GET", "POST"], endpoint="review")
@guarded(load_council, policies.may_see_team_page)
def record_review(council: Council) -> ResponseReturnValue:
    form, council_id = ReviewForm(held_on=today()), council.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: reviews.record(unit, council_id=council_id, **form.review)
    ):
        return _done("The review is recorded.", council_id)
    return render_template("councils/review.html", form=form, council=council), status_of(form)


@bp.route("/import", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def import_file() -> ResponseReturnValue:
    return files.file_page("councils/import.html", kind="councils")


def _wanted() -> Wanted:
    """What the address asks for; words that are none of the list's are passed over."""
    asked = request.args
    kind = asked.get("kind", "")
    return Wanted(
        text=searches_kept.words("councils.index"),
        region=asked.get("region", ""),
        kind=CouncilKind(kind) if kind in set(CouncilKind) else None,
        qualifies=_yes_or_no("qualifies"),
        agreed=_yes_or_no("agreed"),
        supported=_yes_or_no("supported"),
    )


def _yes_or_no(name: str) -> bool | None:
    return {"yes": True, "no": False}.get(request.args.get(name, ""))


def _done(said: str, council_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("councils.show", council_id=council_id), 303)
