"""What a demo shows of assistants, needs, notes and goals: a few rows for leaders whose support runs."""

from collections.abc import Sequence

from sqlalchemy import select

from portal.models import (
    Attendance,
    AttendanceState,
    Goal,
    GoalState,
    NoteKind,
    Package,
    PackageState,
    Session,
    SessionState,
    Strand,
)
from portal.packages import goals, notes
from portal.people import delegations, needs
from portal.people.delegations import AssistantNamedAlready
from privacy import registers
from privacy.clock import london_date
from privacy.registers import DataItem, Register
from privacy.work import Work

ASSISTANT = ("Jo Ferris", "jo.ferris@demo.example")
LETTER = "Letter on needs"
WORDING = "Adjustments and dietary needs of participants may be recorded, to arrange sessions they can take part in."
SHARED = (
    "Bring the last two papers of the scrutiny committee.",
    "We try the three questions at the next committee and talk about what came of them.",
)
PRIVATE = "Ask how the budget meeting went before anything else."
REMARK = "Two committees so far. The answers were fuller when the question was open."


def assist(work: Work) -> None:
    """One assistant for two leaders, what one of them needs, notes on sessions, and a goal looked back at."""
    today = london_date(work.now)
    listed = {DataItem.ADJUSTMENTS: True, DataItem.DIETARY: True}
    registers.enter(
        work, register=Register.INSTRUCTION, letter=LETTER, from_on=today, items=listed, body=WORDING
    )
    coming = _seats(work, SessionState.BOOKED)
    for seat in coming[:2]:
        try:
            delegations.name(work, leader_id=seat.person_id, called=ASSISTANT[0], email=ASSISTANT[1])
        except AssistantNamedAlready:
            # The same leader has both sessions.
            continue
        work.db.flush()
    for seat in coming[:1]:
        said = {
            DataItem.ADJUSTMENTS: "A hearing loop, and the chair facing the door",
            DataItem.DIETARY: "No nuts",
        }
        needs.write(work, person_id=seat.person_id, said=said)
        _note(work, seat)
    for seat, text in zip(_seats(work, SessionState.HELD), SHARED, strict=False):
        notes.write(
            work, session_id=seat.session_id, author_id=seat.person_id, kind=NoteKind.SHARED, text=text
        )
    _look_back(work)


def _note(work: Work, seat: Attendance) -> None:
    mentor_id = work.db.get_one(Session, seat.session_id).mentor_id
    notes.write(work, session_id=seat.session_id, author_id=mentor_id, kind=NoteKind.PRIVATE, text=PRIVATE)


def _seats(work: Work, state: SessionState) -> Sequence[Attendance]:
    """Places in one-to-one sessions of support that runs, the next or the last ones first."""
    order = Session.starts_at if state is SessionState.BOOKED else Session.starts_at.desc()
    return work.db.scalars(
        select(Attendance)
        .join(Session, Session.id == Attendance.session_id)
        .join(Package, Package.id == Session.package_id)
        .where(
            Session.state == state,
            Attendance.state.in_((AttendanceState.BOOKED, AttendanceState.ATTENDED)),
            Package.strand == Strand.ONE_TO_ONE,
            Package.state == PackageState.ACTIVE,
        )
        .order_by(order, Attendance.id)
        .limit(4)
    ).all()


def _look_back(work: Work) -> None:
    open_goals = (
        select(Goal)
        .join(Package)
        .where(
            Goal.state == GoalState.OPEN,
            Package.state == PackageState.ACTIVE,
            Package.strand == Strand.ONE_TO_ONE,
        )
        .order_by(Package.starts_on, Package.ref, Goal.number)
        .limit(1)
    )
    for goal in work.db.scalars(open_goals):
        goals.revisit(work, package_id=goal.package_id, goal_id=goal.id, remark=REMARK)
