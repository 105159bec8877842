"""Step 1 of an erasure: the rows about one person go or are emptied, as their tables declare.

The same list of acts is counted by a dry run and carried out by an erasure. The order is: what hangs on rows that
go, the rows themselves from the far end of each way to the person, what is emptied, and the person last. A row
that somebody else's row still needs (a session's mentor) stays, emptied: it names nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, and_, delete, false, func, or_, select, true, update
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.columns import sealed_columns
from privacy.reach import Link
from privacy.records import Erase
from privacy.rights import LegalHold
from privacy.sparing import Spared, spared_by

COUNTED = "stays and counts, without the person"
NEEDED = "others' rows need it: it stays, emptied"
HELD = "under a legal hold"
LEADS = "leads to what is under a legal hold: it stays, emptied"


@dataclass(frozen=True)
class Line:
    """What happens to one table: rows that go, rows that are emptied, rows that stay as they are, and why."""

    table: str
    gone: int = 0
    emptied: int = 0
    kept: int = 0
    why: str = ""


@dataclass(frozen=True)
class Purged:
    """What was done, and whose data keys are to be destroyed now."""

    lines: Sequence[Line]
    holders: frozenset[UUID]


@dataclass(frozen=True)
class _Act:
    """One statement: rows go, or their columns are emptied."""

    table: Table
    where: ColumnElement[bool]
    emptied: tuple[Column[Any], ...] = ()

    @property
    def goes(self) -> bool:
        return not self.emptied

    def count(self, db: DbSession) -> int:
        return db.scalar(select(func.count()).select_from(self.table).where(self.where)) or 0

    def run(self, db: DbSession) -> int:
        statement = (
            delete(self.table).where(self.where)
            if self.goes
            else update(self.table).where(self.where).values(dict.fromkeys(self.emptied))
        )
        done: Any = db.execute(statement)
        return int(done.rowcount)


def exists(db: DbSession, person_id: UUID, *, lock: bool = False) -> bool:
    """Whether the person has a row; with `lock`, nobody can add to what is about them until the work ends."""
    people = reach.root()
    asked = select(people.c.id).where(people.c.id == person_id)
    return db.execute(asked.with_for_update() if lock else asked).first() is not None


def people_among(db: DbSession, ids: Sequence[UUID]) -> list[UUID]:
    """Which of these ids are people's that have a row."""
    people = reach.root()
    return list(db.scalars(select(people.c.id).where(people.c.id.in_(ids))))


# ---- what is to be done


def plan(db: DbSession, person_id: UUID, holds: Sequence[LegalHold]) -> list[Line]:
    """What `purge` would do, counted. Changes nothing."""
    spared = spared_by(db, person_id, holds)
    counts: dict[str, Line] = {}
    for act in _acts(person_id, spared):
        _add(counts, act, act.count(db))
    for shared, ids in _emptied(db, person_id, spared).items():
        for row in _sealed_for(db, shared, ids):
            _count(counts, row.__table__.name, emptied=1)
    _tell_what_stays(db, person_id, spared, counts)
    return sorted(counts.values(), key=lambda line: line.table)


def purge(db: DbSession, person_id: UUID, holds: Sequence[LegalHold]) -> Purged:
    """Do it, in the transaction of the caller. Once done, again does nothing."""
    _lock(db, person_id)
    spared = spared_by(db, person_id, holds)
    destroyed = _holders(db, person_id, spared)
    emptied = _emptied(db, person_id, spared)
    counts: dict[str, Line] = {}
    db.flush()
    db.expire_all()
    for shared, ids in emptied.items():
        for row in _sealed_for(db, shared, ids):
            _empty(row, ids)
            _count(counts, row.__table__.name, emptied=1)
        destroyed |= ids
    db.flush()
    for act in _acts(person_id, spared):
        _add(counts, act, act.run(db))
    db.expire_all()
    return Purged(sorted(counts.values(), key=lambda line: line.table), frozenset(destroyed))


def _acts(person_id: UUID, spared: Spared) -> Iterable[_Act]:
    """Every statement, in an order that no foreign key objects to."""
    people = reach.root()
    personal = reach.personal_tables()
    for link in reach.mentions():
        named = link.column == person_id
        if link.erase is Erase.DELETE_ROW:
            yield _Act(link.table, and_(named, spared.free(link.table)))
        elif link.erase is Erase.BLANK and link.column.nullable:
            yield _Act(link.table, and_(named, spared.untouched(link.table)), (link.column,))
    for table in reversed(personal):
        if reach.holding(table).erase is Erase.DELETE_ROW and table is not people:
            yield _Act(table, _going(table, person_id, spared))
    # What is emptied may be the way by which rows are found: the longest ways first.
    for table in sorted(personal, key=lambda one: -len(reach.path(one))):
        if table is not people and (columns := reach.blanked(table)):
            yield from _emptying(table, person_id, spared, columns)
    yield from _emptying(people, person_id, spared, reach.blanked(people), also=_needed(people, person_id))
    yield _Act(people, _going(people, person_id, spared))


def _emptying(
    table: Table,
    person_id: UUID,
    spared: Spared,
    columns: Sequence[Column[Any]],
    *,
    also: ColumnElement[bool] | None = None,
) -> Iterable[_Act]:
    """Empty the rows that stay; those that lead to held ones keep the column that leads."""
    subject = reach.subject_column(table)
    stays = reach.holding(table).erase is not Erase.DELETE_ROW
    here = reach.about(table, person_id)
    needed = true() if stays else _needed(table, person_id) if also is None else also
    if needed is not None:
        filled = or_(*(column.is_not(None) for column in columns))
        yield _Act(table, and_(here, spared.free(table), needed, filled), tuple(columns))
    leading = spared.leading.get(table)
    rest = tuple(column for column in columns if column is not subject)
    if leading and rest:
        filled = or_(*(column.is_not(None) for column in rest))
        only = and_(here, reach.key_is(table).in_(leading), spared.untouched(table), filled)
        yield _Act(table, only, rest)


def _going(table: Table, person_id: UUID, spared: Spared) -> ColumnElement[bool]:
    """The rows of a table that go: not spared, and needed by nobody's row that stays."""
    needed = _needed(table, person_id)
    here = and_(reach.about(table, person_id), spared.free(table))
    return and_(here, ~needed) if needed is not None else here


def _needed(table: Table, person_id: UUID) -> ColumnElement[bool] | None:
    """Rows about the person to which rows that stay point, through columns that are not emptied."""
    found = [_pins(link, table, person_id) for link in reach.links() if link.target.table is table]
    pins = [pin for pin in found if pin is not None]
    return or_(*pins) if pins else None


def _pins(link: Link, table: Table, person_id: UUID) -> ColumnElement[bool] | None:
    if link.erase is not Erase.KEEP or link.column is table.c.get(link.target.name):
        return None
    theirs = bool(reach.path(link.table))
    goes = theirs and reach.holding(link.table).erase is Erase.DELETE_ROW
    if goes and link.column is reach.subject_column(link.table):
        return None
    pointing = select(link.column).where(
        link.column.in_(select(link.target).where(reach.about(table, person_id)))
    )
    if goes:
        pointing = pointing.where(reach.key_is(link.table).not_in(reach.keys_about(link.table, person_id)))
    return link.target.in_(pointing)


# ---- what stays


def _tell_what_stays(db: DbSession, person_id: UUID, spared: Spared, counts: dict[str, Line]) -> None:
    for table, rows in spared.held.items():
        _count(counts, table.name, kept=len(rows), why=HELD)
    for table, rows in spared.leading.items():
        left = len(rows - spared.held.get(table, set()))
        if left:
            _count(counts, table.name, kept=left, why=LEADS)
    for table in reach.personal_tables():
        here = and_(reach.about(table, person_id), spared.free(table))
        if reach.holding(table).erase is Erase.DELETE_ROW:
            needed = _needed(table, person_id)
            here, why = and_(here, needed) if needed is not None else false(), NEEDED
        else:
            why = COUNTED
        kept = db.scalar(select(func.count()).select_from(table).where(here)) or 0
        if kept:
            _count(counts, table.name, kept=kept, why=why)


# ---- holders of keys, and what is shared


def holders(db: DbSession, person_id: UUID) -> set[UUID]:
    """Whose data keys are a person's: their own, and those of rows about them that seal values."""
    found = {person_id}
    for table in reach.holder_tables():
        found |= set(db.scalars(select(table.c.id).where(reach.about(table, person_id))))
    return found


def _holders(db: DbSession, person_id: UUID, spared: Spared) -> set[UUID]:
    """Whose data keys go: the person's, and those of rows of theirs that seal values, held values apart."""
    found = holders(db, person_id)
    for table, rows in spared.held.items():
        kind: Any = reach.mapper_of(table).class_
        for row in db.scalars(select(kind).where(kind.id.in_(rows))):
            found -= {one.holder(row) for one in sealed_columns(kind) if getattr(row, one.column) is not None}
    return found


def _emptied(db: DbSession, person_id: UUID, spared: Spared) -> dict[Table, set[UUID]]:
    """Shared rows that lose the last person tied to them."""
    found = {}
    for shared in reach.shared_tables():
        by, column = reach.ties(shared)
        who = reach.subject_column(by)
        if who is None:
            continue
        mine = select(column).where(reach.about(by, person_id), spared.free(by))
        other = select(column).where(who.is_not(None), or_(who != person_id, ~spared.free(by)))
        ids = set(db.scalars(mine.where(column.not_in(other.where(column.in_(mine))))))
        if ids:
            found[shared] = ids
    return found


def _sealed_for(db: DbSession, shared: Table, ids: set[UUID]) -> Iterable[Any]:
    """Rows with values that are sealed for these shared rows."""
    for table in reach.tables():
        kind: Any = reach.mapper_of(table).class_
        descriptors = sealed_columns(kind)
        names = {str(table.c[one.column].info["held"].holder) for one in descriptors}
        points = [
            column
            for column in {column for name in names for column in _holder_columns(table, name)}
            if not column.foreign_keys or reach.target_of(column).table is shared
        ]
        if not points:
            continue
        for row in db.scalars(select(kind).where(or_(*(column.in_(ids) for column in points)))):
            if any(one.holder(row) in ids and getattr(row, one.column) is not None for one in descriptors):
                yield row


def _empty(row: Any, holders: Iterable[UUID]) -> None:
    """Empty what is sealed for these holders."""
    for one in sealed_columns(type(row)):
        if one.holder(row) in holders:
            setattr(row, one.column, None)


def empty_holders(db: DbSession, holders: Sequence[UUID]) -> None:
    """Empty every value that is sealed for these holders, whose keys are gone: nothing can open it."""
    wanted = set(holders)
    for table in reach.tables():
        kind: Any = reach.mapper_of(table).class_
        columns = {
            column
            for one in sealed_columns(kind)
            for column in _holder_columns(table, str(table.c[one.column].info["held"].holder))
        }
        if columns:
            for row in db.scalars(select(kind).where(or_(*(column.in_(holders) for column in columns)))):
                _empty(row, wanted)
    db.flush()
    db.expire_all()


def _holder_columns(table: Table, name: str) -> list[Column[Any]]:
    if name in table.c:
        return [table.c[name]]
    # A property that chooses: it can only choose among what the row points at.
    return [column for column in table.columns if column.foreign_keys]


def _lock(db: DbSession, person_id: UUID) -> None:
    """Lock the person, then every row on a way to them: nobody adds to what is about them meanwhile."""
    exists(db, person_id, lock=True)
    for table in sorted(reach.personal_tables(), key=lambda one: len(reach.path(one))):
        if any(link.target.table is table for link in reach.links()):
            # Streamed away: only the locks count.
            db.execute(reach.keys_about(table, person_id).with_for_update()).fetchall()


def _add(counts: dict[str, Line], act: _Act, number: int) -> None:
    if number:
        _count(counts, act.table.name, gone=number if act.goes else 0, emptied=0 if act.goes else number)


def _count(
    counts: dict[str, Line], table: str, *, gone: int = 0, emptied: int = 0, kept: int = 0, why: str = ""
) -> None:
    old = counts.get(table, Line(table))
    reasons = dict.fromkeys(part for part in (*old.why.split("; "), why) if part)
    counts[table] = Line(table, old.gone + gone, old.emptied + emptied, old.kept + kept, "; ".join(reasons))
