"""Files of cases: downloads only, under names of ours, whatever they were called and whatever is in them."""

from uuid import UUID

from flask import Blueprint, Response, abort

from portal import policies
from portal.cases import files as case_files
from portal.views.context import session
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_case
from privacy.cases.tables import Case

bp = Blueprint("case_files", __name__, url_prefix="/desk/cases")


@bp.get("/<uuid:case_id>/files/<uuid:file_id>")
@guarded(load_case, policies.may_see_case)
def download(case: Case, file_id: UUID) -> Response:
    """A browser shows none of it in place."""
    found = next((one for one in case_files.of_case(session(), case) if one.id == file_id), None)
    if found is None:
        abort(404)
    content, media_type = case_files.content_of(session(), file_id)
    if content is None:
        abort(404)
    answer = Response(content, content_type=media_type)
    attach(answer, found.name)
    return answer
