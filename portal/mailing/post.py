"""The post: mail that is due is claimed, written (portal/mailing/writing.py), sent, and its row marked.

What is due to one participant goes together, and at most two such mails a week (portal/mailing/gathering.py).

A worker claims some mails at a time for a quarter of an hour, and those that live shorter for less. What a worker
claimed and did not finish is claimed again after that, so a mail can go twice when a machine or the database dies
between sending and marking: it keeps its Message-ID, by which mail programs show it once. After a restore nothing but
sign-in mail goes until somebody releases it: what waits may have gone before. Nothing personal is logged.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from portal.mailing.registry import HEARD, SHORT_LIVED, URGENT, Receipt
from portal.mailing.senders import AddressRefused, RouteRefused, Sender, ServerAway, round_of
from portal.mailing.writing import Parcel, write
from portal.models import Mail, MailState
from portal.returning import duties
from privacy.backup_records import mail_is_held
from privacy.clock import ticks
from privacy.errors import SealBroken
from privacy.returns import standstill
from privacy.work import unit_of_work

ACTOR = "system:post"
CLAIMED_FOR = timedelta(minutes=15)
"""Longer than a mail takes on its way, by more than a clock that is put right may jump: else another worker would send
it too."""
MARKED_WITHIN = 60.0
"""Seconds in which a mail that went is marked, and one that did not is given back, however long others write."""
BATCH = 20
ROUND_SECONDS = 5.0
"""How long a worker goes on with what it claimed at once; then the rest is given back, so that a slow mail server
keeps nobody waiting for a mail that is more urgent."""
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 240, 240))
TRIES_AT_MOST = len(DELAYS) + 1
GIVEN_UP_AFTER = sum(DELAYS, timedelta())
"""So long a mail is tried at least: it may be called back many times from a server that comes and goes."""
AWAY = "away"
"""How the trouble of a mail begins that waits only because the mail server was not there."""
CALLED_BACK_AT_ONCE = 1000

log = structlog.get_logger("post")

Sessions = Callable[[], DbSession]


class _NotMarked(Exception):
    """A mail went, and the database does not take that it did."""

    def __init__(self, cause: OperationalError) -> None:
        super().__init__()
        self.cause = cause


@dataclass(frozen=True)
class _Bundle:
    """Mails that go out in one message, the one that carries the others first."""

    template: str
    together: list[UUID]


def claimed_for(template: str) -> timedelta:
    """How long a worker has a mail: where it is good for a while only, whoever is next has most of that left."""
    life = SHORT_LIVED.get(template)
    return CLAIMED_FOR if life is None else min(CLAIMED_FOR, life / 3)


def deliver(instance: Instance, sessions: Sessions, sender: Sender, *, limit: int = BATCH) -> int:
    """Send up to `limit` mails that are due; returns how many were dealt with, in whatever way."""
    with sessions() as db:
        left = _claim(db, instance, limit)
    began, dealt_with, went = ticks(), 0, False
    try:
        with sessions() as db:
            left, dealt_with = _gathered(db, instance, left)
        with round_of(sender):
            while left and not (dealt_with and ticks() - began > ROUND_SECONDS):
                bundle = left.pop(0)
                try:
                    with sessions() as db:
                        went = _deliver_one(db, instance, sender, bundle) or went
                except (OperationalError, RouteRefused):
                    # The next round can have the mail, not one in a quarter of an hour.
                    left.append(bundle)
                    raise
                dealt_with += 1
    except RouteRefused as refusal:
        log.error("mail.route_refused", trouble=str(refusal))
    except _NotMarked as unmarked:
        # It went. Given back, it would go again at once; so its claim stands, and it may still be marked.
        raise unmarked.cause from unmarked
    finally:
        if left:
            with sessions() as db:
                _give_back(db, instance, [mail_id for one in left for mail_id in one.together])
    if went:
        with sessions() as db:
            _call_back(db, instance)
    return dealt_with


def _give_back(db: DbSession, instance: Instance, mail_ids: Sequence[UUID]) -> None:
    """As patiently as mail is marked: for what is not given back, people wait a quarter of an hour."""
    with (
        suppress(OperationalError),
        unit_of_work(db, instance.clock, ACTOR, frozen_too=True, patience=MARKED_WITHIN) as work,
    ):
        work.db.execute(
            update(Mail)
            .where(Mail.id.in_(mail_ids), Mail.state == MailState.WAITING)
            .values(claimed_until=None, carried_by=None)
        )


def _call_back(db: DbSession, instance: Instance) -> None:
    """The mail server is there: what waits for nothing but that goes now, and not hours later."""
    waits = (
        select(Mail.id)
        .where(Mail.state == MailState.WAITING, Mail.trouble.startswith(AWAY), Mail.due_at > instance.clock())
        .order_by(Mail.id)
        .limit(CALLED_BACK_AT_ONCE)
    )
    if db.scalars(waits.limit(1)).first() is None:
        return
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        called = work.db.scalars(waits.with_for_update(skip_locked=True)).all()
        work.db.execute(update(Mail).where(Mail.id.in_(called)).values(due_at=work.now))
    log.info("mail.called_back", count=len(called))


def due(db: DbSession, *, now: datetime) -> list[ColumnElement[bool]]:
    """Which mail may go now, and no worker has."""
    return [
        Mail.state == MailState.WAITING,
        Mail.due_at <= now,
        or_(Mail.claimed_until.is_(None), Mail.claimed_until <= now),
        Mail.template == "sign_in" if mail_is_held(db) else true(),
        Mail.template.in_(duties.MAILS) if standstill.is_frozen(db) else true(),
    ]


def _claim(db: DbSession, instance: Instance, limit: int) -> list[_Bundle]:
    """Take what is due, so that no other worker does. On SQLite the write lock keeps the others out."""
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        first = (
            select(Mail.id, Mail.template)
            .where(*due(work.db, now=work.now))
            .order_by(case((Mail.template.in_(URGENT), 0), else_=1), Mail.due_at, Mail.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        # Chosen first and marked then: within the update, PostgreSQL may choose again for each row it looks at,
        # and would then take others, and more, than the first ones that are due.
        taken = [_Bundle(row.template, [row.id]) for row in work.db.execute(first)]
        for lasts in {claimed_for(one.template) for one in taken}:
            ids = [one.together[0] for one in taken if claimed_for(one.template) == lasts]
            work.db.execute(
                update(Mail)
                .where(Mail.id.in_(ids))
                .values(claimed_until=work.now + lasts, carried_by=None)
                .execution_options(synchronize_session=False)
            )
        return taken


def _gathered(db: DbSession, instance: Instance, claimed: list[_Bundle]) -> tuple[list[_Bundle], int]:
    """What goes out of what was claimed, each with what goes with it; and how many were put off."""
    counted = [one.together[0] for one in claimed if one.template in gathering.COUNTED]
    if not counted:
        return claimed, 0
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        found = gathering.gather(work, counted, claimed_for=CLAIMED_FOR)
    going = [_Bundle(one.template, found.get(one.together[0], one.together)) for one in claimed]
    carried = {mail_id for bundle in going for mail_id in bundle.together}
    put_off = [one for one in claimed if one.together[0] not in carried]
    for one in put_off:
        log.info(
            "mail.put_off", trouble="two_this_week", tries=0, mail=str(one.together[0]), template=one.template
        )
    return [bundle for bundle in going if bundle.together], len(put_off)


def _deliver_one(db: DbSession, instance: Instance, sender: Sender, bundle: _Bundle) -> bool:
    """Write, send and mark one message; returns whether it went."""
    together = bundle.together
    told = {"mail": str(together[0]), "template": bundle.template}
    try:
        parcel = write(db, instance, together)
        # The read is over: a slow mail server must not hold a snapshot of the database.
        db.rollback()
        sent_at = instance.clock()
        answer = sender.send(parcel.message, at=sent_at) if parcel is not None else None
    except RouteRefused:
        # No fault of the mail: it waits, and no try is counted.
        raise
    except AddressRefused as refusal:
        db.rollback()
        _refused(db, instance, together, refusal, told)
        return False
    except Exception as error:  # noqa: BLE001 - one letter that cannot go must not hold up the others
        db.rollback()
        _failed(db, instance, together, error, told)
        return False
    try:
        _done(db, instance, together, parcel, answer, sent_at=sent_at)
    except OperationalError as error:
        if parcel is None:
            raise
        log.error("mail.not_marked", mail=told["mail"])
        raise _NotMarked(error) from error
    log.info("mail.dealt_with", state="dropped" if parcel is None else "sent", count=len(together), **told)
    return parcel is not None


def _done(
    db: DbSession,
    instance: Instance,
    together: Sequence[UUID],
    parcel: Parcel | None,
    answer: str | None,
    *,
    sent_at: datetime,
) -> None:
    """Mark what went and what had no reason left. What went within another mail says which one carried it."""
    gone = parcel.mails if parcel is not None else frozenset()
    with unit_of_work(db, instance.clock, ACTOR, frozen_too=True, patience=MARKED_WITHIN) as work:
        rows = work.db.scalars(select(Mail).where(Mail.id.in_(together)).order_by(Mail.id)).all()
        # The one that counts is one that went: the carrier may have had no reason left.
        carrier = next((row for row in rows if row.id == together[0] and row.id in gone), None)
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
            # A notice counts from when it went: marking it may wait for others who write.
            receipt = Receipt(str(parcel.message["Message-ID"]), answer, parcel.enclosed, sent_at)
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
            row.trouble = _trouble(error)
            row.claimed_until = row.carried_by = None
            given_up = row.tries >= TRIES_AT_MOST and work.now >= row.queued_at + GIVEN_UP_AFTER
            if given_up:
                row.state = MailState.FAILED
                if row.template in HEARD:
                    HEARD[row.template].given_up(
                        work, row, f"Given up after {row.tries} tries ({row.trouble})"
                    )
            else:
                row.due_at = work.now + DELAYS[min(row.tries, len(DELAYS)) - 1]
            report = log.error if given_up else log.warning
            event = "mail.given_up" if given_up else "mail.put_off"
            report(event, **{**told, "mail": str(row.id)}, trouble=row.trouble, tries=row.tries)


def _trouble(error: Exception) -> str:
    """How a mail that could not go is marked: by the kind of error, and whether it was the server that was away."""
    name = f"{AWAY} {error.kind}" if isinstance(error, ServerAway) else type(error).__name__
    return name[:40]
