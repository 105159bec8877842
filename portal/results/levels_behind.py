"""What a service level is counted from: the packages with their councils, or the sessions that were held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.models import Package, Session
from portal.packages.ledger import Ledger, ledgers
from portal.programme import Programme
from portal.results import service_levels
from portal.results.service_levels import Counter


@dataclass(frozen=True, kw_only=True)
class Level:
    """A service level of a year with what is behind it; packages by council, so that those of one stand together."""

    year: str
    counter: Counter
    as_of: date
    packages: Sequence[tuple[Package, Ledger]]
    sessions: Sequence[Session]


def page(db: DbSession, programme: Programme, *, year: str, name: str, as_of: date) -> Level | None:
    """None for a year that has not begun by the day, or a level there is none of."""
    years = {one.name: one for one in service_levels.begun_years(db, programme, as_of=as_of)}
    counter = next((one for one in service_levels.COUNTERS if one.name == name), None)
    if year not in years or counter is None:
        return None
    packages, sessions = service_levels.behind(db, programme, year=years[year], name=name, as_of=as_of)
    found = db.scalars(
        select(Package).where(Package.id.in_(packages)).options(joinedload(Package.council))
    ).all()
    delivered = ledgers(db, programme, found)
    in_order = sorted(
        found, key=lambda one: ("" if one.council is None else one.council.short_name, one.starts_on)
    )
    return Level(
        year=year,
        counter=counter,
        as_of=as_of,
        packages=[(one, delivered[one.id]) for one in in_order],
        sessions=db.scalars(
            select(Session).where(Session.id.in_(sessions)).order_by(Session.starts_at)
        ).all(),
    )
