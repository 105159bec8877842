"""Which constraint a write broke, by its name in the metadata, whatever the database calls it.

Races are met by the database: a rule writes inside a savepoint, and what stood in the way becomes an error of its own
(`refused_as`). Foreign keys are left out: SQLite does not say which one it was.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from sqlalchemy import CheckConstraint, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from privacy.records import Record

_UNIQUE = "UNIQUE constraint failed: "
_CHECK = "CHECK constraint failed: "


@contextmanager
def refused_as(db: Session, errors: Mapping[str, Callable[[], Exception]]) -> Iterator[None]:
    """Write the block's rows in a savepoint; where one of these constraints is broken, that is undone and its error
    raised. Any other raises IntegrityError."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError as broken:
        error = errors.get(violated(broken, Record.metadata) or "")
        if error is None:
            raise
        raise error() from broken


def violated(error: IntegrityError, metadata: MetaData) -> str | None:
    """The name of the key, unique or check constraint that was broken; None for any other, or none of ours."""
    name = _reported(error, metadata)
    return name if name in _names(metadata) else None


def _reported(error: IntegrityError, metadata: MetaData) -> str | None:
    # PostgreSQL names the constraint itself; SQLite names checks, and for keys their columns.
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    message = str(error.orig)
    if message.startswith(_CHECK):
        return message.removeprefix(_CHECK)
    if message.startswith(_UNIQUE):
        columns = frozenset(message.removeprefix(_UNIQUE).split(", "))
        return _by_columns(metadata).get(columns)
    return None


@cache
def _names(metadata: MetaData) -> frozenset[str]:
    checks = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    return frozenset(checks) | frozenset(_by_columns(metadata).values())


@cache
def _by_columns(metadata: MetaData) -> dict[frozenset[str], str]:
    return {columns: name for table in metadata.tables.values() for columns, name in _keys(table)}


def _keys(table: Table) -> list[tuple[frozenset[str], str]]:
    found = [
        (frozenset(f"{table.name}.{column.name}" for column in constraint.columns), str(constraint.name))
        for constraint in table.constraints
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
    ]
    found += [
        (frozenset(f"{table.name}.{column.name}" for column in index.columns), str(index.name))
        for index in table.indexes
        if index.unique
    ]
    return found
