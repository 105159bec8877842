"""How people come in: a sign-in is asked for in a browser, mailed, and completed in that browser.

The mailed link and code are derived from the sign-in's id with a key outside the database; the browser proves
itself with a cookie of which only the digest is stored. So nothing in the database opens an account.
portal/access/asking.py begins a sign-in; here it is completed.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.access.devices import Tokens, digest, let_in, may_come_in
from portal.actors import with_roles
from portal.models import Level, Person, SignIn
from portal.programme import Programme
from privacy.audit import Action
from privacy.columns import AddressKeys, keys_of
from privacy.keys import KeyRing
from privacy.records import new_id
from privacy.work import Work

TRIES_AT_MOST = 5
WRONG_CODES_AT_MOST = 20
"""Wrong codes for one person within a day; after that only links sign them in."""
WRONG_CODES_WITHIN = timedelta(days=1)
LINK_LIFE = timedelta(hours=24)


class LinkDead(Exception):
    """A link or code that is unknown, used, expired, mistyped too often, or another browser's."""


class NoAccount(Exception):
    """Nobody with this address may sign in; the message is for staff, never for a page before sign-in."""


@dataclass(frozen=True)
class Looked:
    """What a mailed link shows. `mine`: this is the browser that asked."""

    mine: bool
    code: str


@dataclass(frozen=True)
class SignedIn:
    """What the browser keeps from now on, and the page that it was asked for."""

    tokens: Tokens
    next_path: str | None


# ---- finding


def find(db: DbSession, address: str) -> Person | None:
    """The person with an e-mail address, offices loaded."""
    return person_who(db, Person.email_index.in_(AddressKeys(db).indexes(address)))


def person_who(db: DbSession, which: ColumnElement[bool]) -> Person | None:
    """The one person of whom this holds, offices loaded."""
    found = db.execute(select(Person).where(which).options(*with_roles()))
    return found.unique().scalar_one_or_none()


# ---- the mailed link and code


def link_token(ring: KeyRing, sign_in_id: UUID) -> str:
    """The last part of a mailed link: the id, and a MAC that only the keys can make.

    128 bits of MAC: more would make the link longer than a line of a mail may be.
    """
    mac = ring.digest("token", "sign-in link|v1", sign_in_id.bytes)[:16]
    return base64.urlsafe_b64encode(sign_in_id.bytes + mac).decode().rstrip("=")


def code_of(ring: KeyRing, sign_in_id: UUID) -> str:
    """The six figures that do the same as the link."""
    mac = ring.digest("token", "sign-in code|v1", sign_in_id.bytes)
    return f"{int.from_bytes(mac[:8], 'big') % 1_000_000:06d}"


def _id_in(ring: KeyRing, token: str) -> UUID | None:
    """The sign-in that a link is about; None for a link that we did not make."""
    try:
        raw = base64.b64decode(token.encode() + b"=", altchars=b"-_", validate=True)
        sign_in_id = UUID(bytes=raw[:16])
    except (binascii.Error, ValueError):
        return None
    genuine = hmac.compare_digest(link_token(ring, sign_in_id).encode(), token.encode())
    return sign_in_id if genuine else None


def _waits(now: datetime) -> ColumnElement[bool]:
    return and_(SignIn.used_at.is_(None), SignIn.tries < TRIES_AT_MOST, SignIn.expires_at > now)


def look(db: DbSession, token: str, *, verifier: str | None, now: datetime) -> Looked:
    """What the page of a mailed link shows. Changes nothing, whoever opens it. Raises LinkDead."""
    ring = keys_of(db).vault.ring
    sign_in_id = _id_in(ring, token)
    sign_in = db.scalars(select(SignIn).where(SignIn.id == sign_in_id, _waits(now))).first()
    if sign_in is None:
        raise LinkDead
    mine = verifier is not None and hmac.compare_digest(sign_in.verifier, digest(verifier))
    return Looked(mine, code_of(ring, sign_in.id))


def next_path_of(db: DbSession, token: str) -> str | None:
    """The page behind a mailed link, used or not, for whoever is signed in already."""
    sign_in_id = _id_in(keys_of(db).vault.ring, token)
    return db.scalars(select(SignIn.next_path).where(SignIn.id == sign_in_id)).first()


# ---- completing


def finish(
    work: Work,
    *,
    verifier: str | None,
    browser: str,
    token: str | None = None,
    code: str = "",
    keep_device: bool = False,
    before: str | None = None,
    programme: Programme | None = None,
) -> SignedIn | None:
    """Complete a sign-in in the browser that asked for it, by link or code.

    Where a `programme` is given, leaders out of office can come back to answer (portal/people/former.py). None for
    whatever is wrong with it. Nothing is raised, since a wrong code counts as a try: that has to be committed.
    """
    sign_in = _waiting(work.db, verifier) if verifier else None
    if sign_in is None:
        return None
    by = "code" if token is None else "link"
    if _wrong_codes(work, sign_in.person_id) >= WRONG_CODES_AT_MOST and token is None:
        work.record(Action.SIGN_IN_REFUSED, object=f"sign_in:{sign_in.id}", why=by)
        return None
    if token is not None:
        right = _id_in(work.ring, token) == sign_in.id
    else:
        right = hmac.compare_digest(code_of(work.ring, sign_in.id).encode(), code.encode())
    person = person_who(work.db, Person.id == sign_in.person_id)
    right = right and may_come_in(work.db, person, now=work.now, programme=programme)
    next_path = sign_in.next_path
    if not _claim(work, sign_in.id, right=right) or person is None:
        work.record(Action.SIGN_IN_REFUSED, object=f"sign_in:{sign_in.id}", why=by)
        return None
    tokens = let_in(work, person, by=by, level=Level.MAIL, browser=browser, keep=keep_device, before=before)
    return SignedIn(tokens, next_path)


def _waiting(db: DbSession, verifier: str) -> SignIn | None:
    """What a browser can complete; else what it asked for last."""
    waits_first = SignIn.used_at.is_not(None)
    return db.scalars(of_browser(verifier).order_by(waits_first, SignIn.asked_at.desc())).first()


def of_browser(verifier: str) -> Select[SignIn]:
    """What the browser with this cookie has asked for."""
    return select(SignIn).where(SignIn.verifier == digest(verifier))


_NEWEST = (
    select(SignIn).where(SignIn.verifier == bindparam("verifier")).order_by(SignIn.asked_at.desc()).limit(1)
)


def newest_of_browser(db: DbSession, verifier: str) -> SignIn | None:
    """What the browser with this cookie asked for last."""
    return db.scalars(_NEWEST, {"verifier": digest(verifier)}).first()


def _wrong_codes(work: Work, person_id: UUID | None) -> int:
    """How often a wrong code was typed for somebody within a day, in whatever browser."""
    typed = select(func.sum(SignIn.tries)).where(
        # Nobody has this id: for an unknown address the same is counted.
        SignIn.person_id == (person_id or new_id()),
        SignIn.asked_at > work.now - WRONG_CODES_WITHIN,
    )
    return work.db.scalar(typed) or 0


def _claim(work: Work, sign_in_id: UUID, *, right: bool) -> bool:
    """Use the sign-in up or count a try, in one statement, so that of two at once only one can win.

    A used one no longer says whose it was: then it is not an open request of theirs, and of no other use.
    """
    outcome = {"used_at": work.now, "person_id": None} if right else {"tries": SignIn.tries + 1}
    taken = work.db.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, _waits(work.now))
        .values(outcome)
        .returning(SignIn.id)
        .execution_options(synchronize_session=False)
    ).first()
    return right and taken is not None


def use_up(work: Work, sign_in_id: UUID) -> bool:
    """Use a sign-in up that is completed elsewhere; False if it was, or is over."""
    return _claim(work, sign_in_id, right=True)


# ---- an operator's link, and the people of a demo


def make_operator_link(work: Work, *, person_id: UUID, programme: Programme | None = None) -> str:
    """The token of a link that signs somebody in once, in any browser, within 24 hours. Raises NoAccount."""
    person = person_who(work.db, Person.id == person_id)
    if person is None or not may_come_in(work.db, person, now=work.now, programme=programme):
        raise NoAccount("This person is disabled, or holds no office today.")
    token = secrets.token_urlsafe(32)
    work.db.add(
        SignIn(
            id=new_id(),
            person_id=person.id,
            chain=new_id(),
            verifier=_operator_digest(token),
            level=Level.MAIL,
            asked_at=work.now,
            expires_at=work.now + LINK_LIFE,
            tries=0,
        )
    )
    work.record(Action.LINK_MADE, object=f"person:{person.id}", holder=person.id)
    return token


def _operator_digest(token: str) -> bytes:
    # Set apart from a browser's cookie, which would else open an account without the mail.
    return hashlib.sha256(b"operator's link|" + token.encode()).digest()


def look_at_operator_link(db: DbSession, token: str, *, now: datetime) -> None:
    """Raises LinkDead unless the link would sign somebody in. Changes nothing."""
    waits = db.scalars(select(SignIn.id).where(SignIn.verifier == _operator_digest(token), _waits(now)))
    if waits.first() is None:
        raise LinkDead


def use_operator_link(
    work: Work, *, token: str, browser: str, before: str | None = None, programme: Programme | None = None
) -> SignedIn:
    """Sign in by an operator's link, once. Raises LinkDead."""
    sign_in = work.db.scalars(select(SignIn).where(SignIn.verifier == _operator_digest(token))).first()
    person = person_who(work.db, Person.id == sign_in.person_id) if sign_in is not None else None
    if sign_in is None or person is None:
        raise LinkDead
    if not may_come_in(work.db, person, now=work.now, programme=programme):
        raise LinkDead
    if not _claim(work, sign_in.id, right=True):
        raise LinkDead
    return SignedIn(
        let_in(work, person, by="operator", level=Level.MAIL, browser=browser, before=before), None
    )


def enter_demo(
    work: Work, *, address: str, browser: str, before: str | None = None, programme: Programme | None = None
) -> SignedIn:
    """Sign in as one of the made-up people of a demo, with everything proved; the view allows it on a demo only.

    Raises LinkDead."""
    person = find(work.db, address)
    if person is None or not may_come_in(work.db, person, now=work.now, programme=programme):
        raise LinkDead
    return SignedIn(let_in(work, person, by="demo", level=Level.PROOF, browser=browser, before=before), None)
