"""Who has a place in a group session, who waits for one, and who could still come: for its mentor and the team."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import standing
from portal.groups import plans as group_plans
from portal.groups import seats, sessions, waiting
from portal.groups.sessions import SessionFull
from portal.models import (
    Attendance,
    AttendanceState,
    Council,
    GroupPlan,
    Office,
    Participation,
    PassedOver,
    Session,
    Waiting,
)
from portal.programme import Programme
from privacy.work import Work

PASSED_OVER = {
    PassedOver.CLASH: "has another session then",
    PassedOver.BASELINE: "the first questionnaire is missing",
    PassedOver.NOT_A_MEMBER: "is no longer in the group",
    PassedOver.RESTRICTED: "the data about them is restricted",
}

PASSED_OVER_YOU = {
    PassedOver.CLASH: "A place was free, but you have another session then.",
    PassedOver.BASELINE: "A place was free, but your first questionnaire comes before your first session.",
    PassedOver.NOT_A_MEMBER: "A place was free, but you are no longer in this group.",
    PassedOver.RESTRICTED: "A place was free, but the data about you is restricted.",
}


@dataclass(frozen=True)
class Seat:
    """Somebody's place, with the part and the councils in which they come."""

    attendance: Attendance
    part: Participation
    councils: Sequence[str]

    @property
    def by_themselves(self) -> bool:
        """Whether they took it, or gave it up, themselves."""
        return self.attendance.by == f"person:{self.attendance.person_id}"


@dataclass(frozen=True)
class Registrations:
    """Everything about the places of a session."""

    seats: Sequence[Seat]
    given_up: Sequence[Seat]
    waiting: Sequence[Waiting]
    others: Sequence[Participation]
    plan: GroupPlan | None
    fixed: bool


def of(db: DbSession, session: Session) -> Registrations:
    """Who comes, gave a place up, waits, and could be added, by name; a fixed number of queries."""
    parts = {
        part.id: part
        for part in db.scalars(
            select(Participation)
            .join(Attendance, Attendance.participation_id == Participation.id)
            .where(Attendance.session_id == session.id)
            .options(joinedload(Participation.person))
        )
    }
    councils = _councils(db, [seat.person_id for seat in session.attendances])
    rows = sorted(
        (
            Seat(seat, parts[seat.participation_id], councils.get(seat.person_id, []))
            for seat in session.attendances
        ),
        key=lambda row: (row.attendance.person.name or row.attendance.person.ref).casefold(),
    )
    listed = waiting.of(db, session.id)
    known = {one.person_id for one in listed} | {
        row.attendance.person_id
        for row in rows
        if row.attendance.state in (*standing.LIVE, AttendanceState.ABSENT)
    }
    plan = group_plans.of(db, session.id)
    return Registrations(
        seats=[row for row in rows if row.attendance.state is not AttendanceState.CANCELLED],
        given_up=[row for row in rows if row.attendance.state is AttendanceState.CANCELLED],
        waiting=listed,
        others=[one for one in seats.members_for(db, session) if one.person_id not in known],
        plan=plan,
        fixed=plan is not None and plan.set_id is not None,
    )


def _councils(db: DbSession, person_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    rows = db.execute(
        select(Office.person_id, Council.short_name)
        .join(Council, Council.id == Office.council_id)
        .where(Office.person_id.in_(person_ids), Office.to_on.is_(None))
        .order_by(Council.short_name)
        .distinct()
    )
    found: dict[UUID, list[str]] = {}
    for person_id, name in rows:
        found.setdefault(person_id, []).append(name)
    return found


def add(work: Work, programme: Programme, *, session_id: UUID, person_id: UUID) -> Attendance | Waiting:
    """Give somebody a place, or where all are taken put them on the waiting list. Raises what these raise."""
    try:
        return sessions.take_place(work, programme, session_id=session_id, person_id=person_id)
    except SessionFull:
        return waiting.join(work, programme, session_id=session_id, person_id=person_id)
