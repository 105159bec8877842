"""What people prove themselves with: set up, confirmed, ended. portal/access/proofs.py looks at a proof that is given.

A proof that was set up on the strength of the mailbox alone stays unconfirmed where the mailbox must not open what
somebody wrote: it opens nothing more, and takes nothing's place, until the team has rung them and says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session as DbSession

from portal.access import codes, telling
from portal.access.passkeys import Made
from portal.access.telling import News
from portal.actors import Actor
from portal.models import Factor, FactorKind, Level, Person
from privacy.audit import Action
from privacy.constraints import refused_as
from privacy.records import new_id
from privacy.work import Work

RECOVERY_CODES = 10
START_LIFE = timedelta(days=30)
AT_MOST = 20
"""Passkeys of one person."""


class FactorUnknown(Exception):
    """It is nobody's, somebody else's, or over."""


class LastWay(Exception):
    """Without it somebody who always has to prove who they are could not sign in any more."""


class TooMany(Exception):
    """Nobody has that many devices."""


class Trust(Enum):
    """How sure it is that a browser is the person's own, when they set up a proof. STALE: they have to prove it again
    first. NOT: they need a start code. UNSURE: the mailbox alone stands behind it, and others read it."""

    SURE = "sure"
    UNSURE = "unsure"
    STALE = "stale"
    NOT = "not"


@dataclass(frozen=True)
class Ways:
    """The live factors of somebody, oldest first. `strong`: they need more than a password beside the mail."""

    factors: Sequence[Factor]
    strong: bool

    def of(self, kind: FactorKind) -> list[Factor]:
        return [one for one in self.factors if one.kind == kind]

    def sure(self, kind: FactorKind) -> list[Factor]:
        return [one for one in self.of(kind) if one.confirmed_at is not None]

    @property
    def waiting(self) -> list[Factor]:
        """Those that open nothing until the team has rung the person."""
        return [one for one in self.factors if one.confirmed_at is None]

    @property
    def whole(self) -> bool:
        """Whether they can prove all that is asked of them."""
        passwords = bool(self.sure(FactorKind.PASSWORD))
        return bool(self.sure(FactorKind.PASSKEY)) or (
            passwords and (not self.strong or bool(self.sure(FactorKind.APP)))
        )

    def without(self, factor_id: UUID) -> "Ways":
        return Ways([one for one in self.factors if one.id != factor_id], self.strong)


def live(now: datetime) -> ColumnElement[bool]:
    """Of a query: factors that are good now."""
    return Factor.ended_at.is_(None) & or_(Factor.expires_at.is_(None), Factor.expires_at > now)


def ways(db: DbSession, person_id: UUID, *, strong: bool, now: datetime) -> Ways:
    rows = db.scalars(
        select(Factor).where(Factor.person_id == person_id, live(now)).order_by(Factor.made_at, Factor.id)
    ).all()
    return Ways(rows, strong)


def has_passkey(db: DbSession, person_id: UUID) -> bool:
    mine = (Factor.person_id == person_id, Factor.kind == FactorKind.PASSKEY, Factor.ended_at.is_(None))
    return bool(db.scalar(select(exists().where(*mine))))


def ways_of(db: DbSession, actor: Actor, *, now: datetime) -> Ways:
    return ways(db, actor.person_id, strong=actor.enters_at is Level.PROOF, now=now)


def trust(actor: Actor, own: Ways) -> Trust:
    """What a proof that somebody sets up now is worth."""
    if not actor.is_fresh:
        return Trust.STALE
    handed_over = "start" in actor.proofs or ("operator" in actor.proofs and not own.whole)
    if actor.level is Level.PROOF or handed_over:
        return Trust.SURE
    if actor.enters_at is Level.PROOF:
        return Trust.NOT
    # Whose mailbox nobody else reads proves enough with it.
    return Trust.SURE if actor.reads_at is Level.MAIL else Trust.UNSURE


# ---- setting up


def add_passkey(work: Work, *, person_id: UUID, made: Made, browser: str, sure: bool) -> Factor:
    """Raises TooMany, or FactorUnknown where the passkey is another person's already."""
    known = work.db.scalar(
        select(func.count()).where(
            Factor.person_id == person_id, Factor.kind == FactorKind.PASSKEY, live(work.now)
        )
    )
    if (known or 0) >= AT_MOST:
        raise TooMany("You have many passkeys already. Remove one that you do not use")
    row = _row(work, person_id, FactorKind.PASSKEY, browser=browser, sure=sure)
    row.handle, row.counter, row.secret = handle_of(work, made.credential), made.count, made.to_secret()
    with refused_as(work.db, {"uq_factor_handle": FactorUnknown}):
        work.db.add(row)
    return _added(work, row)


def handle_of(work: Work, credential: bytes) -> bytes:
    """By what a passkey is found in the database."""
    return work.ring.digest("token", "passkey|v1", credential)


def set_password(work: Work, *, person_id: UUID, hashed: str, browser: str, sure: bool) -> Factor:
    """One's password from now on; the one of before ends, once the new one is confirmed."""
    return _set(work, FactorKind.PASSWORD, {"hash": hashed}, person_id=person_id, browser=browser, sure=sure)


def set_app(work: Work, *, person_id: UUID, secret: str, step: int, browser: str) -> Factor:
    """One's authenticator app; `step` is the one whose code has just shown that it works, so it is used up."""
    row = _set(work, FactorKind.APP, {"key": secret}, person_id=person_id, browser=browser, sure=True)
    row.counter = step
    return row


def _set(
    work: Work, kind: FactorKind, secret: dict[str, str], *, person_id: UUID, browser: str, sure: bool
) -> Factor:
    # An unconfirmed one takes the place of unconfirmed ones alone.
    _end(work, person_id, [kind], None if sure else Factor.confirmed_at.is_(None))
    row = _row(work, person_id, kind, browser=browser, sure=sure)
    row.secret = secret
    work.db.add(row)
    return _added(work, row)


def make_codes(work: Work, *, person_id: UUID, browser: str) -> list[str]:
    """Ten recovery codes; those of before end. They are shown now and never again."""
    _end(work, person_id, [FactorKind.RECOVERY])
    rows = [
        _row(work, person_id, FactorKind.RECOVERY, browser=browser, sure=True) for _ in range(RECOVERY_CODES)
    ]
    work.db.add_all(rows)
    _added(work, rows[0])
    return [codes.code_of(work.ring, FactorKind.RECOVERY, row.id) for row in rows]


def _row(work: Work, person_id: UUID, kind: FactorKind, *, browser: str, sure: bool) -> Factor:
    return Factor(
        id=new_id(),
        person_id=person_id,
        kind=kind,
        browser=browser[:40],
        made_at=work.now,
        made_by=work.actor,
        confirmed_at=work.now if sure else None,
        confirmed_by=work.actor if sure else None,
    )


def _added(work: Work, row: Factor) -> Factor:
    work.db.flush()
    sure = row.confirmed_at is not None
    what = News.FACTOR_ADDED if sure else News.FACTOR_WAITS
    telling.tell(work, what, person_id=row.person_id, about=row.id)
    if not sure:
        telling.tell_staff(work, row.id)
    work.record(
        Action.FACTOR_ADDED,
        object=f"factor:{row.id}",
        holder=row.person_id,
        kind=row.kind,
        confirmed=sure,
    )
    return row


# ---- confirming and ending


def confirm(work: Work, *, person_id: UUID, factor_id: UUID) -> Factor:
    """Say that a waiting proof is the person's own; a confirmed password takes the place of the one before.

    Raises FactorUnknown.
    """
    row = _own(work, person_id, factor_id)
    if row.confirmed_at is None:
        if row.kind is FactorKind.PASSWORD:
            _end(work, person_id, [row.kind], Factor.id != row.id)
        row.confirmed_at, row.confirmed_by = work.now, work.actor
        telling.tell(work, News.FACTOR_CONFIRMED, person_id=person_id, about=row.id)
        work.record(Action.FACTOR_CONFIRMED, object=f"factor:{row.id}", holder=person_id, kind=row.kind)
    return row


def refuse(work: Work, *, person_id: UUID, factor_id: UUID) -> None:
    """Take away a waiting proof that somebody else set up. Raises FactorUnknown, also for one that is confirmed."""
    if _own(work, person_id, factor_id).confirmed_at is not None:
        raise FactorUnknown
    end(work, person_id=person_id, factor_id=factor_id, strong=False)


def end(work: Work, *, person_id: UUID, factor_id: UUID, strong: bool) -> Factor:
    """Take a proof away. Raises FactorUnknown, or LastWay."""
    row = _own(work, person_id, factor_id)
    left = ways(work.db, person_id, strong=strong, now=work.now).without(factor_id)
    if strong and row.confirmed_at is not None and not left.whole:
        raise LastWay("You need this one to sign in. Set up another one first")
    row.ended_at, row.secret, row.handle = work.now, None, None
    telling.tell(work, News.FACTOR_ENDED, person_id=person_id, about=row.id)
    work.record(Action.FACTOR_ENDED, object=f"factor:{row.id}", holder=person_id, kind=row.kind)
    return row


def _own(work: Work, person_id: UUID, factor_id: UUID) -> Factor:
    row = work.db.scalars(
        select(Factor).where(Factor.id == factor_id, Factor.person_id == person_id, live(work.now))
    ).first()
    if row is None:
        raise FactorUnknown
    return row


def _end(
    work: Work, person_id: UUID, kinds: Iterable[FactorKind], which: ColumnElement[bool] | None = None
) -> None:
    asked = update(Factor).where(
        Factor.person_id == person_id, Factor.kind.in_(list(kinds)), Factor.ended_at.is_(None)
    )
    work.db.execute(
        (asked if which is None else asked.where(which)).values(
            ended_at=work.now, secret_sealed=None, handle=None
        )
    )


# ---- what others hand over


def hand_start_code(work: Work, *, person_id: UUID) -> Factor:
    """A start code to hand over outside mail, good for once within 30 days; the one of before ends."""
    _end(work, person_id, [FactorKind.START])
    row = _row(work, person_id, FactorKind.START, browser="", sure=True)
    row.expires_at = work.now + START_LIFE
    work.db.add(row)
    work.db.flush()
    work.record(Action.START_CODE_MADE, object=f"person:{person_id}", holder=person_id)
    return row


def restore(work: Work, *, person_id: UUID) -> Factor:
    """Take away everything that somebody lost, and hand them a start code: both are told, and all administrators."""
    _end(work, person_id, FactorKind)
    start = hand_start_code(work, person_id=person_id)
    telling.tell(work, News.RESTORED, person_id=person_id, about=start.id)
    telling.tell_administrators(work, person_id=person_id, about=start.id)
    work.record(Action.FACTORS_RESTORED, object=f"person:{person_id}", holder=person_id)
    return start


def say_mailbox(work: Work, *, person_id: UUID, shared: bool) -> None:
    """Note whether others read somebody's mailbox, as they say."""
    person = work.db.get_one(Person, person_id)
    if person.mailbox_shared is not shared:
        person.mailbox_shared = shared
        work.record(Action.MAILBOX_TOLD, object=f"person:{person_id}", holder=person_id, shared=shared)


def note_offered(work: Work, *, person_id: UUID) -> None:
    """They were offered a passkey, and went on: it is not offered on the way in again."""
    work.db.get_one(Person, person_id).passkey_offered_at = work.now
