"""Mail as it goes out: rendered from what it is about when it is sent, to one person or to a role's mailbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import jinja2
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.desk import restriction
from portal.instance import Instance
from portal.mailing import bounces, calendar, html_letters, letters
from portal.mailing.contexts import Around, Letter, feedback_of
from portal.mailing.registry import ADDRESSED, CONTEXTS, ROLE_CONTEXTS
from portal.models import Mail, Mailbox, Person
from privacy.errors import HolderErased
from privacy.records import new_id

GATHERED = "gathered"
# A sign-in code is typed in a hurry, and a test mail is no news.
SAYS_NOTHING_ELSE = frozenset({"sign_in", "test_mail", "account_news", "factor_restored"})
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"


@dataclass(frozen=True)
class Parcel:
    """One message, the mails that go in it, the sessions whose feedback it mentions, and whether a file is in it."""

    message: EmailMessage
    mails: frozenset[UUID]
    feedback: Sequence[UUID] = ()
    enclosed: bool = False


def write(db: DbSession, instance: Instance, together: Sequence[UUID]) -> Parcel | None:
    """The message that carries these mails of one person, the first of which gives it its id; None if there is
    nobody to send it to, or no reason left to."""
    mails = [found for mail_id in together if (found := db.get(Mail, mail_id)) is not None]
    if mails and mails[0].mailbox is not None:
        return _to_mailbox(db, instance, mails[0], mails[0].mailbox)
    if mails and mails[0].template in ADDRESSED:
        return _to_correspondent(db, instance, mails[0])
    reader = mails[0].person if mails else None
    if reader is None or reader.disabled_at is not None:
        return None
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    try:
        address, name = reader.email, letters.one_line(reader.name or "")
        written = [(one, CONTEXTS[one.template](db, one, reader, around)) for one in mails]
    except HolderErased:
        return None
    going = [
        (one, letter)
        for one, letter in written
        if letter is not None and restriction.may_write(reader, one.template)
    ]
    if not going or not address:
        return None
    feedback = [] if going[0][0].template in SAYS_NOTHING_ELSE else feedback_of(db, reader, around)
    context = {"name": name, "around": around, "also": bool(feedback)}
    subject, text = _worded(going, context)
    message = _composed(
        instance,
        mail_id=mails[0].id,
        to=(address, name),
        words=(subject, text),
        letter=going[0][1],
        at=around.now,
    )
    return Parcel(message, frozenset(one.id for one, _ in going), feedback)


def sample(
    db: DbSession, instance: Instance, *, template: str, about: UUID, step: str, reader: Person
) -> tuple[str, str] | None:
    """Subject and text of a mail as it would go now, without queueing it; None without a reason to send it."""
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    one = Mail(id=new_id(), person_id=reader.id, template=template, about=about, step=step)
    letter = CONTEXTS[template](db, one, reader, around)
    if letter is None:
        return None
    return _worded(
        [(one, letter)], {"name": letters.one_line(reader.name or ""), "around": around, "also": False}
    )


def _to_mailbox(db: DbSession, instance: Instance, one: Mail, mailbox: Mailbox) -> Parcel | None:
    """The message to a role's mailbox, whose address the programme file has; None without a reason to send it."""
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    try:
        letter = ROLE_CONTEXTS[one.template](db, one, around)
    except HolderErased:
        return None
    if letter is None:
        return None
    return _alone(instance, one, (instance.programme.contacts[mailbox], ""), letter, around)


def _to_correspondent(db: DbSession, instance: Instance, one: Mail) -> Parcel | None:
    """The message to an address that stands sealed in what the mail is about; None without a reason to send it."""
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    try:
        found = ADDRESSED[one.template](db, one, around)
    except HolderErased:
        return None
    if found is None:
        return None
    address, name, letter = found
    return _alone(instance, one, (address, letters.one_line(name)), letter, around)


def _alone(instance: Instance, one: Mail, to: tuple[str, str], letter: Letter, around: Around) -> Parcel:
    """A message that nothing else goes with, to somebody who need not have an account."""
    message = _composed(
        instance,
        mail_id=one.id,
        to=to,
        words=_worded([(one, letter)], {"name": "", "around": around, "also": False}),
        letter=letter,
        at=around.now,
    )
    return Parcel(message, frozenset({one.id}), enclosed=bool(letter.enclosures))


def test_message(instance: Instance, address: str) -> EmailMessage:
    """A test mail to any address, for the command line. Raises AddressUnusable."""
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    context = {"name": "", "around": around, "also": False}
    words = _render(bounces.TEST, "subject", context), _render(bounces.TEST, "body", context)
    return _composed(
        instance, mail_id=new_id(), to=(address, ""), words=words, letter=Letter(), at=around.now
    )


def _composed(
    instance: Instance,
    *,
    mail_id: UUID,
    to: tuple[str, str],
    words: tuple[str, str],
    letter: Letter,
    at: datetime,
) -> EmailMessage:
    """From the programme's mailbox, which is the organiser of every calendar entry too, to one address and name."""
    subject, text = words
    event = letter.event
    return letters.compose(
        sender=instance.programme.contacts["team"],
        sender_name=instance.programme.sender,
        recipient=to[0],
        recipient_name=to[1],
        subject=subject,
        text=text,
        html=html_letters.from_text(text, subject=subject),
        message_id=message_id(mail_id, instance.settings.public_url),
        date=at,
        calendar=calendar.invitation(event) if event is not None else None,
        method=event.method if event is not None else None,
        enclosures=letter.enclosures,
        reply_to=letter.reply_to,
    )


def _worded(going: Sequence[tuple[Mail, Letter]], context: Mapping[str, object]) -> tuple[str, str]:
    """Subject and text: a mail's own, or of one that gathers several and says each thing once."""
    if len(going) == 1:
        own, letter = going[0]
        filled = {**letter.context, **context}
        return _render(own.template, "subject", filled), _render(own.template, "body", filled)
    blocks = [_render(own.template, "line", {**letter.context, **context}) for own, letter in going]
    filled = {**context, "blocks": list(dict.fromkeys(blocks))}
    return _render(GATHERED, "subject", filled), _render(GATHERED, "body", filled)


def message_id(mail_id: UUID, public_url: str) -> str:
    """The same for every try of a mail."""
    return f"<{mail_id}@{urlsplit(public_url).hostname}>"


def _render(template: str, part: str, context: Mapping[str, object]) -> str:
    return _environment().get_template(f"{template}/{part}.txt").render(**context).strip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    # Mails are plain text: nothing is escaped (html_letters.py does, for the other part), and a word that a template
    # asks for and lacks is an error.
    environment = jinja2.Environment(  # nosec B701
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (
        filters.day,
        filters.weekday_day,
        filters.time,
        filters.day_time,
        filters.by_when,
        filters.minutes,
    ):
        environment.filters[function.__name__] = function
    environment.globals["span"] = filters.span
    return environment
