"""The table of security in README: each of its 49 rows says how it holds, and names a test that is there."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = range(1, 50)
NAMED = re.compile(r"^def (test_row_(\d\d)_\w+)\(", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_row_(\d\d)\w*))?`")


@cache
def rows_with_tests() -> dict[int, set[str]]:
    """The tests that are named after a row: `file::function`."""
    found: dict[int, set[str]] = {number: set() for number in ROWS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in NAMED.findall(path.read_text()):
            found.setdefault(int(number), set()).add(f"{path.relative_to(ROOT)}::{name}")
    return found


def table() -> list[tuple[int, str, str]]:
    """The rows of the table: number, how it holds, tests."""
    return [(int(number), how, tests) for number, how, tests in ROW.findall((ROOT / "README.md").read_text())]


def test_every_row_has_a_test_that_is_named_after_it() -> None:
    tests = rows_with_tests()
    assert sorted(tests) == list(ROWS), "a test is named after a row that there is not"
    assert [number for number, found in tests.items() if not found] == []


def test_readme_says_of_every_row_how_it_holds() -> None:
    rows = table()
    assert [number for number, _, _ in rows] == list(ROWS)
    assert [number for number, how, _ in rows if len(how) < 20] == []


def test_every_row_of_readme_names_a_test_of_its_own() -> None:
    tests = rows_with_tests()
    wrong = []
    for number, _, named in table():
        mine = [name.split("::") for name in tests[number]]
        for path, start, row in TEST.findall(named):
            if not any(path == file and name.startswith(start) for file, name in mine):
                wrong.append(f"{number}: {path}::{start}")
            if row and int(row) != number:
                wrong.append(f"{number}: {start} is another row's")
        if not TEST.search(named):
            wrong.append(f"{number}: names no test")
    assert wrong == []
