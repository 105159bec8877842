"""A file of support that is running or over when the portal comes into use: packages, people, sessions held.

Taken whole or not at all. A package is known by the file's own word for it, a session by its package, mentor and
start: the same file again does nothing, and a longer one adds what is new. Nobody gets a mail. The agreement with the
Department is recorded first, and baseline answers are taken from a file of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session as DbSession

from portal.booking import standing
from portal.models import (
    AttendanceState,
    Package,
    PackageState,
    Participation,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import goals
from portal.packages import members as matching
from portal.packages.plan import Held, Planned, Reader
from portal.programme import Programme
from portal.references import new_reference
from privacy.audit import Action
from privacy.progress import Progress, untold
from privacy.records import new_id
from privacy.work import Work


@dataclass(frozen=True)
class Taken:
    """What an import did, or would do, in new rows; `notes` say how the file was read."""

    packages: int
    members: int
    mentors: int
    sessions: int
    notes: list[str]


def check_file(db: DbSession, programme: Programme, data: bytes, *, now: datetime) -> Taken:
    """What an import would do. Raises FileFaults with every fault; writes nothing."""
    plan, notes = Reader(db, programme, now).read(data)
    return _taken(plan, notes)


def import_file(work: Work, programme: Programme, data: bytes, *, tell: Progress = untold) -> Taken:
    """Add what the file tells. Raises FileFaults with every fault; then nothing was written."""
    plan, notes = Reader(work.db, programme, work.now).read(data)
    for number, one in enumerate(plan, 1):
        _write(work, programme, one)
        tell(number, len(plan))
    taken = _taken(plan, notes)
    if taken.packages or taken.members or taken.mentors or taken.sessions:
        work.record(
            Action.PACKAGES_IMPORTED,
            object=f"import:{new_id()}",
            packages=taken.packages,
            members=taken.members,
            mentors=taken.mentors,
            sessions=taken.sessions,
        )
    return taken


def _taken(plan: Sequence[Planned], notes: list[str]) -> Taken:
    return Taken(
        packages=sum(one.known is None for one in plan),
        members=sum(len(one.members) for one in plan),
        mentors=sum(len(one.mentors) for one in plan),
        sessions=sum(len(one.sessions) for one in plan),
        notes=notes,
    )


def _write(work: Work, programme: Programme, planned: Planned) -> None:
    package = planned.known or _make(work, programme, planned)
    parts = {part.person_id: part for part in package.participations if part.person_id is not None}
    for member, person_id in planned.members:
        part = matching.enrol(
            work,
            package=package,
            person_id=person_id,
            role=member.role,
            from_on=member.from_on or planned.head.starts_on,
        )
        part.to_on = member.to_on
        parts[person_id] = part
    for mentor, person_id in planned.mentors:
        serving = matching.serve(
            work, package=package, person_id=person_id, from_on=mentor.from_on or planned.head.starts_on
        )
        serving.to_on = mentor.to_on or planned.head.ends_on
    work.db.flush()
    leader = next(iter(parts.values())).id if package.strand is Strand.ONE_TO_ONE else None
    for text in planned.goals:
        goals.write(work, package_id=package.id, leader=leader, text=text)
    for held in planned.sessions:
        _hold(work, programme, package, held, [parts[person_id] for person_id in sorted(held.came)])
    if planned.sessions and package.state in (PackageState.AGREED, PackageState.BASELINE):
        package.state = PackageState.ACTIVE
    work.db.flush()
    work.db.expire(package, ["participations", "mentors", "goals"])


def _make(work: Work, programme: Programme, planned: Planned) -> Package:
    head = planned.head
    package = Package(
        id=planned.id,
        ref=new_reference("K"),
        strand=head.strand,
        state=PackageState.ENDED if head.ends_on is not None else PackageState.AGREED,
        council_id=planned.council_id,
        starts_on=head.starts_on,
        ends_on=head.ends_on,
        planned_minutes=planned.planned_minutes(programme),
        created_at=work.now,
    )
    package.title = head.title or None
    package.short_reason = head.reason or None
    work.db.add(package)
    work.record(
        Action.PACKAGE_CREATED,
        object=f"package:{package.id}",
        strand=package.strand,
        planned_minutes=package.planned_minutes,
    )
    work.db.flush()
    return package


def _hold(
    work: Work, programme: Programme, package: Package, held: Held, present: Sequence[Participation]
) -> None:
    row = held.row
    session = standing.add_session(
        work,
        programme,
        package,
        session_id=held.id,
        mentor_id=held.mentor_id,
        kind=row.kind,
        time=held.time,
        place=row.place,
        where=None,
        title=row.title or None,
        state=SessionState.HELD,
        delivered_minutes=row.minutes,
        capacity=None if row.kind is SessionKind.ONE_TO_ONE else max(1, len(present)),
    )
    for part in present:
        standing.add_attendance(work, session, part, AttendanceState.ATTENDED)
    work.record(
        Action.SESSION_LOGGED,
        object=f"session:{held.id}",
        kind=row.kind,
        starts_at=row.starts_at,
        minutes=row.minutes,
        package=package.id,
    )
