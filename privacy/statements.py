"""Statements that are made once and run past the ORM: for what every request reads.

Making a statement, and the objects that the ORM makes of its rows, cost more than the database takes to answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.orm import Session


def run(
    db: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> CursorResult[*tuple[Any, ...]]:
    """The rows of a statement with these values bound, or with each of several; what waits to be written is written
    first, as ever."""
    if db.new or db.dirty or db.deleted:
        db.flush()
    return db.connection().execute(statement, values)
