"""Sub-processors: who they are, what is there and what is missing before they may be used (cl 17.11)."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.registers import SubProcessorForm
from portal.mailing import route as mail_route
from portal.views.context import clock_now, instance, programme, session, the_actor, today
from portal.views.guards import guarded
from portal.views.loaders import load_sub_processor
from portal.views.refusals import carry_out, status_of
from privacy import subprocessors
from privacy.subprocessors import Kept, Refused

bp = Blueprint("sub_processors", __name__, url_prefix="/desk/registers/sub-processors")


@bp.get("")
@guarded(None, policies.may_read_registers)
def index() -> ResponseReturnValue:
    return render_template(
        "sub_processors/index.html",
        found=subprocessors.sub_processors(session()),
        today=today(),
        route=mail_route.refusal(session(), instance().settings, programme(), now=clock_now()),
        smtp=instance().settings.smtp,
        may_keep=policies.may_keep_registers(the_actor()),
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_keep_registers)
def new() -> ResponseReturnValue:
    form = SubProcessorForm()
    if form.validate_on_submit() and _kept(form, None):
        flash("The sub-processor is entered. It may be used once nothing is missing.", "success")
        return redirect(url_for("sub_processors.index"), 303)
    return render_template("sub_processors/form.html", form=form, kept=None), status_of(form)


@bp.route("/<uuid:sub_processor_id>", methods=["GET", "POST"])
@guarded(load_sub_processor, policies.may_keep_entry)
def change(kept: Kept) -> ResponseReturnValue:
    """Enter what is new about one; what was entered before stays in the register."""
    form, code = SubProcessorForm(), kept.code
    if not form.is_submitted():
        form.show(kept.what)
    if form.validate_on_submit() and _kept(form, code):
        flash("What is new is entered.", "success")
        return redirect(url_for("sub_processors.index"), 303)
    return render_template("sub_processors/form.html", form=form, kept=kept), status_of(form)


def _kept(form: SubProcessorForm, code: str | None) -> UUID | None:
    try:
        kept = carry_out(
            form,
            lambda unit: (
                subprocessors.keep(unit, form.asked, code=code, entry_id=form.entry_id.id_to_make).id
            ),
        )
    except Refused as problem:
        form.refuse(form[problem.field], problem)
        return None
    return kept
