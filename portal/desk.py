"""What the privacy desk shows: the register of holdings in words, and the audit trail a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from privacy import audit, holdings
from privacy.audit import AuditEntry
from privacy.errors import ChainBroken
from privacy.holdings import ColumnEntry, Store
from privacy.keys import KeyRing

LINES_PER_PAGE = 100


@dataclass(frozen=True)
class TableHeld:
    """One table of the register, with its columns."""

    name: str
    keep: str
    about: str
    columns: list[ColumnEntry]


@dataclass(frozen=True)
class TrailPage:
    """A page of the audit trail, newest first."""

    lines: Sequence[AuditEntry]
    page: int
    pages: int
    total: int


def tables_held() -> list[TableHeld]:
    """The register of holdings, table by table."""
    found = []
    for name, entries in groupby(holdings.columns(), key=lambda entry: entry.table):
        columns = list(entries)
        about = "a person" if columns[0].subject else "nobody"
        found.append(TableHeld(name, columns[0].keep, about, columns))
    return found


def stores_held() -> tuple[Store, ...]:
    """The places outside the database."""
    return holdings.STORES


def trail(db: DbSession, *, page: int) -> TrailPage:
    """One page of the trail; a page that does not exist is the nearest that does."""
    total = db.scalar(select(func.count()).select_from(AuditEntry)) or 0
    pages = max(1, -(-total // LINES_PER_PAGE))
    page = min(max(page, 1), pages)
    lines = db.scalars(
        select(AuditEntry)
        .order_by(AuditEntry.seq.desc())
        .limit(LINES_PER_PAGE)
        .offset((page - 1) * LINES_PER_PAGE)
    ).all()
    return TrailPage(lines, page, pages, total)


def chain_state(db: DbSession, ring: KeyRing) -> str:
    """Whether the chain holds, in words."""
    try:
        count = audit.verify(db, ring)
    except ChainBroken as broken:
        return f"The audit trail does not hold: {broken}."
    return f"All {count} lines hold: none was altered, left out or put elsewhere."
