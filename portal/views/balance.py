"""Mentors and leaders by political group, while an instruction lists it."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal import policies
from portal.mentors.balance import Balance
from portal.views.guards import guarded
from portal.views.loaders import load_balance

bp = Blueprint("balance", __name__, url_prefix="/reports/balance")


@bp.get("")
@guarded(load_balance, policies.may_see_balance)
def show(shown: Balance) -> ResponseReturnValue:
    return render_template("balance/show.html", shown=shown)
