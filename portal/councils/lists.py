"""Councils as the team lists them: how each stands today, whether it is agreed and supported, by filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.councils import qualifying, refusals
from portal.councils import register as councils
from portal.councils.facts import current
from portal.councils.qualifying import Qualification
from portal.councils.reviews import SUPPORTED
from portal.csv_files import csv_of, yes_no
from portal.models import Council, CouncilFact, CouncilKind, Fact, Ground, Package
from privacy.clock import london_date


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; None and the empty text leave everything."""

    text: str = ""
    region: str = ""
    kind: CouncilKind | None = None
    qualifies: bool | None = None
    agreed: bool | None = None
    supported: bool | None = None

    @property
    def is_narrow(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True)
class Line:
    """One council: how it stands on the day, since when it is agreed or the Department says that it does not agree, and
    how many packages run or are to come."""

    council: Council
    standing: Qualification
    agreed_on: date | None
    packages: int
    refused_on: date | None

    @property
    def grounds(self) -> list[Ground]:
        return [met.ground for met in self.standing.grounds]


def listing(db: DbSession, wanted: Wanted, *, on: date) -> list[Line]:
    """The councils that fit, by name, in the same number of queries however many there are."""
    standing = qualifying.of_councils(db, on=on)
    agreed = _agreed(db, on)
    packages = _packages(db)
    refused = {known: london_date(row.refused_at) for known, row in refusals.all_standing(db).items()}
    lines = [
        Line(
            council,
            standing.get(council.id, Qualification(on)),
            agreed.get(council.id),
            packages.get(council.id, 0),
            refused.get(council.id),
        )
        for council in councils.listed(db, text=wanted.text)
    ]
    return [line for line in lines if _fits(line, wanted)]


def regions(db: DbSession) -> Sequence[str]:
    """The regions that councils are in, by name."""
    return db.scalars(select(Council.region).distinct().order_by(Council.region)).all()


def as_csv(lines: Sequence[Line]) -> bytes:
    """The list as a file, without the words of the evidence."""
    head = ("Council", "Code", "Type", "Region", "Qualifies", "Why", "Since", "In intervention since")
    rows = (
        (
            line.council.name,
            line.council.gss,
            line.council.kind.value.capitalize(),
            line.council.region,
            yes_no(bool(line.standing)),
            "; ".join(qualifying.GROUNDS[met.ground] for met in line.standing.grounds),
            min((met.since for met in line.standing.grounds), default=None),
            line.standing.intervention.from_on if line.standing.intervention else None,
            line.agreed_on,
            line.packages,
            line.refused_on,
        )
        for line in lines
    )
    return csv_of((*head, "Agreed on", "Packages now", "Not agreed on"), rows)


def _fits(line: Line, wanted: Wanted) -> bool:
    return (
        wanted.region in ("", line.council.region)
        and wanted.kind in (None, line.council.kind)
        and wanted.qualifies in (None, bool(line.standing))
        and wanted.agreed in (None, line.agreed_on is not None)
        and wanted.supported in (None, line.packages > 0)
    )


def _agreed(db: DbSession, on: date) -> dict[UUID, date]:
    rows = db.execute(
        select(CouncilFact.council_id, func.max(CouncilFact.from_on))
        .where(
            CouncilFact.fact == Fact.AGREED,
            current(),
            CouncilFact.from_on <= on,
            or_(CouncilFact.to_on.is_(None), CouncilFact.to_on >= on),
        )
        .group_by(CouncilFact.council_id)
    )
    return {row[0]: row[1] for row in rows}


def _packages(db: DbSession) -> dict[UUID, int]:
    rows = db.execute(
        select(Package.council_id, func.count())
        .where(Package.council_id.is_not(None), Package.state.in_(SUPPORTED))
        .group_by(Package.council_id)
    )
    return {council_id: number for council_id, number in rows if council_id is not None}
