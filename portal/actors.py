"""Who is acting: a person in a signed-in browser, with the roles they hold today."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import joinedload

from portal.access import levels
from portal.access.known import Account, Browser, LeadersBrowser
from portal.access.levels import Reading
from portal.mentors import clearances
from portal.mentors.clearances import Gap
from portal.models import PARTICIPANT, STAFF, Delegation, Level, Person, Role
from portal.registers import access_review
from portal.registers.access_review import Unreviewed

if TYPE_CHECKING:
    from sqlalchemy.orm.strategy_options import _AbstractLoad


FRESH_MINUTES = 10
"""How long ago a proof may be for changing what one proves oneself with, or an address (ASVS 7.5.1)."""


@dataclass(frozen=True)
class Actor:
    """A signed-in person on a London day, `today`.

    `level` is how they proved who they are, last at `proved_at`, and by which `proofs`; `at` is the moment of the
    request. Pages open to them from `enters_at`, and what is theirs from `reads_at` (portal/access/levels.py).
    `follows` is what they were signed in with here before. While `gaps` says that something is missing or has lapsed,
    `roles` holds none of those that need clearance (annex 1), or that the access review did not confirm
    (portal/registers/access_review.py). `leaders` are those whom an assistant books for; `former` is a leader out of
    office who comes back to answer (portal/people/former.py).
    While everything is `frozen`, nothing but duties is written (portal/returning/duties.py). Not `keeps`: no form of
    theirs is kept.
    """

    person_id: UUID
    named: str | Callable[[], str] = field(repr=False)
    roles: frozenset[Role]
    level: Level
    browser_session_id: UUID
    today: date
    gaps: tuple[Gap | Unreviewed, ...] = ()
    leaders: frozenset[UUID] = frozenset()
    former: bool = False
    frozen: bool = False
    proved_at: datetime | None = None
    at: datetime | None = None
    proofs: frozenset[str] = frozenset()
    follows: UUID | None = None
    enters_at: Level = Level.MAIL
    reads_at: Level = Level.MAIL
    keeps: bool = True

    @cached_property
    def name(self) -> str:
        """What they are called; opened when a page shows it."""
        return self.named if isinstance(self.named, str) else self.named()

    @property
    def is_in(self) -> bool:
        """Whether they proved enough for any page of theirs to open."""
        return self.level >= self.enters_at

    @property
    def reads(self) -> bool:
        """Whether they proved enough to read earlier answers, goals, notes and their own data."""
        return self.level >= self.reads_at

    @property
    def is_fresh(self) -> bool:
        """Whether a proof is so new that they may change an address, or what they prove themselves with."""
        return self.proved_within(FRESH_MINUTES)

    def proved_within(self, minutes: int) -> bool:
        """Whether a proof was given in the last minutes, as some acts want it fresh."""
        if self.proved_at is None or self.at is None:
            return False
        return self.at - self.proved_at <= timedelta(minutes=minutes)

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


def roles_on(person: Account, day: date) -> frozenset[Role]:
    """The roles somebody holds by office on a London day."""
    return frozenset(office.role for office in person.offices if office.held_on(day))


def roles_of(person: Account, day: date) -> frozenset[Role]:
    """All roles of somebody on a London day: those they hold by office, and that of an assistant, which is none."""
    held = roles_on(person, day)
    return held | {Role.ASSISTANT} if any(one.live_on(day) for one in person.assists) else held


def open_roles(person: Account, day: date) -> frozenset[Role]:
    """The roles in which somebody may do anything on a London day: those that no gap in clearance or review shuts."""
    return _open_roles(person, roles_of(person, day), on=day)[0]


def _open_roles(
    person: Account, held: frozenset[Role], *, on: date
) -> tuple[frozenset[Role], tuple[Gap | Unreviewed, ...]]:
    """Of the roles held, those that are open, and what shuts the others."""
    gaps = clearances.page_gaps(person, on=on) if held & clearances.GATED else ()
    lapsed = access_review.lapsed(person, on=on) if held & access_review.REVIEWED else None
    shut = (clearances.GATED if gaps else frozenset()) | (access_review.REVIEWED if lapsed else frozenset())
    return held - shut, (*gaps, lapsed) if lapsed else gaps


def with_roles() -> "tuple[_AbstractLoad, ...]":
    """What reads a person together with everything that `roles_of` and `leaders_of` ask, in one query."""
    leader = joinedload(Person.assists).joinedload(Delegation.leader)
    return joinedload(Person.offices), leader.joinedload(Person.offices), joinedload(Person.assisted)


def leaders_of(person: Account, day: date) -> frozenset[UUID]:
    """Whom somebody books for on a London day: leaders who are in office and whose account is open."""
    return frozenset(
        one.leader_id
        for one in person.assists
        if isinstance(one, Delegation)
        and one.live_on(day)
        and one.leader.disabled_at is None
        and roles_on(one.leader, day) & PARTICIPANT
    )


def holds_staff(person: Person, day: date) -> bool:
    """Whether somebody runs or watches the programme on a day, or is to from a later one."""
    return any(
        office.role in STAFF and (office.to_on is None or office.to_on >= day) for office in person.offices
    )


def actor_of(
    browser_session: Browser,
    *,
    on: date,
    former: bool = False,
    at: datetime | None = None,
    reading: Reading = Reading.SHARED_MAILBOXES,
) -> Actor:
    """The actor behind a live browser session, with what their clearance allows on that day, and what they proved."""
    person = browser_session.person
    held = roles_of(person, on)
    roles, gaps = _open_roles(person, held, on=on)
    return Actor(
        person_id=person.id,
        named=lambda: person.name or person.ref,
        roles=roles,
        level=Level(browser_session.level),
        browser_session_id=browser_session.id,
        today=on,
        gaps=gaps,
        leaders=leaders_of(person, on),
        former=former,
        frozen=bool(browser_session.frozen),
        proved_at=browser_session.proved_at,
        at=at,
        proofs=frozenset((browser_session.method or "").split("+")),
        follows=browser_session.follows_id,
        enters_at=levels.enters_at(held),
        reads_at=levels.reads_at(person, held, reading=reading, on=on),
        keeps=not isinstance(browser_session, LeadersBrowser) or browser_session.keeps,
    )
