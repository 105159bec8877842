"""People: the list, one person, their offices, and files of many."""

from datetime import datetime
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.councils import register as councils
from portal.filters import day_time
from portal.forms.people import ContactForm, EndOfficeForm, OfficeForm, PersonForm
from portal.forms.programme import ConfirmForm, day
from portal.mailing import queue as mail
from portal.mailing import reminders as rules
from portal.mentors import deliverers, mentoring
from portal.models import Office, Person, Role
from portal.packages import lists as package_lists
from portal.people import alone, delegations, directory, needs
from portal.people import file as people_file
from portal.people import register as people
from portal.people.register import Authority
from portal.views import files, searches_kept
from portal.views.context import clock_now, programme, session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_office, load_person
from portal.views.numbers import page_asked
from portal.views.refusals import carry_out, status_of
from privacy.clock import end_of_day
from privacy.work import Work

bp = Blueprint("people", __name__, url_prefix="/team/people")


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    if request.method == "POST":
        return searches_kept.to_results()
    return render_template(
        "people/index.html",
        found=_listing(page=page_asked()),
        text=searches_kept.words(),
        role=request.args.get("role", ""),
        today=today(),
    )


@bp.get("/list.csv")
@guarded(None, policies.may_run_programme)
def download() -> ResponseReturnValue:
    """The list as it is narrowed, as a file."""
    return files.csv_file(directory.as_csv(_listing(page=None), programme()), f"people-{today().isoformat()}")


def _listing(*, page: int | None) -> directory.Listing:
    role = request.args.get("role", "")
    return directory.listing(
        session(),
        text=searches_kept.words("people.index"),
        role=Role(role) if role in set(Role) else None,
        page=page,
    )


@bp.get("/<uuid:person_id>")
@guarded(load_person, policies.may_see_person)
def show(person: Person) -> ResponseReturnValue:
    return _person_page(person, ConfirmForm(None))


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_add_person)
def new() -> ResponseReturnValue:
    form = PersonForm()
    form.offer(programme(), councils.listed(session()), by=_authority())
    if form.validate_on_submit():
        added = carry_out(form, partial(_add, form=form))
        if added is not None:
            return _added(added.id)
    return render_template("people/new.html", form=form), status_of(form)


@bp.route("/<uuid:person_id>/edit", methods=["GET", "POST"])
@guarded(load_person, policies.may_see_person, fresh=True)
def edit(person: Person) -> ResponseReturnValue:
    form = ContactForm(obj=person)
    person_id = person.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: people.change(unit, person_id=person_id, **form.contact)
    ):
        return _done("The details are saved.", person_id)
    return render_template("people/edit.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/offices", methods=["GET", "POST"])
@guarded(load_person, policies.may_see_person)
def add_office(person: Person) -> ResponseReturnValue:
    form = OfficeForm()
    form.offer(programme(), councils.listed(session()), by=_authority())
    person_id = person.id
    if form.validate_on_submit() and carry_out(form, partial(_add_office, form=form, person_id=person_id)):
        return _done("The role is added.", person_id)
    return render_template("people/office.html", form=form, person=person), status_of(form)


@bp.route("/<uuid:person_id>/offices/<uuid:office_id>/end", methods=["GET", "POST"])
@guarded(load_office, policies.may_see_office)
def end_office(office: Office) -> ResponseReturnValue:
    form = EndOfficeForm(on=office.to_on or today())
    person_id, office_id = office.person_id, office.id
    if form.validate_on_submit() and carry_out(
        form,
        partial(_end_office, form=form, person_id=person_id, office_id=office_id),
    ):
        _warn_of_sessions(person_id, after=end_of_day(day(form.on)))
        return _done("The last day is saved.", person_id)
    return render_template("people/end_office.html", form=form, office=office), status_of(form)


@bp.post("/<uuid:person_id>/disable")
@guarded(load_person, policies.may_see_person)
def disable(person: Person) -> ResponseReturnValue:
    person_id = person.id
    form = ConfirmForm()
    if not carry_out(form, lambda unit: people.disable(unit, person_id=person_id)):
        return _person_page(person, form)
    _warn_of_sessions(person_id, after=clock_now())
    return _done("The account is closed. Every browser is signed out.", person_id)


@bp.post("/<uuid:person_id>/enable")
@guarded(load_person, policies.may_see_person)
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
    return files.file_page("people/import.html", kind="people", roles=_authority().roles)


@bp.get("/import/first-line.csv")
@guarded(None, policies.may_run_programme)
def first_line() -> ResponseReturnValue:
    """A file of people to fill in."""
    return files.to_fill_in("people", people_file.COLUMNS)


def _person_page(person: Person, form: ConfirmForm) -> ResponseReturnValue:
    actor = the_actor()
    return render_template(
        "people/show.html",
        shown=directory.person_page(session(), person),
        deliver=deliverers.of(
            session(),
            programme(),
            person,
            on=today(),
            may_record=policies.may_record_clearance(actor, person),
        ),
        ahead=mentoring.sessions_ahead(session(), person.id, after=clock_now()),
        needs_asked=needs.asked(session(), on=today()),
        needs_words=needs.WORDS,
        may_have_assistant=delegations.may_have_one(person, today()),
        assistant=delegations.of_leader(session(), person.id, today()),
        books_for=delegations.of_assistant(session(), person.id, today()),
        whole=policies.may_run_programme(actor),
        may_change=policies.may_change_person(actor, person),
        may_help=policies.may_help_sign_in(actor, person),
        asks_first=policies.may_manage_accounts(actor) and policies.is_staff(person),
        form=form,
        called=package_lists.called,
        mail_called=mail.called,
        today=today(),
    ), status_of(form)


def _add(unit: Work, *, form: PersonForm) -> Person:
    person = people.add(unit, **form.contact, **form.office)
    alone.require(unit.db, programme(), person_id=person.id, sure=form.sure.answers, **form.office)
    return person


def _add_office(unit: Work, *, form: OfficeForm, person_id: UUID) -> Office:
    office = people.add_office(unit, person_id=person_id, **form.office)
    alone.require(unit.db, programme(), person_id=person_id, sure=form.sure.answers, **form.office)
    return office


def _end_office(unit: Work, *, form: EndOfficeForm, person_id: UUID, office_id: UUID) -> Office:
    before = unit.db.get_one(Office, office_id).to_on
    office = people.end_office(unit, person_id=person_id, office_id=office_id, on=day(form.on))
    if before is not None and day(form.on) > before:
        alone.require(
            unit.db,
            programme(),
            person_id=person_id,
            role=office.role,
            council_id=office.council_id,
            starts_on=office.from_on,
            ends_on=office.to_on,
            sure=form.sure.answers,
        )
    return office


def _authority() -> Authority:
    return people.authority(session(), actor=the_actor().ref, today=today())


def _warn_of_sessions(person_id: UUID, *, after: datetime) -> None:
    """Name what stays booked with somebody who cannot be there."""
    ahead = mentoring.sessions_ahead(session(), person_id, after=after)
    if ahead:
        listed = ", ".join(f"{day_time(one.starts_at)} ({one.package.ref})" for one in ahead)
        flash(f"Sessions stay booked: {listed}. Move or cancel them.", "notice")


def _added(person_id: UUID) -> Response:
    if policies.may_run_programme(the_actor()):
        return _done("The person is added.", person_id)
    flash("The person is added.", "success")
    return redirect(url_for("account.accounts"), 303)


def _done(said: str, person_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
