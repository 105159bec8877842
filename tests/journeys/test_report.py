"""A quarter's report in a real browser: the team releases it, the Department's observer reads and downloads it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from docx import Document
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session as DbSession

from portal.answers import verdicts
from portal.models import PackageState, Role
from privacy import registers
from privacy.registers import DataItem, Register
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Wave
from surveys.results import Verdict
from surveys.sittings import Asking
from tests.conftest import Stack, make_stack
from tests.crowd import whole_answers
from tests.factories import Factory
from tests.journeys.conftest import Person
from tests.served import Served

pytestmark = pytest.mark.journey

BEFORE, AFTER = datetime(2022, 3, 2, 9, tzinfo=UTC), datetime(2022, 7, 14, 9, tzinfo=UTC)
NOW = datetime(2023, 1, 9, 10, tzinfo=UTC)
LEADERS, ROSE = 12, 9


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An embedded database of its own: what a browser shows rests on no database."""
    made = make_stack(tmp_path_factory.mktemp("report"), {})
    yield made
    made.close()


class Reader(Person):
    """Somebody who reads figures, signed in by a cookie."""

    def __init__(self, browser: Browser, served: Served, person_id: UUID, *, javascript: bool = True) -> None:
        # Of the portal, only its address is used.
        super().__init__(browser, served, f"reader {person_id}", javascript=javascript)  # type: ignore[arg-type]
        self.context.add_cookies([served.cookie(person_id)])

    def download(self, name: str) -> tuple[str, bytes]:
        """Follow the link of a file: its name, and what is in it."""
        with self.page.expect_download() as waiting:
            self.follow(name)
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def _supported(stack: Stack, db: DbSession, make: Factory) -> None:
    """Leaders whose support ended in June and who answered in July; of most, confidence rose and the example counts.
    The Department has instructed that the numbers of the KPIs be shown whatever their size."""
    stack.clock.now = BEFORE
    versions.publish_shipped(db, stack.clock)
    with unit_of_work(db, stack.clock, "system:test") as work:
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter="DFE-31",
            from_on=make.today,
            items={DataItem.KPI_NUMBERS: True},
        )
    council = make.council(region="North West")
    ended: dict[str, Any] = {
        "state": PackageState.ENDED,
        "starts_on": date(2022, 3, 3),
        "ends_on": date(2022, 6, 30),
    }
    for number in range(LEADERS):
        package = make.package(make.person(council=council), council=council, **ended)
        asked: dict[str, Any] = {"respondent_id": package.participations[0].id, "role": "lead_member"}
        for wave, at, confidence in (
            (Wave.BASELINE, BEFORE, "slightly"),
            (Wave.POST, AFTER, "very" if number < ROSE else "slightly"),
        ):
            stack.clock.now = at
            answers = {**whole_answers(wave, "lead_member"), "role_confidence": confidence}
            with unit_of_work(db, stack.clock, "system:test") as work:
                sent = responses.submit_answers(
                    work, Asking(**asked, wave=wave), answers=answers, mode=Mode.SELF
                )
        with unit_of_work(db, stack.clock, "system:test") as work:
            verdicts.give(work, response_id=sent.id, verdict=Verdict.ACCEPTED, note="", seen=None)
    stack.clock.now = NOW


def test_the_team_releases_a_quarter_and_the_observer_downloads_it(
    browser: Browser, served: Served, stack: Stack, make: Factory, db: DbSession
) -> None:
    _supported(stack, db, make)
    team_id, observer_id = make.person(role=Role.TEAM).id, make.person(role=Role.OBSERVER).id
    db.rollback()

    # The observer has nothing to read yet.
    observer = Reader(browser, served, observer_id)
    observer.open("/")
    observer.follow("Results")
    observer.sees("Nothing is released yet")

    # The team notes a lesson, looks through the figures and releases them. It works without JavaScript.
    team = Reader(browser, served, team_id, javascript=False)
    team.open("/reports/releases")
    team.follow("Risks and lessons")
    team.follow("Note a risk or a lesson")
    team.page.get_by_label("A lesson").check()
    team.fill("In a sentence or two", "Ask for dates at the first meeting")
    team.press("Save")
    team.open("/reports/releases")
    team.follow("Release a period")
    team.follow("October to December 2022")
    team.page.get_by_label("I have looked through the figures").check()
    team.press("Release")
    team.sees("The figures are released")

    # The observer reads the report, with its pictures, and downloads it.
    observer.page.reload()
    observer.follow("October to December 2022")
    observer.follow("Read the whole report")
    observer.sees(f"{ROSE} of {LEADERS} leaders, 75%")
    observer.sees("Ask for dates at the first meeting")
    expect(observer.page.get_by_role("img").first).to_be_visible()
    name, word = observer.download("Word")
    assert name == "quarterly-2022-Q4.docx"
    told = [row.cells[1].text for table in Document(BytesIO(word)).tables[1:2] for row in table.rows]
    assert [str(ROSE), str(LEADERS), "0"] == told[2:5]
    name, page = observer.download("Web page")
    team.open(observer.page.url)
    assert team.download("Web page") == (name, page), "made again, it is the same"

    # On paper there is the report and nothing to press.
    observer.page.emulate_media(media="print")
    expect(observer.page.get_by_text("Download the report")).to_be_hidden()
    expect(observer.page.get_by_role("img").first).to_be_visible()
    assert observer.messages == []
    assert team.messages == []
