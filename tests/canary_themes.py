"""The walk's part about what people wrote: the codebook, and a text that is sorted by it."""

from sqlalchemy import select

from surveys import themes
from surveys.models import Response, Wave
from tests.canary_walk import Walk

THEMES = "/team/themes"


def sort_answers(walk: Walk) -> None:
    """A theme comes into the codebook, is changed, given to a text, and taken out."""
    team = walk.signed_in(walk.address["admin"])
    long = walk.canaries.word("a theme's name") + " that is too long" * 5
    walk.post(team, f"{THEMES}/codebook/new", status=422, label=long)
    walk.post(team, f"{THEMES}/codebook/new")
    with walk.db() as db:
        (theme,) = themes.book(db).themes
    page = f"{THEMES}/codebook/{theme.code}"
    walk.post(team, page)
    walk.post(team, f"{page}/remove", status=422, on=page, seen="0")
    text = f"{THEMES}/{walk.one(select(Response.id).where(Response.wave == Wave.POST))}/impact_changed"
    walk.post(team, text, status=409, codes=theme.code, seen="another time")
    walk.post(team, text, codes=theme.code)
    walk.post(team, f"{page}/remove", on=page)
    for shown in (THEMES, f"{THEMES}/quotes", text):
        team.get(shown)
