"""The walk's part about what leaves the team: releases, the approval of an annual review, councils to agree."""

from sqlalchemy import select

from portal.models import PackageState
from surveys.models import Release
from tests.canary_walk import Walk, date_of
from tests.factories import Factory

RELEASES = "/reports/releases"


def release_and_agree(walk: Walk) -> None:
    """A quarter and a year are released, the review is passed on, the observer refuses a council, then agrees it."""
    team, observer = walk.signed_in(walk.address["admin"]), walk.signed_in(walk.address["observer"])
    walk.post(team, "/reports/kpi/count", on="/reports/kpi")
    walk.post(team, f"{RELEASES}/new/quarterly/2022-Q4", status=422, sure=None)
    walk.post(team, f"{RELEASES}/new/quarterly/2022-Q4", sure="y")
    walk.post(team, f"{RELEASES}/new/annual/2021-22", sure="y")
    annual = walk.one(select(Release.id).where(Release.kind == "annual"))
    approval = f"{RELEASES}/{annual}/approval"
    walk.post(team, approval, status=422, letter="", **date_of("on", 1))
    walk.post(team, approval, letter="DFE 9", **date_of("on", 1))
    with walk.db() as db:
        make = Factory(db, walk.stack.clock, walk.stack.instance.programme)
        council = make.council("Westshire")
        proposed = council.id
        make.package(council=council, state=PackageState.PROPOSED)
    refuse, ask_again = f"/councils-to-agree/{proposed}/refuse", f"/team/councils/{proposed}/ask-again"
    walk.post(observer, refuse, status=422, reason="")
    walk.post(observer, refuse)
    walk.post(team, ask_again, status=422, news="")
    walk.post(team, ask_again)
    walk.post(observer, f"/councils-to-agree/{proposed}", status=422, ground="decline", evidence="")
    walk.post(observer, f"/councils-to-agree/{proposed}", ground="decline")
    for page in (RELEASES, f"{RELEASES}/{annual}", f"{RELEASES}/annual-reviews", "/councils-to-agree"):
        observer.get(page)
