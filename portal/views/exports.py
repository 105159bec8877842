"""Answers for the team to take out of the portal, as files."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from portal import policies
from portal.db import db
from portal.forms.exports import ExportForm
from portal.results import downloads, exports
from portal.results.exports import ROWS_IN_BROWSER, Made, NoReason, TooMany
from portal.views.context import instance, programme, session, work
from portal.views.guards import guarded
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
                made = exports.make(unit, programme(), form.order(), rows_at_most=ROWS_IN_BROWSER)
        except NoReason:
            form.refuse(form.reason, "Say why names are needed")
        except TooMany as many:
            form.refuse(form.codes, many)
        else:
            return _download(made)
    return render_template("exports/new.html", form=form, published=published), 422 if form.errors else 200


def _download(made: Made) -> Response:
    answer = Response(
        downloads.stream(instance(), db.engine, made),
        mimetype=downloads.MIME.get(made.order.format, downloads.ARCHIVE),
    )
    name = made.file_name(downloads.ending(made.order.format))
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
