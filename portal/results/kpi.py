"""The two KPIs, always recomputed from the data.

A KPI takes a fixed number of queries and one for each 2,000 keys: who was supported, and what they said. People are
put together here, in memory, for as long as the figure takes (sch 4 KPIs).

The headline takes what was sent while the window was open, the post questionnaire and the baseline alike. What
came late (in the grace, or opened again by the team) is kept apart, under "all who answered"; what was begun and
never finished is in no figure, and what was withdrawn is not read at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import windows
from portal.models import Package, PackageState, Participation, Strand
from portal.programme import Kpi, Programme, terms
from privacy.clock import end_of_day
from surveys import pairs
from surveys.models import Mode, Respondent, Wave
from surveys.pairs import Pair, Said
from surveys.sittings import ONCE
from surveys.standings import drafts
from surveys.statistics import wilson
from surveys.versions import measure_differences
from surveys.waves import Terms, Window

STARTED = (PackageState.ACTIVE, PackageState.ENDED)


@dataclass(frozen=True, kw_only=True)
class Everybody:
    """All of a KPI's base who answered, in time or late, whatever came in latest; `modes`: how it came in."""

    answered: int
    matched: int
    confident: int
    impact: int
    both: int
    modes: Mapping[Mode, int]


@dataclass(frozen=True, kw_only=True)
class KpiFigure:
    """One KPI, counted in people. From `answered` to `both` everything is counted among the base.

    supported          started support by the day; a person counts once
    closed, base       of them, whose post questionnaire has closed: its last day lies before the day
    answered           sent it in its window; silent: didn't, and counts as no
    late, partial      of the silent: sent it after the window; began it and didn't finish in the grace
    matched            both role-confidence scores are known
    confident, impact  a matched rise; an example with the verdict accepted; both: the share's numerator
    direct             say in answer to the direct question that they are more confident
    at_top_before      began at the highest score, where no rise can show
    open, running      window open now; support still running
    erased             supported, erased since, in no other figure; restricted: the same for those whose data may
                       not be used for now
    everybody          the same counts with what came late, among all of the base who answered
    differences        measures that baseline and post ask in different ways, each with the reason for it
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
    restricted: int
    late: int
    partial: int
    everybody: Everybody
    differences: Sequence[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """The figure as the command prints it."""
        return {**asdict(self), "strand": self.strand.value, "interval": list(self.interval)}


@dataclass(frozen=True)
class _Part:
    """A participation whose support has started; without a window its support still runs. `closing` is when
    its waves close, a window's end being the first instant that is too late."""

    id: UUID
    person_id: UUID | None
    strand: Strand
    restricted: bool
    window: Window | None
    closing: Mapping[Wave, datetime]

    def closed(self, as_of: date) -> bool:
        return self.window is not None and self.window.closed_before(as_of)

    def over(self, as_of: date) -> bool:
        """Whether the grace is over too, so that nothing more comes in."""
        return self.window is not None and self.window.finish_by <= end_of_day(as_of)


@dataclass(frozen=True)
class _Heard:
    """What came in by the day: from whom, and who has begun a post questionnaire and not sent it."""

    said: Mapping[UUID, Said]
    begun: frozenset[tuple[UUID, str]]

    def in_time(self, part: _Part) -> Pair | None:
        """What was sent before the windows closed; None without a post questionnaire."""
        return self._pair(part, part.closing)

    def ever(self, part: _Part) -> Pair | None:
        """What was sent last, late or not."""
        return self._pair(part, None)

    def _pair(self, part: _Part, closing: Mapping[Wave, datetime] | None) -> Pair | None:
        said = self.said.get(part.id)
        pair = said.pair(closing) if said else None
        return pair if pair is not None and pair.answered else None


def kpi(db: DbSession, programme: Programme, *, as_of: date) -> list[KpiFigure]:
    """Both KPIs as they stood at the end of a London day: answers and verdicts that came later don't count."""
    parts = _started(db, programme, as_of=as_of)
    heard = _Heard(
        pairs.said(db, until=end_of_day(as_of)),
        drafts(db, Wave.POST, until=end_of_day(as_of)),
    )
    differences = measure_differences(db, Wave.BASELINE, Wave.POST)
    return [
        _figure(fact, [part for part in parts if part.strand is strand], heard, differences, as_of=as_of)
        for strand, fact in programme.kpis.items()
    ]


def _started(db: DbSession, programme: Programme, *, as_of: date) -> list[_Part]:
    in_force = terms(db, programme, on=as_of)
    first = windows.first_sessions(db)
    rows = db.execute(
        select(Participation, Package, Respondent.restricted_at)
        .join(Package, Package.id == Participation.package_id)
        .join(Respondent, Respondent.id == Participation.id)
        .where(Package.state.in_(STARTED), Package.starts_on <= as_of)
    )
    return [
        _part(part, package, first.get(part.id), in_force, restricted=restricted_at is not None)
        for part, package, restricted_at in rows
        if part.from_on <= as_of and (part.to_on is None or part.to_on >= package.starts_on)
    ]


def _part(
    part: Participation,
    package: Package,
    first_session_at: datetime | None,
    in_force: Terms,
    *,
    restricted: bool,
) -> _Part:
    opened = windows.of_support(part, package, first_session_at=first_session_at, terms=in_force)
    closing: dict[Wave, datetime] = {
        one.wave: one.window.closes_at for one in opened if one.wave is not Wave.INTERIM
    }
    post = next((one.window for one in opened if one.wave is Wave.POST), None)
    return _Part(part.id, part.person_id, package.strand, restricted, post, closing)


def _figure(
    fact: Kpi,
    parts: list[_Part],
    heard: _Heard,
    differences: Sequence[tuple[str, str]],
    *,
    as_of: date,
) -> KpiFigure:
    people: dict[UUID, list[_Part]] = {}
    for part in parts:
        if part.person_id is not None and not part.restricted:
            people.setdefault(part.person_id, []).append(part)
    apart = {part.person_id for part in parts if part.person_id is not None and part.restricted}
    counted = [latest for own in people.values() if (latest := _latest_closed(own, as_of)) is not None]
    others = [own for own in people.values() if _latest_closed(own, as_of) is None]
    opened = sum(
        any(part.window and part.window.opens_at < end_of_day(as_of) for part in own) for own in others
    )
    said = [pair for part in counted if (pair := heard.in_time(part)) is not None]
    ever = [pair for part in counted if (pair := heard.ever(part)) is not None]
    both = sum(pair.confident and pair.impact for pair in said)
    base = len(counted)
    low, high = wilson(both, base)
    share = both / base if base else None
    return KpiFigure(
        id=fact.id,
        strand=fact.strand,
        supported=len(people) + len(apart) + sum(part.person_id is None for part in parts),
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
        restricted=len(apart),
        late=len(ever) - len(said),
        partial=sum(
            (part.id, ONCE) in heard.begun and part.over(as_of) and heard.ever(part) is None
            for part in counted
        ),
        everybody=Everybody(
            answered=len(ever),
            matched=sum(pair.matched for pair in ever),
            confident=sum(pair.confident for pair in ever),
            impact=sum(pair.impact for pair in ever),
            both=sum(pair.confident and pair.impact for pair in ever),
            modes=dict(Counter(pair.mode for pair in ever if pair.mode is not None)),
        ),
        differences=differences,
    )


def _latest_closed(own: Iterable[_Part], as_of: date) -> _Part | None:
    """A person counts once in a KPI: with the participation whose window closed last."""
    closed = [part for part in own if part.closed(as_of)]
    return max(closed, key=_closes_at, default=None)


def _closes_at(part: _Part) -> tuple[datetime, str]:
    assert part.window is not None
    return part.window.closes_at, str(part.id)
