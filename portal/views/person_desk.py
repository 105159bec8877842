"""The data of one person, for the data protection officer: numbers and acts, never a word of what is held."""

from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import held_words
from portal.cases import holds as case_holds
from portal.cases import words as case_words
from portal.cases.holds import HeldByCase
from portal.desk import backups, housekeeping, person_rights, restriction
from portal.desk.person_rights import NotRectified
from portal.forms.approvals import AskExportForm
from portal.forms.person_desk import (
    CAUSES,
    EraseForm,
    FindForm,
    HoldForm,
    InstructionForm,
    LiftForm,
    RectifyForm,
    RestrictForm,
)
from portal.models import Person
from portal.views.approvals import WAITS
from portal.views.context import clock_now, instance, programme, session, today, work
from portal.views.files import attach
from portal.views.finishing import finish_erasures
from portal.views.guards import guarded
from portal.views.loaders import load_case, load_person
from portal.views.refusals import carry_out, say_sent_before, status_of
from privacy import erasure, person_exports, registers
from privacy.clock import london_date
from privacy.erasure import NobodyThere, NoInstruction
from privacy.person_exports import NotReleased
from privacy.records import new_id
from privacy.registers import Register
from privacy.rights import Cause, Lifted
from privacy.sent_before import SentBefore

bp = Blueprint("person_desk", __name__, url_prefix="/privacy-desk/people")


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_answer_for_data)
def find() -> ResponseReturnValue:
    """By POST: an address stands in no log and no history."""
    form = FindForm()
    if form.validate_on_submit():
        person = person_rights.find(session(), form.who.data)
        if person is not None:
            return _to(person.id)
        form.refuse(form.who, "Nobody has this reference or address")
    return render_template("person_desk/find.html", form=form), 422 if form.errors else 200


@bp.route("/instructions", methods=["GET", "POST"])
@guarded(None, policies.may_answer_for_data)
def instructions() -> ResponseReturnValue:
    form = InstructionForm()
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: registers.enter(
            unit,
            register=Register.INSTRUCTION,
            letter=form.letter.data,
            body=form.wording.data,
            entry_id=form.entry_id.id_to_make,
        ),
    ):
        flash("The instruction is entered.", "success")
        return redirect(url_for("person_desk.instructions"), 303)
    entries = registers.entries(session(), Register.INSTRUCTION)
    page = render_template("person_desk/instructions.html", form=form, entries=entries)
    return page, status_of(form)


@bp.get("/<uuid:person_id>")
@guarded(load_person, policies.may_answer_for)
def show(person: Person) -> ResponseReturnValue:
    return _page(person, AskExportForm())


@bp.post("/<uuid:person_id>/export")
@guarded(load_person, policies.may_answer_for)
def export(person: Person) -> ResponseReturnValue:
    """By an instruction, and once a second person agreed."""
    form, person_id = AskExportForm(), person.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                asked = person_rights.export(unit, person_id=person_id, letter=form.letter.data)
        except NoInstruction as problem:
            form.refuse(form.letter, problem)
        else:
            ready = "The export is asked for. It is ready in a minute or two."
            return _done(ready if asked else f"{WAITS} Then ask again.", person_id)
    return _page(person, form, status=422)


@bp.post("/<uuid:person_id>/export/<uuid:export_id>")
@guarded(load_person, policies.may_answer_for)
def fetch(person: Person, export_id: UUID) -> ResponseReturnValue:
    """The archive, once; afterwards it is gone."""
    person_id, ref = person.id, person.ref
    folder = housekeeping.export_folder(instance())
    try:
        with work() as unit:
            data = person_exports.fetch(unit, folder, export_id=export_id, person_id=person_id)
    except NotReleased:
        form = AskExportForm(formdata=None)
        form.refuse(
            None, "This export is gone: it was fetched, or is older than seven days. Ask for a new one"
        )
        return _page(person, form, status=409)
    person_exports.sweep(session(), folder, now=clock_now())
    answer = Response(data, mimetype="application/zip")
    attach(answer, f"data-of-{ref}-{today().isoformat()}.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.route("/<uuid:person_id>/rectify", methods=["GET", "POST"])
@guarded(load_person, policies.may_answer_for)
def rectify(person: Person) -> ResponseReturnValue:
    form = RectifyForm()
    person_id = person.id
    form.offer(person_rights.rectifiable(session(), person_id))
    if form.validate_on_submit():
        try:
            with work() as unit:
                person_rights.rectify(
                    unit,
                    person_id=person_id,
                    code=form.item.data,
                    value=form.value.data or "",
                    reason=form.reason.data,
                    told=form.names,
                    rectification_id=form.rectification_id.id_to_make,
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
        except NotRectified as problem:
            form.refuse(form.value, problem)
        else:
            return _done("It is put right.", person_id)
    return render_template("person_desk/rectify.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/restrict", methods=["GET", "POST"])
@guarded(load_person, policies.may_answer_for)
def restrict(person: Person) -> ResponseReturnValue:
    """Restrict, or lift the restriction, by an instruction."""
    form = RestrictForm(act="lift" if person.restricted_at is not None else "restrict")
    person_id, lifts = person.id, form.act.data == "lift"
    if form.validate_on_submit():
        act = restriction.lift if lifts else restriction.restrict
        try:
            with work() as unit:
                act(unit, person_id=person_id, letter=form.letter.data)
        except NoInstruction as problem:
            form.refuse(form.letter, problem)
        else:
            return _done("The restriction is lifted." if lifts else "The data is restricted.", person_id)
    return render_template("person_desk/restrict.html", form=form, person=person), 422 if form.errors else 200


@bp.route("/<uuid:person_id>/hold", methods=["GET", "POST"])
@guarded(load_person, policies.may_answer_for)
def hold(person: Person) -> ResponseReturnValue:
    form = HoldForm(hold_id=new_id())
    person_id = person.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                erasure.place_hold(
                    unit,
                    person_id=person_id,
                    cause=Cause(form.cause.data),
                    reason=form.reason.data,
                    hold_id=form.hold_id.id_to_make,
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
        else:
            return _done("The hold is placed.", person_id)
    return render_template("person_desk/hold.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/hold/<uuid:hold_id>/lift", methods=["GET", "POST"])
@guarded(load_person, policies.may_answer_for)
def lift(person: Person, hold_id: UUID) -> ResponseReturnValue:
    """What lifting a hold would do, and the form that does it; what waited for it is erased at once."""
    form, person_id = LiftForm(), person.id
    hold = next((one for one in erasure.holds(session(), person_id) if one.id == hold_id), None)
    if hold is None:
        abort(404)
    if form.validate_on_submit():
        why = Lifted(form.why.data)
        try:
            with work() as unit:
                followed = case_holds.lift_by_hand(unit, hold_id=hold_id, person_id=person_id, why=why)
        except HeldByCase as problem:
            form.refuse(None, problem)
            return _lifting(person_id, hold_id, form, 409)
        finish_erasures()
        flash(case_words.let_go(followed), "success")
        gone = load_person(person_id) is None
        return redirect(url_for("person_desk.find"), 303) if gone else _to(person_id)
    return _lifting(person_id, hold_id, form, 422 if form.errors else 200)


@bp.route("/<uuid:person_id>/erase", methods=["GET", "POST"])
@guarded(load_person, policies.may_answer_for)
def erase(person: Person) -> ResponseReturnValue:
    """What an erasure would do, and the form that does it."""
    form = EraseForm(person.ref)
    person_id, ref = person.id, person.ref
    if form.validate_on_submit():
        try:
            with work() as unit:
                begun = person_rights.erase(unit, person_id=person_id, letter=form.letter.data)
        except NoInstruction as problem:
            form.refuse(form.letter, problem)
        except NobodyThere:
            return redirect(url_for("person_desk.find"), 303)
        else:
            if begun is None:
                return _done(f"{WAITS} Then come back and erase it.", person_id)
            finish_erasures()
            flash(f"The data of {ref} is erased, as far as no hold keeps it.", "success")
            return redirect(url_for("person_desk.find"), 303)
    plan = erasure.plan(session(), person_id)
    copies = backups.last_copies(instance().settings.backups, on=london_date(clock_now()))
    page = render_template("person_desk/erase.html", form=form, person=person, plan=plan, copies=copies)
    return page, 422 if form.errors else 200


def _lifting(person_id: UUID, hold_id: UUID, form: LiftForm, status: int) -> ResponseReturnValue:
    person = load_person(person_id)
    if person is None:
        abort(404)
    shown = person_rights.overview(session(), person)
    hold = next(one for one in shown.holds if one.id == hold_id)
    page = render_template(
        "person_desk/lift.html",
        form=form,
        shown=shown,
        hold=hold,
        case=load_case(hold.case_id) if hold.case_id is not None else None,
        others=[one for one in shown.holds if one is not hold],
        causes=CAUSES,
    )
    return page, status


def _page(person: Person, form: AskExportForm, *, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "person_desk/show.html",
        shown=person_rights.overview(session(), person),
        called=held_words.words,
        called_text=person_rights.called,
        form=form,
        causes=CAUSES,
        released=person_exports.is_released,
        now=clock_now(),
        programme=programme(),
    ), status


def _done(said: str, person_id: UUID) -> ResponseReturnValue:
    flash(said, "success")
    return _to(person_id)


def _to(person_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("person_desk.show", person_id=person_id), 303)
