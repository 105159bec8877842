"""Assistants: a leader names one by name and address, or the team does it for them; either side, or the team, ends it.

An assistant books, moves and cancels, chooses offered times and takes places. They see sessions and times, and learn
nothing else: not from a page, nor from what a page refuses. What they do is recorded as theirs, and for whom.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, bindparam, exists, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal import actors
from portal.access import accounts, factors, telling
from portal.access.telling import News
from portal.actors import holds_staff, roles_on
from portal.booking import diary
from portal.mailing import queue as mail
from portal.models import PARTICIPANT, AttendanceState, Delegation, Mail, MailState, Person, Role, Session
from portal.people import register as people
from portal.people.register import PersonRefused, WrongDates
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

MAIL = "assistant"
ENDED = "ended"
"""The step of the mail that says that it is over."""


class AssistantNamedAlready(PersonRefused):
    """A leader has one assistant at a time."""

    field = "email"


class NoAssistant(PersonRefused):
    """Somebody who cannot be an assistant: oneself, or somebody who gives or runs support; or a closed account."""

    field = "email"


def name(work: Work, *, leader_id: UUID, called: str, email: str, to_on: date | None = None) -> Delegation:
    """Let somebody book for a leader from today on, up to and with `to_on`; they are told by mail.

    Who is not known yet is added. Raises AssistantNamedAlready, NoAssistant, WrongDates and other PersonRefused.
    """
    today = london_date(work.now)
    if to_on is not None and to_on < today:
        raise WrongDates("The last day is in the past")
    if fault := people.name_fault(called):
        raise people.NotAName(fault)
    diary.lock(work, [leader_id])
    if assistant_of(work.db, leader_id, today) is not None:
        raise AssistantNamedAlready("There is an assistant already. End that first")
    known = accounts.find(work.db, email)
    person = people.add_assistant(work, name=called, email=email) if known is None else known
    _require_fit(person, leader_id, today)
    row = Delegation(
        id=new_id(),
        leader_id=leader_id,
        assistant_id=person.id,
        from_on=today,
        to_on=to_on,
        named_at=work.now,
        named_by=work.actor,
    )
    row.called, row.address = called, email
    work.db.add(row)
    work.db.flush()
    mail.queue(work, template=MAIL, about=row.id, to=person.id)
    # It stays so when the delegation ends: who read the mailbox could else end it themselves, and read on.
    factors.say_mailbox(work, person_id=leader_id, shared=True)
    telling.tell(work, News.ASSISTANT_NAMED, person_id=leader_id, about=row.id)
    work.record(
        Action.ASSISTANT_NAMED,
        object=f"delegation:{row.id}",
        holder=leader_id,
        assistant=person.id,
        to_on=to_on,
    )
    return row


def _require_fit(person: Person, leader_id: UUID, today: date) -> None:
    if person.id == leader_id:
        raise NoAssistant("This is the leader's own address. Enter the assistant's")
    if person.disabled_at is not None or holds_staff(person, today) or Role.MENTOR in roles_on(person, today):
        # One answer for all, so that it does not tell what the address is known for.
        raise NoAssistant("This address cannot be an assistant's. Ask the programme team")


def end(work: Work, *, delegation_id: UUID) -> Delegation:
    """End it from now on, and tell whoever of the two did not end it; the same again changes nothing.

    LookupError where there is no such row.
    """
    row = work.db.get(Delegation, delegation_id, populate_existing=True, with_for_update={"key_share": True})
    if row is None:
        raise LookupError("no such delegation")
    if row.ended_at is None:
        row.ended_at, row.ended_by = work.now, work.actor
        mail.drop(work, about=row.id, template=MAIL)
        # Who was never told that it began, such as somebody whose address was mistyped, is not told that it ended.
        if work.actor != f"person:{row.assistant_id}" and _was_told(work.db, row):
            mail.queue(work, template=MAIL, about=row.id, to=row.assistant_id, step=ENDED)
        if work.actor != f"person:{row.leader_id}":
            telling.tell(work, News.ASSISTANT_ENDED, person_id=row.leader_id, about=row.id)
        work.record(
            Action.ASSISTANT_ENDED,
            object=f"delegation:{row.id}",
            holder=row.leader_id,
            assistant=row.assistant_id,
        )
    return row


def _was_told(db: DbSession, row: Delegation) -> bool:
    sent = exists().where(Mail.about == row.id, Mail.template == MAIL, Mail.state == MailState.SENT)
    return bool(db.scalar(select(sent)))


def _live(on: date | BindParameter[date]) -> ColumnElement[bool]:
    return (
        Delegation.ended_at.is_(None)
        & (Delegation.from_on <= on)
        & (Delegation.to_on.is_(None) | (Delegation.to_on >= on))
    )


# Made once: each mail about a session asks it.
_ASSISTANTS = (
    select(Delegation.leader_id, Delegation.assistant_id)
    .join(Person, Person.id == Delegation.assistant_id)
    .where(
        Delegation.leader_id.in_(bindparam("leaders", expanding=True)),
        _live(bindparam("on")),
        Person.disabled_at.is_(None),
    )
)


def leaders_of(db: DbSession, assistant_id: UUID, on: date) -> set[UUID]:
    """Whom somebody books for on a day: leaders who are in office and whose account is open."""
    person = accounts.person_who(db, Person.id == assistant_id)
    return set(actors.leaders_of(person, on)) if person is not None else set()


def leaders_since(db: DbSession, assistant_id: UUID, moment: datetime) -> set[UUID]:
    """For whom somebody booked at that moment already, and has done since."""
    asked = select(Delegation.leader_id).where(
        Delegation.assistant_id == assistant_id,
        Delegation.named_at <= moment,
        _live(london_date(moment)),
    )
    return set(db.scalars(asked))


def assistant_of(db: DbSession, leader_id: UUID, on: date) -> UUID | None:
    """Who books for a leader on a day."""
    return db.scalars(
        select(Delegation.assistant_id).where(Delegation.leader_id == leader_id, _live(on))
    ).first()


def assistants_of(db: DbSession, leader_ids: Collection[UUID], on: date) -> dict[UUID, UUID]:
    """Who books for these leaders on a day, by leader; one query. None for leaders who have nobody."""
    rows = run(db, _ASSISTANTS, {"leaders": list(leader_ids), "on": on})
    return {row[0]: row[1] for row in rows}


def of_leader(db: DbSession, leader_id: UUID, on: date) -> Delegation | None:
    """The delegation of a leader that holds on a day."""
    return db.scalars(
        select(Delegation)
        .where(Delegation.leader_id == leader_id, _live(on))
        .options(joinedload(Delegation.assistant))
    ).first()


def of_assistant(db: DbSession, assistant_id: UUID, on: date) -> Sequence[Delegation]:
    """All delegations to somebody that hold on a day, leaders in order of their names."""
    found = db.scalars(
        select(Delegation)
        .where(Delegation.assistant_id == assistant_id, _live(on))
        .options(joinedload(Delegation.leader).selectinload(Person.offices))
    )
    return sorted(found, key=lambda one: ((one.leader.name or "").casefold(), one.leader.ref))


def may_have_one(person: Person, on: date) -> bool:
    """Whether somebody is a leader in office, who can have an assistant."""
    return bool(roles_on(person, on) & PARTICIPANT)


def names(db: DbSession, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """What these people are called."""
    if not person_ids:
        return {}
    return {
        one.id: one.name or one.ref for one in db.scalars(select(Person).where(Person.id.in_(person_ids)))
    }


def booked_by(db: DbSession, session: Session, person_ids: Collection[UUID]) -> list[tuple[str, str]]:
    """Who of their assistants booked for these people in a session, now or once: pairs of names (by whom, for whom)."""
    seats = {
        seat.person_id: seat.by.removeprefix("person:")
        for seat in session.attendances
        if seat.person_id in person_ids
        and seat.by != f"person:{seat.person_id}"
        # Of a place that was given back it says who did that.
        and not (session.capacity is not None and seat.state is AttendanceState.CANCELLED)
    }
    if not seats:
        return []
    rows = db.scalars(
        select(Delegation)
        .where(Delegation.leader_id.in_(seats))
        .options(joinedload(Delegation.assistant), joinedload(Delegation.leader))
    )
    found = {
        (one.assistant.name or one.assistant.ref, one.leader.name or one.leader.ref)
        for one in rows
        if seats[one.leader_id] == str(one.assistant_id)
    }
    return sorted(found)
