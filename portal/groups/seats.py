"""Places in group sessions, given and taken back: the one way for a member's click, the waiting list and the team.

Everything here runs under the locks that `standing.reopen` takes. Who may come are the members of the session's
package and, to a joint workshop, those of the packages that were joined to it.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import diary, standing, telling
from portal.booking.availability import Interval
from portal.booking.standing import SessionClosed
from portal.models import (
    Attendance,
    AttendanceState,
    Participation,
    Session,
    SessionPackage,
    SessionState,
)
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work


def packages_of(db: DbSession, session: Session) -> list[UUID]:
    """The packages whose members may come: the session's own first."""
    joined = db.scalars(select(SessionPackage.package_id).where(SessionPackage.session_id == session.id))
    return [session.package_id, *joined]


def members_for(db: DbSession, session: Session) -> list[Participation]:
    """Who may come, each person once, in the part that counts: in the session's own package where they are in it.

    Support that ended before the session brings nobody to it.
    """
    day = london_date(session.starts_at)
    own_first = packages_of(db, session)
    rows = db.scalars(
        select(Participation)
        .where(
            Participation.package_id.in_(own_first),
            Participation.to_on.is_(None),
            Participation.person_id.is_not(None),
        )
        .options(joinedload(Participation.person), joinedload(Participation.package))
        .order_by(Participation.from_on, Participation.id)
    ).all()
    found: dict[UUID, Participation] = {}
    for part in sorted(rows, key=lambda one: own_first.index(one.package_id)):
        if standing.lasts_to(part.package, day):
            found.setdefault(standing.person_of(part), part)
    return list(found.values())


def require_baselines(db: DbSession, members: Iterable[Participation]) -> None:
    """Raises BaselineMissing for whoever still has to send the first questionnaire of their own package."""
    for member in members:
        standing.require_baseline(db, member.package, [member.id])


def seat_of(db: DbSession, session_id: UUID, person_id: UUID) -> Attendance | None:
    """Somebody's place, given up ones too, as the database has it now."""
    asked = select(Attendance).where(Attendance.session_id == session_id, Attendance.person_id == person_id)
    return db.scalars(asked.execution_options(populate_existing=True)).one_or_none()


def require_open(work: Work, session: Session) -> int:
    """How many places a group session that is still to come has. Raises SessionClosed."""
    if session.capacity is None or session.state is not SessionState.BOOKED or session.starts_at <= work.now:
        raise SessionClosed
    return session.capacity


def free_places(work: Work, session: Session) -> int:
    """Places that nobody has; less than none where there were more once."""
    work.db.flush()
    return (session.capacity or 0) - len(standing.live_people(work.db, session.id))


def give(work: Work, session: Session, member: Participation) -> Attendance:
    """Give a member a place: their time is taken and the calendar mail queued. Raises TimeTaken, and then nothing
    is changed."""
    person_id = standing.person_of(member)
    work.db.flush()
    time = Interval(session.starts_at, session.ends_at)
    diary.take(work, session_id=session.id, times={person_id: time})
    held = seat_of(work.db, session.id, person_id)
    if held is None:
        held = standing.add_attendance(work, session, member, AttendanceState.BOOKED)
    else:
        held.state, held.booked_at, held.by = AttendanceState.BOOKED, work.now, work.actor
        held.participation_id = member.id
    work.db.flush()
    telling.tell(work, session, [person_id])
    work.record(Action.PLACE_BOOKED, object=f"attendance:{held.id}", holder=person_id, session=session.id)
    return held


def take_back(work: Work, session: Session, held: Attendance) -> None:
    """Take somebody's place back: their time is free and their calendar told."""
    held.state, held.by = AttendanceState.CANCELLED, work.actor
    diary.free(work, session_id=session.id, person_id=held.person_id)
    work.db.flush()
    telling.tell(work, session, [held.person_id])
    work.record(
        Action.PLACE_CANCELLED, object=f"attendance:{held.id}", holder=held.person_id, session=session.id
    )
