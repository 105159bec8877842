"""The ledger of a package: time planned, booked and delivered, against the minimum (sch 4 SLAs)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Session, SessionState, Strand
from portal.programme import Programme


@dataclass(frozen=True)
class Ledger:
    """Time of a package in minutes: planned, booked and not yet held, held. `minimum` is 0 for a group."""

    planned: int
    booked: int
    delivered: int
    minimum: int

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
    rows = db.execute(
        select(
            Session.package_id,
            Session.state,
            Session.starts_at,
            Session.ends_at,
            Session.delivered_minutes,
        ).where(
            Session.package_id.in_([package.id for package in packages]),
            Session.state != SessionState.CANCELLED,
        )
    )
    for package_id, state, starts_at, ends_at, minutes in rows:
        if state is SessionState.HELD:
            delivered[package_id] = delivered.get(package_id, 0) + (minutes or 0)
        else:
            length = int((ends_at - starts_at).total_seconds()) // 60
            booked[package_id] = booked.get(package_id, 0) + length
    return {
        package.id: Ledger(
            planned=package.planned_minutes,
            booked=booked.get(package.id, 0),
            delivered=delivered.get(package.id, 0),
            minimum=programme.minimum_minutes if package.strand is Strand.ONE_TO_ONE else 0,
        )
        for package in packages
    }
