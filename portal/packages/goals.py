"""Goals: what support is to achieve, agreed at the outset of every package (sch 5 1.3.3).

A goal is revisited in words, reworded, met, dropped or opened again; each leaves an entry in its history. Whose it is,
the mentors and the team look back at it; what it says is changed by those who serve the package.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Goal, GoalAct, GoalEvent, GoalState, Package, Person, Strand
from portal.packages.members import locked
from portal.packages.states import Act, FormUsed, PackageRefused, after
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

GOAL_AT_MOST = 1000
REMARK_AT_MOST = 1000


class NoGoal(PackageRefused):
    """Support without a goal, or a goal that is empty or far too long."""

    field = "goals"


class NoRemark(PackageRefused):
    """Nothing was said, or far too much."""

    field = "remark"


def write(
    work: Work, *, package_id: UUID, leader: UUID | None, text: str, goal_id: UUID | None = None
) -> Goal:
    """Put a goal into a package: of its leader (a participation), or of the whole group. Raises NoGoal."""
    _require_goal(text)
    goal = Goal(
        id=goal_id or new_id(),
        package_id=package_id,
        participation_id=leader,
        number=_written(work, package_id) + 1,
        state=GoalState.OPEN,
        agreed_on=london_date(work.now),
    )
    goal.text = text
    work.db.add(goal)
    work.record(Action.GOAL_AGREED, object=f"goal:{goal.id}", holder=goal.holder_id)
    return goal


def _require_goal(text: str) -> None:
    if not any(letter.isalnum() for letter in text):
        raise NoGoal("Enter a goal")
    if len(text) > GOAL_AT_MOST:
        raise NoGoal(f"A goal has {GOAL_AT_MOST} characters at most")


def _written(work: Work, package_id: UUID) -> int:
    return work.db.scalar(select(func.count()).select_from(Goal).where(Goal.package_id == package_id)) or 0


def add_goal(work: Work, *, package_id: UUID, text: str, goal_id: UUID | None = None) -> Goal:
    """Agree a further goal. `goal_id` is its own id, where the form carries one: the same form again gives the first.

    Raises NotPossible, NoGoal or FormUsed.
    """
    package = locked(work, package_id)
    first = work.db.get(Goal, goal_id, populate_existing=True) if goal_id is not None else None
    if first is not None:
        if (first.package_id, first.text) != (package_id, text):
            raise FormUsed
        return first
    after(package.state, Act.CHANGE)
    return write(work, package_id=package_id, leader=_leader(package), text=text, goal_id=goal_id)


def _leader(package: Package) -> UUID | None:
    if package.strand is not Strand.ONE_TO_ONE:
        return None
    return next(part.id for part in reversed(package.participations) if part.to_on is None)


def set_goal_state(work: Work, *, package_id: UUID, goal_id: UUID, state: GoalState) -> Goal:
    """Say how a goal stands. Raises NotPossible. LookupError if it is not a goal of the package."""
    goal = _changeable(work, package_id, goal_id)
    if goal.state is not state:
        goal.state = state
        _enter(work, goal, GoalAct.of(state))
        work.record(Action.GOAL_CHANGED, object=f"goal:{goal.id}", holder=goal.holder_id, state=state)
    return goal


def revisit(
    work: Work, *, package_id: UUID, goal_id: UUID, remark: str, event_id: UUID | None = None
) -> Goal:
    """Say in words how a goal is going. `event_id` is the id of what is said, where the form carries one: the same form
    again changes nothing. Raises NotPossible, NoRemark and FormUsed. LookupError as above."""
    if not any(letter.isalnum() for letter in remark):
        raise NoRemark("Enter what you want to say")
    if len(remark) > REMARK_AT_MOST:
        raise NoRemark(f"Use {REMARK_AT_MOST:,} characters at most")
    goal = _changeable(work, package_id, goal_id)
    first = work.db.get(GoalEvent, event_id, populate_existing=True) if event_id is not None else None
    if first is not None:
        if (first.goal_id, first.by, first.text) != (goal_id, work.actor, remark):
            raise FormUsed
        return goal
    _enter(work, goal, GoalAct.SAID, remark, event_id)
    work.record(Action.GOAL_REVISITED, object=f"goal:{goal.id}", holder=goal.holder_id)
    return goal


def reword(work: Work, *, package_id: UUID, goal_id: UUID, text: str) -> Goal:
    """Agree a goal in other words; the wording before stays in its history. Raises NotPossible, NoGoal."""
    _require_goal(text)
    goal = _changeable(work, package_id, goal_id)
    if goal.text != text:
        _enter(work, goal, GoalAct.REWORDED, goal.text)
        goal.text = text
        work.record(Action.GOAL_REWORDED, object=f"goal:{goal.id}", holder=goal.holder_id)
    return goal


def history(db: DbSession, goal: Goal) -> list[tuple[GoalEvent, str]]:
    """What happened to a goal, newest first, with the name of who did it; two queries."""
    found: Sequence[GoalEvent] = db.scalars(
        select(GoalEvent).where(GoalEvent.goal_id == goal.id).order_by(GoalEvent.at.desc(), GoalEvent.id)
    ).all()
    ids = {UUID(one.by.removeprefix("person:")) for one in found if one.by.startswith("person:")}
    people = {f"person:{one.id}": one for one in db.scalars(select(Person).where(Person.id.in_(ids)))}

    def name(by: str) -> str:
        person = people.get(by)
        return "The programme" if person is None else person.name or person.ref

    return [(one, name(one.by)) for one in found]


def _changeable(work: Work, package_id: UUID, goal_id: UUID) -> Goal:
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    goal = work.db.get(Goal, goal_id, populate_existing=True)
    if goal is None or goal.package_id != package_id:
        raise LookupError("no such goal in this package")
    return goal


def _enter(
    work: Work, goal: Goal, act: GoalAct, text: str | None = None, event_id: UUID | None = None
) -> None:
    event = GoalEvent(
        id=event_id or new_id(),
        goal_id=goal.id,
        package_id=goal.package_id,
        participation_id=goal.participation_id,
        act=act,
        at=work.now,
        by=work.actor,
    )
    event.text = text
    work.db.add(event)
    goal.revisited_on = london_date(work.now)
