"""Your data: what is held about whoever is signed in, and everything that they can ask for. Nobody else's."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.desk import housekeeping
from portal.forms.your_data import AddressForm, AnswerForm, AskForm, DetailsForm, MoreForm
from portal.models import Person
from portal.own_data import cases as own_cases
from portal.own_data import notices as privacy_notices
from portal.own_data import readings as own_readings
from portal.own_data import requests as own_requests
from portal.own_data import rights as own_rights
from portal.own_data import self_service, what_we_hold
from portal.own_data.cases import OwnCase
from portal.own_data.requests import NotAllowed, NotPutRight, NotYours
from portal.own_data.rights import Right
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.files import attach
from portal.views.fragments import page_or_fragment
from portal.views.guards import guarded
from portal.views.refusals import say_sent_before, status_of
from privacy import person_exports
from privacy.cases.rules import CaseRefused
from privacy.person_exports import NotReleased
from privacy.records import new_id
from privacy.registers import Standing
from privacy.sent_before import SentBefore

bp = Blueprint("your_data", __name__, url_prefix="/your-data")
GONE = "This copy is gone: it was downloaded, or is older than seven days. You can have a new one made."


def load_own_case(case_id: UUID) -> OwnCase | None:
    """One request of whoever is signed in."""
    return own_cases.one(session(), case_id, person_id=the_actor().person_id, now=clock_now())


@bp.get("")
@guarded(None, policies.may_see_own, reads=policies.may_read)
def index() -> ResponseReturnValue:
    person_id, db = the_actor().person_id, session()
    return render_template(
        "your_data/index.html",
        person=db.get_one(Person, person_id),
        held=what_we_hold.held(db, person_id),
        cases=own_cases.of_person(db, person_id, now=clock_now()),
        rights=own_rights.RIGHTS,
        openings=own_readings.of_person(db, person_id),
        notices=privacy_notices.shown(db, person_id),
        newest=privacy_notices.newest(on=today()),
        **_copy(person_id),
    )


def _copy(person_id: UUID) -> dict[str, Any]:
    """What the piece about the copy needs."""
    copy = own_requests.newest_copy(session(), person_id)
    return {
        "allows": {
            act.value: bool(entry) for act, entry in self_service.allows(session(), on=today()).items()
        },
        "copy": copy,
        "released": copy is not None and person_exports.is_released(copy, now=clock_now()),
        "until": copy.ready_at + person_exports.KEPT if copy is not None and copy.ready_at else None,
    }


# ---- a copy to download


@bp.route("/copy", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, reads=policies.may_read)
def copy() -> ResponseReturnValue:
    """How far the copy is; by POST one is asked for."""
    person_id = the_actor().person_id
    if request.method == "GET":
        return page_or_fragment("your_data/copy.html", "your_data/_copy.html", **_copy(person_id))
    try:
        with work() as unit:
            own_requests.download(unit, programme(), person_id=person_id)
    except NotAllowed:
        return redirect(url_for("your_data.ask", word="access"), 303)
    return redirect(url_for("your_data.copy"), 303)


@bp.post("/copies/<uuid:export_id>")
@guarded(None, policies.may_see_own, reads=policies.may_read)
def fetch(export_id: UUID) -> ResponseReturnValue:
    """The copy, once; afterwards it is gone."""
    person_id = the_actor().person_id
    if own_requests.is_anothers(session(), export_id, person_id=person_id):
        abort(404)
    folder = housekeeping.export_folder(instance())
    try:
        with work() as unit:
            data = person_exports.fetch(
                unit, folder, export_id=export_id, person_id=person_id, by_themselves=True
            )
            own_requests.fetched(unit, export_id=export_id)
    except NotReleased:
        flash(GONE, "notice")
        return redirect(url_for("your_data.copy"), 303)
    person_exports.sweep(session(), folder, now=clock_now())
    answer = Response(data, mimetype="application/zip")
    attach(answer, f"your-data-{today().isoformat()}.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer


# ---- details


@bp.route("/details", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, reads=policies.may_read)
def details() -> ResponseReturnValue:
    person = session().get_one(Person, the_actor().person_id)
    form = DetailsForm(case_id=new_id(), name=person.name, phone=person.phone)
    allowed = self_service.allows(session(), on=today())[Standing.OWN_CORRECTION] is not None
    if form.validate_on_submit():
        try:
            with work() as unit:
                case = own_requests.correct(
                    unit,
                    programme(),
                    person_id=the_actor().person_id,
                    case_id=form.case_id.id_to_make,
                    wanted=form.wanted,
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
        except NotPutRight as problem:
            form.refuse(form[problem.field], problem)
        except NotYours:
            abort(404)
        else:
            return _corrected(case is not None, allowed)
    page = render_template("your_data/details.html", form=form, allowed=allowed)
    return page, status_of(form)


def _corrected(changed: bool, allowed: bool) -> ResponseReturnValue:
    if not changed:
        flash("Nothing was different, so nothing was changed.", "notice")
    elif allowed:
        flash("It is put right. The Department is told that you did so.", "success")
    else:
        flash("We have passed it to the Department. It is put right when the Department says so.", "success")
    return redirect(url_for("your_data.index"), 303)


@bp.route("/address", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, reads=policies.may_read, fresh=True)
def address() -> ResponseReturnValue:
    form = AddressForm(case_id=new_id())
    if form.validate_on_submit():
        try:
            with work() as unit:
                case = own_requests.ask_for_address(
                    unit,
                    programme(),
                    person_id=the_actor().person_id,
                    case_id=form.case_id.id_to_make,
                    address=form.email.data,
                )
                case_id = case.id
        except SentBefore as problem:
            say_sent_before(form, problem)
        except NotPutRight as problem:
            form.refuse(form.email, problem)
        except NotYours:
            abort(404)
        else:
            return _asked(case_id)
    return render_template("your_data/address.html", form=form), status_of(form)


# ---- requests


@bp.route("/ask/<word>", methods=["GET", "POST"])
@guarded(own_rights.right, policies.may_ask, reads=policies.may_read)
def ask(right: Right) -> ResponseReturnValue:
    form = AskForm(case_id=new_id(), asks_what=right.asks_what)
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_id = own_requests.ask(
                    unit,
                    programme(),
                    person_id=the_actor().person_id,
                    case_id=form.case_id.id_to_make,
                    kind=right.kind,
                    text=form.text.data or "",
                ).id
        except SentBefore as problem:
            say_sent_before(form, problem)
        except NotYours:
            abort(404)
        else:
            return _asked(case_id)
    return render_template("your_data/ask.html", form=form, right=right), status_of(form)


def _asked(case_id: UUID) -> ResponseReturnValue:
    flash("We have it, and tell the Department at once.", "success")
    return redirect(url_for("your_data.show", case_id=case_id), 303)


@bp.get("/requests/<uuid:case_id>")
@guarded(load_own_case, policies.may_see_own_case, reads=policies.may_read)
def show(case: OwnCase) -> ResponseReturnValue:
    return render_template("your_data/show.html", case=case)


@bp.route("/requests/<uuid:case_id>/answer", methods=["GET", "POST"])
@guarded(load_own_case, policies.may_see_own_case, reads=policies.may_read)
def answer(case: OwnCase) -> ResponseReturnValue:
    form = AnswerForm()
    status = 422
    if form.validate_on_submit():
        try:
            with work() as unit:
                own_requests.answer(unit, case_id=case.id, text=form.answer.data)
        except CaseRefused as problem:
            form.refuse(form.answer, problem)
            status = 409
        else:
            flash("We have your answer.", "success")
            return redirect(url_for("your_data.show", case_id=case.id), 303)
    return render_template("your_data/answer.html", form=form, case=case), status if form.errors else 200


@bp.route("/requests/<uuid:case_id>/more", methods=["GET", "POST"])
@guarded(load_own_case, policies.may_see_own_case, reads=policies.may_read)
def more(case: OwnCase) -> ResponseReturnValue:
    form = MoreForm()
    if form.validate_on_submit():
        with work() as unit:
            own_requests.add(
                unit, case_id=case.id, text=form.text.data, takes_back=bool(form.takes_back.data)
            )
        flash("We have what you told us.", "success")
        return redirect(url_for("your_data.show", case_id=case.id), 303)
    return render_template("your_data/more.html", form=form, case=case), 422 if form.errors else 200
