"""What the Controller has instructed in writing; it becomes part of schedule 3a (cl 17.1, sch 3a)."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import needs, policies
from portal.forms.delivery import InstructionForm
from portal.views.context import session, the_actor, today, work
from portal.views.guards import guarded
from privacy import registers
from privacy.registers import DataItem, Register

bp = Blueprint("instructions", __name__, url_prefix="/privacy-desk/instructions")


@bp.get("")
@guarded(None, policies.may_read_instructions)
def index() -> ResponseReturnValue:
    return render_template(
        "instructions/index.html",
        entries=registers.entries(session(), Register.INSTRUCTION),
        items={DataItem.POLITICAL_GROUP: "Political groups", **needs.WORDS},
        listed=registers.listed(session(), on=today()),
        may_enter=policies.may_enter_instructions(the_actor()),
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_enter_instructions)
def new() -> ResponseReturnValue:
    form = InstructionForm()
    if form.validate_on_submit():
        with work() as unit:
            registers.enter(
                unit,
                register=Register.INSTRUCTION,
                letter=form.letter.data or "",
                from_on=form.starts_on,
                items=form.items,
                body=form.wording.data,
            )
        flash("The instruction is entered.", "success")
        return redirect(url_for("instructions.index"), 303)
    return render_template("instructions/new.html", form=form), 422 if form.errors else 200
