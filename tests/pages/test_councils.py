"""The team's pages about councils: the record, the agreement, neighbours, reviews, partners, lists and files."""

import io
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.models import (
    Council,
    CouncilFact,
    Package,
    PackageState,
    Partner,
    Person,
    Place,
    Role,
    Session,
)
from portal.packages.rows import COLUMNS
from portal.programme import Programme
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient


def on(name: str, day: date) -> dict[str, str]:
    return {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}


@pytest.fixture
def team(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Tea Member", role=Role.TEAM).id)


@pytest.fixture
def council(make: Factory) -> UUID:
    return make.council("Northshire").id


def newest(db: DbSession) -> UUID:
    db.rollback()
    return db.scalars(
        select(CouncilFact.id).where(CouncilFact.corrected_at.is_(None)).order_by(CouncilFact.recorded_at)
    ).all()[-1]


def test_the_record_is_added_to_corrected_taken_back_and_ended(
    team: PageClient, council: UUID, db: DbSession
) -> None:
    path = f"/team/councils/{council}"
    assert "Nothing is on record yet." in team.get(path).words()
    new = f"{path}/facts/new?fact=ofsted"
    said = {"value": "inadequate", "evidence": "Report of June 2022", **on("from_on", date(2022, 6, 1))}
    page = team.post(new, {**said, "evidence": ""}, status=422)
    assert "Say what it rests on" in page.words()
    assert "The Department reads this. Do not name people." in page.words()
    assert "2022" in page.text, "what was typed stays"
    page = team.follow(team.post(new, said))
    assert "Yes, on 1 March 2023." in page.words()
    assert "Ofsted judged it inadequate" in page.words()
    assert "No ground is on record for 1 January 2022." in team.get(f"{path}?as_of=2022-01-01").words()
    asked = urlencode(on("as_of", date(2022, 1, 1)))
    assert "No ground is on record for 1 January 2022." in team.get(f"{path}?{asked}").words()
    assert "must be a real date" in team.get(f"{path}?as_of=never", status=422).words()
    fact = newest(db)
    correction = {**said, "value": "requires_improvement", "reason": "Misread"}
    page = team.follow(team.post(f"{path}/facts/{fact}/correct", correction))
    assert "Does not count" in page.words()
    assert "Misread" in page.words()
    assert (
        "Somebody has changed this fact already"
        in team.post(f"{path}/facts/{fact}/take-back", {"reason": "Late"}, status=422).words()
    )
    fact = newest(db)
    end = {"reason": "It is better", **on("on", date(2023, 3, 1))}
    assert (
        "No ground is on record for 1 March 2023."
        in team.follow(team.post(f"{path}/facts/{fact}/end", end)).words()
    )
    team.post(f"{path}/facts/{fact}/take-back", {"reason": "It was another council"})
    for kind in ("leadership", "send_statement", "decline", "intervention"):
        page = team.get(f"{path}/facts/new?fact={kind}")
        chosen = page.all("input", name="value")[0].get("value")
        team.post(f"{path}/facts/new?fact={kind}", {**said, "value": chosen})
    assert "In intervention" in team.get(path).words()


def test_an_agreement_is_recorded_and_withdrawn_on_the_councils_page(
    team: PageClient, council: UUID, make: Factory, db: DbSession
) -> None:
    path = f"/team/councils/{council}"
    leader = make.person(council=db.get(Council, council))
    waiting = make.package(leader, council=db.get(Council, council), state=PackageState.PROPOSED).id
    said = {"agreed_with": "Dee Partment", "ground": "decline", "evidence": "Report"}
    page = team.follow(team.post(f"{path}/agree", {**said, **on("agreed_on", date(2023, 2, 1))}))
    assert "Packages that waited for it are agreed." in page.words()
    assert "Dee Partment" in page.words()
    db.rollback()
    assert db.get_one(Package, waiting).state is PackageState.AGREED
    end = {"reason": "The Department thought again", **on("on", date(2023, 3, 1))}
    page = team.follow(team.post(f"{path}/facts/{newest(db)}/end", end))
    assert "Support here is not agreed." in page.words()
    assert "The Department thought again" in page.words(), "the history says why"
    db.rollback()
    assert db.get_one(Package, waiting).state is PackageState.PROPOSED
    page = team.get(f"/team/packages/{waiting}")
    assert "Record the agreement" in page.words()


def test_the_department_does_not_agree_and_is_asked_again(
    team: PageClient, client: PageClient, council: UUID, make: Factory, db: DbSession
) -> None:
    waiting = make.package(make.person(), council=db.get(Council, council), state=PackageState.PROPOSED).id
    observer = PageClient(client.app, client.instance).sign_in(
        make.person("Obi Server", role=Role.OBSERVER).id
    )
    page = observer.get(f"/councils-to-agree/{council}")
    assert "Do not agree" in page.words()
    refuse = f"/councils-to-agree/{council}/refuse"
    assert "no support can begin there" in observer.get(refuse).words()
    assert "Say why" in observer.post(refuse, {"reason": ""}, status=422).words()
    page = observer.post(refuse, {"reason": "x" * 1001}, status=422)
    assert "x" * 1001 in page.text, "what was typed stays"
    page = observer.follow(observer.post(refuse, {"reason": "It was supported last year"}))
    assert "The programme team is told." in page.words()
    assert "No council waits to be agreed." in page.words()
    assert "It was supported last year" in page.words()
    page = observer.post(refuse, {"reason": "Once more"}, status=409)
    assert "has said already that it does not agree" in page.words()
    assert "Once more" in page.text, "what was typed stays"
    page = team.get("/team")
    assert "The Department does not agree: It was supported last year" in page.words()
    page = team.get(f"/team/councils/{council}")
    assert "Obi Server said so on 1 March 2023" in page.words()
    assert "It was supported last year" in page.words()
    assert "the Department does not agree" in team.get("/team/councils").words()
    assert "Ask the Department again" in team.get(f"/team/packages/{waiting}").words()
    new = f"/team/packages/new?strand=one_to_one&council={council}"
    assert "A new package waits until you ask the Department again" in team.get(new).words()
    again = f"/team/councils/{council}/ask-again"
    assert "Say what is new" in team.post(again, {"news": ""}, status=422).words()
    page = team.follow(team.post(again, {"news": "Ofsted reported in February"}))
    assert "The Department is asked again." in page.words()
    assert "Ofsted reported in February" in page.words(), "the history stays"
    assert "There is nothing to ask again." in team.get(again).words()
    assert "asked again already" in team.post(again, {"news": "More"}, status=409).words()
    assert "Asked again" in observer.get("/councils-to-agree").words()
    page = observer.get(f"/councils-to-agree/{council}")
    assert "It was supported last year" in page.words()
    assert "Ofsted reported in February" in page.words()
    assert "Obi Server" not in page.words(page.all("main")[0])
    agree = {"ground": "decline", "evidence": "Report"}
    observer.follow(observer.post(f"/councils-to-agree/{council}", agree))
    db.rollback()
    assert db.get_one(Package, waiting).state is PackageState.AGREED


def test_neighbours_reviews_and_partners(
    team: PageClient, council: UUID, make: Factory, db: DbSession
) -> None:
    path = f"/team/councils/{council}"
    assert "There is no other council yet." in team.get(f"{path}/neighbours").words()
    other = make.council("Eastshire").id
    team.post(f"{path}/neighbours", {"neighbours": str(other)})
    assert "Northshire" in team.get(f"/team/councils/{other}").words()
    make.package(
        make.person(council=db.get(Council, council)),
        council=db.get(Council, council),
        starts_on=date(2022, 8, 1),
    )
    said = {"value": "direction", "evidence": "Letter", **on("from_on", date(2022, 7, 1))}
    team.post(f"{path}/facts/new?fact=intervention", said)
    home = team.get("/team").words()
    assert "Reviews of councils in intervention" in home
    assert "1 February 2023 Overdue" in home
    team.post(f"{path}/reviews", {"notes": "On the way", **on("held_on", date(2023, 2, 20))})
    assert "The next review is due on 20 August 2023." in team.get(path).words()
    assert "Reviews of councils in intervention" not in team.get("/team").words()
    partner = {"kind": "commissioner", "name": "Com Missioner", "reached": "At the Department"}
    page = team.post(
        f"{path}/partners", {**partner, "name": "", **on("from_on", date(2023, 1, 1))}, status=422
    )
    assert "Enter a name" in page.words()
    assert "At the Department" in page.text
    team.post(f"{path}/partners", {**partner, **on("from_on", date(2023, 1, 1))})
    known = db.scalars(select(Partner.id)).one()
    contact = {"way": "call", "about": "The improvement board"}
    team.post(f"/team/partners/{known}/contacts", {**contact, **on("on", date(2023, 2, 1))})
    team.post(f"/team/partners/{known}/contacts", {**contact, **on("on", date(2023, 3, 2))}, status=422)
    team.post(f"/team/partners/{known}/end", on("on", date(2023, 2, 28)))
    package = db.scalars(select(Package.id)).one()
    words = team.get(f"/team/packages/{package}").words()
    assert "Com Missioner" in words
    assert "The improvement board" in words
    assert "to 28 February 2023" in words
    team.post(f"/team/packages/{package}/partners", {**partner, **on("from_on", date(2023, 1, 1))})


def test_lists_are_narrowed_and_taken_out(
    team: PageClient, council: UUID, make: Factory, db: DbSession
) -> None:
    make.council("Eastshire", region="South West")
    said = {"value": "inadequate", "evidence": "Report", **on("from_on", date(2022, 6, 1))}
    team.post(f"/team/councils/{council}/facts/new?fact=ofsted", said)
    page = team.get("/team/councils?qualifies=yes&kind=county&agreed=no&supported=no")
    assert "1 council" in page.words()
    assert "Northshire" in page.words()
    assert "No council fits." in team.get("/team/councils?region=South+West&qualifies=yes").words()
    told = team.http.get("/team/councils/list.csv?qualifies=yes")
    assert told.mimetype == "text/csv"
    assert "attachment" in told.headers["Content-Disposition"]
    assert told.get_data(as_text=True).count("\r\n") == 2
    make.package(make.person("Lea Der"), council=db.get(Council, council))
    page = team.get("/team/pipeline?state=active&region=North+West&strand=one_to_one")
    assert "1 Active" in page.words()
    assert "Lea Der" in page.words()
    assert "No package fits." in team.get("/team/pipeline?state=ended").words()
    told = team.http.get("/team/pipeline/list.csv")
    assert "pipeline-" in told.headers["Content-Disposition"], "told from the list of packages by its name"
    assert "Lea Der" not in told.get_data(as_text=True)


def test_a_late_cancellation_is_counted(
    team: PageClient, make: Factory, db: DbSession, clock: SetClock, programme: Programme
) -> None:
    mentor, package = _supported(make, db, clock)
    held = [_book(db, clock, programme, package, mentor, days) for days in (2, 5)]
    clock.now = clock.now + timedelta(days=1, hours=2)
    for session_id in held:
        with unit_of_work(db, clock, "person:test") as work:
            bookings.cancel(work, session_id=session_id)
    team.sign_in(make.person(role=Role.TEAM).id)
    words = team.get(f"/team/packages/{package}").words()
    assert "1 late cancellation" in words
    assert db.get_one(Session, held[0]).cancelled_at == clock.now


def _supported(make: Factory, db: DbSession, clock: SetClock) -> tuple[UUID, UUID]:
    mentor = make.mentor().id
    package = make.package(make.person(), mentor=db.get_one(Person, mentor)).id
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Package, package).baseline_waived_at = work.now
    return mentor, package


def _book(
    db: DbSession, clock: SetClock, programme: Programme, package: UUID, mentor: UUID, days: int
) -> UUID:
    starts_at = (clock.now + timedelta(days=days)).replace(hour=10, minute=0)
    with unit_of_work(db, clock, "person:test") as work:
        return bookings.book(
            work,
            programme,
            package_id=package,
            session_id=UUID(int=days),
            mentor_id=mentor,
            starts_at=starts_at,
            place=Place.REMOTE,
        ).id


def test_the_service_levels_have_a_page(team: PageClient) -> None:
    words = team.get("/reports/service-levels").words()
    for said in (
        "Councils with support for corporate leaders 0 At least 15 15 to go",
        "Councils with support for political leaders 0 At least 15 15 to go",
        "Joint workshops held 0 Up to 5",
        "Action learning sets 0 Up to 3",
    ):
        assert said in words
    team.get("/reports/service-levels?as_of=never", status=422)


def test_packages_are_taken_from_a_file(team: PageClient, council: UUID) -> None:
    def file(*lines: str) -> dict[str, Any]:
        return {"file": (io.BytesIO("\n".join([",".join(COLUMNS), *lines]).encode()), "packages.csv")}

    page = team.post(
        "/team/packages/import", file("A1,package,Northshore,group,,,,2022-09-01,,5,,,,,,"), status=422
    )
    assert "Is it Northshire Council?" in page.words()
    assert "Nothing was taken from this file" in page.words()
    lines = ("N1,package,,group,Leaders,,,2022-09-01,,2,,,,,,", "N1,goal,,,,,,,,,,,,,,Meet")
    page = team.post("/team/packages/import", file(*lines), status=422)
    assert "Package N1 has no member" in page.words()
