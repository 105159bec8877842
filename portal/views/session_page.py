"""The page of a session, as whoever looks at it may see it."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal import policies
from portal.booking import moves, standing
from portal.forms.base import Form
from portal.forms.notes import NoteForm
from portal.mailing import invitations
from portal.models import NoteKind, Person, Session, SessionNote, SessionState
from portal.packages import notes
from portal.people import delegations, needs
from portal.resources import shelves
from portal.views import group_pages
from portal.views.acts import status_of
from portal.views.context import clock_now, programme, the_actor
from portal.views.context import session as db
from portal.views.on_behalf import back_from_session
from privacy.records import new_id


def is_ahead(held: Session) -> bool:
    """Whether it is still to come; what is not is shown, not changed."""
    return held.state is SessionState.BOOKED and held.starts_at > clock_now()


def session_page(held: Session, form: Form) -> ResponseReturnValue:
    """The page; `form` is what was sent from it and refused, or an empty one."""
    actor = the_actor()
    seats = [seat for seat in held.attendances if seat.state in standing.LIVE]
    discreet = policies.only_books_session(actor, held)
    serves = policies.may_record(actor, held)
    kinds = [kind for kind in NoteKind if policies.may_write_note(actor, held, kind)]
    return render_template(
        "bookings/session.html",
        form=form,
        held=held,
        back=back_from_session(held),
        group=group_pages.shown(held) if held.capacity is not None else None,
        resources=[] if discreet else shelves.of_session(db(), held, roles=None if serves else actor.roles),
        heading=invitations.heading_of(held, programme()),
        others=invitations.others_of(held, db().get_one(Person, actor.person_id)),
        seats=seats if serves else [],
        places_left=None if held.capacity is None else max(0, held.capacity - len(seats)),
        mine=any(seat.person_id == actor.person_id for seat in seats),
        ahead=is_ahead(held),
        may_change=policies.may_change_session(actor, held),
        may_record=serves,
        booked_by=_booked_by(held),
        moved=_moved(held),
        needs=needs.of_session(db(), held, now=clock_now()) if policies.may_see_needs(actor, held) else [],
        notes=_notes(held) if kinds else [],
        note_form=_note_form(form, kinds) if kinds else None,
        may_change_note=lambda note: policies.may_change_note(actor, note),
    ), status_of(form)


def _booked_by(held: Session) -> list[tuple[str, str]]:
    """Which assistant booked for whom, as far as it concerns who looks: all to those who serve, else one's own."""
    actor = the_actor()
    concerned = {actor.person_id, *actor.leaders}
    everybody = {seat.person_id for seat in held.attendances}
    whole = policies.may_record(actor, held)
    return delegations.booked_by(db(), held, everybody if whole else everybody & concerned)


def _moved(held: Session) -> moves.Move | None:
    """Its last move, for the team and whoever was in it then."""
    actor = the_actor()
    if not (policies.may_run_programme(actor) or moves.was_in(db(), held, actor.person_id)):
        return None
    return moves.last(db(), held, actor.person_id)


def _notes(held: Session) -> list[SessionNote]:
    actor = the_actor()
    return [note for note in notes.of_session(db(), held.id) if policies.may_read_note(actor, note)]


def _note_form(form: Form, kinds: list[NoteKind]) -> NoteForm:
    """What was typed and refused, or an empty form with the kinds that can be written here."""
    note_form = form if isinstance(form, NoteForm) else NoteForm(formdata=None)
    note_form.offer(kinds)
    note_form.note_id.data = note_form.note_id.data or new_id()
    return note_form
