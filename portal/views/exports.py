"""Answers for the team to take out of the portal, as files."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.db import db
from portal.forms.exports import ExportForm
from portal.results import downloads, exports
from portal.results.exports import ROWS_IN_BROWSER, Made, NoReason, Order, TooMany
from portal.views.approvals import WAITS
from portal.views.context import instance, programme, session, work
from portal.views.files import attach
from portal.views.guards import guarded
from privacy.work import Work
from surveys import versions
from surveys.versions import Published, Unpublished

bp = Blueprint("exports", __name__, url_prefix="/team/questionnaires")


def load_questionnaire(code: str) -> Published | None:
    try:
        return versions.current(session(), code=code)
    except Unpublished:
        return None


@bp.route("/<code>/export", methods=["GET", "POST"])
@guarded(load_questionnaire, policies.may_export)
def export(published: Published) -> ResponseReturnValue:
    """Put the export on record, then send it; what is sent is in no cache."""
    form = ExportForm(codes=[published.code])
    form.offer(exports.exportable(session()))
    if form.validate_on_submit():
        try:
            with work() as unit:
                made = _made(unit, form.order())
        except NoReason:
            form.refuse(form.reason, "Say why names are needed")
        except TooMany as many:
            form.refuse(form.codes, many)
        else:
            if made is not None:
                return _download(made)
            flash(f"{WAITS} Then come back here and choose the same again.", "success")
            return redirect(url_for("exports.export", code=published.code), 303)
    return render_template("exports/new.html", form=form, published=published), 422 if form.errors else 200


def _made(unit: Work, order: Order) -> Made | None:
    """The export, on record; None while a second person has to agree to names."""
    if not exports.agreed(unit, order):
        return None
    return exports.make(unit, programme(), order, rows_at_most=ROWS_IN_BROWSER)


def _download(made: Made) -> Response:
    answer = Response(
        downloads.stream(instance(), db.engine, made),
        mimetype=downloads.MIME.get(made.order.format, downloads.ARCHIVE),
    )
    name = made.file_name(downloads.ending(made.order.format))
    attach(answer, name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
