"""Booking: times to choose from, offered times, and a session's own pages."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal import policies
from portal.booking import acts as bookings
from portal.booking import blackouts, choices, delivery, offers, standing, unusual
from portal.booking.availability import Interval
from portal.forms.base import Form
from portal.forms.bookings import BookForm, CancelForm, FreeMoveForm, FreeTimeForm, MoveForm, OfferChoiceForm
from portal.groups import sessions
from portal.mailing import feeds, invitations
from portal.mentors import profiles, serving
from portal.models import Offer, OfferState, Package, Person, Session
from portal.people import assisting
from portal.sureness import Sure
from portal.views import free_times, group_pages
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, instance, programme, the_actor, today
from portal.views.context import session as db
from portal.views.files import attach
from portal.views.fragments import page_or_fragment, wants_fragment
from portal.views.group_pages import PlaceOf
from portal.views.guards import guarded
from portal.views.loaders import load_offer, load_package_with_people, load_session
from portal.views.on_behalf import back_from_booking, is_own, whose_place
from portal.views.session_page import is_ahead, session_page
from privacy.clock import london_date, minute_of_day
from privacy.records import new_id
from privacy.work import Work

bp = Blueprint("bookings", __name__)


@bp.route("/packages/<uuid:package_id>/times", methods=["GET", "POST"])
@guarded(load_package_with_people, policies.may_book)
def times(package: Package) -> ResponseReturnValue:
    form, free = BookForm(_unless_free(False)), _free_form(package)
    asked = free if free is not None and free.is_sent else form
    own = policies.takes_part(the_actor(), package)
    others = free_times.others_asked()
    booked_id = _book(package, asked) if not others and asked.validate_on_submit() else None
    if booked_id is not None:
        return _booked(booked_id, own=own)
    answer = page_or_fragment(
        "bookings/times.html",
        "bookings/_slots.html",
        status=status_of(asked),
        free=free,
        asked=asked,
        booked=_booked_before(package, form),
        own=own,
        **_times(package, form),
    )
    if others and wants_fragment():
        # Loaded again, the page shows the same part of the list.
        begins: dict[str, Any] = {"from": request.form["from"]} if request.form.get("from") else {}
        answer.headers["HX-Push-Url"] = url_for(
            "bookings.times", package_id=package.id, place=form.place.data, **begins
        )
    return answer


@bp.route("/offers/<uuid:offer_id>", methods=["GET", "POST"])
@guarded(load_offer, policies.may_choose_offer)
def offer(offered: tuple[Offer, Package]) -> ResponseReturnValue:
    chosen, package = offered
    form = OfferChoiceForm()
    if form.validate_on_submit():
        offer_id, session_id = chosen.id, form.session_id.id_to_make
        own = policies.takes_part(the_actor(), package)
        booked_id = attempt(
            form,
            None,
            lambda unit: offers.choose(unit, programme(), offer_id=offer_id, session_id=session_id).id,
            discreet=policies.only_books(the_actor(), package),
        )
        if booked_id is not None:
            return _booked(booked_id, own=own)
    shown = _times(package, BookForm(None), limit=6)
    mentor = db().get(Person, chosen.mentor_id)
    took = bookings.booked_at(db(), package.id, mentor_id=chosen.mentor_id, starts_at=chosen.starts_at)
    return render_template(
        "bookings/offer.html",
        booked=took if chosen.state is OfferState.TAKEN else None,
        own=policies.takes_part(the_actor(), package),
        offer=chosen,
        mentor=invitations.name_of(mentor),
        now=clock_now(),
        **shown | {"form": form},
    ), status_of(form)


@bp.get("/sessions/<uuid:session_id>")
@guarded(load_session, policies.may_see_session)
def session(held: Session) -> ResponseReturnValue:
    return session_page(held, Form(None))


@bp.route("/sessions/<uuid:session_id>/move", methods=["GET", "POST"])
@guarded(load_session, policies.may_change_session)
def move(held: Session) -> ResponseReturnValue:
    if request.method == "GET" and not is_ahead(held):
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    typed = policies.may_record(the_actor(), held)
    met = {"place": held.place, "where": held.where, "travel": held.travel}
    form = _free_move_form(held, met) if typed else MoveForm(data=met)
    others_asked = free_times.others_asked() and not typed
    if not others_asked and form.validate_on_submit() and _move(held, form) is not None:
        flash("The session is changed. New calendar invitations are on their way by e-mail.")
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    too_late = not typed and _inside_notice(held)
    # Who types a time sees what is free once the time was refused.
    listed = held.capacity is None and not too_late and (not typed or bool(form.errors))
    return render_template(
        "bookings/move.html",
        form=form,
        held=held,
        typed=typed,
        too_late=too_late,
        **(_move_times(held, form) if listed else {}),
    ), status_of(form)


@bp.route("/sessions/<uuid:session_id>/cancel", methods=["GET", "POST"])
@guarded(load_session, policies.may_change_session)
def cancel(held: Session) -> ResponseReturnValue:
    if request.method == "GET" and not is_ahead(held):
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    serving = policies.may_record(the_actor(), held)
    form, late = CancelForm(), _inside_notice(held)
    session_id = held.id
    if form.validate_on_submit() and attempt(form, None, _cancelling(session_id, serving=serving)):
        flash("The session is cancelled. We are telling everybody by e-mail.")
        return redirect(url_for("bookings.session", session_id=session_id), 303)
    return render_template(
        "bookings/cancel.html", form=form, held=held, late=late, too_late=late and not serving
    ), status_of(form)


@bp.post("/sessions/<uuid:session_id>/place")
@guarded(load_session, policies.may_take_place)
def place(held: Session) -> ResponseReturnValue:
    def take(unit: Work) -> object:
        return sessions.take_place(unit, programme(), session_id=session_id, person_id=person_id)

    session_id, form, person_id = held.id, Form(), whose_place(held)
    if attempt(form, None, take, discreet=not is_own(person_id)) is None:
        return session_page(held, form)
    whose = "You have" if is_own(person_id) else "They have"
    flash(f"{whose} a place. A calendar invitation is on its way by e-mail.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


@bp.route("/sessions/<uuid:session_id>/place/give-up", methods=["GET", "POST"])
@guarded(load_session, policies.may_take_place)
def give_up(held: Session) -> ResponseReturnValue:
    def give(unit: Work) -> bool:
        sessions.give_up_place(unit, programme(), session_id=session_id, person_id=person_id)
        return True

    session_id, form, person_id = held.id, Form(), whose_place(held)
    if request.method == "GET":
        return _asked_to_give_up(held, group_pages.place_of(held, person_id))
    if attempt(form, None, give) is None:
        return session_page(held, form)
    flash("You have given up your place." if is_own(person_id) else "Their place is given up.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


def _asked_to_give_up(held: Session, place: PlaceOf) -> ResponseReturnValue:
    """Ask once before a place goes to somebody else."""
    if not place.has or not is_ahead(held):
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    return render_template(
        "seats/give_up.html",
        held=held,
        heading=invitations.heading_of(held, programme()),
        own=is_own(place.person_id),
        person_id=place.person_id,
        called=place.called,
    )


@bp.get("/sessions/<uuid:session_id>/calendar.ics")
@guarded(load_session, policies.may_see_session)
def calendar(held: Session) -> ResponseReturnValue:
    reader = db().get_one(Person, the_actor().person_id)
    # A plain download is published, not an invitation: calendars then ask nobody for an answer.
    body = feeds.download(programme(), reader, [held], public_url=instance().settings.public_url)
    answer = Response(body, mimetype="text/calendar")
    attach(answer, f"session-{london_date(held.starts_at).isoformat()}.ics")
    return answer


def _unless_free(free: bool) -> MultiDict[str, str] | None:
    """What was posted, for the one of the page's two forms that it belongs to."""
    return request.form if request.method == "POST" and ("free-on-day" in request.form) is free else None


def _free_form(package: Package) -> FreeTimeForm | None:
    """The form for any time, for those who serve the package."""
    if not policies.may_serve_package(the_actor(), package):
        return None
    form = FreeTimeForm(_unless_free(True), prefix="free-", minutes=programme().session_minutes)
    mentors = serving.mentors_from(db(), package.id, on=today())
    form.offer_mentors([(mentor.id, invitations.name_of(mentor)) for mentor in mentors])
    if not form.is_sent:
        form.session_id.data = new_id()
    return form


def _book(package: Package, form: BookForm | FreeTimeForm) -> UUID | None:
    """The id of the new session: the row itself would be read again once it is committed."""
    package_id = package.id

    def book(unit: Work) -> UUID:
        session = bookings.book(unit, programme(), package_id=package_id, **form.booking)
        if isinstance(form, FreeTimeForm):
            _require_meant(unit, session, sure=form.sure.answers)
        return session.id

    return attempt(
        form,
        form.time_field,
        book,
        discreet=policies.only_books(the_actor(), package),
    )


def _booked_before(package: Package, form: BookForm) -> Session | None:
    """The session that took the chosen time, where it is one of this package: somebody went back and sent it again."""
    picked = form.time.data
    if picked is None or not isinstance(getattr(form, "refused_by", None), bookings.TimeTaken):
        return None
    return bookings.booked_at(db(), package.id, mentor_id=picked.mentor_id, starts_at=picked.starts_at)


def _booked(session_id: UUID, *, own: bool) -> ResponseReturnValue:
    what = "Your session is booked" if own else "The session is booked"
    flash(f"{what}. A calendar invitation is on its way by e-mail.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


def _times(package: Package, form: BookForm, *, limit: int = free_times.TIMES_ON_A_PAGE) -> dict[str, object]:
    """What the list of times shows."""
    if request.method != "POST":
        form.place.data = request.args.get("place")
    form.place.data = (place := free_times.place_asked(form)).value
    known = serving.servings_of(db(), package.id)
    find = partial(bookings.times, db(), programme(), package, known=known, now=clock_now(), place=place)
    discreet = policies.only_books(the_actor(), package)
    closed = discreet and not assisting.is_open(db(), package, on=today())
    # What support waits for is not for an assistant to know.
    members = [] if discreet else standing.taking_part(db(), package.id)
    waiting = standing.without_baseline(db(), package, [member.id for member in members])
    return {
        "package": package,
        "back": back_from_booking(package),
        "not_open": assisting.NOT_OPEN if closed else None,
        "times": free_times.shown(find, picked=form.time.data, limit=limit),
        "session_id": form.session_id.data or new_id(),
        "form": form,
        "place": place,
        "closed": [
            blackouts.words(one) for one in choices.closed(db(), programme(), package, now=clock_now())
        ],
        "baseline_of": next(iter(waiting), None),
        "mentors": (mentors := serving.people_from(known, on=today())),
        "abouts": profiles.abouts(mentors),
    }


def _inside_notice(held: Session) -> bool:
    return is_ahead(held) and bookings.inside_notice(programme(), held, now=clock_now())


def _cancelling(session_id: UUID, *, serving: bool) -> Callable[[Work], Session]:
    if serving:
        return lambda unit: bookings.cancel(unit, session_id=session_id)
    return lambda unit: bookings.cancel_own(unit, programme(), session_id=session_id)


def _move_times(held: Session, form: MoveForm | FreeMoveForm) -> dict[str, object]:
    """The times that a session can be moved to, its own among them."""
    place = free_times.place_asked(form)
    form.place.data = place.value
    find = partial(
        bookings.times,
        db(),
        programme(),
        held.package,
        now=clock_now(),
        mentor_id=held.mentor_id,
        moving=held.id,
        minutes=delivery.length_of(held),
        place=place,
    )
    picked = form.time.data if isinstance(form, MoveForm) else None
    return {"times": free_times.shown(find, picked=picked), "place": place}


def _free_move_form(held: Session, met: Mapping[str, object]) -> FreeMoveForm:
    when = {"on": london_date(held.starts_at), "at": minute_of_day(held.starts_at)}
    return FreeMoveForm(data={**when, **met})


def _move(held: Session, form: MoveForm | FreeMoveForm) -> Session | None:
    session_id, before = held.id, held.starts_at

    def move(unit: Work) -> Session:
        session = bookings.move(
            unit,
            programme(),
            session_id=session_id,
            starts_at=form.starts_at,
            free_time=isinstance(form, FreeMoveForm),
            **form.met,
        )
        if isinstance(form, FreeMoveForm) and session.starts_at != before:
            _require_meant(unit, session, sure=form.sure.answers)
        return session

    return attempt(form, form.time_field, move, discreet=policies.only_books_session(the_actor(), held))


def _require_meant(unit: Work, session: Session, *, sure: Sure) -> None:
    time = Interval(session.starts_at, session.ends_at)
    unusual.require_meant(unit.db, mentor_id=session.mentor_id, times=[time], sure=sure)
