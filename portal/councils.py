"""Councils: found by name or code, live from a day to a day, and agreed on with the Department."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from portal import imports
from portal.models import Council, CouncilFact, Fact, Ground
from portal.package_states import PackageRefused
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
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
            return f"{council.name} ended on {_words(council.ends_on)}{after}"
        began = _words(council.starts_on) if council.starts_on else "a later day"
        return f"{council.name} began on {began}, after the start of the role"

    def _suggestion(self, text: str) -> str:
        # Comparing is slow: once for each spelling, and not for a file in which nothing fits.
        if text not in self._near and len(self._near) < 50:
            near = difflib.get_close_matches(_folded(text), self._index, n=1, cutoff=0.8)
            self._near[text] = f". Is it {self._index[near[0]][0].name}?" if near else ""
        return self._near.get(text, "")


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


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


# ---- facts


class WrongAgreement(PackageRefused):
    """Who agreed, when or on what evidence is missing, or the day has not come yet."""

    field = "agreed_on"


@dataclass(frozen=True)
class Agreement:
    """That a council is allocated in agreement with the Department: when, with whom, on what ground (sch 4)."""

    on: date
    agreed_with: str
    ground: Ground
    evidence: str


def record_agreement(work: Work, *, council_id: UUID, agreed: Agreement) -> CouncilFact:
    """Add the dated fact that support of a council was agreed with the Department. Raises WrongAgreement."""
    if agreed.on > london_date(work.now):
        raise WrongAgreement("The day of the agreement is still to come")
    if not agreed.agreed_with.strip() or not agreed.evidence.strip():
        raise WrongAgreement("Say who agreed for the Department, and on what evidence")
    fact = CouncilFact(
        id=new_id(),
        council_id=council_id,
        fact=Fact.AGREED,
        value=agreed.ground.value,
        from_on=agreed.on,
        recorded_at=work.now,
        by=work.actor,
    )
    fact.agreed_with = agreed.agreed_with
    fact.evidence = agreed.evidence
    work.db.add(fact)
    work.db.flush()
    work.record(
        Action.COUNCIL_FACT_RECORDED, object=f"council:{council_id}", fact=Fact.AGREED, value=agreed.ground
    )
    return fact


def facts(db: DbSession, council_id: UUID) -> list[CouncilFact]:
    """The dated facts about a council, newest first."""
    return list(
        db.scalars(
            select(CouncilFact)
            .where(CouncilFact.council_id == council_id)
            .order_by(CouncilFact.from_on.desc(), CouncilFact.recorded_at.desc())
        )
    )


def agreement(db: DbSession, council_id: UUID, *, on: date) -> CouncilFact | None:
    """The agreement with the Department that holds for a council on a day."""
    return db.scalars(
        select(CouncilFact)
        .where(
            CouncilFact.council_id == council_id,
            CouncilFact.fact == Fact.AGREED,
            CouncilFact.from_on <= on,
            or_(CouncilFact.to_on.is_(None), CouncilFact.to_on >= on),
        )
        .order_by(CouncilFact.from_on.desc(), CouncilFact.recorded_at.desc())
        .limit(1)
    ).first()
