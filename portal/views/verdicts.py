"""Verdicts on examples of impact: the list, and one example beside the rubric."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import verdicts
from portal.answers.verdicts import Example, JudgedMeanwhile, NoExample, Whose
from portal.forms.verdicts import VerdictForm
from portal.views.context import session, the_actor, work
from portal.views.guards import guarded
from portal.views.readings import note_reading
from surveys.readings import Reading
from surveys.results import Verdict

bp = Blueprint("verdicts", __name__, url_prefix="/team/verdicts")


def load_whose(response_id: UUID) -> Whose | None:
    """Whose response it is, unopened: a reading is noted before it is read."""
    return verdicts.whose(session(), response_id=response_id)


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    return render_template(
        "verdicts/index.html",
        items=verdicts.items(session()),
        may_judge=lambda item: policies.may_judge(the_actor(), item),
        words=verdicts.WORDS,
    )


@bp.route("/<uuid:response_id>", methods=["GET", "POST"])
@guarded(load_whose, policies.may_judge, asks_why=policies.opens_for_others)
def show(whose: Whose) -> ResponseReturnValue:
    response_id, respondent_id = whose.response_id, whose.respondent_id
    note_reading(Reading(response_id=response_id, respondent_id=respondent_id, purpose=verdicts.PURPOSE))
    try:
        example = verdicts.example(session(), response_id=response_id)
    except NoExample:
        abort(404)
    form = VerdictForm(seen=verdicts.stamp(example))
    if not form.validate_on_submit():
        return _page(example, form), 422 if form.errors else 200
    try:
        with work() as unit:
            verdicts.give(
                unit,
                response_id=response_id,
                verdict=Verdict(form.verdict.data),
                note=form.note.data or "",
                seen=form.seen.data or None,
            )
    except JudgedMeanwhile:
        form.refuse(
            None,
            "Somebody else gave a verdict just now, or the example was corrected. Read it as it is now, then decide",
        )
        example = verdicts.example(session(), response_id=response_id)
        form.seen.data = verdicts.stamp(example)
        return _page(example, form), 409
    flash("The verdict is saved.", "success")
    return redirect(url_for("verdicts.index"), 303)


def _page(example: Example, form: VerdictForm) -> str:
    return render_template(
        "verdicts/show.html", example=example, form=form, words=verdicts.WORDS, rubric=verdicts.RUBRIC
    )
