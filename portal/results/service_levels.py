"""The service levels, counted per contract year (sch 4 SLAs, cl 3.3.1).

A package counts in the contract year in which its support started, once it has started, and only where its
council was agreed with the Department. Time delivered counts wherever it falls.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    CORPORATE,
    POLITICAL,
    CouncilFact,
    Fact,
    GroupPlan,
    Package,
    PackageState,
    Participation,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.programme import Programme, contract_period, contract_years
from privacy.clock import end_of_day, london_date


@dataclass(frozen=True, kw_only=True)
class YearLevels:
    """One contract year: councils with support that started, sessions held across councils, short packages.

    An action learning set counts once, in the year of its first session, however many dates it has. Corporate and
    political councils are those of one-to-one support, counted apart (sch 5 1.3.3). A package is under the minimum
    when it ended in the year with less than the days that one-to-one support has.
    """

    year: str
    starts_on: date
    ends_on: date
    one_to_one_councils: int
    corporate_councils: int
    political_councils: int
    group_councils: int
    joint_workshops: int
    action_learning_sets: int
    packages_under_minimum: int


@dataclass(frozen=True)
class Counter:
    """A figure of `YearLevels` in words, and the key of its target; None for a figure that none is set for."""

    name: str
    words: str
    key: str | None = None
    at_most: bool = False

    def target(self, programme: Programme) -> int | None:
        return programme.sla[self.key] if self.key is not None else None


COUNTERS = (
    Counter("one_to_one_councils", "Councils with one-to-one support", "one_to_one_councils"),
    Counter("corporate_councils", "Councils with support for corporate leaders", "corporate_councils"),
    Counter("political_councils", "Councils with support for political leaders", "political_councils"),
    Counter("group_councils", "Councils with support for a group", "group_councils"),
    Counter("joint_workshops", "Joint workshops held", "joint_workshops_at_most", at_most=True),
    Counter("action_learning_sets", "Action learning sets", "action_learning_sets_at_most", at_most=True),
    Counter("packages_under_minimum", "One-to-one packages that ended under the minimum"),
)


@dataclass(frozen=True)
class _Started:
    council_id: UUID | None
    strand: Strand
    starts_on: date
    ends_on: date | None
    roles: frozenset[Role]
    delivered_minutes: int
    agreed: bool


def levels(db: DbSession, programme: Programme, *, as_of: date) -> list[YearLevels]:
    """Every contract year that has begun by a London day, as it stood at the end of that day."""
    started = _started(db, as_of=as_of)
    workshops, sets = _held(db, as_of=as_of)
    period = contract_period(db, programme, on=as_of)
    found = []
    for year in contract_years(period, programme.year_ends):
        if year.period.starts_on > as_of:
            continue
        own = [one for one in started if one.starts_on in year.period and one.agreed]
        single = [one for one in own if one.strand is Strand.ONE_TO_ONE]
        found.append(
            YearLevels(
                year=year.name,
                starts_on=year.period.starts_on,
                ends_on=year.period.ends_on,
                one_to_one_councils=_councils(single),
                corporate_councils=_councils(one for one in single if one.roles & CORPORATE),
                political_councils=_councils(one for one in single if one.roles & POLITICAL),
                group_councils=_councils(one for one in own if one.strand is Strand.GROUP),
                joint_workshops=sum(day in year.period for day in workshops),
                action_learning_sets=sum(day in year.period for day in sets),
                packages_under_minimum=sum(
                    one.strand is Strand.ONE_TO_ONE
                    and one.ends_on in year.period
                    and one.delivered_minutes < programme.minimum_minutes
                    for one in started
                ),
            )
        )
    return found


def _held(db: DbSession, *, as_of: date) -> tuple[list[date], list[date]]:
    """The days of the joint workshops that were held, and the first day of each action learning set."""
    workshops: list[date] = []
    sets: dict[UUID, date] = {}
    rows = db.execute(
        select(Session.starts_at, Session.kind, Session.package_id, GroupPlan.set_id)
        .outerjoin(GroupPlan, GroupPlan.session_id == Session.id)
        .where(
            Session.kind.in_((SessionKind.JOINT_WORKSHOP, SessionKind.ACTION_LEARNING_SET)),
            Session.state == SessionState.HELD,
            Session.ends_at < end_of_day(as_of),
        )
        .order_by(Session.starts_at)
    )
    for starts_at, kind, package_id, set_id in rows:
        if kind is SessionKind.JOINT_WORKSHOP:
            workshops.append(london_date(starts_at))
        else:
            sets.setdefault(set_id or package_id, london_date(starts_at))
    return workshops, list(sets.values())


def _councils(started: Iterable[_Started]) -> int:
    return len({one.council_id for one in started if one.council_id is not None})


def _started(db: DbSession, *, as_of: date) -> list[_Started]:
    packages = db.execute(
        select(Package.id, Package.council_id, Package.strand, Package.starts_on, Package.ends_on).where(
            Package.state.in_((PackageState.ACTIVE, PackageState.ENDED)), Package.starts_on <= as_of
        )
    ).all()
    roles: dict[UUID, set[Role]] = {}
    for package_id, role in db.execute(select(Participation.package_id, Participation.role)):
        roles.setdefault(package_id, set()).add(role)
    delivered = db.execute(
        select(Session.package_id, func.sum(Session.delivered_minutes))
        .where(Session.state == SessionState.HELD, Session.ends_at < end_of_day(as_of))
        .group_by(Session.package_id)
    )
    minutes = {package_id: total or 0 for package_id, total in delivered}
    agreements = db.execute(
        select(CouncilFact.council_id, CouncilFact.to_on).where(
            CouncilFact.fact == Fact.AGREED, CouncilFact.corrected_at.is_(None), CouncilFact.from_on <= as_of
        )
    ).all()
    return [
        _Started(
            council_id=row.council_id,
            strand=row.strand,
            starts_on=row.starts_on,
            ends_on=row.ends_on if row.ends_on and row.ends_on <= as_of else None,
            roles=frozenset(roles.get(row.id, ())),
            delivered_minutes=minutes.get(row.id, 0),
            agreed=_agreed([(one[0], one[1]) for one in agreements], row.council_id, row.starts_on),
        )
        for row in packages
    ]


def _agreed(
    agreements: Collection[tuple[UUID, date | None]], council_id: UUID | None, starts_on: date
) -> bool:
    return any(found == council_id and (to_on is None or to_on >= starts_on) for found, to_on in agreements)
