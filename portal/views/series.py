"""A series of one-to-one sessions: how it is meant, its days looked at one by one, and all booked in one go."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import filters, policies
from portal.booking import acts as bookings
from portal.booking import series
from portal.booking.series import Date, SomeRefused
from portal.forms.programme import day
from portal.forms.series import SeriesForm, SeriesPlanForm
from portal.mailing import invitations
from portal.mentors import serving
from portal.models import Package, Place
from portal.views.acts import attempt, status_of
from portal.views.context import clock_now, programme, today
from portal.views.context import session as db
from portal.views.guards import guarded
from portal.views.loaders import load_package
from privacy.records import new_id

bp = Blueprint("series", __name__)

TIMES_SHOWN = 6


@bp.route("/packages/<uuid:package_id>/series", methods=["GET", "POST"])
@guarded(load_package, policies.may_book_series)
def book(package: Package) -> ResponseReturnValue:
    mentors = [
        (mentor.id, invitations.name_of(mentor))
        for mentor in serving.mentors_from(db(), package.id, on=today())
    ]
    if request.method == "POST" and "on_1-day" in request.form:
        form = SeriesForm()
        form.offer_mentors(mentors)
        return _book(package, form)
    plan = SeriesPlanForm(data={"minutes": programme().session_minutes, "series_id": new_id()})
    plan.offer_mentors(mentors)
    if plan.validate_on_submit():
        found = _preview(package, plan)
        form = SeriesForm(None, data={name: plan[name].data for name in ("series_id", *COMMON)})
        form.offer_mentors(mentors)
        form.fill(found, minute=plan.at.data or 0)
        return _dates(package, form, found)
    return render_template("series/plan.html", form=plan, package=package), status_of(plan)


COMMON = ("mentor_id", "minutes", "place", "where", "travel")


def _book(package: Package, form: SeriesForm) -> ResponseReturnValue:
    package_id = package.id
    if form.validate_on_submit():
        booked = attempt(
            form,
            None,
            lambda unit: series.book(
                unit,
                programme(),
                package_id=package_id,
                sessions=form.sessions,
                **form.common,
                **form.met,
            ),
        )
        if booked is not None:
            many = filters.count(len(booked), "session is", "sessions are")
            flash(f"{many} booked. Calendar invitations are on their way by e-mail.")
            return redirect(url_for("mentors.package", package_id=package_id), 303)
        if isinstance(form.refused_by, SomeRefused):
            form.show(form.refused_by.problems)
    return _dates(package, form, [])


def _preview(package: Package, plan: SeriesPlanForm) -> list[Date]:
    return series.preview(
        db(),
        programme(),
        package,
        on=series.days(day(plan.on), series.Every(plan.every.data), count=plan.count.data),
        minute=plan.at.data or 0,
        place=Place(plan.place.data),
        now=clock_now(),
        **plan.common,
    )


def _dates(package: Package, form: SeriesForm, found: list[Date]) -> ResponseReturnValue:
    """The days one by one, with what was found of each; free times too where some were refused."""
    others = bookings.times(
        db(),
        programme(),
        package,
        now=clock_now(),
        limit=TIMES_SHOWN,
        minutes=form.minutes.data,
        place=Place(form.place.data or Place.REMOTE),
    )
    return render_template(
        "series/dates.html",
        form=form,
        package=package,
        rows=form.rows(),
        found=found,
        others=others if form.errors or any(one.problem for one in found) else [],
        common=COMMON,
    ), status_of(form)
