"""Which rows a return takes: all of them, or those of one council or one person.

A part is found from the people that it is about, and from rows that are named (a council, its packages):

    about    every row about one of the people, and what is about everybody in a group of theirs
    below    rows about nobody that belong to a row that was named: a council's facts, a package's sessions
    above    rows about nobody that any of these point at, so that nothing points at what is not there
    trail    the lines that say what they did, or what was done with their data

Rows about other people stay where they are; a part names them by their ids alone. Rows are found by their
declarations: nothing here names a table.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_, select
from sqlalchemy.orm import Session as DbSession

from privacy import purge, reach
from privacy.audit import AuditEntry
from privacy.records import Record
from privacy.returns.course import Scope

_AT_ONCE = 500
Keys = set[tuple[Any, ...]]


@dataclass(frozen=True)
class Selection:
    """Rows by the keys of their tables; `keys` None: all rows of all tables."""

    scope: Scope = field(default_factory=Scope)
    people: frozenset[UUID] = frozenset()
    keys: Mapping[Table, Keys] | None = None

    @property
    def everything(self) -> bool:
        return self.keys is None

    def slices(self, table: Table) -> Iterator[Sequence[ColumnElement[bool]]]:
        """Conditions on a table's rows, each for the next rows in the order of the key; one that asks for nothing
        where all rows are taken."""
        if self.keys is None:
            yield ()
            return
        for group in _groups(sorted(self.keys.get(table, ()))):
            yield (keyed(table, group),)

    def has(self, table: Table, key: object) -> bool:
        """Whether the row with a key of one column is taken."""
        return self.keys is None or (key,) in self.keys.get(table, ())


def keyed(table: Table, keys: Collection[tuple[Any, ...]]) -> ColumnElement[bool]:
    """The rows with these keys."""
    if len(reach.key(table)) == 1:
        return reach.key(table)[0].in_([key[0] for key in keys])
    return reach.key_is(table).in_(list(keys))


def part(
    db: DbSession, scope: Scope, *, people: Collection[UUID], named: Mapping[Table, Collection[UUID]]
) -> Selection:
    """The rows of a scope: of these people, and those that belong to the rows that are named."""
    found = _Finding(db, {})
    below = [(table, {(one,) for one in ids}) for table, ids in named.items()]
    for table, keys in below:
        found.add(table, keys)
    for person_id in sorted(people):
        found.about(person_id)
    found.below(below)
    found.above()
    found.trail(people)
    return Selection(scope, frozenset(people), found.keys)


@dataclass
class _Finding:
    """Keys found so far."""

    db: DbSession
    keys: dict[Table, Keys]

    def add(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> Keys:
        """Take rows in; returns those that are new."""
        known = self.keys.setdefault(table, set())
        fresh = set(keys) - known
        known |= fresh
        return fresh

    def _asked(self, table: Table, where: ColumnElement[bool]) -> Keys:
        return {tuple(row) for row in self.db.execute(select(*reach.key(table)).where(where))}

    def about(self, person_id: UUID) -> None:
        for table in reach.personal_tables():
            self.add(table, self._asked(table, reach.about(table, person_id)))
            if (shared := reach.together(table, person_id)) is not None:
                self.add(table, self._asked(table, shared))

    def below(self, begin: Sequence[tuple[Table, Keys]]) -> None:
        """What belongs to the rows that were named, and to that in turn; never what is about a person."""
        waiting = list(begin)
        while waiting:
            target, keys = waiting.pop()
            for table in reach.tables():
                if reach.path(table) or table is AuditEntry.__table__:
                    continue
                for column in _pointing(table, target):
                    for group in _groups([key[0] for key in keys]):
                        fresh = self.add(table, self._asked(table, column.in_(group)))
                        if fresh and len(reach.key(table)) == 1:
                            waiting.append((table, fresh))

    def above(self) -> None:
        """What the rows point at, hop by hop, where it is about nobody."""
        waiting = [(table, set(keys)) for table, keys in self.keys.items()]
        while waiting:
            table, keys = waiting.pop()
            links = [column for column in table.columns if column.foreign_keys]
            links = [column for column in links if not reach.path(reach.target_of(column).table)]
            for group in _groups(sorted(keys, key=str)) if links else ():
                for row in self.db.execute(select(*links).where(keyed(table, group))):
                    for column, value in zip(links, row, strict=True):
                        target = reach.target_of(column).table
                        if value is not None and (fresh := self.add(target, {(value,)})):
                            waiting.append((target, fresh))

    def trail(self, people: Collection[UUID]) -> None:
        holders = {holder for person_id in people for holder in purge.holders(self.db, person_id)}
        actors = [f"person:{person_id}" for person_id in people]
        table = Record.metadata.tables[AuditEntry.__tablename__]
        for group in _groups(sorted(holders)):
            self.add(table, self._asked(table, or_(table.c.holder.in_(group), table.c.actor.in_(actors))))


def _pointing(table: Table, target: Table) -> Iterator[Any]:
    return (
        column for column in table.columns if column.foreign_keys and reach.target_of(column).table is target
    )


def _groups(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
