"""Assistants: whom somebody books for, and a leader's own assistant, named and ended by the leader or the team."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.forms.assistants import AssistantForm
from portal.mailing import invitations
from portal.models import Delegation, Person
from portal.people import assisting, delegations
from portal.views.context import clock_now, programme, session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_delegation, load_leader, load_person
from portal.views.refusals import carry_out, status_of

bp = Blueprint("assistants", __name__)


@bp.get("/who-you-book-for")
@guarded(None, policies.may_assist)
def index() -> ResponseReturnValue:
    found = assisting.overview(session(), assistant_id=the_actor().person_id, now=clock_now())
    return render_template(
        "assistants/index.html",
        leaders=found,
        not_open=assisting.NOT_OPEN,
        heading_of=lambda held: invitations.heading_of(held, programme()),
    )


@bp.post("/who-you-book-for/<uuid:delegation_id>/end")
@guarded(load_delegation, policies.may_stop_assisting)
def stop(row: Delegation) -> ResponseReturnValue:
    delegation_id, only = row.id, len(delegations.of_assistant(session(), row.assistant_id, today())) == 1
    with work() as unit:
        delegations.end(unit, delegation_id=delegation_id)
    flash("You no longer book for them.", "success")
    # Without anybody to book for, the page is theirs no more.
    return redirect(url_for("home.start" if only else "assistants.index"), 303)


@bp.route("/your-assistant", methods=["GET", "POST"])
@guarded(None, policies.may_name_assistant, reads=policies.may_read)
def own() -> ResponseReturnValue:
    person = session().get_one(Person, the_actor().person_id)
    return _page(person, own=True)


@bp.post("/your-assistant/end")
@guarded(None, policies.may_name_assistant, reads=policies.may_read)
def end_own() -> ResponseReturnValue:
    return _end(the_actor().person_id, url_for("assistants.own"))


@bp.route("/team/people/<uuid:person_id>/assistant", methods=["GET", "POST"], endpoint="of_leader")
@guarded(load_leader, policies.may_see_team_page)
def of_leader(person: Person) -> ResponseReturnValue:
    return _page(person, own=False)


@bp.post("/team/people/<uuid:person_id>/assistant/end")
@guarded(load_person, policies.may_see_team_page)
def end_of(person: Person) -> ResponseReturnValue:
    return _end(person.id, url_for("people.show", person_id=person.id))


def _page(person: Person, *, own: bool) -> ResponseReturnValue:
    form, leader_id = AssistantForm(), person.id
    here = url_for("assistants.own") if own else url_for("assistants.of_leader", person_id=leader_id)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: delegations.name(unit, leader_id=leader_id, **form.asked)
    ):
        flash("They can book now. We tell them by e-mail.", "success")
        return redirect(here, 303)
    return render_template(
        "assistants/assistant.html",
        form=form,
        person=person,
        own=own,
        row=delegations.of_leader(session(), leader_id, today()),
    ), status_of(form)


def _end(leader_id: UUID, back: str) -> Response:
    row = delegations.of_leader(session(), leader_id, today())
    if row is not None:
        delegation_id = row.id
        with work() as unit:
            delegations.end(unit, delegation_id=delegation_id)
        flash("They can book no more. Sessions stay as they are.", "success")
    return redirect(back, 303)
