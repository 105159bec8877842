"""Who is acting: a person in a signed-in browser, with the roles they hold today."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.models import PARTICIPANT, STAFF, BrowserSession, Person, Role


@dataclass(frozen=True)
class Actor:
    """A signed-in person on a London day, `today`.

    `level` is how they proved who they are: 1 a mailed code or link, 2 more than that.
    """

    person_id: UUID
    name: str
    roles: frozenset[Role]
    level: int
    browser_session_id: UUID
    today: date

    @property
    def ref(self) -> str:
        """How the audit trail calls them."""
        return f"person:{self.person_id}"

    @property
    def is_participant(self) -> bool:
        return bool(self.roles & PARTICIPANT)


def roles_on(person: Person, day: date) -> frozenset[Role]:
    """The roles somebody holds on a London day."""
    return frozenset(office.role for office in person.offices if office.held_on(day))


def holds_staff(person: Person, day: date) -> bool:
    """Whether somebody runs or watches the programme on a day, or is to from a later one."""
    return any(
        office.role in STAFF and (office.to_on is None or office.to_on >= day) for office in person.offices
    )


def actor_of(browser_session: BrowserSession, *, on: date) -> Actor:
    """The actor behind a live browser session."""
    person = browser_session.person
    return Actor(
        person_id=person.id,
        name=person.name or person.ref,
        roles=roles_on(person, on),
        level=browser_session.level,
        browser_session_id=browser_session.id,
        today=on,
    )
