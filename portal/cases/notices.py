"""Notices to the Controller: saved with the case, queued to every contact, looked after until they are delivered.

The mail and its paper are made when it is sent (portal/cases/notice_mails.py). An exercise leaves the house nowhere:
its notices go to the desk itself (cl 17.5, 17.6, 22, annex 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.cases import notice_words
from portal.cases.calendars import calendars
from portal.mailing import queue as mail
from portal.models import Mail, Mailbox
from portal.programme import Programme
from privacy.backup_records import mail_is_held
from privacy.cases import acts
from privacy.cases import notices as kept
from privacy.cases.rules import Incomplete, NotPossible
from privacy.cases.tables import Case, Event, Notice, NoticeKind, Sending, Way
from privacy.deadlines import minutes_since
from privacy.work import Work
from privacy.working_days import Calendar

TEMPLATE = "notice"
STUCK = "notice_stuck"
AT_ONCE = timedelta(minutes=15)
"""How long a notice may take before somebody is to ring."""
EVERY_CHANNEL = (Mailbox.DEPARTMENT, Mailbox.CONTROLLER_DPO)
"""The standing list: every contact of the Controller in the programme file."""


class NumberTaken(NotPossible):
    """Somebody else has sent a notice of this case meanwhile, or the same form was sent twice."""

    field = "text"


def recipients(case: Case) -> Sequence[Mailbox]:
    """Whom notices of a case go to: the Controller's contacts, or in an exercise the desk itself."""
    return (Mailbox.DPO,) if case.exercise else EVERY_CHANNEL


def first(work: Work, case: Case) -> Notice:
    """The first notice of a case: saved, and queued to every contact."""
    body = notice_words.first(case, now=work.now, holidays=calendars(work.db))
    return _send(work, case, NoticeKind.FIRST, body)


def possible(work_db: DbSession, case_id: UUID) -> Sequence[NoticeKind]:
    """Which notices can be sent in a case now. Raises LookupError."""
    story = acts.read(work_db, case_id)
    if story.closed is not None or story.is_draft:
        return ()
    return [
        kind
        for kind in (NoticeKind.FURTHER, NoticeKind.OUTCOME, NoticeKind.UNLAWFUL)
        if kind is not NoticeKind.OUTCOME or Event.OUTCOME_TOLD in story.possible()
    ]


def next_number(db: DbSession, case_id: UUID) -> int:
    """The number that the next notice of a case will have."""
    return kept.last_number(db, case_id) + 1


def further(
    work: Work,
    *,
    case_id: UUID,
    text: str,
    kind: NoticeKind = NoticeKind.FURTHER,
    number: int | None = None,
) -> Notice:
    """Further information in the next phase (cl 17.6), the outcome of an incident, or a warning that an instruction
    looks unlawful (cl 17.2). `number`: the one that it is meant to have. Raises LookupError, Incomplete, and
    NotPossible for a draft, a closed case, an outcome before its investigation, or a number that is taken.
    """
    story = acts.read(work.db, case_id, lock=True)
    if not text.strip():
        raise Incomplete("Enter what the Controller is to be told", name="text")
    if kind not in possible(work.db, case_id):
        raise NotPossible(
            "Confirm this suspicion first: that tells the Controller"
            if story.is_draft
            else "This cannot be told now: the case is closed, or something else comes first"
        )
    if number is not None and number != next_number(work.db, case_id):
        raise NumberTaken(
            f"Notice {number} of this case has gone meanwhile. Look at it before you send another"
        )
    body = notice_words.further(story, kind=kind, text=text, now=work.now, holidays=calendars(work.db))
    return _send(work, story.case, kind, body)


def _send(work: Work, case: Case, kind: NoticeKind, body: notice_words.Body) -> Notice:
    notice = kept.make(work, case=case, kind=kind, body=dict(body), by_email_to=recipients(case))
    work.db.flush()
    for sending in notice.sendings:
        mail.queue(work, template=TEMPLATE, about=sending.id, to=Mailbox(sending.to))
    return notice


def send_again(work: Work, *, notice_id: UUID, to: Mailbox) -> None:
    """One more e-mail to a contact whose address was put right. Raises LookupError, and NotPossible while one waits."""
    notice = _locked(work, notice_id, to)
    before = [one for one in notice.sendings if one.to == to and one.way is Way.EMAIL]
    if any(one.delivered or one.failed_at is None for one in before):
        raise NotPossible("It has gone by e-mail, or is still on its way")
    sending = kept.again(work, notice=notice, to=to)
    work.db.flush()
    mail.queue(work, template=TEMPLATE, about=sending.id, to=to)


def carried(
    work: Work,
    *,
    notice_id: UUID,
    way: Way,
    to: Mailbox,
    at: datetime,
    evidence: str,
    sending_id: UUID | None = None,
) -> Sending:
    """Record that a notice was posted, or left by hand, and what shows it. The same form again (`sending_id`) gives
    the first. Raises as `privacy.cases.notices` does."""
    _locked(work, notice_id, to)
    if not evidence.strip():
        raise Incomplete("Enter what shows it, such as a receipt or who took it", name="evidence")
    return kept.carried(
        work, notice_id=notice_id, way=way, to=to, at=at, evidence=evidence.strip(), sending_id=sending_id
    )


def _locked(work: Work, notice_id: UUID, to: Mailbox) -> Notice:
    notice = kept.read(work.db, notice_id)
    if notice is None:
        raise LookupError("no such notice")
    acts.read(work.db, notice.case_id, lock=True)
    if to not in recipients(notice.case):
        raise NotPossible("This notice goes to somebody else")
    return notice


@dataclass(frozen=True)
class Ways:
    """How a notice fared: each way it took, and when that counts as served."""

    notice: Notice
    ways: Sequence[tuple[Sending, datetime | None]]


def of_case(db: DbSession, case_id: UUID) -> list[Ways]:
    """The notices of a case, first phase first, each with its ways; three queries."""
    calendar = calendars(db).contract
    return [ways_of(notice, calendar) for notice in kept.of_case(db, case_id)]


def ways_of(notice: Notice, calendar: Calendar) -> Ways:
    return Ways(notice, [(one, one.served_at(calendar=calendar)) for one in notice.sendings])


# ---- what has not arrived


@dataclass(frozen=True)
class Stuck:
    """A notice that has not reached a contact: whom to ring. `sendings` are those that failed or wait too long.
    `told_at`: the Controller was told without it, as the case says; it is still to be served."""

    notice: Notice
    to: Mailbox
    name: str
    phone: str
    minutes: int
    why: str
    sendings: Sequence[Sending]
    told_at: datetime | None


def stuck(
    db: DbSession, programme: Programme, *, now: datetime, notice_id: UUID | None = None
) -> list[Stuck]:
    """What should have arrived and has not, oldest first: refused, given up, or older than 15 minutes. A case that
    is closed asks for nothing more; a fixed number of queries."""
    asked = (
        select(Sending)
        .join(Sending.notice)
        .where(Sending.way == Way.EMAIL, Sending.sent_at.is_(None))
        .options(
            joinedload(Sending.notice).joinedload(Notice.case),
            joinedload(Sending.notice).selectinload(Notice.sendings),
        )
        .order_by(Notice.made_at, Notice.id, Sending.to)
    )
    if notice_id is not None:
        asked = asked.where(Sending.notice_id == notice_id)
    waiting = [one for one in db.scalars(asked) if _is_stuck(one, now)]
    closed = acts.closed(db, {one.case_id for one in waiting})
    held = bool(waiting) and mail_is_held(db)
    grouped: dict[tuple[UUID, str], list[Sending]] = {}
    for one in waiting:
        if one.case_id not in closed:
            grouped.setdefault((one.notice_id, one.to), []).append(one)
    told = kept.told_otherwise(db, list({one.notice_id: one.notice for one in waiting}.values()))
    return [
        _told(found, programme, now=now, held=held, told_at=told.get(found[0].notice_id))
        for found in grouped.values()
    ]


def _is_stuck(one: Sending, now: datetime) -> bool:
    """Late or failed, unless the notice reached this contact another way, or another try is still young."""
    others = [other for other in one.notice.sendings if other.to == one.to]
    if any(other.delivered for other in others):
        return False
    young = [other for other in others if other.failed_at is None and other.made_at + AT_ONCE > now]
    return not young


def _told(
    found: Sequence[Sending], programme: Programme, *, now: datetime, held: bool, told_at: datetime | None
) -> Stuck:
    notice, to = found[0].notice, Mailbox(found[0].to)
    newest = max(found, key=lambda one: one.made_at)
    why = str((newest.evidence or {}).get("why") or "")
    if not why:
        why = "Mail is held since the restore" if held else "The mail server has not taken it yet"
    return Stuck(
        notice=notice,
        to=to,
        name=notice_words.called(to, programme),
        phone=notice_words.phone(to, programme),
        minutes=minutes_since(notice.made_at, now=now),
        why=why,
        sendings=found,
        told_at=told_at,
    )


def tries(db: DbSession, notice: Notice) -> int:
    """How often the mail server was tried for a notice, for its page."""
    ids = [one.id for one in notice.sendings]
    return sum(db.scalars(select(Mail.tries).where(Mail.template == TEMPLATE, Mail.about.in_(ids))))
