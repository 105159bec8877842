"""The few statistics that figures need: small samples, ordered answers, nothing assumed about their shape."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import comb, sqrt

CHANGED_AT_LEAST = 6
"""Fewer changed pairs than this cannot give a p-value under 5 % whatever they say: they are not tested."""

Z_95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution: two-sided 95 %."""
_DIGITS = 256
"""Binary digits behind the point."""


def wilson(count: int, base: int, *, z: float = Z_95) -> tuple[float, float]:
    """The range in which the true share lies with 95 % confidence (Wilson's score interval), 0 to 1.

    It keeps its promise for groups of 15 to 30 and for shares near 0 or 1, where the usual one does not.
    Nobody counted: anything is possible, 0 to 1.
    """
    if not base:
        return 0.0, 1.0
    share = count / base
    centre = share + z * z / (2 * base)
    reach = z * sqrt(share * (1 - share) / base + z * z / (4 * base * base))
    scale = 1 + z * z / base
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def sign_test(higher: int, lower: int) -> float | None:
    """The chance of a split at least this uneven if rises and falls were equally likely: two-sided, exact.

    Pairs that did not change say nothing and are left out. None where fewer than six changed: too few to test.
    """
    changed = higher + lower
    if changed < CHANGED_AT_LEAST:
        return None
    # From the most likely of these splits down, each follows from the one before, as a share of the first: far more
    # digits than the answer has, and none of a number as long as the pairs are many.
    fewer = min(higher, lower)
    share = tail = 1 << _DIGITS
    for count in range(fewer, 0, -1):
        share = share * count // (changed - count + 1)
        if not share:
            break
        tail += share
    return min(1.0, 2 * comb(changed, fewer) * tail / (1 << (changed + _DIGITS)))


@dataclass(frozen=True)
class Change:
    """Matched pairs in four groups, none ever dropped: who began at the top and stayed cannot rise."""

    higher: int
    stayed_at_top: int
    unchanged: int
    lower: int

    @property
    def pairs(self) -> int:
        return self.higher + self.stayed_at_top + self.unchanged + self.lower

    @property
    def changed(self) -> int:
        """The pairs that a sign test looks at."""
        return self.higher + self.lower

    @property
    def p_value(self) -> float | None:
        return sign_test(self.higher, self.lower)


Pairs = Iterable[tuple[float, float]] | Counter[tuple[float, float]]
"""Scores before and after, one by one or each with how many gave it."""


def change(pairs: Pairs, *, top: float) -> Change:
    """How scores before and after compare; `top` is the highest score there is."""
    groups: Counter[str] = Counter()
    for (before, after), number in Counter(pairs).items():
        if after != before:
            groups["higher" if after > before else "lower"] += number
        else:
            groups["stayed_at_top" if before == top else "unchanged"] += number
    return Change(**{name: groups[name] for name in ("higher", "stayed_at_top", "unchanged", "lower")})


def transitions(pairs: Pairs, *, scores: Sequence[float]) -> list[list[int]]:
    """How many went from each score (a row) to each score (a column), in the order of `scores`."""
    counts = Counter(pairs)
    return [[counts[before, after] for after in scores] for before in scores]


def distribution(values: Iterable[float] | Counter[float], *, scores: Sequence[float]) -> list[int]:
    """How many gave each score, in the order of `scores`."""
    counts = Counter(values)
    return [counts[score] for score in scores]


def median(values: Sequence[float]) -> float | None:
    """The middle value, or the mean of the two in the middle; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def mean(values: Collection[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return sum(values) / len(values) if values else None
