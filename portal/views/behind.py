"""Shows the list behind a figure, once it is in the trail: the one write that a GET may cause."""

from urllib.parse import urlencode

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.results import behind
from portal.results.behind import Behind
from portal.views.context import clock_now, session, the_actor, work


def show(listed: Behind, title: str, *, back: tuple[str, str]) -> ResponseReturnValue:
    """The page of a list; `back` is an endpoint and what it is called."""
    if behind.must_note(session(), listed, reader=the_actor().ref, now=clock_now()):
        with work() as unit:
            behind.note(unit, listed)
    asked = {name: value for name, value in request.args.items() if name != "page"}
    return render_template(
        "reports/people.html",
        listed=listed,
        rows=behind.rows(session(), listed),
        title=title,
        back=(url_for(back[0]), back[1]),
        address=f"{request.path}?{urlencode({**asked, 'page': ''})}",
    )
