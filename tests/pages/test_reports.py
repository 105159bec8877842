"""The KPI page and the commands that print the same figures."""

import hashlib
import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.desk import restriction
from portal.forms.base import PARTS
from portal.models import PackageState, Role
from privacy import registers
from privacy.registers import Register
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.questions import Value
from surveys.sittings import Asking
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages.test_verdicts import EXAMPLE, STATEMENTS
from tests.pages_client import PageClient


@pytest.fixture(autouse=True)
def _world(db: DbSession, clock: SetClock, make: Factory) -> None:
    """One leader who answered and whose window has closed, one who was silent, one whose support runs."""
    versions.publish_shipped(db, clock)
    today = clock()
    ended: dict[str, Any] = {
        "state": PackageState.ENDED,
        "starts_on": date(2022, 9, 1),
        "ends_on": date(2022, 11, 1),
    }
    answering = make.package(make.person("Ada Lead"), **ended)
    make.package(make.person("Sil Ent"), **ended)
    make.package(make.person("Run Ning"))
    clock.now = today - timedelta(days=60)
    answers: dict[str, Value | None] = {
        **dict.fromkeys(STATEMENTS, "fairly"),
        "confidence_change": "much_more",
        **EXAMPLE,
    }
    asking = Asking(respondent_id=answering.participations[0].id, wave=Wave.POST, role="lead_member")
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
    clock.now = today


def test_the_page_shows_the_figure_its_bases_and_its_definition(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    page = client.get("/reports/kpi")
    words = page.words()
    assert "0 of 2 leaders feel more confident and can show impact, 0%: below the target of 75%" in words
    for said in (
        "Supported 3",
        "closed: the base 2",
        "did not answer in time, counted as no 1",
        "Waits for a verdict 1",
        "Say themselves that they have an example 1",
        "silence as no (the headline) 0 2 0%",
        "silence as yes (the best case) 1 2 50%",
        "All who answered in time 0 1 0%",
    ):
        assert said in words
    assert "1 of the 1 who answered in time say that they feel more confident" in words
    assert "Nobody can be compared yet" in words
    assert "Each leader counts once" in words
    assert "Target 75%" in words
    assert "Nobody is counted yet" in words, "KPI 2 has no figure"
    assert page.all("a", href="/team/packages?strand=one_to_one")


def test_who_is_restricted_stands_in_the_count_so_that_it_adds_up(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock
) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    assert "restricted" not in client.get("/reports/kpi").words()
    leader = make.person("Re Strict")
    make.package(leader)
    leader_id = leader.id
    with unit_of_work(db, clock, "system:test") as work:
        registers.enter(work, register=Register.INSTRUCTION, letter="INS 1", from_on=make.today, body="So")
        work.db.flush()
        restriction.restrict(work, person_id=leader_id, letter="INS 1")
    words = client.get("/reports/kpi").words()
    for said in ("Supported 4", "Support still running 1", "Data restricted for now: in no other figure 1"):
        assert said in words


def test_the_observer_is_led_to_what_was_released(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.OBSERVER).id)
    for query in ("", "?as_of=2023-02-01"):
        answer = client.get(f"/reports/kpi{query}", status=303)
        assert answer.response.headers["Location"] == "/reports/releases"


def test_another_day(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    for asked in ("as_of=2023-01-31", "as_of-day=31&as_of-month=jan&as_of-year=2023"):
        page = client.get(f"/reports/kpi?{asked}")
        assert "As it stood on 31 January 2023" in page.words()
        assert "0 of 2" not in page.words()
        typed = {part: page.all("input", name=f"as_of-{part}")[0].get("value") for part in PARTS}
        assert typed["year"] == "2023"
    client.get("/reports/kpi?as_of-day=&as_of-month=&as_of-year=")


@pytest.mark.parametrize("page", ["kpi", "change", "answers", "service-levels"])
def test_a_day_that_is_typed_wrong_is_told_beside_it(client: PageClient, make: Factory, page: str) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    typed = "as_of-day=31&as_of-month=2&as_of-year=2023"
    wrong = client.get(f"/reports/{page}?{typed}", status=422)
    assert "The day must be a real date, such as 27 3 2023" in wrong.words(wrong.all("fieldset")[0])
    assert wrong.all("a", href="#as_of-day")
    assert wrong.all("input", name="as_of-day")[0].get("value") == "31"
    early = client.get(f"/reports/{page}?as_of-day=1&as_of-month=1&as_of-year=1999", status=422)
    assert "The day must be in the years 2000 to 2100" in early.words()


@pytest.mark.parametrize("day", ["2023-02-31", "9999-12-31", "0001-01-01", "1999-12-31", "2101-01-01", "x"])
def test_a_day_that_is_none(client: PageClient, stack: Stack, make: Factory, day: str) -> None:
    client.sign_in(make.person(role=Role.TEAM).id)
    wrong = client.get(f"/reports/kpi?as_of={day}", status=422)
    assert "The day must be a real date, such as 27 3 2023" in wrong.words()
    for name in ("kpi", "sla"):
        result = stack.app.test_cli_runner().invoke(args=["report", name, "--as-of", day])
        assert result.exit_code == 2
        assert "must be a real date from 2000 to 2100" in result.stderr


@pytest.mark.parametrize("role", [Role.MENTOR, Role.LEAD_MEMBER, Role.ADMINISTRATOR, Role.DPO])
def test_nobody_else_reads_it(client: PageClient, make: Factory, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.get("/reports/kpi", status=404)


def test_the_command_prints_one_json_document(stack: Stack) -> None:
    result = stack.app.test_cli_runner().invoke(args=["report", "kpi", "--as-of", "2023-03-01", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["as_of"] == "2023-03-01"
    first, second = document["kpis"]
    assert (first["id"], first["strand"], first["target"]) == ("KPI 1", "one_to_one", 0.75)
    wanted = {"supported": 3, "closed": 2, "answered": 1, "matched": 0, "both": 0, "base": 2, "share": 0.0}
    assert {name: first[name] for name in wanted} == wanted
    assert first["interval"] == pytest.approx([0.0, 0.6576], abs=0.0005)
    assert (first["met"], first["met_with_confidence"]) == (False, False)
    assert (second["strand"], second["base"], second["share"]) == ("group", 0, None)
    assert [side["name"] for side in first["sides"]][:2] == ["silence_no", "silence_yes"]
    assert first["definition"].startswith("Leaders who had one-to-one support")
    for stamped in (document, first, second):
        content = {name: value for name, value in stamped.items() if name != "hash"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert stamped["hash"] == hashlib.sha256(text.encode()).hexdigest()
    again = stack.app.test_cli_runner().invoke(args=["report", "kpi", "--as-of", "2023-03-01", "--json"])
    assert again.stdout == result.stdout


def test_the_command_prints_a_table(stack: Stack) -> None:
    result = stack.app.test_cli_runner().invoke(args=["report", "kpi"])
    assert "KPI 1: 0% (range 0% to 66%) against 75%" in result.stdout
    assert "KPI 2: no share yet" in result.stdout


def test_questionnaires_are_listed_with_their_responses(stack: Stack) -> None:
    result = stack.app.test_cli_runner().invoke(args=["questionnaires", "list", "--json"])
    rows = {row["code"]: row for row in json.loads(result.stdout)["questionnaires"]}
    assert {"baseline", "interim", "post", "feedback"} <= set(rows)
    assert (rows["post"]["version"], rows["post"]["waves"], rows["post"]["responses"]) == (1, ["post"], 1)


def test_a_definition_is_checked_and_published(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("definitions") / "tool.yaml"
    path.write_text(
        "code: tool\ntitle: A tool\nsections:\n  - code: s\n    title: S\n    pages:\n      - code: p\n"
        "        title: P\n        questions:\n          - {code: q, kind: text, text: What}\n",
        encoding="utf-8",
    )
    run = stack.app.test_cli_runner().invoke
    assert "no fault" in run(args=["questionnaires", "check", str(path)]).stdout
    assert "tool 1 published" in run(args=["questionnaires", "publish", str(path)]).stderr
    assert "in force already" in run(args=["questionnaires", "publish", str(path)]).stderr
    path.write_text(path.read_text(encoding="utf-8").replace("kind: text", "kind: song"), encoding="utf-8")
    wrong = run(args=["questionnaires", "check", str(path)])
    assert wrong.exit_code == 1
    assert "kind must be one of" in wrong.stderr
