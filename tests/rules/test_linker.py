"""The database alone must not tell what somebody said: ids, instants, order, counts and lengths point at nothing.

A solver gets every clear column and every length of a programme in which half the people said one thing and
half the other, in an order and at times that have nothing to do with it. It learns on one part, guesses the
other, and may do no better than chance.
"""

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from portal.models import PackageState, Role, Strand
from privacy.records import Record
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Wave
from surveys.questions import Posted
from surveys.sittings import Asking, sit
from tests.conftest import SetClock, Stack
from tests.counts import count
from tests.factories import Factory

PEOPLE = count(60, 120)
GUESSED = PEOPLE - PEOPLE // 2
BY_CHANCE = 0.5 + 2 / math.sqrt(GUESSED)
"""Four standard deviations above a coin: chance alone goes there once in some 30,000 runs. A leak goes to 1."""


@pytest.fixture
def published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


def option(question: Any, high: bool) -> str:
    scored = [choice for choice in question.options if choice.score is not None] or list(question.options)
    return str((scored[-1] if high else scored[0]).code)


def posted(questions: Any, high: bool) -> Posted:
    """A page's form as somebody of one camp fills it in."""
    raw: dict[str, list[str]] = {}
    for question in questions:
        match question.kind:
            case "scale" | "choice" | "yes_no":
                raw[question.code] = (
                    [option(question, high)] if question.kind != "yes_no" else ["yes" if high else "no"]
                )
            case "choices":
                raw[question.code] = [option(question, high)]
            case "text" | "long_text":
                raw[question.code] = [
                    "We ask much better questions now" if high else "Nothing has changed yet"
                ]
    return raw


def answer_all(db: DbSession, clock: SetClock, asking: Asking, *, high: bool) -> None:
    """Page by page, as a person would, then send."""
    for _ in range(40):
        with unit_of_work(db, clock, "person:somebody") as work:
            sitting = sit(work.db, asking)
            number = sitting.next_page
            if number is None:
                break
            stop = sitting.path.pages[number]
            responses.save_page(
                work, asking, page=stop.code, posted=posted(stop.questions, high), mark=sitting.mark(stop)
            )
    with unit_of_work(db, clock, "person:somebody") as work:
        responses.submit(work, asking)


def rows_of(db: DbSession) -> dict[str, dict[str, float]]:
    """Everything a copy of the database tells about each response, as numbers, by respondent."""
    found: dict[str, dict[str, float]] = {}
    order = db.execute(text("select id, respondent_id from response")).all()
    for place, (identity, respondent) in enumerate(order):
        known = found.setdefault(str(respondent), {})
        known["place"] = place
        known["id"] = int(str(identity).replace("-", "")[:8], 16)
    for table in Record.metadata.sorted_tables:
        if "respondent_id" not in table.columns:
            continue
        for row in db.execute(select(table)).mappings():
            known = found[key_in(found, row["respondent_id"])]
            for name, value in row.items():
                for feature, number in numbers(f"{table.name}.{name}", value):
                    known[feature] = number
    trail = db.execute(text("select holder, seq, action, length(details) from audit_entry")).all()
    for holder, seq, action, length in trail:
        if holder is not None and (key := key_in(found, holder)) is not None:
            known = found[key]
            known[f"trail.{action}"] = known.get(f"trail.{action}", 0) + 1
            known["trail.seq"] = seq
            known["trail.length"] = known.get("trail.length", 0) + length
    return found


def key_in(found: dict[str, Any], identity: Any) -> Any:
    plain = str(identity).replace("-", "")
    return next((key for key in found if key.replace("-", "") == plain), None)


def numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, bytes):
        data = bytes(value)
        yield f"{name} length", len(data)
        yield f"{name} first", data[0] if data else 0
        yield f"{name} mean", sum(data) / max(1, len(data))
    elif hasattr(value, "timestamp"):
        yield name, value.timestamp()
        yield f"{name} second", value.timestamp() % 60
    elif isinstance(value, int | float):
        yield name, value
    elif value is not None:
        yield f"{name} length", len(str(value))
        yield f"{name} sum", sum(str(value).encode())


def best_guess(learn: list[tuple[dict[str, float], bool]]) -> Callable[[dict[str, float]], bool]:
    """The single cut through one feature that tells the camps apart best on what was learnt from."""
    best: tuple[int, str, float, bool] = (-1, "", 0.0, True)
    for name in sorted({name for features, _ in learn for name in features}):
        values = sorted({features.get(name, 0.0) for features, _ in learn})
        for cut in values:
            for above in (True, False):
                right = sum(((features.get(name, 0.0) >= cut) is above) is camp for features, camp in learn)
                if right > best[0]:
                    best = (right, name, cut, above)
    _, name, cut, above = best
    return lambda features: (features.get(name, 0.0) >= cut) is above


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("seed", range(9887, 9887 + count(1, 10)))
def test_a_solver_with_the_database_alone_guesses_no_better_than_chance(
    seed: int, make: Factory, db: DbSession, clock: SetClock, stack: Stack
) -> None:
    chance = random.Random(seed)
    package = make.package(
        *(make.person(role=Role.COMMITTEE_MEMBER) for _ in range(PEOPLE)),
        strand=Strand.GROUP,
        state=PackageState.ENDED,
        ends_on=make.today,
    )
    ids = [part.id for part in package.participations]
    camps = dict(zip(ids, [number % 2 == 0 for number in range(PEOPLE)], strict=True))
    chance.shuffle(ids)
    for identity in ids:
        for wave in (Wave.BASELINE, Wave.POST):
            clock.pass_time(seconds=chance.randint(30, 900))
            asking = Asking(respondent_id=identity, wave=wave, role="committee_member")
            answer_all(db, clock, asking, high=camps[identity])
    with DbSession(stack.engine) as alone:
        known = rows_of(alone)
    cases = [(known[key_in(known, identity)], camps[identity]) for identity in ids]
    guess = best_guess(cases[: PEOPLE // 2])
    right = sum(guess(features) is camp for features, camp in cases[PEOPLE // 2 :])
    assert right / GUESSED < BY_CHANCE


def test_the_solver_would_find_a_leak() -> None:
    """The check itself must be able to fail: one telling column among noise is found."""
    chance = random.Random(1)
    cases = [
        ({"noise": chance.random(), "leak": float(number % 2) + chance.random() / 2}, number % 2 == 1)
        for number in range(PEOPLE)
    ]
    guess = best_guess(cases[: PEOPLE // 2])
    right = sum(guess(features) is camp for features, camp in cases[PEOPLE // 2 :])
    assert right / GUESSED > 0.9
