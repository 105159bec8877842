"""Row 3: the same form five times at once, and again an hour later, by a server that was started since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from portal.models import Attendance, Mail, Session, SessionKind, SessionState
from privacy.audit import Action, AuditEntry
from surveys.models import Response, ResponseState
from tests.conftest import START, Stack
from tests.faults.checks import nothing_lost
from tests.faults.clients import Answer, Client, Fields, Tally, filled, form_at
from tests.faults.databases import on
from tests.faults.doings import Acknowledged, sent_at_once
from tests.faults.server import Server
from tests.faults.world import World, fill

TIMES = 5
WORDS = "More time for questions"

pytestmark = on("postgresql")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=1, held=2, members=1)


@dataclass
class Form:
    """A filled form, and the browser that has it."""

    client: Client
    path: str
    fields: Fields

    def press(self, port: int, cookie: str, tally: Tally) -> list[Answer]:
        """Send it five times at once, from browser windows of one person."""
        clients = [Client(port, cookie, tally) for _ in range(TIMES)]
        for client in clients:
            client.cookies["form"] = self.client.cookies["form"]
        return sent_at_once([(client, self.path, self.fields) for client in clients])


def forms(world: World, port: int, tally: Tally, workshop: UUID) -> list[Form]:
    """A page of questions, answers to be sent, a time to book, and a place to take."""
    (leader,), (member,) = world.leaders, world.members

    def form(cookie: str, page: str, path: str, before: Callable[[Client], None] = lambda _: None) -> Form:
        client = Client(port, cookie, tally)
        before(client)
        found = form_at(client.follow(client.get(page)), path)
        time = next((box.get("value") for box in found.iter("input") if box.get("name") == "time"), None)
        return Form(client, path, filled(found, words=WORDS, chosen={"time": time} if time else {}))

    def answer(client: Client) -> None:
        for number in (1, 2):
            page = client.get(f"{sent}/{number}")
            client.post(f"{sent}/{number}", filled(form_at(page, f"{sent}/{number}"), words=WORDS))

    begun, sent = (leader.feedback(session_id) for session_id in leader.held)
    return [
        form(leader.cookie, f"{begun}/1", f"{begun}/1"),
        form(leader.cookie, f"{sent}/check", f"{sent}/submit", answer),
        form(leader.cookie, leader.times, leader.times),
        form(member.cookie, f"/sessions/{workshop}", f"/sessions/{workshop}/place"),
    ]


def test_row_03_the_same_form_five_times_at_once_and_an_hour_later(world: World) -> None:
    (leader,), (member,) = world.leaders, world.members
    workshop, whose = world.workshop(capacity=5), [leader, leader, leader, member]
    with Server(world.stack) as server, Tally() as tally:
        pressed = forms(world, server.port, tally, workshop)
        first = [form.press(server.port, who.cookie, tally) for form, who in zip(pressed, whose, strict=True)]
    world.stack.clock.now = START + timedelta(hours=1)
    cookies = {who.id: world.signs_in(who.id) for who in (leader, member)}
    with Server(world.stack, PORTAL_PROCESSES="1") as server, Tally() as tally:
        later = [
            form.press(server.port, cookies[who.id], tally) for form, who in zip(pressed, whose, strict=True)
        ]
    told = [
        {(answer.status, answer.location) for answer in [*now, *then]}
        for now, then in zip(first, later, strict=True)
    ]
    ((_, booked),) = told[2]
    assert told == [
        {(303, f"{leader.feedback(leader.held[0])}/2")},
        {(303, f"{leader.feedback(leader.held[1])}/receipt")},
        {(303, booked)},
        {(303, f"/sessions/{workshop}")},
    ]
    one_row_each(world, UUID(booked.split("/")[2]), workshop, member.id)
    known = Acknowledged(
        {(leader.participation_id, leader.held[1]): WORDS}, {UUID(booked.split("/")[2]): leader.id}
    )
    nothing_lost(world, known)


def one_row_each(world: World, booked: UUID, workshop: UUID, member_id: UUID) -> None:
    """As many rows, lines and mails as from a form that was sent once."""
    with world.db() as db:
        states = sorted(db.scalars(select(Response.state)).all())
        assert states == sorted([ResponseState.DRAFT, ResponseState.SUBMITTED])
        mine = select(Session.id).where(
            Session.kind == SessionKind.ONE_TO_ONE, Session.state == SessionState.BOOKED
        )
        assert db.scalars(mine).all() == [booked]
        seats = db.scalars(select(Attendance.id).where(Attendance.session_id == workshop)).all()
        assert len(seats) == 1
        for action, object in (
            (Action.SESSION_BOOKED, f"session:{booked}"),
            (Action.PLACE_BOOKED, f"attendance:{seats[0]}"),
        ):
            lines = select(func.count()).where(AuditEntry.action == action.word, AuditEntry.object == object)
            assert db.scalar(lines) == 1
        told = select(func.count()).where(Mail.about == workshop, Mail.person_id == member_id)
        assert db.scalar(told.where(Mail.template == "session")) == 1
