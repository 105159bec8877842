"""The impact assessment pack: as a page that prints, as a PDF, and the parts that people write (cl 17.3)."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.registers import RemarkForm, RiskForm
from portal.registers import assessment
from portal.registers.instructions import BASES, CONDITIONS, ROWS
from portal.views.context import clock_now, instance, programme, session, the_actor
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_risk
from portal.views.refusals import carry_out, status_of
from privacy import papers, remarks, risks
from privacy.remarks import Part
from privacy.risks import Kept, LeftIsMore

bp = Blueprint("assessment", __name__, url_prefix="/desk/registers/assessment")


@bp.get("")
@guarded(None, policies.may_read_registers)
def show() -> ResponseReturnValue:
    return render_template(
        "assessment/show.html",
        found=assessment.pack(instance(), session(), now=clock_now()),
        parts=assessment.PARTS,
        rows=ROWS,
        bases=BASES,
        conditions=CONDITIONS,
        word=risks.word,
        may_keep=policies.may_keep_registers(the_actor()),
    )


@bp.get("/pack.pdf")
@guarded(None, policies.may_read_registers)
def download() -> ResponseReturnValue:
    found = assessment.pack(instance(), session(), now=clock_now())
    data = papers.render(assessment.paper(found, programme()))
    name = f"{programme().reference}-impact-assessment-{found.on.isoformat()}.pdf"
    return attach(Response(data, mimetype="application/pdf"), name)


@bp.route("/words/<name>", methods=["GET", "POST"])
@guarded(None, policies.may_keep_registers)
def words(name: str) -> ResponseReturnValue:
    """One of the parts that people write."""
    part = next((one for one in Part if one.value == f"_{name}"), None)
    if part is None:
        abort(404)
    last = remarks.remarks(session()).get(part)
    form = RemarkForm(data={"text": last.body if last else ""})
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: remarks.remark(
            unit, on=part, text=form.text.data or "", entry_id=form.entry_id.id_to_make
        ),
    ):
        flash("It is kept.", "success")
        return redirect(url_for("assessment.show"), 303)
    return render_template(
        "assessment/words.html", form=form, label=assessment.PARTS[part], name=name
    ), status_of(form)


@bp.route("/risks/new", methods=["GET", "POST"])
@guarded(None, policies.may_keep_registers)
def new_risk() -> ResponseReturnValue:
    form = RiskForm()
    if form.validate_on_submit() and _kept(form, None):
        flash("The risk is entered.", "success")
        return redirect(url_for("assessment.show"), 303)
    return render_template("assessment/risk.html", form=form, kept=None), status_of(form)


@bp.route("/risks/<uuid:risk_id>", methods=["GET", "POST"])
@guarded(load_risk, policies.may_keep_entry)
def risk(kept: Kept) -> ResponseReturnValue:
    """Weigh a risk anew; how it was weighed before stays in the register."""
    form, code = RiskForm(), kept.code
    if not form.is_submitted():
        form.show(kept.what)
    if form.validate_on_submit() and _kept(form, code):
        flash("The risk is changed.", "success")
        return redirect(url_for("assessment.show"), 303)
    return render_template("assessment/risk.html", form=form, kept=kept), status_of(form)


def _kept(form: RiskForm, code: str | None) -> bool:
    try:
        kept = carry_out(
            form,
            lambda unit: risks.keep(unit, form.asked, code=code, entry_id=form.entry_id.id_to_make),
        )
    except LeftIsMore as problem:
        form.refuse(form.left_likelihood, problem)
        return False
    return kept is not None
