"""How a group session is planned: fewest people and the day to decide, whom it visits, and whose members may come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.booking import standing
from portal.booking.diary import Refused
from portal.groups import seats, waiting
from portal.models import (
    Council,
    GroupPlan,
    Package,
    PackageMentor,
    Participation,
    Person,
    Session,
    SessionKind,
    SessionPackage,
)
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work


class WrongPlan(Refused):
    """The plan of a group session does not hold together; `field` names what is wrong."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class Plan:
    """What is planned. `package_ids`: other packages of the council whose members may come to a joint workshop."""

    minimum: int | None = None
    decide_on: date | None = None
    host_council_id: UUID | None = None
    package_ids: Sequence[UUID] = ()


def of(db: DbSession, session_id: UUID) -> GroupPlan | None:
    """The plan of a group session; None for one without, such as one that was logged afterwards."""
    return db.get(GroupPlan, session_id, options=[joinedload(GroupPlan.host)])


def write(work: Work, session: Session, plan: Plan) -> GroupPlan:
    """Write the plan of a session that was just added. Raises WrongPlan."""
    _require_minimum(session, session.capacity or 0, plan, today=london_date(work.now))
    _require_host(work.db, session, plan.host_council_id)
    row = GroupPlan(session_id=session.id, host_council_id=plan.host_council_id)
    row.minimum, row.decide_on = plan.minimum, plan.decide_on
    work.db.add(row)
    for package_id in _joined(work.db, session, plan.package_ids):
        work.db.add(SessionPackage(session_id=session.id, package_id=package_id))
    work.db.flush()
    return row


def change(
    work: Work,
    programme: Programme,
    *,
    session_id: UUID,
    capacity: int,
    minimum: int | None,
    decide_on: date | None,
    host_council_id: UUID | None = None,
) -> list[UUID]:
    """Change places, minimum, day to decide and host; returns who got one of the new places.

    What was decided is open again when minimum or day change. Raises WrongPlan, SetIsFixed and SessionClosed.
    """
    session = standing.reopen(work, session_id=session_id)
    before = seats.require_open(work, session)
    if capacity != before and waiting.fixed(work.db, session_id):
        raise waiting.SetIsFixed
    taken = before - seats.free_places(work, session)
    if capacity < taken:
        raise WrongPlan("capacity", f"{taken} people have a place. Enter that number or more")
    row = work.db.get(GroupPlan, session_id, populate_existing=True)
    if row is None:
        row = GroupPlan(session_id=session_id)
        work.db.add(row)
    if (row.minimum, row.decide_on) != (minimum, decide_on):
        plan = Plan(minimum=minimum, decide_on=decide_on)
        _require_minimum(session, capacity, plan, today=london_date(work.now))
        row.decision = row.decided_at = None
    elif minimum is not None and minimum > capacity:
        raise WrongPlan("minimum", "There are fewer places than that. Enter a smaller number")
    _require_host(work.db, session, host_council_id)
    row.minimum, row.decide_on, row.host_council_id = minimum, decide_on, host_council_id
    session.capacity = capacity
    work.record(
        Action.SESSION_PLANNED,
        object=f"session:{session_id}",
        places=capacity,
        minimum=minimum,
        decide_on=decide_on,
    )
    return waiting.fill(work, programme, session)


def joinable(db: DbSession, package: Package) -> Sequence[Package]:
    """Other open packages of the same council, whose members may be asked to a joint workshop."""
    if package.council_id is None:
        return []
    return db.scalars(
        select(Package)
        .where(
            Package.council_id == package.council_id,
            Package.id != package.id,
            Package.state.in_(standing.OPEN),
        )
        .options(
            selectinload(Package.participations).joinedload(Participation.person),
            selectinload(Package.mentors).joinedload(PackageMentor.person).selectinload(Person.offices),
        )
        .order_by(Package.starts_on, Package.ref)
    ).all()


def _joined(db: DbSession, session: Session, package_ids: Sequence[UUID]) -> list[UUID]:
    if not package_ids:
        return []
    if session.kind is not SessionKind.JOINT_WORKSHOP:
        raise WrongPlan("packages", "Only a joint workshop brings several packages together")
    known = {package.id for package in joinable(db, db.get_one(Package, session.package_id))}
    if not known.issuperset(package_ids):
        raise WrongPlan("packages", "Choose from the open packages of this council")
    return list(dict.fromkeys(package_ids))


def _require_minimum(session: Session, capacity: int, plan: Plan, *, today: date) -> None:
    if (plan.minimum is None) != (plan.decide_on is None):
        missing = "minimum" if plan.minimum is None else "decide_on"
        raise WrongPlan(missing, "Enter both the fewest people and the day to decide, or neither")
    if plan.minimum is None or plan.decide_on is None:
        return
    if plan.minimum > capacity:
        raise WrongPlan("minimum", "There are fewer places than that. Enter a smaller number")
    if not today <= plan.decide_on < london_date(session.starts_at):
        raise WrongPlan("decide_on", "Choose a day from today to the day before the session")


def _require_host(db: DbSession, session: Session, host_id: UUID | None) -> None:
    visit = session.kind is SessionKind.VISIT
    if visit and (host_id is None or db.get(Council, host_id) is None):
        raise WrongPlan("host", "Choose the council that you visit")
    if not visit and host_id is not None:
        raise WrongPlan("host", "Only a visit goes to a council. Choose none, or make this a visit")
    if host_id is not None and host_id == db.get_one(Package, session.package_id).council_id:
        raise WrongPlan("host", "This is the group's own council. Choose the one that you visit")
