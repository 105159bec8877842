"""An e-mail, built whole from plain values. Nothing is read, sent or stored here.

    multipart/mixed                      with a calendar or an enclosure; else only what follows
        multipart/alternative            with HTML or a calendar; else only the text
            text/plain
            text/html
            text/calendar; method=...    what mail programs act on
        application/ics "invite.ics"     the same bytes, for those that show it only as a file
        application/pdf                  what is enclosed, such as a notice

No part loads anything from elsewhere, so nobody learns that a mail was opened.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import Self

from privacy.clock import as_utc

# Marks that turn the direction of all that follows; names in right-to-left scripts do without them.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_PLAIN_LENGTH = 68


class AddressUnusable(ValueError):
    """An e-mail address that can't stand in a header."""


class CalendarMismatch(ValueError):
    """The method of the mail isn't the one the calendar states, or one of the two is missing."""


@dataclass(frozen=True)
class Enclosure:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


class _Written(str):
    """A header value with its encoded form beside it.

    The standard library encodes by itself, but not well: a long name with a comma in it loses its quotes, so
    that part of it becomes a second address, and a value that looks encoded is sent as it is and decoded at
    the other end. It leaves alone what has a name and can fold itself.
    """

    name: str
    encoded: str

    def __new__(cls, value: str, *, name: str, encoded: str) -> Self:
        written = super().__new__(cls, value)
        written.name, written.encoded = name, encoded
        return written

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self.encoded}".replace("\n", policy.linesep) + policy.linesep


def one_line(text: str) -> str:
    """The text as it may stand on one line of a header or a calendar.

    Line breaks, control characters and runs of spaces become one space, marks that turn the direction of
    the rest of the line go, and half a character pair becomes a replacement mark. All else is kept.
    """
    plain = whole_characters(text).translate(_TURNING)
    return " ".join("".join(" " if _breaks(letter) else letter for letter in plain).split())


def whole_characters(text: str) -> str:
    """The text with lone surrogates, which no encoding can write, shown as replacement marks."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def compose(
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    recipient_name: str,
    subject: str,
    text: str,
    html: str | None,
    message_id: str,
    date: datetime,
    calendar: bytes | None,
    method: str | None,
    enclosures: Sequence[Enclosure] = (),
    reply_to: str | None = None,
) -> EmailMessage:
    """The mail to one recipient, ready to send.

    `calendar` is an iCalendar file and `method` the method it states: both or neither. `message_id` has its
    angle brackets; a mail that is sent again should keep it. `date` is an aware instant. Names and
    subject can hold anything: they are made one line. Raises AddressUnusable and CalendarMismatch.
    """
    _check_calendar(calendar, method)
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"{message_id!r} is not a message id")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address("From", name=sender_name, address=sender)
    mail["To"] = _address("To", name=recipient_name, address=recipient)
    if reply_to is not None:
        mail["Reply-To"] = _address("Reply-To", name="", address=reply_to)
    mail["Subject"] = _subject(subject)
    mail["Date"] = as_utc(date)
    mail["Message-ID"] = _Written(message_id, name="Message-ID", encoded=message_id)
    # Keeps out-of-office answers from coming back (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    # Quoted-printable, since not every relay passes bytes above 127 or long lines on unharmed.
    mail.set_content(whole_characters(text), cte="quoted-printable")
    if html is not None:
        mail.add_alternative(whole_characters(html), subtype="html", cte="quoted-printable")
    if calendar is not None and method is not None:
        _add_calendar(mail, calendar, method)
    for enclosed in enclosures:
        kind, _, within = enclosed.media_type.partition("/")
        mail.add_attachment(enclosed.content, maintype=kind, subtype=within, filename=enclosed.name)
    _set_boundaries(mail, message_id)
    return mail


def _add_calendar(mail: EmailMessage, calendar: bytes, method: str) -> None:
    mail.add_alternative(
        calendar.decode(), subtype="calendar", charset="utf-8", params={"method": method}, cte="base64"
    )
    mail.add_attachment(calendar, maintype="application", subtype="ics", filename="invite.ics")


def _set_boundaries(mail: EmailMessage, message_id: str) -> None:
    """Lines between parts that follow from the mail's id: a mail that is sent again is the same to the byte."""
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            # "=_" stands in no text that is encoded for the way.
            part.set_boundary(f"=_{hashlib.sha256(f'{message_id} {number}'.encode()).hexdigest()[:32]}")


def _check_calendar(calendar: bytes | None, method: str | None) -> None:
    if (calendar is None) != (method is None):
        raise CalendarMismatch("a calendar needs its method, and a method its calendar")
    if calendar is not None and f"METHOD:{method}".encode() not in calendar.splitlines():
        raise CalendarMismatch(f"the calendar doesn't state the method {method}")


def usable_address(address: str) -> str:
    """The address itself, when it can stand in a header or a calendar. Raises AddressUnusable."""
    if not _ADDRESS.fullmatch(address):
        raise AddressUnusable("an e-mail address holds a character that no header can carry")
    try:
        return Address(addr_spec=address).addr_spec
    except (MessageError, ValueError, IndexError, AttributeError) as fault:
        # The address itself stays out of the message: messages reach logs.
        raise AddressUnusable("an e-mail address can't be read") from fault


def _subject(subject: str) -> _Written:
    plain = one_line(subject)
    encoded = plain if _goes_as_it_is(plain) else _encoded(plain, header="Subject")
    return _Written(plain, name="Subject", encoded=encoded)


def _address(header: str, *, name: str, address: str) -> _Written:
    mailbox = Address(display_name=one_line(name), addr_spec=usable_address(address))
    encoded = str(mailbox)
    if mailbox.display_name and not _goes_as_it_is(encoded):
        encoded = f"{_encoded(mailbox.display_name, header=header)}\n <{mailbox.addr_spec}>"
    return _Written(str(mailbox), name=header, encoded=encoded)


def _goes_as_it_is(plain: str) -> bool:
    """Whether every mail program shows this text as it stands: short ASCII that doesn't look encoded."""
    return plain.isascii() and len(plain) <= _PLAIN_LENGTH and "=?" not in plain


def _encoded(plain: str, *, header: str) -> str:
    """The text in encoded words (RFC 2047), folded; never a special character of an address list."""
    return Header(plain, charset="utf-8", header_name=header).encode()


def _breaks(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Zs"}
