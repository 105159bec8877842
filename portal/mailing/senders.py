"""Where mail goes: to a mail server, or into a folder where there is none."""

import os
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from portal import tls
from portal.settings import THIS_MACHINE, Settings, Smtp

TIMEOUT_SECONDS = 20
TLS_PORT = 465
FOR_GOOD = 500
CLOSING = 421
TAKES_NOTHING = b"4.3.2"
"""An answer about the server, not about a mail: it takes none at the moment (RFC 3463 3.4)."""


class Sender(Protocol):
    """Sends a mail or raises; it returns once the mail is in other hands, with what these answered, if they did."""

    def send(self, message: EmailMessage, *, at: datetime) -> str | None: ...


@runtime_checkable
class HasRounds(Protocol):
    """A sender by whose one connection many mails can go."""

    def round(self) -> AbstractContextManager[None]: ...


def round_of(sender: Sender) -> AbstractContextManager[None]:
    """For as long as the block lasts, what is sent goes by one connection, where the sender has any."""
    return sender.round() if isinstance(sender, HasRounds) else nullcontext()


class ServerAway(OSError):
    """The mail server can't be reached, or takes nothing from anybody; no mail is to blame. `kind` names the error."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the mail server is away ({type(error).__name__})")
        self.kind = type(error).__name__


class Unprotected(Exception):
    """The mail server offers no encryption: nothing is sent to it."""


class AddressRefused(Exception):
    """The mail server said for good that it takes no mail for this address; `code` is its answer, such as 550."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the mail server refused the address ({code})")
        self.code = code


class _Answering:
    """Keeps what the server said when it took the mail, such as under which number: that is evidence."""

    answer: str | None = None
    offered = False
    """Whether the server may have the mail by now."""

    def data(self, message: Any) -> tuple[int, bytes]:
        self.offered = True
        code, said = super().data(message)  # type: ignore[misc]
        self.answer = f"{code} {said.decode('ascii', 'replace')}"[:200]
        return code, said


class _Server(_Answering, smtplib.SMTP):
    pass


class _TlsServer(_Answering, smtplib.SMTP_SSL):
    pass


class SmtpSender:
    """Hands mail to a server, over verified TLS; without it only to a server on this machine."""

    def __init__(self, smtp: Smtp, *, called: str = "localhost") -> None:
        """`called`: the name by which we greet the server. The library would ask the name service for one, each time,
        and wait for it."""
        self.smtp = smtp
        self.called = called
        self._in_round = False
        self._kept: _Server | _TlsServer | None = None

    @contextmanager
    def round(self) -> Iterator[None]:
        """What is sent in the block goes by one connection; by a new one where the server has dropped it."""
        self._in_round = True
        try:
            yield
        finally:
            self._in_round = False
            if self._kept is not None:
                _hang_up(self._kept)
                self._kept = None

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        """Raises AddressRefused, Unprotected, or OSError (which SMTPException is): ServerAway, where the server was
        not there for any mail."""
        kept, self._kept = self._kept, None
        if kept is not None:
            # Servers drop a line that was still for a while, or carried many mails. This one was not given it yet.
            with suppress(ServerAway):
                return self._send_by(kept, message)
        try:
            server = self._connected()
        except ssl.SSLCertVerificationError:
            # There, but not whom we trust.
            raise
        except OSError as error:
            raise ServerAway(error) from error
        return self._send_by(server, message)

    def _send_by(self, server: "_Server | _TlsServer", message: EmailMessage) -> str | None:
        try:
            _hand_over(server, message)
        except BaseException:
            _hang_up(server)
            raise
        if self._in_round:
            self._kept = server
        else:
            _hang_up(server)
        return server.answer

    def _connected(self) -> "_Server | _TlsServer":
        smtp = self.smtp
        server: _Server | _TlsServer
        if smtp.port == TLS_PORT:
            server = _TlsServer(
                smtp.host, smtp.port, self.called, timeout=TIMEOUT_SECONDS, context=tls.verified()
            )
        else:
            server = _Server(smtp.host, smtp.port, self.called, timeout=TIMEOUT_SECONDS)
        try:
            if smtp.port != TLS_PORT:
                self._protect(server)
            if smtp.user:
                server.login(smtp.user, smtp.password or "")
        except BaseException:
            server.close()
            raise
        return server

    def _protect(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if self.smtp.host in THIS_MACHINE:
            return
        if not server.has_extn("starttls"):
            raise Unprotected(f"the mail server at {self.smtp.host} offers no STARTTLS")
        server.starttls(context=tls.verified())
        server.ehlo()


def _hand_over(server: "_Server | _TlsServer", message: EmailMessage) -> None:
    """Give the server one mail. What it says of it may name the recipient, so its words stay behind."""
    server.offered = False
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as refused:
        # One recipient each.
        for code, said in refused.recipients.values():
            _judge(code, said, refused)
        raise
    except smtplib.SMTPDataError as refused:
        _judge(refused.smtp_code, refused.smtp_error, refused)
        raise
    except smtplib.SMTPSenderRefused as refused:
        if _takes_nothing(refused.smtp_code, refused.smtp_error):
            raise ServerAway(refused) from None
        raise
    except smtplib.SMTPServerDisconnected as broken:
        if server.offered:
            raise
        raise ServerAway(broken) from broken


def _judge(code: int, said: bytes | str, refused: smtplib.SMTPException) -> None:
    """Raises AddressRefused for an answer that will not change by itself (RFC 5321 4.2.1: 5yz), and ServerAway for one
    that is about the server."""
    if FOR_GOOD <= code < FOR_GOOD + 100:
        # The address stands in the server's words, which must not reach a log with the error's cause.
        raise AddressRefused(code) from None
    if _takes_nothing(code, said):
        raise ServerAway(refused) from None


def _takes_nothing(code: int, said: bytes | str) -> bool:
    words = said if isinstance(said, bytes) else said.encode()
    return code == CLOSING or words.startswith(TAKES_NOTHING)


def _hang_up(server: smtplib.SMTP) -> None:
    """Take leave, whatever the server makes of it: what it took, it has."""
    try:
        with suppress(OSError):
            server.quit()
    finally:
        server.close()


class RouteRefused(Exception):
    """The mail server is nobody's that may have the data: no mail goes there (cl 17.11). The message says why."""


class RoutedSender:
    """Asks before each mail whether it may go by this server; `refusal` says why not, or nothing."""

    def __init__(self, sender: Sender, refusal: Callable[[], str | None]) -> None:
        self.sender = sender
        self.refusal = refusal

    def round(self) -> AbstractContextManager[None]:
        return round_of(self.sender)

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        """Raises RouteRefused, or what the server's sender raises."""
        if (why := self.refusal()) is not None:
            raise RouteRefused(why)
        return self.sender.send(message, at=at)


class FolderSender:
    """Writes each mail as a file, `<time>-<id>.eml`: what demo and development have instead of a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mail_id = str(message["Message-ID"]).strip("<>").partition("@")[0]
        path = self.folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{mail_id}.eml"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
        part.rename(path)
        return None


def sender_for(settings: Settings, outbox: Path) -> Sender:
    """The server that the settings name, else the outbox folder."""
    if settings.smtp is None:
        return FolderSender(outbox)
    return SmtpSender(settings.smtp, called=urlsplit(settings.public_url).hostname or "localhost")
