"""The return of the data: what is due when, each return with its steps, and what people do for it (cl 15, 17.4(e))."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session as DbSession

from portal import policies
from portal.forms.base import Form
from portal.forms.returns import FORMS, DirectionForm, StepForm, WithdrawForm
from portal.registers.contract import EndRefused
from portal.returning import (
    countdown,
    handing,
    opening,
    packaging,
    page,
    rehearsal,
    steps,
    withdrawing,
    words,
)
from portal.views.context import clock_now, instance, programme, session, the_actor, work
from portal.views.guards import guarded
from portal.views.loaders import load_return
from privacy.records import new_id
from privacy.returns import acts
from privacy.returns.course import Course, CourseRefused, Ended, StepsMissing
from privacy.returns.signing import receipt_lines

bp = Blueprint("returns", __name__, url_prefix="/desk/returns")

QUICKER = (Ended, StepsMissing, acts.AlreadyOpen)
"""The page that was shown is no longer true."""


@bp.get("")
@guarded(None, policies.may_see_returns)
def index() -> ResponseReturnValue:
    return render_template(
        "returns/index.html",
        countdown=countdown.countdown(session(), programme(), now=clock_now()),
        returns=[(course, page.about(session(), course)) for course in acts.courses(session())],
        words=words,
        may_run=policies.may_run_returns(the_actor()),
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_returns)
def new() -> ResponseReturnValue:
    """Enter the Department's direction."""
    form, status = DirectionForm(), 200
    if not form.is_submitted():
        form.return_id.data = new_id()
    elif form.validate():
        try:
            with work() as unit:
                made = opening.direct(
                    unit,
                    programme(),
                    rehearsal.completed(instance(), form.asked),
                    folder=instance().settings.instance / "scratch",
                    rehearsal=instance().demo,
                ).id
        except (CourseRefused, EndRefused) as problem:
            status = _refuse(form, problem)
        else:
            flash("The direction is entered.", "success")
            return redirect(url_for("returns.show", return_id=made), 303)
    page = render_template("returns/new.html", form=form, plays=instance().demo)
    return page, 422 if form.errors and status == 200 else status


def _refuse(form: Form, problem: CourseRefused | EndRefused) -> int:
    form.refuse(form.named(problem.field or ""), problem)
    return 409 if isinstance(problem, QUICKER) else 422


@bp.get("/<uuid:return_id>")
@guarded(load_return, policies.may_see_return)
def show(course: Course) -> ResponseReturnValue:
    return _page(course)


def _page(course: Course, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    shown = page.page(session(), programme(), course, now=clock_now())
    line = shown.next
    asks = None
    if line is not None and line.step in FORMS and policies.may_take_step(the_actor(), course):
        asks = FORMS[line.step](formdata=None, event_id=new_id())
    return render_template(
        "returns/show.html",
        shown=shown,
        form=form,
        asks=form if isinstance(form, StepForm) else asks,
        words=words,
        downloaded=handing.downloaded(course),
        folder=handing.folder(course),
        test_volume=(steps.folder_of(instance().settings.instance, course) / steps.TEST_VOLUME).is_file(),
        may_run=policies.may_run_return(the_actor(), course),
        can_rehearse=rehearsal.can(instance(), course),
    ), status


@bp.post("/<uuid:return_id>/steps/<step>")
@guarded(load_return, policies.may_take_step)
def take(course: Course, step: str) -> ResponseReturnValue:
    """Take one step; the page shows the form of the next one alone."""
    asked = next((one for one in FORMS if one.value == step), None)
    if asked is None:
        abort(404)
    form, return_id = FORMS[asked](), course.of.id
    if not form.validate_on_submit():
        return _page(course, form, 422)
    try:
        with work() as unit:
            steps.take(
                unit,
                return_id=return_id,
                step=asked,
                said=form.said,
                root=instance().settings.instance,
            )
    except CourseRefused as problem:
        status = _refuse(form, problem)
        return _page(acts.read(session(), return_id), form, status)
    packaging.taken(instance(), asked)
    flash("It is written down.", "success")
    return redirect(url_for("returns.show", return_id=return_id), 303)


@bp.get("/<uuid:return_id>/test-volume")
@guarded(load_return, policies.may_run_return)
def test_volume(course: Course) -> ResponseReturnValue:
    path = steps.folder_of(instance().settings.instance, course) / steps.TEST_VOLUME
    if not path.is_file():
        abort(404)
    return _file(path.read_bytes(), f"{course.of.ref}-{steps.TEST_VOLUME}")


@bp.get("/<uuid:return_id>/receipt.txt")
@guarded(load_return, policies.may_see_return)
def receipt_line(course: Course) -> ResponseReturnValue:
    """What the Department signs."""
    if course.package is None:
        abort(404)
    return _file(receipt_lines(course.package)[0], "receipt.txt", "text/plain; charset=utf-8")


@bp.post("/<uuid:return_id>/package")
@guarded(load_return, policies.may_run_return)
def download(course: Course) -> ResponseReturnValue:
    """The package, once."""
    return_id, ref = course.of.id, course.of.ref
    try:
        with work() as unit:
            found = handing.begin(unit, return_id=return_id)
    except CourseRefused as problem:
        flash(f"{problem}.", "notice")
        return redirect(url_for("returns.show", return_id=return_id), 303)
    answer = Response(handing.archived(found), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{ref}.zip"'
    return answer


def _file(data: bytes, name: str, media_type: str = "application/pkcs7-mime") -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, content_type=media_type, headers=headers)


@bp.route("/<uuid:return_id>/withdraw", methods=["GET", "POST"])
@guarded(load_return, policies.may_run_return)
def withdraw(course: Course) -> ResponseReturnValue:
    """Call it off, as when the contract is extended."""
    form, return_id, status = WithdrawForm(), course.of.id, 200
    if form.validate_on_submit():
        try:
            with work() as unit:
                withdrawing.withdraw(
                    unit,
                    programme(),
                    return_id=return_id,
                    reason=form.reason.data or "",
                    letter=form.letter.data or "",
                    ends_on=form.ends_on.data,
                )
        except (CourseRefused, EndRefused) as problem:
            status = _refuse(form, problem)
        else:
            flash("The return is withdrawn. What was frozen can be changed again.", "success")
            return redirect(url_for("returns.show", return_id=return_id), 303)
    return render_template(
        "returns/withdraw.html", form=form, course=course, return_id=return_id
    ), 422 if form.errors and status == 200 else status


@bp.post("/<uuid:return_id>/rehearse")
@guarded(load_return, policies.may_take_step)
def rehearse(course: Course) -> ResponseReturnValue:
    """Let the next step of a rehearsal answer at once."""
    if not rehearsal.can(instance(), course):
        abort(404)
    return_id, actor = course.of.id, the_actor().ref
    try:
        done = rehearsal.next_step(instance(), _sessions, return_id=return_id, actor=actor)
    except CourseRefused as problem:
        flash(f"{problem}.", "notice")
    else:
        flash(f"Rehearsed: {words.STEPS[done].label}.", "success")
    return redirect(url_for("returns.show", return_id=return_id), 303)


def _sessions() -> DbSession:
    """A session of its own: a command on the machine writes in between."""
    session().rollback()
    return DbSession(session().get_bind(), info={"vault": instance().vault})
