"""Figures for the Department, always recomputed from the data: the two KPIs and the service levels.

A KPI takes two queries and one for each 500 keys: who was supported, and what they said. People are put
together here, in memory, for as long as the figure takes (sch 4 KPIs).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import questionnaires
from portal.models import Package, PackageState, Participation, Strand
from portal.programme import Kpi, Programme, contract_period
from privacy.clock import end_of_day
from surveys import results
from surveys.models import Wave
from surveys.results import Pair
from surveys.statistics import wilson
from surveys.waves import Window

STARTED = (PackageState.ACTIVE, PackageState.ENDED)


@dataclass(frozen=True, kw_only=True)
class KpiFigure:
    """One KPI, counted in people. From `answered` to `both` everything is counted among the base.

    supported          started support by the day; a person counts once
    closed, base       of them, whose post questionnaire has closed: its last day lies before the day
    answered           sent it in its window; silent: didn't, and counts as no
    matched            both role-confidence scores are known
    confident, impact  a matched rise; an example with the verdict accepted; both: the share's numerator
    direct             say in answer to the direct question that they are more confident
    at_top_before      began at the highest score, where no rise can show
    open, running      window open now; support still running
    erased             supported, erased since, in no other figure
    """

    id: str
    strand: Strand
    supported: int
    closed: int
    answered: int
    silent: int
    matched: int
    confident: int
    impact: int
    both: int
    base: int
    share: float | None
    interval: tuple[float, float]
    target: float
    met: bool
    met_with_confidence: bool
    definition: str
    expected: str
    direct: int
    at_top_before: int
    examples: int
    waiting_for_verdict: int
    open: int
    running: int
    erased: int

    def as_json(self) -> dict[str, Any]:
        """The figure as the command prints it."""
        return {**asdict(self), "strand": self.strand.value, "interval": list(self.interval)}


@dataclass(frozen=True)
class _Part:
    """A participation whose support has started; without a window its support still runs."""

    id: UUID
    person_id: UUID | None
    strand: Strand
    window: Window | None

    def closed(self, as_of: date) -> bool:
        return self.window is not None and self.window.closed_before(as_of)


def kpi(db: DbSession, programme: Programme, *, as_of: date) -> list[KpiFigure]:
    """Both KPIs as they stood at the end of a London day: answers and verdicts that came later don't count."""
    until = end_of_day(as_of)
    parts = _started(db, programme, as_of=as_of)
    pairs = results.pairs(db, until=until)
    return [
        _figure(fact, [part for part in parts if part.strand is strand], pairs, as_of=as_of)
        for strand, fact in programme.kpis.items()
    ]


def _started(db: DbSession, programme: Programme, *, as_of: date) -> list[_Part]:
    contract_ends_on = contract_period(db, programme, on=as_of).ends_on
    rows = db.execute(
        select(Participation, Package)
        .join(Package, Package.id == Participation.package_id)
        .where(Package.state.in_(STARTED), Package.starts_on <= as_of)
    )
    return [
        _Part(
            part.id,
            part.person_id,
            package.strand,
            questionnaires.window(
                programme, part, package, wave=Wave.POST, contract_ends_on=contract_ends_on
            ),
        )
        for part, package in rows
        if part.from_on <= as_of and (part.to_on is None or part.to_on >= package.starts_on)
    ]


def _figure(fact: Kpi, parts: list[_Part], pairs: dict[UUID, Pair], *, as_of: date) -> KpiFigure:
    people: dict[UUID, list[_Part]] = {}
    for part in parts:
        if part.person_id is not None:
            people.setdefault(part.person_id, []).append(part)
    counted = [latest for own in people.values() if (latest := _latest_closed(own, as_of)) is not None]
    others = [own for own in people.values() if _latest_closed(own, as_of) is None]
    opened = sum(
        any(part.window and part.window.opens_at < end_of_day(as_of) for part in own) for own in others
    )
    said = [pairs[part.id] for part in counted if _in_time(part, pairs.get(part.id))]
    both = sum(pair.confident and pair.impact for pair in said)
    base = len(counted)
    low, high = wilson(both, base)
    share = both / base if base else None
    return KpiFigure(
        id=fact.id,
        strand=fact.strand,
        supported=len(people) + sum(part.person_id is None for part in parts),
        closed=base,
        answered=len(said),
        silent=base - len(said),
        matched=sum(pair.matched for pair in said),
        confident=sum(pair.confident for pair in said),
        impact=sum(pair.impact for pair in said),
        both=both,
        base=base,
        share=share,
        interval=(low, high),
        target=fact.target,
        met=share is not None and share >= fact.target,
        met_with_confidence=share is not None and low >= fact.target,
        definition=fact.definition,
        expected=fact.expected,
        direct=sum(pair.says_more for pair in said),
        at_top_before=sum(pair.at_top_before for pair in said),
        examples=sum(pair.example for pair in said),
        waiting_for_verdict=sum(pair.example and pair.verdict is None for pair in said),
        open=opened,
        running=len(others) - opened,
        erased=sum(part.person_id is None for part in parts),
    )


def _latest_closed(own: Iterable[_Part], as_of: date) -> _Part | None:
    """A person counts once in a KPI: with the participation whose window closed last."""
    closed = [part for part in own if part.closed(as_of)]
    return max(closed, key=_closes_at, default=None)


def _closes_at(part: _Part) -> tuple[datetime, str]:
    assert part.window is not None
    return part.window.closes_at, str(part.id)


def _in_time(part: _Part, pair: Pair | None) -> bool:
    """Whether the post questionnaire was sent, inside its window."""
    return pair is not None and pair.answered_at is not None and pair.answered_at in (part.window or ())
