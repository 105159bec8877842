"""What incidents have beyond other cases: who is affected, what could follow for them, and exercises (annex 1)."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import incidents
from portal.filters import count
from portal.forms.programme import ConfirmForm
from portal.forms.registers import AffectedForm, AssessForm, ExerciseForm
from portal.views.context import programme, session, the_actor, work
from portal.views.guards import guarded
from portal.views.loaders import load_incident
from portal.views.refusals import say_sent_before, status_of
from privacy.cases import affected
from privacy.cases.rules import CaseRefused
from privacy.cases.story import Story
from privacy.sent_before import SentBefore

bp = Blueprint("incidents", __name__, url_prefix="/desk")


@bp.route("/cases/<uuid:case_id>/affected", methods=["GET", "POST"])
@guarded(load_incident, policies.may_handle_incident)
def people(incident: Story) -> ResponseReturnValue:
    """The list of who is affected; by POST more people on it."""
    form, case_id = AffectedForm(), incident.case.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                added = incidents.put_on_list(
                    unit,
                    case_id=case_id,
                    people=form.people.data or "",
                    packages=form.packages.data or "",
                    tables=_tables(),
                )
        except CaseRefused as problem:
            form.refuse(form[problem.field], problem)
        else:
            flash(f"{count(added, 'person is', 'people are')} new on the list.", "success")
            return redirect(url_for("incidents.people", case_id=case_id), 303)
    return _page(incident, form, AssessForm(None))


@bp.post("/cases/<uuid:case_id>/affected/remove")
@guarded(load_incident, policies.may_handle_incident)
def remove(incident: Story) -> ResponseReturnValue:
    case_id = incident.case.id
    ids = {one.person.id for one in incidents.on_list(session(), case_id)}
    chosen = [person_id for person_id in ids if str(person_id) in request.form.getlist("person")]
    if ConfirmForm().validate_on_submit():
        with work() as unit:
            affected.remove(unit, case_id=case_id, person_ids=chosen)
        flash(f"{count(len(chosen), 'person is', 'people are')} off the list.", "success")
    return redirect(url_for("incidents.people", case_id=case_id), 303)


@bp.post("/cases/<uuid:case_id>/affected/assess")
@guarded(load_incident, policies.may_handle_incident)
def assess(incident: Story) -> ResponseReturnValue:
    """Write the assessment down, with the number of people and the kinds of data."""
    form, case_id = AssessForm(), incident.case.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                incidents.assess(
                    unit,
                    case_id=case_id,
                    risk=form.risk.data or "",
                    tables=_tables(),
                    event_id=form.event_id.id_to_make,
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
        except CaseRefused as problem:
            form.refuse(None, problem)
        else:
            flash("The assessment is written down. Tell the Department in the next notice.", "success")
            return redirect(url_for("cases.show", case_id=case_id), 303)
    return _page(incident, AffectedForm(None), form)


@bp.get("/exercises")
@guarded(None, policies.may_read_registers)
def exercises() -> ResponseReturnValue:
    return render_template(
        "incidents/exercises.html",
        found=incidents.exercises(session()),
        may_start=policies.may_keep_registers(the_actor()),
    )


@bp.route("/exercises/new", methods=["GET", "POST"])
@guarded(None, policies.may_keep_registers)
def exercise() -> ResponseReturnValue:
    form = ExerciseForm()
    form.offer(incidents.SCENARIOS)
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_id: UUID = incidents.exercise(
                    unit,
                    programme(),
                    scenario=form.asked(incidents.SCENARIOS),
                    case_id=form.case_id.id_to_make,
                ).id
        except SentBefore as problem:
            say_sent_before(form, problem)
        else:
            flash("The exercise has begun. Nothing of it leaves the house.", "success")
            return redirect(url_for("cases.show", case_id=case_id), 303)
    return render_template("incidents/exercise.html", form=form), status_of(form)


def _tables() -> list[str]:
    """The tables that are ticked, of those that there are."""
    known = {one.table for one in affected.stocks(session())}
    return [name for name in request.form.getlist("table") if name in known]


def _page(incident: Story, form: AffectedForm, assessing: AssessForm) -> ResponseReturnValue:
    page = render_template(
        "incidents/people.html",
        form=assessing if assessing.errors else form,
        adding=form,
        assessing=assessing,
        incident=incident,
        found=incidents.on_list(session(), incident.case.id),
        stocks=affected.stocks(session()),
        ticked=request.form.getlist("table"),
    )
    return page, status_of(assessing if assessing.errors else form)
