"""The record of a search: where was looked, what was found there, and why that is enough (Article 15(1A)).

The list comes from the register of holdings: every table that says something of people, the stores outside the
database, and those outside the software that the desk has entered. For a person with an account the product counts
the rows itself; what lies outside is looked through by people, who say what they found.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.cases import held_words
from privacy import holdings, outside, purge, reach
from privacy.audit import AuditEntry
from privacy.cases import acts
from privacy.cases.rules import Incomplete
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, Event
from privacy.columns import keys_of
from privacy.keystore import SUBJECT_KEY
from privacy.work import Work

FOUND_AT_MOST = 300
BESIDE, OUTSIDE = "Beside the database", "Outside the software"


class Where(StrEnum):
    """What kind of place it is. OUTSIDE: no software of ours reaches it."""

    DATABASE = "database"
    BESIDE = "beside"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class SearchPlace:
    """A place to look. `group` is the heading under which it stands. `rows`: how many rows about the person the product
    counts there; None where it cannot count."""

    code: str
    where: Where
    name: str
    holds: str
    group: str
    rows: int | None = None

    @property
    def found(self) -> str:
        """What the product itself found there, in words."""
        if self.rows is None:
            return ""
        return "nothing" if not self.rows else "1 row" if self.rows == 1 else f"{self.rows} rows"


def places(db: DbSession, case: Case) -> list[SearchPlace]:
    """Every place of the register, the database first and what lies outside the software last."""
    return [
        *_tables(db, case.subject_id),
        *(
            SearchPlace(
                _code(Where.BESIDE, store.name), Where.BESIDE, store.name.capitalize(), store.holds, BESIDE
            )
            for store in holdings.STORES
        ),
        *(
            SearchPlace(_code(Where.OUTSIDE, store.name), Where.OUTSIDE, store.name, store.holds, OUTSIDE)
            for store in outside.stores(db)
        ),
    ]


def _tables(db: DbSession, subject_id: UUID | None) -> list[SearchPlace]:
    counts = _counts(db, subject_id) if subject_id is not None else {}
    found = []
    for name, entries in groupby(holdings.columns(), key=lambda entry: entry.table):
        if any(entry.kind != "not personal" for entry in entries):
            group, said = held_words.called(name)
            holds = holdings.purpose_of(name)
            found.append(SearchPlace(f"table-{name}", Where.DATABASE, said, holds, group, counts.get(name)))
    return sorted(found, key=lambda place: held_words.GROUPS.index(place.group))


def _counts(db: DbSession, subject_id: UUID) -> dict[str, int]:
    """Rows about somebody or naming them, by table, the audit trail and the key store included."""
    counts: dict[str, int] = {}
    naming: dict[str, list[Any]] = {}
    for link in reach.mentions():
        naming.setdefault(link.table.name, []).append(link.column == subject_id)
    for table in reach.tables():
        which = [
            *([reach.about(table, subject_id)] if reach.path(table) else []),
            *naming.get(table.name, []),
        ]
        if which:
            counts[table.name] = db.scalar(select(func.count()).select_from(table).where(or_(*which))) or 0
    holders = list(purge.holders(db, subject_id))
    theirs = or_(AuditEntry.holder.in_(holders), AuditEntry.actor == f"person:{subject_id}")
    counts[AuditEntry.__tablename__] = db.scalar(select(func.count(AuditEntry.seq)).where(theirs)) or 0
    with keys_of(db).vault.engine.connect() as connection:
        keys = select(func.count()).select_from(SUBJECT_KEY).where(SUBJECT_KEY.c.holder_id.in_(holders))
        counts[SUBJECT_KEY.name] = connection.scalar(keys) or 0
    return counts


def _code(where: Where, name: str) -> str:
    """A code that stays the same while the store keeps its name, and that a form can carry."""
    return f"{where}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Searched:
    """What a form says: the codes of the places that were searched, and what was found in some of them."""

    codes: frozenset[str]
    found: Mapping[str, str]
    proportionate: str
    text: str = ""


def before(story: Story) -> Searched | None:
    """What was said of the last search, to begin the next one with."""
    event = story.last(Event.SEARCHED)
    body = event.body if event is not None else None
    if not body or "codes" not in body:
        return None
    return Searched(
        frozenset(body["codes"]),
        dict(body.get("notes") or {}),
        str(body.get("proportionate") or ""),
        str(body.get("sought") or ""),
    )


def record(work: Work, *, case_id: UUID, said: Searched, event_id: UUID | None = None) -> CaseEvent:
    """Write the search down as an event of the case, with what the product counted at this moment.

    Raises Incomplete without a place, or without a word on what was found in one outside the software; and what
    stands against the event.
    """
    case = acts.read(work.db, case_id, lock=True).case
    known = places(work.db, case)
    searched = [place for place in known if place.code in said.codes]
    if not searched:
        raise Incomplete("Choose at least one place that was searched", name="places")
    for place in searched:
        if place.where is Where.OUTSIDE and not said.found.get(place.code, "").strip():
            raise Incomplete(
                f"Say what was found in {place.name}, or that nothing was", name=f"found_{place.code}"
            )
    left = [place.name for place in known if place.code not in said.codes]
    body = {
        "searched": "\n".join(_line(place, said.found.get(place.code, "")) for place in searched),
        "proportionate": said.proportionate,
        "text": "\n".join(
            [
                *([f"Searched for: {said.text}"] if said.text else []),
                f"Not searched: {'; '.join(left) or 'nothing'}",
            ]
        ),
        "sought": said.text,
        "codes": sorted(place.code for place in searched),
        "notes": {place.code: note for place in searched if (note := said.found.get(place.code, "").strip())},
    }
    words = {name: body[name] for name in ("proportionate", "sought", "codes", "notes")}
    if (
        first := acts.sent(work, case_id=case_id, kind=Event.SEARCHED, said=words, event_id=event_id)
    ) is not None:
        return first
    return acts.happen(work, case_id=case_id, kind=Event.SEARCHED, body=body, event_id=event_id)


def _line(place: SearchPlace, note: str) -> str:
    found = ", ".join(part for part in (place.found, note.strip()) if part)
    return f"{place.name}: {found}" if found else place.name


def grouped(found: Sequence[SearchPlace]) -> Mapping[str, Sequence[SearchPlace]]:
    """The places by the heading under which they stand, in order; that of places outside stands there without any."""
    groups = [*dict.fromkeys(place.group for place in found if place.where is not Where.OUTSIDE), OUTSIDE]
    return {group: [place for place in found if place.group == group] for group in groups}
