"""The steps of the walk through group sessions, waiting lists, learning sets and resources."""

from typing import Any

from sqlalchemy import select

from portal.models import Resource, Session, SessionKind
from tests.canary_walk import Walk, date_of


def no_date(name: str) -> dict[str, Any]:
    """The three boxes of a date, left empty."""
    return {f"{name}-{part}": "" for part in ("day", "month", "year")}


def gather_groups(walk: Walk) -> None:
    """A workshop with a waiting list that is called off, and a set of dates in which somebody is replaced."""
    team, mentor = walk.signed_in(walk.address["admin"]), walk.signed_in(walk.address["mentor"])
    member, late = walk.signed_in(walk.address["member"]), walk.signed_in(walk.address["late_member"])
    member_id, late_id = (str(walk.person(walk.address[who])) for who in ("member", "late_member"))
    group = walk.package("member")
    walk.post(team, f"/team/packages/{group}/waive")
    planned = {"capacity": "1", "minimum": "1", "host": "", **date_of("decide_on", 10)}
    walk.post(mentor, f"/packages/{group}/schedule", at="10am", **date_of("on", 20), **planned)
    session = f"/sessions/{walk.one(select(Session.id).where(Session.capacity == 1))}"
    registrations = f"{session}/registrations"
    walk.post(member, f"{session}/place", on=session)
    walk.post(late, f"{session}/wait", on=session)
    walk.post(late, f"{session}/wait/stop")
    walk.post(late, f"{session}/wait")
    walk.post(team, f"{session}/waiting/{late_id}/remove", on=registrations)
    walk.post(team, f"{registrations}/add", on=registrations, person=late_id)
    walk.post(team, f"{registrations}/{member_id}/remove")
    walk.post(late, f"{session}/freed-place")
    walk.post(team, f"{session}/plan", capacity="3", minimum="2", **date_of("decide_on", 9))
    walk.post(team, f"{session}/decide", decision="no_go")
    rows: dict[str, Any] = {}
    for row in range(1, 7):
        times = {f"at_{row}": "10am", **date_of(f"on_{row}", 20 + row)} if row < 3 else {f"at_{row}": ""}
        rows |= no_date(f"on_{row}") | times
    walk.post(mentor, f"/packages/{group}/learning-set", members=member_id, **rows)
    kind = SessionKind.ACTION_LEARNING_SET
    date = f"/sessions/{walk.one(select(Session.id).where(Session.kind == kind))}"
    walk.post(team, f"{date}/replace", leaver=member_id, newcomer=late_id)
    walk.post(team, f"{date}/replace", leaver=late_id, newcomer=member_id)
    keep_resources(walk, session=date.removeprefix("/sessions/"), package=str(group))
    walk.deliver()


def keep_resources(walk: Walk, *, session: str, package: str) -> None:
    """A link and a file, described, attached, retired, offered again; the link goes."""
    team, member = walk.signed_in(walk.address["admin"]), walk.signed_in(walk.address["member"])
    link = f"https://council.example/{walk.canaries.word('link').split()[0]}"
    walk.post(team, "/team/resources/new-link", link=link)
    linked = walk.one(select(Resource.id).where(Resource.file_kind.is_(None)))
    walk.post(team, "/team/resources/new-file", file=walk.file(walk.canaries.word("a file's content")))
    kept = walk.one(select(Resource.id).where(Resource.file_kind.is_not(None)))
    page = f"/team/resources/{kept}"
    walk.post(team, page)
    walk.post(team, f"/team/sessions/{session}/resources", resources=str(kept))
    walk.post(team, f"/team/packages/{package}/resources", resources=str(linked))
    walk.post(team, f"{page}/retire", on=page)
    walk.post(team, f"{page}/offer-again", on=page)
    assert member.http.get(f"/resources/{kept}/file").status_code == 200
    walk.post(team, f"/team/packages/{package}/resources", resources=[])
    walk.post(team, f"/team/resources/{linked}/delete")
