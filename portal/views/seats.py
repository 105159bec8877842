"""Places in group sessions as a member meets them: waiting, a freed place to decline, a certificate."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.base import Form
from portal.groups import plans as group_plans
from portal.groups import sessions, waiting
from portal.mailing import invitations
from portal.models import Attendance, AttendanceState, Session, SessionState, WaitingState
from portal.views import group_pages
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme
from portal.views.context import session as db
from portal.views.group_pages import PlaceOf
from portal.views.guards import guarded
from portal.views.loaders import load_attendance, load_session
from portal.views.on_behalf import is_own, whose_place

bp = Blueprint("seats", __name__)


@bp.route("/sessions/<uuid:session_id>/wait", methods=["GET", "POST"])
@guarded(load_session, policies.may_take_place)
def wait(held: Session) -> ResponseReturnValue:
    """Join the waiting list; where a place has become free by then, it is theirs."""
    form, session_id, person_id = Form(), held.id, whose_place(held)
    if form.validate_on_submit():
        done = attempt(
            form,
            None,
            lambda unit: isinstance(
                waiting.join(unit, programme(), session_id=session_id, person_id=person_id), Attendance
            ),
            discreet=not is_own(person_id),
        )
        if done is not None:
            whose = "You have" if is_own(person_id) else "They have"
            on = "You are" if is_own(person_id) else "They are"
            flash(f"{whose} a place: one has just become free." if done else f"{on} on the waiting list.")
            return redirect(url_for("bookings.session", session_id=session_id), 303)
    return render_template(
        "seats/wait.html", form=form, held=held, heading=_heading(held), person_id=person_id
    ), status_of(form)


@bp.route("/sessions/<uuid:session_id>/wait/stop", methods=["GET", "POST"])
@guarded(load_session, policies.may_take_place)
def stop_waiting(held: Session) -> ResponseReturnValue:
    session_id, person_id = held.id, whose_place(held)
    if request.method == "GET":
        return _asked_to_leave(held, group_pages.place_of(held, person_id))
    attempt(Form(), None, lambda unit: waiting.leave(unit, session_id=session_id, person_id=person_id))
    flash("You are off the waiting list." if is_own(person_id) else "They are off the waiting list.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


def _asked_to_leave(held: Session, place: PlaceOf) -> ResponseReturnValue:
    """Ask once before somebody loses their number on the list."""
    if place.position is None:
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    return render_template(
        "seats/stop_waiting.html",
        held=held,
        heading=_heading(held),
        own=is_own(place.person_id),
        person_id=place.person_id,
        called=place.called,
        position=place.position,
    )


@bp.route("/sessions/<uuid:session_id>/freed-place", methods=["GET", "POST"])
@guarded(load_session, policies.may_take_place)
def freed_place(held: Session) -> ResponseReturnValue:
    """A place from the waiting list, which can be declined; opening the page changes nothing."""
    form, session_id, person_id = Form(), held.id, whose_place(held)
    if form.validate_on_submit():
        done = attempt(
            form,
            None,
            lambda unit: sessions.give_up_place(
                unit, programme(), session_id=session_id, person_id=person_id
            ),
        )
        if done is not None:
            whose = "You have" if is_own(person_id) else "They have"
            flash(f"{whose} declined the place.")
            return redirect(url_for("bookings.session", session_id=session_id), 303)
    entry = waiting.entry_of(db(), session_id, person_id)
    mine = any(
        seat.person_id == person_id and seat.state is AttendanceState.BOOKED for seat in held.attendances
    )
    return render_template(
        "seats/freed_place.html",
        form=form,
        held=held,
        heading=_heading(held),
        where=invitations.where_of(held),
        promoted=mine and entry is not None and entry.state is WaitingState.PROMOTED,
        mine=mine,
        person_id=person_id,
        ahead=held.state is SessionState.BOOKED and held.starts_at > clock_now(),
    ), status_of(form)


@bp.get("/certificates/<uuid:attendance_id>")
@guarded(load_attendance, policies.may_see_certificate)
def certificate(seat: Attendance) -> ResponseReturnValue:
    return render_template(
        "seats/certificate.html",
        seat=seat,
        held=seat.session,
        heading=_heading(seat.session),
        plan=group_plans.of(db(), seat.session_id),
        issued_at=clock_now(),
    )


def _heading(held: Session) -> str:
    return invitations.heading_of(held, programme())
