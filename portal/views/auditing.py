"""What the Controller's auditor reads: cases without names, their clocks, and the package (cl 17.9)."""

from io import BytesIO

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.programme import ConfirmForm
from portal.registers import audit_cases, audit_package
from portal.registers.audit_cases import SeenCase
from portal.views.context import clock_now, instance, programme, session, today, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_seen_case
from portal.views.refusals import status_of
from privacy import chain_checks
from privacy.errors import ChainBroken

bp = Blueprint("auditing", __name__, url_prefix="/desk/audit")


@bp.get("")
@guarded(None, policies.may_audit)
def cases() -> ResponseReturnValue:
    found = audit_cases.cases(session(), now=clock_now())
    return render_template(
        "auditing/cases.html",
        found=found,
        met=sum(one.met for one in found if not one.exercise),
        missed=sum(one.missed for one in found if not one.exercise),
        check=chain_checks.last(session()),
    )


@bp.get("/cases/<uuid:case_id>")
@guarded(load_seen_case, policies.may_see_for_audit)
def case(seen: SeenCase) -> ResponseReturnValue:
    return render_template("auditing/case.html", seen=seen)


@bp.post("/package")
@guarded(None, policies.may_audit)
def package() -> ResponseReturnValue:
    """By POST: it leaves a line, and a link would be followed by what looks ahead."""
    form = ConfirmForm()
    target = BytesIO()
    if not form.validate_on_submit():
        return redirect(url_for("auditing.cases"), status_of(form))
    try:
        made = audit_package.write(instance(), session(), target)
    except ChainBroken as broken:
        flash(f"The audit trail does not hold, so no package was made: {broken}.", "notice")
        return redirect(url_for("auditing.cases"), 303)
    with work() as unit:
        audit_package.note(unit, made)
    name = f"{programme().reference}-audit-{today().isoformat()}.zip"
    return attach(Response(target.getvalue(), mimetype="application/zip"), name)
