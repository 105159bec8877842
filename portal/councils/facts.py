"""The dated record of a council: added, corrected with a reason, taken back or ended; nothing of it is lost.

An Ofsted judgement stands until the next one. An agreement with the Department that begins or stops to hold takes
packages that have not begun with it (portal/councils/allocations.py).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Council, CouncilFact, Fact, Ground
from portal.packages.states import PackageRefused
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

ONE_AT_A_TIME = frozenset({Fact.OFSTED, Fact.LEADERSHIP})


class Judgement(StrEnum):
    """What Ofsted can say."""

    OUTSTANDING = "outstanding"
    GOOD = "good"
    REQUIRES_IMPROVEMENT = "requires_improvement"
    INADEQUATE = "inadequate"


class SendAction(StrEnum):
    """A written statement of action, or what came after it (sch 4: or equivalent)."""

    STATEMENT = "send_statement"
    PRIORITY_PLAN = "priority_plan"


class Intervention(StrEnum):
    """How far the Department's intervention goes."""

    NOTICE = "improvement_notice"
    DIRECTION = "direction"
    COMMISSIONER = "commissioner"


class Decline(StrEnum):
    """There is evidence of decline, or there is none."""

    DECLINE = "decline"


VOCABULARY: dict[Fact, type[StrEnum]] = {
    Fact.OFSTED: Judgement,
    Fact.LEADERSHIP: Judgement,
    Fact.SEND_STATEMENT: SendAction,
    Fact.DECLINE: Decline,
    Fact.INTERVENTION: Intervention,
    Fact.AGREED: Ground,
}


class FactRefused(PackageRefused):
    """What was said of a council cannot be: `field` names what it concerns."""

    field = "from_on"


class WrongDays(FactRefused):
    """The first day is still to come, or the last lies before it."""


class WrongEndDay(FactRefused):
    """A fact cannot end on that day."""

    field = "on"


class NoEvidence(FactRefused):
    """Nothing says what the fact rests on."""

    field = "evidence"


class NoWhy(FactRefused):
    """A fact is corrected, taken back or ended without a reason."""

    field = "reason"


class FactSettled(FactRefused):
    """The fact was corrected, taken back or ended already."""

    field = "reason"

    def __init__(self) -> None:
        super().__init__("Somebody has changed this fact already. Look at the record again")


class WrongAgreement(FactRefused):
    """Who agreed, when or on what evidence is missing, or the day has not come yet."""

    field = "agreed_on"


@dataclass(frozen=True)
class Agreement:
    """That a council is allocated in agreement with the Department: when, with whom, on what ground (sch 4)."""

    on: date
    agreed_with: str
    ground: Ground
    evidence: str


def current() -> ColumnElement[bool]:
    """Facts that were not corrected or taken back."""
    return CouncilFact.corrected_at.is_(None)


def record(
    work: Work,
    *,
    council_id: UUID,
    fact: Fact,
    value: str,
    from_on: date,
    evidence: str,
    to_on: date | None = None,
    agreed_with: str | None = None,
    corrects: CouncilFact | None = None,
) -> CouncilFact:
    """Add a dated fact. Raises a FactRefused. ValueError for a value that is not of the fact's vocabulary."""
    word = VOCABULARY[fact](value)
    if from_on > london_date(work.now):
        raise WrongDays("The day is still to come")
    if to_on is not None and to_on < from_on:
        raise WrongDays("The last day is before the first")
    if not evidence.strip():
        raise NoEvidence("Say what this rests on")
    row = CouncilFact(
        id=new_id(),
        council_id=council_id,
        fact=fact,
        value=word.value,
        from_on=from_on,
        to_on=to_on,
        recorded_at=work.now,
        by=work.actor,
        corrects_id=corrects.id if corrects is not None else None,
        department_reads=True,
    )
    row.evidence, row.agreed_with = evidence, agreed_with or None
    work.db.add(row)
    work.db.flush()
    work.record(Action.COUNCIL_FACT_RECORDED, object=f"council:{council_id}", fact=fact, value=word)
    return row


def record_agreement(work: Work, *, council_id: UUID, agreed: Agreement) -> CouncilFact:
    """Add the dated fact that support of a council was agreed with the Department. Raises WrongAgreement."""
    if agreed.on > london_date(work.now):
        raise WrongAgreement("The day of the agreement is still to come")
    if not agreed.agreed_with.strip() or not agreed.evidence.strip():
        raise WrongAgreement("Say who agreed for the Department, and on what evidence")
    return record(
        work,
        council_id=council_id,
        fact=Fact.AGREED,
        value=agreed.ground,
        from_on=agreed.on,
        evidence=agreed.evidence,
        agreed_with=agreed.agreed_with,
    )


def correct(
    work: Work,
    *,
    fact_id: UUID,
    reason: str,
    value: str,
    from_on: date,
    evidence: str,
    to_on: date | None = None,
    agreed_with: str | None = None,
) -> CouncilFact:
    """Put another row in a fact's place; the first stays as history. Raises a FactRefused. LookupError for none."""
    wrong = _settled(work, fact_id, reason)
    if wrong.fact is Fact.AGREED and not (agreed_with or "").strip():
        raise WrongAgreement("Say who agreed for the Department")
    right = record(
        work,
        council_id=wrong.council_id,
        fact=wrong.fact,
        value=value,
        from_on=from_on,
        evidence=evidence,
        to_on=to_on,
        agreed_with=agreed_with,
        corrects=wrong,
    )
    _strike(work, wrong, reason)
    return right


def take_back(work: Work, *, fact_id: UUID, reason: str) -> CouncilFact:
    """It never was so: the row stays as history and counts for nothing. Raises a FactRefused. LookupError for none."""
    wrong = _settled(work, fact_id, reason)
    _strike(work, wrong, reason)
    return wrong


def end(work: Work, *, fact_id: UUID, on: date, reason: str) -> CouncilFact:
    """The first day on which a fact holds no longer, today or before. Raises a FactRefused. LookupError for none."""
    ended = _settled(work, fact_id, reason)
    if ended.to_on is not None:
        raise FactSettled
    if on > london_date(work.now):
        raise WrongEndDay("The day is still to come")
    if on <= ended.from_on:
        raise WrongEndDay("It began on this day or later. Take it back if it never was so")
    ended.to_on = on - timedelta(days=1)
    ended.reason, ended.changed_by = reason, work.actor
    work.record(Action.COUNCIL_FACT_ENDED, object=f"council:{ended.council_id}", fact=ended.fact, on=on)
    return ended


def _settled(work: Work, fact_id: UUID, reason: str) -> CouncilFact:
    """The fact under its lock. LookupError where there is none."""
    found = work.db.get(CouncilFact, fact_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise LookupError("no such fact")
    if found.corrected_at is not None:
        raise FactSettled
    if not reason.strip():
        raise NoWhy("Say why")
    return found


def _strike(work: Work, wrong: CouncilFact, reason: str) -> None:
    wrong.corrected_at, wrong.changed_by, wrong.reason = work.now, work.actor, reason
    work.db.flush()
    work.record(
        Action.COUNCIL_FACT_CORRECTED,
        object=f"council:{wrong.council_id}",
        fact=wrong.fact,
        value=wrong.value,
    )


def load(db: DbSession, fact_id: UUID) -> CouncilFact | None:
    return db.get(CouncilFact, fact_id)


def history(db: DbSession, council_id: UUID) -> list[CouncilFact]:
    """Everything that was recorded of a council, newest first, what was corrected too."""
    return list(
        db.scalars(
            select(CouncilFact)
            .where(CouncilFact.council_id == council_id)
            .order_by(CouncilFact.from_on.desc(), CouncilFact.recorded_at.desc(), CouncilFact.id)
        )
    )


def holds(fact: CouncilFact, day: date) -> bool:
    """Whether it is so on a day, as far as its own days say; a later judgement can still stand over it."""
    return fact.corrected_at is None and fact.from_on <= day and (fact.to_on is None or day <= fact.to_on)


def agreement(db: DbSession, council_id: UUID, *, on: date) -> CouncilFact | None:
    """The agreement with the Department that holds for a council on a day."""
    return db.scalars(
        select(CouncilFact)
        .where(
            CouncilFact.council_id == council_id,
            CouncilFact.fact == Fact.AGREED,
            current(),
            CouncilFact.from_on <= on,
            or_(CouncilFact.to_on.is_(None), CouncilFact.to_on >= on),
        )
        .order_by(CouncilFact.from_on.desc(), CouncilFact.recorded_at.desc())
        .limit(1)
    ).first()


def lock(work: Work, council_id: UUID) -> None:
    """Two changes of one council's record come one after the other. LookupError where there is none."""
    if work.db.get(Council, council_id, with_for_update={"key_share": True}) is None:
        raise LookupError("no such council")
