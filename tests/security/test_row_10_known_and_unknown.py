"""Row 10: whether an address has an account shows in nothing: text, status, headers, time, mail."""

import re
import statistics
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Mail, Office, Person, Role
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.counts import count
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.security.coming_in import Browser

ONE = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
Browse = Callable[[], Browser]
ADDRESSES = ("known", "strong", "closed", "left", "nobody")
APART_AT_MOST = 0.010
"""Seconds between the medians of known and unknown (ASVS 6.3.8)."""


@pytest.fixture
def people(db: DbSession, clock: SetClock, make: Factory) -> None:
    for name, role in (("known", Role.LEAD_MEMBER), ("strong", Role.TEAM), ("closed", Role.LEAD_MEMBER)):
        make.person(email=f"{name}@council.example", role=role)
    left = make.person(email="left@council.example")
    with unit_of_work(db, clock, "system:test") as work:
        closed = next(one for one in work.db.scalars(select(Person)) if one.email == "closed@council.example")
        closed.disabled_at = work.now
        office = work.db.scalars(select(Office).where(Office.person_id == left.id)).one()
        office.to_on = make.today - timedelta(days=1)


def answers(client: PageClient, address: str) -> list[tuple[object, ...]]:
    """What one address gets: asking, the page of the code, asking again, a wrong code."""
    token = client.get("/sign-in").token()
    sent = (
        client.http.post("/sign-in", data={"csrf_token": token, "email": address}),
        client.http.get("/sign-in/code"),
        client.http.post("/sign-in", data={"csrf_token": token, "again": "y"}),
        client.http.post("/sign-in/finish", data={"csrf_token": token, "code": "000000"}),
    )
    return [
        (
            one.status_code,
            sorted(
                (name, value) for name, value in one.headers if name not in ("Set-Cookie", "Content-Length")
            ),
            [line.split("=")[0] for line in one.headers.getlist("Set-Cookie")],
            re.sub(r'name="csrf_token" value="[^"]+"', "", one.text),
        )
        for one in sent
    ]


def test_row_10_every_address_gets_the_same(stack: Stack, people: None) -> None:
    found = [answers(PageClient(stack.app, stack.instance), f"{name}@council.example") for name in ADDRESSES]
    assert all(one == found[0] for one in found[1:])


@ONE
def test_row_10_a_mail_is_queued_for_everybody_and_goes_to_those_who_are_known(
    db: DbSession, browse: Browse, people: None
) -> None:
    for name in ADDRESSES:
        browse().client.post("/sign-in", {"email": f"{name}@council.example"})
    db.rollback()
    rows = db.scalars(select(Mail)).all()
    assert [row.template for row in rows] == ["sign_in"] * len(ADDRESSES)
    assert sum(row.person_id is not None for row in rows) == 2
    assert {str(message["To"]).split("<")[-1].rstrip(">") for message in browse().outbox.new()} == {
        "known@council.example",
        "strong@council.example",
    }


def test_row_10_known_and_unknown_take_the_same_time(stack: Stack, clock: SetClock, people: None) -> None:
    client = PageClient(stack.app, stack.instance)
    token = client.get("/sign-in").token()
    times: dict[str, list[float]] = {"known": [], "nobody": []}
    for _ in range(count(40, 200)):
        for name, taken in times.items():
            clock.pass_time(minutes=16)
            began = perf_counter()
            client.http.post("/sign-in", data={"csrf_token": token, "email": f"{name}@council.example"})
            taken.append(perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) < APART_AT_MOST, (known, unknown)


@ONE
def test_row_10_naming_an_assistant_tells_nothing_of_an_address(
    make: Factory, browse: Browse, people: None
) -> None:
    said = []
    for address in ("known@council.example", "nobody@council.example"):
        leader = make.person(council=make.council())
        client = browse().client.sign_in(leader.id)
        page = client.post("/your-assistant", {"name": "Pat Assist", "email": address, "sure": address})
        said.append((page.response.location, client.follow(page).words(client.follow(page).all("main")[0])))
    one, other = ((where, words.replace("known@", "nobody@")) for where, words in said)
    assert one == other


@ONE
def test_row_10_passkeys_tell_nothing_of_an_address(browse: Browse, people: None) -> None:
    """What a browser is asked to sign names nobody: it is asked before an address is."""
    client = browse().client
    token = client.get("/sign-in").token()
    begun = client.http.post("/sign-in/passkey/begin", data={"csrf_token": token})
    assert begun.json is not None
    assert begun.json.get("allowCredentials", []) == []
    made_up = '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'
    dead = client.http.post("/sign-in/passkey", data={"csrf_token": token, "answer": made_up})
    assert dead.status_code == 422
