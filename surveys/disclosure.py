"""Disclosure control: what a table of answers may show outside the team, so that no one to four people can be found.

Everything here is pure. A `Table` is one question asked of one group of people; the group's size is known to the
reader. `protect` makes a `Protected` of it, and everything that leaves the team is made from that and nothing else:
pages, charts and their text alternatives, files.

    ordered    neighbouring categories are merged until none holds one to four people
    nominal    small ones are kept back, with as much company as it takes, so that none can be subtracted back
    several    people may be in several categories: each stands alone, together with those who are not in it

A small group that all gave one answer isn't shown. Tests go through every table of a size and show that a reader who
knows these rules and sees the result can work no small category out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from surveys.protected import (
    HIDDEN,
    HIDDEN_TIDY,
    KEPT_BACK,
    MERGED,
    NOT_SHOWN,
    Kind,
    Protected,
    Row,
    added,
    within,
)

__all__ = [
    "HIDDEN",
    "HIDDEN_TIDY",
    "Cell",
    "Kind",
    "Protected",
    "Row",
    "Rules",
    "Table",
    "added",
    "protect",
    "steps",
]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is small. `smallest_cell`: no shown number of people lies between 0 and it. `smallest_base`: shares,
    ranges and tests need as many. `one_answer_base`: a smaller group that all gave one answer isn't shown.
    `new_pairs`: as many new pairs make a new release of a strand's answers. `sources`: people from as many councils,
    for figures of one are figures by council."""

    smallest_cell: int = 5
    smallest_base: int = 10
    one_answer_base: int = 20
    new_pairs: int = 10
    sources: int = 3

    def small(self, count: int) -> bool:
        return 0 < count < self.smallest_cell


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A category with the people in it. `known` of them are in a figure that is shown whatever its size, so that
    the reader can take them off. `score` is its place on a scale, None for one that stands apart."""

    code: str
    label: str
    count: int
    known: int = 0
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One question and the people it is about. Each of them is in a cell: who gave no answer too. Of SEVERAL they may
    be in more, or in none. `base` is how many people it is about, `base_words` who they are."""

    code: str
    title: str
    base_words: str
    kind: Kind
    cells: Sequence[Cell]
    base: int


def protect(table: Table, rules: Rules) -> Protected:
    """What may be shown of a table by itself. Tables about the same people that hang together are held against each
    other by `surveys.linked`."""
    rows, note = _PROTECTING[table.kind](table, rules)
    if _one_answer(table, rows, rules) or not any(row.count is not None for row in rows):
        return not_shown(table, rules)
    return Protected(
        **_about(table),
        base=table.base,
        rows=tuple(rows),
        why="",
        notes=(note,) if note else (),
        shares_from=rules.smallest_base,
    )


def _one_answer(table: Table, rows: Sequence[Row], rules: Rules) -> bool:
    """Whether a small group all gave one answer: all of it, or all whom the reader does not know of anyway."""
    if table.kind is Kind.SEVERAL:
        return False
    known = {cell.code: cell.known for cell in table.cells}
    told = [(row.count, sum(known[code] for code in row.codes)) for row in rows if row.count is not None]
    left = table.base - sum(known.values())
    whole = table.base < rules.one_answer_base and any(count == table.base for count, _ in told)
    rest = 0 < left < rules.one_answer_base and any(count - sure == left for count, sure in told)
    return whole or rest


def not_shown(table: Table, rules: Rules) -> Protected:
    """Nothing of a table but its name and, if there are enough, how many people it is about."""
    return Protected(
        **_about(table),
        base=None if rules.small(table.base) else table.base,
        rows=(),
        why=NOT_SHOWN,
        notes=(),
        shares_from=rules.smallest_base,
    )


def _about(table: Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in ("code", "title", "base_words", "kind")}


Rows = tuple[list[Row], str]


def _as_row(cells: Sequence[Cell], *, hidden: bool = False) -> Row:
    return Row(
        codes=tuple(cell.code for cell in cells),
        label=" or ".join(
            cell.label if not place else within(cell.label) for place, cell in enumerate(cells)
        ),
        count=None if hidden else sum(cell.count for cell in cells),
        scores=tuple(cell.score for cell in cells if cell.score is not None),
    )


def _fits(cells: Sequence[Cell], rules: Rules) -> bool:
    """Neither the people in these categories together nor those left when the known are taken off are few."""
    count, known = sum(cell.count for cell in cells), sum(cell.known for cell in cells)
    return not rules.small(count) and not rules.small(count - known)


def _ordered(table: Table, rules: Rules) -> Rows:
    """As many groups of neighbours as can be, none of them small; of several ways the first."""
    cells = table.cells
    # best[n]: the ways to group the first n categories, as the places where groups begin.
    best: list[tuple[int, ...] | None] = [()]
    for end in range(1, len(cells) + 1):
        ways = [
            (*way, start)
            for start in range(end)
            if (way := best[start]) is not None and _fits(cells[start:end], rules)
        ]
        best.append(max(ways, key=len, default=None))
    starts = best[-1]
    if starts is None:
        return [], ""
    ends = (*starts[1:], len(cells))
    rows = [_as_row(cells[start:end]) for start, end in zip(starts, ends, strict=True)]
    return rows, MERGED if len(rows) < len(cells) else ""


def _nominal(table: Table, rules: Rules) -> Rows:
    """Small categories are kept back, and then the smallest others until nothing can be worked out from the sum."""
    kept = [cell for cell in table.cells if not _fits([cell], rules)]
    company = sorted(
        (cell for cell in table.cells if cell.count and cell not in kept), key=lambda cell: cell.count
    )
    while kept and not _loose(kept, rules):
        if not company:
            return [], ""
        # Equals go together: which of them was taken would tell that it is no smaller than the others.
        kept += [cell for cell in company if cell.count == company[0].count]
        company = [cell for cell in company if cell not in kept]
    rows = [_as_row([cell], hidden=cell in kept) for cell in table.cells]
    return rows, KEPT_BACK if kept else ""


def _loose(kept: Sequence[Cell], rules: Rules) -> bool:
    """Whether the sum of what is kept back, which the reader can work out, leaves every one of them open: they cannot
    all be one person, nor all as many as is small at most."""
    total = sum(cell.count - cell.known for cell in kept)
    return len(kept) > 1 and _fits(kept, rules) and len(kept) < total != len(kept) * (rules.smallest_cell - 1)


def _several(table: Table, rules: Rules) -> Rows:
    """Each category stands alone: neither those in it nor those not in it may be few, nor a small group all be."""

    def hidden(cell: Cell) -> bool:
        one_answer = table.base < rules.one_answer_base and cell.count in (0, table.base)
        return one_answer or not _fits([cell], rules) or rules.small(table.base - cell.count)

    rows = [_as_row([cell], hidden=hidden(cell)) for cell in table.cells]
    return rows, KEPT_BACK if any(row.count is None for row in rows) else ""


_PROTECTING: dict[Kind, Callable[[Table, Rules], Rows]] = {
    Kind.ORDERED: _ordered,
    Kind.NOMINAL: _nominal,
    Kind.SEVERAL: _several,
}


def steps(earlier: Sequence[Sequence[int]], now: Sequence[int], rules: Rules) -> list[str]:
    """Why numbers that go through no table may not be shown after earlier ones; empty if they may.

    Each list counts groups that have nobody in common, in one order. The reader adds up any of them, and takes any
    earlier sum off a later one.
    """
    sums = _sums(now)
    reasons = ["a number of people is small"] if any(rules.small(total) for total in sums) else []
    if any(
        rules.small(abs(total - before))
        for past in earlier
        for total, before in zip(sums, _sums(past), strict=True)
    ):
        reasons.append("few people have changed it since an earlier release")
    return reasons


def _sums(counts: Sequence[int]) -> list[int]:
    places = range(len(counts))
    return [
        sum(counts[place] for place in chosen)
        for size in range(1, len(counts) + 1)
        for chosen in combinations(places, size)
    ]
