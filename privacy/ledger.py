"""The erasure ledger: the rows of the key store whose key was destroyed. They only ever grow (cl 17.4(e))."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from privacy.clock import london_date
from privacy.keystore import SUBJECT_KEY, Vault
from privacy.transactions import writing

NO_KEY = "none"
"""Stands where a holder never had a key: the row is there so that none is made any more."""
_AT_ONCE = 500


def destroy(vault: Vault, holders: Iterable[UUID], *, now: datetime, instruction: str) -> int:
    """Destroy every version of these holders' keys, committed at once; returns how many keys there were.

    A holder without a key gets its row in the ledger all the same. Harmless to repeat: the first day stays.
    """
    wanted = sorted(set(holders))
    destroyed = 0
    for start in range(0, len(wanted), _AT_ONCE):
        group = wanted[start : start + _AT_ONCE]
        try:
            destroyed += _destroy(vault, group, now=now, instruction=instruction)
        except IntegrityError:
            # A key was made for one of them at the same moment: now it is there to be destroyed.
            destroyed += _destroy(vault, group, now=now, instruction=instruction)
    return destroyed


def _destroy(vault: Vault, group: list[UUID], *, now: datetime, instruction: str) -> int:
    on = london_date(now)
    with writing(vault.engine) as connection:
        done = connection.execute(
            update(SUBJECT_KEY)
            .where(SUBJECT_KEY.c.holder_id.in_(group), SUBJECT_KEY.c.wrapped.is_not(None))
            .values(wrapped=None, destroyed_on=on, instruction=instruction)
        )
        known = set(
            connection.scalars(select(SUBJECT_KEY.c.holder_id).where(SUBJECT_KEY.c.holder_id.in_(group)))
        )
        rows = [
            {
                "holder_id": holder,
                "version": 1,
                "kek_id": NO_KEY,
                "created_at": now,
                "destroyed_on": on,
                "instruction": instruction,
            }
            for holder in group
            if holder not in known
        ]
        if rows:
            connection.execute(insert(SUBJECT_KEY), rows)
        return done.rowcount


def erased(engine: Engine) -> Iterator[UUID]:
    """Every holder in the ledger, read in batches; close it when you stop before its end."""
    with engine.connect() as connection:
        yield from _erased(connection)


def _erased(connection: Connection) -> Iterator[UUID]:
    asked = select(SUBJECT_KEY.c.holder_id).where(SUBJECT_KEY.c.destroyed_on.is_not(None)).distinct()
    yield from connection.scalars(asked.execution_options(yield_per=_AT_ONCE))


def is_erased(engine: Engine, holder: UUID) -> bool:
    """Whether the ledger names this holder."""
    with engine.connect() as connection:
        asked = select(SUBJECT_KEY.c.holder_id).where(
            SUBJECT_KEY.c.holder_id == holder, SUBJECT_KEY.c.destroyed_on.is_not(None)
        )
        return connection.execute(asked).first() is not None
