"""Goals: what support is to achieve, agreed at the outset of every package (sch 5 1.3.3)."""

from uuid import UUID

from sqlalchemy import func, select

from portal.matching import locked
from portal.models import Goal, GoalState, Package, Strand
from portal.package_states import Act, PackageRefused, after
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

GOAL_AT_MOST = 1000


class NoGoal(PackageRefused):
    """Support without a goal, or a goal that is empty or far too long."""

    field = "goals"


def write(work: Work, *, package_id: UUID, leader: UUID | None, text: str) -> Goal:
    """Put a goal into a package: of its leader (a participation), or of the whole group. Raises NoGoal."""
    if not any(letter.isalnum() for letter in text):
        raise NoGoal("Enter a goal")
    if len(text) > GOAL_AT_MOST:
        raise NoGoal(f"A goal has {GOAL_AT_MOST} characters at most")
    goal = Goal(
        id=new_id(),
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


def _written(work: Work, package_id: UUID) -> int:
    return work.db.scalar(select(func.count()).select_from(Goal).where(Goal.package_id == package_id)) or 0


def add_goal(work: Work, *, package_id: UUID, text: str) -> Goal:
    """Agree a further goal. Raises NotPossible or NoGoal."""
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    return write(work, package_id=package_id, leader=_leader(package), text=text)


def _leader(package: Package) -> UUID | None:
    if package.strand is not Strand.ONE_TO_ONE:
        return None
    return next(part.id for part in reversed(package.participations) if part.to_on is None)


def set_goal_state(work: Work, *, package_id: UUID, goal_id: UUID, state: GoalState) -> Goal:
    """Say how a goal stands. Raises NotPossible. LookupError if it is not a goal of the package."""
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    goal = work.db.get(Goal, goal_id)
    if goal is None or goal.package_id != package_id:
        raise LookupError("no such goal in this package")
    if goal.state is not state:
        goal.state = state
        work.record(Action.GOAL_CHANGED, object=f"goal:{goal.id}", holder=goal.holder_id, state=state)
    return goal
