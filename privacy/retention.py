"""Retention: what has been kept for as long as its table declares goes by itself (cl 17.4(e), Article 5(1)(e)).

A table with a keeping time in days names the columns of its clock. What a legal hold keeps stays, and so does
everything of a person who is held as a whole. Rows go in batches, so that nobody waits for long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.audit import Action
from privacy.clock import Clock
from privacy.rights import LegalHold
from privacy.work import Work, unit_of_work

ACTOR = "system:retention"
BATCH = 500

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Due:
    """How many rows of a table have been kept long enough."""

    table: str
    keep: str
    rows: int


def timed() -> list[Table]:
    """The tables with a keeping time in days, those that point at others first."""
    return [table for table in reversed(reach.tables()) if reach.holding(table).keep.days is not None]


def due(db: DbSession, *, now: datetime) -> list[Due]:
    """A dry run: what would go now, table by table. Changes nothing."""
    return [
        Due(table.name, reach.holding(table).keep.words, _count(db, table, _over(db, table, now=now)))
        for table in timed()
    ]


def run(sessions: Sessions, clock: Clock) -> Sequence[Due]:
    """Let go what is due; returns what went. Any number of workers may run it at any time."""
    with sessions() as db:
        found = [one for one in due(db, now=clock()) if one.rows]
    done = []
    for one in found:
        table = next(table for table in timed() if table.name == one.table)
        rows = 0
        while went := _batch(sessions, clock, table):
            rows += went
        done.append(Due(one.table, one.keep, rows))
    return done


def _batch(sessions: Sessions, clock: Clock, table: Table) -> int:
    with sessions() as db, unit_of_work(db, clock, ACTOR) as work:
        keys = list(work.db.execute(_some(work, table)))
        if keys:
            wanted = [key[0] for key in keys] if len(reach.key(table)) == 1 else [tuple(key) for key in keys]
            work.db.execute(delete(table).where(reach.key_is(table).in_(wanted)))
            work.record(Action.RETENTION_DONE, object=f"table:{table.name}", table=table.name, rows=len(keys))
    return len(keys)


def _some(work: Work, table: Table) -> Any:
    over = _over(work.db, table, now=work.now)
    return select(*reach.key(table)).where(over).limit(BATCH).with_for_update(skip_locked=True)


def _over(db: DbSession, table: Table, *, now: datetime) -> ColumnElement[bool]:
    """Rows whose time is over, without those that a hold keeps."""
    declared = reach.holding(table)
    columns = [table.c[name] for name in declared.clock]
    moment = func.coalesce(*columns, type_=columns[0].type) if len(columns) > 1 else columns[0]
    over = moment <= now - timedelta(days=declared.keep.days or 0)
    held = select(LegalHold).where(LegalHold.lifted_at.is_(None))
    items = select(LegalHold.item_id).where(LegalHold.lifted_at.is_(None), LegalHold.item_table == table.name)
    free: list[ColumnElement[bool]] = (
        [reach.key_is(table).not_in(items)] if len(reach.key(table)) == 1 else []
    )
    if reach.path(table):
        free += [
            ~reach.about(table, hold.person_id)
            for hold in db.scalars(held.where(LegalHold.item_table.is_(None)))
        ]
    # A row that leads to nobody is about nobody who could be held.
    subject = reach.subject_column(table)
    kept = or_(subject.is_(None), and_(*free)) if subject is not None and subject.nullable else and_(*free)
    return and_(over, kept) if free else over


def _count(db: DbSession, table: Table, over: ColumnElement[bool]) -> int:
    return db.scalar(select(func.count()).select_from(table).where(over)) or 0
