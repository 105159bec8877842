"""Verdicts: an example beside the rubric, judged by the team, with its history."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from portal.answers import verdicts
from portal.models import Office, Package, PackageState, Person, Role
from privacy.audit import AuditEntry
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, revisions, versions
from surveys.models import Mode, Response, Wave
from surveys.questions import Value
from surveys.results import Verdict
from surveys.sittings import Asking
from tests.cleared import needed
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import PageClient

EXAMPLE: dict[str, Value | None] = {
    "impact_have": "yes",
    "impact_changed": "Fewer children move\nfar from home <b>now</b>",
    "impact_for": ["care", "other"],
    "impact_for.detail": "Their aunts",
    "impact_when": "Since March 2022",
    "impact_evidence": ["data"],
    "impact_part": "I asked for the figures each month",
}


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def reviewer(make: Factory) -> Person:
    return make.person("Tia Team", role=Role.TEAM)


@pytest.fixture
def package(make: Factory) -> Package:
    return make.package(
        make.person("Ada Lead"),
        mentor=make.mentor(),
        council=make.council("Northshire"),
        state=PackageState.ENDED,
        starts_on=date(2022, 9, 1),
        ends_on=date(2023, 2, 1),
    )


def seen(client: PageClient, path: str) -> str:
    """What the page of an example says that it shows."""
    (field,) = client.get(path).all("input", name="seen")
    return str(field.get("value"))


def judge(client: PageClient, path: str, verdict: str, note: str) -> None:
    client.post(path, {"verdict": verdict, "note": note, "seen": seen(client, path)})


def sent(db: DbSession, clock: SetClock, package: Package, **answers: Value | None) -> UUID:
    """A post questionnaire that was sent; what isn't said is left out, as if it had been imported."""
    required = dict.fromkeys(STATEMENTS, "fairly") | {
        "confidence_change": "much_more",
        **EXAMPLE,
        **answers,
    }
    asking = Asking(respondent_id=package.participations[0].id, wave=Wave.POST, role="lead_member")
    with unit_of_work(db, clock, "system:test") as work:
        return responses.submit_answers(work, asking, answers=required, mode=Mode.SELF).id


STATEMENTS = (
    *("role_confidence", "legal_duties", "corporate_parenting", "hearing_children", "care_good"),
    *("care_excellent", "send_good", "send_excellent", "reading_data", "right_questions", "challenge"),
    *("working_together", "inspection", "driving_change", "role_confidence_then"),
)


def judged(db: DbSession, response_id: UUID) -> list[dict[str, str]]:
    db.rollback()
    judgement = db.get_one(Response, response_id).judgement
    return judgement["verdicts"] if judgement else []


def test_an_example_is_read_beside_the_rubric_and_judged(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    response_id = sent(db, clock, package)
    assert verdicts.waiting(db) == 1
    client.sign_in(reviewer.id).say_why()
    home = client.get("/team")
    assert "1 example waits for a verdict" in home.words()
    assert "Nothing waits for you" not in home.words()
    listed = client.get("/team/verdicts")
    assert "Northshire" in listed.words()
    assert "Waiting" in listed.words()
    assert "Fewer children" not in listed.text
    assert "Ada Lead" not in listed.text, "office and council are enough to judge"
    page = client.get(f"/team/verdicts/{response_id}")
    assert "Fewer children move" in page.words()
    assert "<b>now</b>" not in page.text, "typed markup is shown as text"
    assert "Their aunts" in page.words()
    assert "Something shows it" in page.words()
    judge(client, f"/team/verdicts/{response_id}", "accepted", "Clear")
    assert [one["verdict"] for one in judged(db, response_id)] == ["accepted"]
    assert verdicts.waiting(db) == 0
    assert "0 examples wait for a verdict" in client.get("/team").words()
    assert "Accepted" in client.get("/team/verdicts").words()


def test_a_verdict_can_be_changed_and_the_earlier_one_stays(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    response_id = sent(db, clock, package)
    client.sign_in(reviewer.id).say_why()
    path = f"/team/verdicts/{response_id}"
    judge(client, path, "not_yet", "No evidence")
    judge(client, path, "accepted", "Now it is there")
    assert [one["verdict"] for one in judged(db, response_id)] == ["not_yet", "accepted"]
    page = client.get(path)
    assert page.words().index("Now it is there") < page.words().index("No evidence")
    assert page.words().count(", Tia Team, ") == 2, "each says who gave it"


def test_the_trail_says_that_a_verdict_was_given_and_not_which(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    response_id = sent(db, clock, package)
    client.sign_in(reviewer.id).say_why()
    judge(client, f"/team/verdicts/{response_id}", "accepted", "Marmalade")
    db.rollback()
    (line,) = db.scalars(select(AuditEntry).where(AuditEntry.action == "verdict.given")).all()
    assert line.details == "{}"
    stored = bytes(db.execute(text("select judgement_sealed from response")).scalar_one())
    assert b"accepted" not in stored
    assert b"Marmalade" not in stored


def test_a_reading_leaves_one_line_a_day(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    response_id = sent(db, clock, package)
    for _ in range(2):
        client.sign_in(reviewer.id).say_why()
        for _ in range(3):
            client.get(f"/team/verdicts/{response_id}")
        clock.pass_time(days=1)
    db.rollback()
    lines = db.scalars(select(AuditEntry.details).where(AuditEntry.action == "response.opened")).all()
    assert lines == ['{"purpose":"verdict","stated":"checking"}'] * 2


def test_two_reviewers_at_once_lose_neither_verdict(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory, reviewer: Person, package: Package
) -> None:
    response_id = sent(db, clock, package)
    path = f"/team/verdicts/{response_id}"
    client.sign_in(reviewer.id).say_why()
    shown = seen(client, path)
    with unit_of_work(db, clock, "person:other") as work:
        verdicts.give(work, response_id=response_id, verdict=Verdict.PARTLY, note="When was it?")
    second = client.post(path, {"verdict": "accepted", "note": "Clear to me", "seen": shown}, status=409)
    assert "Somebody else gave a verdict just now" in second.words()
    assert "When was it?" in second.words()
    (note,) = second.all("textarea", name="note")
    assert "Clear to me" in "".join(note.itertext())
    judge(client, path, "accepted", "Clear to me")
    assert [one["verdict"] for one in judged(db, response_id)] == ["partly", "accepted"]


@pytest.mark.parametrize("verdict", ["", "splendid"])
def test_a_verdict_is_one_of_three(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package, verdict: str
) -> None:
    response_id = sent(db, clock, package)
    client.sign_in(reviewer.id).say_why()
    page = client.post(f"/team/verdicts/{response_id}", {"verdict": verdict, "note": "Keep me"}, status=422)
    assert "Keep me" in page.text
    assert judged(db, response_id) == []


def test_no_example_is_no_row_and_no_page(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    nothing = dict.fromkeys(EXAMPLE) | {"impact_have": "no"}
    response_id = sent(db, clock, package, **nothing)
    client.sign_in(reviewer.id).say_why()
    assert "No example has been sent yet" in client.get("/team/verdicts").words()
    client.get(f"/team/verdicts/{response_id}", status=404)
    assert verdicts.waiting(db) == 0


def test_who_gave_or_got_the_support_does_not_judge_it(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory, package: Package
) -> None:
    response_id = sent(db, clock, package)
    mentor, leader = package.mentors[0].person_id, package.participations[0].person_id
    assert leader is not None
    for person_id in (mentor, leader):
        with unit_of_work(db, clock, "system:test") as work:
            work.db.add(Office(id=new_id(), person_id=person_id, role=Role.TEAM, from_on=date(2023, 1, 1)))
            if person_id == leader:
                work.db.add_all(needed(work, person_id, Role.TEAM))
        client.sign_in(person_id)
        assert "For a colleague" in client.get("/team/verdicts").words()
        client.get(f"/team/verdicts/{response_id}", status=404)
    questions = f"/questionnaires/{package.participations[0].id}/post/once/receipt"
    client.sign_in(leader).get(questions)
    client.sign_in(mentor).get(questions, status=404)
    page = client.get(f"/team/packages/{package.id}")
    assert "Interview" not in page.words()


@pytest.mark.parametrize("role", [Role.MENTOR, Role.OBSERVER, Role.AUDITOR, Role.DPO, Role.LEAD_MEMBER])
def test_only_the_team_judges(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory, package: Package, role: Role
) -> None:
    response_id = sent(db, clock, package)
    client.sign_in(make.person(role=role).id)
    client.get("/team/verdicts", status=404)
    client.get(f"/team/verdicts/{response_id}", status=404)
    db.rollback()
    assert db.scalars(select(AuditEntry.seq).where(AuditEntry.action == "response.opened")).all() == []


def test_a_verdict_is_not_given_on_what_was_corrected_meanwhile(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    response_id, part = sent(db, clock, package), package.participations[0]
    path, asking = (
        f"/team/verdicts/{response_id}",
        Asking(respondent_id=part.id, wave=Wave.POST, role="lead_member"),
    )
    client.sign_in(reviewer.id).say_why()
    shown = seen(client, path)
    clock.pass_time(minutes=5)
    with unit_of_work(db, clock, "person:team") as work:
        revisions.reopen(work, asking, asked=True)
        responses.submit(work, asking)
    page = client.post(path, {"verdict": "accepted", "note": "Clear", "seen": shown}, status=409)
    assert "or the example was corrected" in page.words()
    assert judged(db, response_id) == []
    judge(client, path, "accepted", "Clear as it is now")
    assert [one["note"] for one in judged(db, response_id)] == ["Clear as it is now"]


def test_a_form_that_is_sent_unopened_asks_what_for_and_keeps_what_was_typed(
    client: PageClient, db: DbSession, clock: SetClock, reviewer: Person, package: Package
) -> None:
    path = f"/team/verdicts/{sent(db, clock, package)}"
    client.sign_in(reviewer.id)
    for typed in ({}, {"verdict": "accepted", "note": "Marmalade"}):
        page = client.post(path, typed, status=303, page="/team/verdicts")
        assert page.response.headers["Location"] == "/team/why-you-read"
        assert "Their aunts" not in page.words()
    kept = client.follow(client.post("/team/why-you-read", {"purpose": "checking"}))
    assert "Marmalade" in kept.words()
