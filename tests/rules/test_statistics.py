"""The statistics agree with SciPy, with published examples, and at the edges."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from surveys.statistics import Change, change, distribution, mean, median, sign_test, transitions, wilson

SCORES = (1, 2, 3, 4, 5)
PAIRS = st.lists(st.tuples(st.sampled_from(SCORES), st.sampled_from(SCORES)), max_size=60)


def test_fifteen_of_twenty_is_met_on_the_figure_only() -> None:
    low, high = wilson(15, 20)
    assert (round(low, 2), round(high, 2)) == (0.53, 0.89)


@pytest.mark.parametrize(
    "count, base, low, high",
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_intervals(count: int, base: int, low: float, high: float) -> None:
    assert wilson(count, base) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 400).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))))
def test_the_interval_agrees_with_scipy(table: tuple[int, int]) -> None:
    count, base = table
    expected = binomtest(count, base).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(count, base) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nobody_counted_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert median([]) is None
    assert change([], top=5) == Change(0, 0, 0, 0)
    assert sign_test(0, 0) is None


@pytest.mark.parametrize(
    "higher, lower, p",
    # Conover, Practical Nonparametric Statistics: 8 of 9 changed pairs; and exact binomial tails.
    [(8, 1, 0.0390625), (6, 0, 0.03125), (7, 7, 1.0), (12, 3, 0.03515625)],
)
def test_published_sign_tests(higher: int, lower: int, p: float) -> None:
    assert sign_test(higher, lower) == p
    assert sign_test(lower, higher) == p


@pytest.mark.parametrize("higher, lower", [(1040, 960), (2000, 1000), (30_000, 30_000), (35_000, 34_000)])
def test_the_sign_test_of_many_is_exact(higher: int, lower: int) -> None:
    """Against all the ways there are, counted one by one."""
    changed, ways, tail = higher + lower, 1, 1
    for count in range(min(higher, lower)):
        ways = ways * (changed - count) // (count + 1)
        tail += ways
    assert sign_test(higher, lower) == min(1.0, 2 * tail / 2**changed)


@given(st.integers(0, 80), st.integers(0, 80))
def test_the_sign_test_agrees_with_scipy(higher: int, lower: int) -> None:
    found = sign_test(higher, lower)
    if higher + lower < 6:
        assert found is None
    else:
        assert found == pytest.approx(binomtest(higher, higher + lower, 0.5).pvalue, rel=1e-9)


def test_the_sign_test_of_many_thousands() -> None:
    assert sign_test(24_000, 23_500) == pytest.approx(binomtest(24_000, 47_500, 0.5).pvalue, rel=1e-9)
    assert sign_test(24_000, 9_000) == 0.0, "less than a float can tell from nought"


@given(PAIRS)
def test_every_pair_is_in_one_group_and_one_cell(pairs: list[tuple[int, int]]) -> None:
    groups = change(pairs, top=5)
    assert groups.pairs == len(pairs)
    assert groups.higher == sum(after > before for before, after in pairs)
    assert groups.stayed_at_top == pairs.count((5, 5))
    table = transitions(pairs, scores=SCORES)
    assert sum(map(sum, table)) == len(pairs)
    assert sum(table[row][column] for row in range(5) for column in range(row)) == groups.lower
    assert [sum(row) for row in table] == distribution([before for before, _ in pairs], scores=SCORES)


@given(st.lists(st.sampled_from(SCORES), min_size=1))
def test_the_median_agrees_with_pythons(values: list[int]) -> None:
    assert median(values) == statistics.median(values)


@given(st.lists(st.sampled_from(SCORES), min_size=1))
def test_the_mean_agrees_with_pythons(values: list[int]) -> None:
    assert mean(values) == pytest.approx(statistics.mean(values))
    assert mean([]) is None
