"""What mentors bring: their own lines, what the team records, and political groups while an instruction lists them."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.forms.delivery import AboutForm, GroupForm, ProfileForm
from portal.mentors import profiles
from portal.models import PARTICIPANT, Person
from portal.views.context import programme, session, the_actor
from portal.views.guards import guarded
from portal.views.loaders import load_mentor, load_person_with_group
from portal.views.refusals import carry_out, status_of

bp = Blueprint("profiles", __name__)


@bp.route("/mentor/about", methods=["GET", "POST"])
@guarded(None, policies.may_mentor)
def about() -> ResponseReturnValue:
    person_id = the_actor().person_id
    form = AboutForm(obj=profiles.row_of(session(), person_id))
    if form.validate_on_submit():
        text = form.about.data or ""
        if carry_out(form, lambda unit: profiles.write_about(unit, person_id=person_id, about=text)):
            flash("Your lines are saved. Leaders see them now.", "success")
            return redirect(url_for("mentors.home"), 303)
    return render_template("profiles/about.html", form=form, at_most=profiles.ABOUT_AT_MOST), status_of(form)


@bp.route("/team/people/<uuid:person_id>/profile", methods=["GET", "POST"])
@guarded(load_mentor, policies.may_see_team_page)
def record(person: Person) -> ResponseReturnValue:
    person_id = person.id
    held = profiles.read(profiles.row_of(session(), person_id))
    form = ProfileForm(obj=held if held.capacity else None, capacity=held.capacity or profiles.USUAL_CAPACITY)
    form.offer(programme())
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: profiles.write_record(unit, person_id=person_id, profile=form.profile),
    ):
        return _done("The profile is saved.", person_id)
    return render_template("profiles/record.html", form=form, person=person), status_of(form)


@bp.route("/team/people/<uuid:person_id>/political-group", methods=["GET", "POST"])
@guarded(load_person_with_group, policies.may_see_team_page)
def group(person: Person) -> ResponseReturnValue:
    """Not found while no instruction lists political groups (sch 3a)."""
    person_id = person.id
    form = GroupForm(political_group=person.political_group, wish=person.mentor_wish)
    supported = any(office.role in PARTICIPANT for office in person.offices)
    if not supported:
        del form.wish
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: profiles.write_group(
            unit,
            person_id=person_id,
            group=form.political_group.data or None,
            wish=(form.wish.data or None) if "wish" in form else None,
        ),
    ):
        return _done("It is saved.", person_id)
    return render_template("profiles/group.html", form=form, person=person), status_of(form)


def _done(said: str, person_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
