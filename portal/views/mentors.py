"""The pages of those who give support: their day and mentees, and what they offer, log, record and schedule."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response
from wtforms import Field

from portal import (
    delivery,
    hours,
    invitations,
    mentoring,
    offers,
    open_offers,
    packages,
    policies,
    serving,
    sessions,
    shares,
    standing,
)
from portal.diary import Refused
from portal.forms.hours import WEEKDAYS, DayForm, ForgetDayForm, WeekForm
from portal.forms.mentors import LogForm, Named, OfferForm, RecordForm, ScheduleForm
from portal.models import AttendanceState, Package, Session, SessionKind, Strand
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme, the_actor, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_package, load_session
from privacy.clock import clock_face
from privacy.records import new_id

bp = Blueprint("mentors", __name__)


@bp.get("/mentor")
@guarded(None, policies.may_mentor)
def home() -> ResponseReturnValue:
    shown = mentoring.home(db(), programme(), mentor_id=the_actor().person_id, now=clock_now())
    return render_template("mentors/home.html", home=shown, heading_of=_heading_of)


@bp.get("/mentor/packages/<uuid:package_id>")
@guarded(load_package, policies.may_serve_package)
def package(served: Package) -> ResponseReturnValue:
    missing = standing.without_baseline(
        db(), served, [member.id for member in standing.members_of(db(), served.id)]
    )
    return render_template(
        "mentors/package.html",
        package=served,
        members=standing.members_of(db(), served.id),
        goals=mentoring.goals_of(db(), served.id),
        sessions=mentoring.sessions_of(db(), served.id),
        ledger=packages.ledger(db(), programme(), served.id),
        offered=open_offers.open_for(db(), served.id, now=clock_now()),
        waits_for_baseline=bool(missing) and served.strand is Strand.ONE_TO_ONE,
        is_open=served.state in standing.OPEN,
        one_to_one=served.strand is Strand.ONE_TO_ONE,
        heading_of=_heading_of,
        readable=shares.readable(db(), package_id=served.id, mentor_id=the_actor().person_id),
        now=clock_now(),
    )


@bp.route("/mentor/hours", methods=["GET", "POST"], endpoint="hours")
@guarded(None, policies.may_publish_hours)
def edit_hours() -> ResponseReturnValue:
    mentor_id = the_actor().person_id
    week, day, forget = (
        WeekForm(_sent("monday_1_from")),
        DayForm(_sent("day_1_from")),
        ForgetDayForm(_sent("forget")),
    )
    if _publish(mentor_id, week, day, forget):
        return redirect(url_for("mentors.hours"), 303)
    held = hours.of(db(), [mentor_id])[mentor_id]
    if _sent("monday_1_from") is None:
        for number, spans in held.weekly.items():
            week.fill(WEEKDAYS[number], spans)
    ahead = hours.days_ahead(held, today=today())
    errors = week.errors or day.errors
    return render_template(
        "mentors/hours.html", week=week, day=day, ahead=ahead, errors=errors, clock_face=clock_face
    ), 422 if errors else 200


@bp.route("/packages/<uuid:package_id>/offers", methods=["GET", "POST"])
@guarded(load_package, policies.may_serve_package)
def offer(served: Package) -> ResponseReturnValue:
    form, package_id = OfferForm(data=_self()), served.id
    form.name_choices(mentors=_mentors(served))
    if form.validate_on_submit():
        done = attempt(
            form, None, lambda unit: offers.offer(unit, programme(), package_id=package_id, **form.asked)
        )
        if done is not None:
            return _done(
                "The times are on their way by e-mail.", url_for("mentors.package", package_id=package_id)
            )
        _point_at_row(form)
    return _page("mentors/offer.html", form, served)


@bp.route("/packages/<uuid:package_id>/log", methods=["GET", "POST"])
@guarded(load_package, policies.may_serve_package)
def log(served: Package) -> ResponseReturnValue:
    form, package_id = LogForm(data=_self() | {"session_id": new_id()}), served.id
    form.name_choices(mentors=_mentors(served, so_far=True), kinds=_kinds(served), members=_members(served))
    if form.validate_on_submit():
        done = attempt(
            form,
            form.at,
            lambda unit: delivery.log_past(unit, programme(), package_id=package_id, **form.asked),
        )
        _point_at(form, form.attended, delivery.NobodyCame)
        if done is not None:
            return _done("The session is logged.", url_for("mentors.package", package_id=package_id))
    return _page("mentors/log.html", form, served)


@bp.route("/packages/<uuid:package_id>/schedule", methods=["GET", "POST"])
@guarded(load_package, policies.may_serve_package)
def schedule(served: Package) -> ResponseReturnValue:
    form, package_id = ScheduleForm(data=_self() | {"session_id": new_id()}), served.id
    form.name_choices(mentors=_mentors(served), kinds=_kinds(served))
    if form.validate_on_submit():
        done = attempt(
            form,
            form.at,
            lambda unit: sessions.schedule(unit, programme(), package_id=package_id, **form.asked),
        )
        if done is not None:
            said = "The session is scheduled. Each member gets an e-mail to book a place."
            return _done(said, url_for("bookings.session", session_id=done.id))
    return _page("mentors/schedule.html", form, served)


@bp.route("/sessions/<uuid:session_id>/record", methods=["GET", "POST"])
@guarded(load_session, policies.may_record)
def record(held: Session) -> ResponseReturnValue:
    seats = [seat for seat in held.attendances if seat.state in standing.LIVE]
    came = [str(seat.person_id) for seat in seats]
    minutes = held.delivered_minutes or delivery.length_of(held)
    form, session_id, package_id = (
        RecordForm(data={"minutes": minutes, "attended": came}),
        held.id,
        held.package_id,
    )
    form.name_choices(members=_who_could_come(held))
    if form.validate_on_submit():
        done = attempt(
            form, None, lambda unit: delivery.record(unit, programme(), session_id=session_id, **form.asked)
        )
        _point_at(form, form.attended, delivery.NobodyCame)
        if done is not None:
            return _done("What happened is recorded.", url_for("mentors.package", package_id=package_id))
    return render_template(
        "mentors/record.html",
        form=form,
        held=held,
        heading=_heading_of(held),
        early=held.starts_at > clock_now(),
    ), status_of(form)


def _page(template: str, form: OfferForm | LogForm | ScheduleForm, served: Package) -> ResponseReturnValue:
    one_to_one = served.strand is Strand.ONE_TO_ONE
    return render_template(template, form=form, package=served, one_to_one=one_to_one), status_of(form)


def _done(said: str, address: str) -> Response:
    flash(said)
    return redirect(address, 303)


def _heading_of(held: Session) -> str:
    return invitations.heading_of(held, programme())


def _self() -> dict[str, object]:
    """The mentor that a form begins with: who is acting, where they serve."""
    return {"mentor_id": str(the_actor().person_id)}


def _mentors(served: Package, *, so_far: bool = False) -> Named:
    """Whom a form offers: those who serve from today on, or, for what has been, who served up to today."""
    find = serving.mentors_so_far if so_far else serving.mentors_from
    mentors = find(db(), served.id, on=today())
    return [(mentor.id, invitations.name_of(mentor)) for mentor in mentors]


def _members(served: Package) -> Named:
    if served.strand is Strand.ONE_TO_ONE:
        return []
    members = standing.members_of(db(), served.id)
    return [(member.person_id, invitations.name_of(member.person)) for member in members if member.person_id]


def _who_could_come(held: Session) -> Named:
    """The members of a group, and whoever had a place and is none any more."""
    if held.capacity is None:
        return []
    had_places = [
        (seat.person_id, invitations.name_of(seat.person))
        for seat in held.attendances
        if seat.state is not AttendanceState.CANCELLED
    ]
    return list(dict([*had_places, *_members(held.package)]).items())


def _kinds(served: Package) -> Named:
    words = programme().session_kinds
    alone = served.strand is Strand.ONE_TO_ONE
    return [(kind, words[kind]) for kind in words if (kind is SessionKind.ONE_TO_ONE) is alone]


def _sent(field: str) -> object:
    """What was posted, for that form of the page which has this field."""
    return request.form if request.method == "POST" and field in request.form else None


def _publish(mentor_id: UUID, week: WeekForm, day: DayForm, forget: ForgetDayForm) -> bool:
    """Whether one of the page's three forms was sent and is done."""
    if _sent("monday_1_from") is not None and week.validate():
        weekly = week.week()
        attempt(week, None, lambda unit: hours.publish_week(unit, mentor_id=mentor_id, weekly=weekly))
        flash("Your week is saved. Leaders see the new times now.")
    elif _sent("day_1_from") is not None and day.validate() and day.on.data is not None:
        on, spans = day.on.data, day.spans("day")
        attempt(day, None, lambda unit: hours.set_day(unit, mentor_id=mentor_id, on=on, spans=spans))
        flash("The day is saved." if spans else "The day is closed.")
    elif _sent("forget") is not None and forget.validate() and forget.day is not None:
        gone = forget.day
        attempt(forget, None, lambda unit: hours.forget_day(unit, mentor_id=mentor_id, on=gone))
        flash("That day has its usual hours again.")
    else:
        return False
    return True


def _point_at(form: LogForm | RecordForm, field: Field, kind: type[Refused]) -> None:
    """Put a refusal of one kind beside the field that it is about."""
    problem = getattr(form, "refused_by", None)
    if isinstance(problem, kind):
        form.form_errors.clear()
        for one in form:
            one.errors = []
        form.refuse(field, problem)


def _point_at_row(form: OfferForm) -> None:
    """Put a refusal about one of the times beside that time."""
    problem = form.refused_by
    field = form.field_of(getattr(problem, "starts_at", None))
    if field is not None:
        form.form_errors.clear()
        form.refuse(field, problem)
