"""Every figure agrees with a recount by another route, on random programmes: 1,000 of them in proof."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.models import PARTICIPANT, Strand
from portal.programme import Programme, load
from portal.results import hands, items, kpi
from portal.results.census import Census
from portal.results.groups import GROUPS
from privacy import keys
from privacy.engines import open_engine, sqlite_url
from privacy.keystore import METADATA, Vault
from privacy.records import Record
from surveys import versions
from surveys.models import Wave
from tests.conftest import START
from tests.counts import count
from tests.random_programme import AS_OF, RandomProgramme
from tests.reference import Reference

PROGRAMMES = 25
PARTS = count(1, 40)
"""So many times as many programmes are tried."""
UNLIKE = {"id", "strand", "as_of", "definition", "expected", "differences", "hash"}
"""What a figure carries besides what is counted."""


class Place:
    """Databases of their own, filled anew for each programme."""

    def __init__(self, folder: Path) -> None:
        keys.create(folder / "keys")
        self.ring = keys.load(folder / "keys")
        self.engine = open_engine(sqlite_url(folder / "data.sqlite"))
        self.vault = Vault(self.ring, open_engine(sqlite_url(folder / "keystore.sqlite")), lambda: START)
        METADATA.create_all(self.vault.engine)
        Record.metadata.create_all(self.engine)
        with self.session() as db:
            versions.publish_shipped(db, lambda: START)
            published = {
                wave: versions.current(db, code=wave.value).id for wave in (Wave.BASELINE, Wave.POST)
            }
        self.programmes = RandomProgramme(self.engine, self.vault, published)

    def session(self) -> DbSession:
        return DbSession(self.engine, info={"vault": self.vault})

    def reference(self) -> Reference:
        return Reference(self.engine, self.vault.engine, self.ring.keks, as_of=AS_OF)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("reference"))
    yield made
    made.engine.dispose()
    made.vault.engine.dispose()


@pytest.fixture(scope="module")
def facts() -> Programme:
    return load(Path("programme.toml"))


@pytest.mark.parametrize("part", range(PARTS))
def test_every_figure_agrees_on_random_programmes(place: Place, facts: Programme, part: int) -> None:
    seen: dict[str, int] = {}
    for seed in range(part * PROGRAMMES, (part + 1) * PROGRAMMES):
        place.programmes.make(seed, people=2 + seed * 37 % 90)
        reference = place.reference()
        with place.session() as db:
            for figure in kpi.kpi(db, facts, as_of=AS_OF):
                found = _counted(figure)
                expected = reference.kpi(figure.strand.value)
                _agree(found, expected, f"seed {seed}, {figure.strand}")
                _tally(seen, found)
    # Every kind of thing that can be counted was counted somewhere, and every answer to a yes or no was given.
    assert part or not [name for name, number in seen.items() if not number]


def _counted(figure: kpi.KpiFigure) -> dict[str, Any]:
    found = {name: value for name, value in figure.as_json().items() if name not in UNLIKE}
    found["confidence"].pop("scale")
    return found


def _agree(found: Any, expected: Any, where: str) -> None:
    """The same numbers in the same places; floats as near as floats get."""
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for name, value in expected.items():
            _agree(found[name], value, f"{where}: {name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _agree(one, other, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12), where
    else:
        assert found == expected, where


def _tally(seen: dict[str, int], found: dict[str, Any]) -> None:
    for name, value in found.items():
        if isinstance(value, (bool, int)):
            seen[name] = seen.get(name, 0) + bool(value)
    tested = found["confidence"]["measured"]["sign_test"]["p_value"] is not None
    for name, value in (("tested", tested), ("too few", not tested)):
        seen[name] = seen.get(name, 0) + value


def test_every_statement_agrees_by_strand_and_role(place: Place, facts: Programme) -> None:
    compared = 0
    for seed in range(0, PROGRAMMES, 5):
        place.programmes.make(seed + 5000, people=40)
        reference = place.reference()
        with place.session() as db:
            for strand in Strand:
                for role in (None, sorted(PARTICIPANT)[seed % len(PARTICIPANT)]):
                    shown = items.items(db, facts, strand=strand, role=role, as_of=AS_OF)
                    for item in shown.items:
                        expected = reference.statement(strand.value, item.measure, role)
                        _agree(
                            item.shift.as_json(), expected, f"seed {seed}, {strand}, {role}, {item.measure}"
                        )
                        compared += item.shift.base
    assert compared > 100


def test_a_list_holds_as_many_as_its_figure(place: Place, facts: Programme) -> None:
    place.programmes.make(77, people=60)
    with place.session() as db:
        for figure in kpi.kpi(db, facts, as_of=AS_OF):
            seen = [
                stands
                for part, stands in Census(db, facts, as_of=AS_OF).seen(db)
                if part.strand == figure.strand
            ]
            for name, group in GROUPS.items():
                number = (
                    getattr(figure.everybody, name.removeprefix("all_"))
                    if name.startswith("all_")
                    else getattr(figure, name)
                )
                assert number == sum(map(group.holds, seen)), name


def test_many_hands_count_the_same(place: Place, facts: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted by several processes is what one counts; three of them, whatever this machine has."""
    place.programmes.make(78, people=200)
    with place.session() as db:
        alone = kpi.document(kpi.kpi(db, facts, as_of=AS_OF), as_of=AS_OF)
        monkeypatch.setattr(hands, "WORTH_IT", 1)
        monkeypatch.setattr(hands, "cores", lambda: 3)
        monkeypatch.setattr(threading, "active_count", lambda: 1)
        together = kpi.document(kpi.kpi(db, facts, as_of=AS_OF), as_of=AS_OF)
    assert together == alone


def test_a_process_that_fails_leaves_no_half_count(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    own = os.getpid()

    def task(db: DbSession, first: bytes, last: bytes) -> Counter[str]:
        if os.getpid() != own:
            raise ValueError("it ended early")
        return Counter({"counted": 1})

    monkeypatch.setattr(hands, "cores", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    with place.session() as db, pytest.raises(hands.HandLost):
        hands.counted(db, task, people=hands.WORTH_IT)
    assert "it ended early" in capfd.readouterr().err


def test_every_id_is_in_one_stretch() -> None:
    for number in (1, 2, 3, 7):
        stretches = hands.stretches(number)
        assert (stretches[0][0], stretches[-1][1]) == (bytes(16), bytes([255] * 16))
        for (_, last), (first, _) in pairwise(stretches):
            assert int.from_bytes(first, "big") == int.from_bytes(last, "big") + 1


def test_the_reference_is_a_route_of_its_own() -> None:
    """It uses nothing of what it checks."""
    words = Path("tests/reference.py").read_text(encoding="utf-8")
    lines = [line for line in words.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in lines if line.split()[1].split(".")[0] in ("portal", "surveys", "privacy")]
