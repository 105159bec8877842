"""Forms that met a dead sign-in or an invalid token: kept for a day, sealed, and shown to their writer again.

Only what somebody known wrote is kept: their browser is still known from its cookie. What is shown again is saved
by nobody but its writer, by sending the form once more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.orm import Session as DbSession

from portal.models import ParkedForm
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

KEPT = timedelta(days=1)
AT_MOST = 20
"""How many of one person's forms are kept; the oldest goes first."""
PATH_AT_MOST = 300


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A form that is kept for its writer: names and values in the order of the form."""

    id: UUID
    path: str
    parked_at: datetime
    fields: Sequence[tuple[str, str]]
    browser_session_id: UUID | None = None

    @property
    def until(self) -> datetime:
        """When it goes."""
        return self.parked_at + KEPT

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What was written rather than chosen or carried along, for copying."""
        return [(name, value) for name, value in self.fields if not name.startswith("_") and value.strip()]


def park(
    work: Work,
    *,
    person_id: UUID,
    path: str,
    fields: Iterable[tuple[str, str]],
    browser_session_id: UUID | None = None,
) -> UUID:
    """Keep a form, with the sign-in in which it was written; the same one again is kept once. What is a day old goes,
    whoever's it is."""
    kept = [[name, value] for name, value in fields]
    work.db.execute(delete(ParkedForm).where(ParkedForm.parked_at <= work.now - KEPT))
    rows = work.db.scalars(
        select(ParkedForm)
        .where(ParkedForm.person_id == person_id)
        .order_by(ParkedForm.parked_at.desc(), ParkedForm.id)
    ).all()
    same = next(
        (
            row
            for row in rows
            if (row.path, row.browser_session_id) == (path[:PATH_AT_MOST], browser_session_id)
            and row.fields == kept
        ),
        None,
    )
    if same is not None:
        return same.id
    for row in rows[AT_MOST - 1 :]:
        work.db.delete(row)
    form = ParkedForm(
        id=new_id(),
        person_id=person_id,
        path=path[:PATH_AT_MOST],
        parked_at=work.now,
        browser_session_id=browser_session_id,
    )
    form.fields = kept
    work.db.add(form)
    return form.id


# Made once: every page of a questionnaire asks it.
_NEWEST = (
    select(ParkedForm.id)
    .where(
        ParkedForm.person_id == bindparam("person"),
        ParkedForm.parked_at > bindparam("after"),
        ParkedForm.path == bindparam("path"),
    )
    .order_by(ParkedForm.parked_at.desc(), ParkedForm.id)
    .limit(1)
)


def newest(db: DbSession, *, person_id: UUID, path: str, now: datetime) -> Parked | None:
    """The last form of this page that is kept for its writer."""
    found = run(db, _NEWEST, {"person": person_id, "after": now - KEPT, "path": path}).scalar()
    return None if found is None else one(db, person_id=person_id, parked_id=found, now=now)


def one(db: DbSession, *, person_id: UUID, parked_id: UUID, now: datetime) -> Parked | None:
    """One of somebody's own kept forms; None if it is nobody's, somebody else's, or gone."""
    return _opened(db.scalars(_kept(person_id, now).where(ParkedForm.id == parked_id)).one_or_none())


def forget(work: Work, *, person_id: UUID, parked_id: UUID) -> None:
    """The form was sent, or its writer has copied it."""
    work.db.execute(delete(ParkedForm).where(ParkedForm.id == parked_id, ParkedForm.person_id == person_id))


def _kept(person_id: UUID, now: datetime) -> Select[ParkedForm]:
    return select(ParkedForm).where(ParkedForm.person_id == person_id, ParkedForm.parked_at > now - KEPT)


def _opened(row: ParkedForm | None) -> Parked | None:
    if row is None:
        return None
    fields = [(name, value) for name, value in row.fields or []]
    return Parked(
        id=row.id,
        path=row.path,
        parked_at=row.parked_at,
        fields=fields,
        browser_session_id=row.browser_session_id,
    )
