"""What the privacy desk shows: the register of holdings in words, and the audit trail a page at a time."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Person
from privacy import audit, holdings, outside
from privacy.audit import AuditEntry
from privacy.errors import ChainBroken
from privacy.holdings import ColumnEntry, Store
from privacy.keys import KeyRing

LINES_PER_PAGE = 100
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class TableHeld:
    """One table of the register, with its columns."""

    name: str
    keep: str
    about: str
    columns: list[ColumnEntry]


@dataclass(frozen=True)
class TrailLine:
    """A line of the audit trail in words: people and packages by their short references."""

    seq: int
    at: datetime
    action: str
    actor: str
    object: str
    details: str


@dataclass(frozen=True)
class TrailPage:
    """A page of the audit trail, newest first."""

    lines: Sequence[TrailLine]
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


def stores_held(db: DbSession) -> tuple[Store, ...]:
    """The places outside the database, and those outside the software that the team has entered."""
    return (*holdings.STORES, *outside.stores(db))


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
    return TrailPage(_in_words(db, lines), page, pages, total)


def _in_words(db: DbSession, lines: Sequence[AuditEntry]) -> list[TrailLine]:
    named = "\n".join(f"{line.actor} {line.object} {line.details}" for line in lines)
    ids = [UUID(found) for found in set(_ID.findall(named))]
    asked = (select(kind.id, kind.ref).where(kind.id.in_(ids)) for kind in (Person, Package))
    references = {str(row.id): row.ref for row in db.execute(union_all(*asked))}

    def short(text: str) -> str:
        # What has no reference, or is erased, is told apart by the start of its id.
        known = _ID.sub(lambda found: references.get(found[0], found[0][:8]), text)
        return known.replace(":", " ", 1) if _ID.search(text) else known

    return [
        TrailLine(
            seq=line.seq,
            at=line.at,
            action=line.action,
            actor=short(line.actor),
            object=short(line.object),
            details=", ".join(
                f"{name.replace('_', ' ')}: {short(_word(value))}"
                for name, value in json.loads(line.details).items()
            ),
        )
        for line in lines
    ]


def _word(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def chain_state(db: DbSession, ring: KeyRing) -> str:
    """Whether the chain holds, in words."""
    try:
        count = audit.verify(db, ring)
    except ChainBroken as broken:
        return f"The audit trail does not hold: {broken}."
    return f"All {count} lines hold: none was altered, left out or put elsewhere."
