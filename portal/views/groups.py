"""Group sessions for those who run them: who comes and who waits, what is planned, go or no-go, learning sets."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.booking import standing
from portal.councils import register as councils
from portal.forms.base import Form
from portal.forms.groups import AddForm, DecideForm, PlanForm, ReplaceForm, SetForm
from portal.forms.mentors import Named
from portal.groups import plans as group_plans
from portal.groups import registrations, sessions, waiting
from portal.groups import sets as groups
from portal.groups.registrations import PASSED_OVER
from portal.mailing import invitations
from portal.mentors import serving
from portal.models import Attendance, Decision, Package, Session, SessionKind, SessionState, Strand
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme, the_actor, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_package, load_session
from privacy.records import new_id

bp = Blueprint("groups", __name__)


@bp.get("/sessions/<uuid:session_id>/registrations", endpoint="registrations")
@guarded(load_session, policies.may_run_group)
def registered(held: Session) -> ResponseReturnValue:
    return _registrations(held, AddForm(formdata=None))


@bp.post("/sessions/<uuid:session_id>/registrations/add")
@guarded(load_session, policies.may_register)
def add(held: Session) -> ResponseReturnValue:
    form, session_id = AddForm(), held.id
    form.offer(registrations.of(db(), held).others)
    if form.validate_on_submit():
        done = attempt(
            form,
            form.person,
            lambda unit: isinstance(
                registrations.add(unit, programme(), session_id=session_id, person_id=form.person_id),
                Attendance,
            ),
        )
        if done is not None:
            return _back(session_id, "They have a place." if done else "They are on the waiting list.")
    return _registrations(held, form)


@bp.route("/sessions/<uuid:session_id>/registrations/<uuid:person_id>/remove", methods=["GET", "POST"])
@guarded(load_session, policies.may_register)
def remove(held: Session, person_id: UUID) -> ResponseReturnValue:
    """What happens with the place, and the button that takes it back."""
    form, session_id = Form(), held.id
    if request.method == "GET":
        return _removing(held, person_id)
    done = attempt(
        form,
        None,
        lambda unit: sessions.give_up_place(unit, programme(), session_id=session_id, person_id=person_id),
    )
    if done is None:
        return _registrations(held, form)
    return _back(session_id, "Their place is free. If somebody waits, they get it now.")


@bp.post("/sessions/<uuid:session_id>/waiting/<uuid:person_id>/remove")
@guarded(load_session, policies.may_register)
def remove_waiting(held: Session, person_id: UUID) -> ResponseReturnValue:
    session_id = held.id
    attempt(Form(), None, lambda unit: waiting.leave(unit, session_id=session_id, person_id=person_id))
    return _back(session_id, "They are off the waiting list.")


@bp.route("/sessions/<uuid:session_id>/plan", methods=["GET", "POST"])
@guarded(load_session, policies.may_run_group)
def plan(held: Session) -> ResponseReturnValue:
    form, session_id = PlanForm.of(held, group_plans.of(db(), held.id), hosts=_hosts(held)), held.id
    if form.validate_on_submit():
        promoted = attempt(
            form,
            None,
            lambda unit: group_plans.change(unit, programme(), session_id=session_id, **form.asked),
        )
        _point_at(form)
        if promoted is not None:
            more = " Who waited has the new places." if promoted else ""
            return _back(session_id, f"The plan is changed.{more}")
    return render_template(
        "groups/plan.html", form=form, held=held, heading=_heading(held), ahead=_is_ahead(held)
    ), status_of(form)


@bp.route("/sessions/<uuid:session_id>/decide", methods=["GET", "POST"])
@guarded(load_session, policies.may_register)
def decide(held: Session) -> ResponseReturnValue:
    form, session_id = DecideForm(), held.id
    if form.validate_on_submit():
        field = form.reason if form.decision.data == Decision.NO_GO else form.decision
        if attempt(form, field, lambda unit: groups.decide(unit, session_id=session_id, **form.asked)):
            off = form.decision.data == Decision.NO_GO
            return _back(
                session_id, "It is called off. We are telling everybody." if off else "It takes place."
            )
    now = registrations.of(db(), held)
    return render_template(
        "groups/decide.html", form=form, held=held, heading=_heading(held), now=now, ahead=_is_ahead(held)
    ), status_of(form)


@bp.get("/sessions/<uuid:session_id>/sign-in-sheet")
@guarded(load_session, policies.may_run_group)
def sign_in_sheet(held: Session) -> ResponseReturnValue:
    now = registrations.of(db(), held)
    return render_template(
        "groups/sign_in_sheet.html",
        held=held,
        now=now,
        heading=_heading(held),
        where=invitations.where_of(held),
        blank=max(0, (held.capacity or 0) - len(now.seats)),
    )


@bp.route("/packages/<uuid:package_id>/learning-set", methods=["GET", "POST"])
@guarded(load_package, policies.may_serve_package)
def learning_set(served: Package) -> ResponseReturnValue:
    members = standing.members_of(db(), served.id) if served.strand is Strand.GROUP else []
    chosen = [str(one.person_id) for one in members]
    form = SetForm(data={"mentor_id": str(the_actor().person_id), "set_id": new_id(), "members": chosen})
    form.offer(mentors=_mentors(served), members=members)
    package_id = served.id
    if form.validate_on_submit():
        made = attempt(
            form,
            None,
            lambda unit: groups.book_set(unit, programme(), package_id=package_id, **form.asked),
        )
        if made is not None:
            flash(f"All {len(made)} dates are booked. Calendar invitations are on their way by e-mail.")
            return redirect(url_for("mentors.package", package_id=package_id), 303)
        _point_at_row(form)
    return render_template("groups/learning_set.html", form=form, package=served), status_of(form)


@bp.route("/sessions/<uuid:session_id>/replace", methods=["GET", "POST"])
@guarded(load_session, policies.may_register)
def replace(held: Session) -> ResponseReturnValue:
    planned = group_plans.of(db(), held.id)
    set_id = planned.set_id if planned is not None and planned.set_id is not None else None
    seated, others = groups.replaceable(db(), set_id, now=clock_now()) if set_id else ([], [])
    form, session_id = ReplaceForm(), held.id
    form.offer(seated=seated, others=others)
    if set_id is not None and form.validate_on_submit():
        dates = attempt(
            form, form.newcomer, lambda unit: len(groups.replace(unit, set_id=set_id, **form.asked))
        )
        if dates is not None:
            said = "1 coming date has" if dates == 1 else f"{dates} coming dates have"
            return _back(session_id, f"{said} changed hands. We are telling both by e-mail.")
    return render_template(
        "groups/replace.html", form=form, held=held, heading=_heading(held), seated=seated, others=others
    ), status_of(form)


def _removing(held: Session, person_id: UUID) -> ResponseReturnValue:
    now = registrations.of(db(), held)
    seat = next((row for row in now.seats if row.attendance.person_id == person_id), None)
    if seat is None:
        abort(404)
    return render_template(
        "groups/remove.html", held=held, heading=_heading(held), who=seat.attendance.person, now=now
    )


def _registrations(held: Session, form: Form) -> ResponseReturnValue:
    now = registrations.of(db(), held)
    adding = form if isinstance(form, AddForm) else AddForm(formdata=None)
    adding.offer(now.others)
    actor = the_actor()
    return render_template(
        "groups/registrations.html",
        form=form,
        adding=adding,
        held=held,
        now=now,
        heading=_heading(held),
        ahead=_is_ahead(held),
        promoting=waiting.in_time(programme(), held, now=clock_now()),
        passed_over=PASSED_OVER,
        may_register=policies.may_register(actor, held),
        may_certify=lambda seat: policies.may_see_certificate(actor, seat),
    ), status_of(form)


def _back(session_id: UUID, said: str) -> Response:
    flash(said)
    return redirect(url_for("groups.registrations", session_id=session_id), 303)


def _heading(held: Session) -> str:
    return invitations.heading_of(held, programme())


def _is_ahead(held: Session) -> bool:
    return held.state is SessionState.BOOKED and held.starts_at > clock_now()


def _mentors(served: Package) -> Named:
    return [
        (mentor.id, invitations.name_of(mentor))
        for mentor in serving.mentors_from(db(), served.id, on=today())
    ]


def _hosts(held: Session) -> Named:
    if held.kind is not SessionKind.VISIT:
        return []
    return [(council.id, council.name) for council in councils.live_or_coming(db(), on=today())]


def _point_at(form: PlanForm) -> None:
    """Put what is wrong with a plan beside the field that it is about."""
    problem = getattr(form, "refused_by", None)
    if isinstance(problem, group_plans.WrongPlan) and problem.field in form:
        form.form_errors.clear()
        form.refuse(form[problem.field], problem)


def _point_at_row(form: SetForm) -> None:
    """Put a refusal about one of the dates beside it."""
    problem = getattr(form, "refused_by", None)
    field = form.field_of(getattr(problem, "starts_at", None))
    if field is not None:
        form.form_errors.clear()
        form.refuse(field, problem)
