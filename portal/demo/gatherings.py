"""What a demo shows of groups besides workshops: a waiting list, a go or no-go, a visit, a learning set, resources."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import select

from portal.booking import diary, standing
from portal.booking.availability import Interval
from portal.booking.diary import Refused
from portal.groups import plans as group_plans
from portal.groups import seats, sessions, waiting
from portal.groups import sets as groups
from portal.groups.plans import Plan
from portal.mentors.serving import mentors_from
from portal.models import (
    Council,
    Package,
    PackageState,
    Place,
    ResourceKind,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.programme import OutsideContract, Programme, contract_period
from portal.resources import shelf as resources
from portal.resources.shelf import Described
from privacy.clock import london, london_date, wall
from privacy.work import Work

_TOOLKIT = b"""Questions that lead members ask

1. What do children and families tell us about this service?
2. What has changed since we last looked, and how do we know?
3. What worries you most, and what would help?
"""


def furnish(work: Work, programme: Programme) -> None:
    """Put it all in, as the team and mentors would; what has no room in the demo's days is left out."""
    keep_resources(work)
    for package in _groups(work):
        for plan_one in (visit, learning_set):
            try:
                with work.db.begin_nested():
                    plan_one(work, programme, package)
            except (Refused, OutsideContract):
                # No quarter hour is free then, or the contract is too short: the demo has less to show.
                continue
    fill_a_list(work, programme)


def _groups(work: Work) -> list[Package]:
    return list(
        work.db.scalars(
            select(Package)
            .where(Package.strand == Strand.GROUP, Package.state == PackageState.ACTIVE)
            .order_by(Package.starts_on, Package.ref)
            .limit(1)
        )
    )


def visit(work: Work, programme: Programme, package: Package) -> None:
    """A day at a council of good practice for which too few have a place yet: go or no-go today."""
    today = london_date(work.now)
    mentor = mentors_from(work.db, package.id, on=today)[0]
    host = work.db.scalars(
        select(Council).where(Council.id != package.council_id).order_by(Council.code)
    ).first()
    sessions.schedule(
        work,
        programme,
        package_id=package.id,
        session_id=_id(package, "visit"),
        mentor_id=mentor.id,
        kind=SessionKind.VISIT,
        title="A day with the front door team",
        starts_at=wall(today + timedelta(days=9), 8 * 60),
        minutes=120,
        capacity=12,
        place=Place.IN_PERSON,
        where="The council's offices",
        plan=Plan(minimum=6, decide_on=today, host_council_id=host.id if host is not None else None),
    )


def learning_set(work: Work, programme: Programme, package: Package) -> None:
    """Three dates for up to four members who have sent their first questionnaire."""
    today = london_date(work.now)
    mentor = mentors_from(work.db, package.id, on=today)[0]
    members = standing.members_of(work.db, package.id)
    missing = standing.without_baseline(work.db, package, [member.id for member in members])
    ready = [member for member in members if member.id not in missing][:4]
    people = [mentor.id, *(standing.person_of(member) for member in ready)]
    starts = [_free_evening(work, people, today + timedelta(days=days)) for days in (11, 25, 39)]
    if not all(
        start and london_date(start) in contract_period(work.db, programme, on=today) for start in starts
    ):
        return
    groups.book_set(
        work,
        programme,
        package_id=package.id,
        set_id=_id(package, "set"),
        mentor_id=mentor.id,
        title="Learning from each other",
        starts=[start for start in starts if start is not None],
        minutes=90,
        member_ids=[standing.person_of(member) for member in ready],
        place=Place.REMOTE,
        where="https://meet.example/learning",
    )


def _free_evening(work: Work, people: Sequence[UUID], near: date) -> datetime | None:
    """Six o'clock on the first weekday from a day on, within the week, that none of them has anything around."""
    for days in range(7):
        starts_at = wall(near + timedelta(days=days), 18 * 60)
        around = Interval(starts_at - timedelta(hours=1), starts_at + timedelta(hours=3))
        if london(starts_at).weekday() < 5 and not any(diary.taken(work.db, people, within=around).values()):
            return starts_at
    return None


def fill_a_list(work: Work, programme: Programme) -> None:
    """The first workshop to come has as many places as are taken, and one member waits."""
    session = work.db.scalars(
        select(Session)
        .where(
            Session.kind == SessionKind.WORKSHOP,
            Session.state == SessionState.BOOKED,
            Session.starts_at > work.now + timedelta(days=2),
        )
        .order_by(Session.starts_at)
    ).first()
    if session is None:
        return
    taken = standing.live_people(work.db, session.id)
    if taken:
        group_plans.change(
            work, programme, session_id=session.id, capacity=len(taken), minimum=None, decide_on=None
        )
    others = [one for one in seats.members_for(work.db, session) if one.person_id not in taken]
    for member in others[:2]:
        waiting.join(work, programme, session_id=session.id, person_id=standing.person_of(member))


def keep_resources(work: Work) -> None:
    """A file for lead members, a link for visits, and a case study for the first workshop."""
    described = Described(
        title="Ten questions a lead member asks",
        about="A page to take along to scrutiny and to meetings with the director.",
        kind=ResourceKind.TOOLKIT,
        roles=[Role.LEAD_MEMBER, Role.SCRUTINY_CHAIR],
        session_kinds=[],
        crown=True,
    )
    resources.add_file(work, described=described, content=_TOOLKIT)
    visits = Described(
        title="How to get the most out of a visit",
        about="What to look at, and what to ask.",
        kind=ResourceKind.PRE_READING,
        roles=[],
        session_kinds=[SessionKind.VISIT],
        crown=False,
    )
    resources.add_link(work, described=visits, link="https://www.reading.example/visits")
    story = Described(
        title="How one council turned its front door round",
        about="",
        kind=ResourceKind.CASE_STUDY,
        roles=[],
        session_kinds=[SessionKind.WORKSHOP],
        crown=True,
    )
    resources.add_file(work, described=story, content=b"A made-up council, and what helped it.\n")


def _id(package: Package, what: str) -> UUID:
    return uuid5(package.id, what)
