"""Registers: instructions on a day, sub-processors and the mail route, risks, the access review, the pack."""

import io
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.mailing import post
from portal.mailing import queue as mail
from portal.mailing import route as mail_route
from portal.models import AccessDecision, Mail, MailState, Office, Person, Role
from portal.people import register as people
from portal.people.register import WrongDates
from portal.programme import load
from portal.registers import access_mails, access_review, assessment, instructions, personnel
from portal.registers.access_review import NotTheirs, OwnAccess
from portal.registers.instructions import NoGrounds, NotReplaced
from portal.settings import Mode, Smtp
from privacy import papers, registers, remarks, risks, subprocessors
from privacy.records import new_id
from privacy.registers import DataItem, Grounds, Register
from privacy.remarks import Part
from privacy.risks import LeftIsMore, Risk
from privacy.subprocessors import Refused, SubProcessor
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

TODAY = date(2023, 3, 1)
PUBLIC_TASK = Grounds("6(1)(e)", "9(2)(g)")
HOST = SubProcessor(
    name="Relay Ltd",
    does="Carries mail",
    location="Leeds, United Kingdom",
    hosts=("smtp.relay.example",),
    notified_on=date(2023, 1, 2),
    consented_on=date(2023, 1, 9),
    consent="DFE 4",
    agreed_on=date(2023, 1, 10),
    informed="Its address and its certificates",
)


# ---- instructions and schedule 3a


def instruct(db: DbSession, clock: SetClock, letter: str, **facts: Any) -> UUID:
    with unit_of_work(db, clock, "person:dpo") as work:
        given = {"from_on": TODAY, "wording": "Do so", **facts}
        return instructions.instruct(work, letter=letter, **given).id


def test_a_special_item_is_listed_with_its_grounds_alone(db: DbSession, clock: SetClock) -> None:
    listing = {DataItem.POLITICAL_GROUP: True, DataItem.CASE_WORDS: True}
    with pytest.raises(NoGrounds) as refused:
        instruct(db, clock, "A", items=listing)
    assert refused.value.field == "political_group_condition"
    with pytest.raises(NoGrounds):
        instruct(db, clock, "A", items=listing, grounds={DataItem.POLITICAL_GROUP: Grounds("6(1)(e)", "")})
    instruct(db, clock, "A", items=listing, grounds={DataItem.POLITICAL_GROUP: PUBLIC_TASK})
    found = {one.item: one for one in instructions.in_force(db, on=TODAY).listed}
    assert found[DataItem.POLITICAL_GROUP].grounds == PUBLIC_TASK
    assert found[DataItem.CASE_WORDS].entry is not None
    assert found[DataItem.DIETARY].entry is None


def test_what_is_replaced_holds_until_then(db: DbSession, clock: SetClock) -> None:
    old = instruct(db, clock, "A", items={DataItem.DIETARY: True}, grounds={DataItem.DIETARY: PUBLIC_TASK})
    with pytest.raises(NotReplaced):
        instruct(db, clock, "B", replaces_id=old, from_on=TODAY - timedelta(days=1))
    instruct(db, clock, "B", replaces_id=old, from_on=TODAY + timedelta(days=9))
    before, after = TODAY + timedelta(days=8), TODAY + timedelta(days=9)
    assert [one.letter for one in instructions.in_force(db, on=before).instructions] == ["A"]
    assert [one.letter for one in instructions.in_force(db, on=after).instructions] == ["B"]
    assert registers.lists(db, DataItem.DIETARY, on=before)
    assert not registers.lists(db, DataItem.DIETARY, on=after), "the letter that listed it is replaced"
    assert instructions.in_force(db, on=TODAY - timedelta(days=1)).instructions == []


def test_schedule_3a_has_versions(db: DbSession, clock: SetClock) -> None:
    rows = dict.fromkeys(instructions.ROWS, "As signed")
    for letter, day, data in (("CON 1", date(2021, 6, 1), "Names"), ("VAR 2", TODAY, "Names and numbers")):
        clock.pass_time(minutes=1)
        with unit_of_work(db, clock, "person:dpo") as work:
            instructions.set_schedule(work, letter=letter, from_on=day, rows={**rows, "data": data})
    assert instructions.in_force(db, on=TODAY).rows["data"] == "Names and numbers"
    assert instructions.in_force(db, on=TODAY - timedelta(days=1)).rows["data"] == "Names"
    assert instructions.in_force(db, on=date(2021, 5, 31)).version is None


# ---- sub-processors, and the way that mail takes


def keep(db: DbSession, clock: SetClock, what: SubProcessor, code: str | None = None) -> str:
    with unit_of_work(db, clock, "person:dpo") as work:
        return subprocessors.keep(work, what, code=code).letter


def changed(**facts: Any) -> SubProcessor:
    return SubProcessor(**{**vars(HOST), **facts})


@pytest.mark.parametrize(
    "facts, lacks",
    [
        ({}, []),
        ({"agreed_on": None}, ["a written agreement"]),
        ({"consented_on": None}, ["the Department's written consent"]),
        ({"informed": " "}, ["what the Department was told about it"]),
        ({"abroad": True}, ["on what the transfer abroad rests"]),
        ({"consented_on": date(2023, 3, 2)}, ["the Department's written consent"]),
    ],
)
def test_what_a_sub_processor_lacks(facts: dict[str, Any], lacks: list[str]) -> None:
    assert changed(**facts).lacking(on=TODAY) == lacks
    assert changed(**facts).in_force(on=TODAY) is (lacks == [])


def test_consent_follows_notice_and_has_a_letter(db: DbSession, clock: SetClock) -> None:
    for facts, field in (
        ({"notified_on": None}, "consented_on"),
        ({"notified_on": date(2023, 1, 10)}, "consented_on"),
        ({"consent": ""}, "consent"),
        ({"agreed_on": date(2023, 3, 2)}, "agreed_on"),
    ):
        with pytest.raises(Refused) as refused:
            keep(db, clock, changed(**facts))
        assert refused.value.field == field


def test_the_newest_entry_holds_and_the_earlier_stay(db: DbSession, clock: SetClock) -> None:
    first = keep(db, clock, changed(agreed_on=None))
    clock.pass_time(minutes=1)
    assert keep(db, clock, changed(name="Another")) == "S2"
    clock.pass_time(minutes=1)
    assert keep(db, clock, HOST, code=first) == first
    assert [(one.code, one.what) for one in subprocessors.sub_processors(db)] == [
        ("S1", HOST),
        ("S2", changed(name="Another")),
    ]
    assert len(registers.entries(db, Register.SUB_PROCESSOR)) == 3


def in_production(stack: Stack, host: str) -> Instance:
    settings = vars(stack.instance.settings) | {"mode": Mode.PRODUCTION, "smtp": Smtp(host, 587)}
    return Instance(**{**vars(stack.instance), "settings": type(stack.instance.settings)(**settings)})


def test_production_sends_by_own_hosts_or_sub_processors_in_force(
    stack: Stack, db: DbSession, clock: SetClock
) -> None:
    def why(host: str) -> str:
        instance = in_production(stack, host)
        return mail_route.refusal(db, instance.settings, instance.programme, now=clock()) or ""

    assert why("localhost") == ""
    assert "nor a sub-processor's in the register" in why("smtp.relay.example")
    keep(db, clock, changed(consented_on=None, agreed_on=None))
    assert "S1 lacks the Department's written consent; a written agreement (cl 17.11)" in why(
        "smtp.relay.example"
    )
    clock.pass_time(minutes=1)
    keep(db, clock, HOST, code="S1")
    assert why("SMTP.relay.example") == ""
    clock.pass_time(minutes=1)
    keep(db, clock, changed(ended_on=date(2023, 2, 1)), code="S1")
    assert why("smtp.relay.example") != ""
    development = stack.instance
    assert mail_route.refusal(db, development.settings, development.programme, now=clock()) is None


class Relay:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        self.sent.append(message)
        return None


def test_mail_that_may_not_go_waits_and_goes_once_it_may(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory
) -> None:
    instance, relay = in_production(stack, "smtp.relay.example"), Relay()
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    person = make.person(role=Role.TEAM)
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="test_mail", about=new_id(), to=person.id)
    sender, gate = mail_route.routed(relay, instance, sessions), mail_route.Gate(instance, sessions)
    assert gate() is False
    for _ in range(3):
        assert post.deliver(instance, sessions, sender) == 0
    db.rollback()
    waiting = db.scalars(select(Mail)).one()
    assert (waiting.state, waiting.tries, relay.sent) == (MailState.WAITING, 0, [])
    db.rollback()
    keep(db, clock, HOST)
    assert gate() is False, "looked at once a minute"
    clock.pass_time(minutes=1)
    assert gate() is True
    assert post.deliver(instance, sessions, sender) == 1
    assert len(relay.sent) == 1


# ---- risks, remarks, the pack


RISK = Risk(
    title="Answers become known",
    harm="They are held to them",
    measures="Sealed",
    owner="The officer",
    likelihood=3,
    severity=5,
    left_likelihood=1,
    left_severity=5,
)


def test_the_pack_is_one_document_with_evidence(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory
) -> None:
    instruct(
        db,
        clock,
        "DFE 7",
        items={DataItem.DIETARY: True},
        grounds={DataItem.DIETARY: Grounds("6(1)(a)", "9(2)(a)")},
    )
    with unit_of_work(db, clock, "person:dpo") as work:
        with pytest.raises(LeftIsMore):
            risks.keep(work, Risk(**{**vars(RISK), "left_likelihood": 4}))
        risks.keep(work, RISK)
        remarks.remark(work, on=Part.NECESSITY, text="Nobody can be invited without a name \N{GRINNING FACE}")
        subprocessors.keep(work, HOST)
    found = assessment.pack(stack.instance, db, now=clock())
    assert (found.risks[0].code, found.risks[0].what.score, found.risks[0].what.left) == ("R1", 15, 5)
    shown = {one.measure: one for one in found.evidence}
    assert not shown["Restoring in time"].good, "no drill was made"
    assert not shown["An audit trail that shows changes"].good
    kinds = dict(found.kinds)
    assert "Offices in councils, from when to when" in kinds["Who people are"], "not the names of columns"
    assert not any("_" in words for words in kinds.values())
    data = papers.render(assessment.paper(found, stack.instance.programme))
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    for words in (
        "con_9887",
        "Answers become known",
        "15 (high)",
        "5 (low)",
        "Relay Ltd",
        "9(2)(a) explicit consent",
        "Special categories: Dietary needs; Political group;",
        "Nobody can be invited",
        "Nothing shows it",
    ):
        assert words in " ".join(text.split()), words


def test_a_remark_that_is_emptied_is_gone_and_stays_in_the_register(db: DbSession, clock: SetClock) -> None:
    for text in ("First", "Second", ""):
        clock.pass_time(minutes=1)
        with unit_of_work(db, clock, "person:dpo") as work:
            remarks.remark(work, on="response", text=text)
    assert dict(remarks.remarks(db)) == {}
    assert len(registers.entries(db, Register.REMARK)) == 3


# ---- who can see what


@pytest.mark.parametrize(
    "on, due, open_on",
    [
        (date(2023, 3, 16), date(2022, 12, 31), date(2022, 12, 31)),
        (date(2023, 3, 17), date(2022, 12, 31), date(2023, 3, 31)),
        (date(2023, 4, 14), date(2022, 12, 31), date(2023, 3, 31)),
        (date(2023, 4, 15), date(2023, 3, 31), date(2023, 3, 31)),
        (date(2024, 1, 14), date(2023, 9, 30), date(2023, 12, 31)),
        (date(2024, 1, 15), date(2023, 12, 31), date(2023, 12, 31)),
    ],
)
def test_quarters(on: date, due: date, open_on: date) -> None:
    assert (access_review.due(on), access_review.open_on(on)) == (due, open_on)


def unreviewed(db: DbSession, make: Factory, role: Role) -> Person:
    """Somebody of whom no review has decided."""
    person = make.person(role=role)
    with unit_of_work(db, make.clock, "system:test") as work:
        for row in work.db.scalars(select(AccessDecision).where(AccessDecision.person_id == person.id)):
            work.db.delete(row)
    return db.get_one(Person, person.id, populate_existing=True)


def decide(db: DbSession, clock: SetClock, who: Person, *, by: Person, role: Role, kept: bool = True) -> int:
    with unit_of_work(db, clock, f"person:{by.id}") as work:
        return access_review.decide(work, person_ids=[who.id], kept=kept, roles=[role])


def test_who_is_not_confirmed_lapses_after_two_weeks_and_comes_back_at_once(
    db: DbSession, clock: SetClock, make: Factory
) -> None:
    officer, member = make.person(role=Role.DPO), unreviewed(db, make, Role.TEAM)
    assert access_review.lapsed(member, on=date(2023, 4, 14)) is None
    gone = access_review.lapsed(member, on=date(2023, 4, 15))
    assert gone is not None
    assert gone.words.endswith("lapsed on 15 April 2023")
    clock.now = datetime(2023, 4, 20, 9, tzinfo=UTC)
    assert decide(db, clock, member, by=officer, role=Role.DPO) == 1
    db.expire_all()
    assert access_review.lapsed(member, on=date(2023, 7, 14)) is None
    assert access_review.lapsed(member, on=date(2023, 7, 15)) is not None
    clock.pass_time(minutes=1)
    decide(db, clock, member, by=officer, role=Role.DPO, kept=False)
    db.expire_all()
    refused = access_review.lapsed(member, on=date(2023, 4, 20))
    assert refused is not None
    assert refused.refused


def test_nobody_confirms_themselves_and_officers_are_an_administrators(
    db: DbSession, clock: SetClock, make: Factory
) -> None:
    clock.now = datetime(2023, 3, 28, 9, tzinfo=UTC)
    clock.now = datetime(2023, 3, 1, 9, tzinfo=UTC)
    officer, second = unreviewed(db, make, Role.DPO), unreviewed(db, make, Role.DPO)
    administrator, member = make.person(role=Role.ADMINISTRATOR), unreviewed(db, make, Role.TEAM)
    clock.now = datetime(2023, 3, 28, 9, tzinfo=UTC)
    with pytest.raises(OwnAccess):
        decide(db, clock, officer, by=officer, role=Role.DPO)
    with pytest.raises(NotTheirs):
        decide(db, clock, second, by=officer, role=Role.DPO)
    with pytest.raises(NotTheirs):
        decide(db, clock, member, by=administrator, role=Role.ADMINISTRATOR)
    assert decide(db, clock, officer, by=administrator, role=Role.ADMINISTRATOR) == 1
    assert decide(db, clock, member, by=second, role=Role.DPO) == 1


def test_a_review_is_about_those_who_were_there(db: DbSession, clock: SetClock, make: Factory) -> None:
    early = unreviewed(db, make, Role.TEAM)
    clock.now = datetime(2023, 4, 3, 9, tzinfo=UTC)
    late = unreviewed(db, make, Role.TEAM)
    rows = access_review.review(db, quarter_on=date(2023, 3, 31), on=date(2023, 4, 3))
    assert [one.person.id for one in rows] == [early.id]
    assert access_review.lapsed(late, on=date(2023, 7, 14)) is None
    assert access_review.lapsed(late, on=date(2023, 7, 15)) is not None


def test_officers_are_told_twice_and_whoever_lapses_once(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory
) -> None:
    officer, member = make.person(role=Role.DPO).id, unreviewed(db, make, Role.TEAM).id
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    relay = Relay()

    def run(day: int, month: int = 4) -> list[tuple[str, UUID | None]]:
        clock.now = datetime(2023, month, day, 9, tzinfo=UTC)
        access_mails.run(stack.instance, sessions)
        access_mails.run(stack.instance, sessions)
        db.rollback()
        queued = db.execute(select(Mail.template, Mail.person_id).where(Mail.queued_at == clock.now)).all()
        db.rollback()
        return sorted((template, to) for template, to in queued)

    assert run(16, 3) == []
    assert run(17, 3) == [("access_review", officer)]
    assert run(7) == []
    assert run(8) == [("access_lapsing", member), ("access_review", officer)]
    assert run(16) == []
    clock.now = datetime(2023, 4, 8, 10, tzinfo=UTC)
    while post.deliver(stack.instance, sessions, relay):
        pass
    subjects = {str(message["Subject"]) for message in relay.sent}
    assert "Your access ends on 15 April 2023 unless it is confirmed" in subjects
    assert "Access review: 1 person waits" in subjects


def test_personnel_shows_what_is_missing_first(db: DbSession, make: Factory) -> None:
    make.person("Ann Cleared", role=Role.TEAM)
    make.person("Zed Lacks", role=Role.TEAM, cleared=False)
    found = personnel.personnel(db, on=TODAY)
    assert [(one.name, bool(one.gaps)) for one in found] == [("Zed Lacks", True), ("Ann Cleared", False)]


# ---- the auditor's time is bounded


def test_an_auditor_has_a_last_day(db: DbSession, clock: SetClock, make: Factory) -> None:
    def add(ends_on: date | None) -> None:
        with unit_of_work(db, clock, "system:command") as work:
            people.add(
                work,
                name="Au Ditor",
                email="au@audit.example",
                role=Role.AUDITOR,
                council_id=None,
                starts_on=TODAY,
                ends_on=ends_on,
            )

    for ends_on in (None, date(2024, 3, 2)):
        with pytest.raises(WrongDates, match="bounded time"):
            add(ends_on)
    add(date(2024, 3, 1))
    person_id = make.person(role=Role.TEAM).id
    with pytest.raises(IntegrityError), unit_of_work(db, clock, "system:test") as work:
        work.db.add(Office(id=new_id(), person_id=person_id, role=Role.AUDITOR, from_on=TODAY))


def test_the_programme_file_names_own_mail_hosts(tmp_path: Path, stack: Stack) -> None:
    text = (
        Path("programme.toml").read_text().replace("own_hosts = []", 'own_hosts = ["Mail.Programme.example"]')
    )
    path = tmp_path / "programme.toml"
    path.write_text(text)
    assert load(path).own_mail_hosts == {"mail.programme.example"}
