"""One goal: how it is going, in words and in its state, and what became of it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.forms.notes import RemarkForm, RewordForm
from portal.forms.programme import ConfirmForm
from portal.models import Goal, GoalState
from portal.packages import goals
from portal.packages.states import Act, possible
from portal.views.context import session, the_actor
from portal.views.guards import guarded
from portal.views.loaders import load_any_goal
from portal.views.refusals import carry_out, status_of
from privacy.records import new_id

bp = Blueprint("goals", __name__, url_prefix="/goals")


@bp.route("/<uuid:goal_id>", methods=["GET", "POST"])
@guarded(load_any_goal, policies.may_see_goal, reads=policies.may_read)
def show(goal: Goal) -> ResponseReturnValue:
    form, goal_id, package_id = RemarkForm(), goal.id, goal.package_id
    if form.validate_on_submit():
        remark, event_id = form.remark.data or "", form.event_id.id_to_make
        if carry_out(
            form,
            lambda unit: goals.revisit(
                unit, package_id=package_id, goal_id=goal_id, remark=remark, event_id=event_id
            ),
        ):
            return _done("It is saved.", goal)
    return _page(goal, form)


@bp.route("/<uuid:goal_id>/reword", methods=["GET", "POST"])
@guarded(load_any_goal, policies.may_change_goal)
def reword(goal: Goal) -> ResponseReturnValue:
    form, goal_id, package_id = RewordForm(goals=goal.text), goal.id, goal.package_id
    if form.validate_on_submit():
        text = form.goals.data or ""
        if carry_out(
            form, lambda unit: goals.reword(unit, package_id=package_id, goal_id=goal_id, text=text)
        ):
            return _done("The goal is reworded.", goal)
    return render_template("goals/reword.html", form=form, goal=goal), status_of(form)


@bp.post("/<uuid:goal_id>/state")
@guarded(load_any_goal, policies.may_change_goal)
def change(goal: Goal) -> ResponseReturnValue:
    form, goal_id, package_id = ConfirmForm(), goal.id, goal.package_id
    word = request.form.get("state", "")
    state = GoalState(word) if word in set(GoalState) else GoalState.OPEN
    if not carry_out(
        form,
        lambda unit: goals.set_goal_state(unit, package_id=package_id, goal_id=goal_id, state=state),
    ):
        return _page(goal, form)
    return _done("The goal is changed.", goal)


def _page(goal: Goal, form: RemarkForm | ConfirmForm) -> ResponseReturnValue:
    actor = the_actor()
    serves = policies.may_change_goal(actor, goal)
    remark = form if isinstance(form, RemarkForm) else RemarkForm(formdata=None)
    remark.event_id.data = remark.event_id.data or new_id()
    back = url_for("your_support.index")
    if serves:
        team = policies.may_run_programme(actor)
        back = url_for("packages.show" if team else "mentors.package", package_id=goal.package_id)
    return render_template(
        "goals/show.html",
        form=form,
        remark=remark,
        goal=goal,
        back=back,
        history=goals.history(session(), goal),
        may_change=serves,
        is_open=Act.CHANGE in possible(goal.package.state),
    ), status_of(form)


def _done(said: str, goal: Goal) -> Response:
    flash(said, "success")
    return redirect(url_for("goals.show", goal_id=goal.id), 303)
