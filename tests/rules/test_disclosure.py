"""Disclosure control: nothing small can be read, subtracted, or inferred by somebody who knows the rules."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.disclosure import Cell, Kind, Protected, Rules, Table, added, protect, steps

RULES = Rules()
SMALL = range(1, RULES.smallest_cell)


def table(kind: Kind, counts: Sequence[int], *, known: Sequence[int] = (), base: int | None = None) -> Table:
    known = [*known, *[0] * (len(counts) - len(known))]
    return Table(
        code="t",
        title="How it went",
        base_words="leaders who answered",
        kind=kind,
        cells=[
            Cell(code=str(place), label=f"Point {place}", count=count, known=sure, score=place)
            for place, (count, sure) in enumerate(zip(counts, known, strict=True))
        ],
        base=sum(counts) if base is None else base,
    )


def shown(found: Protected) -> list[tuple[str, int | None]]:
    return [("".join(row.codes), row.count) for row in found.rows]


@pytest.mark.parametrize(
    "counts, rows",
    [
        ([6, 7, 8], [("0", 6), ("1", 7), ("2", 8)]),
        ([1, 7, 8], [("01", 8), ("2", 8)]),
        ([0, 0, 3, 9, 12], [("0", 0), ("1", 0), ("23", 12), ("4", 12)]),
        ([9, 3, 2, 9], [("0", 9), ("12", 5), ("3", 9)]),
        ([9, 2, 0, 2, 9], [("01", 11), ("2", 0), ("34", 11)]),
        ([4, 4, 1], []),
        ([2, 2], []),
        ([0, 19], []),
        ([0, 20], [("0", 0), ("1", 20)]),
        ([0, 0], []),
    ],
)
def test_neighbours_are_merged_until_none_is_small(counts: list[int], rows: list[tuple[str, int]]) -> None:
    assert shown(protect(table(Kind.ORDERED, counts), RULES)) == rows


@pytest.mark.parametrize(
    "counts, rows",
    [
        ([6, 7, 8], [("0", 6), ("1", 7), ("2", 8)]),
        ([2, 7, 8], [("0", None), ("1", None), ("2", 8)]),
        ([3, 4, 9], [("0", None), ("1", None), ("2", 9)]),
        ([1, 1, 9, 12], [("0", None), ("1", None), ("2", None), ("3", 12)]),
        ([2, 7, 7], []),
        ([2, 18], []),
        ([0, 2, 7, 9], [("0", 0), ("1", None), ("2", None), ("3", 9)]),
        ([0, 4, 4, 9, 9], [("0", 0), *((str(place), None) for place in range(1, 5))]),
    ],
)
def test_small_ones_are_kept_back_with_company(counts: list[int], rows: list[tuple[str, int | None]]) -> None:
    assert shown(protect(table(Kind.NOMINAL, counts), RULES)) == rows


@pytest.mark.parametrize(
    "count, base, seen",
    [
        (5, 30, 5),
        (4, 30, None),
        (26, 30, None),
        (25, 30, 25),
        (30, 30, 30),
        (0, 30, 0),
        (0, 19, None),
        (19, 19, None),
    ],
)
def test_where_people_may_say_several_things_each_stands_alone(
    count: int, base: int, seen: int | None
) -> None:
    found = protect(table(Kind.SEVERAL, [count, 12], base=base), RULES)
    assert shown(found) == [("0", seen), ("1", 12 if base - 12 not in SMALL else None)]


def test_what_is_known_anyway_is_taken_off_first() -> None:
    """14 of the 18 who rose are the KPI's numerator: 4 others would be left, so they join their neighbours."""
    assert shown(protect(table(Kind.ORDERED, [18, 6, 7], known=[14]), RULES)) == [("01", 24), ("2", 7)]
    assert shown(protect(table(Kind.ORDERED, [18, 6, 7], known=[13]), RULES)) == [
        ("0", 18),
        ("1", 6),
        ("2", 7),
    ]
    assert shown(protect(table(Kind.ORDERED, [18, 6, 7], known=[18]), RULES)) == [
        ("0", 18),
        ("1", 6),
        ("2", 7),
    ]


def splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in splits(total - first, parts - 1):
            yield (first, *rest)


SIZES = {2: 40, 3: 30, 4: 22, 5: 16}


@pytest.mark.parametrize("kind", [Kind.ORDERED, Kind.NOMINAL])
@pytest.mark.parametrize("parts", SIZES)
def test_who_knows_the_rules_and_sees_the_table_can_work_no_small_one_out(kind: Kind, parts: int) -> None:
    """Every table up to a size: those that look the same once protected disagree about each small category."""
    for total in range(1, SIZES[parts]):
        alike: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
        for counts in splits(total, parts):
            alike.setdefault(tuple(shown(protect(table(kind, counts), RULES))), []).append(counts)
        for seen, tables in alike.items():
            for place in range(parts):
                values = {counts[place] for counts in tables}
                assert len(values) > 1 or not values & set(SMALL), (seen, place, values)


@pytest.mark.parametrize("known", [1, 4, 6, 9])
def test_nor_who_knows_the_numerator_too(known: int) -> None:
    for total in range(known, 24):
        alike: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
        for counts in splits(total, 4):
            if counts[0] >= known:
                found = protect(table(Kind.ORDERED, counts, known=[known]), RULES)
                alike.setdefault(tuple(shown(found)), []).append(counts)
        for seen, tables in alike.items():
            for place in range(4):
                values = {counts[place] - (known if not place else 0) for counts in tables}
                assert len(values) > 1 or not values & set(SMALL), (seen, place, values)


COUNTS = st.lists(st.integers(0, 30), min_size=2, max_size=7)


@given(COUNTS, st.sampled_from([Kind.ORDERED, Kind.NOMINAL]))
def test_no_small_number_is_shown_nor_left_over(counts: list[int], kind: Kind) -> None:
    found = protect(table(kind, counts), RULES)
    told = [row.count for row in found.rows if row.count is not None]
    assert not set(told) & set(SMALL)
    if found.rows:
        assert sum(counts) - sum(told) not in SMALL
        assert sorted(code for row in found.rows for code in row.codes) == [
            str(place) for place in range(len(counts))
        ]
    assert (found.why != "") == (not found.rows)


@given(COUNTS, st.integers(5, 12))
def test_the_setting_makes_it_stricter(counts: list[int], least: int) -> None:
    found = protect(table(Kind.ORDERED, counts), Rules(smallest_cell=least))
    assert all(row.count == 0 or (row.count or 0) >= least for row in found.rows)


def test_shares_need_a_base_of_ten() -> None:
    ten, nine = (
        protect(table(Kind.ORDERED, counts), Rules(one_answer_base=1)) for counts in ([5, 5], [0, 9])
    )
    assert ten.share(ten.rows[0]) == 0.5
    assert nine.share(nine.rows[1]) is None


def test_the_middle_is_read_off_what_is_shown() -> None:
    found = protect(table(Kind.ORDERED, [2, 6, 9, 8]), RULES)
    assert shown(found) == [("01", 8), ("2", 9), ("3", 8)]
    middle = found.middle()
    assert middle is not None
    assert middle.codes == ("2",)
    assert protect(table(Kind.ORDERED, [6, 6]), RULES).middle() is None, "it lies between two rows"


def test_an_even_group_has_no_one_in_the_middle_of_a_row() -> None:
    assert protect(table(Kind.NOMINAL, [6, 9]), RULES).middle() is None


def test_tables_add_up_to_what_all_of_them_show() -> None:
    one = protect(table(Kind.ORDERED, [1, 7, 8, 6]), RULES)
    other = protect(table(Kind.ORDERED, [9, 7, 2, 6]), RULES)
    third = protect(table(Kind.ORDERED, [1, 1, 1, 1]), RULES)
    found = added([one, other, third])
    assert shown(found) == [("01", 24), ("23", 22)] or shown(found) == [("012", 32), ("3", 12)]
    assert found.base == 46
    assert "Some of the people are not in it" in found.notes[-1]
    assert added([third]).rows == ()


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 5), min_size=1, max_size=4))
def test_a_sum_tells_nothing_that_its_parts_do_not(tables: list[tuple[int, ...]]) -> None:
    parts = [protect(table(Kind.ORDERED, counts), RULES) for counts in tables]
    found = added(parts)
    in_it = [part for part in parts if part.rows]
    for row in found.rows:
        of_parts = [sub for part in in_it for sub in part.rows if set(sub.codes) <= set(row.codes)]
        assert row.count == sum(sub.count or 0 for sub in of_parts)
        assert {code for sub in of_parts for code in sub.codes} == set(row.codes)
    if in_it:
        assert found.base == sum(part.base or 0 for part in in_it)


def test_a_table_comes_back_from_its_text() -> None:
    for counts in ([1, 7, 8], [4, 1], [20, 0]):
        found = protect(table(Kind.ORDERED, counts), RULES)
        assert Protected.from_json(found.as_json()) == found


@given(
    st.lists(st.lists(st.integers(0, 25), min_size=4, max_size=4), max_size=3),
    st.lists(st.integers(0, 25), min_size=4, max_size=4),
)
def test_numbers_outside_tables_move_in_steps(earlier: list[list[int]], now: list[int]) -> None:
    """Allowed or not is what every sum of groups, and every difference of such sums, says."""
    chosen = [list(one) for size in range(1, 5) for one in combinations(range(4), size)]
    small = any(sum(now[place] for place in places) in SMALL for places in chosen)
    moved = any(
        abs(sum(now[place] - past[place] for place in places)) in SMALL
        for past in earlier
        for places in chosen
    )
    assert bool(steps(earlier, now, RULES)) == (small or moved)
