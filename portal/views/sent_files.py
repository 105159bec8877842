"""How far a long file is that somebody of the team sent, and what came of it."""

from uuid import UUID

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from portal import policies, sent_files
from portal.models import SentFile
from portal.views.context import session
from portal.views.files import csv_file
from portal.views.fragments import page_or_fragment
from portal.views.guards import guarded

bp = Blueprint("sent_files", __name__, url_prefix="/team/files")


def load_sent_file(file_id: UUID) -> SentFile | None:
    return session().get(SentFile, file_id)


@bp.get("/<uuid:file_id>")
@guarded(load_sent_file, policies.may_see_sent_file)
def show(sent: SentFile) -> ResponseReturnValue:
    """Asked again every two seconds by the page itself while it is under way; a link does the same."""
    outcome = sent.outcome or {}
    return page_or_fragment(
        "sent_files/show.html",
        "sent_files/_state.html",
        sent=sent,
        under_way=sent.state in sent_files.OPEN,
        done=sent_files.steps_done(sent.state),
        steps=len(sent_files.STEPS) - 1,
        said=outcome.get("said"),
        notes=outcome.get("notes", ()),
        faults=[{"line": line, "message": message} for line, message in outcome.get("faults", ())],
        to_correct=url_for("sent_files.to_correct", file_id=sent.id)
        if sent_files.is_to_correct(sent)
        else None,
        listed=f"{sent.kind}.index",
        again=f"{sent.kind}.import_file",
    )


@bp.get("/<uuid:file_id>/to-correct.csv")
@guarded(load_sent_file, policies.may_see_sent_file)
def to_correct(sent: SentFile) -> ResponseReturnValue:
    """The rows of a file that was refused, with what is wrong in a last column; kept for a day."""
    data = sent_files.to_correct(sent)
    return csv_file(data, f"{sent.kind}-to-correct") if data is not None else abort(404)
