"""Cases: what can happen in them, in which order, and what follows from it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session as DbSession

from portal.cases import acts as casework
from portal.cases import intake
from portal.models import Person
from privacy import erasure, ledger
from privacy.audit import AuditEntry
from privacy.cases import acts
from privacy.cases.rules import (
    RULES,
    CaseClosed,
    CaseRefused,
    Incomplete,
    InFuture,
    NotPossible,
    OutOfOrder,
)
from privacy.cases.story import ClockName, State, Story
from privacy.cases.tables import RIGHTS, Case, CaseEvent, CaseKind, Channel, Event
from privacy.registers import Register, RegisterEntry, enter
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_erasure import erase, instruct, places_of, replaced

# Cases of today's law: received on Monday 1 February 2027 at 10 in the morning.
RECEIVED = datetime(2027, 2, 1, 10, tzinfo=UTC)
WORDS = {name: f"The {name}" for rule in RULES.values() for name in rule.body} | {"left_out": "Not needed."}


@pytest.fixture(autouse=True)
def _today(clock: SetClock) -> None:
    clock.now = RECEIVED


def opened(db: DbSession, clock: SetClock, kind: CaseKind = CaseKind.ACCESS, **more: Any) -> UUID:
    with unit_of_work(db, clock, "person:desk") as work:
        return acts.open_case(
            work,
            kind=kind,
            channel=Channel.EMAIL,
            received_at=RECEIVED,
            contact={"name": "Ada Quill", "email": "ada@example.org"},
            asked="Send me all that you hold",
            **more,
        ).id


def instruction(work: Work) -> UUID:
    return enter(
        work, register=Register.INSTRUCTION, letter="DfE/77", from_on=date(2027, 2, 1), body="Do so"
    ).id


def happen(db: DbSession, clock: SetClock, case_id: UUID, kind: Event, **more: Any) -> None:
    with unit_of_work(db, clock, "person:desk") as work:
        entry_id = instruction(work) if RULES[kind].cites else None
        acts.happen(work, case_id=case_id, kind=kind, **{"body": WORDS, "entry_id": entry_id, **more})


def story(db: DbSession, case_id: UUID) -> Story:
    db.rollback()
    return acts.read(db, case_id)


def test_what_was_asked_is_sealed_and_leaves_a_line(db: DbSession, clock: SetClock, stack: Stack) -> None:
    case_id = opened(db, clock)
    found = story(db, case_id).case
    assert found.ref.startswith("C-")
    assert found.contact == {"name": "Ada Quill", "email": "ada@example.org"}
    assert found.asked == "Send me all that you hold"
    row = db.execute(select(Case.__table__)).mappings().one()
    assert not [value for value in row.values() if isinstance(value, bytes) and b"Ada" in value]
    line = db.scalars(select(AuditEntry).where(AuditEntry.action == "case.opened")).one()
    assert line.object == f"case:{case_id}"


@pytest.mark.parametrize("kind", [CaseKind.ACCESS, CaseKind.FOI, CaseKind.COMPLAINT])
def test_what_an_open_request_asks_for_is_kept_from_erasure(
    db: DbSession, clock: SetClock, stack: Stack, make: Factory, kind: CaseKind
) -> None:
    """DPA 2018 s 173, FOI Act s 77: erased only once it is answered, and then by itself."""
    person_id = make.person().id
    instruct(stack)
    with unit_of_work(db, clock, "person:dpo") as work:
        case_id = intake.take_in(
            work,
            stack.instance.programme,
            kind=kind,
            channel=Channel.POST,
            received_at=clock(),
            asked="All of it",
            subject_id=person_id,
        ).id
    erase(places_of(stack), person_id)
    db.rollback()
    held = kind is not CaseKind.COMPLAINT
    assert (db.get(Person, person_id) is not None) is held
    if held:
        what = casework.Happened(
            kind=Event.CLOSED,
            body={"outcome": "Answered", "evidence": "The letter", "left_out": "By post"},
        )
        with (
            pytest.raises(casework.WouldErase, match="waits for this"),
            unit_of_work(db, clock, "person:dpo") as work,
        ):
            casework.write_down(work, case_id=case_id, what=what)
        with unit_of_work(db, clock, "person:dpo") as work:
            (followed,) = casework.write_down(work, case_id=case_id, what=replace(what, erases=True))
            assert followed.erases
        erasure.finish(places_of(stack))
        db.rollback()
        db.expire_all()
        assert db.get(Person, person_id) is None
        assert ledger.is_erased(stack.instance.vault.engine, person_id)


def test_the_controller_comes_first_then_its_decision(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock)
    assert story(db, case_id).state is State.NOT_NOTIFIED
    with pytest.raises(NotPossible, match="First comes: The Controller was notified"):
        happen(db, clock, case_id, Event.CONTROLLER_DECIDED)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    assert story(db, case_id).state is State.WITH_CONTROLLER
    with pytest.raises(NotPossible, match="First comes: The Controller decided"):
        happen(db, clock, case_id, Event.ANSWERED)
    happen(db, clock, case_id, Event.CONTROLLER_DECIDED)
    assert story(db, case_id).state is State.IN_HAND
    happen(db, clock, case_id, Event.ANSWERED)
    happen(db, clock, case_id, Event.CLOSED)
    assert story(db, case_id).state is State.CLOSED
    assert acts.count_open(db) == 0


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_kind_of_case_can_be_taken_to_its_end(db: DbSession, clock: SetClock, kind: CaseKind) -> None:
    case_id = opened(db, clock, kind)
    take_to_its_end(db, clock, case_id)
    told = story(db, case_id)
    assert told.state is State.CLOSED
    assert all(step.done for step in told.steps())
    assert not [clock_ for clock_ in told.clocks(now=clock()) if clock_.ours and clock_.met_at is None]


def take_to_its_end(db: DbSession, clock: SetClock, case_id: UUID) -> None:
    """Do always the first step that is not done; what stands in its way comes before."""
    for _ in range(20):
        told = story(db, case_id)
        step = told.next_step()
        if step is None:
            break
        clock.pass_time(hours=1)
        can = [one for one in told.possible() if one in step.by]
        if not can:
            asked = next(RULES[one].answers for one in step.by if RULES[one].answers)
            assert asked is not None
            # Redacting is no form of the desk: it has a page of its own.
            can = sorted(step.by) if told.unanswered(asked) else [asked]
        happen(db, clock, case_id, can[0])


def test_what_is_asked_is_waited_for_and_asked_once(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    with pytest.raises(NotPossible, match="First comes: Proof of identity was asked for"):
        happen(db, clock, case_id, Event.IDENTITY_RECEIVED)
    happen(db, clock, case_id, Event.IDENTITY_ASKED)
    assert story(db, case_id).state is State.WAITING
    with pytest.raises(NotPossible, match="Ask one thing at a time"):
        happen(db, clock, case_id, Event.IDENTITY_ASKED)
    clock.pass_time(days=14)
    (request,) = [one for one in story(db, case_id).clocks(now=clock()) if one.name is ClockName.REQUEST]
    assert request.deadline is not None
    assert request.deadline.due_on == date(2027, 3, 15), "the month has not begun"
    happen(db, clock, case_id, Event.IDENTITY_RECEIVED, at=RECEIVED + timedelta(days=3))
    (request,) = [one for one in story(db, case_id).clocks(now=clock()) if one.name is ClockName.REQUEST]
    assert request.deadline is not None
    assert request.deadline.due_on == date(2027, 3, 4)
    assert story(db, case_id).state is State.WITH_CONTROLLER


def test_the_month_stands_still_while_a_question_waits(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock)
    clock.now = RECEIVED + timedelta(days=20)
    happen(db, clock, case_id, Event.CLARIFICATION_ASKED, at=RECEIVED + timedelta(days=9))
    happen(db, clock, case_id, Event.CLARIFICATION_ANSWERED, at=RECEIVED + timedelta(days=16))
    (request,) = [one for one in story(db, case_id).clocks(now=clock()) if one.name is ClockName.REQUEST]
    assert request.deadline is not None
    assert (request.deadline.due_on, request.deadline.target_on) == (date(2027, 3, 9), date(2027, 3, 8))


@pytest.mark.parametrize(
    "what, at, error",
    [
        (Event.NOTE, RECEIVED + timedelta(seconds=1), InFuture),
        (Event.NOTE, RECEIVED - timedelta(days=1), OutOfOrder),
        (Event.CLARIFICATION_ANSWERED, RECEIVED, NotPossible),
        (Event.INFORMATION_GIVEN, RECEIVED, NotPossible),
        (Event.REOPENED, RECEIVED, NotPossible),
    ],
)
def test_what_cannot_have_happened_is_refused(
    db: DbSession, clock: SetClock, what: Event, at: datetime, error: type[CaseRefused]
) -> None:
    case_id = opened(db, clock)
    with pytest.raises(error):
        happen(db, clock, case_id, what, at=at)
    assert db.scalar(select(func.count()).select_from(CaseEvent)) == 0


def test_an_answer_is_not_earlier_than_its_question(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock)
    clock.now = RECEIVED + timedelta(days=20)
    happen(db, clock, case_id, Event.CLARIFICATION_ASKED, at=RECEIVED + timedelta(days=9))
    with pytest.raises(OutOfOrder, match="9 February 2027 is earlier than 10 February 2027"):
        happen(db, clock, case_id, Event.CLARIFICATION_ANSWERED, at=RECEIVED + timedelta(days=8))


def test_a_day_without_a_time_can_be_the_day_of_receipt(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock)
    happen(db, clock, case_id, Event.NOTE, at=datetime(2027, 2, 1, tzinfo=UTC))


def test_a_case_received_tomorrow_is_refused(db: DbSession, clock: SetClock) -> None:
    clock.now = RECEIVED - timedelta(minutes=1)
    with pytest.raises(InFuture, match="Enter when it was received"):
        opened(db, clock)


@pytest.mark.parametrize(
    "what, body, missing",
    [
        (Event.NOTE, {}, "text"),
        (Event.NOTE, {"text": "  "}, "text"),
        (Event.CLOSED, {"outcome": "Done"}, "evidence"),
        (Event.CONTROLLER_NOTIFIED, {}, "evidence"),
    ],
)
def test_words_that_an_event_needs_are_asked_for(
    db: DbSession, clock: SetClock, what: Event, body: dict[str, str], missing: str
) -> None:
    case_id = opened(db, clock)
    with pytest.raises(Incomplete) as raised:
        happen(db, clock, case_id, what, body=body)
    assert raised.value.field == missing


def test_what_changes_data_cites_an_instruction(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.ERASURE)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    happen(db, clock, case_id, Event.CONTROLLER_DECIDED)
    with pytest.raises(Incomplete, match="written instruction"):
        happen(db, clock, case_id, Event.ACTED, entry_id=None)
    happen(db, clock, case_id, Event.ACTED)


def decided(
    db: DbSession, clock: SetClock, case_id: UUID, letter: str, *, on: date | None = None
) -> UUID | None:
    """The Controller decided in a letter, as the form gives it; the entry that the event cites."""
    what = casework.Happened(kind=Event.CONTROLLER_DECIDED, on=on, letter=letter, body=WORDS)
    with unit_of_work(db, clock, "person:desk") as work:
        casework.write_down(work, case_id=case_id, what=what)
        return acts.read(db, case_id).events[-1].entry_id


def test_a_decision_cites_no_instruction_that_is_not_in_force(
    db: DbSession, clock: SetClock, stack: Stack
) -> None:
    case_id = opened(db, clock, CaseKind.ERASURE)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    with unit_of_work(db, clock, "system:test") as work:
        enter(work, register=Register.INSTRUCTION, letter="DfE/1", from_on=date(2027, 2, 1), body="Do so")
        enter(work, register=Register.INSTRUCTION, letter="DfE/9", from_on=date(2027, 3, 1), body="Later")
    clock.pass_time(days=2)
    replaced(stack, "DfE/1", by="DfE/2")
    with pytest.raises(Incomplete, match="DfE/1 was replaced by DfE/2") as raised:
        decided(db, clock, case_id, "DfE/1")
    assert raised.value.field == "letter"
    with pytest.raises(Incomplete, match="DfE/9 is not in force before 1 March 2027"):
        decided(db, clock, case_id, "DfE/9")
    db.rollback()
    known = db.scalars(select(RegisterEntry.letter).order_by(RegisterEntry.letter)).all()
    assert known == ["DfE/1", "DfE/2", "DfE/9"], "none is entered a second time"
    cited = decided(db, clock, case_id, "DfE/1", on=date(2027, 2, 2))
    db.rollback()
    assert db.get_one(RegisterEntry, cited).letter == "DfE/1", "it was in force on that day"


def test_of_two_tabs_that_close_a_case_one_does(db: DbSession, clock: SetClock, stack: Stack) -> None:
    case_id = opened(db, clock)

    def close(_: int) -> str:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            try:
                happen(own, clock, case_id, Event.CLOSED)
            except CaseClosed as problem:
                return str(problem)
            return "closed"

    with ThreadPoolExecutor(max_workers=4) as pool:
        told = sorted(pool.map(close, range(4)))
    assert told == [*3 * ["This case was closed on 1 February 2027. Open it again first"], "closed"]
    happen(db, clock, case_id, Event.REOPENED)
    assert story(db, case_id).closed is None
    assert acts.count_open(db) == 1
    happen(db, clock, case_id, Event.CLOSED)
    assert acts.stories(db) == []
    assert len(acts.stories(db, closed=None)) == len(acts.stories(db, closed=True)) == 1


def test_a_request_that_is_opened_again_is_answered_again(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.OBJECTION)
    kinds = (
        Event.CONTROLLER_NOTIFIED,
        Event.CONTROLLER_DECIDED,
        Event.ANSWERED,
        Event.CLOSED,
        Event.REOPENED,
    )
    for kind in kinds:
        happen(db, clock, case_id, kind)
    clock.pass_time(days=60)
    (_, request) = story(db, case_id).clocks(now=clock())
    assert (request.met_at, request.is_late(now=clock())) == (None, True)
    happen(db, clock, case_id, Event.ANSWERED)
    (_, request) = story(db, case_id).clocks(now=clock())
    assert request.met_at == clock()


@pytest.mark.parametrize("kind", [*sorted(RIGHTS), CaseKind.FOI, CaseKind.COMPLAINT])
def test_closing_a_case_is_no_answer(db: DbSession, clock: SetClock, kind: CaseKind) -> None:
    clocks = (ClockName.REQUEST, ClockName.FOI_ANSWER, ClockName.COMPLAINT)
    answers = lambda case_id: [  # noqa: E731 - a name for what three lines need
        one.met_at for one in story(db, case_id).clocks(now=clock()) if one.name in clocks
    ]
    case_id = opened(db, clock, kind)
    happen(db, clock, case_id, Event.CLOSED)
    assert answers(case_id) == [None]
    taken_back = opened(db, clock, kind)
    happen(db, clock, taken_back, Event.WITHDRAWN)
    assert answers(taken_back) == [clock()]
    assert [step.code for step in story(db, taken_back).left_open()] == ["notify"]
    repeats = opened(db, clock, kind, copy_of=taken_back)
    happen(db, clock, repeats, Event.CLOSED, body={"outcome": "The same", "evidence": "The first case"})
    assert answers(repeats) == [clock()]


def test_closing_asks_why_steps_are_left_out_and_names_them(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.INCIDENT)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    with pytest.raises(Incomplete, match="Not done yet: Contain it, Say whose data") as refused:
        happen(db, clock, case_id, Event.CLOSED, body={"outcome": "Done", "evidence": "None"})
    assert refused.value.field == "left_out"
    happen(db, clock, case_id, Event.NEAR_MISS)
    words = {"outcome": "Done", "evidence": "None", "left_out": "There were none."}
    happen(db, clock, case_id, Event.CLOSED, body=words)
    closed = story(db, case_id).closed
    assert closed is not None
    assert closed.body["left_out"] == "There were none. Left out: Draw lessons"


def test_the_department_authorises_a_reply_to_who_asked(db: DbSession, clock: SetClock) -> None:
    """Nobody who asked under the FOI Act is answered without it (cl 13.4)."""
    case_id = opened(db, clock, CaseKind.FOI)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    happen(db, clock, case_id, Event.CONTROLLER_DECIDED)
    assert Event.ANSWERED not in story(db, case_id).possible()
    with pytest.raises(NotPossible, match="First comes: The Department authorised a reply"):
        happen(db, clock, case_id, Event.ANSWERED)
    happen(db, clock, case_id, Event.REPLY_AUTHORISED)
    happen(db, clock, case_id, Event.ANSWERED)


def test_each_request_of_the_department_has_a_clock(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.FOI)
    clock.now = RECEIVED + timedelta(days=3)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED, at=RECEIVED + timedelta(days=1))
    happen(db, clock, case_id, Event.DEPARTMENT_ASKED, at=RECEIVED + timedelta(days=2))
    happen(db, clock, case_id, Event.DEPARTMENT_ASKED, value_on=date(2027, 2, 20))
    with pytest.raises(Incomplete, match="earlier than the Department's request"):
        happen(db, clock, case_id, Event.DEPARTMENT_ASKED, value_on=date(2027, 2, 3))
    happen(db, clock, case_id, Event.INFORMATION_GIVEN)
    clocks = story(db, case_id).clocks(now=clock())
    assert [(one.name, one.deadline and one.deadline.due_on, one.met_at is not None) for one in clocks] == [
        (ClockName.NOTIFY, None, True),
        (ClockName.FOI_PASS_ON, date(2027, 2, 3), True),
        (ClockName.FOI_INFORMATION, date(2027, 2, 10), True),
        (ClockName.FOI_INFORMATION, date(2027, 2, 20), False),
        (ClockName.FOI_ANSWER, date(2027, 3, 1), False),
    ]


def test_an_incident_has_24_hours_and_the_controller_72(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.INCIDENT)
    clock.now = RECEIVED + timedelta(hours=30)
    (notify, report) = story(db, case_id).clocks(now=clock())
    assert notify.minutes(now=clock()) == 30 * 60
    assert report.is_late(now=clock())
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED, at=RECEIVED + timedelta(hours=23))
    happen(db, clock, case_id, Event.CONTROLLER_AWARE, at=RECEIVED + timedelta(hours=23))
    (notify, report, regulator) = story(db, case_id).clocks(now=clock())
    assert (notify.minutes(now=clock()), report.is_late(now=clock())) == (23 * 60, False)
    assert not regulator.ours
    assert regulator.deadline is not None
    assert regulator.deadline.due_at == RECEIVED + timedelta(hours=95)
    with pytest.raises(NotPossible, match="has happened already"):
        happen(db, clock, case_id, Event.CONTROLLER_AWARE)


def test_a_late_report_is_explained_before_the_case_is_closed(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.INCIDENT)
    clock.now = RECEIVED + timedelta(hours=25)
    happen(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    with pytest.raises(NotPossible, match="First explain why it was reported late"):
        happen(db, clock, case_id, Event.CLOSED)
    happen(db, clock, case_id, Event.LATE_EXPLAINED)
    happen(db, clock, case_id, Event.CLOSED)


def test_events_belong_to_their_kinds_of_case(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.ACCESS)
    with pytest.raises(NotPossible, match="does not happen in this kind of case"):
        happen(db, clock, case_id, Event.CONTAINED)
    assert all(set(rule.kinds) <= set(CaseKind) for rule in RULES.values())
    assert set(RULES) == set(Event)
    assert CaseKind.FOI not in RIGHTS


def test_there_is_no_case_under_a_made_up_id(db: DbSession, clock: SetClock) -> None:
    with pytest.raises(LookupError):
        happen(db, clock, UUID(int=7), Event.NOTE)


def test_all_open_cases_take_three_queries(db: DbSession, clock: SetClock, stack: Stack) -> None:
    for kind in CaseKind:
        case_id = opened(db, clock, kind)
        happen(db, clock, case_id, Event.NOTE)
    db.rollback()
    db.expunge_all()
    asked: list[str] = []

    def note(*given: Any) -> None:
        if given[2] != "BEGIN":
            asked.append(given[2])

    event.listen(stack.engine, "before_cursor_execute", note)
    try:
        found = acts.stories(db)
        assert [len(told.events) for told in found] == [1] * len(CaseKind)
    finally:
        event.remove(stack.engine, "before_cursor_execute", note)
    assert len(asked) == 3
