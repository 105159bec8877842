"""When a wave is open. Windows are computed from dates each time they are needed and stored nowhere, so that
moving a date moves them.

    baseline   from the invitation until the first session starts           (sch 4 SLAs)
    interim    some months after support started, for some days             (sch 5)
    feedback   from the end of a session, for some days                     (sch 5)
    post       from the day support ended, for three months                 (sch 4 KPIs)

A window is half-open: what happens at `closes_at` is late. Who began in time can finish until `finish_by`; what
was not finished then is partial. No window reaches past the end of the contract (cl 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from privacy.clock import add_months, end_of_day, london_date, start_of_day


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the programme sets for all windows; `contract_ends_on` as it stands today."""

    post_months: int
    feedback_days: int
    interim_months: Sequence[int]
    interim_days: int
    grace_days: int
    contract_ends_on: date


@dataclass(frozen=True)
class Window:
    """From an instant, up to and without another; `finish_by` is when the grace for drafts is over. Aware UTC."""

    opens_at: datetime
    closes_at: datetime
    finish_by: datetime

    def __contains__(self, instant: object) -> bool:
        return isinstance(instant, datetime) and self.opens_at <= instant < self.closes_at

    def takes(self, instant: datetime, *, started: bool) -> bool:
        """Whether answers can come in: while it is open, and in the grace where there is a draft."""
        return instant in self or (started and self.closes_at <= instant < self.finish_by)

    def late(self, submitted_at: datetime) -> bool:
        """Whether what was sent then came after it closed. What came before it opened is in time."""
        return submitted_at >= self.closes_at

    @property
    def last_day(self) -> date:
        """The London day on which it is still open, to tell people."""
        return london_date(self.closes_at - timedelta(microseconds=1))

    @property
    def grace_day(self) -> date:
        """The last London day on which a draft can be finished."""
        return london_date(self.finish_by - timedelta(microseconds=1))

    def closed_before(self, day: date) -> bool:
        """Whether its last London day lies before this one."""
        return self.closes_at <= start_of_day(day)


class Stand(StrEnum):
    """How somebody stands in a wave. GRACE: closed, and the draft can still be finished. PARTIAL: never was.
    LATE: sent after the window closed."""

    COMING = "coming"
    OPEN = "open"
    STARTED = "started"
    GRACE = "grace"
    PARTIAL = "partial"
    MISSED = "missed"
    SENT = "sent"
    LATE = "late"


TO_ANSWER = frozenset({Stand.OPEN, Stand.STARTED, Stand.GRACE})
"""Where there is something to do for whoever is asked."""


def stand(
    window: Window, *, now: datetime, started: bool, submitted_at: datetime | None, reopened: bool = False
) -> Stand:
    """Where a response stands now; `reopened`: the team lets somebody change what they sent, whenever."""
    if reopened:
        return Stand.STARTED if now < window.closes_at else Stand.GRACE
    if submitted_at is not None:
        return Stand.LATE if window.late(submitted_at) else Stand.SENT
    if now in window:
        return Stand.STARTED if started else Stand.OPEN
    if now < window.opens_at:
        return Stand.COMING
    if not started:
        return Stand.MISSED
    return Stand.GRACE if now < window.finish_by else Stand.PARTIAL


def baseline_window(
    opens_at: datetime, *, first_session_at: datetime | None, ended_on: date | None, terms: Terms
) -> Window:
    """From the invitation until the first session starts, or support ends without any (sch 4 SLAs)."""
    ends = [end_of_day(terms.contract_ends_on)]
    ends += [start_of_day(ended_on)] if ended_on is not None else []
    ends += [first_session_at] if first_session_at is not None else []
    return _window(opens_at, min(ends), terms)


def interim_windows(starts_on: date, *, ended_on: date | None, terms: Terms) -> list[tuple[int, Window]]:
    """Each interim wave with the months it comes after the start; none on or after the day support ended."""
    found = []
    for months in terms.interim_months:
        opens_on = add_months(starts_on, months)
        if opens_on > terms.contract_ends_on or (ended_on is not None and opens_on >= ended_on):
            continue
        last_day = min(opens_on + timedelta(days=terms.interim_days), terms.contract_ends_on)
        closes_at = end_of_day(last_day)
        if ended_on is not None:
            closes_at = min(closes_at, start_of_day(ended_on))
        found.append((months, _window(start_of_day(opens_on), closes_at, terms)))
    return found


def post_last_day(ended_on: date, *, terms: Terms) -> date:
    """The last day of the post questionnaire: the same day of the month, some months later.

    Month ends are clipped (30 November, three months: the last day of February), and the contract's end clips
    the rest (sch 4 KPIs: within three months of the support ending; cl 2).
    """
    return max(ended_on, min(add_months(ended_on, terms.post_months), terms.contract_ends_on))


def post_is_clipped(ended_on: date, *, terms: Terms) -> bool:
    """Whether the contract's end leaves less time than the contract's months, which the team should know."""
    return post_last_day(ended_on, terms=terms) < add_months(ended_on, terms.post_months)


def post_window(ended_on: date, *, terms: Terms) -> Window:
    """From the day support ended to `post_last_day`, that day included."""
    return _window(start_of_day(ended_on), end_of_day(post_last_day(ended_on, terms=terms)), terms)


def feedback_window(ended_at: datetime, *, terms: Terms) -> Window:
    """From the end of a session to the end of the London day some days later (sch 5: feedback on sessions)."""
    last_day = min(london_date(ended_at) + timedelta(days=terms.feedback_days), terms.contract_ends_on)
    return _window(ended_at, max(ended_at, end_of_day(last_day)), terms)


def _window(opens_at: datetime, closes_at: datetime, terms: Terms) -> Window:
    last_day = london_date(closes_at - timedelta(microseconds=1))
    finish_by = end_of_day(min(last_day + timedelta(days=terms.grace_days), terms.contract_ends_on))
    return Window(opens_at, closes_at, max(finish_by, closes_at))
