"""The registers of the desk: where each is, the record of processing with remarks, and personnel (cl 17.8, 30(2))."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import held_words
from portal.desk import person_reading
from portal.desk import trail as desk
from portal.forms.registers import RemarkForm
from portal.mentors.clearances import WORDS
from portal.registers import index as register_index
from portal.registers import personnel
from portal.views.context import clock_now, instance, programme, session, the_actor, today
from portal.views.guards import guarded
from portal.views.refusals import carry_out, status_of
from privacy import outside, processing, remarks

bp = Blueprint("registers", __name__, url_prefix="/desk/registers")


@bp.get("")
@guarded(None, policies.may_read_registers)
def index() -> ResponseReturnValue:
    found = register_index.index(instance(), session(), now=clock_now())
    return render_template("registers/index.html", found=found)


@bp.get("/processing")
@guarded(None, policies.may_read_registers)
def processing_record() -> ResponseReturnValue:
    """The record of processing in the processor's form."""
    found = processing.record(person_reading.parties(programme()), outside.stores(session()))
    return render_template(
        "registers/processing.html",
        called=held_words.words,
        found=found,
        stores=desk.stores_held(session()),
        remarks=remarks.remarks(session()),
        may_remark=policies.may_keep_registers(the_actor()),
    )


@bp.route("/processing/<activity>", methods=["GET", "POST"])
@guarded(None, policies.may_keep_registers)
def remark(activity: str) -> ResponseReturnValue:
    """Say something about one category of processing."""
    found = next((one for one in processing.activities() if one.table == activity), None)
    if found is None:
        abort(404)
    last = remarks.remarks(session()).get(activity)
    form = RemarkForm(data={"text": last.body if last else ""})
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: remarks.remark(
            unit, on=activity, text=form.text.data or "", entry_id=form.entry_id.id_to_make
        ),
    ):
        flash("The remark is kept.", "success")
        return redirect(url_for("registers.processing_record"), 303)
    return render_template(
        "registers/remark.html", form=form, found=found, what=held_words.words(activity)
    ), status_of(form)


@bp.get("/personnel")
@guarded(None, policies.may_read_registers)
def people() -> ResponseReturnValue:
    return render_template(
        "registers/personnel.html",
        found=personnel.personnel(session(), on=today()),
        kinds=[WORDS[kind] for kind in personnel.SHOWN],
    )
