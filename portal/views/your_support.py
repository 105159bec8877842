""" "Your support": what to do next, sessions, questionnaires, goals, people."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies, support
from portal.support import Step
from portal.views.context import clock_now, programme, session, the_actor
from portal.views.guards import guarded

bp = Blueprint("your_support", __name__, url_prefix="/your-support")


@bp.get("")
@guarded(None, policies.may_see_support)
def index() -> ResponseReturnValue:
    supports = support.support_of(session(), programme(), person_id=the_actor().person_id, now=clock_now())
    return render_template(
        "your_support/index.html",
        supports=supports,
        step=support.next_step(supports, now=clock_now()),
        now=clock_now(),
        timeline=support.timeline,
    )


@bp.get("/next")
@guarded(None, policies.may_see_support)
def next_step() -> ResponseReturnValue:
    """Where a mail leads: straight to what is to be done, by an address that does not say what that is."""
    supports = support.support_of(session(), programme(), person_id=the_actor().person_id, now=clock_now())
    return redirect(_page_of(support.next_step(supports, now=clock_now())), 303)


def _page_of(step: Step) -> str:
    match step:
        case Step(act="answer", support=found, due=due) if found and due:
            return url_for(
                "questionnaires.start",
                participation_id=found.participation.id,
                wave=due.wave,
                occasion=due.occasion,
            )
        case Step(act="book", support=found) if found:
            return url_for("bookings.times", package_id=found.package.id)
        case Step(act="place" | "come", session=session) if session:
            return url_for("bookings.session", session_id=session.id)
    # Offered times stand on the page itself, and so does that there is nothing to do.
    return url_for("your_support.index")
