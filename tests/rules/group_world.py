"""A council's group with a mentor and a workshop, for tests of group sessions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.groups import sessions
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    Occupied,
    Package,
    Person,
    Place,
    Session,
    SessionKind,
    Strand,
    Waiting,
    WaitingState,
)
from privacy.work import Work, unit_of_work
from tests.conftest import Stack
from tests.factories import Factory

T = TypeVar("T")
TEN = datetime(2023, 3, 10, 10, 0, tzinfo=UTC)


class GroupWorld:
    """Members without a first questionnaire to send, and what can be done with them; everything by id."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, *, members: int = 6) -> None:
        self.stack, self.db, self.make = stack, db, make
        self.programme = stack.instance.programme
        council = make.council()
        self.council = council.id
        people = [make.person(f"Member {number}", council=council) for number in range(1, members + 1)]
        self.members = [person.id for person in people]
        mentor = make.mentor("Mo Mentor")
        self.mentor = mentor.id
        self.group = make.package(*people, mentor=mentor, strand=Strand.GROUP, council=council).id
        self.waive(self.group)

    def act(self, rule: Callable[..., T], *given: Any, **typed: Any) -> T:
        """A rule in a unit of work of its own."""
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return rule(work, *given, **typed)

    def waive(self, package_id: UUID) -> None:
        """Let first sessions be held without the first questionnaire."""

        def rule(work: Work) -> None:
            work.db.get_one(Package, package_id).baseline_waived_at = work.now

        self.act(rule)

    def schedule(self, *, capacity: int = 2, starts_at: datetime = TEN, **more: Any) -> UUID:
        made = self.act(
            sessions.schedule,
            self.programme,
            **{
                "package_id": self.group,
                "session_id": uuid4(),
                "mentor_id": self.mentor,
                "kind": SessionKind.WORKSHOP,
                "title": "Asking the right questions",
                "starts_at": starts_at,
                "minutes": 120,
                "capacity": capacity,
                "place": Place.REMOTE,
                **more,
            },
        )
        return made.id

    def take(self, session_id: UUID, *person_ids: UUID) -> None:
        for person_id in person_ids:
            self.act(sessions.take_place, self.programme, session_id=session_id, person_id=person_id)

    def give_up(self, session_id: UUID, person_id: UUID) -> bool:
        return self.act(sessions.give_up_place, self.programme, session_id=session_id, person_id=person_id)

    def busy(self, person_id: UUID, *, starts_at: datetime = TEN) -> UUID:
        """Another workshop at that time in which somebody has a place."""
        mentor = self.make.mentor()
        package = self.make.package(self.db.get_one(Person, person_id), mentor=mentor, strand=Strand.GROUP).id
        self.waive(package)
        other = self.schedule(package_id=package, mentor_id=mentor.id, starts_at=starts_at)
        self.take(other, person_id)
        return other

    def seated(self, session_id: UUID) -> set[UUID]:
        """Who has a place."""
        self.db.rollback()
        return set(
            self.db.scalars(
                select(Attendance.person_id).where(
                    Attendance.session_id == session_id, Attendance.state == AttendanceState.BOOKED
                )
            )
        )

    def listed(self, session_id: UUID) -> Sequence[UUID]:
        """Who waits, in order."""
        self.db.rollback()
        return self.db.scalars(
            select(Waiting.person_id)
            .where(Waiting.session_id == session_id, Waiting.state == WaitingState.WAITING)
            .order_by(Waiting.number)
        ).all()

    def cells(self, person_id: UUID) -> int:
        """How many quarter hours of somebody are taken."""
        self.db.rollback()
        return self.db.scalar(select(func.count()).where(Occupied.person_id == person_id)) or 0

    def mails(self, template: str, session_id: UUID) -> Sequence[UUID | None]:
        """Whom a mail about a session is queued to, in order of queuing."""
        self.db.rollback()
        return self.db.scalars(
            select(Mail.person_id)
            .where(Mail.template == template, Mail.about == session_id)
            .order_by(Mail.queued_at, Mail.id)
        ).all()

    def session(self, session_id: UUID) -> Session:
        self.db.rollback()
        return self.db.get_one(Session, session_id)


def later(**units: float) -> datetime:
    return TEN + timedelta(**units)
