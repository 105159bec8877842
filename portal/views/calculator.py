"""A calculator of deadlines: any clock for any dates, each step shown. Nothing is stored."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import calculator
from portal.cases import calendars as desk_calendars
from portal.cases.calculator import NoSuchClock
from portal.forms.cases import CalculatorForm
from portal.views.context import session, today
from portal.views.guards import guarded
from privacy.deadlines import Deadline, NotInOrder

bp = Blueprint("calculator", __name__, url_prefix="/desk/calculator")


@bp.get("")
@guarded(None, policies.may_run_desk)
def ask() -> ResponseReturnValue:
    form = CalculatorForm(request.args or None)
    found = _answer(form) if request.args and form.validate() else None
    page = render_template("calculator/ask.html", form=form, found=found, words=calculator.WORDS)
    return page, 422 if form.errors else 200


def _answer(form: CalculatorForm) -> Deadline | None:
    try:
        return calculator.answer(form.question(today=today()), holidays=desk_calendars.calendars(session()))
    except (NotInOrder, NoSuchClock) as problem:
        form.refuse(None, problem)
        return None
