"""What an open request keeps from being erased, by itself: to erase what somebody asked for would be an offence.

Section 173 of the Data Protection Act 2018 for access, section 77 of the FOI Act for freedom of information. The
hold is placed when the case is opened or the person becomes known, and lifted when the case is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Person
from privacy import erasure
from privacy.cases import acts
from privacy.cases.tables import Case, CaseKind
from privacy.rights import Cause, LegalHold, Lifted
from privacy.work import Work

CAUSES = {CaseKind.ACCESS: Cause.ACCESS, CaseKind.FOI: Cause.FOI}


class HeldByCase(Exception):
    """An open case holds by itself: nobody lifts that by hand."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"Case {ref} is open and keeps the data. Close the case first: that lifts the hold")


def place(work: Work, case: Case) -> None:
    """Hold the data of whom an open case is about; again changes nothing. A drill holds nobody's data."""
    cause = CAUSES.get(case.kind)
    if cause is None or case.subject_id is None or case.exercise:
        return
    if any(hold.person_id == case.subject_id for hold in _placed(work.db, case)):
        return
    erasure.place_hold(
        work, person_id=case.subject_id, cause=cause, reason=f"Case {case.ref} is open", case_id=case.id
    )


@dataclass(frozen=True)
class LetGo:
    """What follows once a hold ends. `ref`: whose data it kept. `waits`: an erasure waits for it. `whole`: other holds
    keep everything, so that it goes on waiting; `some`: other holds keep some rows."""

    ref: str
    waits: bool
    whole: int
    some: int

    @property
    def erases(self) -> bool:
        return self.waits and not self.whole


def lets_go(db: DbSession, case: Case, *, still: UUID | None = None) -> Sequence[LetGo]:
    """What ending the holds of a case would do, all but that on the data of `still`; nothing where it holds nothing."""
    ended = [hold for hold in _placed(db, case) if hold.person_id != still]
    return [after(db, hold) for hold in ended]


def after(db: DbSession, hold: LegalHold) -> LetGo:
    """What lifting one hold would do."""
    others = [one for one in erasure.holds(db, hold.person_id) if one.id != hold.id]
    whole = sum(one.item_table is None for one in others)
    ref = db.scalar(select(Person.ref).where(Person.id == hold.person_id)) or ""
    return LetGo(ref, erasure.waits(db, hold.person_id), whole, len(others) - whole)


def lift(work: Work, case: Case) -> None:
    """Lift what the case holds; the erasure that waited for it begins then."""
    work.db.flush()
    for hold in _placed(work.db, case):
        erasure.lift_hold(work, hold_id=hold.id)


def move(work: Work, case: Case) -> None:
    """It turned out that the case is about somebody else: hold theirs, and no longer another's."""
    place(work, case)
    work.db.flush()
    for hold in _placed(work.db, case):
        if hold.person_id != case.subject_id:
            erasure.lift_hold(work, hold_id=hold.id)


def lift_by_hand(work: Work, *, person_id: UUID, hold_id: UUID, why: Lifted) -> LetGo:
    """Lift a hold that somebody placed; the erasure that waited for it begins then. What followed.

    LookupError where the person has no such hold, HeldByCase where an open case holds.
    """
    hold = work.db.get(LegalHold, hold_id)
    if hold is None or hold.person_id != person_id:
        raise LookupError("no such hold")
    if hold.case_id is not None and hold.lifted_at is None:
        story = acts.read(work.db, hold.case_id)
        if story.closed is None:
            raise HeldByCase(story.case.ref)
    followed = after(work.db, hold)
    erasure.lift_hold(work, hold_id=hold_id, person_id=person_id, why=why)
    return followed


def _placed(db: DbSession, case: Case) -> list[LegalHold]:
    return list(
        db.scalars(select(LegalHold).where(LegalHold.case_id == case.id, LegalHold.lifted_at.is_(None)))
    )
