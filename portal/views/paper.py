"""Answers from paper or from before: typed in by the team page by page, or taken from a file."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import paper
from portal.answers.paper import AlreadyAnswered, WrongDay
from portal.answers.questionnaires import Asked
from portal.forms.answers import AnswersFileForm, PaperForm
from portal.forms.programme import day
from portal.imports import FileFaults
from portal.views.asked import address, around
from portal.views.context import session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_asked
from surveys.models import Wave
from surveys.sittings import ONCE

bp = Blueprint("paper", __name__, url_prefix="/team/answers")


def load_once(participation_id: UUID, wave: str) -> Asked | None:
    """A questionnaire that is answered once; others are not typed in."""
    return load_asked(participation_id, wave, ONCE)


@bp.route("/<uuid:participation_id>/<wave>", methods=["GET", "POST"])
@guarded(load_once, policies.may_interview)
def start(asked: Asked) -> ResponseReturnValue:
    """Say when and where the answers were given; then come the pages that everybody sees."""
    form = PaperForm()
    if form.validate_on_submit():
        try:
            with work() as unit:
                paper.begin(unit, asked, answered_on=day(form.answered_on), source=form.source.data)
        except WrongDay as problem:
            form.refuse(form.answered_on, problem)
        except AlreadyAnswered:
            flash("There are answers already. Here they are.", "notice")
            return redirect(address("start", asked), 303)
        else:
            return redirect(address("start", asked), 303)
    return render_template("paper/start.html", form=form, **around(asked)), 422 if form.errors else 200


@bp.route("/import", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def import_file() -> ResponseReturnValue:
    form = AnswersFileForm()
    if not form.validate_on_submit():
        return render_template("paper/import.html", form=form), 422 if form.errors else 200
    data, wave = form.file.data.read(), Wave(form.wave.data)
    try:
        if "check" in request.form:
            taken = paper.check_file(session(), data, wave=wave, today=today())
            return render_template("paper/import.html", form=form, taken=taken)
        with work() as unit:
            taken = paper.import_file(unit, data, wave=wave)
    except FileFaults as faults:
        return render_template("paper/import.html", form=form, faults=faults), 422
    flash(f"The answers of {taken} {'person' if taken == 1 else 'people'} are taken.", "success")
    return redirect(url_for("team.home"), 303)
