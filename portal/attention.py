"""What needs a hand: the team's page of today. Each list is counted whole and shown up to a length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.answers import reopenings, verdicts
from portal.answers.windows import ended_on
from portal.councils import refusals, reviews
from portal.councils.reviews import NextReview
from portal.desk import restriction
from portal.groups import watch as group_watch
from portal.mailing import bounces
from portal.mentors import clearances
from portal.mentors.clearances import Lapsing
from portal.models import (
    Attendance,
    AttendanceState,
    CallRequest,
    CouncilRefusal,
    Mail,
    MailState,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Refusal,
    Reopening,
    Session,
    SessionState,
)
from portal.programme import Programme, terms
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work
from surveys.models import SENT, Response, Wave
from surveys.waves import post_window

SHOWN = 20
T = TypeVar("T")


@dataclass(frozen=True)
class Some(Generic[T]):
    """The first of a list, and how many there are in all."""

    first: Sequence[T]
    total: int


@dataclass(frozen=True)
class Waiting:
    """Somebody who has not answered; `by` is the next day that matters: a first session, or the last day."""

    participation: Participation
    by: date | None
    overdue: bool

    @property
    def ended_on(self) -> date | None:
        """The day support ended for them: with the package, or before it when they left."""
        return ended_on(self.participation, self.participation.package)


@dataclass(frozen=True)
class Attention:
    """Everything that waits for the team."""

    calls: Some[CallRequest]
    wishes: Some[Reopening]
    baselines: Some[Waiting]
    posts: Some[Waiting]
    to_agree: Some[Package]
    to_invite: Some[Package]
    without_mentor: Some[Package]
    unrecorded: Some[Session]
    reviews: Some[NextReview]
    refused: Some[Refusal]
    failed: Some[Mail]
    clearances: Some[Lapsing]
    examples: int
    undecided: Some[Session]
    not_agreed: Mapping[UUID, CouncilRefusal]
    """The refusals that stand, by council: what waits for the Department there waits for the team first."""

    @property
    def is_quiet(self) -> bool:
        lists = [some.total for some in vars(self).values() if isinstance(some, Some)]
        return not any([*lists, self.examples])


def attention(db: DbSession, programme: Programme, *, now: datetime) -> Attention:
    """What waits now, in a fixed number of queries."""
    today = london_date(now)
    return Attention(
        calls=_some(_calls(db)),
        wishes=_some(reopenings.all_waiting(db)),
        baselines=_some(_baselines(db, today)),
        posts=_some(_posts(db, programme, now)),
        to_agree=_some(_packages(db, PackageState.PROPOSED)),
        to_invite=_some(_packages(db, PackageState.AGREED)),
        without_mentor=_some(_without_mentor(db, today)),
        unrecorded=_some(_unrecorded(db, now)),
        reviews=_some([one for one in reviews.coming(db, programme, on=today) if one.is_near(today)]),
        refused=_some(bounces.waiting(db)),
        failed=_failed(db),
        clearances=_some(clearances.watch(db, on=today)),
        examples=verdicts.waiting(db),
        undecided=_some(group_watch.undecided(db, now=now)),
        not_agreed=refusals.all_standing(db),
    )


def _some(found: Sequence[T]) -> Some[T]:
    return Some(found[:SHOWN], len(found))


def _calls(db: DbSession) -> Sequence[CallRequest]:
    return db.scalars(
        select(CallRequest)
        .join(CallRequest.participation)
        .join(Participation.person)
        .where(CallRequest.done_at.is_(None), restriction.usable())
        .options(
            joinedload(CallRequest.participation).options(
                joinedload(Participation.person),
                joinedload(Participation.package).joinedload(Package.council),
            )
        )
        .order_by(CallRequest.asked_at)
    ).all()


def _baselines(db: DbSession, today: date) -> list[Waiting]:
    """Invited and not answered, those with a first session soonest first (sch 4: before support commences)."""
    sessions = (
        select(Attendance.participation_id, func.min(Session.starts_at).label("first_at"))
        .join(Session)
        .where(Session.state == SessionState.BOOKED, Attendance.state == AttendanceState.BOOKED)
        .group_by(Attendance.participation_id)
        .subquery()
    )
    rows = db.execute(
        _silent(Wave.BASELINE)
        .add_columns(sessions.c.first_at)
        .join(Package)
        .outerjoin(sessions, sessions.c.participation_id == Participation.id)
        .where(
            Package.state.in_([PackageState.BASELINE, PackageState.ACTIVE]),
            Package.baseline_waived_at.is_(None),
            Participation.invited_at.is_not(None),
            Participation.to_on.is_(None),
        )
    ).all()
    waiting = [
        Waiting(part, london_date(first_at) if first_at else None, part.package.starts_on < today)
        for part, first_at in rows
    ]
    return sorted(waiting, key=lambda one: (one.by or date.max, one.participation.package.starts_on))


def _posts(db: DbSession, programme: Programme, now: datetime) -> list[Waiting]:
    """Support has ended and the window is open: who has not answered, those with the least time first."""
    in_force = terms(db, programme, on=london_date(now))
    rows = db.scalars(
        _silent(Wave.POST)
        .join(Package)
        .where(or_(Package.state == PackageState.ENDED, Participation.to_on.is_not(None)))
    ).all()
    waiting = []
    for part in rows:
        end = ended_on(part, part.package)
        if end is None:
            continue
        window = post_window(end, terms=in_force)
        if now in window:
            waiting.append(Waiting(part, window.last_day, False))
    return sorted(waiting, key=lambda one: one.by or date.max)


def _silent(wave: Wave) -> Select[Participation]:
    answered = exists().where(
        Response.respondent_id == Participation.id,
        Response.wave == wave,
        Response.state.in_(SENT),
    )
    return (
        select(Participation)
        .join(Participation.person)
        .where(~answered, restriction.usable())
        .options(
            joinedload(Participation.person), joinedload(Participation.package).joinedload(Package.council)
        )
    )


def _packages(db: DbSession, state: PackageState) -> Sequence[Package]:
    return db.scalars(_open().where(Package.state == state)).all()


def _without_mentor(db: DbSession, today: date) -> Sequence[Package]:
    """Support that nobody gives from tomorrow on: whose last day is today is gone already."""
    serving = exists().where(
        PackageMentor.package_id == Package.id,
        PackageMentor.to_on.is_(None) | (PackageMentor.to_on > today),
    )
    live = (PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE)
    return db.scalars(_open().where(Package.state.in_(live), ~serving)).all()


def _open() -> Select[Package]:
    return (
        select(Package)
        .options(
            joinedload(Package.council),
            selectinload(Package.participations).joinedload(Participation.person),
        )
        .order_by(Package.starts_on, Package.ref)
    )


def _unrecorded(db: DbSession, now: datetime) -> Sequence[Session]:
    """Sessions that are over and still stand as booked: their time counts once it is recorded (sch 4 SLAs)."""
    return db.scalars(
        select(Session)
        .where(Session.state == SessionState.BOOKED, Session.ends_at <= now)
        .options(joinedload(Session.mentor), joinedload(Session.package).joinedload(Package.council))
        .order_by(Session.ends_at)
    ).all()


def _failed(db: DbSession) -> Some[Mail]:
    mails = db.scalars(
        select(Mail)
        # What an address refused stands with the addresses, until that is put right.
        .where(
            Mail.state == MailState.FAILED,
            or_(Mail.trouble.is_(None), ~Mail.trouble.startswith(bounces.TROUBLE)),
        )
        .options(joinedload(Mail.person))
        .order_by(Mail.due_at.desc())
    ).all()
    return _some(mails)


def call_made(work: Work, *, call_id: UUID, notes: str | None = None) -> None:
    """Somebody was rung. Once it is noted, again changes nothing. LookupError where no call was asked for.

    `notes` replaces those written so far; None leaves them.
    """
    call = _call(work, call_id)
    if notes is not None:
        call.notes = notes or None
    if call.done_at is None:
        call.done_at = work.now
        work.record(
            Action.CALL_DONE, object=f"participation:{call.participation_id}", holder=call.participation_id
        )


def note_call(work: Work, *, call_id: UUID, notes: str) -> None:
    """Write down what was agreed; the call still waits. LookupError where no call was asked for."""
    _call(work, call_id).notes = notes or None


def _call(work: Work, call_id: UUID) -> CallRequest:
    call = work.db.get(CallRequest, call_id, with_for_update={"key_share": True}, populate_existing=True)
    if call is None:
        raise LookupError("no such call")
    return call
