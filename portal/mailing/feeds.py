"""The calendar that somebody subscribes to: a secret address of their own, and what it shows.

Whoever has the address sees the sessions, so only its digest is kept, it is shown once, and its owner can change
or end it at any time. It shows what the invitations show, under the same UIDs: never a note, a need or an answer.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload

from portal.access import devices
from portal.mailing import calendar, invitations
from portal.mailing.calendar import Event
from portal.mentors import clearances
from portal.models import Attendance, Feed, Person, Session, SessionState
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work

TOKEN_BYTES = 32
# A calendar that follows the feed forgets what is no longer in it, and people look back over some months.
SHOWN_BACK = timedelta(days=180)
# Long enough for a calendar that asks once a week to learn of it.
CANCELLED_FOR = timedelta(days=30)


def digest(token: str) -> bytes:
    """What is stored of the secret in an address."""
    return hashlib.sha256(token.encode()).digest()


def renew(work: Work, *, person_id: UUID) -> str:
    """A new secret address in place of any old one, which ends; returns its token, which is nowhere else."""
    _lock(work, person_id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    work.db.execute(delete(Feed).where(Feed.person_id == person_id))
    work.db.add(Feed(person_id=person_id, token=digest(token), made_at=work.now))
    work.record(Action.FEED_MADE, object=f"person:{person_id}", holder=person_id)
    return token


def end(work: Work, *, person_id: UUID) -> None:
    """The address shows nothing from now on. Without one nothing changes."""
    _lock(work, person_id)
    feed = work.db.get(Feed, person_id, populate_existing=True)
    if feed is not None:
        work.db.delete(feed)
        work.record(Action.FEED_ENDED, object=f"person:{person_id}", holder=person_id)


def _lock(work: Work, person_id: UUID) -> None:
    # Two windows that renew at once would otherwise both add a row.
    work.db.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


def of(db: DbSession, person_id: UUID) -> Feed | None:
    """Whether somebody has a feed, and since when."""
    return db.get(Feed, person_id)


def reader_of(db: DbSession, token: str, *, now: datetime) -> Person | None:
    """Whose feed an address is; None for one that ended, and for those who could not sign in today either."""
    feed = db.scalars(
        select(Feed)
        .where(Feed.token == digest(token))
        .options(joinedload(Feed.person).selectinload(Person.offices))
    ).one_or_none()
    return feed.person if feed is not None and devices.may_come_in(db, feed.person, now=now) else None


def published(
    db: DbSession, programme: Programme, reader: Person, *, public_url: str, now: datetime
) -> bytes:
    """The feed of somebody's sessions: what was of late, what is to come, and for 30 days what was cancelled.

    The same sessions give the same bytes, whenever it is asked for.
    """
    found = _sessions(db, reader, since=now - SHOWN_BACK, now=now)
    return download(
        programme,
        reader,
        [session for session in found if _is_shown(session, reader, since=now - CANCELLED_FOR)],
        public_url=public_url,
    )


def coming(db: DbSession, reader: Person, *, now: datetime) -> Sequence[Session]:
    """The sessions that somebody is in and that are not over, in order."""
    return [
        session
        for session in _sessions(db, reader, since=now, now=now)
        if session.state is SessionState.BOOKED
        and session.ends_at > now
        and invitations.known_to(session, reader.id).theirs
    ]


def download(programme: Programme, reader: Person, sessions: Sequence[Session], *, public_url: str) -> bytes:
    """These sessions as one file to add to a calendar."""
    events = [_event(session, programme, reader, public_url) for session in sessions]
    return calendar.feed(events, name=programme.service_name)


def _event(session: Session, programme: Programme, reader: Person, public_url: str) -> Event:
    known = invitations.known_to(session, reader.id)
    return invitations.entry(
        session,
        programme,
        reader=reader,
        url=f"{public_url}/sessions/{session.id}",
        stamp_at=known.changed_at,
        known=known,
        # Somebody of the team may look at a session that they never were in.
        cancelled=known.called_off if _is_outside(session, reader) else known.gone,
    )


def _is_outside(session: Session, reader: Person) -> bool:
    return session.mentor_id != reader.id and all(seat.person_id != reader.id for seat in session.attendances)


def _is_shown(session: Session, reader: Person, *, since: datetime) -> bool:
    """What is on, or was cancelled or given up after an instant."""
    known = invitations.known_to(session, reader.id)
    return not known.gone or max(known.changed_at, session.cancelled_at or known.changed_at) > since


def _sessions(db: DbSession, reader: Person, *, since: datetime, now: datetime) -> Sequence[Session]:
    """Sessions that somebody gives or has, or had, a place in; those they give only while they are cleared."""
    seats = select(Attendance.session_id).where(Attendance.person_id == reader.id)
    theirs: ColumnElement[bool] = Session.id.in_(seats)
    if not clearances.page_gaps(reader, on=london_date(now)):
        theirs = or_(theirs, Session.mentor_id == reader.id)
    return db.scalars(
        select(Session)
        .where(theirs, Session.ends_at > since)
        .options(selectinload(Session.attendances).joinedload(Attendance.person), joinedload(Session.mentor))
        .order_by(Session.starts_at, Session.id)
    ).all()
