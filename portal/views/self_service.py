"""What people may do themselves: the standing instructions, and the form that enters one (cl 17.1, sch 3a)."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.self_service import StandingForm
from portal.own_data import self_service
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.refusals import carry_out, status_of

bp = Blueprint("self_service", __name__, url_prefix="/privacy-desk/instructions/standing")


@bp.get("")
@guarded(None, policies.may_read_instructions)
def index() -> ResponseReturnValue:
    return render_template(
        "self_service/index.html",
        allows=self_service.allows(session(), on=today()),
        words=self_service.WORDS,
        may_enter=policies.may_enter_instructions(the_actor()),
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_enter_instructions)
def new() -> ResponseReturnValue:
    form = StandingForm()
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: self_service.enter(
            unit,
            letter=form.letter.data,
            from_on=form.starts_on,
            acts=form.acts,
            wording=form.wording.data,
            entry_id=form.entry_id.id_to_make,
        ),
    ):
        flash("The instruction is entered.", "success")
        return redirect(url_for("self_service.index"), 303)
    return render_template("self_service/new.html", form=form), status_of(form)
