"""When a mentor can be booked: the week, single days, how much they take on, leave, and sessions that lie in it.

Leave is a mentor's own; the team enters it too, for somebody who fell ill.
"""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.booking import clashes, hours, leave
from portal.booking.availability import WeeklyHours
from portal.booking.clashes import SessionsInTheWay
from portal.forms.base import Form
from portal.forms.closed_times import LeaveForm
from portal.forms.hours import WEEKDAYS, DayForm, ForgetDayForm, LimitsForm, WeekForm
from portal.forms.programme import day as day_of
from portal.mailing import invitations
from portal.models import Person, Session
from portal.views.acts import attempt
from portal.views.context import clock_now, programme, the_actor, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_mentor
from privacy.clock import clock_face
from privacy.work import Work

bp = Blueprint("hours", __name__)


PARTS = {"week": "monday_1_from", "day": "day_1_from", "limits": "per_day"}
"""What the buttons of the page save, and a field of each."""


@bp.route("/mentor/hours", methods=["GET", "POST"])
@guarded(None, policies.may_publish_hours)
def show() -> ResponseReturnValue:
    """One form with several parts: a button saves its own, and what was typed in the others stays."""
    mentor_id, part = the_actor().person_id, _part()
    week, day = WeekForm(_sent("monday_1_from")), DayForm(_sent("day_1_from"))
    limits, forget = _limits_form(mentor_id), ForgetDayForm(_sent("forget"))
    done = part is not None and _publish(part, mentor_id, week, day, limits, forget)
    moving = done and part == "day" and day.clash.data == "move"
    if done and part == "day":
        day = DayForm(None)
    held = hours.of(db(), [mentor_id])[mentor_id]
    unsaved = _unsaved(held, mentor_id, week, day, limits)
    if not done:
        unsaved.discard(part)
    if done and not unsaved:
        where = url_for("hours.conflicts", person_id=mentor_id) if moving else url_for("hours.show")
        return redirect(where, 303)
    if _sent("monday_1_from") is None:
        for number, spans in held.weekly.items():
            week.fill(WEEKDAYS[number], spans)
    errors = week.errors or day.errors or limits.errors
    return render_template(
        "hours/show.html",
        week=week,
        day=day,
        limits=limits,
        unsaved=unsaved,
        ahead=hours.days_ahead(held, today=today()),
        leaves=leave.ahead(db(), mentor_id, today=today()),
        in_the_way=in_the_way(day),
        while_away=clashes.while_away(db(), mentor_id, now=clock_now()),
        mentor_id=mentor_id,
        heading_of=heading_of,
        errors=errors,
        clock_face=clock_face,
        when=leave.when,
    ), 422 if errors else 200


@bp.route("/mentors/<uuid:person_id>/leave", methods=["GET", "POST"])
@guarded(load_mentor, policies.may_set_leave)
def add_leave(mentor: Person) -> ResponseReturnValue:
    form, mentor_id = LeaveForm(), mentor.id
    if form.validate_on_submit():
        done = attempt(form, None, lambda unit: leave.add(unit, mentor_id=mentor_id, **form.stretch))
        point_at(form)
        if done is not None:
            flash("The leave is saved. Nobody can book that time now.")
            return redirect(url_for("hours.conflicts", person_id=mentor_id), 303)
    return render_template(
        "hours/leave.html",
        form=form,
        mentor=mentor,
        own=mentor.id == the_actor().person_id,
        leaves=leave.ahead(db(), mentor.id, today=today()),
        in_the_way=in_the_way(form),
        heading_of=heading_of,
        when=leave.when,
    ), 422 if form.errors else 200


@bp.post("/mentors/<uuid:person_id>/leave/<uuid:leave_id>/remove")
@guarded(load_mentor, policies.may_set_leave)
def remove_leave(mentor: Person, leave_id: UUID) -> ResponseReturnValue:
    mentor_id = mentor.id
    attempt(Form(), None, lambda unit: leave.remove(unit, mentor_id=mentor_id, leave_id=leave_id))
    flash("The leave is taken out. The usual hours hold again.")
    return redirect(url_for("hours.add_leave", person_id=mentor_id), 303)


@bp.get("/mentors/<uuid:person_id>/leave/sessions")
@guarded(load_mentor, policies.may_set_leave)
def conflicts(mentor: Person) -> ResponseReturnValue:
    return render_template(
        "hours/conflicts.html",
        mentor=mentor,
        own=mentor.id == the_actor().person_id,
        found=clashes.while_away(db(), mentor.id, now=clock_now()),
        heading_of=heading_of,
    )


def in_the_way(form: Form) -> list[Session]:
    """The sessions that a form was refused for; none where it was not."""
    problem = getattr(form, "refused_by", None)
    if not isinstance(problem, SessionsInTheWay):
        return []
    return list(clashes.sessions(db(), problem.session_ids))


def point_at(form: Form) -> None:
    """Put a refusal beside the field that it is about."""
    problem = getattr(form, "refused_by", None)
    name = "clash" if isinstance(problem, SessionsInTheWay) else getattr(problem, "field", None)
    if problem is not None and name in form:
        form.form_errors.clear()
        form.refuse(form[name], problem)


def heading_of(held: Session) -> str:
    return invitations.heading_of(held, programme())


def _sent(field: str) -> object:
    """What was posted, for that form of the page which has this field."""
    return request.form if request.method == "POST" and field in request.form else None


def _limits_form(mentor_id: UUID) -> LimitsForm:
    held = leave.limits(db(), programme(), [mentor_id])[mentor_id]
    form = LimitsForm(_sent("per_day"), data={"per_day": held.per_day, "per_week": held.per_week})
    form.offer(per_day=programme().most_per_day, per_week=programme().most_per_week)
    return form


def _part() -> str | None:
    """Which part of the page is to be saved: its button's, or the only one that was sent."""
    if request.method != "POST":
        return None
    if "forget" in request.form:
        return "forget"
    part = request.form.get("part")
    return part if part in PARTS else next((name for name, one in PARTS.items() if one in request.form), None)


def _unsaved(
    held: WeeklyHours, mentor_id: UUID, week: WeekForm, day: DayForm, limits: LimitsForm
) -> set[str | None]:
    """The parts in which something was changed that is not stored."""
    changed = {
        "week": _week_changed(week, held),
        "day": day.is_begun,
        "limits": _limits_changed(limits, mentor_id),
    }
    return {part for part, is_changed in changed.items() if is_changed}


def _week_changed(week: WeekForm, held: WeeklyHours) -> bool:
    """Whether the week was sent and is not what is published."""
    if _sent("monday_1_from") is None:
        return False
    return any(
        week.filled(name) != {(span.starts, span.ends) for span in held.weekly.get(number, ())}
        for number, name in enumerate(WEEKDAYS)
    )


def _limits_changed(limits: LimitsForm, mentor_id: UUID) -> bool:
    held = leave.limits(db(), programme(), [mentor_id])[mentor_id]
    sent = (limits.per_day.data, limits.per_week.data)
    return _sent("per_day") is not None and sent != (str(held.per_day), str(held.per_week))


def _publish(
    part: str, mentor_id: UUID, week: WeekForm, day: DayForm, limits: LimitsForm, forget: ForgetDayForm
) -> bool:
    """Whether this part of the page is saved."""
    if part == "week" and week.validate():
        weekly = week.week()
        attempt(week, None, lambda unit: hours.publish_week(unit, mentor_id=mentor_id, weekly=weekly))
        flash("Your week is saved. Leaders see the new times now.")
    elif part == "day" and day.validate():
        return _publish_day(mentor_id, day)
    elif part == "limits" and limits.validate():
        most = limits.most
        attempt(limits, None, lambda unit: leave.set_limits(unit, programme(), mentor_id=mentor_id, **most))
        flash("Your limits are saved.")
    elif part == "forget" and forget.validate() and forget.day is not None:
        gone = forget.day
        attempt(forget, None, lambda unit: hours.forget_day(unit, mentor_id=mentor_id, on=gone))
        flash("That day has its usual hours again.")
    else:
        return False
    return True


def _publish_day(mentor_id: UUID, day: DayForm) -> bool:
    on, spans = day_of(day.on), day.spans("day")

    def publish(unit: Work) -> bool:
        hours.set_day(unit, mentor_id=mentor_id, on=on, spans=spans, despite=day.decided)
        return True

    if attempt(day, None, publish) is None:
        point_at(day)
        return False
    flash("The day is saved." if spans else "The day is closed.")
    return True
