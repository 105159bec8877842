"""Before and after: somebody's own answers to the statements that both waves share; for a mentor if they share it."""

from uuid import UUID

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import shares, side_by_side
from portal.answers.shares import Shared
from portal.mentors import serving
from portal.views.context import session, the_actor, today
from portal.views.guards import guarded
from portal.views.loaders import load_asked
from portal.views.readings import note_reading
from portal.views.shown_answers import names_of, set_share
from surveys.comparison import compare
from surveys.models import Wave
from surveys.readings import Reading
from surveys.sittings import ONCE

bp = Blueprint("comparison", __name__, url_prefix="/questionnaires/<uuid:participation_id>/before-and-after")


def load_comparison(participation_id: UUID) -> Shared | None:
    return shares.reading_of(session(), participation_id=participation_id, response_id=None)


@bp.get("")
@guarded(load_comparison, policies.may_compare, reads=policies.may_read)
def show(shown: Shared) -> ResponseReturnValue:
    asked = load_asked(shown.participation_id, Wave.POST.value, ONCE)
    if asked is None:
        abort(404)
    own = shown.person_id == the_actor().person_id
    response_id = shares.response_of(session(), asked.asking)
    if not own and response_id is not None:
        note_reading(Reading(response_id=response_id, respondent_id=asked.participation_id, purpose="shared"))
    live = shares.live(session(), participation_id=asked.participation_id, response_id=None) if own else []
    found = compare(
        session(), respondent_id=asked.participation_id, role=asked.asking.role, places=asked.places
    )
    return render_template(
        "answers/comparison.html",
        found=found,
        picture=side_by_side.picture(found.statements, own=own) if found else None,
        own=own,
        participation_id=asked.participation_id,
        package_id=shown.package.id,
        shared_with=names_of(live),
        mentors=serving.mentors_from(session(), asked.package_id, on=today()) if own else [],
    )


@bp.post("/share")
@guarded(load_comparison, policies.owns_shared, reads=policies.may_read)
def share(shown: Shared) -> ResponseReturnValue:
    return set_share(shown.participation_id, None, _address(shown), on=True)


@bp.post("/unshare")
@guarded(load_comparison, policies.owns_shared, reads=policies.may_read)
def unshare(shown: Shared) -> ResponseReturnValue:
    return set_share(shown.participation_id, None, _address(shown), on=False)


def _address(shown: Shared) -> str:
    return url_for("comparison.show", participation_id=shown.participation_id)
