"""The walk's part about those who deliver: clearance, profiles, interests, instructions, choosing and handing over."""

from typing import Any

from sqlalchemy import select

from portal.models import Clearance, ClearanceKind, Council, Interest, Offer, OfferState, Role, Session
from tests.canary_groups import no_date
from tests.canary_walk import Walk, date_of

EXPIRES = date_of("expires_on", 1, 3, 2030)


def clear_people(walk: Walk) -> None:
    """Those who deliver are cleared and say what they bring; an instruction lists political groups."""
    team = walk.signed_in(walk.address["admin"])
    given = date_of("from_on", 1, 2)
    for who in ("mentor", "second_mentor", "colleague"):
        person = f"/team/people/{walk.person(walk.address[who])}"
        for kind in ("bpss", "undertaking", "training", "dbs"):
            walk.post(team, f"{person}/clearance", kind=kind, **given, **EXPIRES)
        walk.post(team, f"{person}/clearance", status=422, **given, **date_of("expires_on", 1, 1))
        walk.post(team, f"{person}/contact", on=person)
        if who != "colleague":
            trained = {"capacity": "9", **date_of("trained_on", 1, 2)}
            walk.post(team, f"{person}/profile", status=422, **(trained | {"capacity": "many"}))
            walk.post(team, f"{person}/profile", **trained)
    row = walk.one(select(Clearance.id).where(Clearance.kind == ClearanceKind.DBS))
    whose = walk.one(select(Clearance.person_id).where(Clearance.id == row))
    walk.post(team, f"/team/people/{whose}/contact", on=f"/team/people/{whose}")
    walk.post(team, f"/team/people/{whose}/clearance/{row}/take-back")
    _say_what_ties(walk)
    walk.give_office(walk.address["colleague"], Role.DPO)
    officer = walk.signed_in(walk.address["colleague"])
    walk.post(
        officer,
        "/privacy-desk/instructions/new",
        letter="DFE 7",
        political_group="listed",
        adjustments="listed",
        dietary="listed",
        political_group_basis="6(1)(e)",
        political_group_condition="9(2)(g)",
        adjustments_basis="6(1)(e)",
        adjustments_condition="9(2)(g)",
        dietary_basis="6(1)(e)",
        dietary_condition="9(2)(g)",
        **date_of("from_on", 1),
    )
    leader = f"/team/people/{walk.person(walk.address['leader'])}"
    walk.post(team, f"{leader}/political-group", political_group="green", wish="same")


def _say_what_ties(walk: Walk) -> None:
    """Mentors write about themselves, and interests are declared and changed."""
    team, mentor = walk.signed_in(walk.address["admin"]), walk.signed_in(walk.address["mentor"])
    walk.post(mentor, "/mentor/about")
    east = str(walk.one(select(Council.id).where(Council.code == "EAS")))
    tied: dict[str, Any] = {"council": east, **date_of("from_on", 1, 2), **no_date("to_on")}
    walk.post(mentor, "/your-interests", status=422, **(tied | {"council": ""}))
    walk.post(mentor, "/your-interests", **tied)
    second = f"/team/people/{walk.person(walk.address['second_mentor'])}"
    walk.post(team, f"{second}/interests", **tied)
    for person_id in (walk.person(walk.address["mentor"]), walk.person(walk.address["second_mentor"])):
        interest = walk.one(select(Interest.id).where(Interest.person_id == person_id))
        walk.post(team, f"/team/interests/{interest}", **date_of("to_on", 20, 2))
    for path in (second, "/reports/conflicts", "/reports/conflicts.csv"):
        team.http.get(path)


def hand_over(walk: Walk) -> None:
    """One session goes to another mentor, and everything comes back in one act."""
    team = walk.signed_in(walk.address["admin"])
    mentor, second = (str(walk.person(walk.address[who])) for who in ("mentor", "second_mentor"))
    walk.post(team, f"/team/packages/{walk.package('leader')}/mentors", mentors=second)
    starts_at = walk.one(select(Offer.starts_at).where(Offer.state == OfferState.TAKEN))
    session = walk.one(select(Session.id).where(Session.starts_at == starts_at))
    path = f"/sessions/{session}/mentor"
    when = {"to": second, "at": "11am", **date_of("on", starts_at.day)}
    walk.post(team, path, status=422, **(when | {"at": "11:07am"}))
    walk.post(team, path, **when)
    back = f"/team/people/{second}/hand-over"
    walk.post(team, back, on=f"{back}?to={mentor}")
