"""How scores moved between two occasions among the same people: everything that is said of it, with its base.

Four groups, never dropped; an exact sign test of the rises against the falls, or that there are too few to test; who
went from where to where; medians and distributions. Means stand beside as an extra: points on a scale of words are in
order, and no more. A change is reported, not explained: nobody was compared who had no support. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surveys.statistics import CHANGED_AT_LEAST, Change, change, distribution, mean, median, transitions

TOO_FEW = "too few to test"
Score = float


@dataclass(frozen=True)
class Spread:
    """The scores of some people: how many gave each, in the order of the scale, with their middle."""

    base: int
    counts: Sequence[int]
    median: float | None
    mean: float | None


@dataclass(frozen=True)
class Shift:
    """How the scores of the same people moved. `scores` are the points of the scale in order; `transitions` has a
    row for each of them before, and in it a number for each of them after."""

    scores: Sequence[Score]
    change: Change
    before: Spread
    after: Spread
    transitions: Sequence[Sequence[int]]

    @property
    def base(self) -> int:
        return self.change.pairs

    def as_json(self) -> dict[str, Any]:
        """Plain data; `sign_test` says so where fewer than six changed."""
        p_value = self.change.p_value
        return {
            "base": self.base,
            "scores": list(self.scores),
            "higher": self.change.higher,
            "stayed_at_top": self.change.stayed_at_top,
            "unchanged": self.change.unchanged,
            "lower": self.change.lower,
            "sign_test": {
                "changed": self.change.changed,
                "needed": CHANGED_AT_LEAST,
                "p_value": p_value,
                "says": TOO_FEW if p_value is None else "tested",
            },
            "before": spread_json(self.before),
            "after": spread_json(self.after),
            "transitions": [list(row) for row in self.transitions],
        }


def spread(values: Counter[Score], *, scores: Sequence[Score]) -> Spread:
    """How scores, each with how many gave it, lie on the scale."""
    everybody = list(values.elements())
    return Spread(
        base=len(everybody),
        counts=distribution(values, scores=scores),
        median=median(everybody),
        mean=mean(everybody),
    )


def spread_json(found: Spread) -> dict[str, Any]:
    return {"base": found.base, "counts": list(found.counts), "median": found.median, "mean": found.mean}


def shift(pairs: Counter[tuple[Score, Score]], *, scores: Sequence[Score]) -> Shift:
    """How scores before and after compare, each pair with how many gave it; the last of `scores` is the highest there
    is."""
    before: Counter[Score] = Counter()
    after: Counter[Score] = Counter()
    for (one, other), number in pairs.items():
        before[one] += number
        after[other] += number
    return Shift(
        scores=scores,
        change=change(pairs, top=scores[-1] if scores else 0),
        before=spread(before, scores=scores),
        after=spread(after, scores=scores),
        transitions=transitions(pairs, scores=scores),
    )
