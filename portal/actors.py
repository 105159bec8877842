"""Who is acting: a person in a signed-in browser, with the roles they hold today."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import joinedload

from portal.mentors import clearances
from portal.mentors.clearances import Gap
from portal.models import PARTICIPANT, STAFF, BrowserSession, Delegation, Person, Role
from portal.registers import access_review
from portal.registers.access_review import Unreviewed

if TYPE_CHECKING:
    from sqlalchemy.orm.strategy_options import _AbstractLoad


@dataclass(frozen=True)
class Actor:
    """A signed-in person on a London day, `today`.

    `level` is how they proved who they are: 1 a mailed code or link, 2 more than that. While `gaps` says that
    something is missing or has lapsed, `roles` holds none of those that need clearance (annex 1), or that the access
    review did not confirm (portal/registers/access_review.py). `leaders` are those whom an assistant books for;
    `former` is a leader out of office who comes back to answer (portal/people/former.py). While everything is
    `frozen`, nothing but duties is written (portal/returning/duties.py).
    """

    person_id: UUID
    name: str
    roles: frozenset[Role]
    level: int
    browser_session_id: UUID
    today: date
    gaps: tuple[Gap | Unreviewed, ...] = ()
    leaders: frozenset[UUID] = frozenset()
    former: bool = False
    frozen: bool = False

    @property
    def ref(self) -> str:
        """How the audit trail calls them."""
        return f"person:{self.person_id}"

    @property
    def is_participant(self) -> bool:
        return bool(self.roles & PARTICIPANT)

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)


def roles_on(person: Person, day: date) -> frozenset[Role]:
    """The roles somebody holds by office on a London day."""
    return frozenset(office.role for office in person.offices if office.held_on(day))


def roles_of(person: Person, day: date) -> frozenset[Role]:
    """All roles of somebody on a London day: those they hold by office, and that of an assistant, which is none."""
    held = roles_on(person, day)
    return held | {Role.ASSISTANT} if any(one.live_on(day) for one in person.assists) else held


def with_roles() -> "tuple[_AbstractLoad, ...]":
    """What reads a person together with everything that `roles_of` and `leaders_of` ask, in one query."""
    leader = joinedload(Person.assists).joinedload(Delegation.leader)
    return joinedload(Person.offices), leader.joinedload(Person.offices)


def leaders_of(person: Person, day: date) -> frozenset[UUID]:
    """Whom somebody books for on a London day: leaders who are in office and whose account is open."""
    return frozenset(
        one.leader_id
        for one in person.assists
        if one.live_on(day) and one.leader.disabled_at is None and roles_on(one.leader, day) & PARTICIPANT
    )


def holds_staff(person: Person, day: date) -> bool:
    """Whether somebody runs or watches the programme on a day, or is to from a later one."""
    return any(
        office.role in STAFF and (office.to_on is None or office.to_on >= day) for office in person.offices
    )


def actor_of(browser_session: BrowserSession, *, on: date, former: bool = False) -> Actor:
    """The actor behind a live browser session, with what their clearance allows on that day."""
    person = browser_session.person
    held = roles_of(person, on)
    gaps = clearances.page_gaps(person, on=on) if held & clearances.GATED else ()
    lapsed = access_review.lapsed(person, on=on) if held & access_review.REVIEWED else None
    closed = (clearances.GATED if gaps else frozenset()) | (access_review.REVIEWED if lapsed else frozenset())
    return Actor(
        person_id=person.id,
        name=person.name or person.ref,
        roles=held - closed,
        level=browser_session.level,
        browser_session_id=browser_session.id,
        today=on,
        gaps=(*gaps, lapsed) if lapsed else gaps,
        leaders=leaders_of(person, on),
        former=former,
        frozen=bool(browser_session.frozen),
    )
