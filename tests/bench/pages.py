"""What pages and acts cost in CPU, in this process and without a server; the same beside a crowd; ten questions drawn.

CPU time, not time: a busy machine stretches the one less than the other. Nearly empty and full take turns in one run.
"""

import gc
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from time import process_time
from uuid import uuid4

from jinja2 import Environment
from sqlalchemy import event

from portal.models import Role
from portal.views.drawn_questions import questions, sheet
from surveys.models import Wave
from surveys.questions import Answers
from surveys.sittings import Asking, Sitting
from surveys.versions import current
from tests.bench import ceiling
from tests.bench.asking import STATEMENTS, Asker, ten_answers
from tests.bench.row import Row, of_turns
from tests.bench.world import World, make_world

LEADERS, TURNS, TIMES, WARMING = 64, 9, 40, 25
PEOPLE, PACKAGES = 100_000, 5_000
BOOKINGS = 30
Act = Callable[[], None]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        small = make_world(Path(name) / "small", leaders=LEADERS)
        # As the server does (wsgi.py): what is there from the start is not looked through for garbage again.
        gc.collect()
        gc.freeze()
        acts = _acts(small)
        yield from _alone(acts)
        yield _queries(small, acts["your support"])
        yield _booking(small)
        yield _ten_questions(small)
        full = make_world(Path(name) / "full", leaders=LEADERS)
        full.add_crowd(PEOPLE, packages=PACKAGES)
        yield from _beside_a_crowd((small, acts), (full, _acts(full)))
        small.close()
        full.close()


LIMITS = {
    "page with ten statements": 1.5,
    "save of ten answers": 3.0,
    "your support": 3.0,
    "sign-in asked for": 3.0,
}


def _acts(world: World) -> dict[str, Act]:
    """What is measured, each time by somebody else."""
    asker = Asker(world.stack.app.wsgi_app)
    readers, savers, owners, strangers = (cycle(world.leaders) for _ in range(4))
    for one in world.leaders:
        mark = asker.ask(one.page, cookie=one.cookie).field("_revision")
        _asked(
            asker,
            one.page,
            {"_page": "ten", "_revision": mark, **ten_answers(one)},
            cookie=one.cookie,
            status=303,
        )

    def read() -> None:
        one = next(readers)
        _asked(asker, one.page, cookie=one.cookie)

    def save() -> None:
        one = next(savers)
        form = {"_page": "ten", "_revision": "0-", **ten_answers(one)}
        _asked(asker, one.page, form, cookie=one.cookie, status=303)

    def support() -> None:
        _asked(asker, "/your-support", cookie=next(owners).cookie)

    def sign_in() -> None:
        _asked(asker, "/sign-in", {"email": next(strangers).address}, status=303)

    return dict(zip(LIMITS, (read, save, support, sign_in), strict=True))


def _asked(
    asker: Asker,
    path: str,
    form: dict[str, str] | None = None,
    *,
    cookie: str | None = None,
    status: int = 200,
) -> None:
    answer = asker.ask(path, form, cookie=cookie)
    assert answer.status == status, f"{path}: {answer.status}"


def cpu(act: Act, *, times: int = TIMES) -> float:
    """Milliseconds of CPU of one act, over some of them."""
    began = process_time()
    for _ in range(times):
        act()
    return (process_time() - began) / times * 1000


def _alone(acts: dict[str, Act]) -> Iterator[Row]:
    for name, act in acts.items():
        cpu(act, times=WARMING)
        yield of_turns(f"{name}: CPU", [cpu(act) for _ in range(TURNS)], "ms", LIMITS[name])


def _queries(world: World, act: Act) -> Row:
    asked: list[str] = []

    def note(*heard: object) -> None:
        asked.append(str(heard[2]))

    event.listen(world.stack.engine, "before_cursor_execute", note)
    act()
    event.remove(world.stack.engine, "before_cursor_execute", note)
    return Row("your support: queries", sum(one.startswith("SELECT") for one in asked), "", 12, 0.0)


def _booking(world: World) -> Row:
    """Each books the first time that is free for them; nobody else wants it."""
    asker, turns = Asker(world.stack.app.wsgi_app), []
    for one in world.leaders[:BOOKINGS]:
        offered = asker.ask(one.times, cookie=one.cookie).times()[0]
        form = {"session_id": str(uuid4()), "time": offered, "place": "remote"}
        turns.append(cpu(partial(_asked, asker, one.times, form, cookie=one.cookie, status=303), times=1))
    return of_turns("booking of a free time: CPU", turns[BOOKINGS // 3 :], "ms", 3.0)


def _ten_questions(world: World) -> Row:
    """Drawn by the product for somebody who answered them, against plain macros; the page around them is left out."""
    templates, app = ceiling.plain_templates(), world.stack.app
    with world.session() as db:
        published = current(db, code="baseline")
    leader = world.leaders[0]
    answers: Answers = ten_answers(leader)
    asking = Asking(respondent_id=leader.participation_id, wave=Wave.BASELINE, role=Role.LEAD_MEMBER.value)
    sitting = Sitting(asking, published, None)
    stop = sitting.path.pages[0]

    def draw() -> None:
        page = sheet(sitting, stop, places={})
        "".join(questions(page, answers=answers, typed=None, errors=[]))

    ratios = []
    with app.app_context():
        for _ in range(TURNS):
            ours = cpu(draw, times=TIMES * 3)
            plain = cpu(lambda: _plainly(templates), times=TIMES * 3)
            ratios.append(ours / plain)
    return of_turns(f"{len(STATEMENTS)} questions drawn, against plain macros", ratios, "x", 1.5)


def _plainly(templates: Environment) -> None:
    ceiling.ten_questions(templates)


def _beside_a_crowd(
    alone: tuple[World, dict[str, Act]], beside: tuple[World, dict[str, Act]]
) -> Iterator[Row]:
    def turn(world: World, act: Act, *, times: int = TIMES) -> float:
        return cpu(act, times=times)

    (small, few), (full, many) = alone, beside
    for name in many:
        turn(full, many[name], times=WARMING)
        ratios = [turn(full, many[name]) / turn(small, few[name]) for _ in range(TURNS)]
        yield of_turns(f"{name}: beside {PEOPLE:,} people and answers, against alone", ratios, "x", 1.15)
