"""Churn: somebody leaves, somebody else takes their place, and support passes to them or ends (sch 5 risk 4).

Nothing of the one before goes along: the successor has a part of their own, with a first questionnaire of their own.
A group goes on with another member. One-to-one support ends for the one before, and a new package follows it, with
the same mentors and goals that are agreed anew. Coming sessions go to the successor at the same time, or are
cancelled; calendars are told either way. A session that passed on before the successor's first questionnaire is in
is not held without it (portal/booking/standing.py).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import diary, standing
from portal.models import (
    Attendance,
    AttendanceState,
    Office,
    Package,
    Participation,
    Role,
    Session,
    SessionState,
    Strand,
)
from portal.packages import members as matching
from portal.packages.states import PackageRefused
from portal.packages.succession import Newcomer, Outcome, Running, Successor, Terms, group, one_to_one
from portal.people import register as people
from portal.programme import Programme
from privacy.audit import Action
from privacy.work import Work

__all__ = [
    "Newcomer",
    "Outcome",
    "Overtaken",
    "Running",
    "Successor",
    "Terms",
    "pass_on",
    "replace",
    "running",
    "support_of",
]


class Overtaken(PackageRefused):
    """Sessions or support of theirs have changed at this very moment."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody has just changed their sessions or their support. Look at them again, and try once more"
        )


def running(
    db: DbSession, *, person_id: UUID, role: Role, council_id: UUID | None, now: datetime
) -> list[Running]:
    """What somebody is supported in, in a role: in a council, or nationally."""
    parts = db.scalars(
        select(Participation)
        .join(Package)
        .where(
            Participation.person_id == person_id,
            Participation.role == role,
            Participation.to_on.is_(None),
            Package.state.not_in(matching.OVER),
            Package.council_id.is_(None) | (Package.council_id == council_id),
        )
        .options(
            joinedload(Participation.package).joinedload(Package.council), joinedload(Participation.person)
        )
        .order_by(Package.starts_on, Package.id)
    ).all()
    return [Running(part, _coming(db, part, now=now)) for part in parts]


def support_of(db: DbSession, part: Participation, *, now: datetime) -> Running:
    """One part, and its sessions still to come."""
    return Running(part, _coming(db, part, now=now))


def _coming(db: DbSession, part: Participation, *, now: datetime) -> Sequence[Session]:
    """The sessions still to come in which somebody has a place."""
    return db.scalars(
        select(Session)
        .join(Attendance, Attendance.session_id == Session.id)
        .where(
            Attendance.participation_id == part.id,
            Attendance.state == AttendanceState.BOOKED,
            Session.state == SessionState.BOOKED,
            Session.starts_at > now,
        )
        .order_by(Session.starts_at, Session.id)
    ).all()


def pass_on(work: Work, programme: Programme, *, person_id: UUID, office_id: UUID, terms: Terms) -> Outcome:
    """A role has ended: end the office, and hand every support in it on, or end it; in one act or not at all.

    Raises a PackageRefused, such as Overtaken, a PersonRefused or OutsideContract. LookupError for an office that is
    not theirs.
    """
    office = work.db.get(Office, office_id)
    if office is None or office.person_id != person_id:
        raise LookupError("no such office")
    role, council_id = office.role, office.council_id

    def read() -> list[Running]:
        return running(work.db, person_id=person_id, role=role, council_id=council_id, now=work.now)

    found = _under_locks(work, read, terms.successor)
    people.end_office(work, person_id=person_id, office_id=office_id, on=terms.on)
    outcome = _hand_on(work, programme, found, terms=terms, council_id=council_id)
    work.record(
        Action.ROLE_PASSED_ON,
        object=f"person:{person_id}",
        holder=person_id,
        role=role,
        on=terms.on,
        moved=len(outcome.moved),
        ended=len(outcome.ended),
    )
    return outcome


def replace(work: Work, programme: Programme, *, participation_id: UUID, terms: Terms) -> Outcome:
    """Somebody's place in one package passes to another, whatever becomes of the role. Raises as `pass_on` does."""

    def read() -> list[Running]:
        part = work.db.get(Participation, participation_id, populate_existing=True)
        if part is None or part.person_id is None or part.to_on is not None:
            raise LookupError("nobody who takes part")
        return [support_of(work.db, part, now=work.now)]

    found = _under_locks(work, read, terms.successor)
    return _hand_on(work, programme, found, terms=terms, council_id=found[0].package.council_id)


def _hand_on(
    work: Work,
    programme: Programme,
    found: Sequence[Running],
    *,
    terms: Terms,
    council_id: UUID | None,
) -> Outcome:
    outcome = Outcome()
    successor_id = _successor(work, terms.successor, council_id) if terms.successor is not None else None
    for one in found:
        moves = one.part.id in terms.moves and successor_id is not None
        hand = one_to_one if one.package.strand is Strand.ONE_TO_ONE else group
        package_id = hand(
            work, programme, one, terms=terms, to=successor_id if moves else None, outcome=outcome
        )
        (outcome.moved if moves else outcome.ended).append(package_id)
    return outcome


def _successor(work: Work, successor: Successor, council_id: UUID | None) -> UUID:
    """The person who follows, added where they are new."""
    if isinstance(successor.who, UUID):
        return successor.who
    added = people.add(
        work,
        name=successor.who.name,
        email=successor.who.email,
        role=successor.role,
        council_id=council_id,
        starts_on=successor.from_on,
    )
    work.db.flush()
    return added.id


def _under_locks(work: Work, read: Callable[[], list[Running]], successor: Successor | None) -> list[Running]:
    """What is handed on, read again under its locks. Raises Overtaken where it is not the same any more.

    Everybody of all the sessions at once, then the sessions, then the packages: the one order of locks.
    """
    found = read()
    before = _ids(found)
    session_ids = {session.id for one in found for session in one.coming}
    everybody = standing.coming_to(work.db, session_ids)
    everybody |= {session.mentor_id for one in found for session in one.coming}
    everybody |= {one.part.person_id for one in found if one.part.person_id is not None}
    if successor is not None and isinstance(successor.who, UUID):
        everybody.add(successor.who)
    diary.lock(work, everybody)
    work.db.scalars(
        select(Session)
        .where(Session.id.in_(session_ids))
        .order_by(Session.id)
        .with_for_update(of=Session, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for package_id in sorted({one.package.id for one in found}):
        matching.locked(work, package_id)
    found = read()
    if _ids(found) != before:
        raise Overtaken
    return found


def _ids(found: Sequence[Running]) -> list[tuple[UUID, list[tuple[UUID, UUID]]]]:
    """Which parts are handed on, and with which sessions and mentors."""
    return [(one.part.id, [(session.id, session.mentor_id) for session in one.coming]) for one in found]
