"""The register of interests: one's own, what the team records, and the statement for the Department (annex 2)."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.councils import register as councils
from portal.forms.delivery import InterestChangeForm, InterestForm
from portal.mentors import conflicts, interests
from portal.models import Interest, Person
from portal.views.context import programme, session, the_actor, today
from portal.views.files import csv_file
from portal.views.guards import guarded
from portal.views.loaders import load_deliverer, load_interest
from portal.views.refusals import carry_out, status_of

bp = Blueprint("interests", __name__)


@bp.route("/your-interests", methods=["GET", "POST"])
@guarded(None, policies.may_declare_interests)
def own() -> ResponseReturnValue:
    person_id, form = the_actor().person_id, InterestForm()
    form.leave_action()
    if _declared(form, person_id):
        flash("The interest is declared. The team sees it now.", "success")
        return redirect(url_for("interests.own"), 303)
    return render_template(
        "interests/own.html", form=form, rows=interests.of_person(session(), person_id)
    ), status_of(form)


@bp.route("/team/people/<uuid:person_id>/interests", methods=["GET", "POST"])
@guarded(load_deliverer, policies.may_see_team_page)
def record(person: Person) -> ResponseReturnValue:
    person_id, form = person.id, InterestForm()
    if _declared(form, person_id):
        flash("The interest is recorded.", "success")
        return redirect(url_for("people.show", person_id=person_id), 303)
    return render_template("interests/record.html", form=form, person=person), status_of(form)


@bp.route("/team/interests/<uuid:interest_id>", methods=["GET", "POST"])
@guarded(load_interest, policies.may_see_team_page)
def change(row: Interest) -> ResponseReturnValue:
    form, interest_id, person_id = InterestChangeForm(obj=row), row.id, row.person_id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: interests.change(unit, interest_id=interest_id, **form.asked)
    ):
        flash("The interest is changed.", "success")
        return redirect(url_for("people.show", person_id=person_id), 303)
    return render_template("interests/change.html", form=form, row=row), status_of(form)


@bp.get("/reports/conflicts")
@guarded(None, policies.may_read_conflicts)
def statement() -> ResponseReturnValue:
    return render_template("interests/statement.html", shown=interests.statement(session(), on=today()))


@bp.get("/reports/conflicts.csv")
@guarded(None, policies.may_read_conflicts)
def download() -> ResponseReturnValue:
    found = interests.statement(session(), on=today())
    data = conflicts.as_csv(found, reference=programme().reference)
    return csv_file(data, f"{programme().reference}-conflicts-{found.on.isoformat()}")


def _declared(form: InterestForm, person_id: UUID) -> bool:
    form.offer(councils.listed(session()))
    if not form.validate_on_submit():
        return False
    done = carry_out(form, lambda unit: interests.declare(unit, person_id=person_id, **form.asked))
    return done is not None
