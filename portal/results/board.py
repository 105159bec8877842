"""The figures that are kept: counted each night and when somebody asks, read from one row (sch 4 KPIs).

Two backups a day apart must not show one person's change, so what is kept is sealed whole. Today's figures hold what
had come in when they were counted; `flask report kpi` always counts anew.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from portal.programme import Programme
from portal.results import kpi
from portal.results.stamps import canonical
from privacy.audit import Action
from privacy.clock import Clock, london, london_date
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys.models import Figure

KPI = "kpi"
FROM_HOUR = 2
"""Of the London night: a little after midnight, when the windows of the day before have closed."""


@dataclass(frozen=True)
class Kept:
    """Figures as they are kept: the document of `kpi.document`, its day, and the moment it was counted."""

    as_of: date
    made_at: datetime
    document: Mapping[str, Any]


def kept(db: DbSession) -> Kept | None:
    """The KPIs as they were counted last; None where they never were. One row."""
    row = db.scalars(select(Figure).where(Figure.kind == KPI)).one_or_none()
    if row is None or row.body is None:
        return None
    return Kept(row.as_of, row.made_at, json.loads(row.body))


def count(db: DbSession, programme: Programme, *, as_of: date) -> Mapping[str, Any]:
    """The document of both KPIs, counted now."""
    return kpi.document(kpi.kpi(db, programme, as_of=as_of), as_of=as_of)


def keep(work: Work, document: Mapping[str, Any]) -> None:
    """Keep figures in place of those before; who was later than somebody else leaves theirs."""
    as_of = date.fromisoformat(document["as_of"])
    row = work.db.scalars(select(Figure).where(Figure.kind == KPI).with_for_update()).one_or_none()
    if row is None:
        row = Figure(id=new_id(), kind=KPI, as_of=as_of, made_at=work.now)
        row.body = canonical(document)
        try:
            with work.db.begin_nested():
                work.db.add(row)
        except IntegrityError:
            return
    else:
        row.as_of, row.made_at, row.body = as_of, work.now, canonical(document)
    work.record(Action.FIGURES_COUNTED, object=f"figure:{row.id}", kind=KPI, as_of=as_of)


def count_daily(sessions: Callable[[], DbSession], programme: Programme, clock: Clock) -> bool:
    """Count and keep the day's figures, once a day in the night; the first ones at once. Returns whether it did.

    They are read outside the transaction that keeps them, for that holds the write lock.
    """
    now = clock()
    with sessions() as db:
        row = db.execute(select(Figure.as_of).where(Figure.kind == KPI)).one_or_none()
        if row is not None and (row.as_of >= london_date(now) or london(now).hour < FROM_HOUR):
            return False
        document = count(db, programme, as_of=london_date(now))
        with unit_of_work(db, clock, "system:worker") as work:
            keep(work, document)
    return True
