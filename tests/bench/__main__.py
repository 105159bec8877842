"""`make bench`: what things cost, as medians of several turns in one run, with their spread. Writes bench.json.

Nothing here is a test: a busy machine is no fault. A row says its limit and whether it holds.
"""

import json
import os
import platform
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import islice
from pathlib import Path
from time import perf_counter

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
from tests.bench import backups, keys, people, results, returns, sign_in

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


MEASURES = (keys.rows, backups.rows, people.rows, results.rows, returns.rows, sign_in.rows)
"""Those that arrange more than one act: each gives name, value, unit, limit and spread, row by row."""


def measured() -> Iterator[tuple[str, float, str, float, float]]:
    for name, make, times, limit in ROWS:
        value, spread = median(make(), times=times)
        yield name, value, "ms", limit, spread
    for measure in MEASURES:
        yield from measure()


def main() -> None:
    rows = []
    for name, value, unit, limit, spread in measured():
        rows.append(
            {
                "name": name,
                "value": round(value, 4),
                "unit": unit,
                "limit": limit,
                "spread": round(spread, 4),
                "holds": value <= limit,
            }
        )
        print(f"{name:50} {value:9.3f} {unit}  (limit {limit:g}, spread {spread:.3f})")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    Path("bench.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")
    print(machine)
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main()
