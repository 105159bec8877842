"""Row 48: whatever fails, people get a page without a trace, nothing opens by it, and what can wait waits."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal.db import db as flask_db
from portal.mailing import post
from portal.mailing.senders import SmtpSender
from portal.models import Mail, MailState, Person
from portal.settings import Smtp
from portal.views.guards import guarded
from tests.conftest import Stack
from tests.outbox import Outbox
from tests.pages_client import Page, PageClient
from tests.security.test_row_47_logs import Log, reading_the_log

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
SECRET = "words of a failure that name somebody"
TRACE = ("Traceback", ".py", SECRET, "RuntimeError", "sqlalchemy", "line ", "portal/")


class Failure(RuntimeError):
    """What a broken part raises here."""


@pytest.fixture
def staff(serving: Flask, stack: Stack, team: Person) -> PageClient:
    return PageClient(serving, stack.instance).sign_in(team.id)


def fail(*args: object, **values: Any) -> Any:
    raise Failure(SECRET)


def in_the_view(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(None, lambda actor: True)(fail)


def in_the_policy(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(None, fail)(opened)


def in_the_loader(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(fail, lambda actor, thing: True)(opened)


def in_what_asks_for_proof(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(None, lambda actor: True, reads=fail)(opened)


def in_a_template(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(None, lambda actor: True)(
        lambda: app.jinja_env.from_string("{{ fails() }}").render(fails=fail)
    )


def before_every_page(app: Flask) -> None:
    app.before_request_funcs.setdefault(None, []).append(fail)


def odd() -> Any:
    """What no page answers."""
    return {"not", "an", "answer"}


def after_every_page(app: Flask) -> None:
    app.view_functions["team.home"] = guarded(None, lambda actor: True)(odd)


def opened(*things: object, **values: Any) -> str:
    return "what nobody may see"


LAYERS = (
    in_the_view,
    in_the_policy,
    in_the_loader,
    in_what_asks_for_proof,
    in_a_template,
    before_every_page,
    after_every_page,
)


@pytest.mark.parametrize("breaks", LAYERS, ids=lambda layer: layer.__name__)
def test_row_48_a_failure_in_any_layer_shows_nothing_and_opens_nothing(
    stack: Stack, serving: Flask, staff: PageClient, breaks: Callable[[Flask], None]
) -> None:
    assert staff.http.get("/team").status_code == 200
    breaks(serving)
    with reading_the_log() as log:
        page = Page(staff.http.get("/team"))
    _is_plain(page, log, 500)
    assert "what nobody may see" not in page.text
    assert any(line["event"] == "page.failed" and line["error"] for line in log.lines)


def _is_plain(page: Page, log: Log, status: int) -> None:
    """A page of ours; its reference leads to the lines in the log."""
    assert page.status == status
    assert page.heading.startswith("Sorry")
    for word in TRACE:
        assert word not in page.text, word
    assert SECRET not in log.text
    references = {line["request"] for line in log.lines}
    assert len(references) == 1
    assert references.pop() in page.words()


def test_row_48_a_database_that_is_away_is_said_and_the_form_can_be_sent_again(
    stack: Stack, serving: Flask, staff: PageClient
) -> None:
    typed = "What I have written about the meeting of today"
    token = staff.get("/team/people/new").token()

    def away(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        raise OperationalError(statement, {}, Failure(SECRET))

    with serving.app_context():
        engine = flask_db.engine
    event.listen(engine, "before_cursor_execute", away)
    try:
        with reading_the_log() as log:
            page = Page(staff.http.post("/team/people/new", data={"csrf_token": token, "name": typed}))
    finally:
        event.remove(engine, "before_cursor_execute", away)
    _is_plain(page, log, 503)
    assert typed in page.words() or typed in page.text
    assert staff.http.get("/team").status_code == 200, "and it goes on when it is back"


def test_row_48_mail_that_cannot_go_stops_nobody_and_goes_later(
    stack: Stack, client: PageClient, chief: Person, db: DbSession, outbox: Outbox, clock: Any
) -> None:
    client.post("/sign-in", {"email": "chief@council.example"})
    assert client.http.get("/sign-in/code").status_code == 200

    def sessions() -> DbSession:
        return DbSession(stack.engine, info={"vault": stack.instance.vault})

    with reading_the_log() as log:
        assert post.deliver(stack.instance, sessions, SmtpSender(Smtp("127.0.0.1", 1))) == 1
    assert [line["event"] for line in log.lines] == ["mail.put_off"]
    assert "council.example" not in log.text
    db.rollback()
    assert db.scalars(select(Mail.state)).all() == [MailState.WAITING]
    clock.pass_time(minutes=2)
    assert "council.example" not in json.dumps(log.lines)
    assert outbox.sign_in_mail()
