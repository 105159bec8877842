"""Councils: found by name or code, live from a day to a day, and next to one another."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session as DbSession

from portal import imports
from portal.models import Council, Neighbours
from privacy.audit import Action
from privacy.clock import day_words
from privacy.work import Work


def is_live(council: Council, day: date) -> bool:
    """Whether it exists on a day; the day it was replaced belongs to its successors."""
    return (council.starts_on is None or council.starts_on <= day) and (
        council.ends_on is None or day < council.ends_on
    )


class UnknownCouncil(Exception):
    """No council, or none that exists on that day, has this name; the message says what is near."""


@dataclass
class Finder:
    """Finds councils by name, short name, short code or gss code, whatever the case of the letters."""

    councils: Iterable[Council]
    _index: dict[str, list[Council]] = field(default_factory=dict)
    _near: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for council in self.councils:
            for word in {council.name, council.short_name, council.code, council.gss}:
                self._index.setdefault(_folded(word), []).append(council)

    def find(self, text: str, *, on: date) -> Council:
        """The council of that name on a day. Raises UnknownCouncil."""
        named = self._index.get(_folded(text), [])
        live = [council for council in named if is_live(council, on)]
        if len(live) == 1:
            return live[0]
        if live:
            raise UnknownCouncil(
                f"“{imports.shortened(text)}” fits more than one council. Write its gss code"
            )
        if named:
            raise UnknownCouncil(self._ended_or_not_begun(named[0], on))
        raise UnknownCouncil(f"“{imports.shortened(text)}” is not a council we know{self._suggestion(text)}")

    def _ended_or_not_begun(self, council: Council, on: date) -> str:
        if council.ends_on is not None and council.ends_on <= on:
            heirs = [
                self._index[_folded(code)][0].name
                for code in council.replaced_by
                if _folded(code) in self._index
            ]
            after = f". {' and '.join(heirs)} took its place" if heirs else ""
            return f"{council.name} ended on {day_words(council.ends_on)}{after}"
        began = day_words(council.starts_on) if council.starts_on else "a later day"
        return f"{council.name} began on {began}, after the start of the role"

    def _suggestion(self, text: str) -> str:
        # Comparing is slow: once for each spelling, and not for a file in which nothing fits.
        if text not in self._near and len(self._near) < 50:
            near = difflib.get_close_matches(_folded(text), self._index, n=1, cutoff=0.8)
            self._near[text] = f". Is it {self._index[near[0]][0].name}?" if near else ""
        return self._near.get(text, "")


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def load(db: DbSession, council_id: UUID) -> Council | None:
    return db.get(Council, council_id)


def listed(db: DbSession, *, text: str = "") -> list[Council]:
    """All councils by name, or those whose name or code holds the text."""
    asked = select(Council).order_by(Council.short_name, Council.starts_on)
    if text.strip():
        found = f"%{_escaped(text.strip().lower())}%"
        asked = asked.where(
            or_(
                *(
                    column.ilike(found, escape="\\")
                    for column in (
                        Council.name,
                        Council.short_name,
                        Council.code,
                        Council.gss,
                        Council.region,
                    )
                )
            )
        )
    return list(db.scalars(asked))


def heirs(db: DbSession, council: Council) -> list[Council]:
    """The councils that took its place."""
    if not council.replaced_by:
        return []
    return list(
        db.scalars(select(Council).where(Council.code.in_(council.replaced_by)).order_by(Council.name))
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def live_or_coming(db: DbSession, *, on: date) -> list[Council]:
    """The councils that exist on a day or later, by name."""
    return [council for council in listed(db) if council.ends_on is None or on < council.ends_on]


# ---- neighbours


def neighbours(db: DbSession, council_id: UUID) -> set[UUID]:
    """The councils next to one, as the team entered them; whoever is a neighbour has one."""
    rows = db.execute(
        select(Neighbours.lower_id, Neighbours.higher_id).where(
            or_(Neighbours.lower_id == council_id, Neighbours.higher_id == council_id)
        )
    )
    return {other for row in rows for other in row if other != council_id}


def set_neighbours(work: Work, *, council_id: UUID, neighbour_ids: Iterable[UUID]) -> tuple[int, int]:
    """Say which councils are next to one; both sides of each pair change. Returns how many came and went.

    LookupError for a council that is none, or for itself.
    """
    wanted = set(neighbour_ids)
    known = set(work.db.scalars(select(Council.id).where(Council.id.in_(wanted | {council_id}))))
    if council_id in wanted or known != wanted | {council_id}:
        raise LookupError("no such council")
    standing = neighbours(work.db, council_id)
    for other in sorted(standing - wanted):
        lower, higher = _pair(council_id, other)
        work.db.execute(
            delete(Neighbours).where(Neighbours.lower_id == lower, Neighbours.higher_id == higher)
        )
    for other in sorted(wanted - standing):
        lower, higher = _pair(council_id, other)
        # merge: a colleague may just have said the same from the other side.
        work.db.merge(Neighbours(lower_id=lower, higher_id=higher))
    came, went = len(wanted - standing), len(standing - wanted)
    if came or went:
        work.record(Action.NEIGHBOURS_CHANGED, object=f"council:{council_id}", added=came, removed=went)
    return came, went


def _pair(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """In the order of the databases: by the letters of an id, which is that of its number."""
    return (one, other) if one.hex < other.hex else (other, one)


def neighbours_of(db: DbSession, council_id: UUID) -> list[Council]:
    """The councils next to one, by name."""
    ids = neighbours(db, council_id)
    return list(db.scalars(select(Council).where(Council.id.in_(ids)).order_by(Council.short_name)))
