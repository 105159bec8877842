"""The pages of those who give support: their day and mentees, and what they offer, log, record and schedule."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response
from wtforms import Field

from portal import policies
from portal.answers import shares
from portal.booking import acts as bookings
from portal.booking import delivery, offers, open_offers, standing, unusual
from portal.booking.availability import Interval
from portal.booking.diary import Refused
from portal.councils import register as councils
from portal.forms.base import Form
from portal.forms.mentors import LogForm, Named, OfferForm, RecordForm, ScheduleForm
from portal.groups import plans as group_plans
from portal.groups import seats, sessions
from portal.mailing import invitations
from portal.mentors import mentoring, serving
from portal.models import AttendanceState, Offer, Package, Session, SessionKind, SessionState, Strand
from portal.packages import acts as packages
from portal.packages import lists as package_lists
from portal.resources import shelves
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme, the_actor, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_offer, load_package, load_session
from privacy.records import new_id
from privacy.work import Work

bp = Blueprint("mentors", __name__)


@bp.get("/mentor")
@guarded(None, policies.may_mentor)
def home() -> ResponseReturnValue:
    now = clock_now()
    shown = mentoring.home(db(), programme(), mentor_id=the_actor().person_id, now=now)
    return render_template("mentors/home.html", home=shown, heading_of=_heading_of, now=now)


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
        offered=open_offers.batches_for(db(), served.id, now=clock_now()),
        may_take_back=lambda one: policies.may_take_back_offer(the_actor(), (one, served)),
        waits_for_baseline=bool(missing) and served.strand is Strand.ONE_TO_ONE,
        is_open=served.state in standing.OPEN,
        one_to_one=served.strand is Strand.ONE_TO_ONE,
        heading_of=_heading_of,
        resources=shelves.of_package(
            db(), served.id, roles={member.role for member in standing.members_of(db(), served.id)}
        ),
        readable=shares.readable(db(), package_id=served.id, mentor_id=the_actor().person_id),
        now=clock_now(),
    )


@bp.route("/packages/<uuid:package_id>/offers", methods=["GET", "POST"])
@guarded(load_package, policies.may_serve_package)
def offer(served: Package) -> ResponseReturnValue:
    form, package_id = OfferForm(data=_self()), served.id
    form.name_choices(mentors=_mentors(served))
    if form.validate_on_submit():
        done = attempt(form, None, partial(_offer, form=form, package_id=package_id))
        if done is not None:
            return _done(
                "The times are on their way by e-mail.", url_for("mentors.package", package_id=package_id)
            )
        _point_at_row(form)
    free = bookings.times(db(), programme(), served, now=clock_now(), limit=6) if form.errors else []
    return render_template("mentors/offer.html", form=form, package=served, others=free), status_of(form)


@bp.route("/offers/<uuid:offer_id>/take-back", methods=["GET", "POST"])
@guarded(load_offer, policies.may_take_back_offer)
def take_back(offered: tuple[Offer, Package]) -> ResponseReturnValue:
    offer, served = offered
    form, offer_id = Form(), offer.id
    back = url_for("mentors.package", package_id=served.id)
    times = [
        one
        for one in open_offers.open_for(db(), served.id, now=clock_now())
        if one.batch_id == offer.batch_id
    ]
    if request.method == "GET" and not times:
        return redirect(back, 303)
    if form.validate_on_submit() and _took_back(form, offer_id):
        return _done("The times are taken back. Nobody can choose them any more.", back)
    return render_template(
        "mentors/take_back.html", form=form, offer=offer, times=times, back=back
    ), status_of(form)


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
    # Who else is supported in a council is for the team to know, and for those who support them.
    joinable = [
        other
        for other in group_plans.joinable(db(), served)
        if policies.may_serve_package(the_actor(), other)
    ]
    form.name_choices(
        mentors=_mentors(served),
        kinds=[one for one in _kinds(served) if one[0] is not SessionKind.ACTION_LEARNING_SET],
        hosts=[(council.id, council.name) for council in councils.live_or_coming(db(), on=today())],
        packages=[(package.id, package_lists.called(package)) for package in joinable],
    )
    if form.validate_on_submit():
        done = attempt(
            form,
            form.at,
            partial(_schedule, form=form, package_id=package_id),
        )
        if done is not None:
            said = "The session is scheduled. Each member gets an e-mail to book a place."
            return _done(said, url_for("bookings.session", session_id=done.id))
        _point_at_plan(form)
    return _page("mentors/schedule.html", form, served)


@bp.route("/sessions/<uuid:session_id>/record", methods=["GET", "POST"])
@guarded(load_session, policies.may_record)
def record(held: Session) -> ResponseReturnValue:
    came = [str(person_id) for person_id in delivery.came_to(held)]
    minutes = held.delivered_minutes or delivery.length_of(held)
    recorded = delivery.outcome_of(held)
    form, session_id, package_id = (
        RecordForm(data={"outcome": recorded and recorded.value, "minutes": minutes, "attended": came}),
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
        recorded=held.state is SessionState.HELD or held.recorded_at is not None,
    ), status_of(form)


def _offer(unit: Work, *, form: OfferForm, package_id: UUID) -> UUID:
    asked, length = form.asked, timedelta(minutes=programme().session_minutes)
    batch_id = offers.offer(unit, programme(), package_id=package_id, **asked)
    times = [Interval(starts_at, starts_at + length) for starts_at in form.starts]
    unusual.require_meant(unit.db, mentor_id=asked["mentor_id"], times=times, sure=form.sure.answers)
    return batch_id


def _schedule(unit: Work, *, form: ScheduleForm, package_id: UUID) -> Session:
    session = sessions.schedule(unit, programme(), package_id=package_id, **form.asked)
    times = [Interval(session.starts_at, session.ends_at)]
    unusual.require_meant(unit.db, mentor_id=session.mentor_id, times=times, sure=form.sure.answers)
    return session


def _took_back(form: Form, offer_id: UUID) -> bool:
    def take(unit: Work) -> bool:
        offers.take_back(unit, offer_id=offer_id)
        return True

    return attempt(form, None, take) is not None


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
    members = [
        (standing.person_of(one), invitations.name_of(one.person)) for one in seats.members_for(db(), held)
    ]
    return list(dict([*had_places, *members]).items())


def _kinds(served: Package) -> Named:
    words = programme().session_kinds
    alone = served.strand is Strand.ONE_TO_ONE
    return [(kind, words[kind]) for kind in words if (kind is SessionKind.ONE_TO_ONE) is alone]


def _sent(field: str) -> object:
    """What was posted, for that form of the page which has this field."""
    return request.form if request.method == "POST" and field in request.form else None


def _point_at(form: LogForm | RecordForm, field: Field, kind: type[Refused]) -> None:
    """Put a refusal of one kind beside the field that it is about."""
    problem = getattr(form, "refused_by", None)
    if isinstance(problem, kind):
        form.form_errors.clear()
        for one in form:
            one.errors = []
        form.refuse(field, problem)


def _point_at_plan(form: ScheduleForm) -> None:
    """Put what is wrong with a plan beside the field that it is about."""
    problem = getattr(form, "refused_by", None)
    if isinstance(problem, group_plans.WrongPlan):
        form.at.errors = []
        form.refuse(form[problem.field], problem)


def _point_at_row(form: OfferForm) -> None:
    """Put a refusal about one of the times beside that time."""
    problem = form.refused_by
    field = form.field_of(getattr(problem, "starts_at", None))
    if field is not None:
        form.form_errors.clear()
        form.refuse(field, field.named(str(problem)))
