"""What people meet while nothing can be saved: their words back, everything that was saved, and pages to read."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session as DbSession

from portal.db import db as flask_db
from portal.health.disk import Disks
from portal.models import Person, Role
from privacy.engines import open_engine
from privacy.scrub import vacuum
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.security.test_row_47_logs import reading_the_log

TRIGGER = """
create or replace function out_of_order() returns trigger language plpgsql as $$ begin {body}; end $$;
create trigger out_of_order before insert on {table} for each row execute function out_of_order()
"""
FULL = "raise exception 'no room' using errcode = '53100'"
DIES = "perform pg_terminate_backend(pg_backend_pid()); return new"


@pytest.fixture
def team(serving: Flask, stack: Stack, make: Factory) -> PageClient:
    return PageClient(serving, stack.instance).sign_in(make.person("Tia Team", role=Role.TEAM).id)


def new_person(team: PageClient, number: int) -> Page:
    typed = {"name": f"Findable Name {number}", "email": f"p{number}@council.example", "role": "mentor"}
    typed |= {"starts_on-day": "1", "starts_on-month": "1", "starts_on-year": "2022"}
    token = team.get("/team/people/new").token()
    return Page(team.http.post("/team/people/new", data={"csrf_token": token, "council": "", **typed}))


def names(db: DbSession) -> set[str | None]:
    db.rollback()
    return {person.name for person in db.scalars(select(Person))}


@contextmanager
def breaking(engine: Engine, body: str, table: str = "audit_entry") -> Iterator[None]:
    """What is written into a table makes PostgreSQL fail, as it would by itself."""
    with engine.begin() as connection:
        connection.exec_driver_sql(TRIGGER.format(body=body, table=table))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"drop trigger out_of_order on {table}")


@contextmanager
def no_room(serving: Flask, stack: Stack) -> Iterator[None]:
    """The disk of the database is full but for a few pages."""
    if stack.engine.dialect.name == "postgresql":
        with breaking(stack.engine, FULL):
            yield
        return
    with serving.app_context():
        engine = flask_db.engine
    # Pages that the rows of other tests left free would be room.
    vacuum(engine)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()

    def limit(connection: Any, record: Any) -> None:
        connection.execute(f"pragma max_page_count={pages + 2}")

    event.listen(engine, "connect", limit)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


def test_on_a_full_disk_what_was_acknowledged_is_there_and_the_rest_is_given_back(
    serving: Flask, stack: Stack, team: PageClient, db: DbSession
) -> None:
    acknowledged: set[str | None] = set()
    with no_room(serving, stack):
        for number in range(200):
            with reading_the_log() as log:
                answer = new_person(team, number)
            if answer.status != 303:
                break
            acknowledged.add(f"Findable Name {number}")
        assert answer.status == 503
        assert answer.response.headers["Retry-After"] == "60"
        assert f"Findable Name {number}" in answer.text, "what was typed"
        assert "nothing can be saved" in answer.heading.lower()
        assert [line["level"] for line in log.lines if line["event"] == "database.full"] == ["error"]
        assert "Findable" not in log.text
        known = names(db)
        assert acknowledged <= known
        assert f"Findable Name {number}" not in known
        home = team.get("/team")
        assert "Disk full" in home.words(), "who can do something about it is told"
        ready = team.http.get("/readyz")
        assert ready.status_code == 503
        assert "disk: no room is left" in ready.get_data(as_text=True)
    assert new_person(team, 900).status == 303, "without a restart"
    assert "Findable Name 900" in names(db)


def test_participants_are_not_told_of_disks(serving: Flask, stack: Stack, make: Factory) -> None:
    disks: Disks = serving.extensions["disks"]
    disks.refused()
    leader = PageClient(serving, stack.instance).sign_in(make.person("Ada Lead").id)
    assert "Disk" not in leader.get("/your-support").words()


@pytest.mark.parametrize("stack", ["postgresql"], indirect=True)
def test_a_connection_that_dies_in_the_middle_gives_the_words_back(
    serving: Flask, stack: Stack, team: PageClient, db: DbSession
) -> None:
    with breaking(stack.engine, DIES):
        answer = new_person(team, 1)
    assert answer.status == 503
    assert answer.response.headers["Retry-After"] == "10"
    assert "Findable Name 1" in answer.text
    assert "Findable Name 1" not in names(db)
    assert new_person(team, 1).status == 303, "the next one has a connection again"


def holding(engine: Engine) -> AbstractContextManager[Any]:
    """Another process writes, and does not end."""

    @contextmanager
    def held() -> Iterator[None]:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection = connection.execution_options(portal_write=5.0)
            with connection.begin():
                connection.execute(text("update audit_head set seq = seq"))
                yield

    return held()


def test_while_another_process_writes_pages_can_be_read_and_forms_are_given_back(
    serving: Flask, stack: Stack, team: PageClient, db: DbSession, clock: Any
) -> None:
    engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
    assert new_person(team, 1).status == 303
    clock.pass_time(minutes=3)  # so that it would be noted that this browser was used
    with holding(engine):
        assert team.http.get("/team/people/new").status_code == 200
        answer = new_person(team, 2)
        ready = team.http.get("/readyz")
    engine.dispose()
    assert answer.status == 503
    assert answer.response.headers["Retry-After"] == "5"
    assert "Findable Name 2" in answer.text
    assert names(db) >= {"Findable Name 1"}
    assert "Findable Name 2" not in names(db)
    if stack.engine.dialect.name == "sqlite":
        assert (ready.status_code, ready.get_data(as_text=True).splitlines()[0]) == (503, "database: busy")
    assert new_person(team, 2).status == 303


def test_what_fails_in_the_answer_to_another_error_is_an_outage_too(
    serving: Flask, stack: Stack, team: PageClient
) -> None:
    """A form with a dead token is kept for its writer, which has to be written down."""
    team.get("/team")
    engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
    on_sqlite = engine.dialect.name == "sqlite"
    with holding(engine) if on_sqlite else breaking(engine, FULL, "parked_form"):
        typed = {"csrf_token": "dead", "name": "Findable Name"}
        answer = Page(team.http.post("/team/people/new", data=typed))
    engine.dispose()
    assert answer.status == 503
    assert "Findable Name" in answer.text
