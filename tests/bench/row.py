"""A row of `make bench`: what was measured, its limit, and how far the turns lay apart."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """`at_least`: the value has to reach the limit, not stay under it."""

    name: str
    value: float
    unit: str
    limit: float
    spread: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def of_turns(name: str, turns: Sequence[float], unit: str, limit: float, *, at_least: bool = False) -> Row:
    """The median of several turns, and how far they lie apart."""
    return Row(name, statistics.median(turns), unit, limit, max(turns) - min(turns), at_least)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
