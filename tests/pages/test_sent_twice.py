"""Pages that write down something new: sent twice, by a double click or after going back, they write it once."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Person, Role
from privacy import registers
from privacy.cases.tables import Case, CaseKind, Notice
from privacy.records import Record
from privacy.registers import Register
from tests.canary_walk import date_of
from tests.factories import Factory
from tests.pages.test_cases import take_in
from tests.pages.test_registers import RISK, SUB_PROCESSOR
from tests.pages_client import Page, PageClient

TODAY = date_of("on", 1, 3)
DAY = date_of("from_on", 1, 1)
SCHEDULE = dict.fromkeys(("subject", "duration", "purposes", "data", "people", "plan"), "So")

World = Mapping[str, UUID]


@pytest.fixture
def officer_id(make: Factory) -> UUID:
    return make.person("Dee Pio", role=Role.DPO).id


@pytest.fixture
def officer(client: PageClient, officer_id: UUID) -> PageClient:
    return client.sign_in(officer_id)


@pytest.fixture
def world(officer: PageClient, officer_id: UUID, db: DbSession, make: Factory) -> World:
    """A person, a request of theirs, an incident, and the notice of the request."""
    person = make.person("Ada Quill")
    person_id, ref = person.id, person.ref
    make.db.rollback()
    take_in(officer, about=ref, **TODAY)
    take_in(officer, kind="incident", **TODAY)
    by_kind = dict(db.execute(select(Case.kind, Case.id)).all())
    notice_id = db.scalar(select(Notice.id).where(Notice.case_id == by_kind[CaseKind.ACCESS]))
    db.rollback()
    assert notice_id is not None
    return {
        "officer": officer_id,
        "person": person_id,
        "access": by_kind[CaseKind.ACCESS],
        "incident": by_kind[CaseKind.INCIDENT],
        "notice": notice_id,
    }


def rows(db: DbSession) -> dict[str, int]:
    """How many rows each table has."""
    db.rollback()
    return {
        table.name: db.scalar(select(func.count()).select_from(table)) or 0
        for table in Record.metadata.sorted_tables
    }


def filled(page: Page, path: str, typed: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a browser would send of the form that goes to a path: its fields as they came, and what is typed."""
    form = next(
        one
        for one in page.all("form")
        if one.get("action") == path and ("event" not in typed or one.get("id") == f"form-{typed['event']}")
    )
    sent: dict[str, list[str]] = {}
    for field in form.iter("input"):
        if field.get("type") == "file":
            continue
        if field.get("type") not in ("radio", "checkbox") or field.get("checked") is not None:
            sent.setdefault(field.get("name"), []).append(field.get("value", ""))
    for field in form.iter("textarea"):
        sent[field.get("name")] = [(field.text or "").removeprefix("\n")]
    return {**sent, **{name: [str(value)] for name, value in typed.items()}}


FORMS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    # What is written down: the page, where its form goes (empty: the page itself), and what is typed.
    "an instruction": (
        "/privacy-desk/instructions/new",
        "",
        {"letter": "I 1", "wording": "Do", **DAY},
    ),
    "the Controller's word for one person": (
        "/privacy-desk/people/instructions",
        "",
        {"letter": "I 2", "wording": "Do"},
    ),
    "a standing instruction": (
        "/privacy-desk/instructions/standing/new",
        "",
        {"letter": "I 3", "wording": "Do", "own_download": "yes", **DAY},
    ),
    "schedule 3a": ("/privacy-desk/instructions/schedule-3a", "", {"letter": "I 4", **SCHEDULE, **DAY}),
    "a sub-processor": ("/desk/registers/sub-processors/new", "", SUB_PROCESSOR),
    "a risk": ("/desk/registers/assessment/risks/new", "", RISK),
    "a part of the assessment": ("/desk/registers/assessment/words/purpose", "", {"text": "Because"}),
    "a remark": ("/desk/registers/processing/person", "", {"text": "Seen"}),
    "a template": (
        "/desk/letter-templates/acknowledge",
        "",
        {"title": "Your request", "text": "We have it."},
    ),
    "an exercise": ("/desk/exercises/new", "", {"scenario": "mail", "words": ""}),
    "a case": (
        "/desk/cases/new",
        "",
        {"kind": "foi", "channel": "email", "asked": "All", **TODAY},
    ),
    "a hold": (
        "/privacy-desk/people/{person}/hold",
        "",
        {"cause": "legal", "reason": "A claim"},
    ),
    "what was put right": (
        "/privacy-desk/people/{person}/rectify",
        "",
        {"item": "person:{person}:name", "value": "Ada Quell", "reason": "Misread", "told": ""},
    ),
    "an event": (
        "/desk/cases/{incident}",
        "/desk/cases/{incident}/events",
        {"event": "note", "text": "A note"},
    ),
    "an assessment": (
        "/desk/cases/{incident}/affected",
        "/desk/cases/{incident}/affected/assess",
        {"risk": "Some", "table": "person"},
    ),
    "a search": ("/desk/cases/{access}/search", "", {"proportionate": "It is all there is"}),
    "a letter": (
        "/desk/cases/{access}/letters/new/acknowledge",
        "",
        {"name": "Ada", "email": "ada@example.org", "address": "", "title": "Yours", "text": "We have it."},
    ),
    "a notice that was left there": (
        "/desk/notices/{notice}/carried",
        "",
        {"way": "hand", "to": "department", "at": "9am", "evidence": "The desk", **TODAY},
    ),
    "a turn on the rota": (
        "/desk/duty",
        "",
        {"person_id": "{officer}", **date_of("from_on", 1, 3), **date_of("to_on", 2, 3)},
    ),
}


@pytest.mark.parametrize("what", FORMS)
def test_what_is_sent_twice_is_written_down_once(
    officer: PageClient, db: DbSession, world: World, what: str
) -> None:
    page, action, typed = FORMS[what]
    at, to = page.format(**world), (action or page).format(**world)
    said = {name: str(value).format(**world) for name, value in typed.items()}
    data = filled(officer.get(at), to, said)
    before = rows(db)
    answers, counted = [], []
    for _ in range(2):
        answer = officer.http.post(to, data=data)
        assert answer.status_code == 303, Page(answer).words()
        answers.append((answer.headers["Location"], officer.get(answer.headers["Location"]).words()))
        counted.append(rows(db))
    assert counted[0] != before
    assert counted[1] == counted[0]
    assert answers[1] == answers[0]


def test_a_page_that_is_sent_again_with_something_else_in_it_is_not_taken_for_the_first(
    officer: PageClient, db: DbSession
) -> None:
    path = "/privacy-desk/instructions/new"
    typed = {"letter": "I 1", "wording": "Do", **DAY}
    data = filled(officer.get(path), path, typed)
    assert officer.http.post(path, data=data).status_code == 303
    refused = Page(officer.http.post(path, data={**data, "letter": ["I 2"]}))
    assert refused.status == 409
    assert "This page was sent before with something else in it" in refused.words()
    again = filled(refused, path, {**typed, "letter": "I 2"})
    assert officer.http.post(path, data=again).status_code == 303
    db.rollback()
    entered = {one.letter for one in registers.entries(db, Register.INSTRUCTION)}
    assert entered == {"I 1", "I 2"}


def test_restricting_twice_does_not_lift_it_again(officer: PageClient, db: DbSession, world: World) -> None:
    officer.post("/privacy-desk/people/instructions", {"letter": "I 1", "wording": "Do"})
    path = f"/privacy-desk/people/{world['person']}/restrict"
    data = filled(officer.get(path), path, {"letter": "I 1"})
    for _ in range(2):
        answer = officer.http.post(path, data=data)
        assert "The data is restricted." in officer.get(answer.headers["Location"]).words()
    assert db.scalars(select(Person.restricted_at).where(Person.id == world["person"])).one() is not None
