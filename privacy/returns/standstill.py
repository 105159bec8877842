"""While a return is frozen: nothing in its scope is written, but what belongs to the return or is a duty of its own.

`unit_of_work` asks here before each work that is not `frozen_too`. A return of everything refuses it at once. A
return of one council or person refuses it where it touched a row about somebody in its scope; what a statement
changes in bulk is not seen there, so that the package is compared once more before anything is destroyed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, event, func, inspect, or_, select
from sqlalchemy.orm import Session, UOWTransaction

from privacy import reach
from privacy.errors import Frozen
from privacy.returns.tables import DataReturn, ReturnKind
from privacy.statements import run

_WRITERS = "data-return writers"


@dataclass(frozen=True)
class Standstill:
    """What is frozen: everything, or what is about some people."""

    everything: bool
    people: frozenset[UUID]


_FROZEN = select(DataReturn.kind, DataReturn.people).where(DataReturn.frozen_at.is_not(None))


def standstill(db: Session) -> Standstill:
    """What is frozen now; one query."""
    found = run(db, _FROZEN, {}).all()
    return Standstill(
        any(row.kind is not ReturnKind.PARTIAL for row in found),
        frozenset(UUID(one) for row in found for one in row.people or ()),
    )


def is_frozen(db: Session) -> bool:
    """Whether everything is frozen."""
    return standstill(db).everything


def everything_is_frozen() -> ColumnElement[bool]:
    """The same as part of another query."""
    frozen = select(DataReturn.id).where(
        DataReturn.frozen_at.is_not(None), DataReturn.kind != ReturnKind.PARTIAL
    )
    return frozen.exists()


def wait_for_writers(db: Session) -> None:
    """Wait until every work that began before the freeze has ended; later ones wait for this one, and see it.

    On SQLite whoever writes is alone already.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_WRITERS, 0))))


@contextmanager
def respected(db: Session) -> Iterator[None]:
    """Let a work run only as far as nothing frozen is touched. Raises Frozen."""
    if db.get_bind().dialect.name == "postgresql":
        # First the lock, then the look: one statement would look as things were before it waited.
        db.execute(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(_WRITERS, 0))))
    found = standstill(db)
    if found.everything:
        raise Frozen
    if not found.people:
        yield
        return
    with _watched(db, found.people):
        yield
        db.flush()


@contextmanager
def _watched(db: Session, people: Iterable[UUID]) -> Iterator[None]:
    """Look at each row before it is changed or deleted, and after it was changed or added."""

    def before(session: Session, context: UOWTransaction, instances: Any) -> None:
        _refuse(session, (*session.dirty, *session.deleted), people)

    def after(session: Session, context: UOWTransaction) -> None:
        _refuse(session, (*session.new, *session.dirty), people)

    event.listen(db, "before_flush", before)
    event.listen(db, "after_flush", after)
    try:
        yield
    finally:
        event.remove(db, "before_flush", before)
        event.remove(db, "after_flush", after)


def _refuse(db: Session, rows: Iterable[object], people: Iterable[UUID]) -> None:
    keys: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        mapper = inspect(row).mapper
        keys[mapper.local_table].append(tuple(mapper.primary_key_from_instance(row)))
    for table in (one for one in keys if reach.path(one)):
        about = or_(*(reach.about(table, person_id) for person_id in people))
        columns = reach.key(table)
        is_one = columns[0].in_([key[0] for key in keys[table]])
        touched = is_one if len(columns) == 1 else reach.key_is(table).in_(keys[table])
        # Through the connection: a query of the session would flush while it flushes.
        if db.connection().execute(select(columns[0]).where(touched, about).limit(1)).first() is not None:
            raise Frozen(part=True)
