"""What takes two people (cl 17.4; ASVS 2.3.5): one asks, another agrees, and for some days it can be done.

An act asks `agreed`: it is let through where somebody else agreed to just this act on just this thing, and whoever does
it asked for that; where they have not asked yet, that is done in the same go. Those who may agree find it under "Second
person". A command goes through the same gate by the instruction it cites (portal/cli/seconded.py), except on a demo.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import Session as DbSession

from portal.mailing import queue as mail
from portal.models import Approval, Role, SecondAct
from portal.people import in_office
from privacy import erasure
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

TEMPLATE = "second_person"
REFUSED = "second_person_refused"
SECONDS = frozenset({Role.DPO, Role.ADMINISTRATOR})
"""Officers and administrators can be the second person."""
WAITS = timedelta(days=14)
"""How long somebody can agree."""
HOLDS = timedelta(days=7)
"""How long it can be done after that."""


class NotWaiting(Exception):
    """It was answered meanwhile, or nobody agreed in time."""


class SamePerson(Exception):
    """Who asked, or whose data it is, cannot be the second person."""


class NoWhy(Exception):
    """Somebody does not agree and gives no reason."""

    def __init__(self) -> None:
        super().__init__("Say why you do not agree")


class NotAgreed(Exception):
    """The instruction that a command cites carries no second person's approval of this act."""

    def __init__(self, letter: str) -> None:
        super().__init__(
            f"{letter} carries no second person's approval of this: ask for it in the portal, "
            'where another person agrees under "Second person"'
        )


def person(person_id: UUID) -> str:
    """How an approval calls somebody whose data it is about."""
    return f"person:{person_id}"


def ask(
    work: Work, *, act: SecondAct, thing: str, letter: str | None = None, reason: str | None = None
) -> Approval:
    """Ask for a second person; asked by them before and still open, it stays as it was.

    Raises NoInstruction or NotInForce where a letter is cited that is no instruction in force.
    """
    entry = erasure.instruction(work.db, letter, now=work.now) if letter is not None else None
    found = standing(work.db, act=act, thing=thing, letter=letter, now=work.now, asked_by=work.actor)
    if found is not None:
        return found
    row = Approval(
        id=new_id(),
        act=act,
        thing=thing,
        letter=letter,
        asked_at=work.now,
        asked_by=work.actor,
        ends_at=work.now + WAITS,
    )
    row.reason = reason or None
    work.db.add(row)
    work.record(
        Action.APPROVAL_ASKED, object=f"approval:{row.id}", act=act, instruction=entry.id if entry else None
    )
    _tell(work, row)
    return row


def _tell(work: Work, row: Approval) -> None:
    """Write to everybody who may be the second person."""
    work.db.flush()
    for person_id in in_office.ids(work.db, SECONDS, on=london_date(work.now)):
        if row.is_open_to(person(person_id)):
            mail.queue(work, template=TEMPLATE, about=row.id, to=person_id)


def agreed(
    work: Work, *, act: SecondAct, thing: str, letter: str | None = None, reason: str | None = None
) -> bool:
    """Whether somebody else agreed to what this actor asked, and it can be done now; where they have not asked, that is
    done. Raises as `ask` does."""
    return ask(work, act=act, thing=thing, letter=letter, reason=reason).agreed is True


def agree(work: Work, *, approval_id: UUID) -> Approval:
    """Agree as the second person. Raises NotWaiting or SamePerson."""
    row = _waiting(work, approval_id)
    row.ends_at = work.now + HOLDS
    _answer(work, row, agreed=True)
    return row


def refuse(work: Work, *, approval_id: UUID, why: str) -> Approval:
    """Do not agree, as the second person; whoever asked is told. Raises NotWaiting, SamePerson or NoWhy."""
    row = _waiting(work, approval_id)
    if not why.strip():
        raise NoWhy
    row.refusal = why
    _answer(work, row, agreed=False)
    kind, _, asked_by = row.asked_by.partition(":")
    if kind == "person":
        mail.queue(work, template=REFUSED, about=row.id, to=UUID(asked_by))
    return row


def _waiting(work: Work, approval_id: UUID) -> Approval:
    row = work.db.get(Approval, approval_id, with_for_update=True, populate_existing=True)
    if row is None or row.agreed is not None or row.ends_at <= work.now:
        raise NotWaiting
    if not row.is_open_to(work.actor):
        raise SamePerson
    return row


def _answer(work: Work, row: Approval, *, agreed: bool) -> None:
    row.agreed, row.answered_at, row.answered_by = agreed, work.now, work.actor
    work.record(Action.APPROVAL_ANSWERED, object=f"approval:{row.id}", act=row.act, agreed=agreed)


def require(db: DbSession, *, act: SecondAct, thing: str, letter: str, now: datetime) -> None:
    """Let a command through where somebody agreed to the act under the instruction that it cites, whoever asked: the
    machine's operator asks for nothing in the portal.

    Raises NotAgreed, and NoInstruction or NotInForce where it is no instruction in force.
    """
    erasure.instruction(db, letter, now=now)
    found = standing(db, act=act, thing=thing, letter=letter, now=now)
    if found is None or not found.agreed:
        raise NotAgreed(letter)


# ---- read


def standing(
    db: DbSession,
    *,
    act: SecondAct,
    thing: str,
    letter: str | None,
    now: datetime,
    asked_by: str | None = None,
) -> Approval | None:
    """What was asked about just this (by one actor) and is still open, or was agreed and still holds; agreed first."""
    return db.scalars(
        select(Approval)
        .where(
            Approval.act == act,
            Approval.thing == thing,
            Approval.letter == letter if letter is not None else Approval.letter.is_(None),
            or_(Approval.agreed.is_(None), Approval.agreed.is_(True)),
            Approval.ends_at > now,
            Approval.asked_by == asked_by if asked_by is not None else true(),
        )
        .order_by(Approval.agreed.is_(None), Approval.asked_at.desc())
        .limit(1)
    ).first()


def waiting_for(db: DbSession, actor: str, *, now: datetime) -> int:
    """How many wait for an answer that this officer or administrator may give (`Approval.is_open_to`)."""
    waiting = (Approval.agreed.is_(None), Approval.ends_at > now)
    theirs = (Approval.asked_by != actor, Approval.thing != actor)
    return db.scalar(select(func.count()).where(*waiting, *theirs)) or 0


def live(db: DbSession, *, reader: str, now: datetime) -> Sequence[Approval]:
    """What waits or can be done now, and for some days what this reader asked and nobody agreed to; oldest first."""
    refused = and_(Approval.agreed.is_(False), Approval.asked_by == reader)
    return db.scalars(
        select(Approval)
        .where(or_(Approval.agreed.is_(None), Approval.agreed.is_(True), refused), Approval.ends_at > now)
        .order_by(Approval.asked_at, Approval.id)
    ).all()
