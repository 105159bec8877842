"""The post: mail that is due is claimed, written (portal/mailing/writing.py), sent, and its row marked.

What is due to one participant goes together, and at most two such mails a week (portal/mailing/gathering.py).

A worker claims one mail at a time for a quarter of an hour. What a worker claimed and did not finish is claimed
again after that, so a mail can go twice when a machine or the database dies between sending and marking: it keeps its
Message-ID, by which mail programs show it once. After a restore nothing but sign-in mail goes until somebody
releases it: what waits may have gone before. Nothing personal is logged.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, case, or_, select, true, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal.desk.key_keeping import note_refused
from portal.instance import Instance
from portal.mailing import bounces, gathering
from portal.mailing import queue as mail
from portal.mailing.contexts import FEEDBACK
from portal.mailing.registry import HEARD, URGENT, Receipt
from portal.mailing.senders import AddressRefused, RouteRefused, Sender
from portal.mailing.writing import Parcel, write
from portal.models import Mail, MailState
from portal.returning import duties
from privacy.backup_records import mail_is_held
from privacy.errors import SealBroken
from privacy.returns import standstill
from privacy.work import unit_of_work

ACTOR = "system:post"
CLAIMED_FOR = timedelta(minutes=15)
"""Longer than a mail takes on its way, by more than a clock that is put right may jump: else another worker would send
it too."""
MARKED_WITHIN = 60.0
"""Seconds in which a mail that went is marked, however long others write: unmarked it would go again."""
BATCH = 20
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 240, 240))
TRIES_AT_MOST = len(DELAYS) + 1

log = structlog.get_logger("post")

Sessions = Callable[[], DbSession]


class _NotMarked(Exception):
    """A mail went, and the database does not take that it did."""

    def __init__(self, cause: OperationalError) -> None:
        super().__init__()
        self.cause = cause


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
            except RouteRefused as refusal:
                log.error("mail.route_refused", trouble=str(refusal))
                return dealt_with
            except _NotMarked as unmarked:
                # It went. Given back, it would go again at once; so its claim stands, and it may still be marked.
                log.error("mail.not_marked", mail=str(mail_id))
                raise unmarked.cause from unmarked
            except OperationalError:
                # The database was locked or away: the next round can have the mail, not one in a quarter of an hour.
                with sessions() as db:
                    _give_back(db, instance, mail_id)
                raise
        if not claimed:
            break
        dealt_with += 1
    return dealt_with


def _give_back(db: DbSession, instance: Instance, mail_id: UUID) -> None:
    with suppress(OperationalError), unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        work.db.execute(
            update(Mail)
            .where(Mail.id == mail_id, Mail.state == MailState.WAITING)
            .values(claimed_until=None, carried_by=None)
        )


def due(db: DbSession, *, now: datetime) -> list[ColumnElement[bool]]:
    """Which mail may go now, and no worker has."""
    return [
        Mail.state == MailState.WAITING,
        Mail.due_at <= now,
        or_(Mail.claimed_until.is_(None), Mail.claimed_until <= now),
        Mail.template == "sign_in" if mail_is_held(db) else true(),
        Mail.template.in_(duties.MAILS) if standstill.is_frozen(db) else true(),
    ]


def _claim(db: DbSession, instance: Instance, limit: int) -> list[UUID]:
    """Take what is due, so that no other worker does. On SQLite the write lock keeps the others out."""
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        first = (
            select(Mail.id)
            .where(*due(work.db, now=work.now))
            .order_by(case((Mail.template.in_(URGENT), 0), else_=1), Mail.due_at, Mail.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        # Chosen first and marked then: within the update, PostgreSQL may choose again for each row it looks at,
        # and would then take others, and more, than the first ones that are due.
        taken = work.db.scalars(first).all()
        work.db.execute(
            update(Mail)
            .where(Mail.id.in_(taken))
            .values(claimed_until=work.now + CLAIMED_FOR, carried_by=None)
            .execution_options(synchronize_session=False)
        )
        return list(taken)


def _deliver_one(db: DbSession, instance: Instance, sender: Sender, mail_id: UUID) -> None:
    queued = db.get(Mail, mail_id)
    if queued is None:
        # Its person was erased since it was claimed, and it with them.
        return
    told = {"mail": str(mail_id), "template": queued.template}
    together = [mail_id]
    if queued.template in gathering.COUNTED:
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            together = gathering.gather(work, mail_id=mail_id, claimed_for=CLAIMED_FOR)
        if not together:
            log.info("mail.put_off", trouble="two_this_week", tries=0, **told)
            return
    try:
        parcel = write(db, instance, together)
        # The read is over: a slow mail server must not hold a snapshot of the database.
        db.rollback()
        answer = sender.send(parcel.message, at=instance.clock()) if parcel is not None else None
    except RouteRefused:
        # No fault of the mail: it waits, and no try is counted.
        db.rollback()
        for waiting in together:
            _give_back(db, instance, waiting)
        raise
    except AddressRefused as refusal:
        db.rollback()
        _refused(db, instance, together, refusal, told)
        return
    except Exception as error:  # noqa: BLE001 - one letter that cannot go must not hold up the others
        db.rollback()
        _failed(db, instance, together, error, told)
        return
    try:
        _done(db, instance, mail_id, together, parcel, answer)
    except OperationalError as error:
        if parcel is None:
            raise
        raise _NotMarked(error) from error
    log.info("mail.dealt_with", state="dropped" if parcel is None else "sent", count=len(together), **told)


def _done(
    db: DbSession,
    instance: Instance,
    carrier_id: UUID,
    together: Sequence[UUID],
    parcel: Parcel | None,
    answer: str | None,
) -> None:
    """Mark what went and what had no reason left. What went within another mail says which one carried it."""
    gone = parcel.mails if parcel is not None else frozenset()
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True, patience=MARKED_WITHIN) as work:
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
        if parcel is not None and carrier is not None and carrier.template in HEARD:
            receipt = Receipt(str(parcel.message["Message-ID"]), answer, parcel.enclosed)
            HEARD[carrier.template].went(work, carrier, receipt)
        if parcel is not None and carrier is not None:
            for session_id in parcel.feedback:
                mail.note_carried(work, template=FEEDBACK, about=session_id, carrier=carrier)


def _refused(
    db: DbSession, instance: Instance, together: Sequence[UUID], refusal: AddressRefused, told: dict[str, str]
) -> None:
    """Give up at once: the same address would be refused again. The team is shown whose it is."""
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        for row in work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)):
            row.tries += 1
            row.state, row.trouble = MailState.FAILED, bounces.trouble(refusal.code)
            row.claimed_until = row.carried_by = None
            if row.person_id is not None:
                bounces.note(work, person_id=row.person_id, code=refusal.code)
            if row.template in HEARD:
                HEARD[row.template].given_up(
                    work, row, f"The mail server refused the address ({refusal.code})"
                )
    log.error("mail.refused", code=refusal.code, count=len(together), **told)


def _failed(
    db: DbSession, instance: Instance, together: Sequence[UUID], error: Exception, told: dict[str, str]
) -> None:
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        if isinstance(error, SealBroken):
            note_refused(work, error)
        for row in work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)):
            row.tries += 1
            row.trouble = type(error).__name__[:40]
            row.claimed_until = row.carried_by = None
            given_up = row.tries >= TRIES_AT_MOST
            if given_up:
                row.state = MailState.FAILED
                if row.template in HEARD:
                    HEARD[row.template].given_up(
                        work, row, f"Given up after {row.tries} tries ({row.trouble})"
                    )
            else:
                row.due_at = work.now + DELAYS[row.tries - 1]
            report = log.error if given_up else log.warning
            event = "mail.given_up" if given_up else "mail.put_off"
            report(event, **{**told, "mail": str(row.id)}, trouble=row.trouble, tries=row.tries)
