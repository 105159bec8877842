"""What is done from a case with somebody's data. Nobody reads a word of it here: numbers, states, and acts."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import data_acts as case_acts
from portal.cases.data_acts import WORDS
from portal.desk import person_rights
from portal.desk.person_rights import NothingSuch, NotRectified
from portal.forms.base import Form
from portal.forms.case_acts import CitesFields, EraseForm, RectifyForm, RestrictForm
from portal.forms.programme import ConfirmForm
from portal.views.approvals import WAITS
from portal.views.context import instance, session, today, work
from portal.views.finishing import finish_erasures
from portal.views.guards import guarded
from portal.views.loaders import load_case
from portal.views.refusals import say_sent_before, status_of
from privacy import erasure
from privacy.cases import acts
from privacy.cases.rules import CaseClosed, CaseRefused, NotPossible
from privacy.cases.tables import Case
from privacy.erasure import NobodyThere
from privacy.rights import Erasure
from privacy.sent_before import SentBefore
from privacy.work import Work

bp = Blueprint("case_acts", __name__, url_prefix="/desk/cases/<uuid:case_id>/act")


@bp.get("")
@guarded(load_case, policies.may_act_on)
def index(case: Case) -> ResponseReturnValue:
    return _page("case_acts/index.html", case, ConfirmForm(None))


@bp.route("/rectify", methods=["GET", "POST"])
@guarded(load_case, policies.may_act_on)
def rectify(case: Case) -> ResponseReturnValue:
    form, case_id = RectifyForm(), case.id
    _cite(form, case)
    form.offer(person_rights.rectifiable(session(), case.subject_id) if case.subject_id else [])
    if form.validate_on_submit():
        typed: dict[str, Any] = {
            "code": form.item.data,
            "value": form.value.data or "",
            "told": form.names,
            "rectification_id": form.rectification_id.id_to_make,
        }
        if _attempt(
            form,
            lambda unit: case_acts.rectify(
                unit, case_id=case_id, entry_id=form.entry_id, reason=form.reason.data, **typed
            ),
        ):
            return _done("It is put right.", case_id)
    return _page("case_acts/rectify.html", case, form)


@bp.route("/restrict", methods=["GET", "POST"])
@guarded(load_case, policies.may_act_on)
def restrict(case: Case) -> ResponseReturnValue:
    """Restrict, or lift the restriction."""
    case_id = case.id
    person = case_acts.subject(session(), acts.read(session(), case_id))
    form = RestrictForm(act="lift" if person is not None and person.restricted_at is not None else "restrict")
    _cite(form, case)
    lift = form.act.data == "lift"
    if form.validate_on_submit() and _attempt(
        form, lambda unit: case_acts.restrict(unit, case_id=case_id, entry_id=form.entry_id, lift=lift)
    ):
        return _done("The restriction is lifted." if lift else "Their data is restricted.", case_id)
    return _page("case_acts/restrict.html", case, form, lift=lift)


@bp.route("/erase", methods=["GET", "POST"])
@guarded(load_case, policies.may_act_on)
def erase(case: Case) -> ResponseReturnValue:
    """What an erasure would do, and the form that does it."""
    person = case_acts.subject(session(), acts.read(session(), case.id))
    form, case_id = EraseForm(person.ref if person is not None else None), case.id
    _cite(form, case)
    begun: list[Erasure | None] = []
    if form.validate_on_submit() and _attempt(
        form, lambda unit: begun.append(case_acts.erase(unit, case_id=case_id, entry_id=form.entry_id))
    ):
        if begun == [None]:
            return _done(f"{WAITS} Then come back and erase it.", case_id)
        finish_erasures()
        return _done("Their data is erased, as far as no hold keeps it.", case_id)
    plan = erasure.plan(session(), person.id) if person is not None else None
    return _page("case_acts/erase.html", case, form, plan=plan, backups=instance().settings.backups)


def _cite(form: CitesFields, case: Case) -> None:
    form.cite(case_acts.instructions(session(), acts.read(session(), case.id), on=today()))


def _attempt(form: Form, act: Callable[[Work], object]) -> bool:
    """Run an act; what it refuses stands on the form."""
    try:
        with work() as unit:
            act(unit)
    except CaseRefused as problem:
        form.refuse(next((field for field in form if field.name == problem.field), None), problem)
        form.too_late = isinstance(problem, CaseClosed | NotPossible)
    except SentBefore as problem:
        say_sent_before(form, problem)
    except NotRectified as problem:
        form.refuse(form["value"], problem)
    except NothingSuch:
        form.refuse(form["item"], "This is gone meanwhile. Choose again")
    except NobodyThere:
        form.refuse(None, "Nobody is there any more: their data was erased")
    else:
        return True
    return False


def _page(template: str, case: Case, form: Form, **more: Any) -> ResponseReturnValue:
    story = acts.read(session(), case.id)
    person = case_acts.subject(session(), story)
    page = render_template(
        template,
        case=story.case,
        person=person,
        form=form,
        offered=case_acts.of(story, person),
        why_not=case_acts.why_not(story, person),
        words=WORDS,
        **more,
    )
    return page, status_of(form)


def _done(said: str, case_id: object) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("cases.show", case_id=case_id), 303)
