"""The id that a form carries: sent again, the form gives what it made; with something else in it, it is refused.

    if (first := sent_before.found(work, LegalHold, hold_id, person_id=person_id, cause=cause)) is not None:
        return first

So nothing that somebody typed is dropped while the page says that it is written down.
"""

from typing import Any, TypeVar
from uuid import UUID

from privacy.records import Record
from privacy.work import Work

T = TypeVar("T", bound=Record)


class SentBefore(Exception):
    """The id that a form carries is that of a row which says something else; the message can be shown."""

    def __init__(self) -> None:
        super().__init__(
            "This page was sent before with something else in it. Check it, and send it once more"
        )


def found(work: Work, table: type[T], row_id: UUID | None, /, **says: Any) -> T | None:
    """The row that the same form has made, None where it has made none; of two forms at a moment the second waits.

    `says` is what the form holds now, by the names of the row. Raises SentBefore where the row holds anything else.
    """
    if row_id is None:
        return None
    work.wait_turn(f"{table.__tablename__}:{row_id}")
    first = work.db.get(table, row_id, populate_existing=True)
    if first is not None:
        require(all(getattr(first, name) == value for name, value in says.items()))
    return first


def require(alike: bool) -> None:
    """Raises SentBefore unless what was sent is what is there."""
    if not alike:
        raise SentBefore
