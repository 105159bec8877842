"""What the product suspects of itself, drafts that are confirmed or dismissed, and who is affected by an incident."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.cases import incidents, suspicions
from portal.cases.incidents import Unknown
from portal.desk import housekeeping
from portal.mailing.contexts import Around
from portal.models import Mail, Mailbox, Suspicion, SuspicionCause
from privacy import backup_records, chain_checks, erasure
from privacy.audit import Action, AuditEntry, AuditHead
from privacy.backup_records import RunKind
from privacy.cases import acts, affected
from privacy.cases.rules import CaseClosed, CaseRefused, Incomplete
from privacy.cases.story import State
from privacy.cases.tables import Case, CaseKind, Event, Notice
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

Look = Callable[[], list[SuspicionCause]]
ANALYST = f"person:{new_id()}"


@pytest.fixture
def look(stack: Stack, db: DbSession) -> Look:
    """Let the worker look; what it raised so far, oldest first."""
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})

    def run() -> list[SuspicionCause]:
        suspicions.run(stack.instance, sessions)
        suspicions.run(stack.instance, sessions)
        db.rollback()
        found = list(db.scalars(select(Suspicion.cause).order_by(Suspicion.found_at, Suspicion.cause)))
        db.rollback()
        return found

    return run


def leave(db: DbSession, clock: SetClock, act: Callable[[Work], object], *, by: str = "system:test") -> None:
    with unit_of_work(db, clock, by) as work:
        act(work)


def refused_seal(work: Work) -> None:
    work.record(Action.SEAL_REFUSED, object=f"person:{new_id()}", table="person", column="name_sealed")


def exported(work: Work) -> None:
    facts: dict[str, Any] = {"code": "post", "format": "csv", "named": True, "partial": False, "rows": 9}
    work.record(Action.EXPORT_MADE, object=f"export:{new_id()}", **facts)


def refused_sign_in(work: Work) -> None:
    work.record(Action.SIGN_IN_REFUSED, object=f"sign_in:{new_id()}", why="code")


def failed_drill(work: Work) -> None:
    backup_records.note(work, RunKind.DRILL, name="b", began_at=work.now, seconds=1, trouble="CanaryRefused")


def good_drill(work: Work) -> None:
    backup_records.note(work, RunKind.DRILL, name="b", began_at=work.now, seconds=1)


@pytest.mark.parametrize(
    "act, cause",
    [
        (refused_seal, SuspicionCause.SEAL),
        (exported, SuspicionCause.EXPORT),
        (failed_drill, SuspicionCause.DRILL),
        (good_drill, None),
        (lambda work: [refused_sign_in(work) for _ in range(suspicions.REFUSED_AT_MOST)], None),
        (lambda work: [refused_sign_in(work) for _ in range(21)], SuspicionCause.SIGN_IN),
    ],
)
def test_a_draft_is_opened_once_and_the_officer_is_told(
    db: DbSession, clock: SetClock, look: Look, act: Callable[[Work], object], cause: SuspicionCause | None
) -> None:
    leave(db, clock, act, by=ANALYST)
    clock.pass_time(minutes=1)
    assert look() == ([cause] if cause else [])
    assert look() == ([cause] if cause else []), "nothing new"
    cases = db.scalars(select(Case)).all()
    assert len(cases) == (1 if cause else 0)
    for case in cases:
        story = acts.read(db, case.id)
        assert (story.state, case.kind, case.received_at) == (State.DRAFT, CaseKind.INCIDENT, clock())
        assert "of the audit trail" in (case.asked or "")
        [told] = db.scalars(select(Mail)).all()
        assert (told.template, told.mailbox) == ("suspicion", Mailbox.DPO)
        assert db.scalars(select(Notice)).all() == [], "nothing leaves the house yet"


def notes(db: DbSession) -> list[str]:
    """What was noted in cases, oldest first."""
    db.rollback()
    found = [event for case in db.scalars(select(Case.id)) for event in acts.read(db, case).of(Event.NOTE)]
    return [str((event.body or {})["text"]) for event in found]


def told(db: DbSession) -> int:
    db.rollback()
    return len(db.scalars(select(Mail.id).where(Mail.template == "suspicion")).all())


def test_what_comes_again_on_a_day_is_told_too_and_the_next_day_is_another_draft(
    db: DbSession, clock: SetClock, look: Look
) -> None:
    clock.now = datetime(2023, 3, 1, 20, 0, tzinfo=UTC)
    leave(db, clock, refused_seal)
    assert look() == [SuspicionCause.SEAL]
    assert (told(db), notes(db)) == (1, [])
    clock.pass_time(hours=2)
    leave(db, clock, refused_seal)
    assert look() == [SuspicionCause.SEAL], "one draft of the day"
    (note,) = notes(db)
    assert note.startswith("A sealed value did not open, again. Line ")
    assert told(db) == 2
    assert look() == [SuspicionCause.SEAL]
    assert (told(db), len(notes(db))) == (2, 1), "nothing new"
    clock.pass_time(hours=4)
    leave(db, clock, refused_seal)
    assert look() == [SuspicionCause.SEAL, SuspicionCause.SEAL]
    assert (told(db), len(notes(db))) == (3, 1)


def test_a_flood_is_told_once_an_hour_with_its_number(
    db: DbSession, clock: SetClock, look: Look, stack: Stack
) -> None:
    leave(db, clock, refused_seal)
    look()
    for _ in range(5):
        clock.pass_time(minutes=10)
        leave(db, clock, refused_seal)
        look()
    assert (told(db), notes(db)) == (1, [])
    clock.pass_time(minutes=11)
    look()
    assert told(db) == 2
    (note,) = notes(db)
    assert note.count(", ") == 5, "all five lines"
    mail = db.scalars(select(Mail).order_by(Mail.queued_at.desc())).first()
    assert mail is not None
    around = Around(stack.instance.programme, "http://localhost", clock())
    letter = suspicions.letter(db, mail, around)
    assert letter is not None
    assert (letter.context["lines"], letter.context["waits"]) == (5, True)


@pytest.mark.parametrize("dismissed", [True, False])
def test_what_comes_again_after_the_decision_is_told_with_its_case(
    db: DbSession, clock: SetClock, look: Look, stack: Stack, dismissed: bool
) -> None:
    leave(db, clock, refused_seal)
    look()
    row = db.scalars(select(Suspicion.id)).one()
    with unit_of_work(db, clock, "person:dpo") as work:
        if dismissed:
            suspicions.dismiss(work, suspicion=row, reason="A disk was swapped")
        else:
            suspicions.confirm(work, stack.instance.programme, suspicion=row)
    clock.pass_time(hours=2)
    leave(db, clock, refused_seal)
    look()
    mail = db.scalars(
        select(Mail).where(Mail.template == "suspicion").order_by(Mail.queued_at.desc())
    ).first()
    assert mail is not None
    assert mail.queued_at == clock()
    letter = suspicions.letter(db, mail, Around(stack.instance.programme, "http://localhost", clock()))
    assert letter is not None
    assert (letter.context["lines"], letter.context["waits"]) == (1, False)
    assert "/desk/cases/" in str(letter.context["link"])
    assert len(notes(db)) == 1


def test_who_takes_answers_out_often_is_usual_but_not_at_night(
    db: DbSession, clock: SetClock, look: Look
) -> None:
    leave(db, clock, exported, by=ANALYST)
    clock.pass_time(days=4)
    leave(db, clock, exported, by=ANALYST)
    assert look() == []
    clock.now = datetime(2023, 3, 6, 23, 0, tzinfo=UTC)
    leave(db, clock, exported, by=ANALYST)
    assert look() == [SuspicionCause.EXPORT]
    clock.pass_time(days=1, hours=-10)
    leave(db, clock, exported, by=f"person:{new_id()}")
    assert look() == [SuspicionCause.EXPORT, SuspicionCause.EXPORT]


def test_an_export_that_is_suspected_makes_nobody_usual_unless_it_is_dismissed(
    db: DbSession, clock: SetClock, look: Look
) -> None:
    clock.now = datetime(2023, 3, 6, 9, 0, tzinfo=UTC)
    leave(db, clock, exported, by=ANALYST)
    assert look() == [SuspicionCause.EXPORT]
    clock.pass_time(hours=2)
    leave(db, clock, exported, by=ANALYST)
    assert look() == [SuspicionCause.EXPORT], "one draft of the day"
    assert (told(db), len(notes(db))) == (2, 1)
    clock.pass_time(days=1)
    leave(db, clock, exported, by=ANALYST)
    assert look() == [SuspicionCause.EXPORT, SuspicionCause.EXPORT]
    second = db.scalars(select(Suspicion.id).order_by(Suspicion.found_at.desc())).first()
    assert second is not None
    leave(db, clock, lambda work: suspicions.dismiss(work, suspicion=second, reason="The new analyst"))
    clock.pass_time(days=1)
    leave(db, clock, exported, by=ANALYST)
    leave(db, clock, exported, by=f"person:{new_id()}")
    assert len(look()) == 3
    newest = db.scalars(select(Case).order_by(Case.entered_at.desc())).first()
    assert newest is not None
    assert "Line " in (newest.asked or ""), "only that of the other"


def test_a_line_that_was_altered_is_found_and_raised_once(db: DbSession, clock: SetClock, look: Look) -> None:
    for _ in range(3):
        leave(db, clock, good_drill)
    assert look() == []
    checked = chain_checks.last(db)
    assert checked is not None
    assert (checked.ok, checked.lines) == (True, 3)
    db.execute(update(AuditEntry).where(AuditEntry.seq == 2).values(actor="person:nobody"))
    db.commit()
    assert look() == [], "checked once a day"
    clock.pass_time(days=1)
    assert look() == [SuspicionCause.CHAIN]
    assert "line 2 was altered" in (db.scalars(select(Case)).one().asked or "")
    clock.pass_time(days=1)
    assert look() == [SuspicionCause.CHAIN], "the same place is not raised again"


def test_a_further_break_is_told_too_also_on_the_same_day(db: DbSession, clock: SetClock, look: Look) -> None:
    for _ in range(5):
        leave(db, clock, good_drill)

    def altered(line: int) -> None:
        db.execute(update(AuditEntry).where(AuditEntry.seq == line).values(actor="person:nobody"))
        db.commit()

    altered(3)
    assert look() == [SuspicionCause.CHAIN]
    clock.pass_time(minutes=10)
    altered(5)
    leave(db, clock, chain_checks.check)
    look()
    clock.pass_time(minutes=10)
    altered(2)
    leave(db, clock, chain_checks.check)
    assert look() == [SuspicionCause.CHAIN], "one case for the day"
    assert [
        (note.body or {})["text"].partition("The check says: ")[2] for note in suspicions.shown(db)[0].again
    ] == [
        "line 3 was altered; 2 places in all, the last: line 5 was altered.",
        "line 2 was altered; 3 places in all, the last: line 5 was altered.",
    ]
    db.rollback()
    clock.pass_time(days=1)
    assert look() == [SuspicionCause.CHAIN], "the same is not told again"
    altered(4)
    clock.pass_time(days=1)
    assert look() == [SuspicionCause.CHAIN] * 2
    assert len(db.scalars(select(Mail).where(Mail.template == suspicions.TEMPLATE)).all()) == 4


def test_a_broken_head_is_told_though_no_case_can_be_opened(
    db: DbSession, clock: SetClock, look: Look, stack: Stack
) -> None:
    leave(db, clock, good_drill)
    db.execute(update(AuditHead).values(mac=b"another"))
    db.commit()
    assert look() == [SuspicionCause.CHAIN]
    [shown] = suspicions.shown(db)
    assert (shown.story, shown.waits) == (None, True)
    [told] = db.scalars(select(Mail)).all()
    assert told.template == "suspicion"


def test_a_draft_is_confirmed_or_dismissed_once(
    stack: Stack, db: DbSession, clock: SetClock, look: Look
) -> None:
    leave(db, clock, refused_seal)
    leave(db, clock, exported, by=ANALYST)
    look()
    export, seal = db.scalars(select(Suspicion).order_by(Suspicion.cause)).all()
    export_id, seal_id, export_case = export.id, seal.id, export.case_id
    clock.pass_time(hours=2)
    with unit_of_work(db, clock, "person:dpo") as work:
        case_id = suspicions.confirm(work, stack.instance.programme, suspicion=seal_id)
    assert acts.read(db, case_id).state is State.NOT_NOTIFIED
    assert db.scalars(select(Notice.case_id)).all() == [case_id]
    with pytest.raises(CaseRefused), unit_of_work(db, clock, "person:dpo") as work:
        suspicions.confirm(work, stack.instance.programme, suspicion=seal_id)
    with pytest.raises(Incomplete), unit_of_work(db, clock, "person:dpo") as work:
        suspicions.dismiss(work, suspicion=export_id, reason=" ")
    with unit_of_work(db, clock, "person:dpo") as work:
        suspicions.dismiss(work, suspicion=export_id, reason="The new analyst made it")
    with pytest.raises(CaseClosed), unit_of_work(db, clock, "person:dpo") as work:
        suspicions.dismiss(work, suspicion=export_id, reason="Again")
    assert export_case is not None
    closed = acts.read(db, export_case).closed
    assert closed is not None
    assert closed.body == {"outcome": "Dismissed: no incident", "evidence": "The new analyst made it"}
    assert suspicions.waiting(db) == 0


# ---- who is affected


@pytest.fixture
def incident(stack: Stack, db: DbSession, clock: SetClock) -> UUID:
    """An exercise: handled like a real one."""
    with unit_of_work(db, clock, "person:dpo") as work:
        return incidents.exercise(work, stack.instance.programme, scenario="A laptop is stolen").id


def put(db: DbSession, clock: SetClock, case_id: UUID, **which: Any) -> int:
    with unit_of_work(db, clock, "person:dpo") as work:
        return incidents.put_on_list(work, case_id=case_id, **which)


def test_the_list_is_drawn_by_name_package_and_table(
    db: DbSession, clock: SetClock, make: Factory, incident: UUID
) -> None:
    ada, ben, cy = (make.person(name, email=f"{name}@x.example") for name in ("Ada", "Ben", "Cy"))
    package = make.package(ben)
    ref, name = package.ref, ada.ref
    assert put(db, clock, incident, people=f"{name}\n ada@x.example", packages=ref.lower()) == 2
    assert put(db, clock, incident, people="ada@x.example") == 0
    assert [(one.name, one.row.why) for one in incidents.on_list(db, incident)] == [
        ("Ada", "by name"),
        ("Ben", f"package {ref}"),
    ]
    for which in ({"people": "P-NOBODY"}, {"packages": "K-NONE"}):
        with pytest.raises(Unknown):
            put(db, clock, incident, **which)
    with pytest.raises(LookupError):
        put(db, clock, incident, tables=["audit_entry"])
    db.rollback()
    shown = {one.table: one for one in affected.stocks(db)}
    assert (shown["person"].people, shown["participation"].people) == (3, 1)
    assert put(db, clock, incident, tables=["participation", "person"]) == 1
    with unit_of_work(db, clock, "person:dpo") as work:
        affected.remove(work, case_id=incident, person_ids=[cy.id])
    assert affected.count(db, incident) == 2


def test_an_assessment_counts_people_and_names_kinds_of_data(
    db: DbSession, clock: SetClock, make: Factory, incident: UUID
) -> None:
    make.person("Ada", email="ada@x.example")
    put(db, clock, incident, people="ada@x.example")
    with unit_of_work(db, clock, "person:dpo") as work:
        event = incidents.assess(work, case_id=incident, risk="Names are known", tables=["person"])
        body = event.body
    assert body["people"] == 1
    assert "E-mail address; Name; Phone number" in body["data"]
    assert "Dietary needs (special category)" in body["data"]
    assert acts.read(db, incident).last(Event.ASSESSED) is not None


def test_whoever_is_erased_leaves_the_list_and_the_count_stays(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory, incident: UUID
) -> None:
    person_id = make.person("Ada", email="ada@x.example").id
    put(db, clock, incident, people="ada@x.example")
    with unit_of_work(db, clock, "person:dpo") as work:
        incidents.assess(work, case_id=incident, risk="Names are known", tables=["person"])
        enter(work, register=Register.INSTRUCTION, letter="E 1", from_on=clock().date(), body="Erase")
    with unit_of_work(db, clock, "person:dpo") as work:
        erasure.begin(work, person_id=person_id, letter="E 1")
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    erasure.finish(housekeeping.places(stack.instance, sessions))
    db.expire_all()
    assert affected.count(db, incident) == 0
    assessed = acts.read(db, incident).last(Event.ASSESSED)
    assert assessed is not None
    assert assessed.body["people"] == 1


def test_a_near_miss_needs_no_assessment(db: DbSession, clock: SetClock, incident: UUID) -> None:
    with unit_of_work(db, clock, "person:dpo") as work:
        acts.happen(work, case_id=incident, kind=Event.NEAR_MISS, body={"reason": "The disk was sealed"})
    left = [step.code for step in acts.read(db, incident).steps() if not step.done]
    assert left == ["notify", "lessons", "close"]


def test_an_exercise_goes_to_the_desk_alone(db: DbSession, incident: UUID) -> None:
    assert set(db.scalars(select(Mail.mailbox))) == {Mailbox.DPO}
    [one] = incidents.exercises(db)
    assert (one.case.exercise, one.reported_after) == (True, None)
