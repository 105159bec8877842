"""The walk through what shuts times and books several of them: leave, limits, closed times, holidays, a series."""

from typing import Any

from sqlalchemy import select

from portal.models import Blackout, Leave
from tests.canary_walk import NO_DAY, Walk, date_of
from tests.form_filling import filled, form_of


def shut_times(walk: Walk) -> None:
    """A mentor's leave and limits, and the team's closed times and bank holidays; then a series beside them."""
    team, mentor = walk.signed_in(walk.address["admin"]), walk.signed_in(walk.address["mentor"])
    leave = f"/mentors/{walk.person(walk.address['mentor'])}/leave"
    stretch: dict[str, Any] = {
        "from_at": "",
        "to_at": "1pm",
        **date_of("from_on", 27),
        **date_of("to_on", 28),
    }
    walk.post(mentor, leave, status=422, **(stretch | {"from_at": "1:07pm"}))
    walk.post(mentor, leave, **stretch)
    walk.post(mentor, f"{leave}/{walk.one(select(Leave.id))}/remove", on=leave)
    walk.post(mentor, "/mentor/hours", part="limits", **NO_DAY)
    walk.post(team, "/team/closed-times/new", **stretch)
    walk.post(team, "/team/closed-times/new", **stretch)
    shut = walk.one(select(Blackout.id))
    team.get(f"/team/closed-times/{shut}")
    walk.post(team, f"/team/closed-times/{shut}/remove", on="/team/closed-times")
    walk.post(team, "/team/closed-times/holidays/new", **date_of("on", 9, 5))
    walk.post(team, "/team/closed-times/holidays/change", on="/team/closed-times")
    _book_series(walk)


def _book_series(walk: Walk) -> None:
    """Two days are looked at, and one is booked."""
    mentor = walk.signed_in(walk.address["mentor"])
    path = f"/packages/{walk.package('leader')}/series"
    plan = {"at": "9am", "every": "week", "count": "2", **date_of("on", 8)}
    page = walk.post(mentor, path, status=200, **plan)
    rows = {"at_1": "9am", "at_2": "9am", **date_of("on_1", 8), **date_of("on_2", 15)}
    form = form_of(page, path, having="on_1-day")
    data = filled(form, walk.canaries, label="series", typed=rows)
    del data["book_2"]
    walk.send(mentor, path, data, status=303)
