"""Keys and backups, as the data protection officer and the Controller's auditor see them: how old, when tried out."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal import policies
from portal.desk import key_report
from portal.views.context import clock_now, instance, session
from portal.views.guards import guarded

bp = Blueprint("safekeeping", __name__, url_prefix="/privacy-desk")


@bp.get("/keys-and-backups")
@guarded(None, policies.may_read_safekeeping)
def index() -> ResponseReturnValue:
    found = key_report.report(instance(), session(), now=clock_now())
    return render_template("safekeeping/index.html", found=found, words=key_report.WORDS)
