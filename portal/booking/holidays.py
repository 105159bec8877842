"""Bank holidays of England as the programme keeps them: the published ones, less and more what the team says."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session as DbSession

from portal.booking.diary import Refused
from portal.booking.opening import bank_holidays, holiday_names
from portal.models import HolidayChange
from privacy.audit import Action
from privacy.constraints import refused_as
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

NAME_AT_MOST = 60


class HolidayKnown(Refused):
    """The day is a bank holiday already, or was none; the message can be shown."""

    field = "on"


def days(db: DbSession, *, first: date, last: date) -> frozenset[date]:
    """The bank holidays from a day to a day, both included, in one query. A name is not opened for it."""
    found = {day for year in range(first.year, last.year + 1) for day in bank_holidays(year)}
    for on_day, closed in run(db, _CHANGED, {"first": first, "last": last}):
        (found.add if closed else found.discard)(on_day)
    return frozenset(day for day in found if first <= day <= last)


# Made once: each booking and each list of times asks it.
_CHANGED = select(HolidayChange.on_day, HolidayChange.closed).where(
    HolidayChange.on_day >= bindparam("first"), HolidayChange.on_day <= bindparam("last")
)


def named(db: DbSession, *, first: date, last: date) -> Mapping[date, str]:
    """The same days in order, each with its name."""
    found = {
        day: name for year in range(first.year, last.year + 1) for day, name in holiday_names(year).items()
    }
    for change in _changes(db, first, last):
        if change.closed:
            found[change.on_day] = change.name or "Bank holiday"
        else:
            found.pop(change.on_day, None)
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


def taken_out(db: DbSession, *, first: date, last: date) -> Mapping[date, str]:
    """The published days that the team took out, each with its name."""
    return {
        change.on_day: holiday_names(change.on_day.year).get(change.on_day, "Bank holiday")
        for change in _changes(db, first, last)
        if not change.closed
    }


def add(work: Work, *, on: date, name: str) -> None:
    """Make a day a bank holiday. Sessions that are booked stay. Raises HolidayKnown."""
    change = _change_on(work, on)
    published = on in bank_holidays(on.year)
    if (change is None and published) or (change is not None and change.closed):
        raise HolidayKnown("This day is a bank holiday already")
    if change is not None:
        work.db.delete(change)
        work.db.flush()
    if not published:
        _enter(work, on=on, closed=True, name=name)
    work.record(Action.HOLIDAY_CHANGED, object=f"holiday:{on}", on=on, closed=True)


def take_out(work: Work, *, on: date) -> None:
    """Let a day be no bank holiday; one that is none already changes nothing."""
    change = _change_on(work, on)
    published = on in bank_holidays(on.year)
    if (change is None and not published) or (change is not None and not change.closed):
        return
    if change is not None:
        work.db.delete(change)
        work.db.flush()
    if published:
        _enter(work, on=on, closed=False, name=None)
    work.record(Action.HOLIDAY_CHANGED, object=f"holiday:{on}", on=on, closed=False)


def _enter(work: Work, *, on: date, closed: bool, name: str | None) -> None:
    row = HolidayChange(id=new_id(), on_day=on, closed=closed, made_at=work.now, by=work.actor)
    row.name = name
    known = partial(HolidayKnown, "Somebody else has just changed this day. Look at the list again")
    with refused_as(work.db, {"uq_holiday_change_on_day": known}):
        work.db.add(row)


def _change_on(work: Work, on: date) -> HolidayChange | None:
    return work.db.scalars(
        select(HolidayChange).where(HolidayChange.on_day == on).with_for_update()
    ).one_or_none()


def _changes(db: DbSession, first: date, last: date) -> Sequence[HolidayChange]:
    asked = select(HolidayChange).where(HolidayChange.on_day >= first, HolidayChange.on_day <= last)
    return db.scalars(asked).all()
