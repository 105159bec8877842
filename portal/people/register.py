"""People and the offices they hold: adding, changing, ending, closing an account.

An address belongs to one person; a person holds as many offices as there are rows for them. Who runs or watches
the programme is an administrator's affair: they add such offices, and they alone change those who hold one, or
are to. Else somebody of the team could take over such an account by its address. Administrators are made on the
command line alone.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.access import telling
from portal.actors import holds_staff, roles_on
from portal.booking import open_offers
from portal.councils import register as councils
from portal.imports import has_control_characters
from portal.mailing import bounces, feeds
from portal.models import PARTICIPANT, STAFF, BrowserSession, Council, Office, Person, Role, SignIn
from portal.packages import members as matching
from portal.references import new_reference
from privacy.audit import Action
from privacy.clock import add_months, london_date
from privacy.columns import AddressKeys
from privacy.constraints import refused_as
from privacy.records import new_id
from privacy.work import Work

NAME_AT_MOST = 200
ADDRESS_AT_MOST = 254
TEAM_GIVES = PARTICIPANT | {Role.MENTOR}
ADMINISTRATOR_GIVES = (STAFF | {Role.MENTOR}) - {Role.ADMINISTRATOR}
AUDIT_MONTHS_AT_MOST = 12
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


class PersonRefused(Exception):
    """What was asked of a person cannot be done; `field` names what it concerns, the message says why."""

    field = "name"


class AddressTaken(PersonRefused):
    """Somebody else has this e-mail address."""

    field = "email"


class NotAnAddress(PersonRefused):
    field = "email"


class NotAName(PersonRefused):
    pass


class WrongCouncil(PersonRefused):
    """A role in a council needs one that exists that day; any other role has none."""

    field = "council"


class WrongDates(PersonRefused):
    field = "ends_on"


class RoleNotGiven(PersonRefused):
    """A role that is another's to give: an administrator's, the team's, or the command line's."""

    field = "role"


class RoleHeldAlready(PersonRefused):
    """The person holds this office in these days already."""

    field = "role"


class OfficeConflicts(PersonRefused):
    """The office would put a mentor into a council whose support they give: a hard stop (annex 2)."""

    field = "council"


class AdministratorsOnly(PersonRefused):
    """An account of staff, which is left to administrators, or one's own, which is left to another."""


@dataclass(frozen=True)
class Authority:
    """What somebody may do with people: the roles they give, and whether accounts of staff are theirs to change.

    `today` is the London day on which they act.
    """

    roles: frozenset[Role]
    over_staff: bool
    today: date

    def may_change(self, person: Person) -> bool:
        return self.over_staff or not holds_staff(person, self.today)


def authority(db: DbSession, *, actor: str, today: date) -> Authority:
    """Of an actor as the trail names them. One who is no person is a command of the machine's operator."""
    kind, _, ref = actor.partition(":")
    if kind != "person":
        return Authority(TEAM_GIVES | ADMINISTRATOR_GIVES, True, today)
    person = db.get(Person, UUID(ref))
    held = roles_on(person, today) if person is not None else frozenset[Role]()
    over_staff = Role.ADMINISTRATOR in held
    given = ADMINISTRATOR_GIVES if over_staff else frozenset[Role]()
    return Authority(given | TEAM_GIVES if Role.TEAM in held else given, over_staff, today)


def is_address(text: str) -> bool:
    """Whether mail can be written to it: plain letters, one @, a domain with a dot."""
    return len(text) <= ADDRESS_AT_MOST and _ADDRESS.fullmatch(text) is not None


def name_fault(text: str) -> str | None:
    """What is wrong with a name, in words; None for a name that can be used as it is."""
    if not any(letter.isalnum() for letter in text):
        return "Enter a name"
    if len(text) > NAME_AT_MOST:
        return f"The name is longer than {NAME_AT_MOST} characters"
    if has_control_characters(text):
        return "The name holds a line break or a tab"
    return None


def audit_fault(role: Role, starts_on: date, ends_on: date | None) -> str | None:
    """What is wrong with the days of an auditor, who reads for a bounded time (cl 14, 17.9); None for other roles."""
    if role is Role.AUDITOR and (ends_on is None or ends_on > add_months(starts_on, AUDIT_MONTHS_AT_MOST)):
        return "An audit is for a bounded time: enter the last day, within a year of the first"
    return None


def add(
    work: Work,
    *,
    name: str,
    email: str,
    role: Role,
    council_id: UUID | None,
    starts_on: date,
    ends_on: date | None = None,
    phone: str | None = None,
) -> Person:
    """Add a person with an office. Raises a PersonRefused."""
    _require_name(name)
    person_id = new_id()
    office = _office(work, person_id=person_id, role=role, council_id=council_id, days=(starts_on, ends_on))
    person = _enter(work, person_id, name=name, email=email, phone=phone)
    work.db.add(office)
    work.record(Action.PERSON_ADDED, object=f"person:{person.id}", holder=person.id, role=role)
    return person


def add_assistant(work: Work, *, name: str, email: str) -> Person:
    """Add somebody who holds no office; who they book for is said elsewhere. Raises a PersonRefused."""
    _require_name(name)
    person = _enter(work, new_id(), name=name, email=email, phone=None)
    work.record(Action.PERSON_ADDED, object=f"person:{person.id}", holder=person.id, role=Role.ASSISTANT)
    return person


def _enter(work: Work, person_id: UUID, *, name: str, email: str, phone: str | None) -> Person:
    person = Person(id=person_id, ref=new_reference("P"), created_at=work.now)
    person.name, person.phone = name, phone or None
    set_address(work, person, email)
    return person


def change(work: Work, *, person_id: UUID, name: str, email: str, phone: str | None) -> Person:
    """Change what is known of a person. Raises a PersonRefused."""
    person = _theirs(work, person_id)
    _require_name(name)
    wanted = {"name": name, "phone": phone or None}
    changed = [what for what, value in wanted.items() if getattr(person, what) != value]
    for what in changed:
        setattr(person, what, wanted[what])
    if person.email != email:
        changed.append("email")
        set_address(work, person, email)
    for what in changed:
        work.record(Action.PERSON_CHANGED, object=f"person:{person_id}", holder=person_id, what=what)
    return person


def add_office(
    work: Work,
    *,
    person_id: UUID,
    role: Role,
    council_id: UUID | None,
    starts_on: date,
    ends_on: date | None = None,
) -> Office:
    """Give somebody a further office. Raises a PersonRefused."""
    person = _theirs(work, person_id)
    _require_not_held(person, role, council_id, (starts_on, ends_on))
    if council_id is not None:
        require_no_conflict(work.db, person_id=person_id, council_id=council_id, on=london_date(work.now))
    office = _office(work, person_id=person_id, role=role, council_id=council_id, days=(starts_on, ends_on))
    work.db.add(office)
    work.record(Action.OFFICE_ADDED, object=f"person:{person_id}", holder=person_id, role=role)
    return office


def end_office(work: Work, *, person_id: UUID, office_id: UUID, on: date) -> Office:
    """The last day of an office. Raises as `set_last_day`, or AdministratorsOnly. LookupError if it is not theirs."""
    _theirs(work, person_id)
    office = work.db.get(Office, office_id)
    if office is None or office.person_id != person_id:
        raise LookupError("no such office")
    if office.role in STAFF and not _authority(work).over_staff:
        # A past office could else be made to run again.
        raise AdministratorsOnly("Only an administrator can change this role")
    set_last_day(work, office, on)
    return office


def set_last_day(work: Work, office: Office, on: date) -> None:
    """Give an office its last day; what a mentor offered after it is taken back. Raises as `require_last_day`."""
    require_last_day(work.db, office, on, today=london_date(work.now))
    office.to_on = on
    person_id = office.person_id
    if office.role is Role.MENTOR:
        open_offers.withdraw(work, mentor_id=person_id, after=on)
    work.record(Action.OFFICE_ENDED, object=f"person:{person_id}", holder=person_id, role=office.role, on=on)


def require_last_day(db: DbSession, office: Office, on: date, *, today: date) -> None:
    """Raises WrongDates before its first day or for an audit without bounds. An office that gets longer is asked what
    a new one is asked: raises RoleHeldAlready or OfficeConflicts."""
    if on < office.from_on:
        raise WrongDates("The last day is before the first")
    _require_bounded(office.role, office.from_on, on)
    if office.to_on is None or on <= office.to_on:
        return
    _require_not_held(office.person, office.role, office.council_id, (office.from_on, on), but=office)
    if office.council_id is not None:
        require_no_conflict(db, person_id=office.person_id, council_id=office.council_id, on=today)


def disable(work: Work, *, person_id: UUID) -> Person:
    """Close an account: its sign-ins end now, and nobody can sign in with it. Raises AdministratorsOnly."""
    person = _theirs(work, person_id)
    if work.actor == f"person:{person_id}":
        raise AdministratorsOnly("You cannot close your own account. Ask a colleague")
    if person.disabled_at is None:
        person.disabled_at = work.now
        end_sign_ins(work, person_id)
        feeds.end(work, person_id=person_id)
        open_offers.withdraw(work, mentor_id=person_id)
        work.record(Action.PERSON_DISABLED, object=f"person:{person_id}", holder=person_id)
    return person


def enable(work: Work, *, person_id: UUID) -> Person:
    """Open a closed account again. Raises AdministratorsOnly."""
    person = _theirs(work, person_id)
    if person.disabled_at is not None:
        person.disabled_at = None
        work.record(Action.PERSON_ENABLED, object=f"person:{person_id}", holder=person_id)
    return person


def sign_out_everywhere(work: Work, *, person_id: UUID) -> None:
    """End every browser and kept device of somebody, and every sign-in that waits."""
    end_sign_ins(work, person_id)
    work.record(Action.SIGN_INS_ENDED, object=f"person:{person_id}", holder=person_id)


def end_sign_ins(work: Work, person_id: UUID) -> None:
    """End every signed-in browser of a person, and every sign-in that waits."""
    work.db.execute(
        update(BrowserSession)
        .where(BrowserSession.person_id == person_id, BrowserSession.ended_at.is_(None))
        .values(ended_at=work.now)
    )
    work.db.execute(
        update(SignIn).where(SignIn.person_id == person_id, SignIn.used_at.is_(None)).values(used_at=work.now)
    )


def overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    """Whether two stretches share a day; None is a stretch without an end."""
    return (other[1] is None or one[0] <= other[1]) and (one[1] is None or other[0] <= one[1])


def require_no_conflict(db: DbSession, *, person_id: UUID, council_id: UUID, on: date) -> None:
    """Raises OfficeConflicts where a package of that council has them as a mentor, or of theirs a mentor from it."""
    package = matching.conflicts_of_office(db, on=on, person_ids=[person_id]).get((person_id, council_id))
    if package is not None:
        raise OfficeConflicts(conflict_words(package))


def conflict_words(package: str) -> str:
    """What is said where an office would be a conflict of interest in a package."""
    return (
        f"With this role, package {package} would have a mentor with an office in its council. "
        "Take that mentor off first (annex 2)"
    )


def _theirs(work: Work, person_id: UUID) -> Person:
    """The person, locked. LookupError where there is none."""
    person = work.db.scalars(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if person is None:
        raise LookupError("no such person")
    if not _authority(work).may_change(person):
        raise AdministratorsOnly("This is an account of staff. Only an administrator can change it")
    return person


def _authority(work: Work) -> Authority:
    return authority(work.db, actor=work.actor, today=london_date(work.now))


def _office(
    work: Work, *, person_id: UUID, role: Role, council_id: UUID | None, days: tuple[date, date | None]
) -> Office:
    starts_on, ends_on = days
    if role is Role.ADMINISTRATOR:
        raise RoleNotGiven("Administrators are made on the command line")
    if role not in _authority(work).roles:
        who = "an administrator" if role in STAFF else "the programme team"
        raise RoleNotGiven(f"Only {who} can give this role")
    if ends_on is not None and ends_on < starts_on:
        raise WrongDates("The last day is before the first")
    _require_bounded(role, starts_on, ends_on)
    council = work.db.get(Council, council_id) if council_id is not None else None
    if role in PARTICIPANT and council is None:
        raise WrongCouncil("This role is held in a council. Choose the council")
    if role not in PARTICIPANT and council_id is not None:
        raise WrongCouncil("This role is held in the programme. Leave the council empty")
    if council is not None and not councils.is_live(council, starts_on):
        raise WrongCouncil(f"{council.name} does not exist on the first day of the role")
    return Office(
        id=new_id(), person_id=person_id, council_id=council_id, role=role, from_on=starts_on, to_on=ends_on
    )


def _require_bounded(role: Role, starts_on: date, ends_on: date | None) -> None:
    if fault := audit_fault(role, starts_on, ends_on):
        raise WrongDates(fault)


def _require_not_held(
    person: Person,
    role: Role,
    council_id: UUID | None,
    days: tuple[date, date | None],
    *,
    but: Office | None = None,
) -> None:
    for held in person.offices:
        same = held is not but and (held.role, held.council_id) == (role, council_id)
        if same and overlap((held.from_on, held.to_on), days):
            raise RoleHeldAlready("They hold this role in these days already")


def _require_name(name: str) -> None:
    if fault := name_fault(name):
        raise NotAName(fault)


def set_address(work: Work, person: Person, email: str) -> None:
    """Give somebody, new or known, an address, which finds them from then on. Raises NotAnAddress or AddressTaken.

    Another address than before ends their sign-ins, for it may be another mailbox, and nobody has refused its mail.
    """
    if not is_address(email):
        raise NotAnAddress("Enter an e-mail address like name@council.gov.uk")
    keys = AddressKeys(work.db)
    holder = work.db.scalars(
        select(Person.id).where(Person.email_index.in_(keys.indexes(email)), Person.id != person.id)
    ).first()
    if holder is not None:
        raise AddressTaken("Somebody else has this address")
    before = person.email
    # Two of the team may give the same address at one moment.
    taken = partial(AddressTaken, "Somebody else has this address")
    with refused_as(work.db, {"uq_person_email_index": taken}):
        work.db.add(person)
        person.email = email
        person.email_index = keys.index(email)
    if before and before != email:
        end_sign_ins(work, person.id)
        bounces.clear(work, person_id=person.id)
        telling.tell_of_address(work, person, before)
