"""Several workers at once, as processes: each unit of work is done once, and what a dead one had is taken over."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from email import message_from_bytes
from functools import partial
from pathlib import Path

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session as DbSession

from portal.cli.working import Job, do
from portal.desk.shifts import Shifts
from portal.mailing import queue as mail
from portal.models import Mail, MailState
from privacy import person_exports
from privacy.audit import Action, AuditEntry
from privacy.chain_checks import ChainCheck
from privacy.engines import open_engine
from privacy.rights import ExportState, PersonExport
from privacy.safekeeping import KeyAct, KeyEvent
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.security.test_row_47_logs import reading_the_log

ROOT = Path(__file__).resolve().parents[2]
WORKERS, LETTERS = 4, 40


def environ_of(stack: Stack, clock: SetClock) -> dict[str, str]:
    settings = stack.instance.settings
    return {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "DATABASE_URL": settings.database_url,
        "KEYSTORE_URL": settings.keystore_url,
        "PUBLIC_URL": settings.public_url,
        "PORTAL_NOW": clock().isoformat(),
    }


def run_at_once(stack: Stack, clock: SetClock) -> list[str]:
    """The lines that the workers wrote; each ended by itself, and well."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "worker", "--once"]
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ_of(stack, clock),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    said = [worker.communicate(timeout=120)[1] for worker in started]
    assert [worker.returncode for worker in started] == [0] * WORKERS, said
    return [line for words in said for line in words.splitlines()]


def count(db: DbSession, asked: Select[int]) -> int:
    return db.scalar(asked) or 0


def troubles(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if json.loads(line)["level"] not in {"info", "debug"}]


def test_many_workers_do_each_unit_once(
    stack: Stack, db: DbSession, make: Factory, clock: SetClock, tmp_path: Path
) -> None:
    ids = [make.person(f"Person {number}").id for number in range(LETTERS)]
    with unit_of_work(db, clock, "system:test") as work:
        for person_id in ids:
            mail.queue(work, template="test_mail", about=person_id, to=person_id)
        person_exports.ask(work, person_id=ids[0])
    before = set(stack.instance.outbox.glob("*.eml"))
    lines = run_at_once(stack, clock)
    assert troubles(lines) == []
    db.rollback()
    sent = [
        message_from_bytes(path.read_bytes())["Message-ID"]
        for path in set(stack.instance.outbox.glob("*.eml")) - before
    ]
    assert max(Counter(sent).values()) == 1
    states = Counter(db.scalars(select(Mail.state).where(Mail.template == "test_mail")))
    assert states == {MailState.SENT: LETTERS}
    assert [one.state for one in db.scalars(select(PersonExport))] == [ExportState.READY]
    assert count(db, select(func.count()).where(KeyEvent.act == KeyAct.CANARY)) == 1
    assert count(db, select(func.count()).select_from(ChainCheck)) == 1
    assert count(db, select(func.count()).where(Mail.template == "audit_head")) == 1
    exported = AuditEntry.action == Action.PERSON_EXPORTED.word
    assert count(db, select(func.count()).where(exported)) == 1
    clock.pass_time(minutes=1)
    assert troubles(run_at_once(stack, clock)) == []
    db.rollback()
    assert count(db, select(func.count()).where(KeyEvent.act == KeyAct.CANARY)) == 1, "once a day"


def test_a_claim_is_one_workers_and_ends_with_it(stack: Stack) -> None:
    folder = stack.instance.settings.instance
    url = stack.engine.url.render_as_string(hide_password=False)
    program = f"""
import time
from pathlib import Path
from portal.desk.shifts import Shifts
from privacy.engines import open_engine
with Shifts(open_engine({url!r}), Path({str(folder)!r})).claim("night") as ours:
    print(ours, flush=True)
    time.sleep(60)
"""
    engine = open_engine(url)
    own = Shifts(engine, folder)
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with own.claim("night") as ours, own.claim("backup") as of_another_name:
            assert (ours, of_another_name) == (False, True)
        other.send_signal(signal.SIGKILL)
    ends = time.monotonic() + 20
    while not (free := _is_free(own)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert free
    engine.dispose()


def _is_free(shifts: Shifts) -> bool:
    with shifts.claim("night") as ours:
        return ours


def test_a_job_that_fails_holds_up_no_other(stack: Stack, make: Factory, db: DbSession) -> None:
    """Such as one that meets data it cannot use: the others of that minute are done, and the mail goes."""
    done: list[str] = []

    def fail() -> None:
        raise LookupError("words of somebody")

    planned = [Job("broken", fail), Job("sound", lambda: done.append("sound"))]
    shifts = Shifts(stack.engine, stack.instance.settings.instance)
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    with stack.app.app_context(), reading_the_log() as log:
        for job in planned:
            do(job, shifts, sessions)
    assert done == ["sound"]
    assert [(line["event"], line["job"]) for line in log.lines] == [("worker.failed", "broken")]
    assert "words of somebody" not in log.text
