"""What goes to a participant together: at most two mails in any seven days in a row.

Days are London days. Calendar mails and sign-in codes are not counted and never wait; an invitation, a reminder
and everything else is. What is due to one person goes in one mail, and what is due while two have gone already
waits for the morning of the day on which the next one may. Everything is decided under the person's lock, so that
two workers cannot send two.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Mail, MailState, Participation, Person
from privacy.clock import london_date, wall
from privacy.work import Work

COUNTED = frozenset({"invitation", "post_open", "reminder", "offers", "group_session"})
AT_MOST = 2
DAYS = 7
LOOKS_BACK = timedelta(days=10)
"""More than enough, also for a clock that is set back."""
MORNING = 9 * 60
"""When mail that was not asked for by a click is due: minutes of the London day."""


def gather(work: Work, *, mail_id: UUID, claimed_for: timedelta) -> list[UUID]:
    """Which mails go out with this one, itself first; none if it was put off, or has gone with another."""
    person_id = work.db.scalar(select(Mail.person_id).where(Mail.id == mail_id))
    if person_id is None or not _takes_part(work.db, person_id):
        return [mail_id]
    work.db.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    mail = work.db.get(Mail, mail_id, populate_existing=True)
    if mail is None or mail.state is not MailState.WAITING or _carried(mail, work.now):
        return []
    free_on = free_day(_sent_on(work, mail), today=london_date(work.now))
    if free_on > london_date(work.now):
        mail.due_at, mail.claimed_until = wall(free_on, MORNING), None
        return []
    waiting = work.db.scalars(
        select(Mail)
        .where(
            Mail.person_id == person_id,
            Mail.id != mail_id,
            Mail.template.in_(COUNTED),
            Mail.state == MailState.WAITING,
            Mail.due_at <= work.now,
        )
        .order_by(Mail.due_at, Mail.id)
    ).all()
    together = [mail, *(one for one in waiting if not _in_flight(one, work.now))]
    for one in together:
        one.carried_by, one.claimed_until = mail_id, work.now + claimed_for
    return [one.id for one in together]


def free_day(sent_on: list[date], *, today: date) -> date:
    """The first day on which one more mail keeps to the rule, given the days of those sent."""
    recent = sorted(day for day in sent_on if day > today - timedelta(days=DAYS))
    return today if len(recent) < AT_MOST else recent[-AT_MOST] + timedelta(days=DAYS)


def free_days(db: DbSession, person_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, date]:
    """The first day on which each of these people may get one more mail, as it looks now; in one query."""
    today = london_date(now)
    sent: dict[UUID, list[date]] = {person_id: [] for person_id in person_ids}
    rows = db.scalars(
        select(Mail).where(
            Mail.person_id.in_(sent),
            Mail.template.in_(COUNTED),
            Mail.state == MailState.SENT,
            or_(Mail.carried_by.is_(None), Mail.carried_by == Mail.id),
            Mail.sent_at > now - LOOKS_BACK,
        )
    )
    for one in rows:
        if one.person_id is not None and one.sent_at is not None:
            sent[one.person_id].append(london_date(one.sent_at))
    return {person_id: free_day(days, today=today) for person_id, days in sent.items()}


def _takes_part(db: DbSession, person_id: UUID) -> bool:
    return bool(db.scalar(select(exists().where(Participation.person_id == person_id))))


def _in_flight(mail: Mail, now: datetime) -> bool:
    return mail.carried_by is not None and mail.claimed_until is not None and mail.claimed_until > now


def _carried(mail: Mail, now: datetime) -> bool:
    return mail.carried_by != mail.id and _in_flight(mail, now)


def _sent_on(work: Work, mail: Mail) -> list[date]:
    """The days of the mails that went to the same person of late, with those that are going at this moment."""
    rows = work.db.scalars(
        select(Mail).where(
            Mail.person_id == mail.person_id,
            Mail.id != mail.id,
            Mail.template.in_(COUNTED),
            or_(Mail.carried_by.is_(None), Mail.carried_by == Mail.id),
            or_(
                (Mail.state == MailState.SENT) & (Mail.sent_at > work.now - LOOKS_BACK),
                (Mail.state == MailState.WAITING) & (Mail.carried_by == Mail.id),
            ),
        )
    ).all()
    return [
        london_date(one.sent_at or work.now)
        for one in rows
        if one.state is MailState.SENT or _in_flight(one, work.now)
    ]
