"""Notes on sessions: written on the session's page, changed and deleted by whoever wrote them."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.forms.notes import NoteForm, NoteTextForm
from portal.models import NoteKind, Session, SessionNote
from portal.packages import notes
from portal.views.acts import attempt, status_of
from portal.views.context import the_actor, work
from portal.views.guards import guarded
from portal.views.loaders import load_note, load_session
from portal.views.session_page import session_page

bp = Blueprint("notes", __name__)


@bp.post("/sessions/<uuid:session_id>/notes")
@guarded(load_session, policies.may_write_notes)
def write(held: Session) -> ResponseReturnValue:
    actor, session_id = the_actor(), held.id
    kinds = [kind for kind in NoteKind if policies.may_write_note(actor, held, kind)]
    form = NoteForm()
    form.offer(kinds)
    if form.validate_on_submit():
        kind, text, note_id = NoteKind(form.kind.data), form.text.data or "", form.note_id.id_to_make
        done = attempt(
            form,
            form.text,
            lambda unit: notes.write(
                unit,
                session_id=session_id,
                author_id=actor.person_id,
                kind=kind,
                text=text,
                note_id=note_id,
            ),
        )
        if done is not None:
            return _back("The note is saved.", done)
    return session_page(held, form)


@bp.get("/sessions/<uuid:session_id>/notes")
@guarded(load_session, policies.may_write_notes, reads=policies.may_read)
def read(held: Session) -> ResponseReturnValue:
    """Back to the session's page, once it may show what was written before."""
    return redirect(url_for("bookings.session", session_id=held.id, _anchor="notes"), 303)


@bp.route("/notes/<uuid:note_id>", methods=["GET", "POST"])
@guarded(load_note, policies.may_change_note, reads=policies.may_read)
def edit(note: SessionNote) -> ResponseReturnValue:
    form, note_id = NoteTextForm(obj=note), note.id
    if form.validate_on_submit():
        text = form.text.data or ""
        done = attempt(form, form.text, lambda unit: notes.change(unit, note_id=note_id, text=text))
        if done is not None:
            return _back("The note is saved.", done)
    return render_template("notes/edit.html", form=form, note=note), status_of(form)


@bp.post("/notes/<uuid:note_id>/delete")
@guarded(load_note, policies.may_change_note, reads=policies.may_read)
def delete(note: SessionNote) -> ResponseReturnValue:
    note_id, session_id = note.id, note.session_id
    with work() as unit:
        notes.take_back(unit, note_id=note_id)
    flash("The note is deleted.", "success")
    return redirect(url_for("bookings.session", session_id=session_id, _anchor="notes"), 303)


def _back(said: str, note: SessionNote) -> Response:
    flash(said, "success")
    return redirect(url_for("bookings.session", session_id=note.session_id, _anchor="notes"), 303)
