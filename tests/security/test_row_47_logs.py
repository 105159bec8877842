"""Row 47: who did what stands in the trail and in the log, in UTC, by references; nothing personal, nothing forged."""

import contextlib
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as DbSession

from portal import logs
from portal.models import Person
from privacy import audit
from privacy.audit import AuditEntry
from privacy.clock import system_clock
from privacy.errors import ChainBroken
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.security.coming_in import Browser, code_in, path_in

CANARY = "Zyqxwv Hush"
on_sqlite = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


class Log:
    """What this process logs while it is open, as the server sets it up."""

    def __init__(self) -> None:
        self.written = io.StringIO()

    @property
    def text(self) -> str:
        return self.written.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line; each of them is JSON, or this fails."""
        return [json.loads(line) for line in self.text.splitlines()]


@contextlib.contextmanager
def reading_the_log() -> Iterator[Log]:
    root, log = logging.getLogger(), Log()
    kept = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    with contextlib.redirect_stderr(log.written):
        logs.configure()
        try:
            yield log
        finally:
            root.handlers[:], root.level, sys.excepthook, threading.excepthook = kept
            structlog.contextvars.clear_contextvars()


# ---- the trail


@on_sqlite
def test_row_47_sign_ins_refusals_exports_and_changes_stand_in_the_trail(
    stack: Stack, browse: Any, team: Person, chief: Person, db: DbSession, clock: SetClock
) -> None:
    browser: Browser = browse()
    begun = clock()
    browser.client.post("/sign-in", {"email": "chief@council.example"})
    for _ in range(6):
        browser.client.http.post(
            "/sign-in/finish", data={"csrf_token": _token(browser.client), "code": "000000"}
        )
    staff = PageClient(stack.app, stack.instance).sign_in(team.id)
    staff.post(f"/team/people/{chief.id}/disable", page=f"/team/people/{chief.id}")
    staff.http.get("/reports/kpi")
    db.rollback()
    entries = db.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    said = {entry.action: entry for entry in entries}
    assert {"sign_in.asked", "sign_in.refused", "person.disabled"} <= said.keys()
    disabled = said["person.disabled"]
    assert disabled.actor == f"person:{team.id}"
    assert str(chief.id) in disabled.object
    for entry in entries:
        assert entry.at >= begun
        assert entry.at.utcoffset() == timedelta(0)
        assert entry.actor.partition(":")[0] in {"person", "system"}
        words = f"{entry.object} {entry.details}"
        assert "@" not in words, words
        assert "Chief" not in words, words


def _token(client: PageClient) -> str:
    return client.get("/sign-in").token()


@pytest.mark.parametrize("how", ["altered", "left out", "put in another order"])
def test_row_47_the_trail_can_only_be_added_to(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock, how: str
) -> None:
    make.person()
    for number in range(3):
        with unit_of_work(db, clock, "system:test") as work:
            work.record(audit.Action.REVIEW_HELD, object=f"council:{number}", on=make.today)
    ring = stack.instance.vault.ring
    assert audit.verify(db, ring) >= 3
    last = db.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq.desc())).first() or 0
    if how == "altered":
        db.execute(update(AuditEntry).where(AuditEntry.seq == last - 1).values(actor="person:somebody-else"))
    elif how == "left out":
        db.execute(delete(AuditEntry).where(AuditEntry.seq == last))
    else:
        # Moved by way of a number that nothing has.
        for before, after in ((last, last + 9), (last - 1, last), (last + 9, last - 1)):
            db.execute(update(AuditEntry).where(AuditEntry.seq == before).values(seq=after))
    with pytest.raises(ChainBroken):
        audit.verify(db, ring)
    db.rollback()


# ---- the log


@on_sqlite
def test_row_47_a_request_is_one_line_in_utc_with_who_and_what(
    stack: Stack, team: Person, chief: Person, client: PageClient
) -> None:
    client.sign_in(team.id)
    with reading_the_log() as log:
        client.http.get(f"/team/people/{chief.id}?secret={CANARY}")
        client.http.get("/nothing/of/ours")
        client.http.get("/healthz")
    opened, missing = log.lines
    assert opened["event"] == "page.answered"
    assert (opened["page"], opened["status"]) == ("people.show", 200)
    assert opened["actor"] == f"person:{team.id}"
    assert opened["things"] == {"person_id": str(chief.id)}
    assert opened["timestamp"].endswith("Z")
    moment = datetime.fromisoformat(opened["timestamp"])
    assert abs(moment - system_clock()) < timedelta(minutes=1)
    assert opened["request"] != missing["request"]
    assert len(opened["request"]) == 12
    assert missing["status"] == 404
    for hidden in (CANARY, "secret", "Chief", "nothing", "@"):
        assert hidden not in log.text


FORGED = 'Mozilla\r\n{"event": "forged", "level": "info"}\n\u2028\u0085\x1b[31m' + CANARY


@on_sqlite
def test_row_47_whatever_a_browser_says_it_stays_one_line(client: PageClient) -> None:
    with reading_the_log() as log:
        for name in ("HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_X_REQUEST_ID", "HTTP_X_FORWARDED_FOR"):
            client.http.get("/sign-in", environ_overrides={name: FORGED})
        client.http.get("/sign-in\r\n{}")
        client.http.open("/sign-in", method="GE\nT")
        logging.getLogger("some.library").warning("it said %s", FORGED)
    assert len(log.text.splitlines()) == len(log.lines) == 7
    assert {line["event"] for line in log.lines[:6]} == {"page.answered"}
    assert {line["browser"] for line in log.lines[:6]} == {"A browser"}
    assert CANARY not in "".join(log.text.splitlines()[:6])
    assert "\x1b" not in log.text


@on_sqlite
def test_row_47_no_code_no_cookie_and_no_word_is_logged(browse: Any, chief: Person) -> None:
    browser: Browser = browse()
    with reading_the_log() as log:
        told = browser.ask("chief@council.example")
        link, code = path_in(told), code_in(told)
        browser.client.http.get(link)
        browser.client.http.post("/sign-in", data={"email": f"{CANARY}@council.example"})
        browser.client.http.post(f"/nothing/{CANARY}", data={"text": CANARY})
    assert len(log.lines) >= 5
    cookies = [cookie.value for cookie in browser.client.http._cookies.values()]
    for hidden in (link.rpartition("/")[2], code, "council.example", CANARY, *cookies):
        assert hidden
        assert hidden not in log.text


def test_row_47_an_error_is_logged_without_its_words() -> None:
    secret = f"{CANARY} typed this"
    with reading_the_log() as log:
        try:
            try:
                int(secret)
            except ValueError as first:
                raise LookupError(secret) from first
        except LookupError:
            structlog.get_logger("pages").exception("page.failed")
            logging.getLogger("some.library").exception("failed")
        sys.excepthook(*_raised(secret))
        thread = threading.Thread(target=int, args=(secret,))
        thread.start()
        thread.join()
    assert secret not in log.text
    assert CANARY not in log.text
    ours, theirs, uncaught, in_thread = log.lines
    for line in (ours, theirs):
        assert [one["kind"] for one in line["error"]] == ["LookupError", "ValueError"]
        assert line["error"][0]["at"][-1].startswith("tests/security/test_row_47_logs.py:")
    assert uncaught["event"] == in_thread["event"] == "process.failed"


def _raised(words: str) -> tuple[Any, Any, Any]:
    try:
        raise RuntimeError(words)
    except RuntimeError as error:
        return type(error), error, error.__traceback__


@on_sqlite
def test_row_47_a_database_says_not_what_it_was_asked_with(db: DbSession) -> None:
    with reading_the_log() as log:
        with pytest.raises(SQLAlchemyError) as raised:
            db.execute(text("select * from nothing where name = :name"), {"name": CANARY})
        structlog.get_logger("pages").error("page.failed", exc_info=raised.value)
    assert CANARY not in str(raised.value)
    assert log.lines[0]["error"]
    assert CANARY not in log.text


def test_row_47_a_command_logs_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_ours()
    structlog.get_logger("x").info("thing.done", thing=str(uuid4()))
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["event"] == "thing.done"
