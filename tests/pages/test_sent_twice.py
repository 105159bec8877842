"""Pages that write down something new: sent twice, by a double click or after going back, they write it once; and
sent again with something else in it, they say so."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Person, Role
from privacy.cases.tables import Case, CaseKind, Notice
from privacy.records import Record
from privacy.registers import RegisterEntry
from tests.canary_walk import date_of
from tests.conftest import SetClock
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
    person_id, ref, other_id = person.id, person.ref, make.person("Bea Quill").id
    make.db.rollback()
    take_in(officer, about=ref, **TODAY)
    take_in(officer, kind="incident", **TODAY)
    take_in(officer, kind="foi", **TODAY)
    by_kind = dict(db.execute(select(Case.kind, Case.id)).all())
    notice_id = db.scalar(select(Notice.id).where(Notice.case_id == by_kind[CaseKind.ACCESS]))
    foi_notice_id = db.scalar(select(Notice.id).where(Notice.case_id == by_kind[CaseKind.FOI]))
    db.rollback()
    assert notice_id is not None
    assert foi_notice_id is not None
    return {
        "officer": officer_id,
        "person": person_id,
        "other": other_id,
        "access": by_kind[CaseKind.ACCESS],
        "incident": by_kind[CaseKind.INCIDENT],
        "foi": by_kind[CaseKind.FOI],
        "notice": notice_id,
        "foi_notice": foi_notice_id,
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


CHANGED: Mapping[str, dict[str, Any]] = {
    "an instruction": {"letter": "I 9"},
    "the Controller's word for one person": {"wording": "Do not"},
    "a standing instruction": {"wording": "Do not"},
    "schedule 3a": {"plan": "Otherwise"},
    "a sub-processor": {"does": "Reads mail"},
    "a risk": {"harm": "They are asked about them"},
    "a part of the assessment": {"text": "Because of this"},
    "a remark": {"text": "Seen twice"},
    "a template": {"text": "We have it. You hear from us."},
    "an exercise": {"scenario": "keys"},
    "a case": {"asked": "Only some"},
    "a hold": {"reason": "Another claim"},
    "what was put right": {"value": "Ada Quall"},
    "an event": {"text": "Another note"},
    "an assessment": {"risk": "None"},
    "a search": {"proportionate": "Nothing else names them"},
    "a letter": {"text": "We do not have it."},
    "a notice that was left there": {"evidence": "The porter"},
    "a turn on the rota": date_of("to_on", 3, 3),
}
SENT_BEFORE = "This page was sent before with something else in it"


@pytest.mark.parametrize("what", FORMS)
def test_what_is_sent_again_with_something_else_in_it_is_not_taken_for_the_first(
    officer: PageClient, db: DbSession, world: World, what: str
) -> None:
    page, action, typed = FORMS[what]
    at, to = page.format(**world), (action or page).format(**world)
    said = {name: str(value).format(**world) for name, value in typed.items()}
    changed = {**said, **{name: str(value) for name, value in CHANGED[what].items()}}
    data = filled(officer.get(at), to, said)
    assert officer.http.post(to, data=data).status_code == 303
    before = rows(db)
    refused = Page(officer.http.post(to, data={**data, **{name: [text] for name, text in changed.items()}}))
    assert refused.status == 409, refused.words()
    assert SENT_BEFORE in refused.words()
    assert rows(db) == before
    # What was typed is still there, under a new id: sent once more, it is another one.
    again = filled(refused, to, {"event": said["event"]} if "event" in said else {})
    chosen = ("kind", "channel", "table", "scenario", "item", "person_id")
    ticked = {name: text for name, text in changed.items() if name in chosen}
    assert {name: again.get(name) for name in changed if name not in ticked} == {
        name: [text] for name, text in changed.items() if name not in ticked
    }
    answer = officer.http.post(to, data={**again, **{name: [text] for name, text in ticked.items()}})
    assert answer.status_code == 303, Page(answer).words()
    assert rows(db) != before


def test_what_holds_from_today_is_the_same_after_midnight(
    client: PageClient, officer_id: UUID, db: DbSession, clock: SetClock
) -> None:
    clock.now = datetime(2023, 3, 6, 23, 55, tzinfo=UTC)
    officer, path = client.sign_in(officer_id), "/privacy-desk/people/instructions"
    data = filled(officer.get(path), path, {"letter": "I 2", "wording": "Do"})
    assert officer.http.post(path, data=data).status_code == 303
    clock.pass_time(minutes=10)
    assert officer.http.post(path, data=data).status_code == 303
    db.rollback()
    assert db.scalars(select(RegisterEntry.from_on)).all() == [date(2023, 3, 6)]


@pytest.mark.parametrize(
    "what, other",
    [
        ("a letter", {"access": "foi"}),
        ("a search", {"access": "foi"}),
        ("an event", {"incident": "access"}),
        ("a hold", {"person": "other"}),
        ("a notice that was left there", {"notice": "foi_notice"}),
    ],
)
def test_the_id_of_a_row_elsewhere_is_no_id_of_a_new_one(
    officer: PageClient, db: DbSession, world: World, what: str, other: dict[str, str]
) -> None:
    page, action, typed = FORMS[what]
    said = {name: str(value).format(**world) for name, value in typed.items()}
    there = {**world, **{name: world[key] for name, key in other.items()}}
    at, to = page.format(**world), (action or page).format(**world)
    data = filled(officer.get(at), to, said)
    assert officer.http.post(to, data=data).status_code == 303
    before = rows(db)
    refused = Page(officer.http.post((action or page).format(**there), data=data))
    assert refused.status == 409, refused.words()
    assert rows(db) == before


def test_an_exercise_with_the_id_of_a_case_does_not_lead_to_that_case(
    officer: PageClient, db: DbSession, world: World
) -> None:
    path = "/desk/exercises/new"
    typed = {"scenario": "mail", "words": "", "case_id": world["incident"]}
    before = rows(db)
    refused = Page(officer.http.post(path, data=filled(officer.get(path), path, typed)))
    assert refused.status == 409
    assert SENT_BEFORE in refused.words()
    assert rows(db) == before


def test_a_case_that_is_closed_again_with_another_reason_is_told_so(
    officer: PageClient, db: DbSession, world: World
) -> None:
    page, to = f"/desk/cases/{world['access']}", f"/desk/cases/{world['access']}/events"
    typed = {"event": "closed", "outcome": "Done", "evidence": "A letter", "left_out": "They rang"}
    data = filled(officer.get(page), to, typed)
    for _ in range(2):
        assert officer.http.post(to, data=data).status_code == 303
    refused = Page(officer.http.post(to, data={**data, "left_out": ["They wrote"]}))
    assert refused.status == 409
    assert SENT_BEFORE in refused.words()


def test_files_are_looked_at_too(officer: PageClient, db: DbSession, world: World) -> None:
    page, to = f"/desk/cases/{world['incident']}", f"/desk/cases/{world['incident']}/events"
    data = filled(officer.get(page), to, {"event": "note", "text": "A note"})

    def send(words: bytes) -> Page:
        return Page(officer.http.post(to, data={**data, "files": (BytesIO(words), "note.txt")}))

    assert [send(b"One").status, send(b"One").status, send(b"Two").status] == [303, 303, 409]


def test_restricting_twice_does_not_lift_it_again(officer: PageClient, db: DbSession, world: World) -> None:
    officer.post("/privacy-desk/people/instructions", {"letter": "I 1", "wording": "Do"})
    path = f"/privacy-desk/people/{world['person']}/restrict"
    data = filled(officer.get(path), path, {"letter": "I 1"})
    for _ in range(2):
        answer = officer.http.post(path, data=data)
        assert "The data is restricted." in officer.get(answer.headers["Location"]).words()
    assert db.scalars(select(Person.restricted_at).where(Person.id == world["person"])).one() is not None
