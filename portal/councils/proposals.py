"""Councils that wait for the Department: packages are proposed there, and no agreement holds (sch 4 SLAs).

The Department's observer sees which councils, why they qualify and on what evidence, and how many packages of which
kind; no participant's name. Evidence that was written before its form said so is not shown to them (`GroundMet.told`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.councils import qualifying
from portal.councils.qualifying import GroundMet
from portal.models import Council, Package, PackageState, Strand


@dataclass(frozen=True)
class Proposal:
    """A council with what is proposed for it, and the grounds that hold on the day."""

    council: Council
    packages: Mapping[Strand, int]
    grounds: Sequence[GroundMet]


def proposals(db: DbSession, *, on: date) -> list[Proposal]:
    """All councils that wait, by name; two queries."""
    return _proposals(db, on=on, council_id=None)


def proposal(db: DbSession, council_id: UUID, *, on: date) -> Proposal | None:
    """One council that waits; None where none is proposed there, or it is agreed."""
    return next(iter(_proposals(db, on=on, council_id=council_id)), None)


def _proposals(db: DbSession, *, on: date, council_id: UUID | None) -> list[Proposal]:
    asked = (
        select(Council, Package.strand)
        .join(Package, Package.council_id == Council.id)
        .where(Package.state == PackageState.PROPOSED)
        .order_by(Council.short_name, Council.id)
    )
    if council_id is not None:
        asked = asked.where(Council.id == council_id)
    councils: dict[UUID, Council] = {}
    packages: dict[UUID, Counter[Strand]] = {}
    for council, strand in db.execute(asked):
        councils[council.id] = council
        packages.setdefault(council.id, Counter())[strand] += 1
    standing = qualifying.of_councils(db, on=on, council_ids=councils)
    return [
        Proposal(council, packages[known], standing[known].grounds if known in standing else ())
        for known, council in councils.items()
    ]
