"""Dates and times are written in one way, by the functions of `privacy/clock.py`, and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = "privacy/clock.py"
# What people read: names of days, months and halves of a day, figures with a stroke or a colon between them.
# What only programs read, such as 2023-03-01T10:30:00Z, is made of figures and stays free.
FOR_PEOPLE = re.compile(r":%[aAbB]|%-?[aAbB] |%-?d[ /.]|%-I|%H[:.]%M(?!:%S)|%M}|\.ctime\(|\.hour % 12")
# A moment that no filter writes: `{{ one.sent_at }}`, or as programs write it outside an attribute.
UNWRITTEN = re.compile(
    r"strftime|\{\{-? *(?!line\.look_at)[\w.]+_(at|on) *-?\}\}|(?<!=\")\{\{[^{}|]*isoformat\(\) *\}\}"
)


def written(suffix: str, *folders: str) -> Iterator[tuple[str, int, str]]:
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield path.relative_to(ROOT).as_posix(), number, line


def test_only_the_clock_writes_dates_and_times() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, number, line in written(".py", "portal", "surveys", "privacy")
        if path != HERE and FOR_PEOPLE.search(line)
    ]
    assert found == []
    assert any(FOR_PEOPLE.search(line) for path, _, line in written(".py", "privacy") if path == HERE)


def test_templates_ask_the_filters() -> None:
    """A template shows a date by `day` and its like; `isoformat` is for the attribute that programs read."""
    found = [
        f"{path}:{number}: {line.strip()}"
        for suffix in (".html", ".txt")
        for path, number, line in written(suffix, "templates")
        if UNWRITTEN.search(line)
    ]
    assert found == []


def test_no_script_writes_a_date() -> None:
    found = [
        f"{path}:{number}"
        for path, number, line in written(".js", "static")
        if "build/" not in path and re.search(r"toLocale(Date|Time)?String|Intl\.|getMonth|getHours", line)
    ]
    assert found == []
