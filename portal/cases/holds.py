"""What an open request keeps from being erased, by itself: to erase what somebody asked for would be an offence.

Section 173 of the Data Protection Act 2018 for access, section 77 of the FOI Act for freedom of information. The
hold is placed when the case is opened or the person becomes known, and lifted when the case is closed.
"""

from sqlalchemy import select

from privacy import erasure
from privacy.cases.tables import Case, CaseKind
from privacy.rights import Cause, LegalHold
from privacy.work import Work

CAUSES = {CaseKind.ACCESS: Cause.ACCESS, CaseKind.FOI: Cause.FOI}


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


def _placed(work: Work, case: Case) -> list[LegalHold]:
    return list(
        work.db.scalars(select(LegalHold).where(LegalHold.case_id == case.id, LegalHold.lifted_at.is_(None)))
    )
