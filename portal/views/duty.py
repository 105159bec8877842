"""The rota of the desk: who is told, beside the officer and the deputies, when a notice does not arrive."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import duty
from portal.cases.duty import DutyRefused
from portal.forms.notices import DutyForm
from portal.models import Role
from portal.people import in_office
from portal.views.context import session, today, work
from portal.views.guards import guarded
from portal.views.refusals import say_sent_before, status_of
from privacy.sent_before import SentBefore

bp = Blueprint("duty", __name__, url_prefix="/desk/duty")


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_run_desk)
def index() -> ResponseReturnValue:
    form = DutyForm()
    form.offer(in_office.holders(session(), duty.ON_ROTA, on=today()))
    if form.validate_on_submit():
        try:
            with work() as unit:
                duty.put(unit, **form.said, today=today())
        except SentBefore as problem:
            say_sent_before(form, problem)
        except DutyRefused as problem:
            form.refuse(form[problem.field], problem)
        else:
            flash("The rota is changed.")
            return redirect(url_for("duty.index"), 303)
    page = render_template(
        "notices/duty.html",
        form=form,
        rota=duty.coming(session(), on=today()),
        always=in_office.holders(session(), [Role.DPO], on=today()),
        today=today(),
    )
    return page, status_of(form)


@bp.post("/<uuid:duty_id>/remove")
@guarded(None, policies.may_run_desk)
def remove(duty_id: UUID) -> ResponseReturnValue:
    with work() as unit:
        duty.take_off(unit, duty_id=duty_id)
    flash("The rota is changed.")
    return redirect(url_for("duty.index"), 303)
