"""Keeps what was sent by a browser whose sign-in or form token is over, and says where it is shown again."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, request, url_for
from werkzeug.datastructures import MultiDict

from portal import policies
from portal.access import devices, parking
from portal.access.parking import Parked
from portal.views import cookies, form_tokens
from portal.views.context import clock_now, current_actor, programme, session, the_actor, work
from portal.views.next_page import keep_next
from portal.views.transport import comes_from_elsewhere

SECRETS = ("csrf_token", "password", "secret", "totp", "recovery")
WRITING = "_writing"
"""The field that marks a form which saves itself while somebody writes: its text is still on their page."""
KEPT = "_kept"
"""The field in which a page that shows a kept form again names it."""
# The pages that fill themselves in again; the words of any other form are shown to be copied.
REFILLED = {"questionnaires.save"}


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what must be shown and kept nowhere: a token, a password or a code."""
    return name == "code" or any(word in name for word in SECRETS)


def keep_and_lead_back() -> Response | None:
    """Keep the form of this request for its writer and lead to where they find it again, by way of signing in where
    they aren't. None where there is nothing to keep, or nobody is known to keep it for; what was typed into
    somebody else's form is kept for nobody."""
    actor = current_actor()
    written = (actor.person_id, actor.browser_session_id) if actor is not None else _was_signed_in()
    if written is None or form_tokens.issued_to_another(written[0]):
        return None
    place = _keep(*written)
    if place is None:
        return None
    if actor is None:
        flash("We have kept what you typed. Sign in, and it is there again.", "notice")
        keep_next(place)
        place = url_for("account.sign_in")
    if request.headers.get("HX-Request") == "true":
        # A redirect would put the page inside the fragment.
        return make_response("", 401, {"HX-Redirect": place})
    return make_response(redirect(place, 303))


def _was_signed_in() -> tuple[UUID, UUID] | None:
    token = cookies.read(cookies.SESSION)
    last = devices.last_session(session(), token, now=clock_now(), programme=programme()) if token else None
    return (last.person_id, last.id) if last is not None else None


def _keep(person_id: UUID, browser_session_id: UUID) -> str | None:
    endpoint = request.endpoint or ""
    # Another site can send a form in somebody's name; what it wrote isn't theirs.
    own = not comes_from_elsewhere()
    if (
        request.method != "POST"
        or endpoint.startswith(("account.", "proofs.", "factors."))
        or WRITING in request.form
        or not own
    ):
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if not is_secret(name)]
    if not any(value.strip() and not name.startswith("_") for name, value in fields):
        return None
    with work("system:parking") as unit:
        parked_id = parking.park(
            unit,
            person_id=person_id,
            path=request.path,
            fields=fields,
            browser_session_id=browser_session_id,
        )
    return request.path if endpoint in REFILLED else url_for("parking.show", parked_id=parked_id)


def kept_here() -> Parked | None:
    """The form of this very page that is kept for whoever asks for it, if they may read it here."""
    actor = the_actor()
    if not actor.keeps:
        return None
    kept = parking.newest(session(), person_id=actor.person_id, path=request.path, now=clock_now())
    return kept if kept is not None and policies.may_read_kept(actor, kept) else None


def kept_fields(kept: Parked) -> MultiDict[str, str]:
    """What was sent, as a request has it."""
    return MultiDict(kept.fields)


def kept_id() -> UUID | None:
    """Which kept form the one that is being sent was filled in from."""
    try:
        return UUID(request.form.get(KEPT, ""))
    except ValueError:
        return None
