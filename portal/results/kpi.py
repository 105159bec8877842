"""The two KPIs, always recomputed from the data.

A KPI takes a fixed number of queries: who was supported, and what they said (portal/results/census.py). People are put
together in memory, for as long as the figure takes (sch 4 KPIs).

The headline takes what was sent while the window was open, the post questionnaire and the baseline alike. What came
late (in the grace, or opened again by the team) is kept apart, under "all who answered"; what was begun and never
finished is in no figure, and what was withdrawn is not read at all.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.models import Strand
from portal.programme import Kpi, Programme
from portal.results import groups
from portal.results.census import Census, Seen, Where
from portal.results.stamps import stamped
from surveys.measures import ROLE_CONFIDENCE
from surveys.models import Wave
from surveys.pairs import Pair
from surveys.shifts import Shift, Spread, shift, spread, spread_json
from surveys.statistics import Change, wilson
from surveys.versions import Scale, measure_differences, scale


@dataclass(frozen=True, kw_only=True)
class Side:
    """A share over one of the bases that stand side by side, with what is counted and over whom.

    silence_no    everybody whose window has closed, silence as no: the headline
    silence_yes   the same people, silence as yes: the best case
    answered      who answered in time
    all_answered  who answered, in time or late
    matched       whose answers on confidence are known both times, in time
    """

    name: str
    count: int
    base: int
    share: float | None
    interval: tuple[float, float]
    met: bool
    met_with_confidence: bool

    def as_json(self) -> dict[str, Any]:
        return {**_plain(self), "interval": list(self.interval)}


@dataclass(frozen=True, kw_only=True)
class Everybody:
    """All of a KPI's base who answered, in time or late, whatever came in latest; `modes`: how it came in."""

    answered: int
    matched: int
    confident: int
    impact: int
    both: int
    modes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """How confidence in the role moved, of those of the base who answered in time.

    measured     before against after, matched pairs
    looking_back what they say they were before, as they see it now, against after; it never replaces the baseline
    hindsight    the true baseline against looking back: who is lower now thought too well of themselves, or learnt
                 what the role asks (response shift)
    answerers, silent   the baselines of those who answered the post questionnaire in time, and of those who did not
    """

    scores: Scale
    measured: Shift
    looking_back: Shift
    hindsight: Shift
    answerers: Spread
    silent: Spread

    def as_json(self) -> dict[str, Any]:
        return {
            "scale": [{"score": score, "label": label} for score, label in self.scores],
            **{name: getattr(self, name).as_json() for name in ("measured", "looking_back", "hindsight")},
            "baseline_of_answerers": spread_json(self.answerers),
            "baseline_of_silent": spread_json(self.silent),
        }


@dataclass(frozen=True, kw_only=True)
class KpiFigure:
    """One KPI, counted in people. From `answered` to `both` everything is counted among the base.

    supported          started support by the day; a person counts once
    closed, base       of them, whose post questionnaire has closed: its last day lies before the day
    answered           sent it in its window; silent: didn't, and counts as no
    late, partial      of the silent: sent it after the window; began it and didn't finish in the grace
    matched            both role-confidence scores are known: confident, stayed_at_top, unchanged or lower
    confident, impact  a matched rise; an example with the verdict accepted; both: the share's numerator
    direct             say in answer to the direct question that they are more confident
    at_top_before      began at the highest score, where no rise can show
    examples           say themselves that they have an example: apart from `impact`, the verdict accepted. The rest of
                       them are waiting_for_verdict, partly and not_yet
    open, running      window open now; support still running
    erased             supported, erased since, in no other figure; restricted: the same for those whose data may
                       not be used for now
    full_count         everybody of the base answered in time: a count of them all, not a sample
    sides              the share over each base that could be meant, the headline first
    everybody          the same counts with what came late, among all of the base who answered
    differences        measures that baseline and post ask in different ways, each with the reason for it
    """

    id: str
    strand: Strand
    as_of: date
    supported: int
    closed: int
    answered: int
    silent: int
    matched: int
    confident: int
    stayed_at_top: int
    unchanged: int
    lower: int
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
    partly: int
    not_yet: int
    open: int
    running: int
    erased: int
    restricted: int
    late: int
    partial: int
    full_count: bool
    sides: Sequence[Side]
    everybody: Everybody
    confidence: Confidence
    differences: Sequence[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """The figure as the command prints it, with its day and the digest of its content."""
        return stamped(
            {
                **_plain(self),
                "strand": self.strand.value,
                "interval": list(self.interval),
                "sides": [side.as_json() for side in self.sides],
                "everybody": {**_plain(self.everybody), "modes": dict(self.everybody.modes)},
                "confidence": self.confidence.as_json(),
                "differences": [list(one) for one in self.differences],
            },
            as_of=self.as_of,
        )


def _plain(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


def kpi(db: DbSession, programme: Programme, *, as_of: date) -> list[KpiFigure]:
    """Both KPIs as they stood at the end of a London day: answers and verdicts that came later don't count."""
    counted = Census(db, programme, as_of=as_of).counted(db)
    differences = measure_differences(db, Wave.BASELINE, Wave.POST)
    scores = scale(db, measure=ROLE_CONFIDENCE, waves=(Wave.BASELINE, Wave.POST))
    return [
        _figure(
            fact,
            Counter({seen: number for seen, number in counted.items() if seen.strand == strand}),
            scores=scores,
            differences=differences,
            as_of=as_of,
        )
        for strand, fact in programme.kpis.items()
    ]


def document(figures: Sequence[KpiFigure], *, as_of: date) -> dict[str, Any]:
    """Both KPIs as one document: what `flask report kpi --json` prints and the board keeps."""
    return stamped({"kpis": [figure.as_json() for figure in figures]}, as_of=as_of)


def _figure(
    fact: Kpi,
    counted: Counter[Seen],
    *,
    scores: Scale,
    differences: Sequence[tuple[str, str]],
    as_of: date,
) -> KpiFigure:
    number = groups.counts(counted)
    sides = _sides(number, target=fact.target)
    headline = sides[0]
    own = {name: number[name] for name in number if not name.startswith("all_")}
    return KpiFigure(
        id=fact.id,
        strand=fact.strand,
        as_of=as_of,
        base=headline.base,
        share=headline.share,
        interval=headline.interval,
        target=fact.target,
        met=headline.met,
        met_with_confidence=headline.met_with_confidence,
        definition=fact.definition,
        expected=fact.expected,
        full_count=headline.base > 0 and number["silent"] == 0,
        sides=sides,
        everybody=Everybody(
            answered=number["all_answered"],
            matched=number["all_matched"],
            confident=number["all_confident"],
            impact=number["all_impact"],
            both=number["all_both"],
            modes=_modes(counted),
        ),
        confidence=_confidence(counted, number, scores=scores),
        differences=differences,
        **own,
    )


def _sides(number: Mapping[str, int], *, target: float) -> list[Side]:
    both, closed = number["both"], number["closed"]
    counts = (
        ("silence_no", both, closed),
        ("silence_yes", both + number["silent"], closed),
        ("answered", both, number["answered"]),
        ("all_answered", number["all_both"], number["all_answered"]),
        ("matched", both, number["matched"]),
    )
    return [_side(name, count, base, target=target) for name, count, base in counts]


def _side(name: str, count: int, base: int, *, target: float) -> Side:
    low, high = wilson(count, base)
    share = count / base if base else None
    return Side(
        name=name,
        count=count,
        base=base,
        share=share,
        interval=(low, high),
        met=share is not None and share >= target,
        met_with_confidence=share is not None and low >= target,
    )


def _modes(counted: Counter[Seen]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for seen, number in counted.items():
        if seen.ever.mode is not None:
            found[seen.ever.mode] += number
    return dict(sorted(found.items()))


def _confidence(counted: Counter[Seen], number: Mapping[str, int], *, scores: Scale) -> Confidence:
    base = Counter({seen: times for seen, times in counted.items() if seen.where is Where.CLOSED})
    answered = Counter({seen: times for seen, times in base.items() if seen.in_time.answered})
    silent = base - answered
    given = {score for seen in base for score in seen.in_time[:3] if score is not None}
    # A point that only an older version had stands on the scale too, without words.
    labels = {**dict.fromkeys(given, ""), **dict(scores)}
    points = sorted(labels)
    measured = shift(_both(answered, lambda pair: (pair.before, pair.after)), scores=points)
    change = Change(
        higher=number["confident"],
        **{name: number[name] for name in ("stayed_at_top", "unchanged", "lower")},
    )
    return Confidence(
        scores=[(point, labels[point]) for point in points],
        measured=replace(measured, change=change),
        looking_back=shift(_both(answered, lambda pair: (pair.then, pair.after)), scores=points),
        hindsight=shift(_both(answered, lambda pair: (pair.before, pair.then)), scores=points),
        answerers=spread(_known(answered), scores=points),
        silent=spread(_known(silent), scores=points),
    )


def _both(
    counted: Counter[Seen], scores: Callable[[Pair], tuple[float | None, float | None]]
) -> Counter[tuple[float, float]]:
    """Two scores of everybody who gave both, in time."""
    found: Counter[tuple[float, float]] = Counter()
    for seen, number in counted.items():
        before, after = scores(seen.in_time)
        if before is not None and after is not None:
            found[before, after] += number
    return found


def _known(counted: Counter[Seen]) -> Counter[float]:
    found: Counter[float] = Counter()
    for seen, number in counted.items():
        if seen.in_time.before is not None:
            found[seen.in_time.before] += number
    return found
