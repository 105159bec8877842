"""The team's start page, and the facts of the programme."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import attention, policies
from portal.answers import reopenings
from portal.forms.answers import NotesForm
from portal.forms.programme import ContractEndForm, day
from portal.mailing import invitations
from portal.mentors import profiles
from portal.models import CallRequest
from portal.packages import lists as package_lists
from portal.programme import contract_period, contract_years, latest_end
from portal.registers import contract
from portal.returning import countdown
from portal.views.context import clock_now, programme, session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_call
from portal.views.refusals import carry_out, status_of

bp = Blueprint("team", __name__, url_prefix="/team")


@bp.get("")
@guarded(None, policies.may_run_programme)
def home() -> ResponseReturnValue:
    return render_template(
        "team/home.html",
        now=attention.attention(session(), programme(), now=clock_now()),
        countdown=countdown.near(session(), programme(), now=clock_now()),
        with_groups=profiles.may_hold_groups(session(), on=today()),
        called=package_lists.called,
        heading_of=lambda held: invitations.heading_of(held, programme()),
    )


@bp.post("/calls/<uuid:call_id>/done")
@guarded(None, policies.may_run_programme)
def call_made(call_id: UUID) -> ResponseReturnValue:
    try:
        with work() as unit:
            attention.call_made(unit, call_id=call_id)
    except LookupError:
        abort(404)
    flash("The call is noted.", "success")
    return redirect(url_for("team.home"), 303)


@bp.route("/calls/<uuid:call_id>", methods=["GET", "POST"])
@guarded(load_call, policies.may_see_team_page)
def call(call: CallRequest) -> ResponseReturnValue:
    """A call that was asked for: the number, when it suits, and notes."""
    call_id, form = call.id, NotesForm(notes=call.notes)
    if not form.validate_on_submit():
        return render_template("team/call.html", call=call, form=form), 422 if form.errors else 200
    made = "made" in request.form
    with work() as unit:
        act = attention.call_made if made else attention.note_call
        act(unit, call_id=call_id, notes=form.notes.data or "")
    flash("The call is noted." if made else "The notes are saved.", "success")
    return redirect(url_for("team.home"), 303)


@bp.post("/wishes/<uuid:reopening_id>/settled")
@guarded(None, policies.may_run_programme)
def settle_wish(reopening_id: UUID) -> ResponseReturnValue:
    try:
        with work() as unit:
            reopenings.settle(unit, reopening_id=reopening_id)
    except LookupError:
        abort(404)
    flash("It is off the list.", "success")
    return redirect(url_for("team.home"), 303)


@bp.route("/programme", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def facts() -> ResponseReturnValue:
    form = ContractEndForm()
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: contract.record_end(
            unit,
            programme(),
            ends_on=day(form.ends_on),
            letter=form.letter.data,
            wording=form.wording.data,
        ),
    ):
        flash("The new end of the contract is recorded.", "success")
        return redirect(url_for("team.facts"), 303)
    period = contract_period(session(), programme(), on=today())
    return render_template(
        "team/facts.html",
        form=form,
        period=period,
        years=contract_years(period, programme().year_ends),
        latest=latest_end(programme()),
        entries=contract.ends(session()),
    ), status_of(form)
