"""Working days: which days count, by whose public holidays, and how far the calendar is known.

Two calendars are needed: cl 1.1 says a working day is not a public holiday in England and Wales; section 10(6) of
the Freedom of Information Act leaves out a bank holiday in any part of the United Kingdom. Published holidays come
from a package; what is proclaimed later, or moved, is put in a table by the data protection officer and handed in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from privacy.clock import weekday_words
from privacy.published_holidays import holiday_names

SATURDAY = 5
PARTS = ("ENG", "WLS", "SCT", "NIR")
KNOWN_UNTIL = date(2028, 12, 31)
"""The last day up to which the package's holidays were compared with those that the government has announced."""


@dataclass(frozen=True)
class Calendar:
    """Days that don't count: weekends, published holidays of some parts of the country, and days added by hand.

    `added` and `removed` correct what is published. After `known_until` nobody has announced the holidays yet.
    """

    parts: tuple[str, ...]
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    known_until: date = KNOWN_UNTIL

    def is_working(self, day: date) -> bool:
        return day.weekday() < SATURDAY and not self.is_holiday(day)

    def is_holiday(self, day: date) -> bool:
        return day in self.added or (day not in self.removed and day in _published(self.parts, day.year))

    def why_not(self, day: date) -> str:
        """Why a day does not count, in words; empty for a working day."""
        if self.is_holiday(day):
            return "a public holiday"
        return f"a {weekday_words(day)}" if day.weekday() >= SATURDAY else ""

    def roll(self, day: date) -> date:
        """That day, or the next working day."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def count(self, day: date, working_days: int) -> date:
        """The working day that many after a day, which itself is day 0."""
        for _ in range(working_days):
            day = self.roll(day + timedelta(days=1))
        return day

    def left_out(self, first: date, last: date) -> Iterator[date]:
        """The holidays that fall on weekdays between two days, both included."""
        day = first
        while day <= last:
            if day.weekday() < SATURDAY and self.is_holiday(day):
                yield day
            day += timedelta(days=1)

    def with_table(
        self,
        *,
        added: frozenset[date],
        removed: frozenset[date] = frozenset(),
        known_until: date | None = None,
    ) -> "Calendar":
        """The same calendar with the days of the table that is kept by hand."""
        return replace(
            self, added=added, removed=removed, known_until=max(self.known_until, known_until or date.min)
        )


ENGLAND_AND_WALES = Calendar(("ENG", "WLS"))
"""The working days of the contract (cl 1.1)."""

UNITED_KINGDOM = Calendar(PARTS)
"""The working days of section 10 of the Freedom of Information Act 2000."""


@lru_cache(maxsize=256)
def _published(parts: tuple[str, ...], year: int) -> frozenset[date]:
    return frozenset(day for part in parts for day in holiday_names(part, year))
