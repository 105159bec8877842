""" "Your support": what to do next, sessions, questionnaires, goals, people."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import calls
from portal.mailing import reminders
from portal.mentors import profiles
from portal.models import CallRequest
from portal.packages import support
from portal.packages.support import Overview, Step
from portal.views.context import clock_now, programme, session, the_actor, work
from portal.views.guards import guarded

bp = Blueprint("your_support", __name__, url_prefix="/your-support")


@bp.get("")
@guarded(None, policies.may_see_support)
def index() -> ResponseReturnValue:
    shown = _overview()
    step = support.next_step(shown.supports)
    return render_template(
        "your_support/index.html",
        supports=shown.supports,
        step=step,
        call=_call(step) if shown.rings else None,
        tools=shown.tools,
        shares=shown.shares,
        reminders_stopped_at=shown.reminders_stopped_at,
        timeline=support.timeline,
        abouts=profiles.abouts(one for each in shown.supports for one in each.mentors),
    )


@bp.post("/reminders")
@guarded(None, policies.may_see_support)
def change_reminders() -> ResponseReturnValue:
    """Stop one's own reminders, or have them again."""
    person_id, stop = the_actor().person_id, request.form.get("act") == "stop"
    with work() as unit:
        (reminders.stop if stop else reminders.resume)(unit, person_id=person_id)
    flash("We send you no reminders any more." if stop else "We remind you again.", "success")
    return redirect(url_for("your_support.index"), 303)


@bp.get("/next")
@guarded(None, policies.may_see_support)
def next_step() -> ResponseReturnValue:
    """Where a mail leads: straight to what is to be done, by an address that does not say what that is."""
    return redirect(_page_of(support.next_step(_overview().supports)), 303)


def _overview() -> Overview:
    actor = the_actor()
    return support.overview(
        session(), programme(), person_id=actor.person_id, now=clock_now(), has_left=actor.former
    )


def _call(step: Step) -> CallRequest | None:
    """The call that was asked for about what there is to answer."""
    if step.act != "answer" or step.support is None or step.due is None:
        return None
    return calls.waiting(
        session(),
        participation_id=step.support.participation.id,
        wave=step.due.wave,
        occasion=step.due.occasion,
    )


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
