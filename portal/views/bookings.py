"""Booking: times to choose from, offered times, and a session's own pages."""

from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal import bookings, invitations, offers, policies, serving, sessions, standing
from portal.bookings import Choice
from portal.calendar import feed
from portal.forms.base import Form
from portal.forms.bookings import BookForm, CancelForm, FreeMoveForm, FreeTimeForm, MoveForm, OfferChoiceForm
from portal.models import Offer, Package, Person, Session, SessionState
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, instance, programme, the_actor, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_offer, load_package, load_session
from privacy.clock import london_date, minute_of_day
from privacy.records import new_id
from privacy.work import Work

bp = Blueprint("bookings", __name__)

TIMES_ON_A_PAGE = 30


@bp.route("/packages/<uuid:package_id>/times", methods=["GET", "POST"])
@guarded(load_package, policies.may_book)
def times(package: Package) -> ResponseReturnValue:
    form, free = BookForm(_unless_free(False)), _free_form(package)
    asked = free if free is not None and free.is_sent else form
    booked = _book(package, asked) if asked.validate_on_submit() else None
    if booked is not None:
        flash("Your session is booked. A calendar invitation is on its way by e-mail.")
        return redirect(url_for("bookings.session", session_id=booked.id), 303)
    return render_template("bookings/times.html", free=free, asked=asked, **_times(package, form)), status_of(
        asked
    )


@bp.route("/offers/<uuid:offer_id>", methods=["GET", "POST"])
@guarded(load_offer, policies.may_choose_offer)
def offer(offered: tuple[Offer, Package]) -> ResponseReturnValue:
    chosen, package = offered
    form = OfferChoiceForm()
    if form.validate_on_submit():
        offer_id, session_id = chosen.id, form.session_id.id_to_make
        booked = attempt(
            form,
            None,
            lambda unit: offers.choose(unit, programme(), offer_id=offer_id, session_id=session_id),
        )
        if booked is not None:
            flash("Your session is booked. A calendar invitation is on its way by e-mail.")
            return redirect(url_for("bookings.session", session_id=booked.id), 303)
    shown = _times(package, BookForm(None), limit=6)
    mentor = db().get(Person, chosen.mentor_id)
    return render_template(
        "bookings/offer.html",
        offer=chosen,
        mentor=invitations.name_of(mentor),
        now=clock_now(),
        **shown | {"form": form},
    ), status_of(form)


@bp.get("/sessions/<uuid:session_id>")
@guarded(load_session, policies.may_see_session)
def session(held: Session) -> ResponseReturnValue:
    return _session_page(held, Form(None))


@bp.route("/sessions/<uuid:session_id>/move", methods=["GET", "POST"])
@guarded(load_session, policies.may_change_session)
def move(held: Session) -> ResponseReturnValue:
    if request.method == "GET" and not _is_ahead(held):
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    typed = policies.may_record(the_actor(), held)
    form = _free_move_form(held) if typed else MoveForm(data={"place": held.place, "where": held.where})
    if form.validate_on_submit() and _move(held, form) is not None:
        flash("The session is changed. New calendar invitations are on their way by e-mail.")
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    choices = [] if typed else _move_choices(held)
    return render_template(
        "bookings/move.html", form=form, held=held, typed=typed, choices=choices
    ), status_of(form)


@bp.route("/sessions/<uuid:session_id>/cancel", methods=["GET", "POST"])
@guarded(load_session, policies.may_change_session)
def cancel(held: Session) -> ResponseReturnValue:
    if request.method == "GET" and not _is_ahead(held):
        return redirect(url_for("bookings.session", session_id=held.id), 303)
    form = CancelForm()
    session_id = held.id
    if form.validate_on_submit() and attempt(
        form, None, lambda unit: bookings.cancel(unit, session_id=session_id)
    ):
        flash("The session is cancelled. We are telling everybody by e-mail.")
        return redirect(url_for("bookings.session", session_id=session_id), 303)
    return render_template("bookings/cancel.html", form=form, held=held), status_of(form)


@bp.post("/sessions/<uuid:session_id>/place")
@guarded(load_session, policies.may_take_place)
def place(held: Session) -> ResponseReturnValue:
    def take(unit: Work) -> object:
        return sessions.take_place(unit, session_id=session_id, person_id=the_actor().person_id)

    session_id, form = held.id, Form()
    if attempt(form, None, take) is None:
        return _session_page(held, form)
    flash("You have a place. A calendar invitation is on its way by e-mail.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


@bp.post("/sessions/<uuid:session_id>/place/give-up")
@guarded(load_session, policies.may_take_place)
def give_up(held: Session) -> ResponseReturnValue:
    def give(unit: Work) -> bool:
        sessions.give_up_place(unit, session_id=session_id, person_id=the_actor().person_id)
        return True

    session_id, form = held.id, Form()
    if attempt(form, None, give) is None:
        return _session_page(held, form)
    flash("You have given up your place.")
    return redirect(url_for("bookings.session", session_id=session_id), 303)


@bp.get("/sessions/<uuid:session_id>/calendar.ics")
@guarded(load_session, policies.may_see_session)
def calendar(held: Session) -> ResponseReturnValue:
    reader = db().get_one(Person, the_actor().person_id)
    event = invitations.entry(
        held,
        programme(),
        reader=reader,
        url=instance().settings.public_url + url_for("bookings.session", session_id=held.id),
        stamp_at=clock_now(),
        sequence=held.sequence,
        cancelled=held.state is SessionState.CANCELLED,
    )
    # A plain download is published, not an invitation: calendars then ask nobody for an answer.
    body = feed([event], name=programme().service_name)
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = "attachment; filename=session.ics"
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


def _book(package: Package, form: BookForm | FreeTimeForm) -> Session | None:
    package_id = package.id
    return attempt(
        form,
        form.time_field,
        lambda unit: bookings.book(unit, programme(), package_id=package_id, **form.booking),
    )


def _times(package: Package, form: BookForm, *, limit: int = TIMES_ON_A_PAGE) -> dict[str, object]:
    """What the list of times shows: one more is looked for, to know whether there are more."""
    found = bookings.times(
        db(), programme(), package, now=clock_now(), limit=limit + 1, after=_from(request.args.get("from"))
    )
    waiting = standing.without_baseline(
        db(), package, [member.id for member in standing.members_of(db(), package.id)]
    )
    return {
        "package": package,
        "choices": found[:limit],
        "more": found[limit].starts_at.isoformat() if len(found) > limit else None,
        "session_id": form.session_id.data or new_id(),
        "form": form,
        "baseline_of": next(iter(waiting), None),
    }


def _from(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.utcoffset() is not None else None


def _move_choices(held: Session) -> list[Choice]:
    return bookings.times(
        db(),
        programme(),
        held.package,
        now=clock_now(),
        limit=TIMES_ON_A_PAGE,
        mentor_id=held.mentor_id,
        moving=held.id,
    )


def _free_move_form(held: Session) -> FreeMoveForm:
    return FreeMoveForm(
        data={
            "on": london_date(held.starts_at),
            "at": minute_of_day(held.starts_at),
            "place": held.place,
            "where": held.where,
        }
    )


def _move(held: Session, form: MoveForm | FreeMoveForm) -> Session | None:
    session_id, free_time = held.id, isinstance(form, FreeMoveForm)
    return attempt(
        form,
        form.time_field,
        lambda unit: bookings.move(
            unit,
            programme(),
            session_id=session_id,
            starts_at=form.starts_at,
            free_time=free_time,
            **form.met,
        ),
    )


def _is_ahead(held: Session) -> bool:
    """Whether it is still to come; what is not is shown, not changed."""
    return held.state is SessionState.BOOKED and held.starts_at > clock_now()


def _session_page(held: Session, form: Form) -> ResponseReturnValue:
    actor = the_actor()
    seats = [seat for seat in held.attendances if seat.state in standing.LIVE]
    return render_template(
        "bookings/session.html",
        form=form,
        held=held,
        heading=invitations.heading_of(held, programme()),
        others=invitations.others_of(held, db().get_one(Person, actor.person_id)),
        where=invitations.where_of(held),
        seats=seats if policies.may_record(actor, held) else [],
        places_left=None if held.capacity is None else max(0, held.capacity - len(seats)),
        mine=any(seat.person_id == actor.person_id for seat in seats),
        ahead=_is_ahead(held),
        may_change=policies.may_change_session(actor, held),
        may_record=policies.may_record(actor, held),
        may_take_place=policies.may_take_place(actor, held),
    ), status_of(form)
