"""How long a browser stays signed in: what its page asks and tells, and ending all browsers of somebody at once."""

from typing import cast

from flask import Blueprint, flash, g, redirect, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.access.devices import Left
from portal.models import Person
from portal.people import register as people
from portal.views import cookies
from portal.views.context import current_actor, the_actor, work
from portal.views.guards import guarded, public
from portal.views.loaders import load_person

bp = Blueprint("staying", __name__)


def time_left() -> Left | None:
    """How long this browser stays signed in, counted from this request; None for nobody."""
    return cast(Left | None, g.get("time_left")) if current_actor() is not None else None


@bp.get("/signed-in")
@public("it tells this browser alone how long it stays signed in")
def left() -> ResponseReturnValue:
    """`{"idle": seconds, "whole": seconds}`; both 0 for nobody. That a page asks keeps nobody signed in."""
    return _left()


@bp.post("/signed-in/stay")
@public("it keeps nobody signed in who is not")
def stay() -> ResponseReturnValue:
    """The one action of the warning, and what typing does: a request that counts as use."""
    return _left()


def _left() -> ResponseReturnValue:
    time = time_left()
    return {
        "idle": int(time.idle.total_seconds()) if time else 0,
        "whole": int(time.whole.total_seconds()) if time else 0,
    }


@bp.post("/your-devices/end-all")
@guarded(None, policies.may_see_own)
def end_all() -> ResponseReturnValue:
    """Sign out everywhere, this browser too."""
    person_id = the_actor().person_id
    with work() as unit:
        people.sign_out_everywhere(unit, person_id=person_id)
    return signed_out("You are signed out in every browser, and no device is kept.")


@bp.post("/team/people/<uuid:person_id>/sign-out")
@guarded(load_person, policies.may_change_person)
def end_theirs(person: Person) -> ResponseReturnValue:
    """End every browser of somebody whose device was lost; the account stays open."""
    person_id = person.id
    with work() as unit:
        people.sign_out_everywhere(unit, person_id=person_id)
    if person_id == the_actor().person_id:
        return signed_out("You are signed out in every browser, and no device is kept.")
    flash("They are signed out in every browser, and no device is kept.", "success")
    return redirect(url_for("people.show", person_id=person_id), 303)


def signed_out(words: str) -> Response:
    """Lead to the sign-in page, with nothing left in the browser."""
    form_session.clear()
    flash(words, "success")
    response = redirect(url_for("account.sign_in"), 303)
    cookies.forget(response, cookies.SESSION, cookies.DEVICE, cookies.ASK)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
