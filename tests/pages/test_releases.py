"""Releases on pages: the team looks, releases, records approvals; the observer reads what was released and no more."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.councils import allocations
from portal.models import CouncilFact, Fact, Package, PackageState, Role, Strand
from portal.results import releases, releasing
from portal.results.periods import Kind
from privacy.audit import AuditEntry
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.released import a_release, kpi, store
from tests.rules.test_releases import DOWN, RISEN, SAME, WITHOUT, World

NEW = "/reports/releases/new/monthly/2022-12"


@pytest.fixture
def released(db: DbSession, clock: SetClock) -> UUID:
    """A quarterly release with answers in it."""
    with unit_of_work(db, clock, "system:test") as work:
        return store(work, a_release())


@pytest.fixture
def annual(db: DbSession, clock: SetClock) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        return store(
            work, a_release(id=UUID(int=8), kind=Kind.ANNUAL, period="2021-22", as_of=date(2022, 3, 31))
        )


def test_the_team_looks_through_a_release_before_it_makes_it(
    client: PageClient, db: DbSession, make: Factory
) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    page = client.get("/reports/releases/new")
    assert "December 2022" in page.words()
    assert page.all("a", href=NEW)
    page = client.get(NEW)
    assert page.heading == "Monthly report, December 2022"
    assert "0 new pairs of answers, and 10 are needed" in page.words()
    assert "so small ones are kept back" in page.words()
    page = client.post(NEW, status=422)
    assert "Tick the box once you have looked through the figures" in page.words()
    assert releases.list_of(db) == []
    page = client.follow(client.post(NEW, {"sure": "y"}))
    assert "The figures are released" in page.words()
    db.rollback()
    [made] = releases.list_of(db)
    assert (made.kind, made.period, made.as_of) == (Kind.MONTHLY, "2022-12", date(2022, 12, 31))
    lines = db.scalars(select(AuditEntry.action).where(AuditEntry.object == f"release:{made.id}")).all()
    assert lines == ["release.made"]
    assert not client.get("/reports/releases/new").all("a", href=NEW), "it is released"


def test_a_second_release_of_a_period_leads_to_the_first(
    client: PageClient, db: DbSession, make: Factory
) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    client.post(NEW, {"sure": "y"})
    page = client.follow(client.post(NEW, {"sure": "y"}, page="/your-devices"))
    assert "has been released already" in page.words()
    db.rollback()
    assert len(releases.list_of(db)) == 1


@pytest.mark.parametrize("path", ["weekly/2022-12", "monthly/2022-13", "monthly/2031-01", "annual/2022"])
def test_periods_that_are_none(client: PageClient, make: Factory, path: str) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    client.get(f"/reports/releases/new/{path}", status=404)


def test_a_period_that_still_runs_leads_back_to_the_choice(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    page = client.follow(client.get("/reports/releases/new/monthly/2023-03", status=303))
    assert "The period is not over yet" in page.words()


def test_the_observer_reads_what_was_released_and_nothing_else(
    client: PageClient, make: Factory, released: UUID
) -> None:
    client.sign_in(make.person(role=Role.OBSERVER).id)
    page = client.follow(client.get("/reports/kpi", status=303))
    assert page.heading == "Released figures"
    assert "15 of 20 leaders, 75%: at or above the target of 75%" in page.words()
    assert "The numbers are kept back" in page.words(), "those of the group strand"
    assert "Councils with one-to-one support 15 11 15" in page.words()
    assert "London 2022-23 One-to-one support 3" in page.words()
    page = client.get(f"/reports/releases/{released}")
    words = page.words()
    assert "The same or lower than before or no answer 5 21%" in words
    assert "Example accepted in part [c]" in words
    assert "Not shown: too few people" in words
    assert "No number of people from 1 to 4 is shown in answers" in words
    for path in ("new", "new/monthly/2022-12", f"{released}/approval"):
        client.get(f"/reports/releases/{path}", status=404)
    for path in ("/reports/answers", "/reports/service-levels", "/team/verdicts"):
        client.get(path, status=404)
    assert not page.all("a", href="/reports/releases/new")


def test_no_share_reads_like_what_it_is_not(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    block = a_release().blocks[0]
    nearly = replace(block.tables[0], base=400, rows=(replace(block.tables[0].rows[0], count=399),))
    with unit_of_work(db, clock, "system:test") as work:
        release_id = store(
            work,
            a_release(
                kpis=[kpi(Strand.ONE_TO_ONE, 746, 1000), kpi(Strand.GROUP, 7, 9)],
                blocks=[replace(block, tables=(nearly,))],
            ),
        )
    client.sign_in(make.person(role=Role.OBSERVER).id)
    words = client.get(f"/reports/releases/{release_id}").words()
    assert "746 of 1000 leaders, 74.6%: below the target of 75%" in words
    assert "Fewer than 10 members of groups are counted: too few for a share" in words
    assert "Higher than before 399 over 99%" in words


@pytest.mark.parametrize("role", [Role.MENTOR, Role.LEAD_MEMBER, Role.ADMINISTRATOR, Role.DPO])
def test_nobody_else_reads_releases(client: PageClient, make: Factory, released: UUID, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.get("/reports/releases", status=404)
    client.get(f"/reports/releases/{released}", status=404)


def test_an_annual_review_is_passed_on_with_the_departments_approval(
    client: PageClient, db: DbSession, make: Factory, annual: UUID
) -> None:
    team, leader = make.person(role=Role.TEAM).id, make.person().id
    path = f"/reports/releases/{annual}"
    client.sign_in(leader)
    client.get(path, status=404)
    assert "No review has been passed on yet" in client.get("/reports/releases/annual-reviews").words()
    client.sign_in(team)
    page = client.get(path)
    assert "For the Department alone" in page.words()
    page = client.post(f"{path}/approval", {"on-day": "20", "on-month": "2", "on-year": "2023"}, status=422)
    assert "Enter the reference of the letter" in page.words()
    given = {"letter": "DfE-9", "on-day": "20", "on-month": "2", "on-year": "2023"}
    page = client.follow(client.post(f"{path}/approval", given))
    assert "letter DfE-9 of 20 February 2023" in page.words()
    client.get(f"{path}/approval", status=404)
    client.sign_in(leader)
    page = client.get("/reports/releases/annual-reviews")
    assert page.all("a", href=path)
    assert "15 of 20 leaders" in client.get(path).words()


def test_a_quarterly_report_is_never_passed_on(client: PageClient, make: Factory, released: UUID) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    client.get(f"/reports/releases/{released}/approval", status=404)


def test_the_observer_agrees_a_council(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    council = make.council("Northshire")
    make.db.commit()
    with unit_of_work(db, clock, "person:team") as work:
        allocations.record(
            work,
            council_id=council.id,
            fact=Fact.OFSTED,
            value="inadequate",
            from_on=date(2022, 6, 1),
            evidence="Report of <June> 2022",
            to_on=None,
        )
        work.db.flush()
        work.db.execute(update(CouncilFact).values(department_reads=None))
    package = make.package(make.person("Ada Lead"), council=council, state=PackageState.PROPOSED)
    make.package(make.person("Bo Lead"), council=make.council("Southshire"))
    client.sign_in(make.person("Obi Server", role=Role.OBSERVER).id)
    page = client.get("/councils-to-agree")
    assert "Northshire" in page.words()
    assert "Southshire" not in page.words()
    assert "Ada" not in page.words()
    path = f"/councils-to-agree/{council.id}"
    page = client.get(path)
    assert "Recorded on 1 March 2023. Ask the programme team for the evidence." in page.words()
    assert "Report of" not in page.words(), "whoever wrote it was not told that the Department reads it"
    make.db.rollback()
    with unit_of_work(db, clock, "person:team") as work:
        work.db.execute(update(CouncilFact).values(department_reads=True))
    page = client.get(path)
    assert "Since 1 June 2022 Report of <June> 2022" in page.words()
    assert "One-to-one packages 1" in page.words()
    assert "If you do not agree" in page.words()
    page = client.post(path, {"ground": "decline"}, status=422)
    assert "Enter the evidence" in page.words()
    page = client.follow(client.post(path, {"ground": "decline", "evidence": "Letter of March"}))
    assert "No council waits to be agreed" in page.words()
    db.rollback()
    fact = db.scalars(select(CouncilFact).where(CouncilFact.fact == Fact.AGREED)).one()
    assert (fact.agreed_with, fact.evidence, fact.from_on) == (
        "Obi Server",
        "Letter of March",
        date(2023, 3, 1),
    )
    assert db.get_one(Package, package.id).state is PackageState.AGREED
    client.get(path, status=404)


@pytest.mark.parametrize("role", [Role.TEAM, Role.MENTOR, Role.LEAD_MEMBER, Role.DPO])
def test_nobody_else_agrees_for_the_department(client: PageClient, make: Factory, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.get("/councils-to-agree", status=404)


def test_what_is_kept_back_is_shown_to_the_team_beside_what_the_department_reads(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    said = [RISEN] * 8 + [WITHOUT] * 6 + [SAME] * 9 + [DOWN] * 3
    World(db, clock, make).answered(said, ended_on=date(2022, 9, 1))
    client.sign_in(make.person(role=Role.TEAM).id)
    words = client.get(NEW).words()
    assert "Lower than before 3 12 together: The same or lower than before" in words
    assert "26 people whose last questionnaire closed by 31 December 2022" in words
    path = client.post(NEW, {"sure": "y"}).response.headers["Location"]
    client.sign_in(make.person(role=Role.OBSERVER).id)
    page = client.get(path)
    assert "The same or lower than before 12 46%" in page.words()
    assert "Lower than before 3" not in page.text


PUBLIC = ("/sign-in", "/privacy-notice", "/cookies", "/accessibility", "/contact", "/your-rights")


def test_neither_public_pages_nor_a_review_that_is_passed_on_name_a_council(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    """The contract is not publicised (sch 4 Publicity)."""
    name = "Quillborough"
    world = World(db, clock, make)
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2021, 11, 1))
    council = make.council(name)
    make.package(make.person(council=council), council=council, starts_on=date(2021, 9, 1))
    with unit_of_work(db, clock, "person:team") as work:
        release_id = releasing.make(work, make.programme, kind=Kind.ANNUAL, period="2021-22")
    with unit_of_work(db, clock, "person:team") as work:
        releasing.approve(work, release_id=release_id, letter="DfE-9", on=date(2023, 2, 20))
    assert all(name not in client.get(path).text for path in PUBLIC)
    client.sign_in(make.person().id)
    pages = [f"/reports/releases/{release_id}", f"/reports/releases/{release_id}/report"]
    texts = [client.get(path).text for path in pages]
    texts += [client.http.get(f"{pages[0]}/files/{word}").get_data(as_text=True) for word in ("html", "csv")]
    assert all("2021-22" in text and name not in text for text in texts)
