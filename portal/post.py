"""The post: mail that is due is claimed, rendered from what it is about, sent, and its row marked.

A worker claims a few mails at a time for five minutes. What a worker claimed and did not finish is claimed
again after that, so a mail can go twice when a machine dies between sending and marking: it keeps its
Message-ID, by which mail programs show it once. Nothing personal is logged.
"""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import jinja2
import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session as DbSession

from portal import calendar, filters, letters
from portal.instance import Instance
from portal.mail_contexts import CONTEXTS, Around
from portal.models import Mail, MailState
from portal.senders import Sender
from privacy.errors import HolderErased
from privacy.work import unit_of_work

ACTOR = "system:post"
TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
CLAIMED_FOR = timedelta(minutes=5)
BATCH = 20
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 240, 240))
TRIES_AT_MOST = len(DELAYS) + 1

log = structlog.get_logger("post")

Sessions = Callable[[], DbSession]


def deliver(instance: Instance, sessions: Sessions, sender: Sender, *, limit: int = BATCH) -> int:
    """Send up to `limit` mails that are due; returns how many were dealt with, in whatever way."""
    with sessions() as db:
        claimed = _claim(db, instance, limit)
    for mail_id in claimed:
        with sessions() as db:
            _deliver_one(db, instance, sender, mail_id)
    return len(claimed)


def _claim(db: DbSession, instance: Instance, limit: int) -> list[UUID]:
    """Take what is due, so that no other worker does. On SQLite the write lock keeps the others out."""
    with unit_of_work(db, instance.clock, ACTOR) as work:
        due = (
            select(Mail.id)
            .where(Mail.state == MailState.WAITING, Mail.due_at <= work.now)
            .where(or_(Mail.claimed_until.is_(None), Mail.claimed_until <= work.now))
            .order_by(Mail.due_at, Mail.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = work.db.execute(
            update(Mail)
            .where(Mail.id.in_(due.scalar_subquery()))
            .values(claimed_until=work.now + CLAIMED_FOR)
            .returning(Mail.id, Mail.due_at)
            .execution_options(synchronize_session=False)
        ).all()
        return [mail_id for mail_id, _ in sorted(taken, key=lambda row: (row[1], row[0]))]


def _deliver_one(db: DbSession, instance: Instance, sender: Sender, mail_id: UUID) -> None:
    mail = db.get(Mail, mail_id)
    if mail is None:
        # Its person was erased since it was claimed, and it with them.
        return
    told = {"mail": str(mail_id), "template": mail.template}
    try:
        message = write(db, instance, mail)
        # The read is over: a slow mail server must not hold a snapshot of the database.
        db.rollback()
        if message is not None:
            sender.send(message, at=instance.clock())
    except Exception as error:  # noqa: BLE001 - one letter that cannot go must not hold up the others
        db.rollback()
        _failed(db, instance, mail_id, type(error).__name__, told)
        return
    state = MailState.DROPPED if message is None else MailState.SENT
    with unit_of_work(db, instance.clock, ACTOR) as work:
        row = work.db.get(Mail, mail_id)
        if row is None:
            return
        row.state, row.claimed_until, row.trouble = state, None, None
        row.sent_at = work.now if state is MailState.SENT else None
    log.info("mail.dealt_with", state=state.value, **told)


def _failed(db: DbSession, instance: Instance, mail_id: UUID, trouble: str, told: dict[str, str]) -> None:
    with unit_of_work(db, instance.clock, ACTOR) as work:
        row = work.db.get(Mail, mail_id)
        if row is None:
            return
        row.tries += 1
        row.trouble = trouble[:40]
        row.claimed_until = None
        if row.tries >= TRIES_AT_MOST:
            row.state = MailState.FAILED
        else:
            row.due_at = work.now + DELAYS[row.tries - 1]
        tries, given_up = row.tries, row.state is MailState.FAILED
    report = log.error if given_up else log.warning
    report("mail.given_up" if given_up else "mail.put_off", trouble=trouble, tries=tries, **told)


def write(db: DbSession, instance: Instance, mail: Mail) -> EmailMessage | None:
    """The mail, whole; None if there is nobody to send it to, or no reason left to."""
    reader = mail.person
    if reader is None or reader.disabled_at is not None:
        return None
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    try:
        address, name = reader.email, letters.one_line(reader.name or "")
        letter = CONTEXTS[mail.template](db, mail, reader, around)
    except HolderErased:
        return None
    if letter is None or not address:
        return None
    context = {**letter.context, "name": name, "around": around}
    event = letter.event
    return letters.compose(
        sender=instance.programme.contacts["team"],
        sender_name=instance.programme.sender,
        recipient=address,
        recipient_name=name,
        subject=_render(mail.template, "subject", context),
        text=_render(mail.template, "body", context),
        html=None,
        message_id=message_id(mail.id, instance.settings.public_url),
        date=around.now,
        calendar=calendar.invitation(event) if event is not None else None,
        method=event.method if event is not None else None,
    )


def message_id(mail_id: UUID, public_url: str) -> str:
    """The same for every try of a mail."""
    return f"<{mail_id}@{urlsplit(public_url).hostname}>"


def _render(template: str, part: str, context: dict[str, object]) -> str:
    return _environment().get_template(f"{template}/{part}.txt").render(context).strip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    # Mails are plain text: nothing is escaped, and a word that a template asks for and lacks is an error.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (filters.day, filters.weekday_day, filters.time, filters.day_time, filters.minutes):
        environment.filters[function.__name__] = function
    environment.globals["span"] = filters.span
    return environment
