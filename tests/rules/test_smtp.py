"""Mail over a real server (aiosmtpd): protected, greeted by our own name, and addresses that it refuses for good."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mailing import bounces, post
from portal.mailing import queue as mail
from portal.mailing.senders import SmtpSender
from portal.models import Mail, MailState, Refusal
from portal.settings import Smtp
from privacy.work import unit_of_work
from tests.conftest import START, SetClock, Stack
from tests.factories import Factory
from tests.security.test_row_44_lines import AWAY, certificate, trusting

__all__ = ["trusting"]


class Desk:
    """Takes mail, but for addresses that it refuses: when they are named, or only when it has read the mail."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.greeted_as: list[str | None] = []
        self.refused: dict[str, str] = {}
        self.refused_after_reading: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        self.greeted_as.append(session.host_name)
        (address,) = envelope.rcpt_tos
        if address in self.refused_after_reading:
            return self.refused_after_reading[address]
        self.taken.append(address)
        return "250 Taken as number 7"


@contextmanager
def mail_server(
    desk: Desk, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """The port of a server that runs meanwhile, in a thread."""
    loop = asyncio.new_event_loop()

    def one() -> SMTP:
        return SMTP(
            desk, hostname="mail", tls_context=context, require_starttls=context is not None, loop=loop
        )

    server = loop.run_until_complete(loop.create_server(one, host, 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _closed(server: asyncio.Server) -> None:
    server.close()
    for _ in range(100):
        # Whoever served a line has to hear of its end before the loop may end.
        if len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0.01)


def test_it_goes_over_verified_starttls_and_greets_by_our_name(
    tmp_path: Path, trusting: Callable[[Path], None]
) -> None:
    context, chain = certificate(tmp_path, address=AWAY, days=1)
    trusting(chain)
    desk = Desk()
    message = EmailMessage()
    message["From"], message["To"] = "team@programme.example", "ana@council.example"
    message.set_content("words")
    with mail_server(desk, host=AWAY, context=context) as port:
        answer = SmtpSender(Smtp(AWAY, port), called="portal.example").send(message, at=START)
    assert desk.taken == ["ana@council.example"]
    assert desk.greeted_as == ["portal.example"]
    assert answer == "250 Taken as number 7"


@pytest.mark.parametrize("when", ["refused", "refused_after_reading"])
def test_an_address_refused_for_good_is_kept_in_mind_until_one_arrives(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory, when: str
) -> None:
    person_id = make.person("Ana Away", email="ana@council.example").id
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    desk = Desk()

    def deliver(port: int) -> MailState:
        with unit_of_work(db, clock, "system:test") as work:
            bounces.send_test(work, person_id=person_id)
        post.deliver(stack.instance, sessions, SmtpSender(Smtp("127.0.0.1", port)))
        db.rollback()
        return db.scalars(select(Mail).order_by(Mail.queued_at.desc())).first().state

    getattr(desk, when)["ana@council.example"] = "550 5.1.1 No such person: ana@council.example"
    with mail_server(desk) as port:
        assert deliver(port) is MailState.FAILED
        assert [(row.person_id, row.code) for row in db.scalars(select(Refusal))] == [(person_id, 550)]
        getattr(desk, when).clear()
        clock.pass_time(minutes=2)
        assert deliver(port) is MailState.SENT
    assert db.scalars(select(Refusal)).all() == []


def test_one_that_is_refused_for_now_waits(
    stack: Stack, db: DbSession, clock: SetClock, make: Factory
) -> None:
    person_id = make.person("Ana Away", email="ana@council.example").id
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="test_mail", about=person_id, to=person_id)
    desk = Desk()
    desk.refused["ana@council.example"] = "450 4.2.0 Try again later"
    with mail_server(desk) as port:
        post.deliver(stack.instance, sessions, SmtpSender(Smtp("127.0.0.1", port)))
    db.rollback()
    waiting = db.scalars(select(Mail)).one()
    assert (waiting.state, waiting.tries) == (MailState.WAITING, 1)
    assert waiting.due_at > clock()
    assert db.scalars(select(Refusal)).all() == []
