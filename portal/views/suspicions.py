"""What the product itself suspects: looked at, then confirmed or dismissed with a reason (cl 17.5, annex 1)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import suspicions
from portal.filters import day_time
from portal.forms.programme import ConfirmForm
from portal.forms.registers import DismissForm
from portal.models import Suspicion
from portal.views.context import clock_now, programme, session, work
from portal.views.guards import guarded
from portal.views.loaders import load_suspicion
from portal.views.refusals import status_of
from privacy.cases.rules import CaseRefused

bp = Blueprint("suspicions", __name__, url_prefix="/desk/suspicions")
DECIDED = "Somebody has decided about this suspicion already."


@bp.get("")
@guarded(None, policies.may_read_registers)
def index() -> ResponseReturnValue:
    return render_template(
        "suspicions/index.html",
        found=suspicions.shown(session()),
        now=clock_now(),
        may_decide=policies.may_weigh_suspicions,
    )


@bp.route("/<uuid:suspicion_id>/confirm", methods=["GET", "POST"])
@guarded(load_suspicion, policies.may_weigh_suspicion)
def confirm(suspicion: Suspicion) -> ResponseReturnValue:
    """Make an incident of it; the Controller is notified by the same act. Asks first: that cannot be called back."""
    form, suspicion_id = ConfirmForm(), suspicion.id
    if request.method == "GET":
        return render_template(
            "cases/ask.html",
            heading="Confirm a suspicion",
            follows=[
                f"{suspicions.WORDS[suspicion.cause]}, found {day_time(suspicion.found_at)}.",
                "It becomes an incident, and a notice goes to the Department at once. Nobody can call it back.",
            ],
            action=url_for("suspicions.confirm", suspicion_id=suspicion_id),
            button="Confirm and notify the Department",
            back=(url_for("suspicions.index"), "Suspicions"),
            keep="Do not confirm it now",
        )
    if not form.validate_on_submit():
        return redirect(url_for("suspicions.index"), status_of(form))
    try:
        with work() as unit:
            case_id = suspicions.confirm(unit, programme(), suspicion=suspicion_id)
    except CaseRefused:
        flash(DECIDED, "notice")
        return redirect(url_for("suspicions.index"), 303)
    flash("It is an incident now, and the Department is being notified.", "success")
    return redirect(url_for("incidents.people", case_id=case_id), 303)


@bp.route("/<uuid:suspicion_id>/dismiss", methods=["GET", "POST"])
@guarded(load_suspicion, policies.may_weigh_suspicion)
def dismiss(suspicion: Suspicion) -> ResponseReturnValue:
    form, suspicion_id = DismissForm(), suspicion.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                suspicions.dismiss(unit, suspicion=suspicion_id, reason=form.reason.data or "")
        except CaseRefused:
            form.refuse(None, DECIDED)
            form.too_late = True
        else:
            flash("The suspicion is dismissed. The reason is kept with it.", "success")
            return redirect(url_for("suspicions.index"), 303)
    return render_template(
        "suspicions/dismiss.html", form=form, suspicion=suspicion, words=suspicions.WORDS
    ), status_of(form)
