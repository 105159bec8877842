"""What somebody sees of their own support, and the one thing to do next.

Everything is read in a fixed number of queries, whatever somebody takes part in; no answer is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.answers import calls, questionnaires, shares, tools, windows
from portal.answers.questionnaires import Due
from portal.answers.tools import Tool
from portal.booking import standing
from portal.groups import waiting
from portal.models import (
    Attendance,
    AttendanceState,
    Goal,
    GoalAct,
    GoalEvent,
    GoalState,
    Offer,
    OfferState,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Resource,
    Session,
    SessionPackage,
    SessionState,
    Strand,
)
from portal.programme import Programme
from portal.resources import shelves
from privacy.clock import london_date
from surveys.models import ResponseState, Wave
from surveys.standings import Standings, standings
from surveys.waves import TO_ANSWER

LIVE = frozenset({AttendanceState.BOOKED, AttendanceState.ATTENDED, AttendanceState.ABSENT})
SHOWN = frozenset({PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE, PackageState.ENDED})


@dataclass(frozen=True)
class OwnSession:
    """A session that one may come to; `mine` says whether one has a place in it, `waiting` one's number on the
    waiting list, `certificate_id` whose certificate there is once one came."""

    session: Session
    mine: bool
    places_left: int | None
    waiting: int | None = None
    certificate_id: UUID | None = None


@dataclass(frozen=True)
class Step:
    """One thing to do: `act` is a word of the vocabulary in `next_step`, `about` what it leads to."""

    act: str
    support: "Support | None" = None
    due: Due | None = None
    session: Session | None = None
    offer: Offer | None = None


@dataclass(frozen=True)
class Stage:
    """A stage of a package on the timeline: `state` is `done`, `here` or `next`, `on` its date where known, `by`
    whether that is its last day."""

    text: str
    state: str
    on: date | None = None
    by: bool = False


@dataclass(frozen=True)
class Support:
    """One's part in one package, with everything that the page shows of it."""

    participation: Participation
    package: Package
    mentors: Sequence[Person]
    goals: Sequence[Goal]
    dropped: Sequence[tuple[Goal, datetime | None]]
    upcoming: Sequence[OwnSession]
    past: Sequence[OwnSession]
    due: Sequence[Due]
    offers: Sequence[Offer]
    resources: Sequence[Resource]
    baseline_in: bool
    has_left: bool = False

    @property
    def one_to_one(self) -> bool:
        return self.package.strand is Strand.ONE_TO_ONE

    @property
    def ended_on(self) -> date | None:
        """The day it ended for this person: with the package, or before it."""
        return windows.ended_on(self.participation, self.package)

    @property
    def comparable(self) -> bool:
        """Whether both questionnaires that are compared were sent, and not taken back."""
        sent = {one.wave for one in self.due if one.state is ResponseState.SUBMITTED}
        return {Wave.BASELINE, Wave.POST} <= sent

    @property
    def delivered_minutes(self) -> int:
        return sum(own.session.delivered_minutes or 0 for own in self.past if own.mine)

    @property
    def booked_minutes(self) -> int:
        """Time that is booked and still to come."""
        return sum(
            int((own.session.ends_at - own.session.starts_at).total_seconds() // 60)
            for own in self.upcoming
            if own.mine
        )

    @property
    def held(self) -> int:
        """How many sessions took place."""
        return sum(own.session.state is SessionState.HELD for own in self.past)

    @property
    def dates(self) -> int:
        """How many sessions there are in all: held, still to be recorded, and to come."""
        return len(self.past) + len(self.upcoming)

    @property
    def may_book(self) -> bool:
        """Whether a session can be booked now: the baseline comes first, unless the team waived it."""
        ready = self.baseline_in or self.package.baseline_waived_at is not None
        return self.one_to_one and ready and self.ended_on is None and not self.has_left


def timeline(support: Support) -> list[Stage]:
    """Where a package stands, in four stages; exactly one is "here" until all are done."""
    held = [own.session for own in support.past if own.session.state is SessionState.HELD]
    ended_on = support.ended_on
    post_in = any(one.wave is Wave.POST and one.state is ResponseState.SUBMITTED for one in support.due)
    # A window closes at the midnight that ends its last day: that day is the one to name.
    post_closes = next(
        (one.closes_at - timedelta(microseconds=1) for one in support.due if one.wave is Wave.POST), None
    )
    begun = london_date(held[0].starts_at) if held else None
    sent = next((one.submitted_at for one in support.due if one.wave is Wave.BASELINE), None)
    done = (
        support.baseline_in or support.package.baseline_waived_at is not None or bool(held),
        bool(held),
        ended_on is not None,
        post_in,
    )
    words = (
        ("First questionnaire", london_date(sent) if sent else None),
        ("Sessions began" if begun else "Sessions begin", begun),
        ("Support ended" if ended_on else "Support goes on" if begun else "Support ends", ended_on),
        ("Last questionnaire", london_date(post_closes) if post_closes and not post_in else None),
    )
    here = done.index(False) if False in done else None
    return [
        Stage(text, "here" if number == here else "done" if ready else "next", on, by=number == 3)
        for number, ((text, on), ready) in enumerate(zip(words, done, strict=True))
    ]


@dataclass(frozen=True)
class Overview:
    """The whole page: supports newest package first, since when they are not reminded (None while they are),
    whether a mentor can read something of it because they share it, and whether we are to ring them about it."""

    supports: Sequence[Support]
    tools: Sequence[Tool]
    reminders_stopped_at: datetime | None
    shares: bool = False
    rings: bool = False


def overview(
    db: DbSession, programme: Programme, *, person_id: UUID, now: datetime, has_left: bool = False
) -> Overview:
    """Everything somebody takes part in or took part in, and the tools that they can use.

    Who `has_left` office sees what was, and what there is to answer; nothing is offered to them.
    """
    parts, shared, rings = _parts(db, person_id)
    if not parts:
        return Overview([], [], None)
    stands = standings(db, [part.id for part in parts])
    person = parts[0].person
    supports = _supports(db, programme, parts, stands=stands, now=now)
    if has_left:
        supports = [replace(one, upcoming=[], offers=[], resources=[], has_left=True) for one in supports]
    return Overview(
        supports=supports,
        tools=[] if has_left else tools.tools_of(db, parts, known=stands),
        reminders_stopped_at=person.reminders_stopped_at if person is not None else None,
        shares=shared,
        rings=rings,
    )


# Made once: everybody who comes in reads this page, and making its statements costs more than running them.
_package = joinedload(Participation.package)
_PARTS = (
    select(Participation, shares.any_live(), calls.any_waiting())
    .join(Participation.package)
    .where(Participation.person_id == bindparam("person"), Package.state.in_(SHOWN))
    .options(
        joinedload(Participation.person),
        _package.joinedload(Package.council),
        _package.joinedload(Package.mentors).joinedload(PackageMentor.person).joinedload(Person.profile),
    )
    .order_by(Package.starts_on.desc())
)
_OF_PACKAGES: BindParameter[UUID] = bindparam("packages", expanding=True)
_SESSIONS = (
    select(Session)
    .where(
        or_(
            Session.package_id.in_(_OF_PACKAGES),
            Session.id.in_(
                select(SessionPackage.session_id).where(SessionPackage.package_id.in_(_OF_PACKAGES))
            ),
        ),
        Session.state != SessionState.CANCELLED,
    )
    .options(selectinload(Session.attendances), joinedload(Session.mentor), joinedload(Session.joined))
    .order_by(Session.starts_at)
)
_GOALS = select(Goal).where(Goal.package_id.in_(_OF_PACKAGES)).order_by(Goal.number)
_DROPPED = (
    select(GoalEvent.goal_id, func.max(GoalEvent.at))
    .where(GoalEvent.package_id.in_(_OF_PACKAGES), GoalEvent.act == GoalAct.DROPPED)
    .group_by(GoalEvent.goal_id)
)
_OFFERS = (
    select(Offer)
    .where(
        Offer.package_id.in_(_OF_PACKAGES), Offer.state == OfferState.OPEN, Offer.starts_at > bindparam("now")
    )
    .order_by(Offer.starts_at)
)


def _parts(db: DbSession, person_id: UUID) -> tuple[Sequence[Participation], bool, bool]:
    """With package, council and mentors, newest package first; whether anything of them is shared, and whether
    somebody is to ring about one."""
    rows = db.execute(_PARTS, {"person": person_id}).unique().all()
    return [row[0] for row in rows], any(row[1] for row in rows), any(row[2] for row in rows)


def _supports(
    db: DbSession,
    programme: Programme,
    parts: Sequence[Participation],
    *,
    stands: Standings,
    now: datetime,
) -> list[Support]:
    packages = [part.package_id for part in parts]
    sessions = db.scalars(_SESSIONS, {"packages": packages}).unique().all()
    goals = db.scalars(_GOALS, {"packages": packages}).all()
    dropped = _dropped(db, packages, goals)
    offers = db.scalars(_OFFERS, {"packages": packages, "now": now}).all()
    seats = windows.seats_in(sessions, {part.id for part in parts})
    due = questionnaires.due(db, programme, parts, now=now, stands=stands, seats=seats)
    lists = waiting.lists(db, [session.id for session in sessions if session.capacity is not None])
    shown = shelves.for_packages(db, packages, roles={part.role for part in parts if part.to_on is None})
    return [
        _support(
            part,
            sessions=_of_part(part, parts, sessions),
            lists=lists,
            resources=shown[part.package_id] if part.to_on is None else [],
            goals=goals,
            dropped=dropped,
            offers=offers,
            due=due,
            now=now,
        )
        for part in parts
    ]


def _of_part(
    part: Participation, parts: Sequence[Participation], sessions: Sequence[Session]
) -> list[Session]:
    """The sessions that stand with a part: of its package, or joined where none of one's own packages has it."""
    own = {one.package_id for one in parts}
    return [
        session
        for session in sessions
        if session.package_id == part.package_id
        or (
            session.package_id not in own and any(one.package_id == part.package_id for one in session.joined)
        )
    ]


def _dropped(db: DbSession, packages: Sequence[UUID], goals: Sequence[Goal]) -> dict[UUID, datetime]:
    """When goals were dropped last; asked only where some are."""
    if all(goal.state is not GoalState.DROPPED for goal in goals):
        return {}
    return {row[0]: row[1] for row in db.execute(_DROPPED, {"packages": packages})}


def _support(
    part: Participation,
    *,
    sessions: Sequence[Session],
    lists: Mapping[UUID, Sequence[UUID]],
    resources: Sequence[Resource],
    goals: Sequence[Goal],
    dropped: Mapping[UUID, datetime],
    offers: Sequence[Offer],
    due: Sequence[Due],
    now: datetime,
) -> Support:
    own = [_own(session, part, lists.get(session.id, ())) for session in sessions]
    mine = [one for one in due if one.participation.id == part.id]
    agreed = [
        goal
        for goal in goals
        if goal.package_id == part.package_id and goal.participation_id in (None, part.id)
    ]
    return Support(
        participation=part,
        package=part.package,
        mentors=[serving.person for serving in part.package.mentors if serving.to_on is None],
        goals=[goal for goal in agreed if goal.state is not GoalState.DROPPED],
        dropped=[(goal, dropped.get(goal.id)) for goal in agreed if goal.state is GoalState.DROPPED],
        # Who has left, or whose support has ended, sees what was and is offered nothing more.
        upcoming=[
            one
            for one in own
            if part.to_on is None
            and one.session.ends_at > now
            and one.session.state is SessionState.BOOKED
            and standing.lasts_to(part.package, london_date(one.session.starts_at))
        ],
        past=[one for one in own if one.session.ends_at <= now or one.session.state is SessionState.HELD],
        due=mine,
        offers=[offer for offer in offers if offer.package_id == part.package_id],
        resources=resources,
        baseline_in=any(one.wave is Wave.BASELINE and one.submitted_at is not None for one in mine),
    )


def _own(session: Session, part: Participation, listed: Sequence[UUID]) -> OwnSession:
    live = [seat for seat in session.attendances if seat.state in LIVE]
    came = session.capacity is not None and session.state is SessionState.HELD
    return OwnSession(
        session=session,
        mine=any(_is_of(seat, part) for seat in live),
        places_left=None if session.capacity is None else max(0, session.capacity - len(live)),
        waiting=next((number for number, who in enumerate(listed, 1) if who == part.person_id), None),
        certificate_id=next(
            (
                seat.id
                for seat in live
                if came and _is_of(seat, part) and seat.state is AttendanceState.ATTENDED
            ),
            None,
        ),
    )


def _is_of(seat: Attendance, part: Participation) -> bool:
    return seat.participation_id == part.id


def next_step(supports: Sequence[Support]) -> Step:
    """The one thing to do next. Acts: `answer`, `choose`, `book`, `place`, `come`, `wait`, `none`.

    A questionnaire that support waits for comes first, then what gets the next session into the diary.
    """
    steps = (
        *_to_answer(supports, Wave.BASELINE),
        *_to_answer(supports, Wave.POST),
        *_to_answer(supports, Wave.INTERIM),
        *(Step("choose", one, offer=one.offers[0]) for one in supports if one.offers and one.may_book),
        *(Step("book", one) for one in supports if one.may_book and one.mentors and not one.upcoming),
        *(
            Step("place", one, session=own.session)
            for one in supports
            for own in one.upcoming
            if own.places_left and not own.mine
        ),
        *_to_answer(supports, Wave.FEEDBACK),
        *_to_come(supports),
    )
    running = any(one.ended_on is None for one in supports)
    return steps[0] if steps else Step("wait" if running else "none")


def _to_answer(supports: Sequence[Support], wave: Wave) -> list[Step]:
    return [
        Step("answer", one, due=due)
        for one in supports
        for due in one.due
        if due.wave is wave and due.stand in TO_ANSWER
    ]


def _to_come(supports: Sequence[Support]) -> list[Step]:
    mine = [(own.session, one) for one in supports for own in one.upcoming if own.mine]
    in_order = sorted(mine, key=lambda pair: pair[0].starts_at)
    return [Step("come", one, session=session) for session, one in in_order]
