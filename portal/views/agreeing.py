"""Councils to agree: the Department's observer sees which wait and why they qualify, and agrees or not (sch 4 SLAs)."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.councils import allocations, lists, proposals, refusals
from portal.councils.facts import Agreement
from portal.councils.lists import Wanted
from portal.councils.proposals import Proposal
from portal.councils.qualifying import GROUNDS
from portal.forms.councils import AgreeingForm, RefusingForm
from portal.models import Ground
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.refusals import carry_out, status_of

bp = Blueprint("agreeing", __name__, url_prefix="/councils-to-agree")


def load_proposal(proposed_id: UUID) -> Proposal | None:
    """A council that is proposed, and not agreed."""
    return proposals.proposal(session(), proposed_id, on=today())


@bp.get("")
@guarded(None, policies.may_agree_councils)
def index() -> ResponseReturnValue:
    return render_template(
        "agreeing/index.html",
        proposals=proposals.proposals(session(), on=today()),
        agreed=lists.listing(session(), Wanted(agreed=True), on=today()),
        grounds=GROUNDS,
    )


@bp.route("/<uuid:proposed_id>", methods=["GET", "POST"])
@guarded(load_proposal, policies.may_agree_council)
def agree(proposal: Proposal) -> ResponseReturnValue:
    form, council_id = AgreeingForm(), proposal.council.id
    if form.validate_on_submit():
        agreed = Agreement(
            on=today(),
            agreed_with=the_actor().name,
            ground=Ground(form.ground.data),
            evidence=form.evidence.data,
        )
        if carry_out(form, lambda unit: allocations.agree(unit, council_id=council_id, agreed=agreed)):
            flash("The council is agreed. The programme team can go on.", "success")
            return redirect(url_for("agreeing.index"), 303)
    return render_template("agreeing/agree.html", form=form, proposal=proposal, grounds=GROUNDS), status_of(
        form
    )


@bp.route("/<uuid:proposed_id>/refuse", methods=["GET", "POST"])
@guarded(load_proposal, policies.may_agree_council)
def refuse(proposal: Proposal) -> ResponseReturnValue:
    form, council_id = RefusingForm(), proposal.council.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: refusals.refuse(unit, council_id=council_id, reason=form.reason.data or ""),
    ):
        flash("The council is not agreed. The programme team is told.", "success")
        return redirect(url_for("agreeing.index"), 303)
    return render_template("agreeing/refuse.html", form=form, proposal=proposal), status_of(form)
