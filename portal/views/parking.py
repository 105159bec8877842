"""Forms that were kept because a sign-in or a token was over: their words, to be copied into the form again."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.access import parking
from portal.access.parking import Parked
from portal.views.context import clock_now, current_actor, session, the_actor, work
from portal.views.guards import guarded
from portal.views.next_page import own_page

bp = Blueprint("parking", __name__, url_prefix="/kept")


def load_parked(parked_id: UUID) -> Parked | None:
    """One of the actor's own."""
    actor = current_actor()
    if actor is None:
        return None
    return parking.one(session(), person_id=actor.person_id, parked_id=parked_id, now=clock_now())


@bp.get("/<uuid:parked_id>")
@guarded(load_parked, policies.may_see_kept, reads=policies.may_read_kept)
def show(parked: Parked) -> ResponseReturnValue:
    return render_template("parking/show.html", parked=parked, again=own_page(parked.path))


@bp.post("/<uuid:parked_id>/forget")
@guarded(load_parked, policies.may_see_kept)
def forget(parked: Parked) -> ResponseReturnValue:
    with work() as unit:
        parking.forget(unit, person_id=the_actor().person_id, parked_id=parked.id)
    flash("We have deleted what we kept.", "success")
    return redirect(own_page(parked.path) or url_for("home.start"), 303)
