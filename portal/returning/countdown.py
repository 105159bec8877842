"""What is due when, counted from the contract's last day, so that nothing personal outlives it by neglect (cl 2, 10,
17.4(e), sch 3a). The days are ours: the contract names only its end. Nothing is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.programme import Programme, contract_period, latest_end
from portal.returning.opening import NOTICE_MONTHS
from portal.returning.words import STEPS
from privacy.clock import add_months, london_date
from privacy.returns import acts
from privacy.returns.course import EVERYTHING, Course, ReturnKind, Step
from privacy.returns.tables import DataReturn

SHOWN_FROM = timedelta(days=180)
"""How long before the end it shows on the pages that people open each day."""

PLAN: Mapping[Step, int] = {
    Step.DIRECTION: -60,
    Step.FINGERPRINT: -45,
    Step.TEST_VOLUME: -40,
    Step.TEST_READ_BACK: -30,
    Step.FREEZE: 1,
    Step.BUILD: 1,
    Step.VERIFY: 1,
    Step.HAND_OVER: 3,
    Step.RECEIPT: 10,
    Step.AUTHORITY: 14,
    Step.DESTROY: 15,
    Step.VERIFIED: 15,
    Step.CERTIFICATE: 15,
}
"""Days after the last day of the contract; before it where negative. The last backup expires when it expires."""


@dataclass(frozen=True)
class Due:
    """A step with the day by which it is planned, None for what waits for nobody, and the day on which it was done."""

    step: Step
    due_on: date | None
    done_on: date | None
    today: date

    @property
    def label(self) -> str:
        return STEPS[self.step].label

    @property
    def late(self) -> bool:
        return self.done_on is None and self.due_on is not None and self.due_on < self.today


@dataclass(frozen=True)
class Countdown:
    """The way to the end. `extend_by` is the last day on which the Department can give notice of an extension, None
    once none is possible; `course` the return of everything that is under way."""

    ends_on: date
    today: date
    extend_by: date | None
    course: Course | None
    dues: Sequence[Due]

    @property
    def days_left(self) -> int:
        """Whole days until the last day; negative once it is past."""
        return (self.ends_on - self.today).days

    @property
    def near(self) -> bool:
        return self.today >= self.ends_on - SHOWN_FROM

    @property
    def next(self) -> Due | None:
        return next((due for due in self.dues if due.done_on is None), None)

    @property
    def late(self) -> list[Due]:
        return [due for due in self.dues if due.late]

    @property
    def words(self) -> str:
        last = filters.day(self.ends_on)
        if self.days_left < 0:
            return f"The contract ended on {last}. Data is here only for its return and destruction"
        left = filters.count(self.days_left, "day", "days")
        return f"The contract ends on {last}, in {left}" if self.days_left else "The contract ends today"


def countdown(db: DbSession, programme: Programme, *, now: datetime) -> Countdown:
    """The countdown at a moment, whether it is near or not."""
    today = london_date(now)
    ends_on = contract_period(db, programme, on=today).ends_on
    course = acts.under_way(db) or _newest(db)
    notice = add_months(ends_on, -NOTICE_MONTHS)
    can_extend = ends_on < latest_end(programme) and today <= notice
    return Countdown(
        ends_on, today, notice if can_extend else None, course, dues(course, ends_on, today=today)
    )


def near(db: DbSession, programme: Programme, *, now: datetime) -> Countdown | None:
    """The countdown once the end is near; one query while it is not."""
    today = london_date(now)
    if today < contract_period(db, programme, on=today).ends_on - SHOWN_FROM:
        return None
    return countdown(db, programme, now=now)


def _newest(db: DbSession) -> Course | None:
    """The return of everything that came to its end last: what is done stays done."""
    found = [one for one in acts.courses(db) if one.scope == EVERYTHING and one.withdrawn is None]
    return found[0] if found else None


def dues(course: Course | None, ends_on: date, *, today: date) -> list[Due]:
    """The steps of a return, or of one still to be directed, with the day for each."""
    if course is None:
        course = Course(DataReturn(wanted="both", scope=str(EVERYTHING), rehearsal=False), [])
    return [Due(step, _due_on(course, step, ends_on), _done_on(course, step), today) for step in course.steps]


def _due_on(course: Course, step: Step, ends_on: date) -> date | None:
    days = PLAN.get(step)
    if days is None or course.of.kind is ReturnKind.PARTIAL:
        return None
    planned = ends_on + timedelta(days=days)
    direction = course.event(Step.DIRECTION)
    # A contract that is ended at once leaves no time before: nothing is late from the first day.
    return max(planned, london_date(direction.entered_at)) if direction is not None else planned


def _done_on(course: Course, step: Step) -> date | None:
    event = course.event(step)
    return london_date(event.at) if event is not None else None


def document(found: Countdown) -> dict[str, Any]:
    """`{ends_on, days_left, extend_by, return, steps: [{step, due_on, done_on, late}]}`, for machines."""
    return {
        "ends_on": found.ends_on.isoformat(),
        "days_left": found.days_left,
        "extend_by": found.extend_by.isoformat() if found.extend_by else None,
        "return": found.course.of.ref if found.course is not None else None,
        "steps": [
            {
                "step": due.step.value,
                "due_on": due.due_on.isoformat() if due.due_on else None,
                "done_on": due.done_on.isoformat() if due.done_on else None,
                "late": due.late,
            }
            for due in found.dues
        ],
    }
