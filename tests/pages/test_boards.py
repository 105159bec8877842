"""The team's boards: what is kept, the list behind every number, waves, who is outstanding, every statement."""

import json
import re
from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, PackageState, Participation, Person, Role, Strand
from portal.packages import acts
from portal.results import board
from privacy.audit import AuditEntry
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Figure
from surveys.results import Verdict
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.rules.test_kpi import World, closed

NAMES = ("Ada Lead", "Ben Lead", "Cy Lead", "Dee Lead", "Eve Lead")


@pytest.fixture
def world(db: DbSession, clock: SetClock) -> World:
    versions.publish_shipped(db, clock)
    return World(db, clock)


@pytest.fixture
def parts(make: Factory, world: World, clock: SetClock) -> list[Participation]:
    """Five leaders whose window has closed: higher, lower, at the top, without an example, silent. And one whose
    support runs."""
    now = clock()
    found = [closed(make, make.person(name))[0] for name in NAMES]
    world.pair(found[0], "fairly", "very", verdict=Verdict.ACCEPTED)
    world.pair(found[1], "very", "fairly", verdict=Verdict.PARTLY)
    world.pair(found[2], "completely", "completely")
    world.pair(found[3], "slightly", "very", example=False)
    world.pair(found[4], "slightly", None)
    make.package(make.person("Run Ning"))
    clock.now = now
    return found


@pytest.fixture
def team(client: PageClient, make: Factory) -> Person:
    person = make.person("Tia Team", role=Role.TEAM)
    client.sign_in(person.id)
    return person


def rows(page: Page) -> set[str]:
    """The rows of all tables in words, without what only screen readers hear."""
    return {re.sub(r": see the list, [^\d]*", " ", page.words(row)).strip() for row in page.all("tr")}


def lists(page: Page) -> list[tuple[int, str]]:
    """Every number of a page that opens a list."""
    found = [
        ("".join(link.itertext()), link.get("href", ""))
        for link in page.all("a")
        if "see the list" in "".join(link.itertext())
    ]
    return [(int(words.split(":")[0]), href) for words, href in found]


@pytest.mark.parametrize("path", ["/reports/kpi", "/reports/waves?wave=post", "/reports/waves?wave=baseline"])
def test_every_number_opens_its_list(
    client: PageClient, team: Person, parts: list[Participation], path: str
) -> None:
    page = client.get(path)
    numbers = lists(page)
    assert len(numbers) >= 4
    for number, href in dict.fromkeys(numbers):
        listed = client.get(href)
        assert listed.words(listed.all("h1")[0]).split()[0] == str(number), href
        assert len(listed.all("tbody")[0].findall(".//{*}tr")) == number, href


def test_a_list_names_who_is_in_it(client: PageClient, team: Person, parts: list[Participation]) -> None:
    silent = client.get("/reports/kpi/one_to_one/silent").words()
    assert "1 who did not answer in time" in silent
    assert "Eve Lead" in silent
    assert "Ada Lead" not in silent
    lower = client.get("/reports/kpi/one_to_one/lower").words()
    assert "Ben Lead" in lower
    assert "they see that it was" in lower
    client.get("/reports/kpi/one_to_one/nothing", status=404)
    client.get("/reports/kpi/both/silent", status=404)


def test_a_list_is_in_the_trail_once_a_day_and_reader(
    client: PageClient, team: Person, parts: list[Participation], db: DbSession, clock: SetClock
) -> None:
    for _ in range(2):
        client.get("/reports/kpi/one_to_one/confident")
        client.get("/reports/kpi/one_to_one/silent")
    lines = _lines(db, "figure.opened")
    assert [json.loads(line.details) for line in lines] == [
        {"as_of": "2023-03-01", "figure": "kpi:one_to_one:confident", "people": 2},
        {"as_of": "2023-03-01", "figure": "kpi:one_to_one:silent", "people": 1},
    ]
    read = _lines(db, "response.opened")
    assert {line.holder for line in read} == {parts[0].id, parts[3].id}, "the silent said nothing"
    assert len(read) == 2
    clock.pass_time(days=1)
    client.sign_in(team.id)
    client.get("/reports/kpi/one_to_one/silent")
    assert len(_lines(db, "figure.opened")) == 3


def test_people_see_that_a_figure_was_opened(
    client: PageClient, team: Person, parts: list[Participation]
) -> None:
    client.get("/reports/kpi/one_to_one/impact")
    ada = parts[0].person_id
    assert ada is not None
    client.sign_in(ada)
    assert "To see who a figure counts" in client.get("/your-data").words()


def _lines(db: DbSession, action: str) -> list[AuditEntry]:
    db.rollback()
    return list(db.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)))


@pytest.mark.parametrize("role", [Role.MENTOR, Role.OBSERVER, Role.LEAD_MEMBER, Role.DPO, Role.ADMINISTRATOR])
@pytest.mark.parametrize(
    "path",
    [
        "/reports/kpi/one_to_one/silent",
        "/reports/change",
        "/reports/waves",
        "/reports/waves/post/one_to_one/started",
        "/reports/outstanding",
        "/reports/service-levels",
        "/reports/service-levels/2022-23/group_councils",
    ],
)
def test_nobody_else_sees_them(client: PageClient, make: Factory, role: Role, path: str) -> None:
    client.sign_in(make.person(role=role).id)
    client.get(path, status=404)


def test_what_is_kept_is_shown_until_it_is_counted_again(
    client: PageClient, team: Person, world: World, stack: Stack, make: Factory, clock: SetClock
) -> None:
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    assert board.count_daily(sessions, stack.instance.programme, clock)
    assert not board.count_daily(sessions, stack.instance.programme, clock)
    make.package(make.person())
    page = client.get("/reports/kpi")
    assert "counted on Wednesday 1 March 2023, 9am" in page.words()
    assert "Supported 0" in page.words()
    assert "Supported 1" in client.get("/reports/kpi?as_of=2023-03-01").words(), "another day is counted anew"
    client.post("/reports/kpi/count", page="/reports/kpi")
    assert "Supported 1" in client.get("/reports/kpi").words()


def test_a_new_day_is_counted_in_the_night(
    stack: Stack, world: World, make: Factory, clock: SetClock, db: DbSession
) -> None:
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    programme = stack.instance.programme
    board.count_daily(sessions, programme, clock)
    clock.now = datetime(2023, 3, 2, 1, 59, tzinfo=UTC)
    assert not board.count_daily(sessions, programme, clock)
    clock.pass_time(minutes=1)
    assert board.count_daily(sessions, programme, clock)
    assert not board.count_daily(sessions, programme, clock)
    (row,) = db.scalars(select(Figure))
    assert row.as_of == date(2023, 3, 2)
    kept = board.kept(db)
    assert kept is not None
    assert kept.document == board.count(db, programme, as_of=row.as_of)
    raw = db.execute(text("select body_sealed from figure")).scalar_one()
    assert b"supported" not in bytes(raw)


def test_the_board_reads_one_row_and_no_answer(
    client: PageClient, team: Person, parts: list[Participation], stack: Stack
) -> None:
    client.post("/reports/kpi/count", page="/reports/kpi")
    said: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    event.listen(stack.engine, "before_cursor_execute", count)
    try:
        page = client.get("/reports/kpi")
    finally:
        event.remove(stack.engine, "before_cursor_execute", count)
    assert "1 of 5 leaders" in page.words()
    assert sum("FROM figure" in one for one in said) == 1
    assert not [one for one in said if re.search(r"FROM (response|participation|package)\b", one)]


def test_the_board_tells_change_and_looks_back(
    client: PageClient, team: Person, parts: list[Participation]
) -> None:
    words = client.get("/reports/kpi").words()
    for said in (
        "Higher than before 2",
        "Stayed at the highest point 1",
        "Unchanged 0",
        "Lower than before 1",
        "3 of 4 changed. Too few to test: a test needs 6.",
        "Say themselves that they have an example 3",
        "Accepted in part: does not count 1",
        "Waits for a verdict 1",
        "Before, of those who did not 0 1 0 0 0 1 2 2.00",
        "All whose answers on confidence are known both times 1 4 25%",
        "a change is reported here, not explained",
    ):
        assert said.lower() in words.lower()
    assert "full count" not in words, "one was silent"


def test_every_statement_by_strand_and_role(
    client: PageClient, team: Person, parts: list[Participation], make: Factory, world: World, clock: SetClock
) -> None:
    now = clock()
    (other,) = closed(make, make.person(role=Role.CHIEF_EXECUTIVE))
    world.pair(other, "slightly", "very")
    clock.now = now
    words = client.get("/reports/change").words()
    assert "5 of 6 whose last questionnaire has closed answered it in time" in words
    assert "5 3 1 0 1 Too few to test" in words
    chief = client.get("/reports/change?role=chief_executive").words()
    assert "1 of 1 whose last questionnaire" in chief
    assert "1 1 0 0 0 Too few to test" in chief
    assert "Nobody can be compared yet" in client.get("/reports/change?strand=group").words()
    client.get("/reports/change?as_of=nonsense", status=422)


def test_who_is_outstanding_and_what_was_sent(
    client: PageClient, team: Person, world: World, make: Factory, clock: SetClock
) -> None:
    package = make.package(make.person("Out Standing"), state=PackageState.AGREED)
    make.package(make.person("Not Asked"), state=PackageState.AGREED)
    _invite(world.db, clock, package)
    page = client.get("/reports/outstanding")
    words = page.words()
    assert "1 questionnaire is open and not sent" in words
    assert "Out Standing" in words
    assert "Invitation, waits" in words
    assert "Not Asked" not in words
    assert "Nobody is outstanding" in client.get("/reports/outstanding?wave=post").words()
    assert "Nobody is outstanding" in client.get("/reports/outstanding?strand=group").words()


def _invite(db: DbSession, clock: SetClock, package: Package) -> None:
    package_id = package.id
    with unit_of_work(db, clock, "system:test") as work:
        acts.invite(work, package_id=package_id)


def test_the_funnel_states_the_base_of_each_step(
    client: PageClient, team: Person, world: World, make: Factory, clock: SetClock
) -> None:
    now = clock()
    early, late, silent = (closed(make, make.person(), ended_on=date(2022, 11, 1))[0] for _ in range(3))
    world.pair(early, "fairly", "very")
    world.pair(late, None, "very", at=datetime(2023, 2, 10, tzinfo=UTC))
    clock.now = now
    make.package(
        make.person("Still has time"),
        state=PackageState.ENDED,
        starts_on=date(2022, 9, 1),
        ends_on=date(2023, 2, 27),
    )
    assert rows(client.get("/reports/waves?wave=post")) >= {
        "It was open to 4 4 100%",
        "Of them, in the last 90 days 1 90 days 4 25%",
        "Written to 0 1 0%",
        "Began it 2 4 50%",
        "Sent it 2 4 50%",
        "Its last day has passed 3 4 75%",
        "Of them, sent it in time 1 3 33%",
        "Of them, sent it late 1 3 33%",
        "Sent this and the one it is compared with 1 4 25%",
    }
    words = client.get("/reports/waves?wave=post").words()
    assert "1 of 3 with one-to-one support whose last day has passed sent it in time (33%)" in words
    assert silent.id not in {early.id, late.id}


def test_service_levels_open_their_lists(
    client: PageClient, team: Person, world: World, make: Factory, clock: SetClock, db: DbSession
) -> None:
    make.package(
        make.person(),
        state=PackageState.ENDED,
        starts_on=date(2022, 9, 1),
        ends_on=date(2022, 11, 1),
        council=make.council("Northshire"),
    )
    page = client.get("/reports/service-levels")
    ((number, href),) = lists(page)
    assert number == 1
    words = client.get(href).words()
    assert "One-to-one packages that ended under the minimum, 2022-23" in words
    assert "Northshire" in words
    client.get("/reports/service-levels/2029-30/group_councils", status=404)
    client.get("/reports/service-levels/2022-23/nothing", status=404)


def test_feedback_and_group_support_have_funnels_too(
    client: PageClient, team: Person, world: World, make: Factory
) -> None:
    members = [make.person() for _ in range(3)]
    make.package(*members, strand=Strand.GROUP, starts_on=date(2022, 9, 1))
    words = client.get("/reports/waves?wave=interim").words()
    assert "0 of 3 with group support whose last day has passed sent it in time" in words
    assert "It has been open to nobody yet" in client.get("/reports/waves?wave=feedback").words()
