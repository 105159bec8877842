"""Mails that are sent to see whether mail arrives."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.mailing import bounces
from portal.models import Person
from portal.views.context import the_actor, work
from portal.views.guards import guarded
from portal.views.loaders import load_person

bp = Blueprint("test_mails", __name__, url_prefix="/team")


@bp.post("/test-mail")
@guarded(None, policies.may_run_programme)
def to_oneself() -> ResponseReturnValue:
    with work() as unit:
        bounces.send_test(unit, person_id=the_actor().person_id)
    flash("A test mail to you is on its way.", "success")
    return redirect(url_for("team.home"), 303)


@bp.post("/people/<uuid:person_id>/test-mail")
@guarded(load_person, policies.may_see_team_page)
def to_person(person: Person) -> ResponseReturnValue:
    person_id = person.id
    with work() as unit:
        bounces.send_test(unit, person_id=person_id)
    flash("A test mail is on its way. The list of mail on this page shows what becomes of it.", "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
