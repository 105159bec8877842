"""The periods that reports are about: a month, a calendar quarter, a contract year (sch 4 Reporting)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.programme import ContractYear, Period
from privacy.clock import add_months, month_words


class Kind(StrEnum):
    """What a report is for: the monthly meeting, the quarter's progress, the annual review (sch 4, sch 5)."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"


class NoSuchPeriod(Exception):
    """The period is not written as this kind of report has it, or lies outside the contract; for people."""


TITLES = {
    Kind.MONTHLY: "Monthly report",
    Kind.QUARTERLY: "Quarterly report",
    Kind.ANNUAL: "Annual review",
}
_MONTH, _QUARTER = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])"), re.compile(r"(20\d\d)-Q([1-4])")
_WRITTEN = {
    Kind.MONTHLY: "A month is written like 2023-03",
    Kind.QUARTERLY: "A quarter is written like 2023-Q1",
    Kind.ANNUAL: "A contract year is written like 2022-23",
}


@dataclass(frozen=True)
class ReportPeriod:
    """What a report is about: its kind, the period as it is written, and its days, first and last included."""

    kind: Kind
    name: str
    days: Period

    @property
    def title(self) -> str:
        """`Quarterly report, January to March 2023`."""
        return f"{TITLES[self.kind]}, {self.words}"

    @property
    def words(self) -> str:
        """`March 2023`, `January to March 2023`, `contract year 2022-23`."""
        starts, ends = self.days.starts_on, self.days.ends_on
        match self.kind:
            case Kind.MONTHLY:
                return month_words(starts, year=True)
            case Kind.QUARTERLY:
                return f"{month_words(starts)} to {month_words(ends, year=True)}"
        return f"contract year {self.name}"


def report_period(kind: Kind, name: str, *, years: list[ContractYear]) -> ReportPeriod:
    """The period written as `name`; `years` are those of the contract. Raises NoSuchPeriod."""
    find: Callable[[str], Period | None] = {
        Kind.MONTHLY: _month,
        Kind.QUARTERLY: _quarter,
        Kind.ANNUAL: lambda asked: next((one.period for one in years if one.name == asked), None),
    }[kind]
    days = find(name)
    if days is None:
        contract = ", ".join(one.name for one in years)
        more = f". The contract has {contract}" if kind is Kind.ANNUAL else ""
        raise NoSuchPeriod(f"{_WRITTEN[kind]}{more}")
    if days.starts_on > years[-1].period.ends_on or days.ends_on < years[0].period.starts_on:
        raise NoSuchPeriod("The contract does not run in that period")
    return ReportPeriod(kind, name, days)


def begun(kind: Kind, *, on: date, years: list[ContractYear]) -> list[ReportPeriod]:
    """The periods of a kind that have begun by a day, newest first; the first may still run."""
    names: dict[str, None] = {}
    day = years[0].period.starts_on
    while day <= min(on, years[-1].period.ends_on):
        names.setdefault(_name(kind, day, years))
        day += timedelta(days=1)
    return [report_period(kind, name, years=years) for name in reversed(names)]


def _name(kind: Kind, day: date, years: list[ContractYear]) -> str:
    match kind:
        case Kind.MONTHLY:
            return f"{day:%Y-%m}"
        case Kind.QUARTERLY:
            return f"{day.year}-Q{(day.month + 2) // 3}"
    return next(one.name for one in years if day in one.period)


def _month(name: str) -> Period | None:
    found = _MONTH.fullmatch(name)
    return _months(int(found[1]), int(found[2]), 1) if found else None


def _quarter(name: str) -> Period | None:
    found = _QUARTER.fullmatch(name)
    return _months(int(found[1]), int(found[2]) * 3 - 2, 3) if found else None


def _months(year: int, month: int, number: int) -> Period:
    first = date(year, month, 1)
    return Period(first, add_months(first, number) - timedelta(days=1))
