"""Handing a mentor's coming sessions to another: all in one act, or one at a time."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.filters import count
from portal.forms.delivery import GiveForm, HandOverForm
from portal.mailing import invitations
from portal.mentors import handovers, serving
from portal.mentors.handovers import Preview
from portal.models import Person, Session
from portal.people import directory
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_mentor, load_session
from privacy.clock import london_date, minute_of_day

bp = Blueprint("handovers", __name__)


@bp.route("/team/people/<uuid:person_id>/hand-over", methods=["GET", "POST"])
@guarded(load_mentor, policies.may_see_team_page)
def hand_over(person: Person) -> ResponseReturnValue:
    """Choose by GET and see what would happen; the button below it does it."""
    form, person_id = HandOverForm(), person.id
    others = [one for one in directory.mentors(db(), on=today()) if one.id != person_id]
    form.offer(others)
    form.to.data = form.to.data or request.args.get("to")
    plan = _preview(person_id, form.to.data, others)
    if form.validate_on_submit():
        to_id = UUID(form.to.data)
        done = attempt(
            form,
            form.to,
            lambda unit: handovers.hand_over(unit, programme(), from_id=person_id, to_id=to_id),
        )
        if done is not None:
            flash(_said(done), "notice" if done.left else "success")
            return redirect(url_for("handovers.hand_over", person_id=person_id, to=to_id), 303)
    return render_template(
        "handovers/hand_over.html",
        form=form,
        person=person,
        plan=plan,
        coming=handovers.coming(db(), person_id, now=clock_now()),
        heading_of=_heading_of,
    ), status_of(form)


@bp.route("/sessions/<uuid:session_id>/mentor", methods=["GET", "POST"])
@guarded(load_session, policies.may_give_session)
def give(held: Session) -> ResponseReturnValue:
    session_id = held.id
    form = GiveForm(on=london_date(held.starts_at), at=minute_of_day(held.starts_at))
    mentors = serving.mentors_from(db(), held.package_id, on=today())
    form.offer([one for one in mentors if one.id != held.mentor_id])
    if form.validate_on_submit():
        done = attempt(
            form,
            form.at,
            lambda unit: handovers.give(unit, programme(), session_id=session_id, **form.asked),
        )
        if done is not None:
            flash("The session has another mentor. Everybody gets a calendar mail.", "success")
            return redirect(url_for("bookings.session", session_id=session_id), 303)
    return render_template("handovers/give.html", form=form, held=held, heading=_heading_of(held)), status_of(
        form
    )


def _preview(person_id: UUID, to: str | None, others: list[Person]) -> Preview | None:
    """What would happen; None until one of the others is chosen."""
    if to not in {str(one.id) for one in others}:
        return None
    return handovers.preview(db(), programme(), from_id=person_id, to_id=UUID(to), now=clock_now())


def _said(done: Preview) -> str:
    gone = count(len(done.going), "session was", "sessions were")
    left = count(len(done.left), "session was left", "sessions were left")
    return (
        f"{gone} handed over, and everybody gets a calendar mail. {left}."
        if done.left
        else (f"{gone} handed over, and everybody gets a calendar mail.")
    )


def _heading_of(held: Session) -> str:
    return invitations.heading_of(held, programme())
