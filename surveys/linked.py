"""Tables about the same people, held against each other: together they must leave open what each alone keeps back.

How people felt before, how they feel after, and who rose say the same thing three times over, and from three tables
with merged categories one number can sometimes be worked out. So a table is let out only while, for every category of
one to four people, there is another set of people with which all that is shown would be the same and that category
would not. Such a set is looked for by moving one person to another place, or two; where none is found the table stays
in. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from surveys.disclosure import Protected, Rules, Table, not_shown, protect

State = tuple[str, ...]
"""Where somebody is: the code of a category in each of the tables, in their order."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Tables about the same people. `people`: where each of them is. `states`: everywhere that somebody could be.
    `exact`: for each state, the name of a figure of which the reader knows how many are in it, whatever its size."""

    tables: Sequence[Table]
    people: Sequence[State]
    states: Sequence[State]
    exact: Sequence[str]


def let_out(linked: Linked, rules: Rules) -> list[Protected]:
    """The tables, each protected; those that would give something away beside the ones before them, not shown."""
    let: list[Protected] = []
    for table in linked.tables:
        protected = protect(table, rules)
        if protected.rows and pinned(linked, [*let, protected], rules):
            protected = not_shown(table, rules)
        let.append(protected)
    return let


def pinned(linked: Linked, shown: Sequence[Protected], rules: Rules) -> set[tuple[int, str]]:
    """The small categories, each as the place of its table and its code, that nothing was found to leave open.

    `shown` are the first of the tables as they would be let out; the others count as not shown.
    """
    here = Counter(linked.people)
    marks = [
        (
            figure,
            *(_group(shown[place], code) if place < len(shown) else "" for place, code in enumerate(state)),
        )
        for state, figure in zip(linked.states, linked.exact, strict=True)
    ]
    places = dict(zip(linked.states, marks, strict=True))
    moves: dict[tuple[tuple[str, str], ...], list[tuple[State, State]]] = {}
    for start in here:
        for end in linked.states:
            moves.setdefault(_change(places[start], places[end]), []).append((start, end))
    small = {
        (place, cell.code)
        for place, table in enumerate(linked.tables)
        for cell in table.cells
        if rules.small(cell.count) or rules.small(cell.count - cell.known)
    }
    return {one for one in small if not _open(one, here, moves)}


def _group(table: Protected, code: str) -> str:
    """The row of a category, by its first code; categories whose numbers are kept back are alike."""
    return next((row.codes[0] for row in table.rows if code in row.codes and row.count is not None), "")


def _change(start: Sequence[str], end: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What a move takes from and adds to in each table; nothing where it stays within a row."""
    return tuple(("", "") if one == other else (one, other) for one, other in zip(start, end, strict=True))


def _open(
    cell: tuple[int, str],
    here: Counter[State],
    moves: dict[tuple[tuple[str, str], ...], list[tuple[State, State]]],
) -> bool:
    """Whether one move, or two that undo each other in all that is shown, change how many are in a category."""
    place, code = cell
    nowhere = next(iter(moves), ())
    still = tuple(("", "") for _ in nowhere)
    if any(_gain(move, place, code) for move in moves.get(still, ())):
        return True
    for change, first in moves.items():
        back = tuple((end, start) for start, end in change)
        for one, other in _pairs(first, moves.get(back, ())):
            if (one[0] != other[0] or here[one[0]] > 1) and _gain(one, place, code) + _gain(
                other, place, code
            ):
                return True
    return False


def _pairs(
    first: Iterable[tuple[State, State]], second: Sequence[tuple[State, State]]
) -> Iterator[tuple[tuple[State, State], tuple[State, State]]]:
    return ((one, other) for one in first for other in second)


def _gain(move: tuple[State, State], place: int, code: str) -> int:
    return (move[1][place] == code) - (move[0][place] == code)
