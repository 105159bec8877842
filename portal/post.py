"""The post: mail that is due is claimed, rendered from what it is about, sent, and its row marked.

What is due to one participant goes together, and at most two such mails a week (portal/gathering.py).

A worker claims one mail at a time for five minutes. What a worker claimed and did not finish is claimed
again after that, so a mail can go twice when a machine dies between sending and marking: it keeps its
Message-ID, by which mail programs show it once. After a restore nothing but sign-in mail goes until somebody
releases it: what waits may have gone before. Nothing personal is logged.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import jinja2
import structlog
from sqlalchemy import or_, select, true, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal import bounces, calendar, filters, gathering, html_letters, letters, mail, restriction
from portal.instance import Instance
from portal.key_keeping import note_refused
from portal.mail_contexts import FEEDBACK, Around, Letter, feedback_of
from portal.mail_registry import CONTEXTS
from portal.models import Mail, MailState
from portal.senders import AddressRefused, Sender
from privacy.backup_records import mail_is_held
from privacy.errors import HolderErased, SealBroken
from privacy.records import new_id
from privacy.work import unit_of_work

ACTOR = "system:post"
GATHERED = "gathered"
# A sign-in code is typed in a hurry, and a test mail is no news.
SAYS_NOTHING_ELSE = frozenset({"sign_in", "test_mail"})
TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
CLAIMED_FOR = timedelta(minutes=5)
BATCH = 20
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 240, 240))
TRIES_AT_MOST = len(DELAYS) + 1

log = structlog.get_logger("post")

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Parcel:
    """One message, the mails that go in it, and the sessions whose feedback it mentions."""

    message: EmailMessage
    mails: frozenset[UUID]
    feedback: Sequence[UUID]


def deliver(instance: Instance, sessions: Sessions, sender: Sender, *, limit: int = BATCH) -> int:
    """Send up to `limit` mails that are due; returns how many were dealt with, in whatever way."""
    dealt_with = 0
    while dealt_with < limit:
        with sessions() as db:
            claimed = _claim(db, instance, 1)
        for mail_id in claimed:
            try:
                with sessions() as db:
                    _deliver_one(db, instance, sender, mail_id)
            except OperationalError:
                # The database was locked or away: the next round can have the mail, not one in five minutes.
                with sessions() as db:
                    _give_back(db, instance, mail_id)
                raise
        if not claimed:
            break
        dealt_with += 1
    return dealt_with


def _give_back(db: DbSession, instance: Instance, mail_id: UUID) -> None:
    with suppress(OperationalError), unit_of_work(db, instance.clock, ACTOR) as work:
        work.db.execute(
            update(Mail)
            .where(Mail.id == mail_id, Mail.state == MailState.WAITING)
            .values(claimed_until=None, carried_by=None)
        )


def _claim(db: DbSession, instance: Instance, limit: int) -> list[UUID]:
    """Take what is due, so that no other worker does. On SQLite the write lock keeps the others out."""
    with unit_of_work(db, instance.clock, ACTOR) as work:
        due = (
            select(Mail.id)
            .where(Mail.state == MailState.WAITING, Mail.due_at <= work.now)
            .where(or_(Mail.claimed_until.is_(None), Mail.claimed_until <= work.now))
            .where(Mail.template == "sign_in" if mail_is_held(work.db) else true())
            .order_by(Mail.due_at, Mail.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = work.db.execute(
            update(Mail)
            .where(Mail.id.in_(due.scalar_subquery()))
            .values(claimed_until=work.now + CLAIMED_FOR, carried_by=None)
            .returning(Mail.id, Mail.due_at)
            .execution_options(synchronize_session=False)
        ).all()
        return [mail_id for mail_id, _ in sorted(taken, key=lambda row: (row[1], row[0]))]


def _deliver_one(db: DbSession, instance: Instance, sender: Sender, mail_id: UUID) -> None:
    queued = db.get(Mail, mail_id)
    if queued is None:
        # Its person was erased since it was claimed, and it with them.
        return
    told = {"mail": str(mail_id), "template": queued.template}
    together = [mail_id]
    if queued.template in gathering.COUNTED:
        with unit_of_work(db, instance.clock, ACTOR) as work:
            together = gathering.gather(work, mail_id=mail_id, claimed_for=CLAIMED_FOR)
        if not together:
            log.info("mail.put_off", trouble="two_this_week", tries=0, **told)
            return
    try:
        parcel = write(db, instance, together)
        # The read is over: a slow mail server must not hold a snapshot of the database.
        db.rollback()
        if parcel is not None:
            sender.send(parcel.message, at=instance.clock())
    except AddressRefused as refusal:
        db.rollback()
        _refused(db, instance, together, refusal, told)
        return
    except Exception as error:  # noqa: BLE001 - one letter that cannot go must not hold up the others
        db.rollback()
        _failed(db, instance, together, error, told)
        return
    _done(db, instance, mail_id, together, parcel)
    log.info("mail.dealt_with", state="dropped" if parcel is None else "sent", count=len(together), **told)


def _done(
    db: DbSession, instance: Instance, carrier_id: UUID, together: Sequence[UUID], parcel: Parcel | None
) -> None:
    """Mark what went and what had no reason left. What went within another mail says which one carried it."""
    gone = parcel.mails if parcel is not None else frozenset()
    with unit_of_work(db, instance.clock, ACTOR) as work:
        rows = work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)).all()
        # The one that counts is one that went: the carrier may have had no reason left.
        carrier = next((row for row in rows if row.id == carrier_id and row.id in gone), None)
        carrier = carrier or next((row for row in rows if row.id in gone), None)
        for row in rows:
            went = row.id in gone
            row.state = MailState.SENT if went else MailState.DROPPED
            row.claimed_until, row.trouble = None, None
            row.sent_at = work.now if went else None
            row.carried_by = carrier.id if carrier is not None and went else None
        if carrier is not None and carrier.person_id is not None:
            bounces.clear(work, person_id=carrier.person_id)
        if parcel is not None and carrier is not None:
            for session_id in parcel.feedback:
                mail.note_carried(work, template=FEEDBACK, about=session_id, carrier=carrier)


def _refused(
    db: DbSession, instance: Instance, together: Sequence[UUID], refusal: AddressRefused, told: dict[str, str]
) -> None:
    """Give up at once: the same address would be refused again. The team is shown whose it is."""
    with unit_of_work(db, instance.clock, ACTOR) as work:
        for row in work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)):
            row.tries += 1
            row.state, row.trouble = MailState.FAILED, bounces.trouble(refusal.code)
            row.claimed_until = row.carried_by = None
            if row.person_id is not None:
                bounces.note(work, person_id=row.person_id, code=refusal.code)
    log.error("mail.refused", code=refusal.code, count=len(together), **told)


def _failed(
    db: DbSession, instance: Instance, together: Sequence[UUID], error: Exception, told: dict[str, str]
) -> None:
    with unit_of_work(db, instance.clock, ACTOR) as work:
        if isinstance(error, SealBroken):
            note_refused(work, error)
        for row in work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)):
            row.tries += 1
            row.trouble = type(error).__name__[:40]
            row.claimed_until = row.carried_by = None
            given_up = row.tries >= TRIES_AT_MOST
            if given_up:
                row.state = MailState.FAILED
            else:
                row.due_at = work.now + DELAYS[row.tries - 1]
            report = log.error if given_up else log.warning
            event = "mail.given_up" if given_up else "mail.put_off"
            report(event, **{**told, "mail": str(row.id)}, trouble=row.trouble, tries=row.tries)


def write(db: DbSession, instance: Instance, together: Sequence[UUID]) -> Parcel | None:
    """The message that carries these mails of one person, the first of which gives it its id; None if there is
    nobody to send it to, or no reason left to."""
    mails = [found for mail_id in together if (found := db.get(Mail, mail_id)) is not None]
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
        event=going[0][1].event,
        at=around.now,
    )
    return Parcel(message, frozenset(one.id for one, _ in going), feedback)


def test_message(instance: Instance, address: str) -> EmailMessage:
    """A test mail to any address, for the command line. Raises AddressUnusable."""
    around = Around(instance.programme, instance.settings.public_url, instance.clock())
    context = {"name": "", "around": around, "also": False}
    words = _render(bounces.TEST, "subject", context), _render(bounces.TEST, "body", context)
    return _composed(instance, mail_id=new_id(), to=(address, ""), words=words, event=None, at=around.now)


def _composed(
    instance: Instance,
    *,
    mail_id: UUID,
    to: tuple[str, str],
    words: tuple[str, str],
    event: calendar.Event | None,
    at: datetime,
) -> EmailMessage:
    """From the programme's mailbox, which is the organiser of every calendar entry too, to one address and name."""
    subject, text = words
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
