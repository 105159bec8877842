"""Addresses that no longer take mail: noted when a mail server refuses for good, until one accepts again.

Only what the server answers while we hand a mail over is known here; a mailbox that is read for late bounces would
be one more place with personal data in it.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.desk import restriction
from portal.mailing import queue as mail
from portal.models import Person, Refusal
from privacy.audit import Action
from privacy.work import Work

# What the mail's own row says; the team's list of failed mail leaves these to the list of addresses.
TROUBLE = "refused"
TEST = "test_mail"


def trouble(code: int) -> str:
    """How a refused mail is marked, such as `refused 550`."""
    return f"{TROUBLE} {code}"


def note(work: Work, *, person_id: UUID, code: int) -> None:
    """The mail server of somebody's address refused a mail."""
    work.db.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    known = work.db.get(Refusal, person_id, populate_existing=True)
    if known is None:
        work.db.add(Refusal(person_id=person_id, code=code, first_at=work.now, last_at=work.now))
        work.db.flush()
        work.record(Action.ADDRESS_REFUSED, object=f"person:{person_id}", holder=person_id, code=code)
    else:
        known.code, known.last_at = code, work.now


def clear(work: Work, *, person_id: UUID) -> None:
    """Mail reached them, or they have another address now. Nothing where nothing was noted."""
    known = work.db.get(Refusal, person_id, populate_existing=True)
    if known is not None:
        work.db.delete(known)
        work.record(Action.ADDRESS_CLEARED, object=f"person:{person_id}", holder=person_id)


def of(db: DbSession, person_id: UUID) -> Refusal | None:
    """What is noted of somebody's address."""
    return db.get(Refusal, person_id)


def refusing(db: DbSession, person_ids: Collection[UUID]) -> set[UUID]:
    """Whose addresses, of these people, take no mail."""
    return set(db.scalars(select(Refusal.person_id).where(Refusal.person_id.in_(person_ids))))


def waiting(db: DbSession) -> Sequence[Refusal]:
    """Everybody whose address refuses mail and who still has an account, newest first."""
    return db.scalars(
        select(Refusal)
        .join(Refusal.person)
        .where(Person.disabled_at.is_(None), restriction.usable())
        .options(joinedload(Refusal.person))
        .order_by(Refusal.last_at.desc(), Refusal.person_id)
    ).all()


def send_test(work: Work, *, person_id: UUID) -> None:
    """Queue a mail that says nothing but that it arrived; at most one a minute to the same person."""
    mail.queue(
        work, template=TEST, about=person_id, to=person_id, step=work.now.isoformat(timespec="minutes")
    )
    work.record(Action.TEST_MAIL_QUEUED, object=f"person:{person_id}", holder=person_id)
