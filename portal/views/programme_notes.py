"""Risks and lessons: the team notes them as they come up, and reports carry them until they are closed."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.programme_notes import CloseNoteForm, ProgrammeNoteForm
from portal.models import ProgrammeNote, ProgrammeNoteKind
from portal.results import programme_notes
from portal.results.programme_notes import ClosedAlready, NothingSaid
from portal.views.context import session, work
from portal.views.guards import guarded

bp = Blueprint("programme_notes", __name__, url_prefix="/reports/risks-and-lessons")


def load_programme_note(programme_note_id: UUID) -> ProgrammeNote | None:
    return session().get(ProgrammeNote, programme_note_id)


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    return render_template(
        "programme_notes/index.html", notes=programme_notes.listed(session()), kinds=ProgrammeNoteKind
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new() -> ResponseReturnValue:
    form = ProgrammeNoteForm()
    if form.validate_on_submit():
        try:
            with work() as unit:
                programme_notes.add(unit, kind=ProgrammeNoteKind(form.kind.data), text=form.text.data or "")
        except NothingSaid:
            form.refuse(form.text, "Write what it is")
        else:
            flash("It is noted, and goes in the next report.", "success")
            return redirect(url_for("programme_notes.index"), 303)
    return render_template("programme_notes/new.html", form=form), 422 if form.errors else 200


@bp.route("/<uuid:programme_note_id>/close", methods=["GET", "POST"])
@guarded(load_programme_note, policies.may_see_team_page)
def close(note: ProgrammeNote) -> ResponseReturnValue:
    form, note_id, status = CloseNoteForm(), note.id, 200
    if form.validate_on_submit():
        try:
            with work() as unit:
                programme_notes.close(unit, note_id=note_id, outcome=form.outcome.data or "")
        except NothingSaid:
            form.refuse(form.outcome, "Write what came of it")
        except ClosedAlready:
            form.refuse(None, "Somebody else closed it just now")
            status = 409
        else:
            flash("It is closed. The next report still shows it, with what came of it.", "success")
            return redirect(url_for("programme_notes.index"), 303)
    page = render_template("programme_notes/close.html", form=form, note=note)
    return page, status if status != 200 or not form.errors else 422
