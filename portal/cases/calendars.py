"""The working days that clocks count: the published holidays, with the table that the desk keeps by hand (cl 1.1)."""

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import HolidayChange
from privacy.cases.story import Holidays
from privacy.working_days import ENGLAND_AND_WALES, UNITED_KINGDOM


def calendars(db: DbSession) -> Holidays:
    """Both calendars as they stand today; one query."""
    kept = select(HolidayChange.on_day, HolidayChange.closed).where(HolidayChange.for_clocks)
    changed = db.execute(kept).all()
    added = frozenset(day for day, closed in changed if closed)
    removed = frozenset(day for day, closed in changed if not closed)
    return Holidays(
        contract=ENGLAND_AND_WALES.with_table(added=added, removed=removed),
        kingdom=UNITED_KINGDOM.with_table(added=added, removed=removed),
    )
