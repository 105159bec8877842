"""The walk of the desk: a case is taken in with a file, goes on, and is closed; its deadlines and holidays are kept."""

from typing import Any

from sqlalchemy import select

from privacy.cases.tables import Case
from tests.canary_walk import Walk, date_of

NO_TIME: dict[str, Any] = {"on-day": "", "on-month": "", "on-year": "", "at": ""}


def run_desk(walk: Walk) -> None:
    """Take a case in, write in it, close it; an address for a calendar, and a holiday that was proclaimed."""
    dpo = walk.signed_in(walk.address["officer"])
    about: dict[str, Any] = {"about": walk.address["leader"], "copy_of": ""}
    walk.post(dpo, "/desk/cases/new", status=422, **about, **(date_of("on", 1) | {"on-day": "31", "at": ""}))
    sent = walk.file("a scan, told in words", ending="txt")
    received = {**date_of("on", 1), "at": "9am"}
    walk.post(dpo, "/desk/cases/new", **about, **received, files=sent)
    case = f"/desk/cases/{walk.one(select(Case.id).order_by(Case.entered_at))}"
    events = f"{case}/events"
    walk.post(dpo, events, on=case, having="text", status=422, **(NO_TIME | {"at": "9am"}))
    walk.post(dpo, events, on=case, having="text", files=sent, **NO_TIME)
    walk.post(dpo, events, on=case, having="who", who=walk.address["leader"], **NO_TIME)
    walk.post(dpo, events, on=case, having="outcome", **NO_TIME)
    walk.post(dpo, "/desk/calendar/address", on="/desk/calendar", status=200)
    walk.post(dpo, "/desk/calendar/address/end", on="/desk/calendar")
    walk.post(dpo, "/desk/working-days", **date_of("on", 15, 6))
    changed: dict[str, Any] = {"day": "2023-06-15"}
    walk.post(dpo, "/desk/working-days/change", on="/desk/working-days", **changed)
