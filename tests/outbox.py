"""What mail went: sends what is due into a folder and reads it there."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy.orm import Session as DbSession

from portal.mailing import post
from portal.mailing.senders import FolderSender
from tests.conftest import Stack


class Outbox:
    """A folder of mail that one test looks into."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.seen: set[Path] = set()

    def new(self) -> list[EmailMessage]:
        """The mails that have gone since the last look, in no order."""

        def sessions() -> DbSession:
            return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

        while post.deliver(self.stack.instance, sessions, FolderSender(self.folder)):
            pass
        found = set(self.folder.glob("*.eml")) - self.seen
        self.seen |= found
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]

    def sign_in_mail(self) -> str:
        """The text of the one new mail with a code; empty if none went."""
        texts = [text_of(message) for message in self.new()]
        codes = [text for text in texts if re.match(r"\d{6} ", text)]
        assert len(codes) <= 1, codes
        return codes[0] if codes else ""

    def told(self) -> list[tuple[str, str]]:
        """To whom the other new mails went, and what they say."""
        return [
            (str(message["To"]), text_of(message))
            for message in self.new()
            if not re.match(r"\d{6} ", text_of(message))
        ]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
