"""The walk's part about looking for things in lists, and about ending browsers."""

from tests.canary_walk import Walk

SEARCHES = ("/team/people", "/team/councils", "/team/packages", "/team/resources")


def look_for_things(walk: Walk) -> None:
    """Words are typed into each search, and no address holds them."""
    team = walk.signed_in(walk.address["admin"])
    for page in SEARCHES:
        walk.post(team, page)
    walk.post(team, "/desk/cases")


def end_browsers(walk: Walk) -> None:
    """The warning is answered; somebody is signed out everywhere, by the team and by themselves."""
    team = walk.signed_in(walk.address["admin"])
    walk.send(team, "/signed-in/stay", {"csrf_token": team.get("/team/people").token()}, status=200)
    person = walk.person(walk.address["late_member"])
    walk.post(team, f"/team/people/{person}/sign-out", on=f"/team/people/{person}")
    walk.post(walk.signed_in(walk.address["late_member"]), "/your-devices/end-all", on="/your-devices")
