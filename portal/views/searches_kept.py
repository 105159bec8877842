"""Lists that can be searched: their form is sent, the words are kept, and the address names only where."""

from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, request, url_for
from werkzeug import Response

from portal.access import searches
from portal.views.context import session, the_actor, work

WORDS = "q"
SEARCH = "search"
"""What stands in an address instead of the words."""


def search_id() -> UUID | None:
    """The search that the address names."""
    try:
        return UUID(request.args.get(SEARCH, ""))
    except ValueError:
        return None


def words(place: str | None = None) -> str:
    """What was looked for in this list, or in the one of another endpoint."""
    found = search_id()
    if found is None:
        return ""
    endpoint = place or request.endpoint or ""
    return searches.words(session(), found, person_id=the_actor().person_id, place=endpoint)


def to_results() -> Response:
    """Keep what was looked for and lead to the list; everything else of the form stands in the address."""
    place, looked_for = request.endpoint or "", request.form.get(WORDS, "").strip()
    chosen = {
        name: value
        for name, value in request.form.items()
        if value and name not in {WORDS, SEARCH, "csrf_token"}
    }
    if looked_for:
        with work() as unit:
            kept = searches.keep(unit, person_id=the_actor().person_id, place=place, words=looked_for)
        chosen[SEARCH] = str(kept)
    # Put together here: the names are the browser's, and `url_for` takes some of them for its own.
    address = url_for(place)
    return redirect(f"{address}?{urlencode(chosen)}" if chosen else address, 303)
