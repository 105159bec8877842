"""Row 4: many at once for what few can have. As many get it as there are places, and nobody meets an error."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import func, select

from portal.groups import sessions, waiting
from portal.models import Attendance, AttendanceState, Mail, Session, SessionKind
from privacy.audit import Action, AuditEntry
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.counts import count
from tests.faults.checks import nothing_lost
from tests.faults.clients import Client, Tally, filled, form_at
from tests.faults.databases import on
from tests.faults.doings import sent_at_once
from tests.faults.server import Server
from tests.faults.world import Leader, Somebody, World, fill

ROUNDS = count(1, 20)
MANY, PLACES = 50, 3
OVERLAPPING = 24
PROMOTERS = 8
HOUR = timedelta(hours=1)

pytestmark = on("sqlite")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(
        instance, leaders=OVERLAPPING, held=0, members=MANY + PLACES - 1, leaders_of_mentor=OVERLAPPING
    )


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    with Server(world.stack) as running:
        yield running


class Crowded:
    """The browsers of many people at one server, each with its form's token."""

    def __init__(
        self, server: Server, tally: Tally, people: Sequence[Somebody], *, page: str, path: str
    ) -> None:
        self.clients = {one.id: Client(server.port, one.cookie, tally) for one in people}
        self.tokens = {
            person_id: filled(form_at(client.get(page), path), words="")
            for person_id, client in self.clients.items()
        }

    def press(self, presses: Sequence[tuple[UUID, str]]) -> Counter[int]:
        """Each of them presses a button, all at once; what they were answered."""
        answers = sent_at_once([(self.clients[who], path, self.tokens[who]) for who, path in presses])
        return Counter(answer.status for answer in answers)


def test_row_04_fifty_for_the_last_place_and_eight_who_promote(world: World, server: Server) -> None:
    with Tally() as tally:
        page = f"/sessions/{world.workshop(capacity=1)}"
        crowded = Crowded(server, tally, world.members, page=page, path=f"{page}/place")
        for number in range(1, ROUNDS + 1):
            fifty_for_one(world, crowded, days=2 * number)
            eight_promote(world, crowded, days=2 * number + 1)
    assert_no_error(tally)
    nothing_lost(world)


def fifty_for_one(world: World, crowded: Crowded, *, days: int) -> None:
    """One place is left, and fifty press for it at once."""
    everybody = [member.id for member in world.members]
    session_id = world.workshop(capacity=PLACES, days=days)
    for person_id in everybody[: PLACES - 1]:
        act(world, sessions.take_place, session_id, person_id)
    path = f"/sessions/{session_id}/place"
    got = crowded.press([(person_id, path) for person_id in everybody[PLACES - 1 :]])
    assert got == {303: 1, 409: MANY - 1}
    assert len(seated(world, session_id)) == PLACES


def eight_promote(world: World, crowded: Crowded, *, days: int) -> None:
    """Eight give up their places at once: each promotes whoever is next in the list, and late comers get none."""
    everybody = [member.id for member in world.members]
    first, waits, late = (
        everybody[:PROMOTERS],
        everybody[PROMOTERS : 2 * PROMOTERS + 4],
        everybody[-PROMOTERS:],
    )
    session_id = world.workshop(capacity=PROMOTERS, days=days)
    for person_id in first:
        act(world, sessions.take_place, session_id, person_id)
    for person_id in waits:
        act(world, waiting.join, session_id, person_id)
    path = f"/sessions/{session_id}/place"
    got = crowded.press([*((one, f"{path}/give-up") for one in first), *((one, path) for one in late)])
    assert got == {303: PROMOTERS, 409: len(late)}
    assert seated(world, session_id) == set(waits[:PROMOTERS])
    with world.db() as db:
        promoted = select(Mail.person_id).where(Mail.template == "place_freed", Mail.about == session_id)
        assert sorted(db.scalars(promoted)) == sorted(waits[:PROMOTERS]), "one mail for each"
        lines = select(AuditEntry.holder).where(
            AuditEntry.action == Action.PLACE_PROMOTED.word, AuditEntry.details.contains(str(session_id))
        )
        assert sorted(db.scalars(lines)) == sorted(waits[:PROMOTERS]), "one line for each"


def test_row_04_twenty_four_for_overlapping_times_of_one_mentor(world: World, server: Server) -> None:
    with Tally() as tally:
        clients = [Client(server.port, leader.cookie, tally) for leader in world.leaders]
        for _ in range(ROUNDS):
            at_one_time(world.leaders, clients)
    assert_no_error(tally)
    with world.db() as db:
        booked = select(func.count()).where(Session.kind == SessionKind.ONE_TO_ONE)
        assert db.scalar(booked) == ROUNDS
    nothing_lost(world)


def at_one_time(leaders: Sequence[Leader], clients: Sequence[Client]) -> None:
    """Half of them want one time of the list, half another, which begins before the first is over."""
    pairs = list(zip(leaders, clients, strict=True))
    forms = [form_at(client.get(leader.times), leader.times) for leader, client in pairs]
    wanted = overlapping([box.get("value") for box in forms[0].iter("input") if box.get("name") == "time"])
    posts = [
        (client, leader.times, filled(form, words="", chosen={"time": wanted[number % 2], "place": "remote"}))
        for number, ((leader, client), form) in enumerate(zip(pairs, forms, strict=True))
    ]
    got = Counter(answer.status for answer in sent_at_once(posts))
    assert got == {303: 1, 409: OVERLAPPING - 1}


def overlapping(times: Sequence[str]) -> tuple[str, str]:
    """The first two neighbours of a list of which one begins before the other is over."""
    return next((one, other) for one, other in pairwise(times) if starts_at(other) - starts_at(one) < HOUR)


def starts_at(time: str) -> datetime:
    return datetime.fromisoformat(time.partition(" ")[0])


def assert_no_error(tally: Tally) -> None:
    """On a slow machine the last in a queue may be asked to send the form again; nobody meets anything worse."""
    assert tally.statuses.keys() <= {200, 303, 409, 503}
    assert not tally.broke


def seated(world: World, session_id: UUID) -> set[UUID]:
    with world.db() as db:
        seats = select(Attendance.person_id).where(
            Attendance.session_id == session_id, Attendance.state == AttendanceState.BOOKED
        )
        return set(db.scalars(seats))


def act(world: World, rule: Callable[..., object], session_id: UUID, person_id: UUID) -> None:
    """What is there before the rush."""
    with world.db() as db, unit_of_work(db, world.stack.clock, "system:test") as work:
        rule(work, world.stack.instance.programme, session_id=session_id, person_id=person_id)
