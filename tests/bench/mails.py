"""How fast one worker sends: invitations from the outbox to a mail server on this machine that takes everything.

python -m tests.bench.mails PORT    such a server, as small as one can be: it is no part of what is measured
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy import func, select

from portal.mailing import post
from portal.mailing import queue as mail
from portal.mailing.senders import SmtpSender
from portal.models import Mail, MailState
from portal.settings import Smtp
from privacy.work import unit_of_work
from tests.bench.row import Row, of_turns
from tests.bench.world import World, make_world
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
TURNS, MAILS, PER_SECOND = 5, 200, 200.0


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, _sink() as port:
        world = make_world(Path(name) / "world", leaders=TURNS * MAILS)
        sender = SmtpSender(Smtp("127.0.0.1", port, None, None))
        rates, cpu = [], []
        for turn in range(TURNS):
            _queue(world, turn)
            began, used = perf_counter(), process_time()
            while post.deliver(world.stack.instance, world.session, sender):
                pass
            rates.append(MAILS / (perf_counter() - began))
            cpu.append((process_time() - used) / MAILS * 1000)
        with world.session() as db:
            assert db.scalar(select(func.count()).where(Mail.state == MailState.SENT)) == TURNS * MAILS
        world.close()
    yield of_turns("mails of one worker to a server on this machine", rates, "/s", PER_SECOND, at_least=True)
    yield of_turns("a mail: CPU of the worker", cpu, "ms", 1000 / PER_SECOND)


def _queue(world: World, turn: int) -> None:
    with world.session() as db, unit_of_work(db, world.stack.clock, "system:bench") as work:
        for one in world.leaders[turn * MAILS : (turn + 1) * MAILS]:
            mail.queue(work, template="invitation", about=one.participation_id, to=one.id)


@contextmanager
def _sink() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.mails", str(port)], cwd=ROOT)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    until = perf_counter() + 30
    while not _listens(port):
        if perf_counter() > until:
            raise TimeoutError(port)
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One client: every command is well, and whatever it sends is taken."""
    writer.write(b"220 here\r\n")
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 taken\r\n")
    writer.close()


async def _serve(port: int) -> None:
    async with await asyncio.start_server(_take, "127.0.0.1", port, limit=2**24) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
