"""The walk's part about risks and lessons, which reports to the Department carry."""

from sqlalchemy import select

from portal.models import ProgrammeNote
from tests.canary_walk import Walk

NOTES = "/reports/risks-and-lessons"


def note_risks(walk: Walk) -> None:
    """A risk and a lesson are noted, and one is closed with what came of it."""
    team = walk.signed_in(walk.address["admin"])
    walk.post(team, f"{NOTES}/new", status=422, kind="")
    for kind in ("risk", "lesson"):
        walk.post(team, f"{NOTES}/new", kind=kind)
    note = walk.one(select(ProgrammeNote.id).order_by(ProgrammeNote.noted_at))
    walk.post(team, f"{NOTES}/{note}/close", status=422, outcome="")
    walk.post(team, f"{NOTES}/{note}/close")
    team.get(NOTES)
