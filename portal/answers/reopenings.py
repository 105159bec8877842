"""Answers after they were sent: asking for them to be opened, opening them, taking them back.

A participant asks, the team opens them with a reason; what was sent goes on counting until the correction is
sent. What a participant takes back leaves every figure, and whoever it was shared with.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers import shares
from portal.answers.questionnaires import Asked
from portal.desk import restriction
from portal.models import Package, Participation, Reopening
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work
from surveys import revisions
from surveys.sittings import find


def ask(work: Work, asked: Asked, *, wish: str) -> None:
    """Ask the team to open what was sent; asking again changes the wish. Raises NotSent."""
    response = find(work.db, asked.asking, as_sent=True)
    if response is None or not response.sent:
        raise revisions.NotSent
    reopening = waiting(work.db, asked)
    if reopening is None:
        reopening = _row(asked)
        reopening.asked_at = work.now
        work.db.add(reopening)
        work.record(
            Action.REOPENING_ASKED,
            object=f"reopening:{reopening.id}",
            holder=asked.participation_id,
            wave=asked.asking.wave,
        )
    reopening.wish = wish


def open_again(work: Work, asked: Asked, *, reason: str) -> None:
    """Open what was sent for a correction, by the team; the reason stays with the data. Raises NotSent."""
    reopening = waiting(work.db, asked)
    revisions.reopen(work, asked.asking, asked=reopening is not None)
    if reopening is None:
        reopening = _row(asked)
        work.db.add(reopening)
    reopening.reason, reopening.by, reopening.done_at = reason, work.actor, work.now


def settle(work: Work, *, reopening_id: UUID) -> None:
    """The wish needs nothing any more, such as after a call. Again changes nothing. Raises LookupError."""
    reopening = work.db.get(Reopening, reopening_id, with_for_update=True, populate_existing=True)
    if reopening is None:
        raise LookupError("nobody asked for that")
    if reopening.done_at is None:
        reopening.done_at, reopening.by = work.now, work.actor
        work.record(
            Action.REOPENING_SETTLED, object=f"reopening:{reopening.id}", holder=reopening.participation_id
        )


def withdraw(work: Work, asked: Asked) -> None:
    """Take one's own answers back, from figures and from mentors. Raises NotSent."""
    revisions.withdraw(work, asked.asking)
    response_id = shares.response_of(work.db, asked.asking)
    shares.unshare(work, participation_id=asked.participation_id, response_id=response_id)


def waiting(db: DbSession, asked: Asked) -> Reopening | None:
    """The wish for these answers that waits for the team, if there is one."""
    return db.scalars(
        select(Reopening)
        .where(
            Reopening.participation_id == asked.participation_id,
            Reopening.wave == asked.asking.wave.value,
            Reopening.occasion == asked.asking.occasion,
            Reopening.done_at.is_(None),
        )
        .order_by(Reopening.asked_at)
        .limit(1)
    ).one_or_none()


def all_waiting(db: DbSession) -> Sequence[Reopening]:
    """Every wish that waits for the team, longest waiting first, with who asked."""
    return db.scalars(
        select(Reopening)
        .join(Reopening.participation)
        .join(Participation.person)
        .where(Reopening.done_at.is_(None), restriction.usable())
        .options(
            joinedload(Reopening.participation).options(
                joinedload(Participation.person),
                joinedload(Participation.package).joinedload(Package.council),
            )
        )
        .order_by(Reopening.asked_at)
    ).all()


def _row(asked: Asked) -> Reopening:
    return Reopening(
        id=new_id(),
        participation_id=asked.participation_id,
        wave=asked.asking.wave.value,
        occasion=asked.asking.occasion,
    )
