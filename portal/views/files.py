"""Files that the team sends and takes: one page for a file of rows, and one answer for a list as a file."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from flask import Response, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.forms.programme import FileForm
from portal.imports import FileFaults
from portal.views.context import work
from privacy.work import Work


class Noted(Protocol):
    """What an import did; `notes` say how the file was read."""

    @property
    def notes(self) -> list[str]: ...


Taken = TypeVar("Taken", bound=Noted)


def file_page(
    template: str,
    *,
    check: Callable[[bytes], Taken],
    take: Callable[[Work, bytes], Taken],
    done: Callable[[Taken], ResponseReturnValue],
    **shown: Any,
) -> ResponseReturnValue:
    """A page that takes a file whole or not at all, or only checks it; the faults are shown by line (422)."""
    form = FileForm()
    if not form.validate_on_submit():
        return render_template(template, form=form, **shown), 422 if form.errors else 200
    data = form.file.data.read()
    try:
        if "check" in request.form:
            return render_template(template, form=form, taken=check(data), **shown)
        with work() as unit:
            taken = take(unit, data)
    except FileFaults as faults:
        return render_template(template, form=form, faults=faults, **shown), 422
    for note in taken.notes:
        flash(note, "notice")
    return done(taken)


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
