"""Where mail goes: to a mail server, or into a folder where there is none."""

import os
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from portal.settings import Settings, Smtp

TIMEOUT_SECONDS = 20
TLS_PORT = 465
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class Sender(Protocol):
    """Sends a mail or raises; it returns once the mail is in other hands."""

    def send(self, message: EmailMessage, *, at: datetime) -> None: ...


class Unprotected(Exception):
    """The mail server offers no encryption: nothing is sent to it."""


class SmtpSender:
    """Hands each mail to a server, over verified TLS; without it only to a server on this machine."""

    def __init__(self, smtp: Smtp) -> None:
        self.smtp = smtp

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        """Raises OSError (which SMTPException is) or Unprotected."""
        with self._connected() as server:
            if self.smtp.user:
                server.login(self.smtp.user, self.smtp.password or "")
            server.send_message(message)

    def _connected(self) -> smtplib.SMTP:
        smtp = self.smtp
        if smtp.port == TLS_PORT:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS)
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


class FolderSender:
    """Writes each mail as a file, `<time>-<id>.eml`: what demo and development have instead of a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mail_id = str(message["Message-ID"]).strip("<>").partition("@")[0]
        path = self.folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{mail_id}.eml"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
        part.rename(path)


def sender_for(settings: Settings, outbox: Path) -> Sender:
    """The server that the settings name, else the outbox folder."""
    return SmtpSender(settings.smtp) if settings.smtp is not None else FolderSender(outbox)
