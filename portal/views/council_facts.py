"""The dated record of a council: a fact is added, corrected, taken back or ended; the agreement is recorded, or the
Department is asked again."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.councils import allocations, refusals
from portal.forms.councils import (
    FACTS,
    VALUES,
    AgreementForm,
    AskAgainForm,
    CorrectionForm,
    EndFactForm,
    FactForm,
    TakeBackForm,
)
from portal.forms.programme import day
from portal.models import Council, CouncilFact, Fact
from portal.views.context import session, today
from portal.views.guards import guarded
from portal.views.loaders import load_council, load_fact
from portal.views.refusals import carry_out, status_of

bp = Blueprint("council_facts", __name__, url_prefix="/team/councils/<uuid:council_id>")


@bp.route("/agree", methods=["GET", "POST"])
@guarded(load_council, policies.may_see_team_page)
def agree(council: Council) -> ResponseReturnValue:
    form, council_id = AgreementForm(agreed_on=today()), council.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: allocations.agree(unit, council_id=council_id, agreed=form.agreement)
    ):
        return _done("The agreement is recorded. Packages that waited for it are agreed.", council_id)
    return render_template("councils/agree.html", form=form, council=council), status_of(form)


@bp.route("/ask-again", methods=["GET", "POST"])
@guarded(load_council, policies.may_see_team_page)
def ask_again(council: Council) -> ResponseReturnValue:
    form, council_id = AskAgainForm(), council.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: refusals.ask_again(unit, council_id=council_id, news=form.news.data or "")
    ):
        return _done("The Department is asked again.", council_id)
    history = refusals.of_council(session(), council_id)
    return render_template(
        "councils/ask_again.html",
        form=form,
        council=council,
        refused=refusals.standing(session(), council_id),
        history=history,
        names=refusals.names(session(), history),
    ), status_of(form)


@bp.route("/facts/new", methods=["GET", "POST"])
@guarded(load_council, policies.may_see_team_page)
def new(council: Council) -> ResponseReturnValue:
    """What is recorded stands in the address (?fact=); an agreement has its own page."""
    asked = request.args.get("fact", "")
    fact = Fact(asked) if asked in set(Fact) - {Fact.AGREED} else Fact.OFSTED
    form, council_id = FactForm(), council.id
    form.shape(fact)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: allocations.record(unit, council_id=council_id, fact=fact, **form.said)
    ):
        return _done("The record is changed.", council_id)
    return render_template(
        "councils/fact.html", form=form, council=council, fact=fact, kinds=FACTS
    ), status_of(form)


@bp.route("/facts/<uuid:fact_id>/correct", methods=["GET", "POST"])
@guarded(load_fact, policies.may_see_team_page)
def correct(fact: CouncilFact) -> ResponseReturnValue:
    form, council_id, fact_id = CorrectionForm.of(fact), fact.council_id, fact.id
    form.shape(fact.fact)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: allocations.correct(unit, fact_id=fact_id, **form.correction)
    ):
        return _done("The record is corrected. What stood there before stays in its history.", council_id)
    return _page("councils/correct_fact.html", form, fact)


@bp.route("/facts/<uuid:fact_id>/take-back", methods=["GET", "POST"])
@guarded(load_fact, policies.may_see_team_page)
def take_back(fact: CouncilFact) -> ResponseReturnValue:
    form, council_id, fact_id = TakeBackForm(), fact.council_id, fact.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: allocations.take_back(unit, fact_id=fact_id, reason=form.reason.data or "")
    ):
        return _done("It is taken back. It stays in the history.", council_id)
    return _page("councils/take_back.html", form, fact)


@bp.route("/facts/<uuid:fact_id>/end", methods=["GET", "POST"])
@guarded(load_fact, policies.may_see_team_page)
def end(fact: CouncilFact) -> ResponseReturnValue:
    form, council_id, fact_id = EndFactForm(on=today()), fact.council_id, fact.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: allocations.end(unit, fact_id=fact_id, on=day(form.on), reason=form.reason.data or ""),
    ):
        return _done("The last day is saved.", council_id)
    return _page("councils/end_fact.html", form, fact)


def _page(template: str, form: CorrectionForm | TakeBackForm | EndFactForm, fact: CouncilFact) -> Response:
    page = render_template(template, form=form, fact=fact, kinds=FACTS, values=VALUES)
    return Response(page, status_of(form), mimetype="text/html")


def _done(said: str, council_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("councils.show", council_id=council_id), 303)
