"""Who mentors a package: the table of all who could, the choice of a person, and taking a mentor off."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.delivery import ChooseForm
from portal.mailing import invitations
from portal.mentors import choosing, handovers, serving
from portal.models import Package
from portal.packages import lists as package_lists
from portal.packages import members as matching
from portal.packages.states import PackageRefused
from portal.views.context import clock_now, programme, session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_package
from portal.views.refusals import carry_out, status_of

bp = Blueprint("matches", __name__, url_prefix="/team/packages")
DAY = timedelta(days=1)


@bp.route("/<uuid:package_id>/mentors", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def choose(package: Package) -> ResponseReturnValue:
    """The table can be sorted by each column; who is stopped stands below, with the reasons."""
    form, package_id, sort = ChooseForm(), package.id, request.args.get("sort")
    shown = choosing.table(session(), programme(), package, on=today(), sort=sort)
    allowed = [one for one in shown.stopped if one.looked.can_be_allowed]
    form.offer(shown.free, allowed)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: choosing.choose(unit, programme(), package_id=package_id, **form.asked)
    ):
        flash("The mentor is added.", "success")
        return redirect(url_for("packages.show", package_id=package_id), 303)
    return render_template(
        "matches/choose.html",
        form=form,
        package=package,
        called=package_lists.called(package),
        shown=shown,
        sort=sort,
        choices=choosing.choices(session(), package_id),
    ), status_of(form)


@bp.route("/<uuid:package_id>/mentors/<uuid:person_id>/end", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def unassign(package: Package, person_id: UUID) -> ResponseReturnValue:
    """What is left when a mentor goes, and the button that takes them off."""
    package_id = package.id
    if request.method == "GET":
        return _taking_off(package, person_id)
    try:
        with work() as unit:
            matching.unassign_mentor(unit, package_id=package_id, person_id=person_id)
    except (PackageRefused, LookupError) as problem:
        flash(str(problem), "notice")
    else:
        flash(
            "Today is the last day of this mentor here. Sessions that are booked stay, and what they offered is "
            "withdrawn.",
            "success",
        )
    return redirect(url_for("packages.show", package_id=package_id), 303)


def _taking_off(package: Package, person_id: UUID) -> ResponseReturnValue:
    staying = serving.mentors_from(session(), package.id, on=today() + DAY)
    mentor = next((one for one in staying if one.id == person_id), None)
    if mentor is None:
        abort(404)
    coming = handovers.coming(session(), person_id, now=clock_now())
    return render_template(
        "matches/take_off.html",
        package=package,
        called=package_lists.called(package),
        mentor=mentor,
        alone=len(staying) == 1,
        coming=[one for one in coming if one.package_id == package.id],
        heading_of=lambda held: invitations.heading_of(held, programme()),
    )
