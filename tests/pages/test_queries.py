"""No page asks once per row: each list runs as many statements for 50 rows as for 5."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session as DbSession

from privacy.transactions import WRITE
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.crowd import Crowd
from tests.factories import Factory
from tests.pages_client import Page, PageClient

FEW, MANY = 5, 50
YOUR_SUPPORT_AT_MOST = 14
SAVE_AT_MOST = 8
# Forms of one package, and a list that ends after thirty times.
NO_LONGER = {"packages.end", "mentors.schedule", "bookings.times", "bookings.times (an assistant's)"}


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@contextmanager
def statements(stack: Stack) -> Iterator[list[str]]:
    """The statements that reach the data and the key store, beginnings and ends of transactions apart."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.upper().startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    engines = (stack.engine, stack.instance.vault.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def pages(crowd: Crowd) -> dict[str, tuple[UUID, str]]:
    """Each page with a list in it: who opens it, and its address."""
    team, mentor, leader = crowd.team, crowd.mentor, crowd.leader
    group, one = crowd.group, crowd.one_to_one
    package = f"/team/packages/{group}"
    return {
        "team.home": (team, "/team"),
        "people.index": (team, "/team/people"),
        "people.index (search)": (team, "/team/people?q=person&role=lead_member"),
        "people.show": (team, f"/team/people/{leader}"),
        "people.new": (team, "/team/people/new"),
        "packages.index": (team, "/team/packages"),
        "packages.index (search)": (team, "/team/packages?q=person&strand=one_to_one"),
        "packages.new": (team, "/team/packages/new"),
        "packages.new (second step)": (team, f"/team/packages/new?strand=group&council={crowd.council}"),
        "packages.show": (team, package),
        "packages.show (one-to-one)": (team, f"/team/packages/{one}"),
        "packages.invite": (team, f"{package}/invite"),
        "packages.members": (team, f"{package}/members"),
        "matches.choose": (team, f"{package}/mentors"),
        "people.show (mentor)": (team, f"/team/people/{mentor}"),
        "handovers.hand_over": (team, f"/team/people/{mentor}/hand-over"),
        "interests.statement": (team, "/reports/conflicts"),
        "interests.own": (mentor, "/your-interests"),
        "clearances.own": (mentor, "/your-clearance"),
        "instructions.index": (team, "/privacy-desk/instructions"),
        "packages.end": (team, f"{package}/end"),
        "councils.index": (team, "/team/councils"),
        "councils.show": (team, f"/team/councils/{crowd.council}"),
        "councils.neighbours": (team, f"/team/councils/{crowd.council}/neighbours"),
        "pipeline.index": (team, "/team/pipeline"),
        "pipeline.download": (team, "/team/pipeline/list.csv"),
        "churn.replace": (team, f"/team/packages/{one}/members/{crowd.leader_part}/replace"),
        "verdicts.index": (team, "/team/verdicts"),
        "reports.kpi": (team, "/reports/kpi"),
        "reports.answers": (team, "/reports/answers"),
        "reports.people": (team, "/reports/kpi/group/supported"),
        "reports.change": (team, "/reports/change"),
        "boards.waves": (team, "/reports/waves?wave=baseline"),
        "boards.people": (team, "/reports/waves/baseline/group/eligible"),
        "boards.waiting": (team, "/reports/outstanding"),
        "boards.sla": (team, "/reports/service-levels"),
        "boards.level": (team, "/reports/service-levels/2022-23/group_councils"),
        "programme_notes.index": (team, "/reports/risks-and-lessons"),
        "authoring.index": (team, "/team/questionnaires"),
        "agenda.month": (team, "/agenda/month?month=2023-03"),
        "agenda.month (a mentor's)": (mentor, "/agenda/month?month=2023-03"),
        "agenda.days": (team, "/agenda"),
        "agenda.day": (mentor, f"/agenda/day?on={crowd.today + timedelta(days=3)}"),
        "agenda.use": (team, "/agenda/hours"),
        "calendars.show": (mentor, "/your-calendar"),
        "calendars.coming": (mentor, "/your-calendar/sessions.ics"),
        "mentors.home": (mentor, "/mentor"),
        "hours.show": (mentor, "/mentor/hours"),
        "hours.add_leave": (mentor, f"/mentors/{mentor}/leave"),
        "hours.conflicts": (mentor, f"/mentors/{mentor}/leave/sessions"),
        "closed_times.index": (team, "/team/closed-times"),
        "series.book": (mentor, f"/packages/{one}/series"),
        "mentors.package": (mentor, f"/mentor/packages/{group}"),
        "mentors.package (one-to-one)": (mentor, f"/mentor/packages/{one}"),
        "mentors.log": (mentor, f"/packages/{group}/log"),
        "mentors.schedule": (mentor, f"/packages/{group}/schedule"),
        "mentors.offer": (mentor, f"/packages/{one}/offers"),
        "mentors.record": (mentor, f"/sessions/{crowd.workshop}/record"),
        "bookings.session": (mentor, f"/sessions/{crowd.workshop}"),
        "groups.registrations": (mentor, f"/sessions/{crowd.workshop}/registrations"),
        "groups.sign_in_sheet": (mentor, f"/sessions/{crowd.workshop}/sign-in-sheet"),
        "groups.learning_set": (mentor, f"/packages/{group}/learning-set"),
        "bookings.times": (leader, f"/packages/{one}/times"),
        "assistants.index": (crowd.assistant, "/who-you-book-for"),
        "bookings.times (an assistant's)": (crowd.assistant, f"/packages/{one}/times"),
        "goals.show": (mentor, f"/goals/{crowd.goal}"),
        "bookings.session (one-to-one)": (mentor, f"/sessions/{crowd.noted}"),
        "your_support.index": (leader, "/your-support"),
        "account.devices": (leader, "/your-devices"),
        "your_data.index": (leader, "/your-data"),
        "account.accounts": (crowd.administrator, "/accounts"),
        "privacy_desk.trail": (crowd.auditor, "/privacy-desk/trail"),
        "registers.index": (crowd.auditor, "/desk/registers"),
        "registers.people": (crowd.auditor, "/desk/registers/personnel"),
        "sub_processors.index": (crowd.auditor, "/desk/registers/sub-processors"),
        "assessment.show": (crowd.auditor, "/desk/registers/assessment"),
        "auditing.cases": (crowd.auditor, "/desk/audit"),
        "suspicions.index": (crowd.auditor, "/desk/suspicions"),
        "cases.index": (crowd.dpo, "/desk"),
        "cases.listing": (crowd.dpo, "/desk/cases"),
        "cases.listing (search)": (crowd.dpo, "/desk/cases?q=C&stand=all"),
        "cases.download_list": (crowd.dpo, "/desk/cases.csv"),
        "cases.show": (crowd.dpo, f"/desk/cases/{crowd.case}"),
        "desk_tools.deadlines": (crowd.dpo, "/desk/deadlines.ics"),
    }


def reads(stack: Stack, client: PageClient, who: UUID, address: str) -> tuple[int, int]:
    """How many questions a page puts to the two databases, and its length."""
    client.sign_in(who)
    path, _, query = address.partition("?")
    if query.startswith("q="):
        address = client.post(path, dict(parse_qsl(query))).response.headers["Location"]
    with statements(stack) as seen:
        page = client.get(address)
    return sum(one.lstrip().upper().startswith(("SELECT", "WITH")) for one in seen), len(page.text)


# The statements are the same on both databases.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_every_list_costs_the_same_for_few_as_for_many(
    stack: Stack, db: DbSession, client: PageClient
) -> None:
    # A published version is read once in the life of a process, whichever page asks first.
    versions.in_force(db)
    few = Crowd(stack, db, FEW)
    before = {name: reads(stack, client, *page) for name, page in pages(few).items()}
    many = Crowd(stack, db, MANY)
    after = {name: reads(stack, client, *page) for name, page in pages(many).items()}
    grown = {
        name: f"{before[name][0]} reads for {FEW}, {count} for {MANY}"
        for name, (count, _) in after.items()
        if count != before[name][0]
    }
    assert grown == {}
    not_lists = {name for name, (_, length) in after.items() if length <= before[name][1]}
    assert not_lists <= NO_LONGER, "a page that is no longer for many shows nothing of them"


def test_your_support_takes_few_statements_whatever_there_is(
    stack: Stack, db: DbSession, client: PageClient
) -> None:
    crowd = Crowd(stack, db, FEW)
    client.sign_in(crowd.leader)
    with statements(stack) as seen:
        client.get("/your-support")
    assert len(seen) <= YOUR_SUPPORT_AT_MOST, "\n".join(seen)


def test_a_saved_page_holds_the_write_lock_for_few_statements(
    stack: Stack, make: Factory, client: PageClient
) -> None:
    leader = make.person()
    package = make.package(leader, mentor=make.mentor(), council=make.council())
    client.sign_in(leader.id)
    start = f"/questionnaires/{package.participations[0].id}/baseline/once"
    for number in (1, 2):
        form = first_choices(client.get(f"{start}/{number}"))
        with written(stack) as seen:
            response = client.http.post(f"{start}/{number}", data=form)
        assert response.status_code == 303
        assert 0 < len(seen) <= SAVE_AT_MOST, "\n".join(seen)


def first_choices(page: Page) -> dict[str, str]:
    """What the page's form posts with the first choice of each question."""
    data: dict[str, str] = {}
    for field in page.all("input"):
        if field.get("type") in ("hidden", "radio"):
            data.setdefault(field.get("name"), field.get("value"))
    return data


@contextmanager
def written(stack: Stack) -> Iterator[list[str]]:
    """The statements between the beginning of a transaction that writes and its end."""
    seen: list[str] = []

    def note(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if connection.get_execution_options().get(WRITE) and not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(stack.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(stack.engine, "before_cursor_execute", note)
