"""Steps of the walk about councils and those who come and go: the record, partners, reviews, files, churn."""

from typing import Any

from sqlalchemy import select

from portal.models import Council, CouncilFact, Fact, Office, Partner, Role
from portal.packages.rows import COLUMNS
from tests.canary_walk import Walk, date_of


def know_councils(walk: Walk) -> None:
    """A council's record, agreement, neighbours, reviews and partners."""
    team = walk.signed_in(walk.address["admin"])
    east = walk.one(select(Council.id).where(Council.code == "EAS"))
    north = walk.one(select(Council.id).where(Council.code == "NOR"))
    here = f"/team/councils/{east}"
    since = {**date_of("from_on", 1, 2), "to_on-day": "", "to_on-month": "", "to_on-year": ""}
    new = f"{here}/facts/new?fact=ofsted"
    walk.post(team, new, status=422, value="", **since)
    walk.post(team, new, value="inadequate", **since)
    fact = walk.one(select(CouncilFact.id).where(CouncilFact.fact == Fact.OFSTED))
    walk.post(team, f"{here}/facts/{fact}/correct", value="good", **since)
    right = walk.one(select(CouncilFact.id).where(CouncilFact.corrects_id == fact))
    walk.post(team, f"{here}/facts/{right}/end", **date_of("on", 3))
    walk.post(team, f"{here}/facts/{right}/take-back")
    walk.post(team, f"{here}/agree", ground="decline", **date_of("agreed_on", 1, 2))
    walk.post(team, f"{here}/neighbours", neighbours=str(north))
    walk.post(team, f"{here}/reviews", **date_of("held_on", 1))
    walk.post(team, f"{here}/partners", **date_of("from_on", 1))
    partner = f"/team/partners/{walk.one(select(Partner.id))}"
    walk.post(team, f"{partner}/contacts", **date_of("on", 1))
    walk.post(team, f"{partner}/end", **date_of("on", 2))
    walk.post(team, f"/team/packages/{walk.package('member')}/partners", **date_of("from_on", 1))


def let_people_go(walk: Walk) -> None:
    """Running support from a file; somebody's place passes on, and a role ends with nobody to follow."""
    team = walk.signed_in(walk.address["admin"])
    words = walk.canaries.word("the title of a package in a file"), walk.canaries.word("a goal in a file")
    rows = [
        f"N1,package,,group,{words[0]},,,2023-02-01,,2,,,,,,",
        f"N1,goal,,,,,,,,,,,,,,{words[1]}",
        f"N1,member,,,,{walk.address['chief']},chief_executive,,,,,,,,,",
        f"N1,mentor,,,,{walk.address['second_mentor']},,,,,,,,,,",
    ]
    head = ",".join(COLUMNS)
    path = "/team/packages/import"
    walk.post(team, path, status=422, file=walk.file(head, rows[0]))
    walk.post(team, path, status=200, check="yes", file=walk.file(head, *rows))
    walk.post(team, path, file=walk.file(head, *rows))
    package, part = walk.package("member"), walk.part("member")
    walk.address["successor"] = walk.canaries.address("successor")
    known: dict[str, Any] = {"who": "new", "email": walk.address["successor"]}
    days = {**date_of("on", 11), **date_of("from_on", 12)}
    replace = f"/team/packages/{package}/members/{part}/replace"
    undated = {"from_on-day": "", "from_on-month": "", "from_on-year": ""}
    walk.post(team, replace, status=422, **known, **{**days, **undated})
    walk.post(team, replace, **known, **days)
    chief = walk.person(walk.address["chief"])
    office = walk.one(select(Office.id).where(Office.role == Role.CHIEF_EXECUTIVE))
    walk.post(team, f"/team/people/{chief}/offices/{office}/pass-on", who="nobody", **days)
    walk.deliver()
