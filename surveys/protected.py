"""Protected tables: what may leave the team, with all that may be worked out from it, and how they add up.

Shares, the middle and sums are made from what is shown, never from what is behind it: a mean beside merged categories
would give away how they split. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self

HIDDEN = "[c]"
"""What people see where a number is kept back; HIDDEN_TIDY in files for machines."""
HIDDEN_TIDY = "c"

NOT_SHOWN = "Not shown: too few people, or all of them gave the same answer."
KEPT_BACK = "[c] stands for a number that is kept back so that nobody can be found by it."
MERGED = "Answers that few people gave stand together with their neighbours."


class Kind(StrEnum):
    """How the categories of a table hang together."""

    ORDERED = "ordered"
    NOMINAL = "nominal"
    SEVERAL = "several"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A category, or several that were merged: `codes` are those in it. `count` is None where it is kept back.
    `scores` are the places on the scale of those that have one."""

    codes: tuple[str, ...]
    label: str
    count: int | None
    scores: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The count as people see it."""
        return HIDDEN if self.count is None else str(self.count)

    @property
    def tidy(self) -> str:
        """The count as a file for machines has it."""
        return HIDDEN_TIDY if self.count is None else str(self.count)


@dataclass(frozen=True, kw_only=True)
class Protected:
    """A table as it may leave the team. Where nothing of it can be shown, `rows` is empty and `why` says so; `base` is
    then the number of people all the same, None where that is small. `notes` say what was merged or kept back.
    """

    code: str
    title: str
    base_words: str
    kind: Kind
    base: int | None
    rows: tuple[Row, ...]
    why: str
    notes: tuple[str, ...]
    shares_from: int

    @property
    def counts_shown(self) -> bool:
        """Whether every number is there, so that a picture can be drawn of it."""
        return bool(self.rows) and all(row.count is not None for row in self.rows)

    @property
    def is_whole(self) -> bool:
        """Whether every category stands there by itself, with its number."""
        return self.counts_shown and all(len(row.codes) == 1 for row in self.rows)

    def row(self, *codes: str) -> Row | None:
        """The row of exactly these categories; None where they stand together with others."""
        return next((row for row in self.rows if set(row.codes) == set(codes)), None)

    def count(self, *codes: str) -> int | None:
        """The people in exactly these categories, where that is shown."""
        row = self.row(*codes)
        return row.count if row is not None else None

    def share(self, row: Row) -> float | None:
        """The share of a row in the base, 0 to 1; None where it is kept back or the base is too small."""
        if row.count is None or self.base is None or self.base < self.shares_from:
            return None
        return row.count / self.base

    def middle(self) -> Row | None:
        """Where the person in the middle stands, of those with a place on the scale; None where a row mixes places
        with answers that have none, or the base is too small."""
        scaled = [row for row in self.rows if row.scores]
        if self.kind is not Kind.ORDERED or any(len(row.scores) != len(row.codes) for row in scaled):
            return None
        counts = [row.count or 0 for row in scaled]
        total, passed = sum(counts), 0
        if total < self.shares_from:
            return None
        for row, count in zip(scaled, counts, strict=True):
            passed += count
            if 2 * passed > total:
                return row
            if 2 * passed == total:
                return None
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": self.title,
            "base_words": self.base_words,
            "kind": self.kind.value,
            "base": self.base,
            "rows": [
                {
                    "codes": list(row.codes),
                    "label": row.label,
                    "count": row.count,
                    "scores": list(row.scores),
                }
                for row in self.rows
            ],
            "why": self.why,
            "notes": list(self.notes),
            "shares_from": self.shares_from,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        rows = tuple(
            Row(
                codes=tuple(row["codes"]),
                label=row["label"],
                count=row["count"],
                scores=tuple(row["scores"]),
            )
            for row in data["rows"]
        )
        rest = {"kind": Kind(data["kind"]), "rows": rows, "notes": tuple(data["notes"])}
        return cls(**{**data, **rest})


def added(tables: Sequence[Protected]) -> Protected:
    """Tables of one question about different people, added up from what is shown of each: nothing new is told.

    Those that are not shown are left out, and the base is that of the others. Rows that were merged in one of them are
    merged in the sum; what is kept back in one is kept back.
    """
    shown = [table for table in tables if table.rows]
    if not shown:
        bases = [table.base for table in tables]
        return replace(tables[0], base=None if None in bases else sum(base or 0 for base in bases))
    if len(tables) == 1:
        return tables[0]
    groups = _common([[row.codes for row in table.rows] for table in shown])
    labels = {code: row for table in shown for row in table.rows for code in [row.codes]}
    rows = []
    for codes in groups:
        parts = [[row for row in table.rows if set(row.codes) <= set(codes)] for table in shown]
        counts = [row.count for part in parts for row in part]
        rows.append(
            Row(
                codes=codes,
                label=labels[codes].label if codes in labels else _labelled(parts, codes),
                count=None if None in counts else sum(count for count in counts if count is not None),
                scores=tuple(sorted({score for part in parts for row in part for score in row.scores})),
            )
        )
    notes = tuple(dict.fromkeys(note for table in shown for note in table.notes))
    if len({code for table in shown for row in table.rows for code in row.codes}) > min(
        sum(len(row.codes) for row in table.rows) for table in shown
    ):
        notes += ("Some of these were not asked of, or looked for in, all of the people.",)
    left_out = len(tables) - len(shown)
    if left_out:
        notes += ("Some of the people are not in it, as they were too few to show.",)
    return replace(shown[-1], base=sum(table.base or 0 for table in shown), rows=tuple(rows), notes=notes)


def _common(partitions: Sequence[Sequence[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """The finest grouping in which every group of every partition stands whole, in the order of the last."""
    order = [code for group in partitions[-1] for code in group]
    order += [code for part in partitions for group in part for code in group if code not in order]
    leader = {code: code for code in order}

    def find(code: str) -> str:
        while leader[code] != code:
            code = leader[code]
        return code

    for part in partitions:
        for group in part:
            for one, other in pairwise(group):
                leader[find(other)] = find(one)
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(order):
        found.setdefault(find(code), []).append(code)
    return [tuple(group) for group in found.values()]


def _labelled(parts: Sequence[Sequence[Row]], codes: tuple[str, ...]) -> str:
    """A label for a group, of the labels of the table in which it falls into most rows."""
    finest = max(parts, key=len)
    return " or ".join(row.label if not place else within(row.label) for place, row in enumerate(finest))


def within(label: str) -> str:
    """A label as it stands within a sentence."""
    return label[:1].lower() + label[1:]
