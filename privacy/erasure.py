"""Erasure: by the Controller's instruction, in three steps that can each be repeated (cl 17.4(e); Article 17).

    1  data   one transaction: rows go or are emptied as their tables declare, mail in the queue with them
    2  keys   the data keys of the person and of what was theirs are destroyed; the blanked rows are the ledger
    3  copies the ledger goes into every backup folder, so that no restore brings anybody back

Killed before the end of step 1 nothing has happened; after it, start-up and the worker finish what is *erasing*.
What is under a legal hold stays, with its key, until the hold is lifted: then the rest follows by itself.
A participation stays and counts as supported, without the person (model.md); released figures are aggregates.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session as DbSession

from privacy import ledger, purge, registers, sent_before, sparing
from privacy.audit import Action
from privacy.clock import Clock, day_words, london_date
from privacy.keystore import Vault
from privacy.purge import Line
from privacy.records import new_id
from privacy.registers import Register, RegisterEntry
from privacy.rights import Cause, Erasure, ErasureState, LegalHold, Lifted
from privacy.scrub import checkpoint
from privacy.work import Work, unit_of_work

ACTOR = "system:erasure"
REPLAYED = "ledger"
"""The instruction of what a replay destroys: the person's own row in the ledger names the first one."""

Sessions = Callable[[], DbSession]


class NoInstruction(LookupError):
    """The register holds no instruction of the Controller with this reference that is in force."""

    def __init__(
        self, said: str = "The register holds no instruction with this reference. Enter it first"
    ) -> None:
        super().__init__(said)


class NotInForce(NoInstruction):
    """The register holds it, and it was replaced or takes effect later; the message says which."""


class NobodyThere(LookupError):
    """Nobody has this id: never known, or erased already."""


@dataclass(frozen=True)
class Plan:
    """What an erasure would do now, table by table. `held`: everything waits for a hold to be lifted."""

    person_id: UUID
    lines: Sequence[Line]
    holds: Sequence[LegalHold]
    held: bool

    @property
    def gone(self) -> int:
        return sum(line.gone for line in self.lines)


@dataclass(frozen=True)
class Places:
    """What finishing needs. `spread` copies the ledger into every backup folder; `sweep` removes files whose rows
    are gone; each may raise OSError, and is tried again."""

    sessions: Sessions
    vault: Vault
    clock: Clock
    spread: Callable[[], object]
    sweep: Callable[[], object]


def instruction(db: DbSession, letter: str, *, now: datetime) -> RegisterEntry:
    """The Controller's instruction with a reference that is in force, the newest. Raises NoInstruction or NotInForce.

    What was begun under it asks no more: it goes on when the instruction is replaced.
    """
    today = london_date(now)
    for entry in registers.holding(db, Register.INSTRUCTION, on=today):
        if entry.letter == letter:
            return entry
    known = registers.entries(db, Register.INSTRUCTION)
    begun = next((entry for entry in known if entry.letter == letter and entry.from_on <= today), None)
    if begun is not None:
        newer = next(entry for entry in known if entry.replaces_id == begun.id and entry.from_on <= today)
        raise NotInForce(f"{letter} was replaced by {newer.letter}: cite an instruction that is in force")
    later = next((entry for entry in known if entry.letter == letter), None)
    if later is not None:
        raise NotInForce(f"{letter} is not in force before {day_words(later.from_on)}")
    raise NoInstruction


# ---- holds


def holds(db: DbSession, person_id: UUID) -> Sequence[LegalHold]:
    """The holds on somebody's data that were not lifted, oldest first."""
    return db.scalars(
        select(LegalHold)
        .where(LegalHold.person_id == person_id, LegalHold.lifted_at.is_(None))
        .order_by(LegalHold.placed_at, LegalHold.id)
    ).all()


def place_hold(
    work: Work,
    *,
    person_id: UUID,
    cause: Cause,
    reason: str | None = None,
    item: tuple[str, UUID] | None = None,
    case_id: UUID | None = None,
    hold_id: UUID | None = None,
) -> LegalHold:
    """Keep one row (`item` is table and id) or all of somebody's data from erasure and retention.

    `case_id` is the case whose closing lifts it. `hold_id` is its own id, where a form carries one: the same form again
    gives the first while it holds. Raises NobodyThere, SentBefore, or NotTheirs where the row is not about them.
    """
    if not purge.exists(work.db, person_id, lock=True):
        raise NobodyThere(str(person_id))
    says = {"person_id": person_id, "cause": cause, "reason": reason or None, "case_id": case_id}
    table, row_id = item or (None, None)
    first = sent_before.found(
        work, LegalHold, hold_id, **says, item_table=table, item_id=row_id, lifted_at=None
    )
    if first is not None:
        return first
    if item is not None:
        sparing.require_item(work.db, person_id, *item)
    hold = LegalHold(
        id=hold_id or new_id(),
        person_id=person_id,
        item_table=item[0] if item else None,
        item_id=item[1] if item else None,
        cause=cause,
        placed_at=work.now,
        by=work.actor,
        case_id=case_id,
    )
    hold.reason = reason or None
    work.db.add(hold)
    work.record(
        Action.HOLD_PLACED, object=f"hold:{hold.id}", holder=person_id, cause=cause, table=hold.item_table
    )
    return hold


def lift_hold(
    work: Work, *, hold_id: UUID, person_id: UUID | None = None, why: Lifted = Lifted.CLOSED
) -> None:
    """Lift a hold (of that person); the erasure that waited for it begins. Again changes nothing.

    Who lifts one by hand goes by `portal/cases/holds.py`. LookupError where there is no such hold.
    """
    hold = work.db.get(LegalHold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None or person_id not in (None, hold.person_id):
        raise LookupError("no such hold")
    if hold.lifted_at is not None:
        return
    hold.lifted_at = work.now
    person_id = hold.person_id
    work.record(Action.HOLD_LIFTED, object=f"hold:{hold.id}", holder=person_id, why=why)
    work.db.flush()
    waiting = _held(work.db, person_id)
    if waiting is not None:
        _erase(work, waiting)


def waits(db: DbSession, person_id: UUID) -> bool:
    """Whether an erasure of somebody's data waits for holds to be lifted."""
    return _held(db, person_id) is not None


def _held(db: DbSession, person_id: UUID) -> Erasure | None:
    return db.scalars(
        select(Erasure).where(Erasure.person_id == person_id, Erasure.state == ErasureState.HELD)
    ).first()


# ---- erasing


def plan(db: DbSession, person_id: UUID) -> Plan:
    """A dry run: what goes, what is emptied, what stays and why. Changes nothing. Raises NobodyThere."""
    if not purge.exists(db, person_id):
        raise NobodyThere(str(person_id))
    placed = holds(db, person_id)
    whole = any(hold.item_table is None for hold in placed)
    return Plan(person_id, purge.plan(db, person_id, placed), placed, whole)


def begin(work: Work, *, person_id: UUID, letter: str) -> Erasure:
    """Step 1, or a note that it waits for a hold. Call `finish` afterwards; the worker does so too.

    Raises NoInstruction, NotInForce or NobodyThere. Again for the same person changes nothing.
    """
    return begin_on(work, person_id=person_id, ground=instruction(work.db, letter, now=work.now))


def begin_on(work: Work, *, person_id: UUID, ground: RegisterEntry) -> Erasure:
    """As `begin`, by an instruction that was in force when what this is part of was begun. Raises NobodyThere."""
    if not purge.exists(work.db, person_id, lock=True):
        raise NobodyThere(str(person_id))
    known = work.db.scalars(
        select(Erasure).where(Erasure.person_id == person_id, Erasure.state != ErasureState.ERASED)
    ).first()
    if known is not None:
        return known
    erasure = Erasure(
        id=new_id(),
        person_id=person_id,
        instruction_id=ground.id,
        state=ErasureState.HELD,
        begun_at=work.now,
        by=work.actor,
        holders=[],
        report=[],
    )
    work.db.add(erasure)
    work.record(Action.ERASURE_BEGUN, object=f"erasure:{erasure.id}", holder=person_id, instruction=ground.id)
    work.db.flush()
    _erase(work, erasure)
    return erasure


def _erase(work: Work, erasure: Erasure) -> None:
    """Erase what no hold keeps. With a hold on everything it waits."""
    placed = holds(work.db, erasure.person_id)
    if any(hold.item_table is None for hold in placed):
        return
    erasure_id = erasure.id
    done = purge.purge(work.db, erasure.person_id, placed)
    again = work.db.get_one(Erasure, erasure_id)
    again.holders = sorted({*again.holders, *(str(holder) for holder in done.holders)})
    again.report = [*again.report, *([line.table, line.gone, line.emptied] for line in done.lines)]
    again.state = ErasureState.ERASING
    again.data_at = work.now


def finish(places: Places) -> int:
    """Steps 2 and 3 of whatever is *erasing*; returns how many are done with. Repeatable, by any number at once.

    An OSError of a backup folder that cannot be reached leaves the erasure as it is, for the next time.
    """
    with places.sessions() as db:
        waiting = db.scalars(select(Erasure.id).where(Erasure.state == ErasureState.ERASING)).all()
    for erasure_id in waiting:
        _finish(places, erasure_id)
    if waiting:
        scrub(places)
    return len(waiting)


def scrub(places: Places) -> bool:
    """Cut what was erased out of the log of the files; False if a reader was in the way, for the next time."""
    cut = [checkpoint(engine) for engine in _engines(places)]
    return all(cut)


def is_fresh(db: DbSession, *, since: datetime) -> bool:
    """Whether anything was erased of late, so that the log may still hold it."""
    return db.execute(select(Erasure.id).where(Erasure.data_at > since).limit(1)).first() is not None


def _finish(places: Places, erasure_id: UUID) -> None:
    with places.sessions() as db:
        row = db.execute(
            select(Erasure.holders, RegisterEntry.letter)
            .join(RegisterEntry, RegisterEntry.id == Erasure.instruction_id)
            .where(Erasure.id == erasure_id)
        ).one()
    ledger.destroy(places.vault, map(UUID, row.holders), now=places.clock(), instruction=row.letter)
    places.sweep()
    places.spread()
    with places.sessions() as db, unit_of_work(db, places.clock, ACTOR, frozen_too=True) as work:
        erasure = work.db.get_one(Erasure, erasure_id, with_for_update=True)
        if erasure.state is not ErasureState.ERASING:
            return
        left = purge.exists(work.db, erasure.person_id) and bool(holds(work.db, erasure.person_id))
        erasure.state = ErasureState.HELD if left else ErasureState.ERASED
        erasure.erased_on = None if left else london_date(work.now)
        work.record(Action.ERASURE_DONE, object=f"erasure:{erasure_id}", partial=left)


def _engines(places: Places) -> tuple[Engine, ...]:
    with places.sessions() as db:
        return db.get_bind().engine, places.vault.engine


def replay(sessions: Sessions, vault: Vault, clock: Clock) -> int:
    """Erase again, on a restored database, whoever has a tombstone in the key store; returns how many people.

    By id alone: who has the same address or name since is another person and untouched. Holds do not count: what
    was erased was not held. Call it before anybody can sign in; then the chain of the trail goes on.
    """
    found: list[UUID] = []
    with sessions() as db:
        for group in _groups(ledger.erased(vault.engine)):
            found += purge.people_among(db, group)
    for person_id in found:
        with sessions() as db, unit_of_work(db, clock, ACTOR, frozen_too=True) as work:
            done = purge.purge(work.db, person_id, ())
            work.record(Action.ERASURE_REPLAYED, object=f"person:{person_id}", holder=person_id)
        ledger.destroy(vault, done.holders, now=clock(), instruction=REPLAYED)
    for group in _groups(ledger.erased(vault.engine)):
        with sessions() as db, unit_of_work(db, clock, ACTOR, frozen_too=True) as work:
            purge.empty_holders(work.db, group)
    with sessions() as db:
        checkpoint(db.get_bind().engine)
    return len(found)


def _groups(ids: Iterable[UUID], size: int = 500) -> Iterator[list[UUID]]:
    waiting = iter(ids)
    while group := list(islice(waiting, size)):
        yield group
