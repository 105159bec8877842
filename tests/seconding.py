"""A second person, for tests in which what comes after they agreed matters."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.desk import approvals
from portal.models import Approval, SecondAct
from privacy import registers
from privacy.clock import Clock, london_date
from privacy.registers import Register, RegisterEntry
from privacy.work import unit_of_work

OTHER = "system:second"


def second_agrees(db: DbSession, clock: Clock) -> UUID:
    """Somebody else agrees to what was asked last; returns which."""
    with unit_of_work(db, clock, OTHER) as work:
        asked = work.db.scalars(select(Approval).order_by(Approval.asked_at, Approval.id)).all()
        waiting = [one for one in asked if one.agreed is None]
        found = approvals.agree(work, approval_id=waiting[-1].id).id
    # What others write afterwards is to be seen.
    db.rollback()
    return found


def agreed(
    db: DbSession,
    clock: Clock,
    *,
    act: SecondAct,
    thing: str,
    letter: str | None = None,
    by: str = "system:first",
) -> UUID:
    """One person asks for an act, under an instruction that is entered if need be, and another agrees."""
    with unit_of_work(db, clock, by) as work:
        known = work.db.scalars(select(RegisterEntry.letter)).all()
        if letter is not None and letter not in known:
            registers.enter(
                work, register=Register.INSTRUCTION, letter=letter, from_on=london_date(work.now), body="Do."
            )
            work.db.flush()
        approvals.ask(work, act=act, thing=thing, letter=letter)
    return second_agrees(db, clock)
