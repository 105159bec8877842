"""Signing in and proving by a passkey, and setting one up: challenges that are good for once, and what was signed.

Before anybody is signed in, a challenge is a sign-in of nobody's that waits in one browser, as for the mailed code;
it is derived from the id with a key outside the database. Afterwards it stands beside the browser's session.
"""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from portal.access import asking, devices, factors, passkeys
from portal.access.accounts import SignedIn, person_who, use_up
from portal.access.devices import digest, may_come_in
from portal.access.factors import live
from portal.access.passkeys import PasskeyRefused, Site
from portal.models import BrowserSession, Factor, FactorKind, Level, Person, SignIn
from portal.programme import Programme
from privacy.audit import Action
from privacy.keys import KeyRing
from privacy.records import new_id
from privacy.work import Work

LIFE = timedelta(minutes=10)


# ---- while nobody is signed in


def begin_sign_in(work: Work, *, network: bytes | None = None) -> tuple[str, bytes]:
    """What goes into the browser's cookie, and what its passkey has to sign. Raises TooManyAsks."""
    asking.hold_back(work, network, Level.PROOF, asking.NETWORK_CHALLENGES_AT_MOST)
    verifier = secrets.token_urlsafe(32)
    row = SignIn(
        id=new_id(),
        chain=new_id(),
        network=network,
        verifier=_set_apart(verifier),
        level=Level.PROOF,
        asked_at=work.now,
        expires_at=work.now + LIFE,
        tries=0,
    )
    work.db.add(row)
    return verifier, _challenge(work.ring, row.id)


def _set_apart(verifier: str) -> bytes:
    # The cookie of a mailed code must not stand for one of these, nor the other way about.
    return digest("passkey|" + verifier)


def _challenge(ring: KeyRing, sign_in_id: UUID) -> bytes:
    return ring.digest("token", "passkey challenge|v1", sign_in_id.bytes)


def finish_sign_in(
    work: Work,
    site: Site,
    *,
    verifier: str | None,
    answer: str,
    browser: str,
    before: str | None = None,
    programme: Programme | None = None,
) -> SignedIn | None:
    """Sign in whom a passkey belongs to, in the browser that was asked; None for whatever is wrong with it."""
    row = work.db.scalars(select(SignIn).where(SignIn.verifier == _set_apart(verifier or ""))).first()
    if row is None or not use_up(work, row.id):
        return None
    factor = _signer(work, site, answer, challenge=_challenge(work.ring, row.id))
    person = person_who(work.db, Person.id == factor.person_id) if factor is not None else None
    if (
        factor is None
        or person is None
        or not may_come_in(work.db, person, now=work.now, programme=programme)
    ):
        work.record(Action.SIGN_IN_REFUSED, object=f"sign_in:{row.id}", why="passkey")
        return None
    tokens = devices.let_in(work, person, by="passkey", level=_level(factor), browser=browser, before=before)
    return SignedIn(tokens, None)


def _level(factor: Factor) -> Level:
    return Level.PROOF if factor.confirmed_at is not None else Level.MAIL


def _signer(
    work: Work, site: Site, answer: str, *, challenge: bytes, person_id: UUID | None = None
) -> Factor | None:
    """The passkey that signed; its use is noted."""
    try:
        handle = factors.handle_of(work, passkeys.credential_in(answer))
        factor = work.db.scalars(
            select(Factor)
            .where(Factor.handle == handle, Factor.kind == FactorKind.PASSKEY, live(work.now))
            .with_for_update(of=Factor)
        ).first()
        if factor is None or (person_id is not None and factor.person_id != person_id):
            return None
        factor.counter = passkeys.signed(
            site, answer, challenge=challenge, secret=factor.secret or {}, count=factor.counter or 0
        )
    except PasskeyRefused:
        return None
    factor.used_at = work.now
    return factor


# ---- in a browser that is signed in


def begin(work: Work, *, browser_session_id: UUID) -> bytes:
    """What a passkey has to sign next in this browser."""
    challenge = secrets.token_bytes(32)
    row = work.db.get_one(BrowserSession, browser_session_id)
    row.challenge = challenge
    return challenge


def _asked(work: Work, browser_session_id: UUID) -> bytes | None:
    """What was to be signed; it is used up."""
    asked = work.db.scalars(
        select(BrowserSession.challenge).where(BrowserSession.id == browser_session_id).with_for_update()
    ).first()
    work.db.execute(
        update(BrowserSession).where(BrowserSession.id == browser_session_id).values(challenge=None)
    )
    return asked


def known(own: factors.Ways) -> list[bytes]:
    """The ids of somebody's passkeys, as their devices know them."""
    return [passkeys.credential_of(one.secret or {}) for one in own.of(FactorKind.PASSKEY)]


def prove(work: Work, site: Site, *, answer: str, person_id: UUID, browser_session_id: UUID) -> str | None:
    """Raise the level of a signed-in browser; returns its new cookie. None for whatever is wrong.

    Raises DeviceUnknown once the browser is signed out.
    """
    challenge = _asked(work, browser_session_id)
    factor = (
        _signer(work, site, answer, challenge=challenge, person_id=person_id)
        if challenge is not None
        else None
    )
    if factor is None:
        work.record(Action.SIGN_IN_REFUSED, object=f"person:{person_id}", why="passkey")
        return None
    return devices.add_proof(
        work, browser_session_id=browser_session_id, proof="passkey", level=_level(factor)
    )


def register(
    work: Work,
    site: Site,
    *,
    answer: str,
    person_id: UUID,
    browser_session_id: UUID,
    browser: str,
    sure: bool,
) -> Factor:
    """Take a passkey that this browser made. Raises PasskeyRefused, TooMany, FactorUnknown."""
    challenge = _asked(work, browser_session_id)
    if challenge is None:
        raise PasskeyRefused("nothing was asked for")
    made = passkeys.made(site, answer, challenge=challenge)
    return factors.add_passkey(work, person_id=person_id, made=made, browser=browser, sure=sure)
