"""Bank holidays of England as the programme keeps them: the published ones, less and more what the team says, and the
data protection officer, whose days the clocks of cases keep too."""

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


class KeptByDesk(HolidayKnown):
    """The data protection officer entered it for the clocks of cases; the message can be shown."""

    def __init__(self) -> None:
        super().__init__("The data protection officer has entered this day. Ask them to change it")


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


def named(db: DbSession, *, first: date, last: date, for_clocks: bool = False) -> Mapping[date, str]:
    """The same days in order, each with its name; `for_clocks` those that the clocks of cases leave out."""
    found = {
        day: name for year in range(first.year, last.year + 1) for day, name in holiday_names(year).items()
    }
    for change in _changes(db, first, last, for_clocks):
        if change.closed:
            found[change.on_day] = change.name or "Bank holiday"
        else:
            found.pop(change.on_day, None)
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


def taken_out(db: DbSession, *, first: date, last: date, for_clocks: bool = False) -> Mapping[date, str]:
    """The published days that were taken out, each with its name; `for_clocks` those that the clocks count."""
    return {
        change.on_day: holiday_names(change.on_day.year).get(change.on_day, "Bank holiday")
        for change in _changes(db, first, last, for_clocks)
        if not change.closed
    }


def add(work: Work, *, on: date, name: str, for_clocks: bool = False) -> None:
    """Make a day a bank holiday: for booking, or `for_clocks` too. Sessions that are booked stay. Raises HolidayKnown
    and KeptByDesk."""
    change, published = _change_on(work, on), on in bank_holidays(on.year)
    if _is_closed(change, published, for_clocks):
        raise HolidayKnown("This day is a bank holiday already")
    _give_up(work, change, for_clocks)
    if not published:
        _enter(work, on=on, closed=True, name=name, for_clocks=for_clocks)
    work.record(Action.HOLIDAY_CHANGED, object=f"holiday:{on}", on=on, closed=True)


def take_out(work: Work, *, on: date, for_clocks: bool = False) -> None:
    """Let a day be no bank holiday: for booking, or `for_clocks` too; one that is none already changes nothing. Raises
    KeptByDesk."""
    change, published = _change_on(work, on), on in bank_holidays(on.year)
    if not _is_closed(change, published, for_clocks):
        return
    _give_up(work, change, for_clocks)
    if published:
        _enter(work, on=on, closed=False, name=None, for_clocks=for_clocks)
    work.record(Action.HOLIDAY_CHANGED, object=f"holiday:{on}", on=on, closed=False)


def _is_closed(change: HolidayChange | None, published: bool, for_clocks: bool) -> bool:
    """How a day stands for booking, or for the clocks, which heed only what the desk entered."""
    if change is None or (for_clocks and not change.for_clocks):
        return published
    return change.closed


def _give_up(work: Work, change: HolidayChange | None, for_clocks: bool) -> None:
    if change is None:
        return
    if change.for_clocks and not for_clocks:
        raise KeptByDesk
    work.db.delete(change)
    work.db.flush()


def _enter(work: Work, *, on: date, closed: bool, name: str | None, for_clocks: bool) -> None:
    row = HolidayChange(
        id=new_id(), on_day=on, closed=closed, for_clocks=for_clocks, made_at=work.now, by=work.actor
    )
    row.name = name
    known = partial(HolidayKnown, "Somebody else has just changed this day. Look at the list again")
    with refused_as(work.db, {"uq_holiday_change_on_day": known}):
        work.db.add(row)


def _change_on(work: Work, on: date) -> HolidayChange | None:
    return work.db.scalars(
        select(HolidayChange).where(HolidayChange.on_day == on).with_for_update()
    ).one_or_none()


def _changes(db: DbSession, first: date, last: date, for_clocks: bool) -> Sequence[HolidayChange]:
    asked = select(HolidayChange).where(HolidayChange.on_day >= first, HolidayChange.on_day <= last)
    return db.scalars(asked.where(HolidayChange.for_clocks) if for_clocks else asked).all()
