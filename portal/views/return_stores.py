"""What a return destroys, store by store, and the word of somebody on what the portal cannot reach (cl 17.4(e))."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.db import db
from portal.forms.return_stores import StoreForm
from portal.returning import destruction, destruction_checks, destruction_places
from portal.returning.destruction_places import Left
from portal.views.context import instance, session, the_actor, work
from portal.views.guards import guarded
from portal.views.loaders import load_return
from privacy.returns.course import Course
from privacy.returns.stores import ConfirmationRefused

bp = Blueprint("return_stores", __name__, url_prefix="/desk/returns")


@bp.get("/<uuid:return_id>/stores")
@guarded(load_return, policies.may_see_return)
def show(course: Course) -> ResponseReturnValue:
    return _page(course, StoreForm(formdata=None), 200)


@bp.post("/<uuid:return_id>/stores")
@guarded(load_return, policies.may_run_return)
def confirm(course: Course) -> ResponseReturnValue:
    """Write down what somebody says of one store."""
    form, return_id = StoreForm(), course.of.id
    known = destruction.to_confirm(_left(), session(), course)
    form.offer(line.store.name for line in known)
    if not form.validate_on_submit():
        return _page(course, form, 422)
    try:
        with work() as unit:
            destruction.confirm(unit, return_id, store=form.store.data, said=form.said, known=known)
    except ConfirmationRefused as problem:
        form.refuse(form.named(problem.field), problem)
        return _page(load_return(return_id=return_id) or course, form, 422)
    flash("It is written down.", "success")
    return redirect(url_for("return_stores.show", return_id=return_id), 303)


def _left() -> Left:
    return destruction_places.left_of(instance(), db.engine)


def _page(course: Course, form: StoreForm, status: int) -> ResponseReturnValue:
    found = destruction_checks.lines(_left(), session(), course)
    by_hand = [line for line in found if line.by_hand]
    # Those that wait come first: they are what somebody comes here for.
    form.offer(line.store.name for line in sorted(by_hand, key=lambda line: not line.waits))
    return render_template(
        "returns/stores.html",
        course=course,
        lines=found,
        waiting=sum(line.waits for line in found),
        against=destruction_checks.against(_left(), session(), course, None),
        form=form,
        may_run=policies.may_run_return(the_actor(), course) and not course.begun,
    ), status
