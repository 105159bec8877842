"""Tools of the desk: deadlines in a calendar of one's own, and the table of holidays that is kept by hand."""

from hashlib import sha256

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.actors import roles_on
from portal.booking import holidays
from portal.booking.holidays import HolidayKnown
from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.days import day_in
from portal.forms.closed_times import HolidayForm, TakeOutForm
from portal.forms.programme import day
from portal.mailing import feeds
from portal.models import Role
from portal.views.calendars import FEED_CACHE
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.files import attach
from portal.views.guards import guarded, public
from privacy.cases import acts
from privacy.clock import add_months

bp = Blueprint("desk_tools", __name__, url_prefix="/desk")

MONTHS_SHOWN = 18


@bp.get("/calendar")
@guarded(None, policies.may_run_desk)
def calendar() -> ResponseReturnValue:
    return _calendar_page()


@bp.post("/calendar/address")
@guarded(None, policies.may_run_desk)
def renew() -> ResponseReturnValue:
    # Shown on this page alone: a redirect would have to keep the secret somewhere.
    person_id = the_actor().person_id
    with work() as unit:
        token = feeds.renew(unit, person_id=person_id)
    return _calendar_page(token)


@bp.post("/calendar/address/end")
@guarded(None, policies.may_run_desk)
def end() -> ResponseReturnValue:
    person_id = the_actor().person_id
    with work() as unit:
        feeds.end(unit, person_id=person_id)
    flash("The address is ended. Calendars that followed it show nothing new.", "success")
    return redirect(url_for("desk_tools.calendar"), 303)


def _calendar_page(token: str | None = None) -> str:
    address = None
    if token is not None:
        address = instance().settings.public_url + url_for("desk_tools.feed", token=token)
    return render_template(
        "cases/calendar.html", address=address, feed=feeds.of(session(), the_actor().person_id)
    )


@bp.get("/deadlines.ics")
@guarded(None, policies.may_run_desk)
def deadlines() -> Response:
    """The deadlines as they are now."""
    answer = Response(_deadlines(), mimetype="text/calendar")
    attach(answer, f"deadlines-{today().isoformat()}.ics")
    return answer


@bp.get("/deadlines/<token>.ics")
@public("a calendar program cannot sign in: the address is a secret of 256 bits, which its owner can end")
def feed(token: str) -> ResponseReturnValue:
    reader = feeds.reader_of(session(), token, now=clock_now())
    if reader is None or Role.DPO not in roles_on(reader, today()):
        abort(404)
    body = _deadlines()
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Cache-Control"] = FEED_CACHE
    answer.set_etag(sha256(body).hexdigest()[:32])
    return answer.make_conditional(request)


def _deadlines() -> bytes:
    lines = case_clocks.running(
        acts.stories(session()), now=clock_now(), holidays=desk_calendars.calendars(session())
    )
    return case_clocks.calendar(
        lines,
        name=f"{programme().service_name}: deadlines",
        public_url=instance().settings.public_url,
    )


@bp.route("/working-days", methods=["GET", "POST"])
@guarded(None, policies.may_run_desk)
def working_days() -> ResponseReturnValue:
    """The holidays that clocks leave out; a day can be added, such as one that was proclaimed."""
    form = HolidayForm()
    if form.validate_on_submit():
        try:
            with work() as unit:
                holidays.add(unit, on=day(form.on), name=form.name.data or "", for_clocks=True)
        except HolidayKnown as problem:
            form.refuse(form.on, problem)
        else:
            flash("The day is a holiday now. Every clock counts with it.", "success")
            return redirect(url_for("desk_tools.working_days"), 303)
    first, last = today(), add_months(today(), MONTHS_SHOWN)
    page = render_template(
        "cases/working_days.html",
        form=form,
        named=holidays.named(session(), first=first, last=last, for_clocks=True),
        taken_out=holidays.taken_out(session(), first=first, last=last, for_clocks=True),
        known_until=desk_calendars.calendars(session()).contract.known_until,
    )
    return page, 422 if form.errors else 200


@bp.post("/working-days/change")
@guarded(None, policies.may_run_desk)
def change_day() -> ResponseReturnValue:
    """Take a day out of the holidays, or put a published one back."""
    form = TakeOutForm()
    try:
        on = day_in(form.day.data or "")
        with work() as unit:
            if form.back.data:
                holidays.add(unit, on=on, name="", for_clocks=True)
            else:
                holidays.take_out(unit, on=on, for_clocks=True)
    except (ValueError, HolidayKnown):
        flash("Nothing was changed: look at the list again.", "notice")
    else:
        flash("The holidays are changed.", "success")
    return redirect(url_for("desk_tools.working_days"), 303)
