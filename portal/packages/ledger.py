"""The ledger of a package: time planned, booked and delivered, against the minimum (sch 4 SLAs), and what was called
off too late for the time to be given to somebody else, or waited for people who did not come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Session, SessionState, Strand
from portal.programme import Programme


@dataclass(frozen=True)
class Ledger:
    """Time of a package in minutes: planned, booked and not yet held, held. `minimum` is 0 for a group.

    `late` counts sessions that were cancelled inside the notice period, `late_minutes` is their time; it is not
    delivered. `missed` and `missed_minutes` are the same of sessions to which nobody came.
    """

    planned: int
    booked: int
    delivered: int
    minimum: int
    late: int = 0
    late_minutes: int = 0
    missed: int = 0
    missed_minutes: int = 0

    @property
    def short(self) -> int:
        """What is missing to the minimum."""
        return max(0, self.minimum - self.delivered)


def ledger(db: DbSession, programme: Programme, package_id: UUID) -> Ledger:
    """The time of one package. LookupError where there is none."""
    package = db.get(Package, package_id)
    if package is None:
        raise LookupError("no such package")
    return ledgers(db, programme, [package])[package_id]


def ledgers(db: DbSession, programme: Programme, packages: Sequence[Package]) -> Mapping[UUID, Ledger]:
    """The time of several packages, in one query."""
    booked: dict[UUID, int] = {}
    delivered: dict[UUID, int] = {}
    late: dict[UUID, list[int]] = {}
    missed: dict[UUID, list[int]] = {}
    notice = timedelta(hours=programme.notice_hours)
    rows = db.execute(
        select(
            Session.package_id,
            Session.state,
            Session.starts_at,
            Session.ends_at,
            Session.delivered_minutes,
            Session.cancelled_at,
            Session.nobody_came,
        ).where(
            Session.package_id.in_([package.id for package in packages]),
            or_(
                Session.state != SessionState.CANCELLED,
                Session.cancelled_at.is_not(None),
                Session.nobody_came.is_(True),
            ),
        )
    )
    for package_id, state, starts_at, ends_at, minutes, cancelled_at, nobody_came in rows:
        length = int((ends_at - starts_at).total_seconds()) // 60
        if state is SessionState.HELD:
            delivered[package_id] = delivered.get(package_id, 0) + (minutes or 0)
        elif state is SessionState.BOOKED:
            booked[package_id] = booked.get(package_id, 0) + length
        elif nobody_came:
            missed.setdefault(package_id, []).append(length)
        elif cancelled_at is not None and starts_at - cancelled_at < notice:
            late.setdefault(package_id, []).append(length)
    return {
        package.id: Ledger(
            planned=package.planned_minutes,
            booked=booked.get(package.id, 0),
            delivered=delivered.get(package.id, 0),
            minimum=programme.minimum_minutes if package.strand is Strand.ONE_TO_ONE else 0,
            late=len(late.get(package.id, ())),
            late_minutes=sum(late.get(package.id, ())),
            missed=len(missed.get(package.id, ())),
            missed_minutes=sum(missed.get(package.id, ())),
        )
        for package in packages
    }
