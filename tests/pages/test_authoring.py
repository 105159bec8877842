"""The team's pages about questionnaires: list, outline, preview, words, comparison, files."""

import io
import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Person, Role
from privacy.clock import Clock
from privacy.work import unit_of_work
from surveys import corrections, responses, versions
from surveys.models import Correction, Mode, Response, Version, Wave
from surveys.questionnaires import load, load_definition, written
from surveys.sittings import Asking
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import Page, PageClient

HERE = "/team/questionnaires"


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def team(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Tia Team", role=Role.TEAM).id)


def version(db: DbSession, code: str) -> UUID:
    db.rollback()
    return versions.current(db, code=code).id


def page_of(db: DbSession, code: str, more: str = "") -> str:
    return f"{HERE}/{version(db, code)}{more}"


def source(code: str, *changes: tuple[str, str]) -> str:
    text = written(load_definition(code))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def sent(*files: tuple[str, str | bytes]) -> dict[str, Any]:
    return {
        "files": [
            (io.BytesIO(data if isinstance(data, bytes) else data.encode()), name) for name, data in files
        ]
    }


def hidden(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in page.all("main")[0].iter("input"):
        if field.get("type") == "hidden" and field.get("name") != "csrf_token":
            found.setdefault(field.get("name"), []).append(field.get("value"))
    return found


# ---- list and outline


def test_only_the_team_gets_there(client: PageClient, make: Factory, db: DbSession) -> None:
    paths = (
        HERE,
        f"{HERE}/upload",
        *(page_of(db, "post", more) for more in ("", "/file", "/compare", "/wording", "/preview")),
    )
    for role in (Role.LEAD_MEMBER, Role.MENTOR, Role.OBSERVER, Role.DPO):
        client.sign_in(make.person(role=role).id)
        for path in paths:
            client.get(path, status=404)


def test_what_is_published_is_listed_and_outlined(team: PageClient, db: DbSession) -> None:
    words = team.get(HERE).words()
    for text in ("Before your support starts", "After your support", "Self-assessment", "Committee member"):
        assert text.lower() in words.lower()
    page = team.get(page_of(db, "post"))
    assert page.heading == "After your support"
    words = page.words()
    assert "Shown if ‘Can you give an example of something that has changed for the better" in words
    assert "is ‘Yes’" in words
    assert "Very confident (score 4)" in words
    assert "As a chief executive" in words
    tool = team.get(page_of(db, "scrutiny_self_assessment"))
    assert "As a scrutiny chair" in tool.words()
    assert "As a chief executive" not in tool.words()


def test_there_is_no_page_of_what_was_not_published(team: PageClient) -> None:
    team.get(f"{HERE}/00000000-0000-4000-8000-000000000000", status=404)


# ---- preview


def answered(page: Page, **chosen: Any) -> dict[str, Any]:
    data = hidden(page)
    for field in page.all("input", type="radio"):
        data.setdefault(field.get("name"), field.get("value"))
    for field in page.all("input", type="checkbox"):
        data.setdefault(field.get("name"), field.get("value"))
    for field in page.all("textarea"):
        data[field.get("name")] = "Some words"
    for field in page.all("input", type="text"):
        data[field.get("name")] = "Some words"
    return data | chosen


def test_a_preview_walks_the_real_pages_and_keeps_nothing(team: PageClient, db: DbSession) -> None:
    path = page_of(db, "post", "/preview")
    page = team.get(f"{path}?role=scrutiny_chair")
    assert page.heading == "Your role"
    seen = [page.heading]
    while page.heading != "End of the preview":
        page = team.post(path, answered(page), page=path, status=200)
        seen.append(page.heading)
    assert "What changed" in seen
    assert "Some words" in page.words()
    assert "Understanding the powers and duties of scrutiny" in page.words()
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Response)) == 0


def test_a_preview_takes_the_path_of_the_answers_and_goes_back(team: PageClient, db: DbSession) -> None:
    path = page_of(db, "post", "/preview")
    page = team.get(path)
    while page.heading != "Something that has changed":
        page = team.post(path, answered(page), page=path, status=200)
    page = team.post(path, answered(page, impact_have="no"), page=path, status=200)
    assert page.heading == "What would help"
    page = team.post(path, {**hidden(page), "_back": "yes"}, page=path, status=200)
    assert page.heading == "Something that has changed"
    assert page.all("input", value="no", name="impact_have")[0].get("checked") is not None


def test_a_preview_asks_for_what_is_required(team: PageClient, db: DbSession) -> None:
    path = page_of(db, "baseline", "/preview")
    page = team.post(path, hidden(team.get(path)), page=path, status=422)
    assert "Choose how confident you feel in your role" in page.words()
    tampered = {**hidden(page), "_answers": "bm9uZQ.x", "role_confidence": "very"}
    assert team.post(path, tampered, page=path, status=200).heading == "Your duties"


# ---- words


def corrected(page: Page, **changes: Any) -> dict[str, Any]:
    data = {name: values[0] for name, values in hidden(page).items()}
    data |= {field.get("name"): (field.text or "").removeprefix("\n") for field in page.all("textarea")}
    data |= {field.get("name"): field.get("value", "") for field in page.all("input", type="text")}
    return (
        data
        | {"reason": "Spelling", "same": "y"}
        | {name.replace("__", "-"): to for name, to in changes.items()}
    )


def test_words_are_corrected_with_a_reason_in_every_wave(team: PageClient, db: DbSession) -> None:
    path = page_of(db, "baseline", "/wording?part=question/reading_data")
    page = team.get(path)
    assert "They are corrected there too." in page.words()
    data = corrected(page, question__reading_data__text="Reading figures about services for children")
    page = team.follow(team.post(path, data))
    assert "The words are corrected." in page.words()
    assert "by Tia Team" in page.words()
    assert "Reading data about services for children, and seeing what matters in it" in page.words()
    db.rollback()
    for code in ("baseline", "interim", "post"):
        question = versions.current(db, code=code).questionnaire.placed["reading_data"][1]
        assert question.text == "Reading figures about services for children"
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Correction)) == 3
    assert db.scalar(select(func.count()).select_from(Version)) == 5
    assert "1 correction" in team.get(HERE).words()


def test_faults_in_words_stand_beside_them_and_nothing_typed_is_lost(team: PageClient, db: DbSession) -> None:
    path = page_of(db, "feedback", "/wording?part=question/session_useful")
    data = corrected(team.get(path), question__session_useful__text="x" * 301, reason="Because it is so")
    page = team.post(path, data, status=422)
    assert "text has 301 characters: 300 are the most" in page.words()
    assert page.all("a", href="#question-session_useful-text")
    assert "x" * 301 in page.text
    assert "Because it is so" in page.text
    page = team.post(path, {**data, "reason": ""}, status=422)
    assert "Say why the words change" in page.words()
    unsure = {name: value for name, value in data.items() if name != "same"}
    assert "Confirm that it still means the same" in team.post(path, unsure, status=422).words()
    same = corrected(team.get(path))
    assert "The words are as they were" in team.post(path, same, status=422).words()


def test_who_corrects_what_somebody_else_just_corrected_reads_it_first(
    team: PageClient, db: DbSession, clock: Clock
) -> None:
    path = page_of(db, "feedback", "/wording?part=title")
    data = corrected(team.get(path), title="How was the session")
    with unit_of_work(db, clock, "system:test") as work:
        corrections.correct(
            work, version_id=version(db, "feedback"), words={"title": "The session"}, reason="x"
        )
    assert "Somebody else changed this" in team.post(path, data, status=409).words()


def test_there_are_no_words_of_what_is_not_there(team: PageClient, db: DbSession) -> None:
    team.get(page_of(db, "feedback", "/wording?part=question/nothing"), status=404)
    old = page_of(db, "feedback", "/wording?part=title")
    team.follow(publish(team, source("feedback", ("Will you do", "Would you do"))))
    team.get(old, status=404)


# ---- files


def publish(team: PageClient, *texts: str) -> Page:
    files = [(f"f{number}.yaml", text) for number, text in enumerate(texts)]
    page = team.post(f"{HERE}/upload", sent(*files), status=200)
    return team.post(f"{HERE}/publish", hidden(page), page=f"{HERE}/upload")


def test_the_file_comes_back_as_it_went(team: PageClient, db: DbSession) -> None:
    response = team.http.get(page_of(db, "post", "/file"))
    assert response.headers["Content-Disposition"] == 'attachment; filename="post-1.yaml"'
    text = response.get_data(as_text=True)
    assert load(text, name="post.yaml") == load_definition("post")
    page = team.post(f"{HERE}/upload", sent(("post.yaml", text)), status=200)
    assert "It is the same as version 1 of post" in page.words()


def test_a_changed_file_is_shown_then_published(team: PageClient, db: DbSession) -> None:
    text = source("feedback", ("Not sure yet", "I can't say yet"), ("max_length: 1000", "max_length: 2000"))
    page = team.post(f"{HERE}/upload", sent(("feedback.yaml", text)), status=200)
    words = page.words()
    assert "It becomes version 2 of feedback" in words
    assert "Not sure yet" in words
    assert "I can't say yet" in words
    assert "2,000 characters" in words
    db.rollback()
    assert versions.current(db, code="feedback").number == 1
    page = team.follow(team.post(f"{HERE}/publish", hidden(page), page=f"{HERE}/upload"))
    assert "feedback 2 is published." in page.words()
    assert "Replaced" in page.words()
    page = team.get(page_of(db, "feedback", "/compare"))
    assert "Version 1 and version 2" in page.words()
    assert "I can't say yet" in page.words()
    team.get(page_of(db, "feedback", "/compare?with=7"), status=404)
    assert "There is no other version" in team.get(page_of(db, "post", "/compare")).words()


def test_words_alone_lead_to_a_correction(team: PageClient) -> None:
    text = source("feedback", ("Not sure yet", "I can't say yet"))
    page = team.post(f"{HERE}/upload", sent(("f.yaml", text)), status=200)
    assert "Only words are different" in page.words()


def test_every_fault_of_a_file_is_shown_with_its_place(team: PageClient, db: DbSession) -> None:
    text = source(
        "post", ("code: impact_when\n", "code: Impact\n"), ("code: very,", "code: very, colour: red,")
    )
    page = team.post(f"{HERE}/upload", sent(("post.yaml", text)), status=422)
    assert page.heading == "The file can't be published"
    assert re.search(r"Line \d+, impact > impact_story > Impact: the code Impact must be", page.words())
    assert "has an unknown key, colour" in page.words()
    page = team.post(f"{HERE}/upload", sent(("a.yaml", "a: !!python/object:os.system x")), status=422)
    assert "line 1: tags (!) can't be used" in page.words()
    buttons = {page.words(button) for button in page.all("button")}
    assert "Publish" not in buttons
    assert "Check the file" in buttons, "mended, it can be sent from here"


def test_a_measure_that_differs_is_refused_or_published_with_its_twin(
    team: PageClient, db: DbSession
) -> None:
    change = ("Reading data about", "Reading figures about")
    one, *others = (source(code, change) for code in ("baseline", "interim", "post"))
    page = team.post(f"{HERE}/upload", sent(("baseline.yaml", one)), status=422)
    assert "the measure reading_data differs in wording for lead_member, unlike in post" in page.words()
    page = team.follow(publish(team, one, *others))
    for code in ("baseline", "interim", "post"):
        assert f"{code} 2 is published." in page.words()


@pytest.mark.parametrize(
    "files,message",
    [
        ([], "Choose a file"),
        ([("a.yaml", b"\xff\xfe")], "a.yaml is not UTF-8 text"),
        ([("a.yaml", "x" * 200_000)], "a.yaml is bigger than 150 kB"),
        ([(f"{number}.yaml", "a") for number in range(5)], "Choose 4 files at most"),
    ],
)
def test_what_is_no_file_is_refused(
    team: PageClient, files: list[tuple[str, str | bytes]], message: str
) -> None:
    assert message in team.post(f"{HERE}/upload", sent(*files), status=422).words()


def test_two_files_of_one_questionnaire_are_one_too_many(team: PageClient) -> None:
    text = source("feedback", ("Not sure yet", "I can't say yet"))
    page = team.post(f"{HERE}/upload", sent(("a.yaml", text), ("b.yaml", text)), status=422)
    assert "was sent twice" in page.words()


def test_what_was_shown_is_what_is_published(team: PageClient, db: DbSession) -> None:
    mine, theirs = (source("feedback", ("Not sure yet", words)) for words in ("I can't say", "Perhaps"))
    shown = hidden(team.post(f"{HERE}/upload", sent(("f.yaml", mine)), status=200))
    publish(team, theirs)
    page = team.post(f"{HERE}/publish", shown, page=f"{HERE}/upload", status=409)
    assert "Somebody else changed this questionnaire just now" in page.words()
    assert "Perhaps" in page.words()
    team.post(f"{HERE}/publish", hidden(page), page=f"{HERE}/upload")
    db.rollback()
    assert versions.current(db, code="feedback").number == 3


@pytest.mark.parametrize("bodies", [[], ["{"], ['{"code": "x"}'], ["null"]])
def test_what_comes_back_from_the_browser_is_checked_again(team: PageClient, bodies: list[str]) -> None:
    page = team.post(f"{HERE}/publish", {"body": bodies, "seen": ["none"]}, page=f"{HERE}/upload", status=409)
    assert page.heading == "The file can't be published"


# ---- Q-e


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ada Lead")


@pytest.fixture
def package(make: Factory, leader: Person) -> Package:
    return make.package(leader, mentor=make.mentor(), council=make.council("Northshire"))


def test_answers_are_read_back_in_the_words_that_stood_when_they_were_sent(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock, leader: Person, package: Package
) -> None:
    """Q-e: words corrected, an option deleted, others reordered; what was sent stays as it was."""
    asking = Asking(respondent_id=package.participations[0].id, wave=Wave.BASELINE, role="lead_member")
    chosen = {
        question.code: "fairly" for question in load_definition("baseline").questions if question.measure
    }
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(
            work, asking, answers={**chosen, "time_in_role": "under_6_months"}, mode=Mode.SELF
        )
    clock.pass_time(days=1)
    team = client.sign_in(make.person(role=Role.TEAM).id)
    path = page_of(db, "baseline", "/wording?part=question/time_in_role")
    team.post(
        path,
        corrected(
            team.get(path),
            question__time_in_role__text="For how long have you been in this role?",
            question__time_in_role__option__under_6_months="Under half a year",
        ),
    )
    half, one, three = (
        f"      - {{code: {code}, label: {label}}}\n"
        for code, label in (
            ("under_6_months", "Less than 6 months"),
            ("under_1_year", "6 months to 1 year"),
            ("under_3_years", "1 to 3 years"),
        )
    )
    changed = source("baseline", (half + one + three, three + one.replace("6 months", "Up")))
    assert "baseline 2 is published." in team.follow(publish(team, changed)).words()

    client.sign_in(leader.id)
    receipt = client.get(f"/questionnaires/{asking.respondent_id}/baseline/once/receipt").words()
    assert "How long have you been in this role? Less than 6 months" in receipt
    assert "half a year" not in receipt
