"""What goes to a participant together: at most two mails in any seven days in a row.

Days are London days. Calendar mails and sign-in codes are not counted and never wait; an invitation, a reminder
and everything else is. What is due to one person goes in one mail, and what is due while two have gone already
waits for the morning of the day on which the next one may. Everything is decided under the person's lock, so that
two workers cannot send two; several people are locked in the order of their ids, so that no two workers wait for each
other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
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


def gather(work: Work, mail_ids: Sequence[UUID], *, claimed_for: timedelta) -> dict[UUID, list[UUID]]:
    """Which mails go out with each of these, itself first; none if it was put off, or goes with another.

    A fixed number of queries, however many they are.
    """
    rows = work.db.execute(select(Mail.id, Mail.person_id).where(Mail.id.in_(mail_ids)))
    person_of = {row.id: row.person_id for row in rows}
    counted = _who_take_part(work.db, {one for one in person_of.values() if one is not None})
    work.db.execute(
        select(Person.id).where(Person.id.in_(counted)).order_by(Person.id).with_for_update(key_share=True)
    )
    of_person = _counted_mails(work, counted)
    found: dict[UUID, list[UUID]] = {}
    for mail_id in mail_ids:
        person_id = person_of.get(mail_id)
        if person_id is not None and person_id in counted:
            found[mail_id] = _together(work, mail_id, of_person[person_id], claimed_for)
        else:
            found[mail_id] = [mail_id]
    return found


def _together(work: Work, mail_id: UUID, of_person: Sequence[Mail], claimed_for: timedelta) -> list[UUID]:
    mail = next((one for one in of_person if one.id == mail_id), None)
    if mail is None or mail.state is not MailState.WAITING or _carried(mail, work.now):
        return []
    others = [one for one in of_person if one is not mail]
    free_on = free_day(_sent_on(others, work.now), today=london_date(work.now))
    if free_on > london_date(work.now):
        # Whatever it waited for before, it waits for its day now.
        mail.due_at, mail.claimed_until, mail.trouble = wall(free_on, MORNING), None, None
        return []
    due = [one for one in others if one.state is MailState.WAITING and one.due_at <= work.now]
    together = [mail, *(one for one in due if not _in_flight(one, work.now))]
    for one in together:
        one.carried_by, one.claimed_until = mail_id, work.now + claimed_for
    return [one.id for one in together]


def _counted_mails(work: Work, person_ids: Collection[UUID]) -> dict[UUID, list[Mail]]:
    """The mails of these people that wait or went of late, the first that is due first."""
    rows = work.db.scalars(
        select(Mail)
        .where(
            Mail.person_id.in_(person_ids),
            Mail.template.in_(COUNTED),
            or_(
                Mail.state == MailState.WAITING,
                (Mail.state == MailState.SENT) & (Mail.sent_at > work.now - LOOKS_BACK),
            ),
        )
        .order_by(Mail.due_at, Mail.id)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[Mail]] = defaultdict(list)
    for one in rows:
        if one.person_id is not None:
            found[one.person_id].append(one)
    return found


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


def _who_take_part(db: DbSession, person_ids: Collection[UUID]) -> set[UUID]:
    rows = db.scalars(select(Participation.person_id).where(Participation.person_id.in_(person_ids)))
    return {person_id for person_id in rows if person_id is not None}


def _in_flight(mail: Mail, now: datetime) -> bool:
    return mail.carried_by is not None and mail.claimed_until is not None and mail.claimed_until > now


def _carried(mail: Mail, now: datetime) -> bool:
    return mail.carried_by != mail.id and _in_flight(mail, now)


def _sent_on(others: Iterable[Mail], now: datetime) -> list[date]:
    """The days of the mails that went to the same person of late, with those that are going at this moment."""
    return [
        london_date(one.sent_at or now)
        for one in others
        if one.carried_by in (None, one.id)
        and (one.state is MailState.SENT or (one.carried_by == one.id and _in_flight(one, now)))
    ]
