"""What the page of a group session shows besides the session itself."""

from dataclasses import dataclass
from uuid import UUID

from portal import group_plans, policies, waiting
from portal.models import GroupPlan, Session, SessionState, WaitingState
from portal.registrations import PASSED_OVER_YOU
from portal.views.context import clock_now, programme, the_actor
from portal.views.context import session as db


@dataclass(frozen=True)
class GroupShown:
    """The plan, somebody's own place in the waiting list, and what they may do."""

    plan: GroupPlan | None
    position: int | None
    passed_over: str | None
    promoting: bool
    fixed: bool
    may_run: bool
    may_register: bool
    certificate_id: UUID | None
    to_decide: bool


def shown(held: Session) -> GroupShown:
    """For whoever looks at it."""
    actor, plan = the_actor(), group_plans.of(db(), held.id)
    entry = waiting.entry_of(db(), held.id, actor.person_id) if policies.may_take_place(actor, held) else None
    waits = entry is not None and entry.state is WaitingState.WAITING
    mine = [seat for seat in held.attendances if seat.person_id == actor.person_id]
    ahead = held.state is SessionState.BOOKED and held.starts_at > clock_now()
    return GroupShown(
        plan=plan,
        position=waiting.position(db(), entry) if entry is not None and waits else None,
        passed_over=PASSED_OVER_YOU[entry.passed_over]
        if entry is not None and waits and entry.passed_over
        else None,
        promoting=waiting.in_time(programme(), held, now=clock_now()),
        fixed=plan is not None and plan.set_id is not None,
        may_run=policies.may_run_group(actor, held),
        may_register=policies.may_register(actor, held),
        certificate_id=next((seat.id for seat in mine if policies.may_see_certificate(actor, seat)), None),
        to_decide=ahead and plan is not None and plan.minimum is not None and plan.decision is None,
    )
