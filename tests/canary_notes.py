"""The walk's part about assistants, what people need, notes on sessions, and goals that are revisited."""

from sqlalchemy import select

from portal.models import Delegation, Goal, Session, SessionNote, SessionState
from tests.canary_groups import no_date
from tests.canary_walk import Walk, date_of
from tests.form_filling import filled, form_of


def assist_and_note(walk: Walk) -> None:
    """The leader and the team name assistants, who are told and end it; notes, needs and goals by those who may."""
    leader, team = walk.signed_in(walk.address["leader"]), walk.signed_in(walk.address["admin"])
    _name_assistants(walk)
    walk.post(leader, "/your-needs", status=422, adjustments="x" * 1001)
    walk.post(leader, "/your-needs")
    person = f"/team/people/{walk.person(walk.address['leader'])}"
    walk.post(team, f"{person}/needs")
    coming = select(Session.id).where(Session.state == SessionState.BOOKED, Session.capacity.is_(None))
    path = f"/sessions/{walk.one(coming.order_by(Session.starts_at))}"
    mentor = walk.signed_in(walk.address["mentor"])
    for client, kind in ((leader, "shared"), (mentor, "private")):
        walk.post(client, f"{path}/notes", on=path, kind=kind)
        note = f"/notes/{walk.one(select(SessionNote.id).order_by(SessionNote.written_at))}"
        walk.post(client, note)
        if kind == "private":
            walk.post(client, f"{note}/delete", on=note)
    goal = f"/goals/{walk.one(select(Goal.id).where(Goal.package_id == walk.package('leader')))}"
    walk.post(leader, goal)
    walk.post(mentor, f"{goal}/reword")
    walk.post(team, f"{goal}/state", on=goal)
    for client in (leader, mentor, team):
        client.get(goal)


def _name_assistants(walk: Walk) -> None:
    leader, team = walk.signed_in(walk.address["leader"]), walk.signed_in(walk.address["admin"])
    person = f"/team/people/{walk.person(walk.address['leader'])}"
    walk.post(leader, "/your-assistant", status=422, **date_of("ends_on", 1, 2))
    for number in range(3):
        address = walk.canaries.address(f"assistant {number}")
        typed = {"email": address, **no_date("ends_on")}
        client, path = (team, f"{person}/assistant") if number == 1 else (leader, "/your-assistant")
        read_again = form_of(walk.post(client, path, status=200, **typed), path, having="sure")
        walk.send(client, path, filled(read_again, walk.canaries, label="sure", typed={}), status=303)
        assert walk.deliver(), "they are told"
        assistant = walk.signed_in(address)
        assistant.get("/who-you-book-for")
        if number == 0:
            walk.post(leader, "/your-assistant/end")
        elif number == 1:
            row = walk.one(select(Delegation.id).where(Delegation.ended_at.is_(None)))
            walk.post(assistant, f"/who-you-book-for/{row}/end")
        else:
            walk.post(team, f"{person}/assistant/end")
