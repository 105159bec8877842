"""Random programmes, released quarter by quarter, attacked with all that was published.

The attacker has every release, the numbers of the KPIs at each of them whatever their size, and a solver. Nothing small
may be subtracted, and no category of one to four people may have a single value that fits everything shown.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from uuid import uuid4

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from portal.programme import Period, contract_years
from portal.results import blocks
from surveys import answer_tables, theme_tables
from surveys.answer_tables import CHANGES, IMPACTS, NONE, Sent, change_of
from surveys.disclosure import Cell, Kind, Protected, Rules, Table, added, protect
from surveys.linked import Linked, let_out, pinned
from surveys.models import Mode, Wave
from surveys.questionnaires import load_definition
from surveys.results import Read, Row, Verdict
from surveys.themes import Book, Theme
from surveys.versions import Published
from tests.counts import count

RULES = Rules()
SMALL = range(1, RULES.smallest_cell)
CONTRACT = Period(date(2021, 6, 1), date(2024, 3, 31))
YEARS = contract_years(CONTRACT, (3, 31))
QUARTERS = [
    date(year, month, 1) - timedelta(days=1)
    for year in range(2021, 2025)
    for month in (1, 4, 7, 10)
    if date(2021, 9, 1) < date(year, month, 1) < date(2024, 5, 1)
]
POINTS = ("not_at_all", "slightly", "fairly", "very", "completely")
ASKED = {wave: load_definition(wave.value) for wave in (Wave.BASELINE, Wave.POST)}
VERSIONS = {
    wave: Published(id=uuid4(), code=wave.value, number=1, questionnaire=asked)
    for wave, asked in ASKED.items()
}
THEMES = ("rare", "some", "many", "nearly")
BOOK = Book(1, [Theme(code=code, label=code, definition="") for code in THEMES])
MEASURES = [name for name, _, _ in ASKED[Wave.BASELINE].measured()]


@dataclass
class Person:
    """Somebody of a random programme: when they first count, where they stand, and what they sent."""

    day: date
    before: str
    after: str
    impact: str
    sent: Sent

    @property
    def state(self) -> tuple[str, str, str, str]:
        return (changed(self.before, self.after), self.impact, self.before, self.after)

    @property
    def both(self) -> bool:
        return self.state[:2] == ("higher", "accepted")


def changed(before: str, after: str) -> str:
    score = {code: place for place, code in enumerate(POINTS, start=1)}
    return change_of(score.get(before), score.get(after), top=5)


def read(
    wave: Wave,
    answers: Mapping[str, str],
    verdict: str | None = None,
    themes: Sequence[str] = (),
) -> Read:
    at = datetime(2023, 1, 1, tzinfo=UTC)
    row = Row(
        uuid4(), uuid4(), "R", uuid4(), "lead_member", wave, "once", uuid4(), Mode.SELF, None, at, b"", None
    )
    judged = [{"verdict": verdict, "at": at.isoformat()}] if verdict else []
    given = {"impact_changed": {"codes": list(themes), "book": 1, "by": "x", "at": at.isoformat()}}
    return Read(row, VERSIONS[wave], dict(answers), frozenset(answers), judged, given)


def person(rng: random.Random, day: date, *, lift: float) -> Person:
    before = rng.choices([*POINTS, NONE], [2, 5, 6, 3, 1, 1])[0]
    place = POINTS.index(before) if before in POINTS else rng.randrange(5)
    step = rng.choices([1, 0, -1, 2], [lift, 2, 0.5, lift / 2])[0]
    after = POINTS[max(0, min(4, place + step))] if rng.random() > 0.05 else NONE
    impact = rng.choices(list(IMPACTS), [6 * lift, 1, 0.5, 0.5, 2])[0]
    said = {measure: rng.choice(POINTS) for measure in MEASURES}
    first = {**said, "role_confidence": before if before in POINTS else "prefer_not"}
    last = {**{measure: rng.choice(POINTS) for measure in MEASURES}, "role_confidence": after}
    last["confidence_change"] = rng.choices(
        ["much_more", "little_more", "same", "less", "prefer_not"], [4, 6, 3, 1, 1]
    )[0]
    last["impact_have"] = "no" if impact == NONE else "yes"
    verdict = impact if impact in list(Verdict) else None
    wrote = [code for place, code in enumerate(THEMES) if rng.random() < (0.05, 0.3, 0.6, 0.97)[place]]
    if impact != NONE:
        last["impact_changed"] = "Something"
    sent = Sent(
        read(Wave.BASELINE, first) if before != NONE or rng.random() < 0.5 else None,
        read(Wave.POST, {code: said for code, said in last.items() if said != NONE}, verdict, wrote),
        Verdict(verdict) if verdict else None,
    )
    return Person(day, before, after, impact, sent)


@dataclass
class Block:
    people: list[Person]
    tables: Sequence[tuple[Table, Protected]]
    linked: Sequence[Protected] = field(init=False)

    def __post_init__(self) -> None:
        self.linked = [shown for _, shown in self.tables[:4]]


@dataclass
class World:
    """A strand of a programme: who answered, and the releases that were made of it; each holds its blocks."""

    people: list[Person]
    releases: list[tuple[date, list[Block]]]


def programme(seed: int) -> World:
    rng = random.Random(seed)
    size, lift = rng.choice([18, 30, 60, 120]), rng.choice([0.5, 2, 6])
    days = (CONTRACT.ends_on - date(2021, 10, 1)).days
    people = [
        person(rng, date(2021, 10, 1) + timedelta(days=rng.randrange(days)), lift=lift) for _ in range(size)
    ]
    answered = [blocks.Came(one.day, one.sent, place % 7) for place, one in enumerate(people)]
    who = {id(one.sent): one for one in people}
    kept: list[Block] = []
    releases = []
    first = CONTRACT.starts_on
    for as_of in QUARTERS:
        for span in blocks.spans(answered, YEARS, rules=RULES, first=first, last=as_of):
            if blocks.enough(span, RULES):
                made = answer_tables.protected(span.sent, whom="leaders who answered", rules=RULES)
                if themed := theme_tables.table(span.sent, BOOK, whom="leaders who answered"):
                    made.append((themed, protect(themed, RULES)))
                kept.append(Block([who[id(one)] for one in span.sent], made))
                first = span.to_on + timedelta(days=1)
        releases.append((as_of, list(kept)))
    return World(people, releases)


def published(release: list[Block]) -> dict[str, Protected]:
    """What a release says of a strand: each table, added up over its blocks."""
    codes = dict.fromkeys(table.code for block in release for table, _ in block.tables)
    return {
        code: added([shown for block in release for table, shown in block.tables if table.code == code])
        for code in codes
    }


def sums(table: Protected) -> dict[frozenset[str], int]:
    """Every number that can be read off a table, or added up from its rows, by the categories it is of. Where people
    may be in several, a sum is of nobody."""
    rows = [row for row in table.rows if row.count is not None]
    if table.kind is Kind.SEVERAL:
        return {frozenset(row.codes): row.count or 0 for row in rows}
    return {
        frozenset(code for row in chosen for code in row.codes): sum(row.count or 0 for row in chosen)
        for size in range(len(rows) + 1)
        for chosen in combinations(rows, size)
    }


def test_every_two_releases_and_every_two_tables_are_subtracted() -> None:
    for seed in range(count(25, 1000)):
        world = programme(seed)
        tables = [published(release) for _, release in world.releases]
        for one, other in combinations(tables, 2):
            for code in one.keys() & other.keys():
                before, after = sums(one[code]), sums(other[code])
                assert not {after[of] - before[of] for of in before.keys() & after.keys()} & set(SMALL), seed
        for block in world.releases[-1][1]:
            for shown, beside in combinations([shown for _, shown in block.tables], 2):
                # About the same people: the base is one number, and so is what is left of it.
                assert {shown.base, beside.base} == {len(block.people)}, seed
            for table, shown in block.tables:
                told = sums(shown)
                assert not set(told.values()) & set(SMALL), (seed, table.code)
                assert not {len(block.people) - number for number in told.values()} & set(SMALL), (
                    seed,
                    table.code,
                )


STATES = [
    (changed(before, after), impact, before, after)
    for before in (*POINTS, NONE)
    for after in (*POINTS, NONE)
    for impact in IMPACTS
]
BOTH = np.array([state[:2] == ("higher", "accepted") for state in STATES], dtype=float)


class Attack:
    """What is known of the people of a block: unknown are how many of each interval between releases are where."""

    def __init__(self, block: Block, shown: Iterable[Protected]) -> None:
        self.intervals = self._intervals(block)
        self.size = len(self.intervals) * len(STATES)
        rows, sides = [], []
        for place, people in enumerate(self.intervals):
            # The KPI's numbers at each release: how many answered, and how many count.
            for mask, known in ((np.ones(len(STATES)), len(people)), (BOTH, sum(one.both for one in people))):
                rows.append(self._at(place, mask))
                sides.append(known)
        for column, table in enumerate(shown):
            for row in table.rows:
                if row.count is not None:
                    rows.append(np.tile(self.mask(column, row.codes), len(self.intervals)))
                    sides.append(row.count)
        self.known = LinearConstraint(np.array(rows), sides, sides)

    @staticmethod
    def _intervals(block: Block) -> list[list[Person]]:
        found = [[one for one in block.people if before < one.day <= day] for before, day in ends()]
        return [people for people in found if people]

    def _at(self, place: int, mask: np.ndarray) -> np.ndarray:
        whole = np.zeros(self.size)
        whole[place * len(STATES) : (place + 1) * len(STATES)] = mask
        return whole

    @staticmethod
    def mask(column: int, codes: Sequence[str]) -> np.ndarray:
        return np.array([state[column] in codes for state in STATES], dtype=float)

    def questions(self) -> Iterator[tuple[str, np.ndarray, int]]:
        """Every number the attacker asks for: each category in the block and in each interval, without those who are
        in the KPI's numerator."""
        for column, codes in enumerate((CHANGES, IMPACTS, (*POINTS, NONE), (*POINTS, NONE))):
            for code in codes:
                mask = self.mask(column, [code])
                if column < 2:
                    mask = mask * (1 - BOTH)
                whole = np.tile(mask, len(self.intervals))
                yield f"{column} {code}", whole, self.true(whole)
                if len(self.intervals) > 1:
                    for place in range(len(self.intervals)):
                        part = self._at(place, mask)
                        yield f"{column} {code} in {place}", part, self.true(part)

    def true(self, mask: np.ndarray) -> int:
        index = {state: place for place, state in enumerate(STATES)}
        return int(
            sum(
                mask[place * len(STATES) + index[one.state]]
                for place, people in enumerate(self.intervals)
                for one in people
            )
        )

    def range(self, mask: np.ndarray) -> tuple[int, int]:
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * mask, constraints=self.known, integrality=np.ones(self.size), bounds=Bounds(0, np.inf)
            )
            assert found.success, found.message
            ends.append(round(sign * found.fun))
        return ends[0], ends[1]

    def derived(self) -> list[tuple[str, int]]:
        """The small numbers that only one value fits."""
        return [
            (name, value)
            for name, mask, value in self.questions()
            if value in SMALL and self.range(mask) == (value, value)
        ]


def ends() -> Iterator[tuple[date, date]]:
    return zip([date.min, *QUARTERS], [*QUARTERS, date.max], strict=False)


def test_a_solver_with_all_that_was_released_derives_no_small_number() -> None:
    attacked = 0
    for seed in range(count(3, 100)):
        for block in programme(seed).releases[-1][1]:
            assert Attack(block, block.linked).derived() == [], seed
            attacked += 1
    assert attacked >= count(3, 100)


def bare(table: Table) -> Protected:
    """A table let out as it is."""
    every = protect(table, Rules(smallest_cell=1, smallest_base=1, one_answer_base=0))
    assert all(row.count is not None for row in every.rows)
    return every


def test_the_attack_finds_what_was_not_protected() -> None:
    """The check can fail: tables let out as they are, and cumulative figures recounted at each release."""
    world = programme(3)
    block = world.releases[-1][1][0]
    assert Attack(block, [bare(table) for table, _ in block.tables[:4]]).derived()
    by_release = [
        Counter(one.state[0] for one in world.people if one.day <= as_of) for as_of, _ in world.releases
    ]
    assert any(
        later[code] - one[code] in SMALL for one, later in combinations(by_release, 2) for code in CHANGES
    )


def linked(people: Sequence[tuple[str, str]]) -> Linked:
    """Before, after and change of people who said 1 or 5 (as in a programme in which nobody is in between)."""
    scores = {"not_at_all": 1, "completely": 5}
    placed = [(changed(before, after), before, after) for before, after in people]
    states = [(changed(before, after), before, after) for before in scores for after in scores]

    def cells(place: int, codes: Iterable[str]) -> Table:
        counts = [
            Cell(code=code, label=code, count=sum(one[place] == code for one in placed)) for code in codes
        ]
        return Table(
            code=str(place), title="t", base_words="w", kind=Kind.ORDERED, cells=counts, base=len(placed)
        )

    tables = [cells(0, [code for code in CHANGES if code != NONE]), cells(1, scores), cells(2, scores)]
    return Linked(tables=tables, people=placed, states=states, exact=["" for _ in states])


def test_tables_that_together_give_a_small_one_away_are_not_all_let_out() -> None:
    """Each alone keeps back that two went down; beside how people felt before, it is what is left over."""
    people = (
        [("not_at_all", "completely")] * 7
        + [("completely", "completely")] * 8
        + [("not_at_all", "not_at_all")] * 3
        + [("completely", "not_at_all")] * 2
    )
    found = linked(people)
    alone = [protect(table, RULES) for table in found.tables]
    assert all(table.rows for table in alone)
    assert (0, "lower") in pinned(found, alone, RULES)
    let = let_out(found, RULES)
    assert not pinned(found, let, RULES)
    assert [bool(table.rows) for table in let] == [True, False, True]


def test_what_the_search_calls_open_is_open_to_the_solver() -> None:
    """Two routes to one question: moving people about, and integer programming. Tables are protected each for itself
    here, so that some are given away."""
    shut = 0
    role = next(asked for name, _, asked in ASKED[Wave.POST].measured() if name == "role_confidence")
    for seed in range(count(12, 200)):
        rng = random.Random(seed)
        people = [person(rng, QUARTERS[0], lift=rng.choice([0.2, 8])) for _ in range(rng.randint(12, 26))]
        found = answer_tables.linked_tables([one.sent for one in people], role, whom="w")
        alone = [protect(table, Rules(smallest_cell=rng.choice([2, 3, 5]))) for table in found.tables]
        derived = {name for name, _ in Attack(Block(people, ()), alone).derived()}
        given = {f"{place} {code}" for place, code in pinned(found, alone, RULES)}
        assert derived <= given, seed
        shut += len(derived)
    assert shut, "some have to be given away, or this shows nothing"
