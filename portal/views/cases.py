"""The desk of the data protection officer: what waits, the list of cases, taking one in, and the page of one."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import acts as casework
from portal.cases import clocks as case_clocks
from portal.cases import holds as case_holds
from portal.cases import lists as case_lists
from portal.cases import notices
from portal.cases import page as case_page
from portal.cases import redaction as case_redaction
from portal.cases import report as desk_report
from portal.cases import words as case_words
from portal.cases.acts import Arrived, Happened
from portal.cases.lists import Wanted
from portal.cases.matches import Looked, belongs_to, matches
from portal.desk import approvals
from portal.forms.base import Form
from portal.forms.cases import EventForm, IntakeForm, form_of
from portal.returning import countdown
from portal.views import searches_kept
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.files import csv_file
from portal.views.finishing import finish_erasures
from portal.views.guards import guarded
from portal.views.loaders import load_case
from portal.views.numbers import page_asked
from portal.views.refusals import say_sent_before, status_of
from privacy.cases import acts
from privacy.cases.rules import CaseClosed, CaseRefused, NotPossible
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseKind, Event
from privacy.records import new_id
from privacy.sent_before import SentBefore

bp = Blueprint("cases", __name__, url_prefix="/desk")

QUICKER = (CaseClosed, NotPossible)
"""The page that was shown is no longer true: somebody else was quicker, perhaps in another tab."""


@bp.get("")
@guarded(None, policies.may_run_desk)
def index() -> ResponseReturnValue:
    return render_template(
        "cases/desk.html",
        desk=case_lists.desk(session(), now=clock_now()),
        stuck=notices.stuck(session(), programme(), now=clock_now()),
        report=desk_report.report(instance(), session(), now=clock_now()),
        countdown=countdown.near(session(), programme(), now=clock_now()),
        to_agree=approvals.waiting_for(session(), the_actor().ref, now=clock_now())
        + sum(policies.may_approve_copies(the_actor(), one) for one in case_redaction.waiting(session())),
        words=case_words,
    )


@bp.get("/not-told")
@guarded(None, policies.may_run_desk)
def not_told() -> ResponseReturnValue:
    """Only the minutes of what the Controller does not know yet: a page asks again for it, each minute."""
    return render_template("cases/_not_told.html", desk=case_lists.desk(session(), now=clock_now()))


def _wanted() -> Wanted:
    asked = request.args
    kinds = {kind.value: kind for kind in CaseKind}
    return Wanted(
        text=searches_kept.words("cases.listing")[:40],
        kind=kinds.get(asked.get("kind", "")),
        stand=asked.get("stand", "open"),
        owner=asked.get("owner", "")[:40],
        late=asked.get("late") == "yes",
    )


@bp.route("/cases", methods=["GET", "POST"])
@guarded(None, policies.may_run_desk)
def listing() -> ResponseReturnValue:
    if request.method == "POST":
        return searches_kept.to_results()
    wanted = _wanted()
    found = case_lists.rows(session(), wanted, now=clock_now())
    return render_template(
        "cases/list.html",
        page=case_lists.page(found, page_asked()),
        wanted=wanted,
        officers=casework.officers(session(), now=clock_now()),
        words=case_words,
        asked={name: value for name, value in request.args.items() if value and name != "page"},
    )


@bp.get("/cases.csv")
@guarded(None, policies.may_run_desk)
def download_list() -> Response:
    found = case_lists.rows(session(), _wanted(), now=clock_now())
    return csv_file(case_lists.as_csv(found), f"cases-{today().isoformat()}")


@bp.route("/cases/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_desk)
def new() -> ResponseReturnValue:
    form = IntakeForm(data=_beginning())
    form.offer(casework.officers(session(), now=clock_now()))
    checked = form.validate_on_submit()
    if checked and "check" not in request.form:
        try:
            with work() as unit:
                case_id = casework.take_in(unit, programme(), _arrived(form))
        except SentBefore as problem:
            say_sent_before(form, problem)
        except CaseRefused as problem:
            form.refuse(_field_of(form, problem), problem)
        else:
            flash("The case is open, and its notice to the Controller is on its way.", "success")
            return redirect(url_for("cases.show", case_id=case_id), 303)
    page = render_template(
        "cases/new.html",
        form=form,
        found=_like(form) if checked and "check" in request.form else None,
        today=today(),
        words=case_words,
    )
    return page, status_of(form)


def _beginning() -> dict[str, Any]:
    wanted = request.args.get("kind", "")
    return {
        "case_id": new_id(),
        "kind": wanted if wanted in {kind.value for kind in CaseKind} else None,
        "owner": str(the_actor().person_id),
        "taken_by": the_actor().name,
    }


def _arrived(form: IntakeForm) -> Arrived:
    return Arrived(
        case_id=form.case_id.id_to_make,
        kind=form.case_kind,
        channel=form.case_channel,
        received_at=form.received_at,
        asked=form.asked.data or "",
        contact=form.contact,
        about=form.about.data or "",
        copy_of=form.copy_of.data or "",
        owner_id=form.chosen(form.owner),
        deputy_id=form.chosen(form.deputy),
        exercise=form.exercise.data,
        files=form.attachments,
    )


def _like(form: IntakeForm) -> dict[str, Any]:
    """Earlier cases like the one on the form, and whose account the address belongs to."""
    looked = Looked(form.case_kind, form.received_at, form.contact, None)
    return {"matches": matches(session(), looked), "account": belongs_to(session(), form.contact)}


@bp.get("/cases/<uuid:case_id>")
@guarded(load_case, policies.may_see_case)
def show(case: Case) -> ResponseReturnValue:
    return _page(acts.read(session(), case.id))


@bp.get("/cases/<uuid:case_id>/minutes")
@guarded(load_case, policies.may_see_case)
def minutes(case: Case) -> ResponseReturnValue:
    """Only the minutes since receipt, until there is evidence that the Controller was told."""
    waiting = case_clocks.not_told(acts.read(session(), case.id), now=clock_now())
    return render_template("cases/_minutes.html", case=case, waiting=waiting)


@bp.route("/cases/<uuid:case_id>/events", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def happen(case: Case) -> ResponseReturnValue:
    """Write down what happened. Whoever loads the page of a refused form anew is led to the case."""
    case_id = case.id
    if request.method == "GET":
        return redirect(url_for("cases.show", case_id=case_id), 303)
    form = _sent_form()
    if form.validate_on_submit():
        try:
            with work() as unit:
                let_go = casework.write_down(unit, case_id=case_id, what=_happened(form))
        except SentBefore as problem:
            say_sent_before(form, problem)
            return _page(acts.read(session(), case_id), form, status_of(form))
        except CaseRefused as problem:
            form.refuse(_field_of(form, problem), problem)
            return _page(acts.read(session(), case_id), form, 409 if isinstance(problem, QUICKER) else 422)
        if let_go:
            finish_erasures()
        flash(" ".join(["It is written down.", *map(case_words.let_go, let_go)]), "success")
        return redirect(url_for("cases.show", case_id=case_id), 303)
    return _page(acts.read(session(), case_id), form, 422)


def _field_of(form: Form, problem: CaseRefused) -> Any:
    names = {"at": "on", "entry_id": "letter", "kind": None}
    name = names.get(problem.field, problem.field)
    return form[name] if name is not None and name in form else None


def _sent_form() -> EventForm:
    try:
        event = Event(request.form.get("event", ""))
    except ValueError:
        abort(404)
    form = form_of(event)()
    form.offer(casework.officers(session(), now=clock_now()))
    return form


def _happened(form: EventForm) -> Happened:
    return Happened(
        kind=form.happened,
        on=form.on.data,
        minute=form.minute,
        body=form.body,
        value_on=form.extra("value_on"),
        person_id=form.chosen_person,
        who=form.extra("who"),
        letter=form.extra("letter"),
        erases=bool(form.extra("erases")),
        event_id=form.event_id.id_to_make,
        files=form.attachments,
    )


def _page(story: Story, sent: EventForm | None = None, status: int = 200) -> ResponseReturnValue:
    """The page of a case. The form that came back stands first, even where it can no longer be taken."""
    events = [event for event in story.possible() if sent is None or event is not sent.happened]
    forms = [form_of(event)(None, data={"event_id": new_id()}) for event in events]
    officers = casework.officers(session(), now=clock_now())
    for form in forms:
        form.offer(officers)
    page = render_template(
        "cases/show.html",
        shown=case_page.page(session(), story, now=clock_now()),
        case=story.case,
        waiting=case_clocks.not_told(story, now=clock_now()),
        form=sent,
        forms=forms,
        next_step=story.next_step(),
        left_open=story.left_open(),
        lets_go=case_holds.lets_go(session(), story.case) if story.closed is None else (),
        kept=notices.of_case(session(), story.case.id),
        words=case_words,
        now=clock_now(),
    )
    return page, status
