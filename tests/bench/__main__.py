"""`make bench`: what things cost, as medians of several turns in one run, with their spread. Writes bench.json.

Nothing here is a test: a busy machine is no fault. A row says its limit and whether it holds; how busy the machine was
stands beside it. `make bench ONLY=pages,serving` measures some, and then bench.json keeps the other rows.
"""

import json
import logging
import os
import platform
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog

from portal.booking.availability import (
    Agenda,
    Interval,
    Rules,
    Span,
    WeeklyHours,
    bank_holidays,
    offered,
    stretch,
)
from surveys.conditions import Is
from surveys.kinds import YesNo
from surveys.questionnaires import Page, Questionnaire, Section, load_definition
from surveys.questions import Value
from surveys.routing import path
from tests.bench import (
    backups,
    disk,
    keys,
    mails,
    pages,
    people,
    postgres,
    results,
    returns,
    serving,
    sign_in,
    soaking,
    starting,
)
from tests.bench.row import Row

TURNS = 9


def median(act: Callable[[], object], *, times: int) -> tuple[float, float]:
    """Milliseconds of one act: the median of the turns, and how far they lie apart."""
    turns = []
    for _ in range(TURNS):
        began = perf_counter()
        for _ in range(times):
            act()
        turns.append((perf_counter() - began) / times * 1000)
    return statistics.median(turns), max(turns) - min(turns)


def routed() -> Callable[[], object]:
    """60 questions, 40 of them on a condition."""
    pages = tuple(
        Page(
            code=f"page_{number}",
            title="A page",
            questions=tuple(
                YesNo(
                    code=f"q{number}_{place}",
                    text="Yes",
                    show_if=Is(f"q{number - 5}_{place}", ("yes",)) if number >= 5 else None,
                )
                for place in range(4)
            ),
        )
        for number in range(15)
    )
    big = Questionnaire(code="big", title="Big", sections=(Section(code="only", title="Only", pages=pages),))
    answers: dict[str, Value | None] = {question.code: "yes" for question in big.questions}
    return lambda: path(big, answers, role="lead_member")


def post_routed() -> Callable[[], object]:
    """The shipped post questionnaire, all answered as far as the path goes."""
    post = load_definition("post")
    answers: dict[str, Value | None] = {question.code: "yes" for question in post.questions}
    return lambda: path(post, answers, role="chief_executive")


def a_year_of_times() -> Callable[[], object]:
    """The first page of a year's times of 100 mentors, each with hours, leave, sessions and limits of their own."""
    now = datetime(2027, 3, 22, 9, tzinfo=UTC)
    holidays = bank_holidays(2027) | bank_holidays(2028)
    agendas = [_agenda(number, now, holidays) for number in range(100)]
    rules = Rules(minutes=60, margin_minutes=15, notice_hours=24, horizon_days=365)

    def act() -> int:
        return len(list(islice(merge(*(offered(agenda, rules, now=now) for agenda in agendas)), 30)))

    return act


def _agenda(number: int, now: datetime, holidays: frozenset[date]) -> Agenda:
    weekly = {day: (Span(540 + 15 * (number % 4), 720), Span(780, 1020)) for day in range(5)}
    sessions = [now + timedelta(days=day + number % 3, hours=1) for day in range(0, 60, 2)]
    return Agenda(
        hours=WeeklyHours(weekly, {(now + timedelta(days=20 + number)).date(): (Span(600, 840),)}),
        holidays=holidays,
        taken=[Interval(starts_at, starts_at + timedelta(minutes=90)) for starts_at in sessions],
        away=[
            stretch((now + timedelta(days=day)).date(), 720, (now + timedelta(days=day + 9)).date(), 1440)
            for day in (30 + number, 120 + number, 210 + number)
        ],
        held=Counter(starts_at.date() for starts_at in sessions),
        per_day=4,
        per_week=3,
    )


ROWS: tuple[tuple[str, Callable[[], Callable[[], object]], int, float], ...] = (
    ("path through 60 questions with 40 conditions", routed, 200, 1.0),
    ("path through the post questionnaire", post_routed, 200, 1.0),
    ("first page of a year of times of 100 mentors", a_year_of_times, 3, 100.0),
)


PURE = "pure"
MEASURES: dict[str, Callable[[], Iterable[tuple[Any, ...]]]] = {
    "starting": starting.rows,
    "pages": pages.rows,
    "serving": serving.rows,
    "postgres": postgres.rows,
    "mails": mails.rows,
    "sign_in": sign_in.rows,
    "keys": keys.rows,
    "backups": backups.rows,
    "disk": disk.rows,
    "people": people.rows,
    "results": results.rows,
    "returns": returns.rows,
    "soaking": soaking.rows,
}
"""Those that arrange more than one act: each gives its rows, as they are measured."""
INTO = Path("bench.json")


def measured(wanted: Collection[str]) -> Iterator[Row]:
    if PURE in wanted:
        for name, make, times, limit in ROWS:
            value, spread = median(make(), times=times)
            yield Row(name, value, "ms", limit, spread)
    for part, measure in MEASURES.items():
        if part in wanted:
            yield from (Row(*row) for row in measure())


def machine() -> str:
    """What it ran on, and how much else went on there."""
    words = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{words}, load {os.getloadavg()[2]:.1f} of the last 15 minutes"


def main() -> None:
    everything = {PURE, *MEASURES}
    wanted = set(sys.argv[1].split(",")) if len(sys.argv) > 1 else everything
    if unknown := wanted - everything:
        sys.exit(f"{', '.join(sorted(unknown))}: none of {', '.join(sorted(everything))}")
    # A line for each request would bury the figures.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = []
    for row in measured(wanted):
        rows.append(row)
        bound = "at least" if row.at_least else "at most"
        mark = "" if row.holds else "  DOES NOT HOLD"
        print(
            f"{row.name:84} {row.value:10.3f} {row.unit:3} ({bound} {row.limit:g}, spread {row.spread:.3f}){mark}",
            flush=True,
        )
    print(machine())
    _write(rows, keep=wanted != everything)
    sys.exit(0 if all(row.holds for row in rows) else 1)


def _write(rows: list[Row], *, keep: bool) -> None:
    """The rows; with `keep`, in the place of those with their names, and the others stay."""
    told = {row.name: _as_json(row) for row in rows}
    if keep and INTO.exists():
        told = {row["name"]: row for row in json.loads(INTO.read_text())["rows"]} | told
    INTO.write_text(json.dumps({"machine": machine(), "rows": list(told.values())}, indent=2) + "\n")


def _as_json(row: Row) -> dict[str, Any]:
    numbers = {name: round(getattr(row, name), 4) for name in ("value", "limit", "spread")}
    return {"name": row.name, "unit": row.unit, **numbers, "at_least": row.at_least, "holds": row.holds}


if __name__ == "__main__":
    main()
