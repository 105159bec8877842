"""What the page of a group session shows besides the session itself."""

from dataclasses import dataclass
from uuid import UUID

from portal import policies
from portal.booking import standing
from portal.groups import plans as group_plans
from portal.groups import waiting
from portal.groups.registrations import PASSED_OVER_YOU
from portal.models import GroupPlan, PassedOver, Session, SessionState, WaitingState
from portal.people import delegations
from portal.people.assisting import NOT_OPEN
from portal.views.context import clock_now, programme, the_actor
from portal.views.context import session as db


@dataclass(frozen=True)
class PlaceOf:
    """A place that one may take or give up: one's own, or (`called`) of somebody whose assistant one is."""

    person_id: UUID
    called: str | None
    has: bool
    position: int | None
    passed_over: str | None


@dataclass(frozen=True)
class GroupShown:
    """The plan, the places that are somebody's to take, and what they may do."""

    plan: GroupPlan | None
    places: list[PlaceOf]
    promoting: bool
    fixed: bool
    may_run: bool
    may_register: bool
    certificate_id: UUID | None
    to_decide: bool


def shown(held: Session) -> GroupShown:
    """For whoever looks at it."""
    actor, plan = the_actor(), group_plans.of(db(), held.id)
    people = policies.may_come_for(actor, held)
    names = delegations.names(db(), [one for one in people if one != actor.person_id])
    mine = [seat for seat in held.attendances if seat.person_id == actor.person_id]
    ahead = held.state is SessionState.BOOKED and held.starts_at > clock_now()
    return GroupShown(
        plan=plan,
        places=[_place(held, person_id, names.get(person_id)) for person_id in people],
        promoting=waiting.in_time(programme(), held, now=clock_now()),
        fixed=plan is not None and plan.set_id is not None,
        may_run=policies.may_run_group(actor, held),
        may_register=policies.may_register(actor, held),
        certificate_id=next((seat.id for seat in mine if policies.may_see_certificate(actor, seat)), None),
        to_decide=ahead and plan is not None and plan.minimum is not None and plan.decision is None,
    )


def place_of(held: Session, person_id: UUID) -> PlaceOf:
    """One place, of oneself or of somebody whose assistant one is."""
    own = person_id == the_actor().person_id
    return _place(held, person_id, None if own else delegations.names(db(), [person_id]).get(person_id))


def _place(held: Session, person_id: UUID, called: str | None) -> PlaceOf:
    entry = waiting.entry_of(db(), held.id, person_id)
    waits = entry is not None and entry.state is WaitingState.WAITING
    why = entry.passed_over if entry is not None and waits else None
    return PlaceOf(
        person_id,
        called,
        has=any(seat.person_id == person_id and seat.state in standing.LIVE for seat in held.attendances),
        position=waiting.position(db(), entry) if entry is not None and waits else None,
        passed_over=None if why is None else PASSED_OVER_YOU[why] if called is None else _discreet(why),
    )


def _discreet(why: PassedOver) -> str:
    """Why somebody could not come up, without what an assistant must not learn."""
    if why is PassedOver.CLASH:
        return "A place was free, but they have another session then."
    return f"A place was free. {NOT_OPEN}."
