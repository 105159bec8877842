"""The page to go on to after a sign-in: one of our own, or none."""

import re
from urllib.parse import parse_qsl, urlencode

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

LENGTH_AT_MOST = 300
# One slash, then plain characters: browsers read a second slash or a backslash as the start of another site.
_PLAIN = re.compile(r"/(?![/\\])[A-Za-z0-9/_\-?=&.%:+~]*")
# What an address may keep of its query. Anything else may be a name that somebody searched for, and would be
# stored with the sign-in.
KEPT = ("as_of", "council", "for", "from", "page", "strand")
_HARMLESS = re.compile(r"[a-z0-9_\-]{1,40}")


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
    if str(endpoint).startswith("account.") and path.startswith("/sign-"):
        return None
    kept = [(name, value) for name, value in parse_qsl(query) if name in KEPT and _HARMLESS.fullmatch(value)]
    return f"{path}?{urlencode(kept)}" if kept else path
