"""A mail server as others run them (aiosmtpd): it takes mail, or does what mail servers do on bad days."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from email import message_from_bytes, policy
from enum import Enum
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.settings import Smtp

NEVER = 3600
SECONDS = 30
LATER = "451 4.3.2 Try again later"


class Mood(Enum):
    """How it meets whoever comes. LOST: it takes the mail, and the line breaks before it can say so."""

    WELL = "takes mail"
    REFUSING = "refuses connections"
    HANGING = "takes connections and says nothing"
    BUSY = "answers 4xx"
    LOST = "drops the line after DATA"


class _Moody(SMTP):
    """One connection. It does as its server is disposed at that moment."""

    def __init__(self, server: "MailServer", *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.met(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._server.lost(self.transport)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if self._server.mood is Mood.HANGING:
            await asyncio.sleep(NEVER)
        await super().push(status)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - the name that aiosmtpd looks for
        if self._server.turns_away(at=0):
            await self.push(LATER)
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802 - as above
        if self._server.turns_away(at=1):
            await self.push(LATER)
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as above
        await super().smtp_DATA(arg)
        self._server.acknowledged()


class MailServer:
    """Runs in a thread of this process. `arrived` counts the mails it took, by Message-ID.

    `before` is called once it has a mail and before it answers, `then` once the answer is on the line.
    """

    def __init__(
        self, *, before: Callable[[], None] = lambda: None, then: Callable[[], None] = lambda: None
    ) -> None:
        self.arrived: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.turned_away = 0
        self.mood = Mood.WELL
        self.port = 0
        self.answering = threading.Event()
        """Cleared, it keeps whoever has given it a mail waiting for the answer."""
        self.answering.set()
        self.receiving = threading.Event()
        self._before, self._then = before, then
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-server", daemon=True)
        self._open: set[asyncio.BaseTransport] = set()
        self._listening: asyncio.Server | None = None

    def __enter__(self) -> "MailServer":
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.be(Mood.REFUSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def be(self, mood: Mood) -> None:
        """Change the mood; every line that is open breaks."""
        self._run(self._change(mood))

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(SECONDS)

    async def _listen(self) -> None:
        self._listening = await self._loop.create_server(
            lambda: _Moody(self, self, hostname="localhost", loop=self._loop), "127.0.0.1", self.port
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _change(self, mood: Mood) -> None:
        self.mood = mood
        for transport in self._open:
            transport.close()
        if mood is Mood.REFUSING and self._listening is not None:
            self._listening.close()
            self._listening = None
        elif mood is not Mood.REFUSING and self._listening is None:
            await self._listen()
        # Whoever served the lines that broke has to hear of it before the loop may end.
        for _ in range(3):
            await asyncio.sleep(0.01)

    def met(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(transport)

    def lost(self, transport: asyncio.BaseTransport) -> None:
        self._open.discard(transport)

    @property
    def environ(self) -> dict[str, str]:
        """By what processes of the product find it."""
        return {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self.port)}

    @property
    def smtp(self) -> Smtp:
        return Smtp("127.0.0.1", self.port, None, None)

    def acknowledged(self) -> None:
        self._then()

    def turns_away(self, *, at: int) -> bool:
        """In a busy mood: once at the sender, once at the recipient, once after the whole mail, and again."""
        away = self.mood is Mood.BUSY and self.turned_away % 3 == at
        self.turned_away += away
        return away

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.content
        assert isinstance(content, bytes)
        if self.turns_away(at=2):
            return LATER
        name = str(message_from_bytes(content, policy=policy.default)["Message-ID"])
        self.arrived[name] += 1
        self._before()
        self.receiving.set()
        if not self.answering.is_set():
            await asyncio.to_thread(self.answering.wait, SECONDS)
        if self.mood is Mood.LOST:
            self.dropped[name] += 1
            line: Any = server.transport
            line.abort()
        return "250 2.0.0 Taken"

    @property
    def doubled(self) -> Counter[str]:
        """What came more than once, and how often too often."""
        return Counter({name: times - 1 for name, times in self.arrived.items() if times > 1})
