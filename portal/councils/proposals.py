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

from portal.councils import qualifying, refusals
from portal.councils.qualifying import GroundMet
from portal.models import Council, CouncilRefusal, Package, PackageState, Strand


@dataclass(frozen=True)
class Proposal:
    """A council with what is proposed for it, the grounds that hold on the day, and what the Department refused there,
    newest first."""

    council: Council
    packages: Mapping[Strand, int]
    grounds: Sequence[GroundMet]
    refusals: Sequence[CouncilRefusal]

    @property
    def refused(self) -> CouncilRefusal | None:
        """The refusal that stands; while one does, the council waits for the team."""
        return next((one for one in self.refusals if one.ended_at is None), None)


def proposals(db: DbSession, *, on: date) -> list[Proposal]:
    """All councils that are proposed, by name, those that were refused too; a fixed number of queries."""
    return _proposals(db, on=on, council_id=None)


def proposal(db: DbSession, council_id: UUID, *, on: date) -> Proposal | None:
    """One council that is proposed; None where none is proposed there, or it is agreed."""
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
    refused = refusals.of_councils(db, councils)
    return [
        Proposal(
            council,
            packages[known],
            standing[known].grounds if known in standing else (),
            refused.get(known, ()),
        )
        for known, council in councils.items()
    ]
