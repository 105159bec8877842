"""Files that the team sends and takes: one page for a file of rows, and one answer for a list as a file."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import sent_files
from portal.csv_files import csv_of
from portal.forms.programme import FileForm
from portal.imports import FileFaults
from portal.views.context import clock_now, programme, session, the_actor, work
from privacy.errors import Frozen


def file_page(template: str, *, kind: str, **shown: Any) -> ResponseReturnValue:
    """A page that takes a file whole or not at all, or only checks it; the faults are shown by line (422).

    A long one is put aside for the worker, and its own page tells how far it is.
    """
    form, rows = FileForm(), sent_files.KINDS[kind]
    if not form.validate_on_submit():
        return render_template(template, form=form, **shown), 422 if form.errors else 200
    data, actor = form.file.data.read(), the_actor()
    try:
        if "check" in request.form:
            taken = rows.check(session(), programme(), data, actor.ref, clock_now())
            return render_template(template, form=form, taken=taken, **shown)
        if sent_files.is_long(data):
            with work() as unit:
                put = sent_files.put(unit, person_id=actor.person_id, kind=kind, data=data)
            return redirect(url_for("sent_files.show", file_id=put), 303)
        with work() as unit:
            taken = rows.take(unit, programme(), data)
    except FileFaults as faults:
        return render_template(
            template, form=form, faults=faults, to_correct=_to_correct(kind, data, faults), **shown
        ), 422
    for note in taken.notes:
        flash(note, "notice")
    flash(rows.said(taken), "success")
    return redirect(url_for(f"{kind}.index"), 303)


def _to_correct(kind: str, data: bytes, faults: FileFaults) -> str | None:
    """Where the rows can be had with what is wrong with them."""
    try:
        with work() as unit:
            kept = sent_files.keep_refused(
                unit, person_id=the_actor().person_id, kind=kind, data=data, found=faults
            )
    except Frozen:
        return None
    return url_for("sent_files.to_correct", file_id=kept) if kept is not None else None


def to_fill_in(kind: str, columns: Sequence[str]) -> Response:
    """A file with its first line alone, so that nobody has to type the names of columns."""
    return csv_file(csv_of(columns, ()), f"{kind}-to-fill-in")


def attach(answer: Response, name: str) -> Response:
    """Let a browser keep the answer as a file of this name, and show none of it (RFC 6266).

    Whatever the name holds, it stays one name in one header.
    """
    whole = "".join(sign if sign.isprintable() and sign not in '/\\";' else "_" for sign in name)
    whole = whole.lstrip(".") or "file"
    plain = whole.encode("ascii", "replace").decode().replace("?", "_")
    letters = "" if plain == whole else f"; filename*=UTF-8''{quote(whole)}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{plain}"{letters}'
    return answer


def csv_file(data: bytes, name: str) -> Response:
    """A list to be kept as a file."""
    return attach(Response(data, mimetype="text/csv"), f"{name}.csv")
