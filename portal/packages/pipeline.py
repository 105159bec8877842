"""The pipeline: packages by state, counted and listed, narrowed by kind, council type and region."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.csv_files import csv_of
from portal.models import Council, Package, PackageState, Participation, Strand
from portal.packages.ledger import Ledger, ledgers
from portal.packages.strands import KINDS
from portal.programme import Programme


@dataclass(frozen=True)
class Pipeline:
    """Packages of each state in the order of the path, soonest start first, and their time."""

    stages: Mapping[PackageState, Sequence[Package]]
    ledgers: Mapping[UUID, Ledger]

    @property
    def total(self) -> int:
        return sum(map(len, self.stages.values()))

    @property
    def packages(self) -> Iterable[Package]:
        return chain.from_iterable(self.stages.values())


def pipeline(
    db: DbSession,
    programme: Programme,
    *,
    strand: Strand | None = None,
    region: str = "",
    state: PackageState | None = None,
) -> Pipeline:
    """All packages that fit, in the same number of queries however many there are."""
    asked = (
        select(Package)
        .options(
            joinedload(Package.council),
            selectinload(Package.participations).joinedload(Participation.person),
        )
        .order_by(Package.starts_on, Package.ref)
    )
    if strand is not None:
        asked = asked.where(Package.strand == strand)
    if region:
        asked = asked.join(Council).where(Council.region == region)
    if state is not None:
        asked = asked.where(Package.state == state)
    found = db.scalars(asked).all()
    stages = {one: [package for package in found if package.state is one] for one in PackageState}
    return Pipeline(stages, ledgers(db, programme, found))


def as_csv(packages: Iterable[Package], times: Mapping[UUID, Ledger], programme: Programme) -> bytes:
    """Packages as a file: by reference, without names."""
    head = ("Reference", "Kind", "State", "Council", "Region", "Starts", "Ended", "People")
    time = ("Days planned", "Days booked", "Days held", "Late cancellations", "Nobody came")
    rows = (
        (
            package.ref,
            KINDS[package.strand],
            package.state.value.capitalize(),
            package.council.name if package.council is not None else "",
            package.council.region if package.council is not None else "",
            package.starts_on,
            package.ends_on,
            sum(part.to_on is None for part in package.participations),
            *_days(times[package.id], programme),
        )
        for package in packages
    )
    return csv_of((*head, *time), rows)


def _days(time: Ledger, programme: Programme) -> tuple[float, float, float, int, int]:
    planned, booked, delivered = (
        round(minutes / programme.minutes_in_day, 2)
        for minutes in (time.planned, time.booked, time.delivered)
    )
    return planned, booked, delivered, time.late, time.missed
