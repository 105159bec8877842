"""Giving a proof: a password and an app's code, a recovery code, a start code, a passkey.

A try is counted before it is looked at, in a work of its own, so that a hundred at once are not a hundred tries; a
hash is computed outside any transaction; and what holds once is used up by one conditional statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session as DbSession

from portal.access import codes, devices, passwords, telling
from portal.access.factors import Ways, live, ways
from portal.access.telling import News
from portal.models import Factor, FactorKind, Guess, Level, Person
from privacy.audit import Action
from privacy.columns import keys_of
from privacy.records import new_id
from privacy.work import Work

TRIES_AT_MOST = 10
TRIES_WITHIN = timedelta(minutes=15)
STEP = 30
"""Seconds for which a code of an app is good; one step before and after is taken too, for clocks that are off."""


@dataclass(frozen=True)
class Proof:
    """A proof that was looked at and is right: by which factors, and what a session is called by it.

    `step` is that of the app's code. `once`: the factor is used up by it.
    """

    by: str
    factors: Sequence[UUID]
    level: Level
    step: int | None = None
    once: bool = False


def reserve(work: Work, *, person_id: UUID) -> bool:
    """Count a try before it is looked at. False: there were too many, and this one must not be looked at."""
    work.db.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    if _tries(work, person_id) >= TRIES_AT_MOST:
        return False
    work.db.add(Guess(id=new_id(), person_id=person_id, at=work.now))
    return True


def _tries(work: Work, person_id: UUID) -> int:
    recent = Guess.at > work.now - TRIES_WITHIN
    return work.db.scalar(select(func.count()).where(Guess.person_id == person_id, recent)) or 0


# ---- looking; nothing here writes


def by_password(
    db: DbSession, person_id: UUID, *, password: str, app_code: str, strong: bool, now: datetime
) -> Proof | None:
    """A password, beside the mailed code that this browser came in with; with an app's code for those who need it."""
    own = ways(db, person_id, strong=strong, now=now)
    fitting = [
        one for one in own.of(FactorKind.PASSWORD) if passwords.fits((one.secret or {})["hash"], password)
    ]
    if not fitting:
        return None
    sure = next((one for one in fitting if one.confirmed_at is not None), None)
    used, step = [sure or fitting[0]], None
    if strong or own.of(FactorKind.APP):
        app, step = _app(own, app_code, now)
        if app is None:
            return None
        used.append(app)
    by = "+".join(one.kind.value for one in used)
    return Proof(by, [one.id for one in used], Level.PROOF if sure else Level.MAIL, step=step)


def _app(own: Ways, typed: str, now: datetime) -> tuple[Factor | None, int | None]:
    for app in own.sure(FactorKind.APP):
        step = step_of((app.secret or {})["key"], typed, now=now)
        if step is not None and step > (app.counter or 0):
            return app, step
    return None, None


def step_of(secret: str, typed: str, *, now: datetime) -> int | None:
    """The thirty seconds that an app's code belongs to; None for a wrong one."""
    totp, current = pyotp.TOTP(secret, interval=STEP), int(now.timestamp()) // STEP
    for step in (current, current - 1, current + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), typed):
            return step
    return None


def by_code(db: DbSession, person_id: UUID, *, kind: FactorKind, typed: str, now: datetime) -> Proof | None:
    """A recovery code, or a start code, which proves enough to set something up and nothing more."""
    ring = keys_of(db).vault.ring
    rows = db.scalars(
        select(Factor.id).where(Factor.person_id == person_id, Factor.kind == kind, live(now))
    ).all()
    found = [row for row in rows if codes.is_code(ring, kind, row, typed)]
    level = Level.PROOF if kind is FactorKind.RECOVERY else Level.MAIL
    return Proof(kind.value, found, level, once=True) if found else None


# ---- taking it


def take(work: Work, proof: Proof | None, *, person_id: UUID, browser_session_id: UUID) -> str | None:
    """Raise the level of a signed-in browser by a proof; returns its new cookie, None where the proof is wrong or was
    used meanwhile. Raises DeviceUnknown once the browser is signed out."""
    if proof is None or not all(_use(work, one, proof) for one in proof.factors):
        work.record(
            Action.SIGN_IN_REFUSED,
            object=f"person:{person_id}",
            why=proof.by.replace("+", "-") if proof else "proof",
        )
        if _tries(work, person_id) >= TRIES_AT_MOST:
            last = work.db.scalars(
                select(Guess.id).where(Guess.person_id == person_id).order_by(Guess.at.desc(), Guess.id)
            ).first()
            telling.tell(work, News.PAUSED, person_id=person_id, about=last or person_id)
        return None
    forgive(work, person_id=person_id)
    if proof.once:
        telling.tell(work, News.CODE_USED, person_id=person_id, about=proof.factors[0])
    return devices.add_proof(work, browser_session_id=browser_session_id, proof=proof.by, level=proof.level)


def _use(work: Work, factor_id: UUID, proof: Proof) -> bool:
    """Note that a factor was used; False where it ended meanwhile, or its code was used already."""
    is_app = Factor.kind == FactorKind.APP
    good = select(Factor.kind).where(Factor.id == factor_id, live(work.now))
    kind = work.db.scalars(good).first()
    if kind is None:
        return False
    asked = update(Factor).where(Factor.id == factor_id, live(work.now))
    values: dict[str, object] = {"used_at": work.now}
    if kind is FactorKind.APP:
        asked = asked.where(or_(Factor.counter.is_(None), Factor.counter < proof.step), is_app)
        values["counter"] = proof.step
    if proof.once:
        values["ended_at"] = work.now
    taken = work.db.execute(
        asked.values(values).returning(Factor.id).execution_options(synchronize_session=False)
    )
    return taken.first() is not None


def forgive(work: Work, *, person_id: UUID) -> None:
    """Take back what was counted: the last try was right."""
    work.db.execute(delete(Guess).where(Guess.person_id == person_id))
