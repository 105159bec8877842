"""Where mail goes: to a mail server, or into a folder where there is none."""

import os
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from portal.settings import THIS_MACHINE, Settings, Smtp

TIMEOUT_SECONDS = 20
TLS_PORT = 465
FOR_GOOD = 500


class Sender(Protocol):
    """Sends a mail or raises; it returns once the mail is in other hands, with what these answered, if they did."""

    def send(self, message: EmailMessage, *, at: datetime) -> str | None: ...


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

    def data(self, message: Any) -> tuple[int, bytes]:
        code, said = super().data(message)  # type: ignore[misc]
        self.answer = f"{code} {said.decode('ascii', 'replace')}"[:200]
        return code, said


class _Server(_Answering, smtplib.SMTP):
    pass


class _TlsServer(_Answering, smtplib.SMTP_SSL):
    pass


class SmtpSender:
    """Hands each mail to a server, over verified TLS; without it only to a server on this machine."""

    def __init__(self, smtp: Smtp, *, called: str = "localhost") -> None:
        """`called`: the name by which we greet the server. The library would ask the name service for one, each time,
        and wait for it."""
        self.smtp = smtp
        self.called = called

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        """Raises AddressRefused, Unprotected, or OSError (which SMTPException is)."""
        with self._connected() as server:
            if self.smtp.user:
                server.login(self.smtp.user, self.smtp.password or "")
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as refused:
                # One recipient each; what the server said of it may name them, so it stays behind.
                _require_passing([code for code, _ in refused.recipients.values()])
                raise
            except smtplib.SMTPDataError as refused:
                _require_passing([refused.smtp_code])
                raise
            return server.answer

    def _connected(self) -> "_Server | _TlsServer":
        smtp = self.smtp
        if smtp.port == TLS_PORT:
            context = ssl.create_default_context()
            return _TlsServer(smtp.host, smtp.port, self.called, timeout=TIMEOUT_SECONDS, context=context)
        server = _Server(smtp.host, smtp.port, self.called, timeout=TIMEOUT_SECONDS)
        try:
            self._protect(server)
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
        server.starttls(context=ssl.create_default_context())
        server.ehlo()


def _require_passing(codes: list[int]) -> None:
    """Raises AddressRefused for an answer that will not change by itself (RFC 5321 4.2.1: 5yz)."""
    for code in codes:
        if FOR_GOOD <= code < FOR_GOOD + 100:
            # The address stands in the server's words, which must not reach a log with the error's cause.
            raise AddressRefused(code) from None


class RouteRefused(Exception):
    """The mail server is nobody's that may have the data: no mail goes there (cl 17.11). The message says why."""


class RoutedSender:
    """Asks before each mail whether it may go by this server; `refusal` says why not, or nothing."""

    def __init__(self, sender: Sender, refusal: Callable[[], str | None]) -> None:
        self.sender = sender
        self.refusal = refusal

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
