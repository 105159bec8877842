"""People: the list, one person, their offices, and files of many."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import councils, directory, mail, package_lists, people, people_file, policies
from portal import reminders as rules
from portal.forms.people import ContactForm, EndOfficeForm, OfficeForm, PersonForm
from portal.forms.programme import FILE_AT_MOST, ConfirmForm, FileForm, day
from portal.imports import FileFaults
from portal.models import Office, Person, Role
from portal.views.context import programme, session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_office, load_person
from portal.views.refusals import carry_out, status_of

bp = Blueprint("people", __name__, url_prefix="/team/people")


@bp.url_value_preprocessor
def _allow_a_file(endpoint: str | None, values: dict[str, object] | None) -> None:
    # Before the form token is looked for, since that reads the body, which is small on every other page.
    if endpoint == "people.import_file":
        request.max_content_length = FILE_AT_MOST


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    text, role = request.args.get("q", ""), request.args.get("role", "")
    found = directory.listing(
        session(),
        text=text,
        role=Role(role) if role in set(Role) else None,
        page=request.args.get("page", 1, type=int),
    )
    return render_template("people/index.html", found=found, text=text, role=role, today=today())


@bp.get("/<uuid:person_id>")
@guarded(load_person, policies.may_see_team_page)
def show(person: Person) -> ResponseReturnValue:
    return _person_page(person, ConfirmForm(None))


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new() -> ResponseReturnValue:
    form = PersonForm()
    form.offer(programme(), councils.listed(session()))
    if form.validate_on_submit():
        added = carry_out(form, lambda unit: people.add(unit, **form.contact, **form.office))
        if added is not None:
            return _done("The person is added.", added.id)
    return render_template("people/new.html", form=form), status_of(form)


@bp.route("/<uuid:person_id>/edit", methods=["GET", "POST"])
@guarded(load_person, policies.may_see_team_page)
def edit(person: Person) -> ResponseReturnValue:
    form = ContactForm(obj=person)
    person_id = person.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: people.change(unit, person_id=person_id, **form.contact)
    ):
        return _done("The details are saved.", person_id)
    return render_template("people/edit.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/offices", methods=["GET", "POST"])
@guarded(load_person, policies.may_see_team_page)
def add_office(person: Person) -> ResponseReturnValue:
    form = OfficeForm()
    form.offer(programme(), councils.listed(session()))
    person_id = person.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: people.add_office(unit, person_id=person_id, **form.office)
    ):
        return _done("The role is added.", person_id)
    return render_template("people/office.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/offices/<uuid:office_id>/end", methods=["GET", "POST"])
@guarded(load_office, policies.may_see_team_page)
def end_office(office: Office) -> ResponseReturnValue:
    form = EndOfficeForm(on=office.to_on or today())
    person_id, office_id = office.person_id, office.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: people.end_office(unit, person_id=person_id, office_id=office_id, on=day(form.on)),
    ):
        return _done("The last day is saved.", person_id)
    return render_template("people/end_office.html", form=form, office=office), status_of(form)


@bp.post("/<uuid:person_id>/disable")
@guarded(load_person, policies.may_see_team_page)
def disable(person: Person) -> ResponseReturnValue:
    person_id = person.id
    form = ConfirmForm()
    if not carry_out(form, lambda unit: people.disable(unit, person_id=person_id)):
        return _person_page(person, form)
    return _done("The account is closed. Every browser is signed out.", person_id)


@bp.post("/<uuid:person_id>/enable")
@guarded(load_person, policies.may_see_team_page)
def enable(person: Person) -> ResponseReturnValue:
    person_id = person.id
    form = ConfirmForm()
    if not carry_out(form, lambda unit: people.enable(unit, person_id=person_id)):
        return _person_page(person, form)
    return _done("The account is open again.", person_id)


@bp.post("/<uuid:person_id>/reminders")
@guarded(load_person, policies.may_see_team_page)
def reminders(person: Person) -> ResponseReturnValue:
    """Stop or resume somebody's reminders, as they asked."""
    person_id, stop = person.id, request.form.get("act") == "stop"
    with work() as unit:
        (rules.stop if stop else rules.resume)(unit, person_id=person_id)
    said = "They get no reminders any more." if stop else "They are reminded again."
    return _done(said, person_id)


@bp.route("/import", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def import_file() -> ResponseReturnValue:
    form = FileForm()
    if not form.validate_on_submit():
        return render_template("people/import.html", form=form), 422 if form.errors else 200
    data, try_out = form.file.data.read(), "check" in request.form
    try:
        if try_out:
            taken = people_file.check_file(session(), programme(), data)
            return render_template("people/import.html", form=form, taken=taken)
        with work() as unit:
            taken = people_file.import_file(unit, programme(), data)
    except FileFaults as faults:
        return render_template("people/import.html", form=form, faults=faults), 422
    for note in taken.notes:
        flash(note, "notice")
    flash(f"{taken.people} new people and {taken.offices} new roles are taken.", "success")
    return redirect(url_for("people.index"), 303)


def _person_page(person: Person, form: ConfirmForm) -> ResponseReturnValue:
    shown = directory.person_page(session(), person)
    return render_template(
        "people/show.html",
        shown=shown,
        form=form,
        called=package_lists.called,
        mail_called=mail.called,
        today=today(),
    ), status_of(form)


def _done(said: str, person_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
