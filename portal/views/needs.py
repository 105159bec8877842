"""What somebody needs in sessions: noted by themselves, or by the team for them, while an instruction lists it."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.notes import NeedsForm
from portal.models import Person
from portal.people import needs
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.loaders import load_person_with_needs
from portal.views.refusals import carry_out, status_of

bp = Blueprint("needs", __name__)


@bp.route("/your-needs", methods=["GET", "POST"])
@guarded(None, policies.may_see_own_needs, reads=policies.may_read)
def own() -> ResponseReturnValue:
    """While nothing is listed, the page says that nothing is recorded."""
    person = session().get_one(Person, the_actor().person_id)
    return _page(person, here=url_for("needs.own"), back=url_for("your_support.index"), own=True)


@bp.route("/team/people/<uuid:person_id>/needs", methods=["GET", "POST"])
@guarded(load_person_with_needs, policies.may_see_team_page)
def of_person(person: Person) -> ResponseReturnValue:
    """Not found while no instruction lists any (sch 3a)."""
    here = url_for("needs.of_person", person_id=person.id)
    return _page(person, here=here, back=url_for("people.show", person_id=person.id), own=False)


def _page(person: Person, *, here: str, back: str, own: bool) -> ResponseReturnValue:
    person_id: UUID = person.id
    asked = needs.asked(session(), on=today())
    form = NeedsForm(obj=person)
    form.ask(asked)
    if asked and form.validate_on_submit():
        said = form.said
        if carry_out(form, lambda unit: needs.write(unit, person_id=person_id, said=said)):
            flash("It is saved.", "success")
            return redirect(back, 303)
    return render_template(
        "needs/needs.html", form=form, person=person, here=here, back=back, own=own, asked=asked
    ), status_of(form)
