"""The page to go on to after a sign-in: one of our own, or none. It is kept with the form's session, which we sign, and
never read from an address or a field: nobody can lead somebody else to a page of theirs."""

import re
from urllib.parse import parse_qsl, urlencode

from flask import current_app
from flask import session as form_session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

LENGTH_AT_MOST = 300
# One slash, then plain characters: browsers read a second slash or a backslash as the start of another site.
_PLAIN = re.compile(r"/(?![/\\])[A-Za-z0-9/_\-?=&.%:+~]*")
# What an address may keep of its query. Anything else may be a name that somebody searched for, and would be
# stored with the sign-in.
KEPT = ("as_of", "council", "for", "from", "page", "search", "strand")
_HARMLESS = re.compile(r"[a-z0-9_\-]{1,40}")
_NEXT = "next"


def keep_next(wanted: str | None) -> None:
    """Keep where this browser goes on to once it is signed in; the last one wanted counts."""
    page = own_page(wanted)
    if page is not None:
        form_session[_NEXT] = page


def kept_next() -> str | None:
    """Where this browser goes on to once it is signed in."""
    return own_page(form_session.get(_NEXT))


def own_page(wanted: str | None) -> str | None:
    """The path, if it is a page of this portal that can be opened, with the KEPT part of its query; else None."""
    if not wanted or len(wanted) > LENGTH_AT_MOST or not _PLAIN.fullmatch(wanted):
        return None
    path, _, query = wanted.partition("?")
    routes = current_app.url_map.bind("localhost")
    try:
        endpoint, _ = routes.match(path, method="GET", query_args=query)
    except (HTTPException, RequestRedirect):
        return None
    # Not back to the pages of signing in.
    if str(endpoint).startswith(("account.", "proofs.")) and path.startswith("/sign-"):
        return None
    kept = [(name, value) for name, value in parse_qsl(query) if name in KEPT and _HARMLESS.fullmatch(value)]
    return f"{path}?{urlencode(kept)}" if kept else path
