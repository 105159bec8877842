"""Councils: the list, one council, and the published file they come from."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import council_file, councils, directory, package_lists, policies
from portal.filters import count
from portal.forms.councils import GROUNDS
from portal.forms.programme import FILE_AT_MOST, FileForm
from portal.imports import FileFaults
from portal.models import Council
from portal.views.context import programme, session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_council

bp = Blueprint("councils", __name__, url_prefix="/team/councils")


@bp.url_value_preprocessor
def _allow_a_file(endpoint: str | None, values: dict[str, object] | None) -> None:
    # Before the form token is looked for, since that reads the body, which is small on every other page.
    if endpoint == "councils.import_file":
        request.max_content_length = FILE_AT_MOST


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    text = request.args.get("q", "")
    return render_template("councils/index.html", councils=councils.listed(session(), text=text), text=text)


@bp.get("/<uuid:council_id>")
@guarded(load_council, policies.may_see_team_page)
def show(council: Council) -> ResponseReturnValue:
    return render_template(
        "councils/show.html",
        council=council,
        heirs=councils.heirs(session(), council),
        facts=councils.facts(session(), council.id),
        holders=directory.office_holders(session(), council.id, on=today()),
        packages=package_lists.of_council(session(), council.id),
        called=package_lists.called,
        grounds=GROUNDS,
    )


@bp.route("/import", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def import_file() -> ResponseReturnValue:
    form = FileForm()
    if not form.validate_on_submit():
        return render_template("councils/import.html", form=form), 422 if form.errors else 200
    data = form.file.data.read()
    try:
        if "check" in request.form:
            taken = council_file.check_file(session(), programme(), data)
            return render_template("councils/import.html", form=form, taken=taken)
        with work() as unit:
            taken = council_file.import_file(unit, programme(), data)
    except FileFaults as faults:
        return render_template("councils/import.html", form=form, faults=faults), 422
    for note in taken.notes:
        flash(note, "notice")
    councils_sent = count(taken.kept, "council", "councils")
    flash(f"{councils_sent} in the file: {taken.added} new, {taken.changed} changed.", "success")
    return redirect(url_for("councils.index"), 303)
