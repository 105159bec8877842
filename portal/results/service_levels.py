"""The service levels, counted per contract year (sch 4 SLAs, cl 3.3.1).

A package counts in the contract year in which its support started, once it has started, and only where its
council was agreed with the Department. Time delivered counts wherever it falls.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
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
from portal.programme import ContractYear, Period, Programme, contract_period, contract_years
from portal.results.stamps import stamped
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
    id: UUID
    council_id: UUID | None
    strand: Strand
    starts_on: date
    ends_on: date | None
    roles: frozenset[Role]
    delivered_minutes: int
    agreed: bool


@dataclass(frozen=True)
class _Held:
    id: UUID
    kind: SessionKind
    on: date


OF_COUNCILS = ("one_to_one_councils", "corporate_councils", "political_councils", "group_councils")
OF_PACKAGES = (*OF_COUNCILS, "packages_under_minimum")
OF_SESSIONS = {
    "joint_workshops": SessionKind.JOINT_WORKSHOP,
    "action_learning_sets": SessionKind.ACTION_LEARNING_SET,
}
"""From what each figure of `YearLevels` is counted."""


def levels(db: DbSession, programme: Programme, *, as_of: date) -> list[YearLevels]:
    """Every contract year that has begun by a London day, as it stood at the end of that day."""
    started, held = _started(db, as_of=as_of), _held(db, as_of=as_of)
    found = []
    for year in begun_years(db, programme, as_of=as_of):
        behind = {name: _packages(name, started, year.period, programme) for name in OF_PACKAGES}
        sessions = {name: _sessions(name, held, year.period) for name in OF_SESSIONS}
        found.append(
            YearLevels(
                year=year.name,
                starts_on=year.period.starts_on,
                ends_on=year.period.ends_on,
                **{name: _councils(behind[name]) for name in OF_COUNCILS},
                **{name: len(sessions[name]) for name in OF_SESSIONS},
                packages_under_minimum=len(behind["packages_under_minimum"]),
            )
        )
    return found


DEFINITION = (
    "A package counts in the contract year in which its support started, once it has started, and only where the "
    "Department agreed its council. Councils are counted once for each kind of support. Sessions count once they were "
    "held; an action learning set once, by its first date. A package is under the minimum when it ended in the year "
    "with less time delivered than one-to-one support has."
)


def document(db: DbSession, programme: Programme, *, as_of: date) -> dict[str, Any]:
    """The levels as plain data: for each year its figures and, as `base`, the packages that they are counted from."""
    started = _started(db, as_of=as_of)
    bases = {
        year.name: sum(one.agreed and one.starts_on in year.period for one in started)
        for year in begun_years(db, programme, as_of=as_of)
    }
    years = [
        {
            **asdict(one),
            "starts_on": one.starts_on.isoformat(),
            "ends_on": one.ends_on.isoformat(),
            "base": bases[one.year],
        }
        for one in levels(db, programme, as_of=as_of)
    ]
    return stamped({"definition": DEFINITION, "targets": dict(programme.sla), "years": years}, as_of=as_of)


def begun_years(db: DbSession, programme: Programme, *, as_of: date) -> list[ContractYear]:
    """The contract years that have begun by a day."""
    period = contract_period(db, programme, on=as_of)
    return [year for year in contract_years(period, programme.year_ends) if year.period.starts_on <= as_of]


def behind(
    db: DbSession, programme: Programme, *, year: ContractYear, name: str, as_of: date
) -> tuple[list[UUID], list[UUID]]:
    """What a figure of a year is counted from: the ids of packages, and those of sessions."""
    if name in OF_SESSIONS:
        return [], [one.id for one in _sessions(name, _held(db, as_of=as_of), year.period)]
    return [one.id for one in _packages(name, _started(db, as_of=as_of), year.period, programme)], []


def _packages(
    name: str, started: Collection[_Started], period: Period, programme: Programme
) -> list[_Started]:
    if name == "packages_under_minimum":
        return [
            one
            for one in started
            if one.strand is Strand.ONE_TO_ONE
            and one.ends_on in period
            and one.delivered_minutes < programme.minimum_minutes
        ]
    own = [one for one in started if one.starts_on in period and one.agreed]
    if name == "group_councils":
        return [one for one in own if one.strand is Strand.GROUP]
    roles = {"corporate_councils": CORPORATE, "political_councils": POLITICAL}.get(name)
    return [one for one in own if one.strand is Strand.ONE_TO_ONE and (roles is None or one.roles & roles)]


def _sessions(name: str, held: Iterable[_Held], period: Period) -> list[_Held]:
    return [one for one in held if OF_SESSIONS[name] is one.kind and one.on in period]


@dataclass(frozen=True)
class SupportedCouncil:
    """A council that counts in a contract year, for a strand."""

    year: str
    strand: Strand
    council_id: UUID


def councils(db: DbSession, programme: Programme, *, as_of: date) -> frozenset[SupportedCouncil]:
    """The councils behind the counts of `levels`: those with support that started in a contract year."""
    period = contract_period(db, programme, on=as_of)
    years = contract_years(period, programme.year_ends)
    return frozenset(
        SupportedCouncil(year.name, one.strand, one.council_id)
        for one in _started(db, as_of=as_of)
        for year in years
        if one.agreed and one.council_id is not None and one.starts_on in year.period
    )


def _held(db: DbSession, *, as_of: date) -> list[_Held]:
    """The joint workshops that were held, and of each action learning set the first session."""
    found: dict[UUID, _Held] = {}
    rows = db.execute(
        select(Session.id, Session.starts_at, Session.kind, Session.package_id, GroupPlan.set_id)
        .outerjoin(GroupPlan, GroupPlan.session_id == Session.id)
        .where(
            Session.kind.in_(OF_SESSIONS.values()),
            Session.state == SessionState.HELD,
            Session.ends_at < end_of_day(as_of),
        )
        .order_by(Session.starts_at)
    )
    for session_id, starts_at, kind, package_id, set_id in rows:
        counts_once = session_id if kind is SessionKind.JOINT_WORKSHOP else set_id or package_id
        found.setdefault(counts_once, _Held(session_id, kind, london_date(starts_at)))
    return list(found.values())


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
            id=row.id,
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
