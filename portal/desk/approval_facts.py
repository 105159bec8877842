"""What a second person has to know before they agree: the words of the instruction, and what stands of the person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Approval, Person, SecondAct
from privacy import erasure
from privacy.cases import acts
from privacy.cases.tables import Case
from privacy.erasure import NoInstruction
from privacy.rights import Erasure, ErasureState, LegalHold


@dataclass(frozen=True)
class Behind:
    """What stands behind an approval. `person` is whose data it is about, None once they are gone; `waits`: the
    erasure was begun and waits for a hold."""

    wording: str | None
    person: Person | None
    holds: Sequence[LegalHold]
    cases: Sequence[Case]
    waits: bool


def behind(db: DbSession, rows: Sequence[Approval], *, now: datetime) -> Mapping[UUID, Behind]:
    """What stands behind each of them; a few queries for each."""
    return {row.id: _behind(db, row, now=now) for row in rows}


def is_done(row: Approval, facts: Behind) -> bool:
    """Whether an erasure that was agreed to is done, so that nothing waits any more."""
    return row.act is SecondAct.ERASURE and row.agreed is True and facts.person is None


def _behind(db: DbSession, row: Approval, *, now: datetime) -> Behind:
    kind, _, what = row.thing.partition(":")
    person = db.get(Person, UUID(what)) if kind == "person" else None
    if person is None:
        return Behind(_wording(db, row, now=now), None, (), (), False)
    about = db.scalars(select(Case).where(Case.subject_id == person.id).order_by(Case.received_at)).all()
    closed = acts.closed(db, [case.id for case in about])
    held = select(Erasure.id).where(Erasure.person_id == person.id, Erasure.state == ErasureState.HELD)
    return Behind(
        wording=_wording(db, row, now=now),
        person=person,
        holds=erasure.holds(db, person.id),
        cases=[case for case in about if case.id not in closed],
        waits=row.act is SecondAct.ERASURE and db.scalar(held.limit(1)) is not None,
    )


def _wording(db: DbSession, row: Approval, *, now: datetime) -> str | None:
    if row.letter is None:
        return None
    try:
        return erasure.instruction(db, row.letter, now=now).body
    except NoInstruction:
        return None
