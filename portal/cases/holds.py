"""What an open request keeps from being erased, by itself: to erase what somebody asked for would be an offence.

Section 173 of the Data Protection Act 2018 for access, section 77 of the FOI Act for freedom of information. The
hold is placed when the case is opened or the person becomes known, and lifted when the case is closed.
"""

from uuid import UUID

from sqlalchemy import select

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
    if any(hold.person_id == case.subject_id for hold in _placed(work, case)):
        return
    erasure.place_hold(
        work, person_id=case.subject_id, cause=cause, reason=f"Case {case.ref} is open", case_id=case.id
    )


def lift(work: Work, case: Case) -> bool:
    """Lift what the case holds; the erasure that waited for it begins then. Whether there was anything to lift."""
    work.db.flush()
    hold_ids = [hold.id for hold in _placed(work, case)]
    for hold_id in hold_ids:
        erasure.lift_hold(work, hold_id=hold_id)
    return bool(hold_ids)


def move(work: Work, case: Case) -> bool:
    """It turned out that the case is about somebody else: hold theirs, and no longer another's."""
    place(work, case)
    work.db.flush()
    others = [hold.id for hold in _placed(work, case) if hold.person_id != case.subject_id]
    for hold_id in others:
        erasure.lift_hold(work, hold_id=hold_id)
    return bool(others)


def lift_by_hand(work: Work, *, person_id: UUID, hold_id: UUID, why: Lifted) -> None:
    """Lift a hold that somebody placed; the erasure that waited for it begins then.

    LookupError where the person has no such hold, HeldByCase where an open case holds.
    """
    hold = work.db.get(LegalHold, hold_id)
    if hold is None or hold.person_id != person_id:
        raise LookupError("no such hold")
    if hold.case_id is not None and hold.lifted_at is None:
        story = acts.read(work.db, hold.case_id)
        if story.closed is None:
            raise HeldByCase(story.case.ref)
    erasure.lift_hold(work, hold_id=hold_id, person_id=person_id, why=why)


def _placed(work: Work, case: Case) -> list[LegalHold]:
    return list(
        work.db.scalars(select(LegalHold).where(LegalHold.case_id == case.id, LegalHold.lifted_at.is_(None)))
    )
