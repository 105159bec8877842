"""What everybody asks costs the same however many people there are: no statement of theirs walks through a table that
grows with the programme."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session as DbSession

from portal.mailing import post
from portal.models import Package
from privacy.keystore import METADATA
from privacy.records import Record
from surveys import versions
from tests.answering import fill
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import PageClient

FEW = {
    "access_decision", "blackout", "booking_limit", "clearance", "correction", "council", "data_return",
    "holiday_change", "hours", "instance_fact", "leave", "mentor_profile", "register_entry", "resource", "resource_use",
    "ring_key", "version",
}  # fmt: skip
"""Tables that stay small in any programme, or have a few rows for each who delivers."""
GROWING = {*Record.metadata.tables, *METADATA.tables} - FEW


@contextmanager
def walks(*engines: Engine) -> Iterator[list[str]]:
    """What is said here walks through, found out at the end: each growing table with the statement that does it."""
    heard: list[tuple[Engine, str, Any]] = []
    found: list[str] = []
    listening = [(engine, _hear(engine, heard)) for engine in engines]
    for engine, hear in listening:
        event.listen(engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        for engine, hear in listening:
            event.remove(engine, "before_cursor_execute", hear)
    for engine, statement, values in heard:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            found += [f"{table}: {statement}" for table in _walked(engine, statement, values)]


def _hear(engine: Engine, heard: list[tuple[Engine, str, Any]]) -> Any:
    return lambda connection, cursor, statement, values, context, many: heard.append(
        (engine, statement, values)
    )


def _walked(engine: Engine, statement: str, values: Any) -> set[str]:
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"explain query plan {statement}", values).all()
    steps = [step[3].split() for step in plan]
    walked = {words[1] for words in steps if words[0] == "SCAN" and len(words) > 1}
    return {table for table in GROWING if walked & {table, f"{table}_1"}}


class Nowhere:
    """Takes every mail."""

    def send(self, message: Any, *, at: Any) -> None: ...


# Indexes are the same on both databases; only this one says which it takes without a table full of rows.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_nothing_that_everybody_asks_walks_through_a_table(
    stack: Stack, client: PageClient, db: DbSession, make: Factory
) -> None:
    versions.publish_shipped(db, stack.clock)
    leader = make.person(email="ada@council.example")
    package = make.package(leader, mentor=make.mentor())
    waived = db.get_one(Package, package.id)
    waived.baseline_waived_at = stack.clock()
    page = f"/questionnaires/{waived.participations[0].id}/baseline/once/1"
    times = f"/packages/{package.id}/times"
    db.commit()
    stranger = PageClient(stack.app, stack.instance)
    client.sign_in(leader.id)
    with walks(stack.engine, stack.instance.vault.engine) as found:
        client.post(page, fill(client.get(page)), page=page)
        client.get("/your-support")
        chosen = client.get(times).all("input", type="radio", name="time")[0].get("value")
        client.post(times, {"session_id": str(uuid4()), "time": chosen, "place": "remote"})
        stranger.post("/sign-in", {"email": "ada@council.example"})
        post.deliver(stack.instance, lambda: DbSession(stack.engine, info=db.info), Nowhere())
    assert found == []
