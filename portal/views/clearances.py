"""Clearance, undertaking and training: what somebody has themselves, and what the team records of others."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.forms.delivery import ClearanceForm
from portal.forms.programme import ConfirmForm
from portal.mentors import clearances
from portal.models import Clearance, Person
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.loaders import load_clearance, load_person
from portal.views.refusals import carry_out, status_of

bp = Blueprint("clearances", __name__)


@bp.get("/your-clearance")
@guarded(None, policies.may_see_own_clearance)
def own() -> ResponseReturnValue:
    """What is recorded of the reader: the one page that stays open while something is missing."""
    rows = clearances.history(session(), the_actor().person_id)
    return render_template(
        "clearances/own.html", rows=rows, gaps=the_actor().gaps, words=clearances.WORDS, today=today()
    )


@bp.route("/team/people/<uuid:person_id>/clearance", methods=["GET", "POST"])
@guarded(load_person, policies.may_record_clearance)
def record(person: Person) -> ResponseReturnValue:
    form, person_id = ClearanceForm(), person.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: clearances.record(unit, person_id=person_id, **form.asked)
    ):
        return _done("It is recorded.", person_id)
    return render_template("clearances/record.html", form=form, person=person), status_of(form)


@bp.route("/team/people/<uuid:person_id>/clearance/<uuid:clearance_id>/take-back", methods=["GET", "POST"])
@guarded(load_clearance, policies.may_end_clearance)
def take_back(row: Clearance) -> ResponseReturnValue:
    form, clearance_id, person_id = ConfirmForm(), row.id, row.person_id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: clearances.take_back(unit, clearance_id=clearance_id)
    ):
        return _done("It does not count any more.", person_id)
    return render_template(
        "clearances/take_back.html", form=form, row=row, words=clearances.WORDS
    ), status_of(form)


@bp.post("/team/people/<uuid:person_id>/contact")
@guarded(load_person, policies.may_record_clearance)
def contact(person: Person) -> ResponseReturnValue:
    """Say whether somebody meets children or vulnerable adults: then they need an enhanced DBS check."""
    person_id, meets = person.id, request.form.get("act") == "meets"
    carry_out(
        ConfirmForm(),
        lambda unit: clearances.set_contact(unit, person_id=person_id, meets_children=meets),
    )
    return _done("It is noted.", person_id)


def _done(said: str, person_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
