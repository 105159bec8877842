"""What the worker does for group sessions each minute: free places to the waiting list, go or no-go to the team.

Places are given at once when they are freed; the pass finds what became possible later, such as a clash that went
away. On the day to decide, from nine in the morning, the team is told of a session with too few people. A list
whose session began or was called off is closed, and in the second case those on it are told.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import standing
from portal.groups import waiting
from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.gathering import MORNING
from portal.models import (
    Attendance,
    GroupPlan,
    Mail,
    Package,
    Role,
    Session,
    SessionState,
    Waiting,
    WaitingState,
)
from portal.people import in_office
from portal.programme import Programme
from privacy.clock import london_date, wall
from privacy.work import unit_of_work

ACTOR = "system:groups"
DECIDE = "go_no_go"
OVER = "waiting_over"

Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Found:
    """What is due: sessions with free places and people waiting, sessions to decide, and lists that are over."""

    to_fill: Sequence[UUID]
    to_decide: Sequence[UUID]
    over: Sequence[UUID]

    def __bool__(self) -> bool:
        return bool(self.to_fill or self.to_decide or self.over)


def run(instance: Instance, sessions: Sessions) -> int:
    """Do what is due now; returns how many things. Any number of workers may run it at any time."""
    with sessions() as db:
        found = find(db, instance.programme, now=instance.clock())
        db.rollback()
        if not found:
            return 0
        for session_id in found.to_fill:
            # A session that is given to another mentor at this moment is asked again at the next pass.
            with suppress(standing.MentorChanged), unit_of_work(db, instance.clock, ACTOR) as work:
                waiting.promote(work, instance.programme, session_id=session_id)
        with unit_of_work(db, instance.clock, ACTOR) as work:
            work.wait_turn("groups")
            due = find(work.db, instance.programme, now=work.now)
            team = in_office.ids(work.db, {Role.TEAM}, on=london_date(work.now)) if due.to_decide else []
            for session_id in due.to_decide:
                for person_id in team:
                    mail.queue(work, template=DECIDE, about=session_id, to=person_id)
            for entry_id in due.over:
                entry = work.db.get_one(Waiting, entry_id)
                waiting.settle(work, entry, WaitingState.OVER)
                mail.queue(work, template=OVER, about=entry.session_id, to=entry.person_id)
        return len(found.to_fill) + len(due.to_decide) + len(due.over)


def find(db: DbSession, programme: Programme, *, now: datetime) -> Found:
    """What is due now, in three queries."""
    fill = db.scalars(
        select(Session.id)
        .where(
            Session.state == SessionState.BOOKED,
            Session.starts_at >= now + timedelta(hours=programme.notice_hours),
            Session.capacity > _live(),
            exists().where(
                Waiting.session_id == Session.id,
                Waiting.state == WaitingState.WAITING,
            ),
        )
        .order_by(Session.starts_at, Session.id)
    ).all()
    told = exists().where(Mail.template == DECIDE, Mail.about == Session.id)
    decide = [one.id for one in undecided(db, now=now, only=~told)]
    over = db.scalars(
        select(Waiting.id)
        .join(Session, Session.id == Waiting.session_id)
        .where(
            Waiting.state == WaitingState.WAITING,
            or_(Session.starts_at <= now, Session.state != SessionState.BOOKED),
        )
        .order_by(Waiting.id)
    ).all()
    return Found(fill, decide, over)


def undecided(db: DbSession, *, now: datetime, only: ColumnElement[bool] | None = None) -> Sequence[Session]:
    """Sessions to come with fewer people than they need, whose day to decide has come, soonest first."""
    today = london_date(now)
    last = today if now >= wall(today, MORNING) else today - timedelta(days=1)
    asked = (
        select(Session)
        .join(GroupPlan, GroupPlan.session_id == Session.id)
        .where(
            Session.state == SessionState.BOOKED,
            Session.starts_at > now,
            GroupPlan.decision.is_(None),
            GroupPlan.decide_on <= last,
            GroupPlan.minimum > _live(),
        )
        .options(joinedload(Session.mentor), joinedload(Session.package).joinedload(Package.council))
        .order_by(Session.starts_at)
    )
    return db.scalars(asked if only is None else asked.where(only)).all()


def _live() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(Attendance.session_id == Session.id, Attendance.state.in_(standing.LIVE))
        .correlate(Session)
        .scalar_subquery()
    )
