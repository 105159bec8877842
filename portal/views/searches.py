"""The record of a search in a case, and everything that is held put together for it."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session as DbSession

from portal import policies
from portal.cases import package as case_package
from portal.cases import search as case_search
from portal.db import db
from portal.desk import housekeeping
from portal.forms.case_work import search_form
from portal.forms.programme import ConfirmForm
from portal.views.context import instance, session, work
from portal.views.guards import guarded
from portal.views.loaders import load_case
from portal.views.refusals import say_sent_before, status_of
from privacy.cases import acts
from privacy.cases.rules import CaseRefused
from privacy.cases.tables import Case
from privacy.person_exports import Desk, StoreFailed
from privacy.sent_before import SentBefore

bp = Blueprint("searches", __name__, url_prefix="/desk/cases/<uuid:case_id>")


@bp.route("/search", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def record(case: Case) -> ResponseReturnValue:
    """Where was looked, what was found there, and why that is enough."""
    case_id = case.id
    places = case_search.places(session(), case)
    form = search_form(places, case_search.before(acts.read(session(), case_id)))
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_search.record(
                    unit, case_id=case_id, said=form.searched, event_id=form.event_id.id_to_make
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
        except CaseRefused as problem:
            form.refuse(form.named(problem.field), problem)
        else:
            flash("The search is written down.", "success")
            return redirect(url_for("cases.show", case_id=case_id), 303)
    page = render_template("case_work/search.html", form=form, case=case, groups=case_search.grouped(places))
    return page, status_of(form)


@bp.route("/package", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def package(case: Case) -> ResponseReturnValue:
    """Put together what is held about whom the case is about, and keep it with the case."""
    form, case_id = ConfirmForm(), case.id
    if form.validate_on_submit():
        try:
            archive, stores = case_package.put_together(_desk(), session(), case)
            with work() as unit:
                case_package.keep(unit, case_id=case_id, archive=archive, stores=stores)
        except StoreFailed as failed:
            form.refuse(
                None, f"{failed} did not answer, so nothing was kept. Try again, or ask who runs the service"
            )
        except CaseRefused as problem:
            form.refuse(None, problem)
        else:
            flash("What is held is put together, and kept with the case.", "success")
            return redirect(url_for("redactions.show", case_id=case_id), 303)
    return render_template("case_work/package.html", form=form, case=case), 409 if form.errors else 200


def _desk() -> Desk:
    opened = instance()
    return housekeeping.desk(opened, partial(DbSession, db.engine, info={"vault": opened.vault}))
