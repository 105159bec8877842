"""When a wave is open. Windows are computed from dates each time they are needed and stored nowhere, so that
moving a date moves them.

A window is half-open: what happens at `closes_at` is too late. It ends with a London day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from privacy.clock import add_months, end_of_day, london_date, start_of_day


@dataclass(frozen=True)
class Window:
    """From an instant, up to and without another; both aware UTC."""

    opens_at: datetime
    closes_at: datetime

    def __contains__(self, instant: object) -> bool:
        return isinstance(instant, datetime) and self.opens_at <= instant < self.closes_at

    @property
    def last_day(self) -> date:
        """The London day on which it is still open, to tell people."""
        return london_date(self.closes_at - timedelta(microseconds=1))

    def closed_before(self, day: date) -> bool:
        """Whether its last London day lies before this one."""
        return self.closes_at <= start_of_day(day)


def baseline_window(opens_at: datetime, *, ended_on: date | None, contract_ends_on: date) -> Window:
    """From the invitation until support ends, when the post questionnaire takes its place (sch 4 SLAs)."""
    closes_at = start_of_day(ended_on) if ended_on is not None else end_of_day(contract_ends_on)
    return Window(opens_at, max(opens_at, closes_at))


def post_window(ended_on: date, *, months: int, contract_ends_on: date) -> Window:
    """From the day support ended to the same day of the month, `months` later, that day included.

    Month ends are clipped (30 November, three months: the last day of February), and so is the window where
    the contract ends before it (sch 4 KPIs: within three months of the support ending; cl 2).
    """
    last_day = min(add_months(ended_on, months), contract_ends_on)
    return Window(start_of_day(ended_on), end_of_day(max(last_day, ended_on)))


def feedback_window(ended_at: datetime, *, days: int) -> Window:
    """From the end of a session to the end of the London day `days` later (sch 5: feedback on sessions)."""
    return Window(ended_at, end_of_day(london_date(ended_at) + timedelta(days=days)))
