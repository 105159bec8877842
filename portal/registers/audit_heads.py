"""The head of the audit trail, mailed to the Controller each day: who cuts the tail of the trail later is found out.

The day's check of the whole trail gives the head; where the trail does not hold, no head goes, and the check itself
says so (cl 17.8, 17.9).
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.contexts import Around, Letter, RoleContext
from portal.mailing.gathering import MORNING
from portal.models import Mail, Mailbox, MailState
from privacy import chain_checks
from privacy.chain_checks import ChainCheck
from privacy.clock import london_date, start_of_day, wall
from privacy.work import unit_of_work

ACTOR = "system:audit"
TEMPLATE = "audit_head"
TO = Mailbox.CONTROLLER_DPO

Sessions = Callable[[], DbSession]


def run(instance: Instance, sessions: Sessions) -> bool:
    """From nine in the morning, once a day: check the trail and queue its head. Whether it did."""
    today = london_date(instance.clock())
    day, since = today.isoformat(), start_of_day(today)
    with sessions() as db:
        if instance.clock() < wall(today, MORNING) or _queued(db, day):
            return False
        known = _of_today(db, since)
        if known is not None and not known.ok:
            return False
        # Looked at outside the work: it may take seconds, and nobody should have to wait for it.
        looked = chain_checks.look(db, instance.vault.ring) if known is None else None
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            work.wait_turn("audit head")
            if _queued(work.db, day):
                return False
            found = _of_today(work.db, since)
            if found is None and looked is not None:
                found = chain_checks.note(work, looked)
                work.db.flush()
            if found is None or not found.ok:
                return False
            mail.queue(work, template=TEMPLATE, about=found.id, to=TO, step=day)
            return True


def _queued(db: DbSession, day: str) -> bool:
    asked = select(Mail.id).where(Mail.template == TEMPLATE, Mail.step == day, Mail.mailbox == TO)
    return db.scalars(asked.limit(1)).first() is not None


def _of_today(db: DbSession, since: datetime) -> ChainCheck | None:
    last = chain_checks.last(db)
    return last if last is not None and last.at >= since else None


def last_sent(db: DbSession) -> datetime | None:
    """When a head last went to the Controller; None within the time that mail is kept."""
    asked = select(Mail.sent_at).where(Mail.template == TEMPLATE, Mail.state == MailState.SENT)
    return db.scalars(asked.order_by(Mail.sent_at.desc()).limit(1)).first()


def head(db: DbSession, mail: Mail, around: Around) -> Letter | None:
    """Number and digest of the last line, as the verifier takes them."""
    check = db.get(ChainCheck, mail.about)
    if check is None or not check.ok:
        return None
    return Letter(
        {
            "reference": around.programme.reference,
            "at": check.at,
            "lines": check.lines,
            "head": check.head,
            "dpo": around.programme.contacts["dpo"],
        },
        reply_to=around.programme.contacts["dpo"],
    )


ROLE_CONTEXTS: Mapping[str, RoleContext] = {TEMPLATE: head}
