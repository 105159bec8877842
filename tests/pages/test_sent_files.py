"""A long file, as whoever sent it sees it: under way, taken, or refused by line."""

import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import sent_files
from portal.models import Person, Role, SentFile
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

HEAD = "name,email,role,council,starts_on,ends_on\n"
LINES = [f"Mentor {number},m{number}@mentors.example,mentor,,2023-03-01," for number in range(600)]


@pytest.fixture
def team(make: Factory, client: PageClient) -> Person:
    person = make.person(role=Role.TEAM)
    client.sign_in(person.id)
    return person


def send(client: PageClient, lines: list[str]) -> str:
    """Send a file; where the page leads."""
    file = (io.BytesIO((HEAD + "\n".join(lines) + "\n").encode()), "people.csv")
    answer = client.post("/team/people/import", {"file": file})
    return str(answer.response.headers["Location"])


def work_off(stack: Stack) -> None:
    sent_files.run(stack.instance, lambda: DbSession(stack.engine, info={"vault": stack.instance.vault}))


def asks_again(page: Page) -> bool:
    (state,) = page.all("div", id="file-state")
    return state.get("hx-get") is not None


def test_a_long_file_says_how_far_it_is(client: PageClient, stack: Stack, team: Person) -> None:
    address = send(client, LINES)
    page = client.get(address)
    assert (
        "600 lines. It waits for its turn." in page.words()
        or "601 lines. It waits for its turn." in page.words()
    )
    assert "0 of 3 steps done" in page.words()
    assert asks_again(page)
    work_off(stack)
    done = client.get(address)
    assert "Taken: 600 new people and 600 new roles." in done.words()
    assert not asks_again(done)
    piece = client.get(address, HX_Request="true")
    assert "<html" not in piece.text
    assert "The file is taken" in piece.text, "it is read out"


def test_faults_of_a_long_file_are_told_by_line(client: PageClient, stack: Stack, team: Person) -> None:
    address = send(client, [*LINES, "Nobody,,mentor,,2023-03-01,"])
    work_off(stack)
    page = client.get(address)
    assert "Nothing was taken from this file" in page.words()
    assert "Line 602: The e-mail address is missing" in page.words()
    rows = client.http.get(f"{address}/to-correct.csv").get_data(as_text=True).splitlines()
    assert len(rows) == 602
    assert rows[1] == "Mentor 0,m0@mentors.example,mentor,,2023-03-01,,"
    assert rows[-1] == "Nobody,,mentor,,2023-03-01,,The e-mail address is missing"


def test_a_short_file_is_taken_while_the_page_waits(client: PageClient, db: DbSession, team: Person) -> None:
    assert send(client, LINES[:3]).endswith("/team/people")
    assert db.scalars(select(SentFile)).all() == []


def test_nobody_else_sees_it(client: PageClient, make: Factory, team: Person) -> None:
    address = send(client, LINES)
    client.sign_in(make.person(role=Role.TEAM).id)
    client.get(address, status=404)
