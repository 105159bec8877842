"""Asked once a day, before somebody of the team opens named answers: what for."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import purposes
from portal.answers.purposes import ReadingPurpose
from portal.forms.approvals import PurposeForm
from portal.views.context import clock_now, session, the_actor, work
from portal.views.guards import guarded
from portal.views.next_page import kept_next

bp = Blueprint("purposes", __name__, url_prefix="/team/why-you-read")


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def state() -> ResponseReturnValue:
    """It leads on to the answers that were asked for, and can be said anew."""
    form = PurposeForm()
    if form.validate_on_submit():
        with work() as unit:
            purposes.state(unit, person_id=the_actor().person_id, purpose=ReadingPurpose(form.purpose.data))
        return redirect(kept_next() or url_for("team.home"), 303)
    if not form.is_submitted():
        form.purpose.data = purposes.stated(session(), the_actor().person_id, now=clock_now())
    return render_template("purposes/state.html", form=form), 422 if form.errors else 200
