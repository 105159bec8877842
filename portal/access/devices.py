"""Browsers that are signed in, and devices that are kept: opened, found, seen, listed and ended.

A browser holds a random token; the database holds its digest. A kept device cannot do anything by itself: it
opens a new browser session at level 1 when its owner presses the button. Disabling somebody, or the end of
their last office, counts from the next request.

Where a `programme` is given, leaders whose office has ended may come in while they have something to answer
(portal/people/former.py); without it, nobody who has left does.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, with_expression

from portal.access import known, telling
from portal.access.known import Account, Browser
from portal.access.levels import UNCLEARED
from portal.access.telling import News
from portal.actors import roles_of, with_roles
from portal.models import BrowserSession, Level, Person
from portal.own_data import notices as privacy_notices
from portal.people import former
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.returns import standstill
from privacy.work import Work

DEVICE_LIFE = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Lifetime:
    """How long a signed-in browser lasts: idle, and in all."""

    idle: timedelta
    whole: timedelta


PARTICIPANT_LIFE = Lifetime(timedelta(minutes=60), timedelta(hours=12))
STAFF_LIFE = Lifetime(timedelta(minutes=20), timedelta(hours=8))


@dataclass(frozen=True)
class Left:
    """How long a browser stays signed in: `idle` if it is not used again, `whole` whatever it does; then `until`."""

    idle: timedelta
    whole: timedelta
    until: datetime
    life: Lifetime


@dataclass(frozen=True)
class Tokens:
    """What a browser keeps in its cookies. `device` only where the device is to be kept. `notice`: the privacy notice
    is new to whoever signs in, so the page shows it to them. `person_id` is whose they are."""

    session: str
    person_id: UUID
    device: str | None = None
    notice: bool = False


class DeviceUnknown(Exception):
    """No kept device of somebody who may come in has this token."""


def digest(token: str) -> bytes:
    """What is stored of a cookie."""
    return hashlib.sha256(token.encode()).digest()


def may_come_in(
    db: DbSession, person: Account | None, *, now: datetime, programme: Programme | None = None
) -> bool:
    """Known, not disabled, and in office today, somebody's assistant, or with something left to answer."""
    if person is None or person.disabled_at is not None:
        return False
    if roles_of(person, london_date(now)):
        return True
    return programme is not None and former.comes_back(db, programme, person, now=now)


def lifetime(person: Account, *, now: datetime) -> Lifetime:
    """Participants have time to think; whoever also mentors or runs the programme has the shorter time."""
    return PARTICIPANT_LIFE if roles_of(person, london_date(now)) <= UNCLEARED else STAFF_LIFE


MAILED = {"code": "mail", "link": "mail"}
"""What a sign-in by the mail's code or link is called among the proofs of a session; others are called as they are."""


def let_in(
    work: Work,
    person: Person,
    *,
    by: str,
    level: Level,
    browser: str,
    keep: bool = False,
    before: str | None = None,
) -> Tokens:
    """Sign a browser in, after a proof named by `by`. `browser` is such as `Safari on iPad`; `before` the cookie with
    which it was signed in before, which is of no use from now on."""
    life = lifetime(person, now=work.now)
    known = _browsers(work.db, person.id)
    row = _row(work, person, level=level, browser=browser, lasts=life.whole)
    row.method = MAILED.get(by, by)
    # A kept device proves nothing by itself.
    row.proved_at = None if by == "device" else work.now
    row.follows_id = _follow(work, before, person.id) if before else None
    session, device = _open(work, row), None
    if known and row.browser not in known:
        telling.tell(work, News.NEW_BROWSER, person_id=person.id, about=row.id)
    # Whoever mentors or runs the programme signs in every time.
    if keep and life is PARTICIPANT_LIFE:
        kept = _row(work, person, level=Level.MAIL, browser=browser, lasts=DEVICE_LIFE, device=True)
        device = _open(work, kept)
        telling.tell(work, News.DEVICE_KEPT, person_id=person.id, about=kept.id)
        work.record(Action.DEVICE_KEPT, object=f"person:{person.id}", holder=person.id)
    work.record(Action.SIGN_IN_DONE, object=f"person:{person.id}", holder=person.id, by=by, level=level)
    notice = privacy_notices.show(work, person_id=person.id) is not None
    return Tokens(session, person.id, device, notice=notice)


def _browsers(db: DbSession, person_id: UUID) -> set[str]:
    """What somebody's browsers of late are called."""
    return set(db.scalars(select(BrowserSession.browser).where(BrowserSession.person_id == person_id)))


def _follow(work: Work, before: str, person_id: UUID) -> UUID | None:
    """End what this browser was signed in with before; its id, where it was the same person."""
    row = work.db.scalars(select(BrowserSession).where(BrowserSession.token == digest(before))).first()
    if row is None or row.device:
        return None
    row.ended_at = row.ended_at or work.now
    return row.id if row.person_id == person_id else None


def _row(
    work: Work, person: Person, *, level: Level, browser: str, lasts: timedelta, device: bool = False
) -> BrowserSession:
    return BrowserSession(
        id=new_id(),
        person_id=person.id,
        level=level,
        device=device,
        browser=browser[:40],
        created_at=work.now,
        seen_at=work.now,
        ends_at=work.now + lasts,
    )


def _open(work: Work, row: BrowserSession) -> str:
    token = secrets.token_urlsafe(32)
    row.token = digest(token)
    work.db.add(row)
    return token


def add_proof(work: Work, *, browser_session_id: UUID, proof: str, level: Level) -> str:
    """Note that a signed-in browser gave one more proof; the level never falls. Returns its new cookie, for whoever
    saw the old one must not profit. Raises DeviceUnknown once the browser is signed out."""
    row = work.db.get(BrowserSession, browser_session_id, with_for_update=True)
    if row is None or row.device or row.ended_at is not None:
        raise DeviceUnknown
    given = [one for one in (row.method or "").split("+") if one and one != proof]
    row.method = "+".join([*given, proof])[:40]
    # A weaker proof than those before does not make them fresh again; what was handed over outside mail does.
    if level >= row.level or proof == "start":
        row.proved_at = work.now
    row.level = max(row.level, level)
    work.record(
        Action.PROOF_GIVEN,
        object=f"person:{row.person_id}",
        holder=row.person_id,
        by=proof.replace("+", "-"),
        level=row.level,
    )
    return _open(work, row)


def _by_token(db: DbSession, token: str) -> BrowserSession | None:
    return db.execute(_whole(), {"token": digest(token)}).unique().scalar_one_or_none()


@cache
def _whole() -> Select[BrowserSession]:
    """A browser with the person and all that decides on them; made once, as each page of staff asks it."""
    return (
        select(BrowserSession)
        .where(BrowserSession.token == bindparam("token"))
        .options(
            joinedload(BrowserSession.person).options(*with_roles()),
            with_expression(BrowserSession.frozen, standstill.everything_is_frozen()),
        )
        .execution_options(populate_existing=True)
    )


def _is_over(row: Browser, *, now: datetime) -> bool:
    if row.ended_at is not None or row.ends_at <= now:
        return True
    return not row.device and left(row, seen_at=row.seen_at, now=now).idle <= timedelta()


def left(row: Browser, *, seen_at: datetime, now: datetime) -> Left:
    """What is left of a signed-in browser's time, by the roles of today: an office that is new counts at once."""
    life = lifetime(row.person, now=now)
    until = min(row.ends_at, row.created_at + life.whole)
    return Left(min(seen_at + life.idle, until) - now, until - now, until, life)


def live_session(
    db: DbSession, token: str, *, now: datetime, programme: Programme | None = None
) -> BrowserSession | None:
    """The signed-in browser with person and offices, in one query; None once it is over for any reason."""
    row = _by_token(db, token)
    return (
        row if row is not None and not row.device and _lives(db, row, now=now, programme=programme) else None
    )


def signed_in(
    db: DbSession, token: str, *, now: datetime, programme: Programme | None = None
) -> Browser | None:
    """The same for every request: plain values where they say all that decides (portal/access/known.py)."""
    row = known.read(db, digest(token))
    if row is None:
        return live_session(db, token, now=now, programme=programme)
    return row if _lives(db, row, now=now, programme=programme) else None


def _lives(db: DbSession, row: Browser, *, now: datetime, programme: Programme | None) -> bool:
    return not _is_over(row, now=now) and may_come_in(db, row.person, now=now, programme=programme)


def last_session(
    db: DbSession, token: str, *, now: datetime, programme: Programme | None = None
) -> BrowserSession | None:
    """What was signed in with this cookie, be it over by now; None for nobody who may come in again, and where it was
    ended on purpose: a copy of its cookie must not leave anything to them."""
    row = _by_token(db, token)
    if row is None or row.device or row.ended_at is not None:
        return None
    if not may_come_in(db, row.person, now=now, programme=programme):
        return None
    return row


def live_device(
    db: DbSession, token: str, *, now: datetime, programme: Programme | None = None
) -> BrowserSession | None:
    """The kept device with its person; None once it is over for any reason."""
    row = _by_token(db, token)
    return row if row is not None and row.device and _lives(db, row, now=now, programme=programme) else None


def is_unseen(row: Browser, *, now: datetime) -> bool:
    """Whether it is time to note that this browser was used."""
    return row.seen_at + SEEN_EVERY <= now


def see(work: Work, *, browser_session_id: UUID) -> None:
    """Note that this browser was used: the one write that a page may cause."""
    work.db.execute(
        update(BrowserSession)
        .where(BrowserSession.id == browser_session_id, BrowserSession.seen_at < work.now)
        .values(seen_at=work.now)
    )


def carry_on(
    work: Work,
    *,
    device_token: str,
    browser: str,
    before: str | None = None,
    programme: Programme | None = None,
) -> Tokens:
    """Sign a kept device in again, at level 1. Raises DeviceUnknown."""
    device = live_device(work.db, device_token, now=work.now, programme=programme)
    if device is None:
        raise DeviceUnknown
    device.seen_at = work.now
    return let_in(work, device.person, by="device", level=Level.MAIL, browser=browser, before=before)


def sign_out(work: Work, *, browser_session_id: UUID, device_token: str | None) -> None:
    """End this browser's session and, if it is kept, the device: whoever picks it up next gets nothing."""
    ends = BrowserSession.id == browser_session_id
    if device_token is not None:
        ends |= BrowserSession.token == digest(device_token)
    work.db.execute(
        update(BrowserSession).where(ends, BrowserSession.ended_at.is_(None)).values(ended_at=work.now)
    )
    work.record(Action.SIGN_OUT_DONE, object=work.actor)


def own(db: DbSession, person_id: UUID, *, now: datetime) -> Sequence[BrowserSession]:
    """Somebody's signed-in browsers and kept devices, the last used first."""
    rows = (
        db.execute(
            select(BrowserSession)
            .where(
                BrowserSession.person_id == person_id,
                BrowserSession.ended_at.is_(None),
                BrowserSession.ends_at > now,
            )
            .options(joinedload(BrowserSession.person).options(*with_roles()))
            .order_by(BrowserSession.seen_at.desc(), BrowserSession.id)
        )
        .unique()
        .scalars()
    )
    return [row for row in rows if not _is_over(row, now=now)]


def end_device(work: Work, *, browser_session_id: UUID, person_id: UUID) -> None:
    """End one of somebody's own browsers or devices; ending it again changes nothing.

    Raises DeviceUnknown if it is nobody's, or somebody else's.
    """
    row = work.db.get(BrowserSession, browser_session_id)
    if row is None or row.person_id != person_id:
        raise DeviceUnknown
    if row.ended_at is None:
        row.ended_at = work.now
        work.record(Action.DEVICE_ENDED, object=f"browser_session:{browser_session_id}", holder=person_id)
