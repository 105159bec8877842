"""Assistants: whom somebody books for, and a leader's own assistant, named and ended by the leader or the team."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.access import factors, levels
from portal.access.levels import Reading
from portal.forms.assistants import AssistantForm
from portal.forms.base import Form
from portal.mailing import invitations
from portal.models import Delegation, Person
from portal.people import assisting, delegations
from portal.views.context import clock_now, programme, session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_delegation, load_leader, load_person
from portal.views.next_page import keep_next
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


@bp.route("/who-you-book-for/<uuid:delegation_id>/end", methods=["GET", "POST"])
@guarded(load_delegation, policies.may_stop_assisting)
def stop(row: Delegation) -> ResponseReturnValue:
    delegation_id, only = row.id, len(delegations.of_assistant(session(), row.assistant_id, today())) == 1
    if not Form().validate_on_submit():
        return render_template("assistants/stop.html", row=row)
    with work() as unit:
        delegations.end(unit, delegation_id=delegation_id)
    flash("You no longer book for them. We tell them by e-mail.", "success")
    # Without anybody to book for, the page is theirs no more.
    return redirect(url_for("home.start" if only else "assistants.index"), 303)


@bp.route("/your-assistant", methods=["GET", "POST"])
@guarded(None, policies.may_name_assistant, reads=policies.may_read)
def own() -> ResponseReturnValue:
    person = session().get_one(Person, the_actor().person_id)
    return _page(person, own=True)


@bp.get("/your-assistant/sign-in")
@guarded(None, policies.may_name_assistant, reads=policies.may_read)
def set_up_first() -> ResponseReturnValue:
    """Lead to where a passkey or a password is set up, and back here, while the mailbox is still enough for it."""
    keep_next(url_for("assistants.own"))
    return redirect(url_for("factors.index"), 303)


@bp.route("/your-assistant/end", methods=["GET", "POST"])
@guarded(None, policies.may_name_assistant, reads=policies.may_read)
def end_own() -> ResponseReturnValue:
    return _end(the_actor().person_id, url_for("assistants.own"), own=True)


@bp.route("/team/people/<uuid:person_id>/assistant", methods=["GET", "POST"], endpoint="of_leader")
@guarded(load_leader, policies.may_see_team_page)
def of_leader(person: Person) -> ResponseReturnValue:
    return _page(person, own=False)


@bp.route("/team/people/<uuid:person_id>/assistant/end", methods=["GET", "POST"])
@guarded(load_person, policies.may_see_team_page)
def end_of(person: Person) -> ResponseReturnValue:
    return _end(person.id, url_for("people.show", person_id=person.id), own=False)


def _page(person: Person, *, own: bool) -> ResponseReturnValue:
    form, leader_id = AssistantForm(on=today()), person.id
    here = url_for("assistants.own") if own else url_for("assistants.of_leader", person_id=leader_id)
    around = {"form": form, "person": person, "own": own, "here": here, **_proofs(person, own=own)}
    if "change" not in request.form and form.validate_on_submit():
        if not form.is_sure:
            return render_template("assistants/check.html", another=_another_domain(form, person), **around)
        if carry_out(form, lambda unit: delegations.name(unit, leader_id=leader_id, **form.asked)):
            flash("They can book now. We tell them by e-mail.", "success")
            return redirect(here, 303)
    return render_template(
        "assistants/assistant.html", row=delegations.of_leader(session(), leader_id, today()), **around
    ), status_of(form)


def _proofs(person: Person, *, own: bool) -> dict[str, bool]:
    """Whether naming somebody closes what the leader wrote to the mailed code (`closes`), and whether the leader, who
    looks at it, has nothing else yet (`none_yet`)."""
    shared_only = programme().reading is Reading.SHARED_MAILBOXES
    closes = shared_only and not levels.is_shared(person, on=today())
    whole = own and factors.ways_of(session(), the_actor(), now=clock_now()).whole
    return {"closes": closes, "none_yet": closes and own and not whole}


def _another_domain(form: AssistantForm, person: Person) -> str | None:
    """The domain of the address that was typed, where it is not the leader's own. It tells nothing of who has it."""
    theirs, mine = (text.rpartition("@")[2].lower() for text in (form.email.data or "", person.email or ""))
    return None if theirs == mine else theirs


def _end(leader_id: UUID, back: str, *, own: bool) -> ResponseReturnValue:
    row = delegations.of_leader(session(), leader_id, today())
    if row is None:
        return redirect(back, 303)
    if not Form().validate_on_submit():
        return render_template("assistants/end.html", row=row, own=own, back=back)
    delegation_id = row.id
    with work() as unit:
        delegations.end(unit, delegation_id=delegation_id)
    flash("They can book no more. Sessions stay as they are.", "success")
    return redirect(back, 303)
