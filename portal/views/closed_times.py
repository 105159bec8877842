"""The team's table of bank holidays, and of the times in which a council or everybody has no sessions."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.booking import blackouts, clashes, holidays, leave
from portal.councils import register as councils
from portal.days import day_in
from portal.forms.base import Form
from portal.forms.closed_times import BlackoutForm, HolidayForm, TakeOutForm
from portal.forms.programme import day
from portal.models import Blackout
from portal.views.acts import attempt
from portal.views.context import clock_now, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.hours import heading_of, in_the_way, point_at
from portal.views.loaders import load_blackout
from privacy.clock import add_months
from privacy.work import Work

bp = Blueprint("closed_times", __name__)

MONTHS_SHOWN = 18


@bp.get("/team/closed-times")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    first, last = today(), add_months(today(), MONTHS_SHOWN)
    return render_template(
        "closed_times/index.html",
        blackouts=blackouts.ahead(db(), today=today()),
        when=leave.when,
        holidays=holidays.named(db(), first=first, last=last),
        taken_out=holidays.taken_out(db(), first=first, last=last),
    )


@bp.route("/team/closed-times/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new() -> ResponseReturnValue:
    form = BlackoutForm(data={"council": request.args.get("council", "")})
    known = councils.live_or_coming(db(), on=today())
    form.name_councils([(council.id, council.name) for council in known])
    if form.validate_on_submit():
        done = attempt(form, None, lambda unit: blackouts.add(unit, **form.asked))
        point_at(form)
        if done is not None:
            flash("Nobody can book in that time now.")
            moving = url_for("closed_times.conflicts", blackout_id=done.id)
            return redirect(moving if form.wants_to_move else url_for("closed_times.index"), 303)
    return render_template(
        "closed_times/new.html", form=form, in_the_way=in_the_way(form), heading_of=heading_of
    ), 422 if form.errors else 200


@bp.get("/team/closed-times/<uuid:blackout_id>")
@guarded(load_blackout, policies.may_see_team_page)
def conflicts(blackout: Blackout) -> ResponseReturnValue:
    within = blackouts.span_of(blackout)
    found = clashes.of_council(db(), blackout.council_id, within=within, now=clock_now())
    return render_template(
        "closed_times/conflicts.html",
        blackout=blackout,
        when=leave.when(blackout),
        found=clashes.sessions(db(), [one.id for one in found]),
        heading_of=heading_of,
    )


@bp.post("/team/closed-times/<uuid:blackout_id>/remove")
@guarded(load_blackout, policies.may_see_team_page)
def remove(blackout: Blackout) -> ResponseReturnValue:
    blackout_id = blackout.id
    attempt(Form(), None, lambda unit: blackouts.remove(unit, blackout_id=blackout_id))
    flash("That time can be booked again.")
    return redirect(url_for("closed_times.index"), 303)


@bp.route("/team/closed-times/holidays/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def holiday() -> ResponseReturnValue:
    form = HolidayForm()

    def add(unit: Work) -> bool:
        holidays.add(unit, on=day(form.on), name=form.name.data)
        return True

    if form.validate_on_submit() and attempt(form, form.on, add):
        flash("The day is a bank holiday now. Sessions that are booked then stay.")
        return redirect(url_for("closed_times.index"), 303)
    return render_template("closed_times/holiday.html", form=form), 422 if form.errors else 200


@bp.post("/team/closed-times/holidays/change")
@guarded(None, policies.may_run_programme)
def change_holiday() -> ResponseReturnValue:
    """Take a day out of the bank holidays, or put a published one back."""
    form = TakeOutForm()
    if form.validate_on_submit() and _change(form):
        flash("The bank holidays are changed.")
    return redirect(url_for("closed_times.index"), 303)


def _change(form: TakeOutForm) -> bool:
    def act(unit: Work) -> bool:
        if form.back.data:
            holidays.add(unit, on=on, name="")
        else:
            holidays.take_out(unit, on=on)
        return True

    try:
        on = day_in(form.day.data or "")
    except ValueError:
        return False
    return bool(attempt(form, form.day, act))
