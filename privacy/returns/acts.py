"""Opening a return, writing down what happens in it, reading it back (cl 15, 17.4(e)).

Who acts is written beside each event; the words are sealed under a key of the return. Everything here goes on while
the site is frozen, so it runs in a `unit_of_work(..., frozen_too=True)`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from privacy.audit import Action
from privacy.clock import as_utc
from privacy.records import new_id
from privacy.references import new_reference
from privacy.returns import standstill
from privacy.returns.course import EVERYTHING, Course, CourseRefused, Scope, StepsMissing
from privacy.returns.tables import (
    Act,
    DataReturn,
    DataReturnEvent,
    ReturnKind,
    ScopeKind,
    Step,
    Wanted,
)
from privacy.work import Work


class InFuture(CourseRefused):
    """Something is said to have happened later than now."""

    field = "on"


class AlreadyOpen(CourseRefused):
    """A return of the same scope is under way; the message names it."""


def open_return(
    work: Work,
    *,
    kind: ReturnKind,
    wanted: Wanted,
    scope: Scope = EVERYTHING,
    rehearsal: bool = False,
    return_id: UUID | None = None,
) -> DataReturn:
    """Open a return; its direction is the first thing that happens in it. The same id again gives the first one.

    Raises AlreadyOpen, or ValueError where kind and scope do not go together.
    """
    work.wait_turn("data-return")
    if return_id is not None and (known := work.db.get(DataReturn, return_id)) is not None:
        return known
    if (kind is ReturnKind.PARTIAL) is (scope.kind is ScopeKind.ALL):
        raise ValueError(f"a {kind} return of {scope}")
    if (other := under_way(work.db, scope)) is not None:
        raise AlreadyOpen(f"{other.of.ref} is under way. Go on there, or withdraw it first")
    made = DataReturn(
        id=return_id or new_id(),
        ref=new_reference("T"),
        kind=kind,
        wanted=wanted,
        scope=str(scope),
        rehearsal=rehearsal,
        opened_at=work.now,
        by=work.actor,
    )
    work.db.add(made)
    work.record(
        Action.RETURN_OPENED, object=f"return:{made.id}", kind=kind, wanted=wanted, rehearsal=rehearsal
    )
    work.db.flush()
    return made


def happen(
    work: Work,
    *,
    return_id: UUID,
    step: Step,
    act: Act = Act.DONE,
    at: datetime | None = None,
    by: str | None = None,
    letter: str | None = None,
    value_on: date | None = None,
    digests: Sequence[str] = (),
    numbers: Mapping[str, int] | None = None,
    body: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> DataReturnEvent:
    """Write an event down, under the lock of the return; flushed. An `event_id` that is there already changes nothing.

    `by` is who answers for it, where that is not who acts. Raises LookupError without the return, what
    `Course.require` raises, or InFuture.
    """
    course = read(work.db, return_id, lock=True)
    known = next((one for one in course.events if one.id == event_id), None)
    if known is not None:
        return known
    by, at = by or work.actor, as_utc(at or work.now)
    if at > work.now:
        raise InFuture("This lies in the future. Enter when it happened")
    course.require(step, act, by=by)
    _require_digests(course, step, act, digests)
    event = DataReturnEvent(
        id=event_id or new_id(),
        return_id=return_id,
        number=1 + max((one.number for one in course.events), default=0),
        step=step,
        act=act,
        at=at,
        entered_at=work.now,
        by=by,
        letter=letter,
        value_on=value_on,
        digests=list(digests) or None,
        numbers=dict(numbers) if numbers else None,
    )
    # A value that is empty takes no key: after the destruction there is none to take.
    event.body = dict(body) if body else None
    work.db.add(event)
    work.record(Action.RETURN_WENT_ON, object=f"return:{return_id}", step=step, act=act)
    _stand_still(work, Course(course.of, [*course.events, event]))
    work.db.flush()
    return event


_RESTS_ON_PACKAGE = frozenset({Step.VERIFY, Step.HAND_OVER, Step.RECEIPT})


class AnotherPackage(CourseRefused):
    """The step is about another package than the one that was built last in this return."""


def _require_digests(course: Course, step: Step, act: Act, digests: Sequence[str]) -> None:
    if step not in _RESTS_ON_PACKAGE or act is not Act.DONE or course.package is None:
        return
    if not digests or digests[0] != course.package:
        raise AnotherPackage("This is another package than the one that was built last for this return")


def _stand_still(work: Work, course: Course) -> None:
    """Freeze, or let go again, as the events now say."""
    if course.of.frozen_at == course.frozen_at:
        return
    if course.frozen_at is not None:
        standstill.wait_for_writers(work.db)
    course.of.frozen_at = course.frozen_at


def withdraw(work: Work, *, return_id: UUID, letter: str | None, reason: str) -> DataReturnEvent:
    """Call a return off, as when the contract is extended; what is frozen moves again. Raises Ended."""
    course = read(work.db, return_id)
    return happen(
        work,
        return_id=return_id,
        step=course.next or Step.DIRECTION,
        act=Act.WITHDRAWN,
        letter=letter,
        body={"reason": reason},
    )


def read(db: DbSession, return_id: UUID, *, lock: bool = False) -> Course:
    """A return with its events; with `lock`, nobody else writes in it until this work ends. Raises LookupError."""
    asked = select(DataReturn).where(DataReturn.id == return_id).execution_options(populate_existing=True)
    found = db.scalars(asked.with_for_update() if lock else asked).first()
    if found is None:
        raise LookupError("no such return")
    events = select(DataReturnEvent).where(DataReturnEvent.return_id == return_id)
    return Course(found, db.scalars(events.order_by(DataReturnEvent.number)).all())


def courses(db: DbSession) -> list[Course]:
    """Every return with its events, the newest first; two queries."""
    asked = select(DataReturn).options(selectinload(DataReturn.events))
    found = db.scalars(asked.order_by(DataReturn.opened_at.desc(), DataReturn.id)).all()
    return [Course(one, one.events) for one in found]


def under_way(db: DbSession, scope: Scope = EVERYTHING) -> Course | None:
    """The return of this scope that is under way; of everything, unless another scope is named."""
    return next((one for one in courses(db) if not one.ended and one.scope == scope), None)


def named(db: DbSession, ref: str | None) -> Course | None:
    """The return with a reference; without one the return that is under way, if any is.

    Raises LookupError, whose message can be shown, for a reference that no return has, and where several are under way.
    """
    found = [one for one in courses(db) if (one.of.ref == ref.upper() if ref else not one.ended)]
    if ref and not found:
        raise LookupError(f"there is no return {ref}")
    if len(found) > 1:
        raise LookupError("several returns are under way: name one with --ref")
    return found[0] if found else None


def require(db: DbSession, step: Step, *, scope: Scope = EVERYTHING) -> Course:
    """The return of this scope that is under way, with the step possible in it. Raises StepsMissing or Ended."""
    course = under_way(db, scope)
    if course is None:
        raise StepsMissing(step, [Step.DIRECTION])
    course.require(step)
    return course
