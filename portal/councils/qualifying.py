"""Whether a council qualifies for support on a day, on what grounds and since when (sch 4 SLAs).

Computed from the dated record, for any day; never stored. Participants are not shown why their council is supported.
The overall judgement counts; that on leadership is recorded beside it, and can be named as evidence of decline.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.councils.facts import ONE_AT_A_TIME, Judgement, current, holds
from portal.models import CouncilFact, Fact, Ground

_JUDGED = {
    Judgement.INADEQUATE: Ground.INADEQUATE,
    Judgement.REQUIRES_IMPROVEMENT: Ground.REQUIRES_IMPROVEMENT,
}

GROUNDS = {
    Ground.INADEQUATE: "Ofsted judged it inadequate",
    Ground.REQUIRES_IMPROVEMENT: "Ofsted judged that it requires improvement",
    Ground.SEND_STATEMENT: "Written statement of action on SEND, or the like",
    Ground.DECLINE: "Other evidence of decline",
}
"""What people call the grounds on which a council qualifies."""


@dataclass(frozen=True)
class GroundMet:
    """One ground, since when without a break, and the fact that holds on the day with its evidence."""

    ground: Ground
    since: date
    fact: CouncilFact

    @property
    def evidence(self) -> str:
        return self.fact.evidence or ""

    @property
    def told(self) -> bool:
        """Whether whoever wrote the evidence was told that the Department reads it."""
        return bool(self.fact.department_reads)


@dataclass(frozen=True)
class Qualification:
    """How a council stands on a day: it qualifies where there is a ground."""

    on: date
    grounds: Sequence[GroundMet] = ()
    intervention: CouncilFact | None = None

    def __bool__(self) -> bool:
        return bool(self.grounds)


def qualifies(db: DbSession, council_id: UUID, on: date) -> Qualification:
    """Whether and why a council qualifies on a day."""
    return of_councils(db, on=on, council_ids=[council_id]).get(council_id, Qualification(on))


def of_councils(
    db: DbSession, *, on: date, council_ids: Iterable[UUID] | None = None
) -> Mapping[UUID, Qualification]:
    """How councils stand on a day, in one query; those of which nothing is known are left out. None asks for all."""
    asked = select(CouncilFact).where(CouncilFact.from_on <= on, CouncilFact.fact != Fact.AGREED, current())
    if council_ids is not None:
        asked = asked.where(CouncilFact.council_id.in_(list(council_ids)))
    by_council: dict[UUID, list[CouncilFact]] = {}
    for fact in db.scalars(asked.order_by(CouncilFact.from_on, CouncilFact.recorded_at)):
        by_council.setdefault(fact.council_id, []).append(fact)
    return {council_id: qualification(facts, on=on) for council_id, facts in by_council.items()}


def qualification(facts: Sequence[CouncilFact], *, on: date) -> Qualification:
    """How a council stands on a day, from its facts in the order in which they began."""
    grounds = []
    for fact in (standing(facts, kind, on=on) for kind in (Fact.OFSTED, Fact.SEND_STATEMENT, Fact.DECLINE)):
        ground = _ground(fact) if fact is not None else None
        if fact is not None and ground is not None:
            grounds.append(GroundMet(ground, _since(facts, fact), fact))
    return Qualification(on, tuple(grounds), standing(facts, Fact.INTERVENTION, on=on))


def standing(facts: Sequence[CouncilFact], kind: Fact, *, on: date) -> CouncilFact | None:
    """The fact of a kind that holds on a day. Of judgements the latest stands, whatever became of it."""
    known = [fact for fact in facts if fact.fact is kind and fact.corrected_at is None and fact.from_on <= on]
    if kind in ONE_AT_A_TIME:
        known = known[-1:]
    return next((fact for fact in reversed(known) if holds(fact, on)), None)


def _ground(fact: CouncilFact) -> Ground | None:
    match fact.fact:
        case Fact.OFSTED:
            return _JUDGED.get(Judgement(fact.value))
        case Fact.SEND_STATEMENT:
            return Ground.SEND_STATEMENT
        case Fact.DECLINE:
            return Ground.DECLINE
    return None


def _since(facts: Sequence[CouncilFact], fact: CouncilFact) -> date:
    """The first day of the stretch in which the ground has held without a break."""
    since = fact.from_on
    earlier = [one for one in facts if one.fact is fact.fact and one.corrected_at is None and one is not fact]
    for one in sorted(earlier, key=lambda one: one.from_on, reverse=True):
        if one.from_on > since:
            continue
        last = one.to_on or date.max
        broken = last < date.max and last + timedelta(days=1) < since
        if broken or _ground(one) is not _ground(fact):
            break
        since = one.from_on
    return since
