"""Clocks without a case and of all open cases: page, file, feed and command compute them with the same functions."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import icalendar
import pytest
from click.testing import Result
from sqlalchemy.orm import Session as DbSession

from portal.booking import holidays
from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.cases import lists as case_lists
from portal.cases.lists import Wanted
from portal.registers import audit_cases
from privacy.cases import acts
from privacy.cases.story import Holidays, Story
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.clock import start_of_day
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack

RECEIVED = datetime(2027, 2, 1, 10, tzinfo=UTC)
WAITED = "--asked 2027-02-10 --answered 2027-02-17"


@pytest.fixture(autouse=True)
def _today(clock: SetClock) -> None:
    clock.now = RECEIVED


def run(stack: Stack, *args: str, fails: bool = False) -> Result:
    done = stack.app.test_cli_runner().invoke(args=["privacy", *args])
    assert (done.exit_code != 0) is fails, done.output
    return done


def deadline(stack: Stack, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(stack, "deadline", *args, "--json").stdout)
    return found


def opened(db: DbSession, clock: SetClock, kind: CaseKind, **more: Any) -> UUID:
    with unit_of_work(db, clock, "person:desk") as work:
        given = {"received_at": RECEIVED, "channel": Channel.EMAIL, "asked": "Ada Quill asks", **more}
        return acts.open_case(work, kind=kind, contact={"name": "Ada Quill"}, **given).id


def happened(db: DbSession, clock: SetClock, case_id: UUID, kind: Event, **more: Any) -> None:
    words = dict.fromkeys(("evidence", "decision", "reason", "question", "answer"), "Words")
    with unit_of_work(db, clock, "person:desk") as work:
        if kind is Event.CONTROLLER_DECIDED:
            entry = enter(work, register=Register.INSTRUCTION, letter="DfE/1", from_on=date(2027, 2, 1))
            work.db.flush()
            more["entry_id"] = entry.id
        acts.happen(work, case_id=case_id, kind=kind, body=words, **more)


def story(db: DbSession, case_id: UUID) -> Story:
    db.rollback()
    return acts.read(db, case_id)


@pytest.mark.parametrize(
    "args, due, target",
    [
        ("access --received 2027-01-31", "2027-03-01", None),
        ("erasure --received 2026-11-30", "2026-12-30", None),
        ("access --received 2026-11-25", "2026-12-29", None),
        ("access --received 2027-01-31 --extended", "2027-04-30", None),
        ("access --received 2027-01-31 --extended-on 2027-02-28", "2027-04-30", None),
        ("access --received 2027-01-31 --extended-on 2027-03-01", "2027-03-01", None),
        ("rectification --received 2027-01-04 --identity 2027-01-18", "2027-02-18", None),
        ("access --received 2027-02-01 --asked 2027-02-10 --answered 2027-02-17", "2027-03-09", "2027-03-08"),
        ("portability --received 2027-02-01 --asked 2027-02-10 --answered 2027-02-17", "2027-03-01", None),
        ("access --received 2028-01-31", "2028-02-29", None),
        ("incident --received 2026-10-24T18:00", "2026-10-25T17:00:00+00:00", None),
        ("incident --received 2026-10-24T17:00Z", "2026-10-25T17:00:00+00:00", None),
        ("incident --received 2027-03-27", "2027-03-28T00:00:00+00:00", None),
        ("regulator --received 2026-10-23T18:00", "2026-10-26T17:00:00+00:00", None),
        ("foi-transfer --received 2026-12-18", "2026-12-22", None),
        ("foi-transfer --received 2026-12-23", "2026-12-29", None),
        ("foi-information --received 2026-12-18 --by 2027-01-09", "2027-01-09", None),
        ("foia --received 2027-02-01", "2027-03-01", None),
        ("complaint --received 2026-11-25", "2026-12-29", None),
    ],
)
def test_the_command_answers_for_any_clock(stack: Stack, args: str, due: str, target: str | None) -> None:
    found = deadline(stack, *args.split())
    assert (found["kind"], found["due"], found["target"]) == (args.partition(" ")[0], due, target)
    assert found["derivation"]


@pytest.mark.parametrize(
    "args, said",
    [
        ("access --received 2027-02-29", "real date"),
        ("incident --received 2027-03-28T01:30", "There is no 1:30am on 28 March 2027"),
        ("incident --received 2027-03-28T25:30", "real date"),
        (
            "access --received 2027-02-01 --asked 2027-02-10 --answered 2027-02-09",
            "earlier than the question",
        ),
        ("access --received 2027-02-01 --answered 2027-02-09", "more answers than questions"),
        ("access --received 2027-02-01 --asked 2027-01-31", "earlier than 1 February 2027"),
        (
            "erasure --received 2027-02-01 --asked 2027-02-10 --asked 2027-02-16",
            "Only the last question can wait",
        ),
        (
            f"access --received 2027-02-01 {WAITED} --asked 2027-02-16 --answered 2027-02-20",
            "Ask one at a time",
        ),
        ("complaint --received 2026-06-18", "No law set a time"),
        ("nonsense --received 2027-02-01", "nonsense"),
    ],
)
def test_dates_that_cannot_be_are_refused_plainly(stack: Stack, args: str, said: str) -> None:
    done = run(stack, "deadline", *args.split(), fails=True)
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_without_json_each_step_stands_on_a_line(stack: Stack) -> None:
    lines = run(stack, "deadline", "foi-transfer", "--received", "2026-12-23").stdout.splitlines()
    assert lines[0] == "Received on Wednesday 23 December 2026: day 0"
    assert lines[-1] == "Due: Tuesday 29 December 2026"


def test_the_table_kept_by_hand_counts_everywhere(stack: Stack, db: DbSession, clock: SetClock) -> None:
    with unit_of_work(db, clock, "person:desk") as work:
        holidays.add(work, on=date(2027, 3, 1), name="A day that was proclaimed", for_clocks=True)
    assert deadline(stack, "access", "--received", "2027-02-01")["due"] == "2027-03-02"
    opened(db, clock, CaseKind.ACCESS)
    db.rollback()
    clocks = case_clocks.document(db, now=clock())["clocks"]
    assert {one["clock"]: one["due_on"] for one in clocks} == {"notify": None, "request": "2027-03-02"}


def test_every_open_clock_is_listed_and_no_word_of_anybody(
    stack: Stack, db: DbSession, clock: SetClock
) -> None:
    access = opened(db, clock, CaseKind.ACCESS)
    opened(db, clock, CaseKind.FOI)
    opened(db, clock, CaseKind.INCIDENT, exercise=True)
    ended = opened(db, clock, CaseKind.ERASURE)
    happened(db, clock, access, Event.CONTROLLER_NOTIFIED)
    with unit_of_work(db, clock, "person:desk") as work:
        body = {"outcome": "Done", "evidence": "Letter", "left_out": "By post"}
        acts.happen(work, case_id=ended, kind=Event.CLOSED, body=body)
    clock.now = RECEIVED + timedelta(days=2)
    done = run(stack, "clocks", "--json")
    found = json.loads(done.stdout)
    shown = [(one["kind"], one["clock"], one["due_on"], one["late"]) for one in found["clocks"]]
    assert sorted(shown) == [
        ("access", "request", "2027-03-01", False),
        ("foi", "foi_answer", "2027-03-01", False),
        ("foi", "foi_pass_on", "2027-02-03", False),
        ("foi", "notify", None, True),
        ("incident", "incident", None, True),
        ("incident", "notify", None, True),
    ]
    assert [one["exercise"] for one in found["clocks"] if one["clock"] == "incident"] == [True]
    assert "Ada" not in done.output
    order = [one["due"] or one["since"] for one in found["clocks"]]
    assert order == sorted(order), "what is due first stands first"


def test_list_file_and_feed_say_the_same(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.ACCESS)
    incident = opened(db, clock, CaseKind.INCIDENT)
    for one in (case_id, incident):
        happened(db, clock, one, Event.CONTROLLER_NOTIFIED)
    happened(db, clock, incident, Event.CONTROLLER_AWARE)
    db.rollback()
    (first, second) = case_lists.rows(db, Wanted(), now=clock())
    assert first.line is not None
    assert second.line is not None
    assert (second.line.label, second.line.due, second.line.left) == (
        "Answer the request",
        "1 March 2027",
        "28 days left",
    )
    lines = case_lists.as_csv([first, second]).decode("utf-8-sig").splitlines()
    assert "Answer" not in lines[0]
    assert f"{second.story.case.ref},Access,E-mail,2027-02-01 10:00,With the Controller" in lines[2]
    assert "Answer the request,2027-03-01,28 days left" in lines[2], "a day that can be sorted"
    running = case_clocks.running(acts.stories(db), now=clock(), holidays=desk_calendars.calendars(db))
    data = case_clocks.calendar(running, name="Deadlines", public_url="https://desk.example")
    entries = {str(one["summary"]): one for one in icalendar.Calendar.from_ical(data).walk("VEVENT")}
    assert entries[f"{second.story.case.ref}: Answer the request"].decoded("dtstart") == date(2027, 3, 1)
    (report,) = [one for name, one in entries.items() if "regulator" in name]
    assert report.decoded("dtstart") == RECEIVED + timedelta(hours=72)
    assert b"Ada" not in data
    assert data == case_clocks.calendar(running, name="Deadlines", public_url="https://desk.example")


def test_the_desk_says_what_is_late_and_why(db: DbSession, clock: SetClock) -> None:
    case_id = opened(db, clock, CaseKind.ACCESS)
    happened(db, clock, case_id, Event.CONTROLLER_NOTIFIED)
    clock.now = RECEIVED + timedelta(days=3)
    happened(db, clock, case_id, Event.IDENTITY_ASKED)
    incident = opened(db, clock, CaseKind.INCIDENT)
    happened(db, clock, incident, Event.CONTROLLER_NOTIFIED)
    objection = opened(db, clock, CaseKind.OBJECTION)
    happened(db, clock, objection, Event.CONTROLLER_NOTIFIED)
    db.rollback()
    found = case_lists.desk(db, now=clock())
    assert [(one.line.story.case.id, one.why) for one in found.late] == [
        (incident, ["It was reported late. The Department wants to know why"])
    ]
    assert [one.story.case.id for one in found.undecided] == [objection]
    assert [line.story.case.id for line in found.due] == [objection, case_id]
    happened(db, clock, incident, Event.LATE_EXPLAINED)
    clock.now = RECEIVED + timedelta(days=40)
    db.rollback()
    found = case_lists.desk(db, now=clock())
    (late,) = found.late
    assert late.why == ["Not done yet: Get the Controller's decision"]
    assert late.line.left == "Late by 11 days"


def test_what_came_on_a_day_is_not_late_on_that_day(db: DbSession, clock: SetClock) -> None:
    by_day = opened(db, clock, CaseKind.OBJECTION, received_at=start_of_day(date(2027, 2, 1)))
    by_time = opened(db, clock, CaseKind.OBJECTION, received_at=RECEIVED - timedelta(minutes=20))
    for hours, late in ((0, {by_time}), (14, {by_day, by_time})):
        clock.now = RECEIVED + timedelta(hours=hours)
        db.rollback()
        assert {one.line.story.case.id for one in case_lists.desk(db, now=clock()).late} == late
        assert {row.story.case.id for row in case_lists.rows(db, Wanted(late=True), now=clock())} == late
        assert {one.id for one in audit_cases.cases(db, now=clock()) if one.missed} == late
    lines = case_clocks.of_case(story(db, by_day), now=clock(), holidays=Holidays())
    assert lines[0].left == "Waits for 1 day"
    happened(db, clock, by_day, Event.CONTROLLER_NOTIFIED, at=RECEIVED)
    lines = case_clocks.of_case(story(db, by_day), now=clock(), holidays=Holidays())
    assert not lines[0].is_late


@pytest.mark.parametrize("late", [True, False])
def test_a_list_is_narrowed(db: DbSession, clock: SetClock, late: bool) -> None:
    case_id = opened(db, clock, CaseKind.FOI)
    opened(db, clock, CaseKind.ACCESS)
    clock.now = RECEIVED + timedelta(days=4 if late else 0)
    db.rollback()
    ref = acts.read(db, case_id).case.ref
    kinds = [row.story.case.kind for row in case_lists.rows(db, Wanted(text=ref.lower()), now=clock())]
    assert kinds == [CaseKind.FOI]
    assert len(case_lists.rows(db, Wanted(kind=CaseKind.ACCESS), now=clock())) == 1
    assert len(case_lists.rows(db, Wanted(late=True), now=clock())) == (2 if late else 0)
    assert case_lists.rows(db, Wanted(stand="closed"), now=clock()) == []
    assert len(case_lists.rows(db, Wanted(owner="nobody"), now=clock())) == 2
    assert case_lists.rows(db, Wanted(owner="somebody"), now=clock()) == []
    page = case_lists.page(case_lists.rows(db, Wanted(), now=clock()), 99)
    assert (page.page, page.pages, page.total) == (1, 1, 2)
