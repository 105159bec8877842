"""The report of a release: on a page that prints, and as files for the Department."""

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from portal import policies
from portal.results import reports
from portal.results.releases import Release
from portal.results.reports import Format
from portal.views.context import programme
from portal.views.guards import guarded
from portal.views.loaders import load_release

bp = Blueprint("documents", __name__, url_prefix="/reports/releases/<uuid:release_id>")


@bp.get("/report")
@guarded(load_release, policies.may_read_release)
def show(release: Release) -> ResponseReturnValue:
    return render_template(
        "documents/show.html", report=reports.content(release, programme()), release=release
    )


@bp.get("/files/<word>")
@guarded(load_release, policies.may_read_release)
def download(release: Release, word: str) -> ResponseReturnValue:
    """A file, made anew: the same release gives the same bytes."""
    if word not in list(Format):
        abort(404)
    format = Format(word)
    report = reports.content(release, programme())
    answer = Response(reports.WRITERS[format](report), mimetype=reports.MIME[format])
    answer.headers["Content-Disposition"] = f'attachment; filename="{reports.file_name(report, format)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
