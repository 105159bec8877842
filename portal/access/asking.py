"""Asking to sign in: whose mailbox gets a link and a code, how often, and what becomes of earlier ones.

Whether an address is known shows in nothing: an unknown one costs the same steps, and its mail goes to nobody.
Sign-ins that one browser asks for form a chain, of which the newest is good; whatever strangers ask for in
their own browsers ends nothing in it.
"""

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BindParameter, Select, Table, bindparam, func, select, update

from portal.access import known
from portal.access.accounts import LinkDead, newest_of_browser
from portal.access.devices import digest, may_come_in
from portal.access.known import Account
from portal.mailing import queue as mail
from portal.models import Level, Mail, SignIn
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.keys import KeyRing
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

ASK_LIFE = timedelta(minutes=10)
ASKS_AT_MOST = 5
"""Mails that one browser can cause within ASKS_WITHIN."""
MAILS_AT_MOST = 20
"""Mails that one person gets within ASKS_WITHIN, whoever asks."""
ASKS_WITHIN = timedelta(minutes=15)
NETWORK_ASKS_AT_MOST = 100
NETWORK_CHALLENGES_AT_MOST = 1000
"""Of passkeys: the sign-in page asks for one by itself when somebody goes into its field."""
NETWORK_ASKS_WITHIN = timedelta(minutes=10)


class TooManyAsks(Exception):
    """One network has asked for more sign-ins than people could need. Nothing was written."""


@dataclass(frozen=True)
class Asked:
    """A sign-in that waits. `verifier` goes into the cookie of the browser that asked, and nowhere else."""

    sign_in_id: UUID
    verifier: str


def ask(
    work: Work,
    *,
    address: str,
    next_path: str | None,
    verifier: str | None = None,
    network: bytes | None = None,
    programme: Programme | None = None,
) -> Asked:
    """Begin a sign-in for an address, known or not; if it is known, the link and code are mailed to it.

    It takes the place of what the browser with this `verifier` asked for before. `network` is what network_of
    says. Raises TooManyAsks.
    """
    person = known.at_address(work.db, address, on=london_date(work.now))
    before = newest_of_browser(work.db, verifier or "")
    return _ask(work, person, next_path, before=before, network=network, programme=programme)


def ask_again(
    work: Work, *, verifier: str, network: bytes | None = None, programme: Programme | None = None
) -> Asked:
    """Begin anew what this browser asked for, and mail it again.

    Raises LinkDead if it asked for nothing, TooManyAsks.
    """
    before = newest_of_browser(work.db, verifier)
    if before is None:
        raise LinkDead
    person = known.of_id(work.db, before.person_id, on=london_date(work.now))
    return _ask(work, person, before.next_path, before=before, network=network, programme=programme)


def network_of(ring: KeyRing, address: str | None) -> bytes | None:
    """What is stored of the network that an address lies in: a keyed digest.

    None for an address of this machine or of a private network: there stands a relay before the portal, and
    all people come from it.
    """
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if ip.is_private:
        return None
    # One household or office has as many IPv6 addresses as it likes in its /64.
    network = ipaddress.ip_network((ip, 64 if ip.version == 6 else 32), strict=False)
    return ring.digest("token", "network|v1", network.network_address.packed)


def _ask(
    work: Work,
    person: Account | None,
    next_path: str | None,
    *,
    before: SignIn | None,
    network: bytes | None,
    programme: Programme | None,
) -> Asked:
    # Nobody has this id: an unknown address is counted and superseded by the same statements.
    counted = person.id if person is not None else new_id()
    chain = before.chain if before is not None else new_id()
    hold_back(work, network, Level.MAIL, NETWORK_ASKS_AT_MOST)
    # After too many the answer is the same, no mailbox is flooded, and the browser's last mail stays good.
    tired = _counted(work, _OF_CHAIN, ASKS_WITHIN, whose=chain) >= ASKS_AT_MOST
    flooded = _counted(work, _MAILED, ASKS_WITHIN, whose=counted) >= MAILS_AT_MOST
    # What becomes of a sign-in of one's own can be seen: it must not tell whether another address is known.
    spared = tired or (flooded and before is not None and before.person_id == counted)
    admitted = may_come_in(work.db, person, now=work.now, programme=programme)
    known_id = person.id if person is not None and admitted else None
    verifier = secrets.token_urlsafe(32)
    if spared:
        run(work.db, _FOLLOW, {"of_chain": chain, "mark": digest(verifier)})
    else:
        run(work.db, _SUPERSEDE, {"of_chain": chain, "now": work.now})
    sign_in = SignIn(
        id=new_id(),
        person_id=known_id,
        chain=chain,
        network=network,
        verifier=digest(verifier),
        level=Level.MAIL,
        asked_at=work.now,
        expires_at=work.now + ASK_LIFE,
        tries=0,
        # What isn't mailed opens nothing. It keeps its person, so that it can be sent again later.
        used_at=work.now if tired or flooded else None,
        next_path=next_path,
    )
    work.db.add(sign_in)
    work.db.flush()
    mail.queue(work, template="sign_in", about=sign_in.id, to=None if tired or flooded else known_id)
    work.record(Action.SIGN_IN_ASKED, object=f"sign_in:{sign_in.id}", holder=known_id)
    return Asked(sign_in.id, verifier)


def hold_back(work: Work, network: bytes | None, level: Level, at_most: int) -> None:
    """Raises TooManyAsks where a network has begun so many sign-ins of a level."""
    if network is None:
        return
    if _counted(work, _OF_NETWORK, NETWORK_ASKS_WITHIN, whose=network, level=level) >= at_most:
        raise TooManyAsks


# Made once, for whoever knocks; a known address and an unknown one cost the same.
_WHOSE: BindParameter[Any] = bindparam("whose")
_AFTER: BindParameter[Any] = bindparam("after")
_ASKED = select(func.count()).select_from(SignIn).where(SignIn.asked_at > _AFTER)
_OF_CHAIN = _ASKED.where(SignIn.chain == _WHOSE)
_OF_NETWORK = _ASKED.where(SignIn.network == _WHOSE, SignIn.level == bindparam("level"))
_MAILED = select(func.count()).where(
    Mail.person_id == _WHOSE, Mail.template == "sign_in", Mail.queued_at > _AFTER
)
_ROWS = cast(Table, SignIn.__table__)
_OPEN = update(_ROWS).where(_ROWS.c.chain == bindparam("of_chain"), _ROWS.c.used_at.is_(None))
_FOLLOW = _OPEN.values(verifier=bindparam("mark"))
_SUPERSEDE = _OPEN.values(used_at=bindparam("now"))


def _counted(work: Work, statement: Select[int], within: timedelta, **values: Any) -> int:
    counted: int = run(work.db, statement, {**values, "after": work.now - within}).scalar_one()
    return counted
