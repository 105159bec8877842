"""What the Controller has instructed in writing, and schedule 3a as it stands on a day (cl 17.1, sch 3a)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.registers import InstructionForm, OnDayForm, ScheduleForm
from portal.registers import instructions
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.refusals import carry_out, status_of
from privacy import registers
from privacy.registers import Register

bp = Blueprint("instructions", __name__, url_prefix="/privacy-desk/instructions")


@bp.get("")
@guarded(None, policies.may_read_instructions)
def index() -> ResponseReturnValue:
    """What is in force on a day, today unless another is asked for."""
    form = OnDayForm(request.args)
    form.validate()
    return render_template(
        "instructions/index.html",
        form=form,
        found=instructions.in_force(session(), on=form.day(today())),
        entries=registers.entries(session(), Register.INSTRUCTION),
        versions=registers.entries(session(), Register.SCHEDULE),
        words=instructions,
        may_enter=policies.may_enter_instructions(the_actor()),
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_enter_instructions)
def new() -> ResponseReturnValue:
    form = InstructionForm()
    form.offer(registers.holding(session(), Register.INSTRUCTION, on=today()))
    if form.validate_on_submit() and carry_out(form, lambda unit: instructions.instruct(unit, **form.asked)):
        flash("The instruction is entered.", "success")
        return redirect(url_for("instructions.index"), 303)
    return render_template("instructions/new.html", form=form), status_of(form)


@bp.route("/schedule-3a", methods=["GET", "POST"])
@guarded(None, policies.may_enter_instructions)
def schedule() -> ResponseReturnValue:
    """A new version, beginning with the words of the one in force."""
    form = ScheduleForm(data=instructions.in_force(session(), on=today()).rows)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: instructions.set_schedule(unit, **form.asked)
    ):
        flash("The version is entered.", "success")
        return redirect(url_for("instructions.index"), 303)
    return render_template("instructions/schedule.html", form=form), status_of(form)
