"""What the privacy desk shows: the register of holdings in words, and the audit trail a page at a time."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, union_all
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Person
from privacy import audit, holdings, outside
from privacy.audit import Action, AuditEntry
from privacy.cases.tables import Case
from privacy.errors import ChainBroken
from privacy.holdings import ColumnEntry, Store
from privacy.keys import KeyRing

LINES_PER_PAGE = 100
AREAS = sorted({one.word.partition(".")[0] for one in Action})
"""What lines are about, by the first word of their act."""
REFERRED = (Person, Package, Case)
"""What people know by a short reference."""
_START = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
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
    """A page of the audit trail, newest first; `total` lines were looked for, of `all` that there are."""

    lines: Sequence[TrailLine]
    page: int
    pages: int
    total: int
    all: int


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


def trail(db: DbSession, *, page: int, about: str = "", area: str = "") -> TrailPage:
    """One page of the trail; a page that does not exist is the nearest that does.

    `about` is the reference of a person, package or case, or the start of an id as a line shows it: who acted, on
    what, whose data, or what the details name. `area` is one of AREAS.
    """
    looked_for: list[ColumnElement[bool]] = []
    if about:
        looked_for.append(_names(_ids(db, about)))
    if area in AREAS:
        looked_for.append(AuditEntry.action.startswith(f"{area}."))
    counted = select(func.count()).select_from(AuditEntry)
    everything = db.scalar(counted) or 0
    total = (db.scalar(counted.where(*looked_for)) or 0) if looked_for else everything
    pages = max(1, -(-total // LINES_PER_PAGE))
    page = min(max(page, 1), pages)
    lines = db.scalars(
        select(AuditEntry)
        .where(*looked_for)
        .order_by(AuditEntry.seq.desc())
        .limit(LINES_PER_PAGE)
        .offset((page - 1) * LINES_PER_PAGE)
    ).all()
    return TrailPage(_in_words(db, lines), page, pages, total, everything)


def _ids(db: DbSession, about: str) -> list[str]:
    """What a reference stands for; else the start of an id itself."""
    asked = (select(kind.id).where(kind.ref == about.upper()) for kind in REFERRED)
    found = [str(row.id) for row in db.execute(union_all(*asked))]
    return found or ([about.lower()] if _START.fullmatch(about.lower()) else [])


def _names(ids: Sequence[str]) -> ColumnElement[bool]:
    """Whether a line names one of these ids, or of their starts, anywhere."""
    places = (AuditEntry.actor, AuditEntry.object, AuditEntry.details)
    held = [AuditEntry.holder == UUID(one) for one in ids if _ID.fullmatch(one)]
    return or_(false(), *held, *(place.contains(one, autoescape=True) for place in places for one in ids))


def _in_words(db: DbSession, lines: Sequence[AuditEntry]) -> list[TrailLine]:
    named = "\n".join(f"{line.actor} {line.object} {line.details}" for line in lines)
    ids = [UUID(found) for found in set(_ID.findall(named))]
    asked = (select(kind.id, kind.ref).where(kind.id.in_(ids)) for kind in REFERRED)
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
